// Bytes as letters and numbers, and what was compressed among them.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @param {Uint8Array} bytes @param {number} [at] @param {number} [length] @returns {string} a letter a byte */
export function readText(bytes, at = 0, length = bytes.length - at) {
  let text = "";
  for (const byte of bytes.subarray(at, at + length)) text += String.fromCharCode(byte);
  return text;
}

/** @param {string} text @returns {Bytes} */
export const toBytes = (text) => new TextEncoder().encode(text);

/** @param {Uint8Array} bytes */
export const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * What zlib has packed.
 * @param {Uint8Array} bytes @param {number} most bytes of it @returns {Promise<Bytes>}
 * @throws {Error} where it is broken, or more
 */
export async function inflate(bytes, most) {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parts = [];
  let size = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    if ((size += value.length) > most) {
      await reader.cancel();
      throw new Error(`expected ${most} bytes at most, found more`);
    }
  }
}
