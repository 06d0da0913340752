// The wheel's plane: where a color lies on it, what lies at a place, and how it looks.
//
// Hue around, chroma outward, gray in the middle. Most colors are muted: the middle gets more room.

import { chromaOf, hueOf, isGray, magnitude, polar, rgbOf } from "../color.js";

/** @typedef {import("../color.js").Chroma} Chroma */
/** @typedef {[number, number]} Point in the wheel's units, from its center, y down */

export const RADIUS = 100;
export const SIDE = 224; // of the whole wheel, its rim included
const EDGE = 0.24; // chroma at the rim
const BEND = 0.5;
const LEAN = 15; // what is gray and was not lies so far from the middle, on the side it comes from

/** @param {Chroma} chroma @returns {Point} */
export function place(chroma) {
  const r = RADIUS * Math.min(1, magnitude(chroma) / EDGE) ** BEND;
  return around(hueOf(chroma), r);
}

/** @param {number} degrees @param {number} r @returns {Point} */
export function around(degrees, r) {
  const angle = (degrees * Math.PI) / 180;
  return [r * Math.cos(angle), -r * Math.sin(angle)];
}

/**
 * Where a spot is drawn.
 * @param {import("../state/choice.js").Spot} spot @param {Chroma} chroma as shown @returns {Point}
 */
export function placeSpot(spot, chroma) {
  if (!isGray(chroma)) return place(chroma);
  const from = chromaOf(spot.from ?? "#808080");
  return isGray(from) ? [0, 0] : around(hueOf(from), LEAN);
}

/** @param {Point} point @returns {Chroma} */
export function chromaAt([x, y]) {
  const part = Math.min(1, Math.hypot(x, y) / RADIUS);
  return polar((Math.atan2(-y, x) * 180) / Math.PI, EDGE * part ** (1 / BEND));
}

/** @param {Point} a @param {Point} b */
export const gap = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** The plane itself, faint, with a vivid rim. @returns {HTMLCanvasElement} */
export function drawDisc() {
  const side = 448;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.setAttribute("aria-hidden", "true");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    const x = (((i % side) + 0.5) / side - 0.5) * SIDE;
    const y = ((Math.floor(i / side) + 0.5) / side - 0.5) * SIDE;
    const r = Math.hypot(x, y);
    const chroma = chromaAt([x, y]);
    const tame = Math.min(1, 0.13 / Math.max(1e-6, magnitude(chroma)));
    const rgb = rgbOf(0.72, { a: tame * chroma.a, b: tame * chroma.b });
    const rim = Math.min(1, Math.max(0, r - 102.5)) * Math.min(1, Math.max(0, 109.5 - r));
    const alpha = r <= 101 ? 0.42 * Math.min(1, 101 - r) : rim;
    image.data.set([...rgb.map((v) => 255 * Math.min(1, Math.max(0, v))), 255 * alpha], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
