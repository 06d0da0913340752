// Paints a photo from its luma and a small chroma plane on the processor, where there is no WebGL2.

import { colorRow, createRow, sample, setChroma, SHARPEN, SQUARES, tapsOf } from "./pixels.js";

/** @typedef {import("./painter.js").Painter} Painter @typedef {import("./painter.js").View} View */
/** @typedef {import("./pixels.js").Level} Level */
/** @typedef {{key: string, luma: Uint8Array, alpha: Uint8Array | null, quick: boolean}} Seen */

/** @implements {Painter} */
export class Painter2D {
  /** @type {Level[]} */ #lumas = [];
  /** @type {Level[]} */ #alphas = [];
  /** @type {{rg: Uint8Array, width: number, height: number} | null} */ #chroma = null;
  /** @type {Seen | null} */ #seen = null;
  /** @type {ImageData | null} */ #image = null;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /** @type {Painter["setLuma"]} */
  setLuma(luma, width, height, alpha = null) {
    this.#lumas = [{ plane: luma, width, height }];
    this.#alphas = alpha ? [{ plane: alpha, width, height }] : [];
    this.#seen = null;
  }

  /** @type {Painter["setChroma"]} */
  setChroma(rg, width, height) {
    this.#chroma = rg && { rg, width, height };
  }

  /** @type {Painter["paint"]} */
  paint({ scale, x, y, split, width, height, color = 1, quick = false }) {
    const { canvas, context } = this;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const before = this.#seen;
    const photo = this.#lumas[0];
    if (!photo?.width) return context.clearRect(0, 0, width, height);
    const left = Math.max(0, Math.floor(x + 0.5));
    const top = Math.max(0, Math.floor(y + 0.5));
    const wide = Math.min(width, Math.floor(x + scale * photo.width + 0.5)) - left;
    const high = Math.min(height, Math.floor(y + scale * photo.height + 0.5)) - top;
    if (wide <= 0 || high <= 0) return context.clearRect(0, 0, width, height);
    // Where the middles of the canvas's pixels lie in the photo, pixels of the photo.
    const across = placesOf(wide, (left + 0.5 - x) / scale, 1 / scale, scale >= SQUARES);
    const down = placesOf(high, (top + 0.5 - y) / scale, 1 / scale, scale >= SQUARES);
    const { luma, alpha } = this.#see([scale, x, y, width, height], across, down, quick);
    if (this.#image?.width !== wide || this.#image.height !== high) {
      this.#image = new ImageData(wide, high);
    }
    const edge = across.findIndex((place) => place >= split * photo.width);
    const pixels = new Uint32Array(this.#image.data.buffer);
    const first = this.#chroma && color && edge >= 0 ? edge : wide;
    for (let row = 0; row < luma.length; row += wide) {
      for (let i = row; i < row + first; i++) pixels[i] = 0xff000000 | (65793 * luma[i]);
    }
    if (first < wide) this.#color(pixels, luma, across, down, first, color, quick ? 1 : 0);
    if (alpha) for (let i = 0; i < alpha.length; i++) this.#image.data[4 * i + 3] = alpha[i];
    if (this.#seen?.key !== before?.key) context.clearRect(0, 0, width, height);
    context.putImageData(this.#image, left, top);
  }

  /**
   * The luma on the canvas, kept for as long as nothing moves.
   * @param {number[]} view @param {Float64Array} across @param {Float64Array} down
   * @param {boolean} quick
   */
  #see(view, across, down, quick) {
    const key = view.join();
    if (this.#seen?.key === key && (quick || !this.#seen.quick)) return this.#seen;
    const exact = view[0] < 1 ? Math.max(0, -Math.log2(view[0]) + SHARPEN) : 0;
    const level = quick ? Math.round(exact) : exact;
    const luma = sample(this.#lumas, level, across, down);
    const alpha = this.#alphas.length ? sample(this.#alphas, level, across, down) : null;
    this.#seen = { key, luma, alpha, quick: level !== exact };
    return this.#seen;
  }

  /**
   * @param {Uint32Array} pixels @param {Uint8Array} luma
   * @param {Float64Array} across @param {Float64Array} down
   * @param {number} first column in color @param {number} color how much of it, 0..1
   * @param {number} shift 2 ** `shift` pixels share a chroma, along rows and columns
   */
  #color(pixels, luma, across, down, first, color, shift) {
    if (!this.#chroma) return;
    const { rg, ...size } = this.#chroma;
    const { width, height } = this.#lumas[0];
    const rows = tapsOf(down, size.height / height, size.height);
    const columns = tapsOf(across.subarray(first), size.width / width, size.width);
    const count = across.length - first;
    const row = createRow(count);
    const line = new Float32Array(2 * size.width + 2);
    const from = 2 * columns.index[0];
    const to = Math.min(2 * size.width, 2 * columns.index[count - 1] + 4);
    for (let y = 0; y < down.length; y++) {
      if (y === (y >> shift) << shift) {
        const share = color * rows.weight[y];
        const rest = color - share;
        const upper = 2 * size.width * rows.index[y];
        const lower = size.height > 1 ? upper + 2 * size.width : upper;
        for (let i = from; i < to; i++) {
          line[i] = rest * (rg[upper + i] - 128) + share * (rg[lower + i] - 128);
        }
        for (let i = 0, x = 0; x < count; i++, x += 1 << shift) {
          const at = 2 * columns.index[x];
          const weight = columns.weight[x];
          const cb = line[at];
          const cr = line[at + 1];
          setChroma(
            row, i, cb + weight * (line[at + 2] - cb), cr + weight * (line[at + 3] - cr));
        }
      }
      colorRow(pixels, luma, y * across.length + first, count, row, shift);
    }
  }
}

/** @param {number} count @param {number} first @param {number} step @param {boolean} squares */
const placesOf = (count, first, step, squares) =>
  Float64Array.from({ length: count }, (_, i) =>
    squares ? Math.floor(first + i * step) + 0.5 : first + i * step);
