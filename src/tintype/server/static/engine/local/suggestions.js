// The likeliest distinct colors of a thing, as Python's suggestions.py.

import { resizeFloats } from "../resize.js";
import { Bins, bins } from "./bins.js";
import { hueDegrees, hueDistance, round, toHex, toOklab } from "./color.js";
import { findCell, fitChroma } from "./layers.js";
import { makeRegion } from "./regions.js";
import { shared } from "./shared.js";

/** @typedef {import("../engine.js").Group} Group */
/** @typedef {import("./color.js").Three} Three */
/** @typedef {import("./color.js").Two} Two */
/** @typedef {import("./palette.js").Palette} Palette */

/**
 * @param {import("./model.js").Model} model @param {import("./model.js").Encoding} encoding
 * @param {Two} place 0..1 @param {Palette} palette @param {number} vividness
 * @returns {Promise<Group[]>} the likeliest first
 */
export async function suggest(model, encoding, place, palette, vividness) {
  const { h, w, luma } = encoding;
  const likelihoods = await model.findLikelihoods(encoding, palette, vividness);
  const region = resizeFloats(await makeRegion(model, encoding, place), h, w, h, w);
  const all = region.reduce((sum, weight) => sum + weight, 0);
  const mass = Array.from({ length: bins().count }, (_, bin) =>
    region.reduce((sum, weight, i) => sum + weight * likelihoods[bin * h * w + i], 0) / all);
  const [row, column] = findCell(place, h, w);
  return pickColors(mass, round(255 * luma[row * w + column]), palette, shared.suggestions.count);
}

/**
 * The likeliest colors at a luma, none like another and none that a palette bans.
 * @param {number[]} mass (count,) how likely each bin is @param {number} level 0..255
 * @param {Palette} palette @param {number} count @returns {Group[]}
 */
export function pickColors(mass, level, palette, count) {
  const { width, apart, bins: fine } = shared.suggestions;
  const rgb = showBins(new Bins(fine), level);
  const ab = rgb.map(toChroma);
  const shown = showBins(bins(), level).map(toChroma);
  const likeness = ab.map((one) => shown.map((other) => Math.exp(-((measureGap(one, other) / width) ** 2) / 2)));
  const free = ab.map((one) => isAllowed(one, palette));
  const left = mass.slice();
  /** @type {Group[]} */
  const chosen = [];
  while (chosen.length < count) {
    let [best, most] = [-1, 0];
    likeness.forEach((row, k) => {
      const added = free[k] ? row.reduce((sum, like, bin) => sum + like * left[bin], 0) : 0;
      if (added > most) [best, most] = [k, added];
    });
    if (best < 0) break;
    chosen.push({ color: toHex(rgb[best]), share: most });
    ab.forEach((one, k) => (free[k] &&= measureGap(one, ab[best]) >= apart));
    likeness[best].forEach((like, bin) => (left[bin] *= 1 - like));
  }
  return chosen;
}

/** @param {Bins} some @param {number} level @returns {Three[]} 8-bit RGB, 0..1 */
const showBins = (some, level) => Array.from({ length: some.count }, (_, bin) =>
  /** @type {Three} */ (fitChroma(level / 255, ...some.center(bin)).map((c) => round(255 * c) / 255)));

/** @param {Three} rgb @returns {Two} */
function toChroma(rgb) {
  const [, a, b] = toOklab(rgb);
  return [a, b];
}

/** @param {Two} one @param {Two} other */
const measureGap = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);

/** @param {Two} ab @param {Palette} palette */
function isAllowed([a, b], palette) {
  const chroma = Math.hypot(a, b);
  const allowed = palette.banned.every((hue) => hueDistance(hueDegrees(a, b), hue) > shared.palette.ban_width);
  if (palette.bansGray) return allowed && chroma >= bins().chromas[0] * 0.99;
  return allowed || chroma < 0.01;
}
