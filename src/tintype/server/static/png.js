// Writes PNG without loss, gray or transparent, which a canvas multiplies into the colors.
// Source: PNG (W3C, third edition).

import { crc32 } from "./crc32.js";

const STRIP = 1 << 20; // so many bytes are filtered at once
const PAETH = 4;

/**
 * @param {Uint8ClampedArray} rgba (height, width, 4) @param {number} width @param {number} height
 * @param {boolean} opaque whether alpha is left out
 * @param {() => Promise<void>} [pause] what is waited for after each megabyte; it may end the work by an error
 * @returns {Promise<Uint8Array<ArrayBuffer>>} the file
 */
export async function writePng(rgba, width, height, opaque, pause) {
  const rows = filterRows(rgba, width, height, opaque ? 3 : 4);
  return packPng(width, height, opaque ? 2 : 6, rows, pause);
}

/**
 * A PNG of 8 bits a sample.
 * @param {number} width @param {number} height @param {0 | 2 | 6} kind gray, RGB or RGBA
 * @param {Iterable<Uint8Array<ArrayBuffer>>} rows each after the number of its filter
 * @param {() => Promise<void>} [pause] as of `writePng`
 * @returns {Promise<Uint8Array<ArrayBuffer>>} the file
 */
export async function packPng(width, height, kind, rows, pause) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, kind], 8);
  return join([
    new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), makeChunk("IHDR", header),
    makeChunk("IDAT", await compress(rows, pause)), makeChunk("IEND", new Uint8Array(0)),
  ]);
}

/**
 * Rows as differences to what is beside and above, some at a time.
 * @param {Uint8ClampedArray} rgba @param {number} width @param {number} height
 * @param {number} channels @returns {Generator<Uint8Array<ArrayBuffer>>}
 */
function* filterRows(rgba, width, height, channels) {
  const length = 1 + width * channels;
  const rows = Math.max(1, Math.floor(STRIP / length));
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    const strip = new Uint8Array(count * length);
    for (let row = 0, at = 0; row < count; row++) {
      const above = top + row ? -4 * width : 0;
      strip[at++] = PAETH;
      for (let x = 0, from = 4 * (top + row) * width; x < width; x++, from += 4) {
        for (let k = from; k < from + channels; k++) {
          const a = x ? rgba[k - 4] : 0;
          const b = above ? rgba[k + above] : 0;
          const c = x && above ? rgba[k + above - 4] : 0;
          strip[at++] = rgba[k] - predict(a, b, c);
        }
      }
    }
    yield strip;
  }
}

/** Paeth's of left, above and above left. @param {number} a @param {number} b @param {number} c */
function predict(a, b, c) {
  const [left, up, both] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (left <= up && left <= both) return a;
  return up <= both ? b : c;
}

/** @param {Iterable<Uint8Array<ArrayBuffer>>} parts @param {() => Promise<void>} [pause] */
async function compress(parts, pause) {
  const stream = new CompressionStream("deflate");
  const packed = new Response(stream.readable).arrayBuffer();
  const writer = stream.writable.getWriter();
  try {
    for (const part of parts) {
      await writer.write(part);
      await pause?.();
    }
    await writer.close();
  } catch (error) {
    await Promise.allSettled([writer.abort(error), packed]);
    throw error;
  }
  return new Uint8Array(await packed);
}

/** @param {string} kind four letters @param {Uint8Array} data @returns {Uint8Array<ArrayBuffer>} */
export function makeChunk(kind, data) {
  const chunk = new Uint8Array(data.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(kind), 4);
  chunk.set(data, 8);
  view.setUint32(data.length + 8, crc32(chunk.subarray(4, data.length + 8)));
  return chunk;
}

/** @param {Uint8Array[]} parts @returns {Uint8Array<ArrayBuffer>} */
export function join(parts) {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    result.set(part, end);
    end += part.length;
  }
  return result;
}
