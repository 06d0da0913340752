// A photo's luma, read by the browser as Python's photo.py measures it.

/**
 * @typedef {object} Luma
 * @property {Uint8Array<ArrayBuffer>} luma (height, width), 0 black to 255 white
 * @property {number} width @property {number} height
 * @property {Uint8Array<ArrayBuffer> | null} alpha (height, width), 255 opaque; null if all is
 */

const STRIP_PIXELS = 1 << 20; // so much of a photo is read at once

/**
 * The luma of a photo's file.
 * @param {Blob} file
 * @param {{width: number, height: number} | null} photo what an engine says of it, if it has
 * @returns {Promise<Luma | null>} null where the browser cannot read it, or finds another size
 */
export async function lumaOf(file, photo = null) {
  const bitmap = await decode(file);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  try {
    return photo && (photo.width !== width || photo.height !== height) ? null : measureLuma(bitmap);
  } finally {
    bitmap.close();
  }
}

/** @param {Blob} file @returns {Promise<ImageBitmap | null>} upright, in sRGB */
async function decode(file) {
  try {
    return await createImageBitmap(file, {
      imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "default",
    });
  } catch {
    return null;
  }
}

/** The luma of a picture. @param {ImageBitmap} bitmap @returns {Luma | null} null without a canvas */
export function measureLuma(bitmap) {
  const { width, height } = bitmap;
  const rows = Math.min(height, Math.max(1, Math.floor(STRIP_PIXELS / width)));
  const context = new OffscreenCanvas(width, rows).getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.globalCompositeOperation = "copy";
  /** @type {Luma} */
  const found = { luma: new Uint8Array(width * height), width, height, alpha: null };
  for (let top = 0; top < height; top += rows) {
    const high = Math.min(rows, height - top);
    context.drawImage(bitmap, 0, top, width, high, 0, 0, width, high);
    const pixels = new Uint32Array(context.getImageData(0, 0, width, high).data.buffer);
    if (weighColors(pixels, found.luma, top * width)) continue;
    found.alpha ??= new Uint8Array(width * height).fill(255);
    for (let i = 0; i < pixels.length; i++) found.alpha[top * width + i] = pixels[i] >>> 24;
  }
  return found;
}

/**
 * Rec. 601 luma, as Pillow rounds it.
 * @param {Uint32Array} pixels RGBA, little-endian @param {Uint8Array} luma @param {number} at
 * @returns {boolean} whether all is opaque
 */
function weighColors(pixels, luma, at) {
  let every = -1;
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i];
    const red = pixel & 255;
    const green = (pixel >> 8) & 255;
    const blue = (pixel >> 16) & 255;
    luma[at + i] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    every &= pixel;
  }
  return every >>> 24 === 255;
}
