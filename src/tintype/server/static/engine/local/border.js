// Borders around photos, which stay neutral, as Python's border.py.

import { round } from "./color.js";
import { shared } from "./shared.js";

/** @typedef {import("./resample.js").Bytes} Bytes */
/**
 * A part of a plane, whose lines are rows or columns.
 * @typedef {{data: Uint8Array, start: number, count: number, length: number, line: number,
 *   step: number}} Lines line: from one to the next; step: along one
 */

/** @param {Lines} part @returns {Lines} */
const turn = ({ data, start, count, length, line, step }) =>
  ({ data, start, count: length, length: count, line: step, step: line });

/** @param {Lines} part @returns {Lines} from the last line on */
const flip = (part) => ({ ...part, start: part.start + (part.count - 1) * part.line, line: -part.line });

/** @param {Lines} part @param {number} from @param {number} to @returns {Lines} */
const cut = (part, from, to) => ({ ...part, start: part.start + from * part.line, count: to - from });

/**
 * Where a photo's border is; null without one.
 * @param {Bytes} luma small, so that grain is averaged @returns {Uint8Array | null} (h, w), 1 there
 */
export function findBorder({ data, h, w }) {
  /** @type {Lines} */
  const lines = { data, start: 0, count: h, length: w, line: w, step: 1 };
  const level = findLevel(lines);
  if (level === null) return null;
  const found = new Uint8Array(data.length);
  markLines(lines, found, level, shared.border.caption * Math.min(h, w));
  return found.every(Boolean) ? null : found;
}

/** @param {Lines} lines @returns {number | null} luma of the border */
function findLevel(lines) {
  const { step, deep: least, dark, light, paper } = shared.border;
  const sides = [lines, flip(lines), turn(lines), flip(turn(lines))].map(measureSide);
  const levels = sides.map((side) => side.level);
  const around = sides.every(({ depth }) => depth > 0) &&
    Math.max(...levels) - Math.min(...levels) <= step;
  let level = null;
  for (const [first, length] of [[0, lines.count], [2, lines.length]]) {
    const [one, other] = [sides[first], sides[first + 1]];
    const deep = Math.min(one.depth, other.depth) >= (around ? 1 : least);
    const some = one.depth + other.depth < 0.9 * length;
    if (deep && some && Math.abs(one.level - other.level) <= step) level = (one.level + other.level) / 2;
  }
  if (level === null || (dark < level && level < light)) return null;
  return dark < level && level < paper && !around ? null : level;
}

/** How many lines from the first on are uniform and of its level. @param {Lines} lines */
function measureSide(lines) {
  const first = measureLine(lines, 0);
  if (first === null) return { depth: 0, level: 0 };
  let depth = 1;
  while (depth < lines.count && isNear(measureLine(lines, depth), first)) depth++;
  return { depth, level: first };
}

/** @param {number | null} level @param {number} other */
const isNear = (level, other) => level !== null && Math.abs(level - other) <= shared.border.step;

/** The level of a line, null if it is not uniform. @param {Lines} part @param {number} number */
function measureLine({ data, start, length, line, step }, number) {
  const sorted = Uint8Array.from({ length }, (_, i) => data[start + number * line + i * step]).sort();
  const [low, middle, high] = [0.03, 0.5, 0.97].map((part) => sorted[round(part * (length - 1))]);
  return high - low <= shared.border.spread ? middle : null;
}

/**
 * Mark uniform lines of the level, and in what they part.
 * @param {Lines} lines @param {Uint8Array} found @param {number} level @param {number} narrow
 */
function markLines(lines, found, level, narrow) {
  for (const part of [lines, turn(lines)]) {
    const border = Array.from({ length: part.count }, (_, i) => isNear(measureLine(part, i), level));
    if (!border.some(Boolean)) continue;
    for (let i = 0; i < part.count;) {
      let end = i + 1;
      while (end < part.count && border[end] === border[i]) end++;
      if (border[i]) mark(cut(part, i, end), found);
      else markLines(cut(part, i, end), found, level, narrow);
      i = end;
    }
    return;
  }
  if (Math.min(lines.count, lines.length) < narrow) mark(lines, found);
}

/** @param {Lines} part @param {Uint8Array} found */
function mark({ start, count, length, line, step }, found) {
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < length; j++) found[start + i * line + j * step] = 1;
  }
}

/**
 * Set small chroma (2, h, w) to 0 where all is border.
 * @param {Float32Array} chroma @param {number} h @param {number} w
 * @param {Uint8Array | null} border (H, W)
 */
export function keepNeutral(chroma, h, w, border) {
  if (!border) return;
  const size = Math.round(Math.sqrt(border.length / (h * w)));
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let whole = true;
      for (let k = 0; whole && k < size * size; k++) {
        whole = border[(y * size + Math.floor(k / size)) * w * size + x * size + (k % size)] > 0;
      }
      if (whole) chroma[y * w + x] = chroma[h * w + y * w + x] = 0;
    }
  }
}
