// Small planes follow the luma's edges, level by level, as in Python's upsample.py.
//
// Two planes at once: a pixel of both is one whole number, bytes at bits 0 and 16, so that its
// product with a weight of at most 256 has both. All weights depend on luma alone.

import { resizeBytes, resizeFloats } from "./resize.js";

/**
 * @typedef {{h: number, w: number, data: Int32Array}} Pair two planes, of bytes at bits 0 and 16
 * @typedef {{top: number, bottom: number, left: number, right: number}} Box ends are not in it
 * @typedef {{near: Int32Array, next: Int32Array}} Taps an axis's two neighbors of each pixel
 * @typedef {{H: number, W: number, rows: Taps, columns: Taps, weights: Int32Array,
 *   room?: Int32Array}} Level
 *   weights: of three of a pixel's four neighbors, of 256, each of 9 bits; room: for a result
 */

export const GUIDE_PIXELS = 500_000; // edges guide up to this size: a screenful

const FINE = 256; // the sum of a pixel's weights
export const LIKENESS = Float64Array.from({ length: 256 }, (_, i) => Math.exp(-i / 12) + 0.03);

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
   * @param {boolean} [quick] whether the last level, which costs most, is left out
   * @returns {Pair} (H, W), each value between those of its neighbors; until the next call only;
   *   about half as large if quick
   */
  enlarge(pair, quick = false) {
    for (const level of quick ? this.#levels.slice(0, -1) : this.#levels) {
      level.room ??= new Int32Array(level.H * level.W);
      mix(pair, level, { top: 0, bottom: level.H, left: 0, right: level.W }, level.room);
      pair = { h: level.H, w: level.W, data: level.room };
    }
    return pair;
  }

  /**
   * The same of planes that are 0 in most places: only the rest costs time.
   * @param {Pair} pair (h, w) @returns {Pair} (H, W)
   */
  enlargeSparse(pair) {
    for (const level of this.#levels) {
      const { H, W, rows, columns } = level;
      const data = new Int32Array(H * W);
      const used = findBox(pair);
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
  const rows = findTaps(near.h, H);
  const columns = findTaps(near.w, W);
  const weights = new Int32Array(H * W);
  for (let y = 0; y < H; y++) {
    const upper = rows.near[y] * near.w;
    const lower = rows.next[y] * near.w;
    weighRow(near.luma, upper, lower, far.luma, y * W, rows.share[y], columns, weights);
  }
  return { H, W, rows, columns, weights };
}

/**
 * @param {Uint8Array} near luma @param {number} upper where a row begins there
 * @param {number} lower the next one
 * @param {Uint8Array} far @param {number} at where the row of pixels begins @param {number} down
 * @param {ReturnType<typeof findTaps>} columns @param {Int32Array} weights result
 */
function weighRow(near, upper, lower, far, at, down, columns, weights) {
  const { near: left, next: right, share } = columns;
  for (let x = 0; x < share.length; x++, at++) {
    const along = share[x];
    const own = far[at];
    const a = (1 - along) * (1 - down) * LIKENESS[Math.abs(own - near[upper + left[x]])];
    const b = along * (1 - down) * LIKENESS[Math.abs(own - near[upper + right[x]])];
    const c = (1 - along) * down * LIKENESS[Math.abs(own - near[lower + left[x]])];
    const d = along * down * LIKENESS[Math.abs(own - near[lower + right[x]])];
    // Sums are rounded, not weights, so that the four have exactly the sum that is wanted.
    const scale = FINE / (a + b + c + d);
    const one = (a * scale + 0.5) | 0;
    const two = ((a + b) * scale + 0.5) | 0;
    const three = ((a + b + c) * scale + 0.5) | 0;
    weights[at] = one | ((two - one) << 9) | ((three - two) << 18);
  }
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
 * @param {boolean} quick as of `Pyramid.enlarge`
 * @returns {Scaled}
 */
export function enlargeChroma(planes, pyramid, trial, quick) {
  const { h, w } = pyramid;
  const ranges = planes.map(findRange);
  const restored = restore(planes, ranges, trial);
  return { ...pyramid.enlarge({ h, w, data: pack(restored, ranges) }, quick), ranges };
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
  const { data } = trial.enlarge({ h, w, data: pack(planes, ranges) });
  return planes.map((plane, i) => {
    const { low, step } = ranges[i];
    const large = new Float32Array(data.length);
    for (let at = 0; at < large.length; at++) large[at] = (data[at] >> (16 * i)) & 255;
    const means = resizeFloats(large, H, W, h, w);
    const least = findExtremes(plane, h, w, -1);
    const most = findExtremes(plane, h, w, 1);
    const restored = new Float32Array(h * w);
    for (let at = 0; at < restored.length; at++) {
      const sharp = 2 * plane[at] - low - step * means[at];
      restored[at] = Math.min(most[at], Math.max(least[at], sharp));
    }
    return restored;
  });
}

/**
 * @param {Float32Array} plane (h, w) @param {number} h @param {number} w
 * @param {1 | -1} sign 1 for the most, -1 for the least
 * @returns {Float32Array} (h, w), of 3 x 3 values each
 */
export function findExtremes(plane, h, w, sign) {
  const across = new Float32Array(h * w);
  const result = new Float32Array(h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0, at = y * w; x < w; x++, at++) {
      const left = sign * plane[x ? at - 1 : at];
      const right = sign * plane[x < w - 1 ? at + 1 : at];
      across[at] = Math.max(left, sign * plane[at], right);
    }
  }
  for (let at = 0; at < result.length; at++) {
    const above = across[at < w ? at : at - w];
    const below = across[at + w < result.length ? at + w : at];
    result[at] = sign * Math.max(above, across[at], below);
  }
  return result;
}
