// What coloring gives, as Python's result.py: small chroma in gamut, and the palette it has.

import { findLightness, fromOklab, fromYcbcr, toOklab, toYcbcr } from "./color.js";
import { cover } from "./layers.js";
import { Palette } from "./palette.js";

/** @typedef {import("./layers.js").Layer} Layer */
/**
 * @typedef {object} Result
 * @property {Float32Array} chroma (2, h, w) Cb and Cr, centered on 0, 0..255 units
 * @property {number} h @property {number} w @property {Palette} palette the colors that came out
 * @property {Layer[]} layers @property {Uint8Array | null} border (H, W), 1 where it stays neutral
 * @property {[number, number]} borderSize H and W
 */

/**
 * Chroma in gamut.
 * @param {Float32Array} luma (h, w), 0..1 @param {Float32Array} ab (2, h, w) OKLab chroma for it
 * @returns {Float32Array} (2, h, w) Cb and Cr, centered on 0, 0..255 units
 */
export function fitGamut(luma, ab) {
  const all = luma.length;
  const chroma = new Float32Array(2 * all);
  for (let i = 0; i < all; i++) {
    const [a, b] = [ab[i], ab[all + i]];
    const [, cb, cr] = toYcbcr(fromOklab(findLightness(luma[i], a, b), a, b));
    const [red, green, blue] = [1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb];
    const above = Math.max(red, green, blue);
    const below = -Math.min(red, green, blue);
    const bright = 1 - luma[i];
    const scale = Math.min(bright / Math.max(above, bright, 1e-8), luma[i] / Math.max(below, luma[i], 1e-8));
    chroma[i] = 255 * scale * cb;
    chroma[all + i] = 255 * scale * cr;
  }
  return chroma;
}

/**
 * The palette of luma and chroma under layers.
 * @param {Float32Array} luma (h, w), 0..1 @param {Float32Array} chroma (2, h, w)
 * @param {number} h @param {number} w @param {Layer[]} [layers]
 */
export function measureColors(luma, chroma, h, w, layers = []) {
  const covered = chroma.slice();
  for (const layer of layers) cover(layer, covered, luma, h, w);
  const all = h * w;
  const ab = new Float64Array(2 * all);
  for (let i = 0; i < all; i++) {
    const [, a, b] = toOklab(fromYcbcr([luma[i], covered[i] / 255, covered[all + i] / 255]));
    ab[2 * i] = a;
    ab[2 * i + 1] = b;
  }
  return Palette.ofChroma(ab);
}

/**
 * A color picture's palette, by tone, measured as a model measures its own.
 * @param {ArrayLike<number>} rgba (h, w, 4), bytes, at the working size
 * @param {number} h @param {number} w multiples of 4 @returns {Palette}
 */
export function measurePicture(rgba, h, w) {
  const all = (h / 4) * (w / 4);
  const [ab, luma] = [new Float64Array(2 * all), new Float64Array(all)];
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 4 * (y * w + x);
      /** @type {import("./color.js").Three} */
      const rgb = [rgba[at] / 255, rgba[at + 1] / 255, rgba[at + 2] / 255];
      const [, a, b] = toOklab(rgb);
      const cell = (y >> 2) * (w / 4) + (x >> 2);
      ab[2 * cell] += a / 16;
      ab[2 * cell + 1] += b / 16;
      luma[cell] += toYcbcr(rgb)[0] / 16;
    }
  }
  return Palette.ofChroma(ab, luma);
}
