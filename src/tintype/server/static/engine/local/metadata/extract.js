// What a file says of its photo: EXIF, XMP and IPTC of JPEG, PNG and WebP, as Python's extract.py.

import { join } from "../../../png.js";
import { shared } from "../shared.js";
import { inflate, readText, viewOf } from "./bytes.js";
import { checkDpi, dpiOf, orientationOf } from "./exif.js";
import { parseResources, SIGNATURE } from "./photoshop.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/**
 * @typedef {object} Metadata
 * @property {Bytes | null} exif from the header of TIFF on
 * @property {Bytes | null} xmp @property {Bytes | null} extension what of it a segment had no room for
 * @property {import("./photoshop.js").Resource[]} resources IPTC among them
 * @property {number} orientation 1..8, of the file's pixels
 * @property {import("./exif.js").Dpi | null} dpi of the file's pixels
 */
/** @typedef {{name: string, data: Bytes}} Part of a file: a segment, or a chunk */

const EXIF_HEAD = "Exif\0\0";
const JFIF_HEAD = "JFIF\0";
export const XMP_HEAD = "http://ns.adobe.com/xap/1.0/\0";
export const EXTENSION_HEAD = "http://ns.adobe.com/xmp/extension/\0";
export const PACKET = "XML:com.adobe.xmp";
export const INCH = 0.0254; // meters
const PROFILE = "Raw profile type "; // ImageMagick's, of what PNG had no chunks for

/** @param {Blob} file @returns {Promise<Metadata>} */
export async function readMetadata(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const found = readText(bytes, 0, 2) === "\xff\xd8" ? ofJpeg(bytes)
    : readText(bytes, 1, 3) === "PNG" ? await ofPng(bytes)
    : readText(bytes, 8, 4) === "WEBP" ? ofWebp(bytes) : {};
  const exif = found.exif ?? null;
  return {
    exif, xmp: found.xmp ?? null, extension: found.extension ?? null,
    resources: found.resources ?? [], orientation: exif ? orientationOf(exif) : 1,
    dpi: found.dpi ?? (exif && dpiOf(exif)),
  };
}

/** @param {Bytes} file @returns {Partial<Metadata>} */
function ofJpeg(file) {
  const segments = listSegments(file);
  const after = (/** @type {string} */ head) => segments
    .filter((data) => readText(data, 0, head.length) === head).map((data) => data.slice(head.length));
  const resources = after(SIGNATURE);
  return {
    exif: after(EXIF_HEAD)[0], xmp: after(XMP_HEAD)[0], extension: joinExtension(after(EXTENSION_HEAD)),
    resources: parseResources(join(resources)), dpi: readDensity(after(JFIF_HEAD)[0]),
  };
}

/** Dots per inch of JFIF. @param {Bytes | undefined} data after its name */
function readDensity(data) {
  if (!data || data.length < 7 || ![1, 2].includes(data[2])) return null;
  const scale = data[2] === 2 ? 2.54 : 1;
  return checkDpi(scale * viewOf(data).getUint16(3), scale * viewOf(data).getUint16(5));
}

/** The segments before the pixels. @param {Bytes} file */
function listSegments(file) {
  const view = viewOf(file);
  const found = [];
  for (let at = 2; at + 4 < file.length && file[at] === 0xff && file[at + 1] !== 0xda;) {
    if (file[at + 1] === 0xff) {
      at++; // filled up
      continue;
    }
    const size = view.getUint16(at + 2);
    if (size < 2) break;
    found.push(file.subarray(at + 4, at + 2 + size));
    at += 2 + size;
  }
  return found;
}

/** The extended packet, whose pieces come in any order; null where one is missing. @param {Bytes[]} pieces */
function joinExtension(pieces) {
  /** @type {Map<string, {length: number, parts: {from: number, data: Bytes}[]}>} */
  const packets = new Map();
  for (const piece of pieces.filter(({ length }) => length > 40)) {
    const guid = readText(piece, 0, 32);
    const [length, from] = [32, 36].map((at) => viewOf(piece).getUint32(at));
    const packet = packets.get(guid) ?? { length, parts: [] };
    packet.parts.push({ from, data: piece.slice(40) });
    packets.set(guid, packet);
  }
  for (const { length, parts } of packets.values()) {
    const whole = join(parts.sort((one, other) => one.from - other.from).map(({ data }) => data));
    if (whole.length === length) return whole;
  }
  return null;
}

/** @param {Bytes} file @returns {Promise<Partial<Metadata>>} */
async function ofPng(file) {
  /** @type {Record<string, Bytes>} */ const found = {};
  for (const { name, data } of listChunks(file, 8, false)) {
    if (name === "eXIf") found.exif ??= data.slice();
    if (name === "pHYs") found.pHYs ??= data;
    const text = /^(tEXt|zTXt|iTXt)$/.test(name) ? await readChunk(name, data).catch(() => null) : null;
    if (text?.keyword === PACKET) found.xmp ??= text.value;
    else if (text?.keyword.startsWith(PROFILE)) found[text.keyword] ??= readHex(text.value);
  }
  const profile = (/** @type {string[]} */ ...names) => names.map((name) => found[PROFILE + name]).find(Boolean);
  const exif = found.exif ?? profile("exif", "APP1");
  const sides = found.pHYs?.length === 9 && found.pHYs[8] === 1 ? viewOf(found.pHYs) : null; // in a meter
  return {
    exif: exif && (readText(exif, 0, 6) === EXIF_HEAD ? exif.slice(6) : exif), xmp: found.xmp ?? profile("xmp"),
    resources: parseResources(profile("8bim", "iptc") ?? new Uint8Array(0)),
    dpi: sides && checkDpi(INCH * sides.getUint32(0), INCH * sides.getUint32(4)),
  };
}

/**
 * The chunks of a PNG, or of a RIFF file.
 * @param {Bytes} file @param {number} from @param {boolean} riff @returns {Part[]}
 */
function listChunks(file, from, riff) {
  const view = viewOf(file);
  const found = [];
  for (let at = from; at + 8 <= file.length;) {
    const size = view.getUint32(at + (riff ? 4 : 0), riff);
    found.push({ name: readText(file, at + (riff ? 0 : 4), 4), data: file.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (riff ? size % 2 : 4);
  }
  return found;
}

/** A text of a PNG. @param {string} name @param {Bytes} data @returns {Promise<{keyword: string, value: Bytes}>} */
async function readChunk(name, data) {
  const first = data.indexOf(0);
  const keyword = readText(data, 0, first);
  let [start, packed] = [first + 1, name === "zTXt"];
  if (packed) start++;
  if (name === "iTXt") {
    packed = data[start] === 1;
    start = data.indexOf(0, data.indexOf(0, start + 2) + 1) + 1;
  }
  const value = data.slice(start);
  return { keyword, value: packed ? await inflate(value, shared.metadata.xmp.most) : value };
}

/** Bytes in hexadecimal, after a line that names them and one that counts them. @param {Bytes} text */
function readHex(text) {
  const digits = readText(text).trim().split("\n").slice(2).join("").replace(/\s/g, "");
  if (/[^\da-f]/i.test(digits)) return new Uint8Array(0);
  return Uint8Array.from({ length: digits.length >> 1 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** @param {Bytes} file @returns {Partial<Metadata>} */
function ofWebp(file) {
  const chunks = listChunks(file, 12, true);
  const find = (/** @type {string} */ name) => chunks.find((one) => one.name === name)?.data.slice();
  const exif = find("EXIF");
  return { exif: exif && readText(exif, 0, 6) === EXIF_HEAD ? exif.slice(6) : exif, xmp: find("XMP ") };
}
