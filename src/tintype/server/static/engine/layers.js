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

/**
 * A layer's shares of two of its colors.
 * @param {Shares} shares @param {number} first of the two
 * @param {number} H wanted @param {number} W @param {import("./resize.js").Filter} filter
 * @returns {Pair} (H, W)
 */
export function pairShares({ n, h, w, data }, first, H, W, filter) {
  const plane = (/** @type {number} */ k) =>
    resizeBytes(data.subarray(k * h * w, (k + 1) * h * w), h, w, H, W, filter);
  const pair = Int32Array.from(plane(first));
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
 * Chroma as bytes, under its layers.
 * @param {Scaled} base (H, W) @param {Coat[]} coats from the lowest on
 * @param {Uint8Array} luma (H, W)
 * @returns {Uint8Array<ArrayBuffer>} (H, W, 2) Cb and Cr, centered on 128
 */
export function finish(base, coats, luma) {
  const { h: H, w: W, data, ranges } = base;
  const [cb, cr] = ranges.map(({ low, step }) => Float32Array.from(STEPS, (i) => low + step * i));
  const one = Int32Array.from(cb, toByte);
  const two = Int32Array.from(cr, (value) => toByte(value) << 8);
  const result = new Uint16Array(H * W);
  look(data, one, two, result);
  const { top, bottom, left, right } = unite(coats, H, W);
  const row = { cb: new Float32Array(W), cr: new Float32Array(W), luma };
  const under = { cb: new Float32Array(W), cr: new Float32Array(W) };
  for (let y = top; y < bottom; y++) {
    for (let x = left, at = y * W + left; x < right; x++, at++) {
      row.cb[x] = cb[data[at] & 255];
      row.cr[x] = cr[data[at] >> 16];
    }
    for (const coat of coats) layRow(coat, y, row, under);
    for (let x = left, at = y * W + left; x < right; x++, at++) {
      result[at] = toByte(row.cb[x]) | (toByte(row.cr[x]) << 8);
    }
  }
  return new Uint8Array(result.buffer);
}

/**
 * Bytes for both planes at once.
 * @param {Int32Array} data @param {Int32Array} one by the first's values
 * @param {Int32Array} two by the second's @param {Uint16Array} result
 */
function look(data, one, two, result) {
  for (let i = 0; i < result.length; i++) result[i] = one[data[i] & 255] | two[data[i] >> 16];
}

const STEPS = Uint8Array.from({ length: 256 }, (_, i) => i);

/** @param {number} value centered on 0 @returns {number} centered on 128, 0..255 */
const toByte = (value) => Math.min(255, Math.max(0, (value + 128.5) | 0));

/**
 * Where there is any of the layers.
 * @param {Coat[]} coats @param {number} H @param {number} W @returns {Box}
 */
function unite(coats, H, W) {
  const all = { top: H, bottom: 0, left: W, right: 0 };
  const boxes = coats.flatMap(({ parts, spots }) => [...parts.map(({ box }) => box), ...spots]);
  for (const { top, bottom, left, right } of boxes) {
    all.top = Math.min(all.top, top);
    all.bottom = Math.max(all.bottom, bottom);
    all.left = Math.min(all.left, left);
    all.right = Math.max(all.right, right);
  }
  return all;
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
      const [first, second] = [(both & 255) / 255, (both >> 16) / 255];
      const tint = 2 * (512 * i + luma[at]);
      const [b, r] = [under.cb[x], under.cr[x]];
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
