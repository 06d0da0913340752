// Where in the photo colors are: a small copy of it, and which color each of its pixels wears.

/** @typedef {{data: Uint8ClampedArray | Uint8Array, width: number, height: number}} Pixels RGBA */
/**
 * @typedef {object} Places
 * @property {Pixels} pixels a small copy of the photo
 * @property {Int16Array} labels for each pixel, which color it wears, or -1
 * @property {(index: number) => number} count 0..1 of the pixels that wear a color
 */

const WIDTH = 88, HEIGHT = 64; // what the copy fits in

/**
 * @param {Pixels} photo @param {(r: number, g: number, b: number) => number} label of a pixel
 * @returns {Places}
 */
export function findPlaces(photo, label) {
  const scale = Math.min(WIDTH / photo.width, HEIGHT / photo.height, 1);
  const width = Math.max(1, Math.round(scale * photo.width));
  const height = Math.max(1, Math.round(scale * photo.height));
  const data = new Uint8ClampedArray(4 * width * height);
  const labels = new Int16Array(width * height);
  for (let i = 0; i < width * height; i++) {
    const x = Math.floor((((i % width) + 0.5) / width) * photo.width);
    const y = Math.floor(((Math.floor(i / width) + 0.5) / height) * photo.height);
    const at = 4 * (y * photo.width + x);
    data.set(photo.data.subarray(at, at + 4), 4 * i);
    labels[i] = label(data[4 * i], data[4 * i + 1], data[4 * i + 2]);
  }
  const count = (/** @type {number} */ index) =>
    labels.reduce((sum, one) => sum + Number(one === index), 0) / labels.length;
  return { pixels: { data, width, height }, labels, count };
}

/**
 * Draw the pixels that wear a color; the others faint.
 * @param {HTMLCanvasElement} canvas @param {Places} places @param {number} index
 */
export function drawPlaces(canvas, { pixels, labels }, index) {
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  const image = new ImageData(Uint8ClampedArray.from(pixels.data), pixels.width, pixels.height);
  for (const [i, label] of labels.entries()) image.data[4 * i + 3] = label === index ? 255 : 64;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
