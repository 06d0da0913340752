// What a photo's file says of its making: EXIF, carried from file to file, upright.

/** EXIF of a JPEG or a PNG. @param {Uint8Array} file @returns {Uint8Array | null} a TIFF header on */
export function findExif(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length > 4 && view.getUint16(0) === 0xffd8) {
    for (let at = 2; at + 10 < file.length && file[at] === 0xff && file[at + 1] !== 0xda;) {
      const size = view.getUint16(at + 2);
      if (file[at + 1] === 0xe1 && readText(file, at + 4, 4) === "Exif") return file.slice(at + 10, at + 2 + size);
      at += 2 + size;
    }
  } else if (file.length > 8 && view.getUint32(0) === 0x89504e47) {
    for (let at = 8; at + 8 < file.length;) {
      const size = view.getUint32(at);
      if (readText(file, at + 4, 4) === "eXIf") return file.slice(at + 8, at + 8 + size);
      at += 12 + size;
    }
  }
  return null;
}

/** @param {Uint8Array} bytes @param {number} at @param {number} length */
const readText = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));

/**
 * The same of an upright picture: orientation 1, and no thumbnail, which would be gray.
 * @param {Uint8Array} exif @returns {Uint8Array | null} null where it is broken
 */
export function setUpright(exif) {
  const bytes = exif.slice();
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
 * A picture's file with EXIF.
 * @param {Uint8Array<ArrayBuffer>} file JPEG or PNG; another stays as it is @param {Uint8Array} exif
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function addExif(file, exif) {
  if (file[0] === 0xff && exif.length < 65000) {
    const head = new Uint8Array(10);
    new DataView(head.buffer).setUint16(0, 0xffe1);
    new DataView(head.buffer).setUint16(2, exif.length + 8);
    head.set([69, 120, 105, 102], 4); // Exif, and two zeros
    return insert(file, 2, [head, exif]);
  }
  if (file[0] !== 0x89) return file;
  const chunk = new Uint8Array(exif.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, exif.length);
  chunk.set([101, 88, 73, 102], 4); // eXIf
  chunk.set(exif, 8);
  view.setUint32(exif.length + 8, checksum(chunk.subarray(4, exif.length + 8)));
  return insert(file, 33, [chunk]); // after the header
}

/** @param {Uint8Array} file @param {number} at @param {Uint8Array[]} parts */
function insert(file, at, parts) {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, file.length));
  result.set(file.subarray(0, at));
  let end = at;
  for (const part of [...parts, file.subarray(at)]) {
    result.set(part, end);
    end += part.length;
  }
  return result;
}

/** CRC-32, as PNG has it. @param {Uint8Array} bytes */
function checksum(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
