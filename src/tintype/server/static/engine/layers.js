// Lays colors over parts of a photo, as Python's layers.py, and keeps borders neutral.

import { resizeBytes } from "./resize.js";
import { findBox } from "./upsample.js";

/**
 * @typedef {import("./upsample.js").Box} Box
 * @typedef {import("./upsample.js").Pair} Pair
 * @typedef {import("./upsample.js").Scaled} Scaled
 * @typedef {{n: number, h: number, w: number, data: Uint8Array}} Shares (n, h, w), 255 for all
 * @typedef {{
 *   shares: Shares, tints: Int8Array, places: number[][], levels: number[], fine: boolean,
 * }} Layer tints: (n, 256, 2) Cb and Cr by luma; places: x and y, 0..1, of pins; levels: luma there
 * @typedef {Pair & {box: Box}} Part shares of two colors, and where they are not 0
 * @typedef {Box & {cb: number, cr: number}} Spot pixels at a pin, which have its color alone
 * @typedef {{parts: Part[], tints: Int8Array, spots: Spot[]}} Coat a layer at the guide's size
 */

const UNIT = 1 / 255;

/**
 * A layer's shares of two of its colors.
 * @param {Shares} shares @param {number} first of the two
 * @param {number} H wanted @param {number} W @param {import("./resize.js").Filter} filter
 * @returns {Pair} (H, W)
 */
export function pairShares({ n, h, w, data }, first, H, W, filter) {
  const plane = (/** @type {number} */ k) =>
    resizeBytes(data.subarray(k * h * w, (k + 1) * h * w), h, w, H, W, filter);
  const pair = new Int32Array(plane(first));
  if (first + 1 < n) plane(first + 1).forEach((share, i) => (pair[i] |= share << 16));
  return { h: H, w: W, data: pair };
}

/**
 * The 3 x 3 pixels at each pin, of which a pixel of the photo may be mixed.
 * @param {Layer} layer @param {number} H @param {number} W @returns {Spot[]}
 */
export function findSpots({ places, levels, tints }, H, W) {
  return places.map(([x, y], k) => {
    const row = Math.min(H - 1, Math.trunc(y * H));
    const column = Math.min(W - 1, Math.trunc(x * W));
    const at = 2 * (256 * k + levels[k]);
    return {
      top: Math.max(0, row - 1), bottom: Math.min(H, row + 2),
      left: Math.max(0, column - 1), right: Math.min(W, column + 2),
      cb: tints[at], cr: tints[at + 1],
    };
  });
}

/**
 * @typedef {object} Base chroma without layers
 * @property {Scaled} scaled (H, W)
 * @property {Float32Array[]} tables what its bytes stand for: of Cb and of Cr, centered on 0
 * @property {Uint16Array<ArrayBuffer>} plain (H, W) Cb and, times 256, Cr, centered on 128
 */

/** @param {Scaled} scaled @returns {Base} */
export function toBase(scaled) {
  const { data, ranges } = scaled;
  const tables = ranges.map(({ low, step }) => new Float32Array(256).map((_, i) => low + step * i));
  const one = Int32Array.from(tables[0], toByte);
  const two = Int32Array.from(tables[1], (value) => toByte(value) << 8);
  const plain = new Uint16Array(data.length);
  for (let i = 0; i < plain.length; i++) plain[i] = one[data[i] & 255] | two[data[i] >> 16];
  return { scaled, tables, plain };
}

/** @param {number} value centered on 0, -128..127 @returns {number} centered on 128, 0..255 */
const toByte = (value) => (value + 128.5) | 0;

/**
 * Chroma as bytes, under its layers.
 * @param {Base} base @param {Coat[]} coats from the lowest on @param {Uint8Array} luma (H, W)
 * @returns {Uint8Array<ArrayBuffer>} (H, W, 2) Cb and Cr, centered on 128
 */
export function finish({ scaled: { h: H, w: W, data }, tables, plain }, coats, luma) {
  const [blue, red] = tables;
  const result = plain.slice();
  const row = { cb: new Float32Array(W), cr: new Float32Array(W), luma };
  const under = { cb: new Float32Array(W), cr: new Float32Array(W) };
  const boxes = coats.flatMap(({ parts, spots }) => [...parts.map(({ box }) => box), ...spots]);
  for (let y = 0; y < H; y++) {
    const here = boxes.filter(({ top, bottom }) => y >= top && y < bottom);
    if (!here.length) continue;
    const left = Math.min(...here.map((box) => box.left));
    const right = Math.max(...here.map((box) => box.right));
    for (let x = left, at = y * W + left; x < right; x++, at++) {
      row.cb[x] = blue[data[at] & 255];
      row.cr[x] = red[data[at] >> 16];
    }
    for (const coat of coats) layRow(coat, y, row, under);
    for (let x = left, at = y * W + left; x < right; x++, at++) {
      result[at] = toByte(row.cb[x]) | (toByte(row.cr[x]) << 8);
    }
  }
  return new Uint8Array(result.buffer);
}

/**
 * One row of a layer over what is there.
 * @param {Coat} coat @param {number} y
 * @param {{cb: Float32Array, cr: Float32Array, luma: Uint8Array}} row luma: of all rows
 * @param {{cb: Float32Array, cr: Float32Array}} under room for what the row was
 */
function layRow({ parts, tints, spots }, y, { cb, cr, luma }, under) {
  under.cb.set(cb);
  under.cr.set(cr);
  for (const [i, { w: W, data, box }] of parts.entries()) {
    if (y < box.top || y >= box.bottom) continue;
    for (let x = box.left, at = y * W + box.left; x < box.right; x++, at++) {
      const both = data[at];
      if (!both) continue;
      const first = (both & 255) * UNIT;
      const second = (both >> 16) * UNIT;
      const tint = 2 * (512 * i + luma[at]);
      const b = under.cb[x];
      const r = under.cr[x];
      cb[x] += first * (tints[tint] - b);
      cr[x] += first * (tints[tint + 1] - r);
      if (!second) continue;
      cb[x] += second * (tints[tint + 512] - b);
      cr[x] += second * (tints[tint + 513] - r);
    }
  }
  for (const spot of spots) {
    if (y < spot.top || y >= spot.bottom) continue;
    cb.fill(spot.cb, spot.left, spot.right);
    cr.fill(spot.cr, spot.left, spot.right);
  }
}

/** @param {Pair} pair @returns {Part} */
export const measurePart = (pair) => ({ ...pair, box: findBox(pair) });

/**
 * Make a border neutral, in place.
 * @param {Uint8Array} chroma (H, W, 2), centered on 128
 * @param {Uint8Array} border (H, W), 255 where it is
 */
export function fade(chroma, border) {
  for (let i = 0; i < border.length; i++) {
    if (!border[i]) continue;
    const rest = (255 - border[i]) / 255;
    chroma[2 * i] = 128.5 + (chroma[2 * i] - 128) * rest;
    chroma[2 * i + 1] = 128.5 + (chroma[2 * i + 1] - 128) * rest;
  }
}
