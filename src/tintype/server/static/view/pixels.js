// Luma and chroma to RGB on the processor: fit_gamut of upsample.py, then the matrix of JPEG.

/** @typedef {{width: number, height: number, data: Uint8ClampedArray<ArrayBuffer>}} Pixels RGBA, (height, width, 4) */

/** Below this level of detail a picture is as crisp as the browser's own scaling shows it. */
export const SHARPEN = -0.75;

/** From this scale on, pixels of the photo are squares of one color. */
export const SQUARES = 2;

/**
 * Chroma of a row of pixels, and what it adds to luma: red, green and blue, each with 256 added, in
 * 10 bits.
 * @typedef {{cb: Float32Array, cr: Float32Array, offsets: Int32Array}} Row
 */

/** @param {number} count of pixels @returns {Row} in gray */
export const createRow = (count) => ({
  cb: new Float32Array(count),
  cr: new Float32Array(count),
  offsets: new Int32Array(count).fill(0x10040100),
});

/** @param {Row} row @param {number} i @param {number} cb centered on 0 @param {number} cr */
export function setChroma(row, i, cb, cr) {
  row.cb[i] = cb;
  row.cr[i] = cr;
  row.offsets[i] = ((1.772 * cb + 256.5) << 20)
    | ((256.5 - 0.344136 * cb - 0.714136 * cr) << 10) | (1.402 * cr + 256.5);
}

/**
 * Color a row of pixels, scaled towards gray where they would leave the RGB cube.
 * @param {Uint32Array} out RGBA as a little-endian machine has it
 * @param {ArrayLike<number>} luma 0..255
 * @param {number} start of the row in both @param {number} count of its pixels
 * @param {Row} row of each pixel, or of 2 ** `shift` that share one
 * @param {number} [shift]
 */
export function colorRow(out, luma, start, count, { cb, cr, offsets }, shift = 0) {
  for (let i = 0; i < count; i++) {
    const y = luma[start + i];
    const j = i >> shift;
    const sum = (Math.imul(y, 0x100401) + offsets[j]) | 0; // three sums at once
    // Each 257..510: at 256 and 511 it may have been rounded into the cube.
    out[start + i] = ((sum - 0x100401) & (sum + 0x100401) & 0x300c0300) === 0x10040100
      ? 0xff000000 | ((sum >> 4) & 0xff0000) | ((sum >> 2) & 0xff00) | (sum & 0xff)
      : fitPixel(y, 1.402 * cr[j], -0.344136 * cb[j] - 0.714136 * cr[j], 1.772 * cb[j]);
  }
}

/** @param {number} y @param {number} r @param {number} g @param {number} b added to luma */
function fitPixel(y, r, g, b) {
  const above = Math.max(r, g, b);
  const below = Math.min(r, g, b);
  let fit = 1;
  if (y + above > 255) fit = (255 - y) / above;
  if (y + fit * below < 0) fit = -y / below;
  const base = y + 0.5;
  return 0xff000000 | ((base + fit * b) << 16) | ((base + fit * g) << 8) | (base + fit * r);
}

/**
 * A picture of a luma and a chroma of one size.
 * @param {Uint8Array} luma (height, width), 0..255
 * @param {Uint8Array | null} rg (height, width, 2), Cb and Cr centered on 128; null for gray
 * @param {number} width @param {number} height @returns {Pixels}
 */
export function mixPixels(luma, rg, width, height) {
  const data = new Uint8ClampedArray(4 * width * height);
  const pixels = new Uint32Array(data.buffer);
  const row = createRow(width);
  for (let y = 0, start = 0; y < height; y++, start += width) {
    for (let x = 0, at = 2 * start; rg && x < width; x++, at += 2) {
      setChroma(row, x, rg[at] - 128, rg[at + 1] - 128);
    }
    colorRow(pixels, luma, start, width, row);
  }
  return { width, height, data };
}

/**
 * Bilinear interpolation along one axis: for each place the first of two neighbors and the weight
 * of the second, 0..1.
 * @param {Float64Array} places in pixels of the photo @param {number} ratio of the plane to it
 * @param {number} size of the plane
 */
export function tapsOf(places, ratio, size) {
  const index = new Int32Array(places.length);
  const weight = new Float32Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const place = Math.min(Math.max(places[i] * ratio - 0.5, 0), size - 1);
    index[i] = Math.min(Math.floor(place), Math.max(0, size - 2));
    weight[i] = place - index[i];
  }
  return { index, weight };
}

/** @typedef {{plane: Uint8Array, width: number, height: number}} Level a plane of a pyramid */

/**
 * Samples at places of a grid, between two levels of a pyramid, as a graphics card does.
 * @param {Level[]} pyramid the finest first; as many as are needed are added
 * @param {number} level 0 for the finest @param {Float64Array} across @param {Float64Array} down
 * @returns {Uint8Array} (down.length, across.length)
 */
export function sample(pyramid, level, across, down) {
  const fine = Math.floor(level);
  while (pyramid.length < fine + 2) pyramid.push(halve(pyramid[pyramid.length - 1]));
  const levels = level > fine ? [fine, fine + 1] : [fine];
  const parts = levels.map((k) => ({
    share: 1 - Math.abs(level - k),
    ...pyramid[k],
    columns: tapsOf(across, 2 ** -k, pyramid[k].width),
    rows: tapsOf(down, 2 ** -k, pyramid[k].height),
  }));
  const wide = across.length;
  const result = new Uint8Array(wide * down.length);
  const line = new Float32Array(wide);
  for (let y = 0, at = 0; y < down.length; y++, at += wide) {
    line.fill(0.5);
    for (const part of parts) addRow(line, part.share, part, part.columns, part.rows, y);
    for (let x = 0; x < wide; x++) result[at + x] = line[x];
  }
  return result;
}

/** @typedef {ReturnType<typeof tapsOf>} Taps */

/**
 * @param {Float32Array} line @param {number} share @param {Level} level
 * @param {Taps} columns @param {Taps} rows @param {number} y which of the rows
 */
function addRow(line, share, { plane, width, height }, columns, rows, y) {
  const { index, weight } = columns;
  const right = width > 1 ? 1 : 0;
  const upper = rows.index[y] * width;
  const lower = height > 1 ? upper + width : upper;
  const below = share * rows.weight[y];
  const above = share - below;
  for (let x = 0; x < line.length; x++) {
    const i = index[x];
    const left = above * plane[upper + i] + below * plane[lower + i];
    const next = above * plane[upper + i + right] + below * plane[lower + i + right];
    line[x] += left + weight[x] * (next - left);
  }
}

/** Means of every 2 x 2 pixels; an odd edge goes on. @param {Level} level @returns {Level} */
function halve({ plane, width, height }) {
  const [wide, high] = [(width + 1) >> 1, (height + 1) >> 1];
  const result = new Uint8Array(wide * high);
  for (let y = 0, at = 0; y < high; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < wide; x++, at++) {
      const left = 2 * x;
      const right = left + 1 < width ? left + 1 : left;
      result[at] = (plane[upper + left] + plane[upper + right]
        + plane[lower + left] + plane[lower + right] + 2) >> 2;
    }
  }
  return { plane: result, width: wide, height: high };
}

/**
 * Colors of which the left part is another's.
 * @param {Uint8Array} left (height, width, 2) @param {Uint8Array} right alike
 * @param {number} width @param {number} split the left part's share of the width, 0..1
 * @returns {Uint8Array}
 */
export function joinSides(left, right, width, split) {
  const edge = 2 * Math.round(split * width);
  const joined = right.slice();
  for (let row = 0; row < right.length; row += 2 * width) {
    joined.set(left.subarray(row, row + edge), row);
  }
  return joined;
}
