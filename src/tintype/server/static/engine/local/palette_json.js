// What palettes and their edits are told in JSON, as Python's palette_json.py.

import { bins, chromaOf, hasHue } from "./bins.js";
import { refuse, shared, show } from "./shared.js";

/** @typedef {import("./color.js").Two} Two */
/** @typedef {{from: Two, to: Two, ratio: Two, scale: number}} Change ratio: to / from, complex */

const isObject = (/** @type {any} */ value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {any} changes @returns {Change[]} chroma; 0 for gray */
export function readChanges(changes) {
  const { most } = shared.palette;
  if (!Array.isArray(changes) || !changes.length || changes.length > most) {
    refuse(`expected 1 to ${most} changes of colors, found ${show(changes)}`);
  }
  return changes.map((/** @type {any} */ change) => {
    const keys = isObject(change) ? Object.keys(change).sort().join() : "";
    if (keys !== "from,scale,to") {
      refuse(`expected {"from", "to", "scale"} of a color, found ${show(change)}`);
    }
    const scale = readShare(change.scale, "scale");
    if (scale > 100) refuse(`expected a scale of 0 to 100, found ${scale}`);
    const [from, to] = [change.from, change.to].map((color) =>
      hasHue(color) ? chromaOf(color) : /** @type {Two} */ ([0, 0]));
    return { from, to, ratio: divide(to, from), scale };
  });
}

/** @param {Two} one @param {Two} other @returns {Two} 0 where that is 0 */
function divide([a, b], [x, y]) {
  const size = x * x + y * y;
  return size ? [(a * x + b * y) / size, (b * x - a * y) / size] : [0, 0];
}

/** Shares, which may be all 0, of a list of colors and what is neutral. @param {any} about */
export function readColors(about) {
  const shares = new Float64Array(bins().count);
  const neutral = readShare(about.neutral ?? 0, "neutral");
  for (const entry of readList(about, "colors")) {
    if (!isObject(entry) || typeof entry.color !== "string") {
      refuse('expected {"color": "#rrggbb", "share": number}, found others');
    }
    const [a, b] = chromaOf(entry.color);
    const share = readShare(entry.share, entry.color.trim());
    bins().encode(a, b, (bin, weight) => (shares[bin] += weight * share));
  }
  shares[0] += neutral;
  return shares;
}

/** @param {any} about @returns {Float64Array<ArrayBuffer>[] | null} all 0 of one that is not named */
export function readTones(about) {
  if (!("tones" in about)) return null;
  const { names } = shared.tones;
  const { tones } = about;
  if (!isObject(tones) || !names.every((name) => isObject(tones[name] ?? {}))) {
    const known = names.map((name) => `"${name}"`).join(", ");
    refuse(`expected an object of ${known} for "tones", found ${show(tones)}`);
  }
  return names.map((name) => readColors(tones[name] ?? {}));
}

/** @param {any} value @param {string} name @returns {number} */
function readShare(value, name) {
  if (typeof value === "number" && value >= 0 && value <= 1e9) return value;
  return refuse(`expected a share of 0 to 1e9 for ${name}, found ${show(value)}`);
}

/** @param {any} about @param {string} name @returns {any[]} */
export function readList(about, name) {
  const value = about[name] ?? [];
  const { most } = shared.palette;
  if (Array.isArray(value) && value.length <= most) return value;
  return refuse(`expected a list of up to ${most} for "${name}", found ${show(value)}`);
}
