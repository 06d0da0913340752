// A photo's luma as a guide for its colors: what depends on luma alone is computed once.

import { fade, findSpots, finish, measurePart, pairShares, toBase } from "./layers.js";
import { resizeBytes, resizeFloats } from "./resize.js";
import { parse } from "./safetensors.js";
import { Pyramid, enlargeChroma, findGuideSize } from "./upsample.js";

/**
 * @typedef {import("./layers.js").Coat} Coat
 * @typedef {import("./layers.js").Layer} Layer
 * @typedef {import("./layers.js").Part} Part
 * @typedef {import("./safetensors.js").Tensor} Tensor
 * @typedef {import("./safetensors.js").Tensors} Tensors
 * @typedef {{rg: Uint8Array<ArrayBuffer>, width: number, height: number}} Chroma
 *   rg: (height, width, 2) Cb and Cr, centered on 128
 */

/**
 * What was computed last of each kind, by the bytes that it was computed from.
 * @template T
 */
class Memory {
  /** @type {Map<string, {key: string, from: ArrayLike<number>, value: T}>} */ #known = new Map();

  /**
   * @param {string} kind @param {string} key what else than bytes it depends on
   * @param {ArrayLike<number>} from @param {() => T} compute @returns {T}
   */
  recall(kind, key, from, compute) {
    const last = this.#known.get(kind);
    if (last?.key === key && isEqual(last.from, from)) return last.value;
    const value = compute();
    this.#known.set(kind, { key, from, value });
    return value;
  }
}

/** @param {ArrayLike<number>} one @param {ArrayLike<number>} two @returns {boolean} */
function isEqual(one, two) {
  if (one.length !== two.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== two[i]) return false;
  return true;
}

export class Guide {
  /** @type {Map<string, Pyramid>} */ #pyramids = new Map();
  /** @type {Memory<import("./layers.js").Base>} */ #bases = new Memory();
  /** @type {Memory<Part>} */ #parts = new Memory();
  /** @type {Memory<Uint8Array>} */ #borders = new Memory();

  /**
   * @param {Uint8Array} luma (height, width) of the photo
   * @param {number} height @param {number} width
   */
  constructor(luma, height, width) {
    const [H, W] = findGuideSize(height, width);
    this.H = H;
    this.W = W;
    this.luma = resizeBytes(luma, height, width, H, W);
  }

  /**
   * How planes of a size are enlarged, to the guide's size or to a smaller one.
   * @param {number} h at most H @param {number} w at most W
   * @param {number} [H] @param {number} [W] @returns {Pyramid}
   */
  pyramid(h, w, H = this.H, W = this.W) {
    const name = `${h} x ${w} to ${H} x ${W}`;
    let found = this.#pyramids.get(name);
    if (!found) {
      const luma = resizeBytes(this.luma, this.H, this.W, H, W);
      this.#pyramids.set(name, (found = new Pyramid(luma, H, W, h, w)));
    }
    return found;
  }

  /**
   * What enlarging chroma takes: as it is, and to try how blurred it is, at four times its size.
   * @param {number} h @param {number} w @returns {{whole: Pyramid, trial: Pyramid}}
   */
  prepare(h, w) {
    [h, w] = [Math.min(h, this.H), Math.min(w, this.W)];
    const [H, W] = [Math.min(4 * h, this.H), Math.min(4 * w, this.W)];
    return { whole: this.pyramid(h, w), trial: this.pyramid(h, w, H, W) };
  }

  /**
   * Chroma where edges guide, of an answer's planes.
   * @param {ArrayBuffer} answer safetensors
   * @param {boolean} [quick] at about half the size, where nothing lies over the chroma
   * @returns {Chroma} @throws {Error} of one line, if it is something else
   */
  enlarge(answer, quick = false) {
    const found = parse(answer);
    const { chroma, border } = found.tensors;
    const layers = readLayers(found);
    const base = this.#enlargeChroma(chroma, quick && !layers.length && !border);
    const coats = layers.map((layer, i) => this.#enlargeLayer(layer, i));
    const rg = finish(base, coats, this.luma);
    if (border) fade(rg, this.#enlargeBorder(border));
    return { rg, width: base.scaled.w, height: base.scaled.h };
  }

  /**
   * @param {Tensor | undefined} tensor @param {boolean} quick
   * @returns {import("./layers.js").Base}
   */
  #enlargeChroma(tensor, quick) {
    if (tensor?.shape.length !== 3 || tensor.shape[0] !== 2 || !tensor.data.length) {
      const found = tensor ? `(${tensor.shape})` : "none";
      throw new Error(`expected chroma (2, h, w), found ${found}; ask again`);
    }
    const { shape: [, h, w], data } = tensor;
    return this.#bases.recall("chroma", `${h} x ${w} ${quick}`, data, () => {
      const { whole, trial } = this.prepare(h, w);
      const planes = [0, 1].map((k) => {
        const plane = new Float32Array(data.subarray(k * h * w, (k + 1) * h * w));
        return resizeFloats(plane, h, w, whole.h, whole.w);
      });
      return toBase(enlargeChroma(planes, whole, trial, quick));
    });
  }

  /** @param {Layer} layer @param {number} number @returns {Coat} */
  #enlargeLayer(layer, number) {
    const { H, W } = this;
    const { shares: { n, h, w, data }, fine, tints } = layer;
    const parts = Array.from({ length: Math.ceil(n / 2) }, (_, i) => {
      const from = data.subarray(2 * i * h * w, (2 * i + 2) * h * w);
      return this.#parts.recall(`${number}.${i}`, `${h} x ${w} ${fine}`, from, () => {
        if (fine) return measurePart(pairShares(layer.shares, 2 * i, H, W, "bilinear"));
        const [high, wide] = [Math.min(h, H), Math.min(w, W)];
        const pair = pairShares(layer.shares, 2 * i, high, wide, "box");
        return measurePart(this.pyramid(high, wide).enlargeSparse(pair));
      });
    });
    return { parts, tints, spots: findSpots(layer, H, W) };
  }

  /** @param {Tensor} border @returns {Uint8Array} (H, W) */
  #enlargeBorder({ shape: [h, w], data }) {
    const bytes = /** @type {Uint8Array} */ (data);
    return this.#borders.recall("border", `${h} x ${w}`, bytes, () =>
      resizeBytes(bytes, h, w, this.H, this.W, "bilinear"));
  }
}

/** @param {Tensors} found @returns {Layer[]} */
function readLayers({ metadata, tensors }) {
  /** @type {{places: number[][], levels: number[], fine: boolean}[]} */
  const list = JSON.parse(metadata.layers ?? "[]");
  return list.map((layer, k) => {
    const [shares, tints] = [tensors[`layers.${k}.shares`], tensors[`layers.${k}.tints`]];
    if (shares?.shape.length !== 3 || tints?.data.length !== 512 * shares.shape[0]) {
      throw new Error(`expected shares and tints of layer ${k}, found something else; ask again`);
    }
    const [n, h, w] = shares.shape;
    const data = /** @type {Uint8Array} */ (shares.data);
    return { ...layer, shares: { n, h, w, data }, tints: /** @type {Int8Array} */ (tints.data) };
  });
}
