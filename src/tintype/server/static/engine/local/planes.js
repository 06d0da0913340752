// A result as the small planes that it is made of, as the server's planes.py packs them.

import { clip, round } from "./color.js";

/** @typedef {import("./result.js").Result} Result */
/** @typedef {{kind: "I8" | "U8", shape: number[], bytes: Uint8Array | Int8Array}} Packed */

/**
 * @param {Result} result
 * @returns {ArrayBuffer} a safetensors file
 */
export function packPlanes({ chroma, h, w, layers, border, borderSize }) {
  /** @type {Record<string, Packed>} */
  const tensors = {
    chroma: { kind: "I8", shape: [2, h, w], bytes: toInt8(chroma) },
  };
  if (border) {
    tensors.border = { kind: "U8", shape: borderSize, bytes: border.map((is) => (is ? 255 : 0)) };
  }
  layers.forEach(({ shares, h: high, w: wide, tints }, k) => {
    const n = shares.length;
    const bytes = new Uint8Array(n * high * wide);
    shares.forEach((share, i) => share.forEach((value, j) => (bytes[i * high * wide + j] = round(255 * value))));
    tensors[`layers.${k}.shares`] = { kind: "U8", shape: [n, high, wide], bytes };
    const all = new Float32Array(512 * n);
    tints.forEach((tint, i) => all.set(tint, 512 * i));
    tensors[`layers.${k}.tints`] = { kind: "I8", shape: [n, 256, 2], bytes: toInt8(all) };
  });
  const about = layers.map(({ places, levels, fine }) => ({ places, levels, fine }));
  return pack(tensors, { layers: JSON.stringify(about) });
}

/** @param {Float32Array} values */
const toInt8 = (values) => Int8Array.from(values, (value) => clip(round(value), -128, 127));

/** @param {Record<string, Packed>} tensors @param {Record<string, string>} about */
function pack(tensors, about) {
  /** @type {Record<string, any>} */
  const header = { __metadata__: about };
  let end = 0;
  for (const [name, { kind, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype: kind, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + 8 * Math.ceil(text.length / 8);
  const file = new Uint8Array(start + end).fill(32, 8, start);
  new DataView(file.buffer).setUint32(0, start - 8, true);
  new DataView(file.buffer).setUint32(4, 0, true);
  file.set(text, 8);
  for (const [name, { bytes }] of Object.entries(tensors)) {
    file.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), start + header[name].data_offsets[0]);
  }
  return file.buffer;
}
