// Layers: colors of one hue over parts of a photo, as Python's layers.py.

import { resizeFloats } from "../resize.js";
import { clip, findLightness, fromOklab, lightnessOf, lumaOf, round, toYcbcr } from "./color.js";
import { shared } from "./shared.js";

/** @typedef {import("./color.js").Three} Three */
/** @typedef {import("./color.js").Two} Two */
/**
 * @typedef {object} Layer
 * @property {Float32Array[]} shares n of (h, w), 0..1, sums of at most 1
 * @property {number} h @property {number} w
 * @property {Float32Array[]} tints n of (256, 2) Cb and Cr by luma, 0..255 units, centered on 0
 * @property {Two[]} places of n pins; none for masks @property {number[]} levels luma there
 * @property {boolean} fine the shares have edges of their own
 */

/** The row and the column of a place. @param {Two} place @param {number} h @param {number} w */
export const findCell = ([x, y], h, w) =>
  [Math.min(h - 1, Math.trunc(y * h)), Math.min(w - 1, Math.trunc(x * w))];

/** One color at every luma. @param {Two} ab OKLab chroma @param {number} level 0..255 of the thing */
export function tint([a, b], level) {
  const planes = new Float32Array(512);
  if (!a && !b) return planes;
  const own = lightnessOf(Math.max(level, 1) / 255);
  for (let i = 0; i < 256; i++) {
    const part = clip(lightnessOf(i / 255) / (shared.layers.shade * own), 0, 1);
    const [, cb, cr] = toYcbcr(fitChroma(i / 255, part * a, part * b));
    planes[2 * i] = 255 * cb;
    planes[2 * i + 1] = 255 * cr;
  }
  return planes;
}

/**
 * RGB of a luma and as much of OKLab chroma as the cube holds.
 * @param {number} y @param {number} a @param {number} b @returns {Three}
 */
export function fitChroma(y, a, b) {
  const { halvings, cube } = shared.layers;
  let [low, high] = [0, 1];
  for (let k = 0; k <= halvings; k++) {
    const middle = k ? (low + high) / 2 : 1;
    const rgb = showAt(y, middle * a, middle * b);
    const fits = Math.min(...rgb) >= -cube && Math.max(...rgb) <= 1 + cube &&
      Math.abs(lumaOf(rgb) - y) < 1e-3;
    if (fits) low = middle;
    else high = middle;
  }
  return /** @type {Three} */ (showAt(y, low * a, low * b).map((value) => clip(value, 0, 1)));
}

/** @param {number} y @param {number} a @param {number} b */
const showAt = (y, a, b) => fromOklab(findLightness(y, a, b), a, b);

/**
 * A layer over small chroma, as it is shown small.
 * @param {Layer} layer @param {Float32Array} chroma (2, H, W), changed
 * @param {Float32Array} luma (H, W), 0..1 @param {number} H @param {number} W
 */
export function cover({ shares, h, w, tints }, chroma, luma, H, W) {
  const small = shares.map((share) => resizeFloats(share, h, w, H, W));
  for (let i = 0, all = H * W; i < all; i++) {
    const rest = 1 - small.reduce((sum, share) => sum + share[i], 0);
    const at = 2 * round(255 * luma[i]);
    for (const k of [0, 1]) {
      chroma[k * all + i] = small.reduce((sum, share, n) => sum + share[i] * tints[n][at + k],
        chroma[k * all + i] * rest);
    }
  }
}
