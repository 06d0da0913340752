// A saved picture with what its photo's file says, corrected, and what it says of itself, as Python's
// embed.py. Its parts are joined, not copied.

import { crc32 } from "../../../crc32.js";
import { join, makeChunk } from "../../../png.js";
import { readText, toBytes } from "./bytes.js";
import { correctExif } from "./exif.js";
import { EXTENSION_HEAD, INCH, PACKET, XMP_HEAD } from "./extract.js";
import { describeResources, SIGNATURE, writeResources } from "./photoshop.js";
import { Packet } from "./xmp.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./extract.js").Metadata} Metadata */

/**
 * @typedef {object} Said what goes into a file
 * @property {Bytes | null} exif @property {Packet} packet @property {Bytes | null} resources
 * @property {number[] | null} dpi horizontal and vertical
 */

const HEAD = 33; // bytes, in which a PNG has its header, and a JPEG that of JFIF
const SEGMENT = 65_533; // bytes that a segment of a JPEG holds
const PIECE = 65_000; // and of an extended packet
const [APP1, APP13] = [0xe1, 0xed];

/**
 * @param {Blob} picture JPEG or PNG; another stays as it is
 * @param {Metadata} metadata of the photo @param {Record<string, any>} recipe complete
 * @param {{width: number, height: number}} size of the picture
 */
export async function embed(picture, metadata, recipe, size) {
  const { type } = picture;
  const write = { "image/jpeg": writeSegments, "image/png": writeChunks }[type];
  if (!write) return picture;
  const across = metadata.orientation >= 5;
  const exif = metadata.exif && correctExif(metadata.exif, size, across);
  const resources = describeResources(metadata.resources, across);
  const packet = readPacket(metadata);
  packet.correct({ ...size, mime: type, orientation: metadata.orientation });
  packet.stamp(recipe);
  const dpi = across && metadata.dpi ? metadata.dpi.toReversed() : metadata.dpi;
  const head = new Uint8Array(await picture.slice(0, HEAD).arrayBuffer());
  const block = resources.length ? writeResources(resources) : null;
  const { at, parts } = write(head, { exif, packet, resources: block, dpi });
  return new Blob([head.subarray(0, at), ...parts, head.subarray(at), picture.slice(HEAD)], { type });
}

/** The photo's packet, all in one; an empty one where there is none to be trusted. @param {Metadata} metadata */
function readPacket({ xmp, extension }) {
  try {
    const packet = new Packet(xmp);
    try {
      if (extension) packet.merge(extension);
    } catch { /* then the first is all */ }
    return packet;
  } catch {
    return new Packet();
  }
}

/** @param {Bytes} file its head @param {Said} said @returns {{at: number, parts: Bytes[]}} at: where they go */
function writeSegments(file, { exif, packet, resources, dpi }) {
  const parts = [];
  const isJfif = readText(file, 6, 5) === "JFIF\0" && file[5] === 16; // without a thumbnail
  if (isJfif && dpi) {
    const [across, down] = dpi.map(Math.round);
    file.set([1, across >> 8, across & 255, down >> 8, down & 255], 13);
  }
  const head = toBytes("Exif\0\0");
  if (exif && exif.length + head.length <= SEGMENT) parts.push(makeSegment(APP1, head, exif));
  parts.push(...writePacket(packet));
  const size = SEGMENT - SIGNATURE.length;
  for (let at = 0; resources && at < resources.length; at += size) {
    parts.push(makeSegment(APP13, toBytes(SIGNATURE), resources.subarray(at, at + size)));
  }
  return { at: isJfif ? 20 : 2, parts };
}

/** A packet in one segment, or with the rest in further ones. @param {Packet} packet */
function writePacket(packet) {
  const [first, rest] = packet.split(SEGMENT - XMP_HEAD.length, nameBytes);
  const segments = [makeSegment(APP1, toBytes(XMP_HEAD), first)];
  for (let at = 0; rest && at < rest.length; at += PIECE) {
    const numbers = new DataView(new ArrayBuffer(8));
    numbers.setUint32(0, rest.length);
    numbers.setUint32(4, at);
    const head = join([toBytes(EXTENSION_HEAD + nameBytes(rest)), new Uint8Array(numbers.buffer)]);
    segments.push(makeSegment(APP1, head, rest.subarray(at, at + PIECE)));
  }
  return segments;
}

/** 32 digits that tell bytes from others; readers compare them alone. @param {Bytes} bytes */
const nameBytes = (bytes) => [1, 2, 3, 4].map((seed) =>
  crc32(bytes, seed).toString(16).padStart(8, "0")).join("").toUpperCase();

/** @param {number} mark @param {Bytes} head @param {Bytes} data @returns {Bytes} */
function makeSegment(mark, head, data) {
  const size = head.length + data.length + 2;
  return join([new Uint8Array([0xff, mark, size >> 8, size & 255]), head, data]);
}

/** @param {Bytes} file its head @param {Said} said @returns {{at: number, parts: Bytes[]}} at: where they go */
function writeChunks(file, { exif, packet, resources, dpi }) {
  const parts = exif ? [makeChunk("eXIf", exif)] : [];
  if (dpi) {
    const sides = new DataView(new ArrayBuffer(9)); // in a meter
    dpi.forEach((side, k) => sides.setUint32(4 * k, Math.round(side / INCH)));
    sides.setUint8(8, 1);
    parts.push(makeChunk("pHYs", new Uint8Array(sides.buffer)));
  }
  parts.push(makeChunk("iTXt", join([toBytes(`${PACKET}\0\0\0\0\0`), packet.encode()])));
  if (resources) {
    const digits = readText(resources).replace(/[^]/g, (letter) => letter.charCodeAt(0).toString(16).padStart(2, "0"));
    const rows = digits.match(/.{1,72}/g)?.join("\n");
    const text = `Raw profile type iptc\0\niptc\n${String(resources.length).padStart(8)}\n${rows}\n`;
    parts.push(makeChunk("tEXt", toBytes(text)));
  }
  return { at: file.length, parts };
}
