// Chroma at a saved picture's full size, in floats along the luma's edges, as Python's upsample.py.

import { resizeBytes, resizeFloats } from "../resize.js";
import { findExtremes, findGuideSize, findTaps, LIKENESS } from "../upsample.js";
import { clip, round } from "./color.js";
import { findCell } from "./layers.js";

/** @typedef {import("../luma.js").Luma} Luma */
/** @typedef {import("./layers.js").Layer} Layer */
/** @typedef {import("./result.js").Result} Result */
/** @typedef {{luma: Uint8Array, h: number, w: number}} Gray (h, w), 0..255 */
/** @typedef {Float32Array[]} Planes n of one size */

const STRIP = 1 << 20; // pixels between pauses

/**
 * The full-size picture, in gamut, with the photo's own luma and alpha.
 * @param {Result} result @param {Luma} photo
 * @param {boolean} alone whether what has no color is transparent, as a layer of colors is
 * @param {() => Promise<void>} pause what is waited for at times; it may end the work by an error
 * @returns {Promise<Uint8ClampedArray<ArrayBuffer>>} RGBA, (height, width, 4)
 */
export async function colorPhoto(result, photo, alone, pause) {
  const { luma, width, height, alpha } = photo;
  const guide = makeGuide(result, photo);
  const wide = enlargeChroma(result, guide).map((plane) => {
    const bytes = Uint8Array.from(plane, (value) => clip(round(value), -128, 127) + 128);
    return resizeBytes(bytes, guide.h, guide.w, guide.h, width, "bilinear");
  });
  const { border, borderSize: [rows, columns] } = result;
  const mask = border && resizeBytes(border.map((is) => (is ? 255 : 0)), rows, columns, height, width, "bilinear");
  const { near, next, share } = findTaps(guide.h, height);
  const data = new Uint8ClampedArray(4 * width * height);
  const many = Math.max(1, Math.floor(STRIP / width));
  for (let y = 0, at = 0; y < height; y++) {
    if (y % many === 0) await pause();
    const part = round(128 * share[y]); // in 128ths, as Python has it
    const [upper, lower] = [near[y] * width, next[y] * width];
    for (let x = 0; x < width; x++, at++) {
      const [cb, cr] = fitGamut(luma[at], mix(wide[0], upper + x, lower + x, part), mix(wide[1], upper + x, lower + x, part));
      const rest = mask ? 255 - mask[at] : 255;
      const color = rest === 255 ? [cb, cr] : [round((cb * rest) / 255), round((cr * rest) / 255)];
      setPixel(data, 4 * at, luma[at], color[0], color[1]);
      const isClear = alone && !color[0] && !color[1];
      data[4 * at + 3] = isClear ? 0 : alpha ? alpha[at] : 255;
    }
  }
  return data;
}

/** @param {Uint8Array} plane @param {number} above @param {number} below @param {number} part of 128 */
const mix = (plane, above, below, part) =>
  plane[above] + (((plane[below] - plane[above]) * part + 64) >> 7) - 128;

/**
 * Cb and Cr scaled towards gray where they leave the RGB cube by more than rounding.
 * @param {number} y @param {number} cb centered on 0 @param {number} cr @returns {[number, number]}
 */
function fitGamut(y, cb, cr) {
  const [red, green, blue] = [1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb];
  const above = Math.max(red, green, blue);
  const below = -Math.min(red, green, blue);
  if (Math.floor(above) + y <= 255 && y - Math.ceil(below) >= 0) return [cb, cr];
  const scale = Math.min((255 - y) / Math.max(above, 255 - y, 1e-6), y / Math.max(below, y, 1e-6));
  return [Math.trunc(scale * cb), Math.trunc(scale * cr)];
}

/**
 * @param {Uint8ClampedArray} data @param {number} at
 * @param {number} y @param {number} cb @param {number} cr whole numbers, rounded down as in Pillow
 */
function setPixel(data, at, y, cb, cr) {
  data[at] = y + Math.floor(1.402 * cr);
  data[at + 1] = y + Math.floor(-0.344136 * cb - 0.714136 * cr);
  data[at + 2] = y + Math.floor(1.772 * cb);
}

/** The luma that edges are taken from. @param {Result} result @param {Luma} photo @returns {Gray} */
function makeGuide({ h, w }, { luma, width, height }) {
  const [H, W] = findGuideSize(height, width);
  const [high, wide] = [Math.max(Math.min(h, height), H), Math.max(Math.min(w, width), W)];
  return { luma: resizeBytes(luma, height, width, high, wide), h: high, w: wide };
}

/** @param {Result} result @param {Gray} guide @returns {Planes} Cb and Cr under layers, (guide.h, guide.w) */
function enlargeChroma({ chroma, h, w, layers }, guide) {
  const [high, wide] = [Math.min(h, guide.h), Math.min(w, guide.w)];
  const small = [0, 1].map((k) => resizeFloats(chroma.subarray(k * h * w, (k + 1) * h * w), h, w, high, wide));
  const planes = enlarge(restore(small, high, wide, guide), high, wide, guide);
  for (const layer of layers) lay(layer, planes, guide);
  return planes;
}

/**
 * Undo the blur of area means: one step of back-projection, kept in each 3 x 3 patch's range.
 * @param {Planes} planes @param {number} h @param {number} w @param {Gray} guide @returns {Planes}
 */
function restore(planes, h, w, guide) {
  const trial = shrink(guide, Math.min(4 * h, guide.h), Math.min(4 * w, guide.w));
  return enlarge(planes, h, w, trial).map((large, k) => {
    const means = resizeFloats(large, trial.h, trial.w, h, w);
    const [least, most] = [findExtremes(planes[k], h, w, -1), findExtremes(planes[k], h, w, 1)];
    return planes[k].map((value, i) => clip(2 * value - means[i], least[i], most[i]));
  });
}

/** @param {Gray} gray @param {number} h @param {number} w @returns {Gray} area means */
const shrink = (gray, h, w) => ({ luma: resizeBytes(gray.luma, gray.h, gray.w, h, w), h, w });

/**
 * Enlarge to the guide's size in even steps of at most two.
 * @param {Planes} planes @param {number} h @param {number} w @param {Gray} guide @returns {Planes}
 */
function enlarge(planes, h, w, guide) {
  const [H, W] = [guide.h, guide.w];
  const levels = Math.ceil(Math.log2(Math.max(H / h, W / w)));
  let near = shrink(guide, h, w);
  for (let i = 1; i <= levels; i++) {
    const far = shrink(guide, round(h * (H / h) ** (i / levels)), round(w * (W / w) ** (i / levels)));
    planes = enlargeOnce(planes, near, far);
    near = far;
  }
  return planes;
}

/**
 * Mean of the four nearest, weighted by distance and by likeness in luma.
 * @param {Planes} planes of near's size @param {Gray} near @param {Gray} far @returns {Planes} of far's
 */
function enlargeOnce(planes, near, far) {
  const [rows, columns] = [findTaps(near.h, far.h), findTaps(near.w, far.w)];
  const result = planes.map(() => new Float32Array(far.luma.length));
  for (let y = 0, at = 0; y < far.h; y++) {
    const [upper, lower, down] = [rows.near[y] * near.w, rows.next[y] * near.w, rows.share[y]];
    for (let x = 0; x < far.w; x++, at++) {
      const [left, right, along] = [columns.near[x], columns.next[x], columns.share[x]];
      const own = far.luma[at];
      const a = (1 - along) * (1 - down) * LIKENESS[Math.abs(own - near.luma[upper + left])];
      const b = along * (1 - down) * LIKENESS[Math.abs(own - near.luma[upper + right])];
      const c = (1 - along) * down * LIKENESS[Math.abs(own - near.luma[lower + left])];
      const d = along * down * LIKENESS[Math.abs(own - near.luma[lower + right])];
      const all = a + b + c + d;
      for (let k = 0; k < planes.length; k++) {
        const plane = planes[k];
        result[k][at] = (a * plane[upper + left] + b * plane[upper + right]
          + c * plane[lower + left] + d * plane[lower + right]) / all;
      }
    }
  }
  return result;
}

/** Lay a layer over chroma, in place. @param {Layer} layer @param {Planes} planes @param {Gray} guide */
function lay({ shares, h, w, tints, places, levels, fine }, planes, guide) {
  const { h: H, w: W } = guide;
  const [high, wide] = [Math.min(h, H), Math.min(w, W)];
  const large = fine ? shares.map((share) => resizeFloats(share, h, w, H, W, "bilinear"))
    : enlarge(shares.map((share) => resizeFloats(share, h, w, high, wide)), high, wide, guide);
  const luma = places.length ? guide.luma.slice() : guide.luma;
  places.forEach((place, number) => {
    const [row, column] = findCell(place, H, W);
    for (let y = Math.max(0, row - 1); y < Math.min(H, row + 2); y++) {
      for (let x = Math.max(0, column - 1), at = y * W + x; x < Math.min(W, column + 2); x++, at++) {
        large.forEach((share, n) => (share[at] = Number(n === number)));
        luma[at] = levels[number];
      }
    }
  });
  for (let i = 0; i < luma.length; i++) {
    const rest = 1 - large.reduce((sum, share) => sum + share[i], 0);
    if (rest === 1) continue;
    planes.forEach((plane, k) => {
      plane[i] = large.reduce((sum, share, n) => sum + share[i] * tints[n][2 * luma[i] + k], rest * plane[i]);
    });
  }
}
