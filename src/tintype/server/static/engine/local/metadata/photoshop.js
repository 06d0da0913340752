// Photoshop's image resources, one of which is IPTC, as Python's photoshop.py keeps them.
// Source: Adobe, Photoshop File Formats Specification, "Image Resource Blocks"; IPTC IIM 4.2.

import { join } from "../../../png.js";
import { shared } from "../shared.js";
import { readText, toBytes, viewOf } from "./bytes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {{number: number, name: Bytes, data: Bytes}} Resource name: as bytes, after their number */

export const SIGNATURE = "Photoshop 3.0\0";
const SIGNATURES = ["8BIM", "MeSa", "AgHg", "PHUT"]; // the others are of other programs
const [IPTC, RESOLUTION, DIGEST] = [1028, 1005, 1061];

/** The resources of a block, up to the first that is broken. @param {Bytes} block @returns {Resource[]} */
export function parseResources(block) {
  const view = viewOf(block);
  const found = [];
  for (let at = 0; at + 12 <= block.length && SIGNATURES.includes(readText(block, at, 4));) {
    const isPhotoshop = readText(block, at, 4) === "8BIM";
    const number = view.getUint16(at + 4);
    const length = block[at + 6] + 1;
    const name = block.slice(at + 6, at + 6 + length);
    at += 6 + length + length % 2;
    if (at + 4 > block.length) break;
    const size = view.getUint32(at);
    const data = block.slice(at + 4, at + 4 + size);
    if (data.length < size) break;
    if (isPhotoshop) found.push({ number, name, data });
    at += 4 + size + size % 2;
  }
  return found;
}

/** @param {Resource[]} resources @returns {Bytes} their block */
export const writeResources = (resources) => join(resources.flatMap(({ number, name, data }) => [
  toBytes("8BIM"), new Uint8Array([number >> 8, number & 255]), name, new Uint8Array(name.length % 2),
  new Uint8Array([24, 16, 8, 0].map((shift) => data.length >>> shift)), data, new Uint8Array(data.length % 2),
]));

/**
 * What describes the photo, and is true of an upright one.
 * @param {Resource[]} resources @param {boolean} across whether its sides changed places
 */
export function describeResources(resources, across) {
  const stale = [...shared.metadata.photoshop.stale];
  const kept = resources.map((one) => {
    const { number, data } = one;
    if (number === RESOLUTION && across && data.length === 16) {
      return { ...one, data: join([data.slice(8), data.slice(0, 8)]) };
    }
    if (number !== IPTC) return one;
    const rest = withoutPreview(data);
    if (rest.length < data.length) stale.push(DIGEST);
    return { ...one, data: rest };
  });
  return kept.filter(({ number }) => !stale.includes(number));
}

/** IPTC without the small picture that it may hold. @param {Bytes} iptc @returns {Bytes} */
function withoutPreview(iptc) {
  const view = viewOf(iptc);
  const parts = [];
  let hasPreview = false;
  for (let at = 0; at + 5 <= iptc.length && iptc[at] === 0x1c;) {
    let [start, size] = [at + 5, view.getUint16(at + 3)];
    if (size & 0x8000) { // the length of the length follows
      const width = size & 0x7fff;
      size = iptc.subarray(start, start + width).reduce((sum, byte) => 256 * sum + byte, 0);
      start += width;
    }
    if (start + size > iptc.length) break;
    const isPreview = iptc[at + 1] === 2 && [200, 201, 202].includes(iptc[at + 2]);
    if (!isPreview) parts.push(iptc.slice(at, start + size));
    hasPreview ||= isPreview;
    at = start + size;
  }
  return hasPreview ? join(parts) : iptc;
}
