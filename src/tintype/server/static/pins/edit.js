// What a color does to a choice: of one thing by a pin, or everywhere by a spot of the wheel.

import { chromaOf, hexOf, isGray, nameOf, NEUTRAL, polar } from "../color.js";
import { t } from "../text.js";

/** @typedef {import("../state/choice.js").Choice} Choice */
/** @typedef {import("../engine/engine.js").Edit} Edit */
/** @typedef {"here" | "everywhere"} Scope */
/**
 * A thing that is to be colored.
 * @typedef {object} Thing
 * @property {[number | string, number | string]} at
 * @property {number | null} pin its number among the choice's, once it has one
 * @property {number | null} spot the wheel's that it wears, where that is known
 * @property {string | null} to what that spot was before
 */

export const MOST_PINS = 32; // of a recipe, as the server has it
export const MOST_MASKS = 8;
const MODERATE = 0.1; // chroma of a hue alone, as pins.py has it

/** @param {string} color of a pin @returns {string} for CSS */
export function cssOf(color) {
  if (color === "gray" || color === "keep") return hexOf(NEUTRAL);
  if (!color.startsWith("hue:")) return color === "auto" ? "transparent" : color;
  const [r, g, b] = pixelOf(`hsl(${Number(color.slice(4))} 100% 50%)`);
  const hex = `#${[r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
  const { a, b: c } = chromaOf(hex);
  return hexOf(polar((Math.atan2(c, a) * 180) / Math.PI, MODERATE));
}

/** @param {string} color of a pin @returns {string} #rrggbb */
export const hexOfPin = (color) =>
  `#${pixelOf(cssOf(color)).map((v) => v.toString(16).padStart(2, "0")).join("")}`;

/** @param {string} color of a pin @returns {string} in words */
export function colorName(color) {
  if (color === "keep") return t("pin-kept-gray");
  if (color === "auto") return t("pin-left");
  return nameOf(chromaOf(hexOfPin(color)));
}

/** @param {string} css @returns {number[]} red, green, blue, 0..255 */
function pixelOf(css) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(1, 1).getContext("2d"));
  context.fillStyle = css;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/**
 * Why a choice can have no more pins.
 * @param {Edit[]} pins @param {boolean} mask whether it would be one @returns {string | null}
 */
export function refusal(pins, mask) {
  const masks = pins.filter((one) => !("at" in one)).length;
  if (mask && masks >= MOST_MASKS) return t("pin-most-masks", { most: MOST_MASKS });
  if (!mask && pins.length - masks >= MOST_PINS) return t("pin-most", { most: MOST_PINS });
  return null;
}

/**
 * The pins with one changed; null takes it away.
 * @param {Edit[]} pins @param {number} index @param {Edit | null} edit
 */
export const withPin = (pins, index, edit) =>
  [...pins.slice(0, index), ...(edit ? [edit] : []), ...pins.slice(index + 1)];

/**
 * A choice in which a thing has a color; whichever way it had one before is taken back.
 * @param {Choice} choice @param {Thing} thing @param {string} color @param {Scope} scope
 * @returns {Choice}
 */
export function colored(choice, thing, color, scope) {
  const { pins } = choice;
  const spots = structuredClone(choice.spots);
  const spot = thing.spot === null ? undefined : spots[thing.spot];
  if (spot && thing.to) spot.to = thing.to;
  if (scope === "everywhere") {
    if (spot && color !== "auto") spot.to = color === "gray" ? hexOf(NEUTRAL) : hexOfPin(color);
    return { ...choice, spots, pins: thing.pin === null ? pins : withPin(pins, thing.pin, null) };
  }
  const edit = thing.pin === null ? { at: thing.at, color } : { ...pins[thing.pin], color };
  const next = thing.pin === null ? [...pins, edit] : withPin(pins, thing.pin, edit);
  return { ...choice, spots, pins: next };
}

/** A color as a pin has it: gray has a name. @param {string} hex #rrggbb */
export const pinColor = (hex) => (isGray(chromaOf(hex)) ? "gray" : hex);
