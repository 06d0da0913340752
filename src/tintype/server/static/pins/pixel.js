// What is seen at a place of the photo.

import { chromaOf, chromaOfPixel, isGray, magnitude } from "../color.js";
import { t } from "../text.js";
import { hexOfPin } from "./edit.js";

/** @typedef {import("../view/viewer.js").PhotoViewer} PhotoViewer */
/** @typedef {import("./place.js").Point} Point */

const FAINT = 0.012; // OKLab chroma below which nobody sees a color
const [BLACK, DARK, LIGHT, WHITE] = [12, 36, 240, 251]; // luma that shows no color, or little

/** The pixel of a place. @param {PhotoViewer} viewer @param {Point} place */
function pixelAt(viewer, { x, y }) {
  const { width, height, data } = viewer.read();
  const column = Math.min(width - 1, Math.floor(x * width));
  const at = 4 * (Math.min(height - 1, Math.floor(y * height)) * width + column);
  return [data[at], data[at + 1], data[at + 2]];
}

/** The color of a place. @param {PhotoViewer} viewer @param {Point} place */
export function colorAt(viewer, place) {
  const [r, g, b] = pixelAt(viewer, place);
  return chromaOfPixel(r, g, b);
}

/**
 * Why a pin's color is not seen at its place; "" where it is.
 * @param {PhotoViewer} viewer @param {Point} place @param {string} color as a pin has it
 */
export function excuse(viewer, place, color) {
  if (color === "auto" || isGray(chromaOf(hexOfPin(color)))) return "";
  const [r, g, b] = pixelAt(viewer, place);
  const luma = 0.299 * r + 0.587 * g + 0.114 * b;
  if (luma < BLACK || luma > WHITE) return t(luma < BLACK ? "pin-dark" : "pin-light");
  if (magnitude(chromaOfPixel(r, g, b)) >= FAINT) return "";
  return t(luma < DARK ? "pin-dark" : luma > LIGHT ? "pin-light" : "pin-neutral");
}
