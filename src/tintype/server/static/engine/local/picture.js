// Pictures' files: read by the browser, and written by it.

import { toOklab } from "./color.js";
import { Refusal, shared } from "./shared.js";

/** @typedef {import("../../view/pixels.js").Pixels} Pixels */

/**
 * @param {Blob} file @returns {Promise<ImageBitmap>} upright, in sRGB
 * @throws {Error} of one line, where the browser cannot read it
 */
export async function openPicture(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none" });
  } catch {
    throw new Refusal("unknown-photo", "expected a photo that this browser can read, found another; save it as JPEG or PNG, or run tintype colorize FILE");
  }
}

/**
 * Its pixels in another size.
 * @param {ImageBitmap} picture @param {number} width @param {number} height @returns {Uint8ClampedArray}
 */
export function readPixels(picture, width, height) {
  const context = contextOf(new OffscreenCanvas(width, height));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** A smaller one. @param {ImageBitmap} picture @param {number} scale 0..1 @returns {Promise<ImageBitmap>} */
export const shrinkPicture = (picture, scale) => createImageBitmap(picture, {
  premultiplyAlpha: "none", resizeQuality: "high",
  resizeWidth: Math.floor(scale * picture.width), resizeHeight: Math.floor(scale * picture.height),
});

/** @param {OffscreenCanvas} canvas */
function contextOf(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refusal("memory", "expected a canvas, found none; close other pages to free memory");
  return context;
}

/**
 * A picture's file.
 * @param {Pixels} pixels @param {string} type image/jpeg, … @param {number} [quality] 0..1
 * @returns {Promise<Blob>}
 */
export async function writePicture({ width, height, data }, type, quality) {
  const canvas = new OffscreenCanvas(width, height);
  contextOf(canvas).putImageData(new ImageData(data, width, height), 0, 0);
  const blob = await canvas.convertToBlob({ type, quality });
  if (blob.type !== type) throw new Refusal("format", `expected to write ${type}, found a browser that cannot; choose PNG`, { format: type.slice(6).toUpperCase() });
  return blob;
}

/** @param {Uint8Array | Float32Array} gray (height, width) @param {number} width @param {number} height */
export function writeGray(gray, width, height) {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  gray.forEach((value, i) => data.fill(value, 4 * i, 4 * i + 3));
  return writePicture({ width, height, data }, "image/png");
}

/** A mask as a recipe holds it. @param {string} png in base64 @returns {Promise<import("./regions.js").Mask>} */
export async function readMask(png) {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const picture = await openPicture(new Blob([bytes], { type: "image/png" }));
  const { width: w, height: h } = picture;
  const pixels = readPixels(picture, w, h);
  picture.close();
  return { data: new Float32Array(w * h).map((_, i) => pixels[4 * i] / 255), h, w };
}

/**
 * Whether colors differ by more than a function of lightness, as in toned prints: a quartic of
 * OKLab L is fitted to a and b.
 * @param {ImageBitmap} picture
 */
export function isColorful(picture) {
  const [w, h] = [Math.min(picture.width, 64), Math.min(picture.height, 64)];
  const pixels = readPixels(picture, w, h);
  /** @type {import("./color.js").Three[]} */
  const labs = [];
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] > 127) labs.push(toOklab([pixels[i] / 255, pixels[i + 1] / 255, pixels[i + 2] / 255]));
  }
  if (!labs.length) return false;
  const fits = [1, 2].map((k) => fitQuartic(labs.map(([L]) => L), labs.map((lab) => lab[k])));
  const away = labs.map(([L, a, b]) => Math.hypot(a - fits[0](L), b - fits[1](L))).sort((x, y) => x - y);
  return away[Math.floor(0.95 * (away.length - 1))] > shared.colorful;
}

/**
 * Least squares by the normal equations, which a trace keeps solvable where all is of one luma.
 * @param {number[]} x @param {number[]} y @returns {(x: number) => number}
 */
function fitQuartic(x, y) {
  const rows = [0, 1, 2, 3, 4].map((i) => [
    ...[0, 1, 2, 3, 4].map((j) => x.reduce((sum, v) => sum + v ** (i + j), i === j ? 1e-9 : 0)),
    x.reduce((sum, v, k) => sum + v ** i * y[k], 0),
  ]);
  rows.forEach((row, i) => {
    for (const other of rows.filter((one) => one !== row)) {
      const part = other[i] / row[i];
      row.forEach((value, k) => (other[k] -= part * value));
    }
  });
  const factors = rows.map((row, i) => row[5] / row[i]);
  return (at) => factors.reduce((sum, factor, i) => sum + factor * at ** i, 0);
}
