// What a photo's file says of its making, EXIF, and what a colored one says of itself, XMP.

import { join, makeChunk } from "../../png.js";
import { shared } from "./shared.js";

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const SEGMENT = 65_533; // bytes that a segment of a JPEG holds

/** EXIF of a JPEG or a PNG. @param {Uint8Array} file @returns {Bytes | null} a TIFF header on */
export function findExif(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length > 4 && view.getUint16(0) === 0xffd8) {
    for (let at = 2; at + 10 < file.length && file[at] === 0xff && file[at + 1] !== 0xda;) {
      const size = view.getUint16(at + 2);
      if (file[at + 1] === 0xe1 && readText(file, at + 4, 4) === "Exif") return copy(file, at + 10, at + 2 + size);
      at += 2 + size;
    }
  } else if (file.length > 8 && view.getUint32(0) === 0x89504e47) {
    for (let at = 8; at + 8 < file.length;) {
      const size = view.getUint32(at);
      if (readText(file, at + 4, 4) === "eXIf") return copy(file, at + 8, at + 8 + size);
      at += 12 + size;
    }
  }
  return null;
}

/** @param {Uint8Array} bytes @param {number} from @param {number} to */
const copy = (bytes, from, to) => new Uint8Array(bytes.subarray(from, to));

/** @param {Uint8Array} bytes @param {number} at @param {number} length */
const readText = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));

/**
 * The same of an upright picture: orientation 1, and no thumbnail, which would be gray.
 * @param {Uint8Array} exif @returns {Bytes | null} null where it is broken
 */
export function setUpright(exif) {
  const bytes = new Uint8Array(exif);
  const view = new DataView(bytes.buffer);
  try {
    const little = readText(bytes, 0, 2) === "II";
    const start = view.getUint32(4, little);
    const count = view.getUint16(start, little);
    for (let at = start + 2; at < start + 2 + 12 * count; at += 12) {
      if (view.getUint16(at, little) === 0x0112) view.setUint16(at + 8, 1, little);
    }
    view.setUint32(start + 2 + 12 * count, 0, little);
    return bytes;
  } catch {
    return null;
  }
}

/**
 * XMP: that the colors are computed, by what, and by which recipe, as Python's provenance.py says it.
 * @param {Record<string, any> | null} recipe null leaves it out @returns {Bytes}
 */
function describe(recipe) {
  const { namespace, kind } = shared.provenance;
  const text = recipe && `<tintype:Recipe>${escape(JSON.stringify(recipe))}</tintype:Recipe>`;
  return new TextEncoder().encode(`<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:tintype="${namespace}">\
<xmp:CreatorTool>Tintype ${shared.version}</xmp:CreatorTool>\
<Iptc4xmpExt:DigitalSourceType>${kind}</Iptc4xmpExt:DigitalSourceType>${text ?? ""}\
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`);
}

/** @param {string} text */
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/**
 * A picture's file with what is said of it; a JPEG has no room for a recipe with large masks.
 * @param {Bytes} file JPEG or PNG; another stays as it is
 * @param {Uint8Array | null} exif @param {Record<string, any>} recipe
 * @returns {Bytes}
 */
export function addMetadata(file, exif, recipe) {
  if (file[0] === 0xff) {
    const head = "http://ns.adobe.com/xap/1.0/\0";
    const parts = [exif && makeSegment("Exif\0\0", exif),
      makeSegment(head, describe(recipe)) ?? makeSegment(head, describe(null))];
    return join([file.subarray(0, 2), ...parts.filter((part) => part !== null), file.subarray(2)]);
  }
  if (file[0] !== 0x89) return file;
  const words = new TextEncoder().encode("XML:com.adobe.xmp\0\0\0\0\0");
  const chunks = [...(exif ? [makeChunk("eXIf", exif)] : []), makeChunk("iTXt", join([words, describe(recipe)]))];
  return join([file.subarray(0, 33), ...chunks, file.subarray(33)]); // after the header
}

/** An APP1 of a JPEG. @param {string} head @param {Uint8Array} data @returns {Bytes | null} null where it is too long */
function makeSegment(head, data) {
  if (head.length + data.length > SEGMENT) return null;
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, 0xffe10000 + head.length + data.length + 2);
  return join([size, new TextEncoder().encode(head), data]);
}
