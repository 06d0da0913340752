// The size at which networks look at photos, as Python's working_size.py.

import { clip, round } from "./color.js";
import { reduce, resizeCubic } from "./resample.js";

/** @typedef {import("./resample.js").Bytes} Bytes */

/**
 * To a working size: sides multiples of 32, near the photo's shape, the shorter near `side`.
 * @param {Bytes} plane @param {number} side @returns {Bytes}
 */
export function shrink(plane, side) {
  const scale = side / Math.min(plane.w, plane.h);
  const [W, H] = [plane.w, plane.h].map((length) =>
    Math.min(4 * side, Math.max(32, 32 * round((length * scale) / 32))));
  if (Math.max(plane.w, plane.h) <= 2 * Math.max(W, H)) return resizeCubic(plane, H, W);
  const [across, down] = [[plane.w, W], [plane.h, H]].map(([length, wanted]) =>
    clip(Math.trunc(length / wanted / 2), 1, Infinity));
  const small = across > 1 || down > 1 ? reduce(plane, across, down) : plane;
  return resizeCubic(small, H, W, plane.h / down, plane.w / across);
}
