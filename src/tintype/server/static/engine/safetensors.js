// Reads safetensors: 8 bytes of header length, a JSON header, and then the numbers of all arrays.

/** @typedef {Int8Array | Uint8Array | Float32Array} Numbers */
/** @typedef {{shape: number[], data: Numbers}} Tensor */
/** @typedef {{metadata: Record<string, string>, tensors: Record<string, Tensor>}} Tensors */

const KINDS = /** @type {const} */ ({ I8: Int8Array, U8: Uint8Array, F32: Float32Array });

/** @param {string} what is wrong @returns {never} */
function fail(what) {
  throw new Error(`expected safetensors, found ${what}; ask again`);
}

/**
 * What a file of safetensors holds; bytes are views of the buffer, other numbers are copies.
 * @param {ArrayBuffer} buffer @returns {Tensors}
 * @throws {Error} of one line, where it is cut off, of unknown numbers, or something else
 */
export function parse(buffer) {
  if (buffer.byteLength < 8) fail(`${buffer.byteLength} bytes`);
  const view = new DataView(buffer);
  const start = 8 + view.getUint32(0, true);
  if (view.getUint32(4, true) || start > buffer.byteLength) fail("a header that is cut off");
  /** @type {Tensors} */
  const found = { metadata: {}, tensors: {} };
  const header = readHeader(new Uint8Array(buffer, 8, start - 8));
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") found.metadata = entry;
    else found.tensors[name] = readTensor(buffer, start, name, entry);
  }
  return found;
}

/** @param {Uint8Array} bytes @returns {Record<string, any>} */
function readHeader(bytes) {
  let header = null;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    fail("a header that is no JSON");
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) fail("no header");
  return header;
}

/**
 * @param {ArrayBuffer} buffer @param {number} start of all numbers @param {string} name
 * @param {any} entry {dtype, shape, data_offsets} @returns {Tensor}
 */
function readTensor(buffer, start, name, entry) {
  const Kind = KINDS[/** @type {keyof typeof KINDS} */ (entry?.dtype)];
  if (!Kind) fail(`${name} of ${entry?.dtype}`);
  const { shape, data_offsets: offsets } = entry;
  const whole = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!whole(shape) || !whole(offsets) || offsets.length !== 2) fail(`${name} without a place`);
  const count = shape.reduce((/** @type {number} */ all, /** @type {number} */ n) => all * n, 1);
  const [from, to] = offsets;
  if (to - from !== count * Kind.BYTES_PER_ELEMENT) fail(`${name} of another size`);
  if (start + to > buffer.byteLength) fail(`${name} cut off`);
  const bytes = buffer.slice(start + from, start + to); // of floats, these may begin anywhere
  if (Kind === Float32Array) return { shape, data: new Kind(bytes) };
  return { shape, data: new Kind(buffer, start + from, count) };
}
