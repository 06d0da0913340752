// Pins and masks, as Python's pins.py.

import { chromaOf } from "./bins.js";
import { refuse, shared, show } from "./shared.js";

/** @typedef {import("../engine.js").Edit} Edit */
/** @typedef {import("../engine.js").Place} Place */
/** @typedef {import("./color.js").Two} Two */

const PIXELS = /^[0-9]{1,6}px$/;

/** Raise PaletteError for what is no pin. @param {Edit} pin */
export function checkPin(pin) {
  if ("color" in pin) chromaOfPin(pin.color);
  if ("mask" in pin && pin.color === shared.pins.auto) {
    refuse(`expected a color for a mask, found '${pin.color}'; leave the mask out`);
  }
  if (!("at" in pin)) return;
  const isCoordinate = (/** @type {any} */ value) => (typeof value === "string"
    ? PIXELS.test(value) : typeof value === "number" && value >= 0 && value <= 1);
  if (!Array.isArray(pin.at) || pin.at.length !== 2 || !pin.at.every(isCoordinate)) {
    refuse(`expected a place X,Y on the photo, each 0..1 or pixels as 812px, found ${show(pin.at)}`);
  }
  const { reach } = pin;
  if (reach !== undefined && reach !== null && !(typeof reach === "number" && reach >= 0 && reach <= 1)) {
    refuse(`expected a reach between 0 and 1, found ${show(reach)}`);
  }
}

/** @param {Place} at @param {Two} size width and height @returns {Two} shares of these */
export function locate(at, size) {
  return /** @type {Two} */ (at.map((value, k) => {
    const share = typeof value === "string" ? (Number.parseInt(value, 10) + 0.5) / size[k] : value;
    if (share >= 0 && share <= 1) return share;
    return refuse(`expected a place on the photo of ${size[0]} x ${size[1]} pixels, found ${at}`);
  }));
}

/** Whether a color is one that no bin has: what stays gray, or as it was. @param {string} color */
const isWord = (color) => color === shared.pins.keep || color === shared.pins.auto;

/** OKLab chroma of a pin's color; 0 for gray and words. @param {string} color @returns {Two} */
export function chromaOfPin(color) {
  if (isWord(color)) return [0, 0];
  const [a, b] = chromaOf(color);
  const length = Math.hypot(a, b);
  if (length < 0.01) return [0, 0];
  const scale = String(color).trim().startsWith("hue:") ? shared.pins.moderate / length : 1;
  return [a * scale, b * scale];
}
