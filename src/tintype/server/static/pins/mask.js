// Masks of a photo: how much of it a thing is. In recipes they are gray PNGs in base64.

import { packPng } from "../png.js";

/** @typedef {{data: Uint8Array, width: number, height: number}} Mask (height, width), 255 for all */

const MOST = 2 ** 18; // pixels of a mask in a recipe

/** @param {Blob} picture gray @returns {Promise<Mask>} of at most `MOST` pixels */
export async function readPicture(picture) {
  const image = await createImageBitmap(picture, { colorSpaceConversion: "none" });
  const scale = Math.min(1, Math.sqrt(MOST / (image.width * image.height)));
  const width = Math.max(1, Math.floor(scale * image.width));
  const height = Math.max(1, Math.floor(scale * image.height));
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  image.close();
  const pixels = context.getImageData(0, 0, width, height).data;
  return { data: Uint8Array.from({ length: width * height }, (_, i) => pixels[4 * i]), width, height };
}

/** @param {string} text of a recipe @returns {Promise<Mask>} */
export const readMask = (text) =>
  readPicture(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: "image/png" }));

/** @param {Mask} mask @returns {Promise<string>} as a recipe has it */
export async function writeMask(mask) {
  const bytes = await writePng(mask);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}

/**
 * A gray PNG of 8 bits, each row told by its difference from the one above.
 * Source: PNG (W3C, third edition), filter type 2.
 * @param {Mask} mask @returns {Promise<Uint8Array>}
 */
async function writePng({ data, width, height }) {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0, at = 0, from = 0; y < height; y++) {
    rows[at++] = 2;
    for (let x = 0; x < width; x++, from++) rows[at++] = data[from] - (y ? data[from - width] : 0);
  }
  return packPng(width, height, 0, [rows]);
}

/**
 * A place in a mask, as near as can be to the middle of what is white.
 * @param {Mask} mask @returns {import("./place.js").Point}
 */
export function middleOf({ data, width, height }) {
  let [sum, x, y] = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    sum += data[i];
    x += data[i] * (i % width);
    y += data[i] * Math.floor(i / width);
  }
  if (!sum) return { x: 0.5, y: 0.5 };
  [x, y] = [x / sum, y / sum];
  let [best, least] = [0, Infinity];
  for (let i = 0; i < data.length; i++) {
    const away = data[i] > 127 ? Math.hypot((i % width) - x, Math.floor(i / width) - y) : Infinity;
    if (away < least) [best, least] = [i, away];
  }
  if (least === Infinity) best = Math.round(y) * width + Math.round(x);
  return { x: ((best % width) + 0.5) / width, y: (Math.floor(best / width) + 0.5) / height };
}

/** @type {WeakMap<Uint8Array, import("./place.js").Point[]>} */ const boxes = new WeakMap();

/**
 * Two corners of the box around what is white; of none where nothing is.
 * @param {Mask} mask @returns {import("./place.js").Point[]} upper left, lower right, 0..1
 */
export function boxOf({ data, width, height }) {
  const known = boxes.get(data);
  if (known) return known;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (data[i] < 128) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  }
  const box = right ? [
    { x: left / width, y: top / height }, { x: right / width, y: bottom / height },
  ] : [];
  boxes.set(data, box);
  return box;
}

/**
 * Paint with a round brush of a soft edge along a line, in place.
 * @param {Mask} mask @param {import("./place.js").Point} from 0..1 @param {import("./place.js").Point} to
 * @param {number} radius pixels of the mask @param {boolean} add or take away
 */
export function paintLine(mask, from, to, radius, add) {
  const { data, width, height } = mask;
  const [ax, ay, bx, by] = [from.x * width, from.y * height, to.x * width, to.y * height];
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const edge = radius + 1;
  const clamp = (/** @type {number} */ v, /** @type {number} */ most) => Math.min(most, Math.max(0, v));
  const right = clamp(Math.ceil(Math.max(ax, bx) + edge), width);
  const bottom = clamp(Math.ceil(Math.max(ay, by) + edge), height);
  const left = clamp(Math.floor(Math.min(ax, bx) - edge), width);
  for (let y = clamp(Math.floor(Math.min(ay, by) - edge), height); y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
      const part = length ? clamp((px * dx + py * dy) / length, 1) : 0;
      const away = Math.hypot(px - part * dx, py - part * dy);
      const share = Math.round(255 * clamp(radius + 0.5 - away, 1));
      const at = y * width + x;
      data[at] = add ? Math.max(data[at], share) : Math.min(data[at], 255 - share);
    }
  }
}

/**
 * Show where a mask is.
 * @param {import("../view/viewer.js").PhotoViewer} viewer @param {Mask | null} mask
 */
export const outline = (viewer, mask) =>
  viewer.outline(mask && mask.data, mask?.width, mask?.height);
