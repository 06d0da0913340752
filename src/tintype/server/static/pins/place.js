// Where pins lie, as shares of the photo's width and height.

/** @typedef {import("../engine/engine.js").Place} Place */
/** @typedef {{x: number, y: number}} Point 0..1 inside of the photo */

const PARTS = 1e4; // of a side, to which a place is told

/** @param {number} share */
const round = (share) => Math.round(PARTS * Math.min(1, Math.max(0, share))) / PARTS;

/** A place as a recipe has it, on the photo. @param {Point} point @returns {[number, number]} */
export const placeAt = ({ x, y }) => [round(x), round(y)];

/**
 * Where a recipe's place is; of pixels it is the middle.
 * @param {Place} place @param {{width: number, height: number}} photo @returns {Point}
 */
export function locate([x, y], { width, height }) {
  const share = (/** @type {number | string} */ value, /** @type {number} */ length) =>
    (typeof value === "string" ? (parseInt(value, 10) + 0.5) / length : value);
  return { x: share(x, width), y: share(y, height) };
}
