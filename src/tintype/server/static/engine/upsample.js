// Small planes follow the luma's edges, level by level, as in Python's upsample.py.
//
// Two planes at once: a pixel of both is one whole number, bytes at bits 0 and 16, so that its
// product with a weight of at most 256 has both. All weights depend on luma alone.

import { resizeBytes, resizeFloats } from "./resize.js";

/**
 * @typedef {{h: number, w: number, data: Int32Array}} Pair two planes, of bytes at bits 0 and 16
 * @typedef {{top: number, bottom: number, left: number, right: number}} Box ends are not in it
 * @typedef {{near: Int32Array, next: Int32Array}} Taps an axis's two neighbors of each pixel
 * @typedef {{H: number, W: number, rows: Taps, columns: Taps, weights: Int32Array}} Level
 *   weights: of three of a pixel's four neighbors, of 256, each of 9 bits
 */

export const GUIDE_PIXELS = 500_000; // edges guide up to this size: a screenful

const FINE = 256; // the sum of a pixel's weights
const LIKENESS = Float64Array.from({ length: 256 }, (_, i) => Math.exp(-i / 12) + 0.03);

/**
 * The photo's size, shrunk to at most `GUIDE_PIXELS`.
 * @param {number} height @param {number} width @returns {[number, number]} height and width
 */
export function findGuideSize(height, width) {
  const shrink = Math.min(1, Math.sqrt(GUIDE_PIXELS / (height * width)));
  return [Math.max(1, Math.round(height * shrink)), Math.max(1, Math.round(width * shrink))];
}

/** How to enlarge planes of one size to a guide's: all that depends on luma alone. */
export class Pyramid {
  /** @type {Level[]} */ #levels;

  /**
   * @param {Uint8Array} guide (H, W) luma @param {number} H @param {number} W
   * @param {number} h of the planes, at most H @param {number} w at most W
   */
  constructor(guide, H, W, h, w) {
    this.h = h;
    this.w = w;
    this.H = H;
    this.W = W;
    const number = Math.ceil(Math.log2(Math.max(H / h, W / w)));
    let near = { h, w, luma: resizeBytes(guide, H, W, h, w) };
    this.#levels = Array.from({ length: number }, (_, i) => {
      const part = (i + 1) / number;
      const far = { h: Math.round(h * (H / h) ** part), w: Math.round(w * (W / w) ** part) };
      const luma = resizeBytes(guide, H, W, far.h, far.w);
      const level = weighNeighbors(near, { ...far, luma });
      near = { ...far, luma };
      return level;
    });
  }

  /**
   * @param {Pair} pair (h, w)
   * @param {boolean} sparse whether most of it is 0: then only the rest costs time
   * @returns {Pair} (H, W), each value between those of its neighbors
   */
  enlarge(pair, sparse) {
    for (const level of this.#levels) {
      const { H, W, rows, columns } = level;
      const data = new Int32Array(H * W);
      const used = sparse ? findBox(pair) : { top: 0, bottom: pair.h, left: 0, right: pair.w };
      const [top, bottom] = findEnds(rows, used.top, used.bottom);
      const [left, right] = findEnds(columns, used.left, used.right);
      mix(pair, level, { top, bottom, left, right }, data);
      pair = { h: H, w: W, data };
    }
    return pair;
  }
}

/**
 * @param {{h: number, w: number, luma: Uint8Array}} near the luma at one size
 * @param {{h: number, w: number, luma: Uint8Array}} far at the next
 * @returns {Level}
 */
function weighNeighbors(near, far) {
  const { h: H, w: W } = far;
  const [rows, columns] = [findTaps(near.h, H), findTaps(near.w, W)];
  const weights = new Int32Array(H * W);
  for (let y = 0; y < H; y++) {
    const [upper, lower, down] = [rows.near[y] * near.w, rows.next[y] * near.w, rows.share[y]];
    for (let x = 0; x < W; x++) {
      const [left, right, along] = [columns.near[x], columns.next[x], columns.share[x]];
      const own = far.luma[y * W + x];
      const a = (1 - down) * (1 - along) * LIKENESS[Math.abs(own - near.luma[upper + left])];
      const b = (1 - down) * along * LIKENESS[Math.abs(own - near.luma[upper + right])];
      const c = down * (1 - along) * LIKENESS[Math.abs(own - near.luma[lower + left])];
      const d = down * along * LIKENESS[Math.abs(own - near.luma[lower + right])];
      // Sums are rounded, not weights, so that the four have exactly the sum that is wanted.
      const scale = FINE / (a + b + c + d);
      const one = (a * scale + 0.5) | 0;
      const two = ((a + b) * scale + 0.5) | 0;
      const three = ((a + b + c) * scale + 0.5) | 0;
      weights[y * W + x] = one | ((two - one) << 9) | ((three - two) << 18);
    }
  }
  return { H, W, rows, columns, weights };
}

/**
 * Bilinear interpolation along one axis: two neighbors, and the share of the second.
 * @param {number} small @param {number} large @returns {Taps & {share: Float64Array}}
 */
export function findTaps(small, large) {
  const [near, next] = [new Int32Array(large), new Int32Array(large)];
  const share = new Float64Array(large);
  for (let i = 0; i < large; i++) {
    const place = ((i + 0.5) * small) / large - 0.5;
    const first = Math.floor(place);
    [near[i], next[i]] = [Math.max(0, first), Math.min(small - 1, first + 1)];
    share[i] = place - first;
  }
  return { near, next, share };
}

/**
 * Mean of the four nearest, by weight.
 * @param {Pair} pair @param {Level} level @param {Box} box where @param {Int32Array} result
 */
function mix({ w, data }, { W, rows, columns, weights }, { top, bottom, left, right }, result) {
  const { near, next } = columns;
  for (let y = top; y < bottom; y++) {
    const upper = rows.near[y] * w;
    const lower = rows.next[y] * w;
    for (let x = left, at = y * W + left; x < right; x++, at++) {
      const all = weights[at];
      const a = all & 511;
      const b = (all >> 9) & 511;
      const c = all >> 18;
      const one = (Math.imul(a, data[upper + near[x]]) + Math.imul(b, data[upper + next[x]])) | 0;
      const two = (Math.imul(c, data[lower + near[x]])
        + Math.imul(FINE - a - b - c, data[lower + next[x]])) | 0;
      result[at] = ((one + two + 0x800080) >>> 8) & 0xff00ff;
    }
  }
}

/**
 * Where a pair of planes is not 0.
 * @param {Pair} pair @returns {Box}
 */
export function findBox({ h, w, data }) {
  const box = { top: h, bottom: 0, left: w, right: 0 };
  for (let y = 0; y < h; y++) {
    let left = 0;
    let right = w;
    while (left < w && !data[y * w + left]) left++;
    if (left === w) continue;
    while (!data[y * w + right - 1]) right--;
    box.top = Math.min(box.top, y);
    box.bottom = y + 1;
    box.left = Math.min(box.left, left);
    box.right = Math.max(box.right, right);
  }
  return box;
}

/**
 * Which pixels have a neighbor in a range; ends are not in it.
 * @param {Taps} taps @param {number} start @param {number} end @returns {[number, number]}
 */
function findEnds({ near, next }, start, end) {
  if (start >= end) return [0, 0];
  let first = 0;
  let last = near.length;
  while (next[first] < start) first++;
  while (near[last - 1] >= end) last--;
  return [first, last];
}

/**
 * Chroma to a guide's size: enlarged, and what area means blurred is sharp again.
 * @param {Float32Array[]} planes two, (h, w), centered on 0
 * @param {Pyramid} pyramid of their size
 * @param {Pyramid} trial of their size, to at most four times it
 * @returns {Scaled}
 */
export function enlargeChroma(planes, pyramid, trial) {
  const { h, w } = pyramid;
  const ranges = planes.map(findRange);
  const restored = restore(planes, ranges, trial);
  return { ...pyramid.enlarge({ h, w, data: pack(restored, ranges) }, false), ranges };
}

/**
 * @typedef {{low: number, step: number}} Range what bytes stand for: low + step * byte
 * @typedef {Pair & {ranges: Range[]}} Scaled
 */

/** @param {Float32Array} plane @returns {Range} all of it in 256 steps */
function findRange(plane) {
  let [low, high] = [plane[0], plane[0]];
  for (const value of plane) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { low, step: (high - low) / 255 };
}

/** @param {Float32Array[]} planes two @param {Range[]} ranges @returns {Int32Array} */
function pack([first, second], [one, two]) {
  const result = new Int32Array(first.length);
  const [scale, other] = [one, two].map(({ step }) => (step ? 1 / step : 0));
  for (let i = 0; i < result.length; i++) {
    const high = ((second[i] - two.low) * other + 0.5) | 0;
    result[i] = (((first[i] - one.low) * scale + 0.5) | 0) | (high << 16);
  }
  return result;
}

/**
 * Undo the blur of area means: one step of back-projection, kept in each 3 x 3 patch's range.
 * @param {Float32Array[]} planes @param {Range[]} ranges @param {Pyramid} trial
 * @returns {Float32Array[]}
 */
function restore(planes, ranges, trial) {
  const { h, w, H, W } = trial;
  const { data } = trial.enlarge({ h, w, data: pack(planes, ranges) }, false);
  return planes.map((plane, i) => {
    const { low, step } = ranges[i];
    const large = new Float32Array(data.length);
    for (let at = 0; at < large.length; at++) large[at] = (data[at] >> (16 * i)) & 255;
    const means = resizeFloats(large, H, W, h, w);
    const least = findExtremes(plane, h, w, Math.min);
    const most = findExtremes(plane, h, w, Math.max);
    return plane.map((value, at) =>
      Math.min(most[at], Math.max(least[at], 2 * value - low - step * means[at])));
  });
}

/**
 * @param {Float32Array} plane (h, w) @param {number} h @param {number} w
 * @param {(a: number, b: number) => number} choose least or most
 * @returns {Float32Array} (h, w), of 3 x 3 values each
 */
function findExtremes(plane, h, w, choose) {
  const across = new Float32Array(h * w);
  const result = new Float32Array(h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0, at = y * w; x < w; x++, at++) {
      const some = choose(plane[at], plane[x ? at - 1 : at]);
      across[at] = choose(some, plane[x < w - 1 ? at + 1 : at]);
    }
  }
  for (let at = 0; at < result.length; at++) {
    const some = choose(across[at], across[at < w ? at : at - w]);
    result[at] = choose(some, across[at + w < result.length ? at + w : at]);
  }
  return result;
}
