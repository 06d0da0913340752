// A zip archive of files that are compressed already, so they are stored as they are.
// Source: PKWARE, APPNOTE.TXT 6.3.10; Zip64 (4.3.14, 4.3.15, 4.5.3) where 4 GiB or 65,535 files do not do.

import { crc32 } from "../crc32.js";

const UTF8 = 1 << 11;
const [MOST, MOST_FILES] = [0xffffffff, 0xffff]; // what a field holds; that itself says "see Zip64"
const [PLAIN, ZIP64] = [20, 45]; // versions that a reader needs

/** CRC-32 of a file, read piece by piece. @param {Blob} file @returns {Promise<number>} */
async function checksum(file) {
  let sum = 0;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return sum;
    sum = crc32(value, sum);
  }
}

/** @typedef {[2 | 4 | 8, number][]} Fields bytes and value of each, little-endian */

/** @param {Fields} fields @returns {Uint8Array<ArrayBuffer>} */
function pack(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** An archive that is written file by file; the browser keeps the files where it has room. */
export class Zip {
  /** @type {BlobPart[]} */ #files = [];
  /** @type {BlobPart[]} */ #directory = [];
  #size = 0;
  #listed = 0;
  #count = 0;

  /** @param {{most?: number, files?: number}} [limits] from which on it is Zip64, bytes and files */
  constructor({ most = MOST, files = MOST_FILES } = {}) {
    this.most = most;
    this.files = files;
  }

  /** @param {string} name @param {Blob} file @param {Date} [when] local time */
  async add(name, file, when = new Date()) {
    const letters = new TextEncoder().encode(name);
    const sum = await checksum(file);
    const size = file.size < this.most ? file.size : MOST;
    const offset = this.#size < this.most ? this.#size : MOST;
    /** @type {Fields} */ const sizes = size === MOST ? [[8, file.size], [8, file.size]] : [];
    /** @type {Fields} */ const place = offset === MOST ? [[8, this.#size]] : [];
    /** @param {Fields} large @returns {Fields} */
    const describe = (large) => [
      [2, large.length ? ZIP64 : PLAIN], [2, UTF8], [2, 0],
      [2, (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1)],
      [2, ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate()],
      [4, sum], [4, size], [4, size], [2, letters.length], [2, large.length ? 4 + 8 * large.length : 0],
    ];
    /** @param {Fields} large */
    const extra = (large) => (large.length ? pack([[2, 1], [2, 8 * large.length], ...large]) : pack([]));
    const all = [...sizes, ...place];
    const head = [pack([[4, 0x04034b50], ...describe(sizes)]), letters, extra(sizes)];
    const entry = [pack([
      [4, 0x02014b50], [2, ZIP64], ...describe(all), [2, 0], [2, 0], [2, 0], [4, 0], [4, offset],
    ]), letters, extra(all)];
    this.#files.push(...head, file);
    this.#directory.push(...entry);
    this.#size += lengthOf(head) + file.size;
    this.#listed += lengthOf(entry);
    this.#count += 1;
  }

  /** @returns {Blob} */
  finish() {
    const [size, listed, count] = [this.#size, this.#listed, this.#count];
    const large = Math.max(size, listed) >= this.most || count >= this.files;
    const end = pack([
      [4, 0x06054b50], [2, 0], [2, 0], [2, large ? MOST_FILES : count], [2, large ? MOST_FILES : count],
      [4, large ? MOST : listed], [4, large ? MOST : size], [2, 0],
    ]);
    const before = large ? [pack([
      [4, 0x06064b50], [8, 44], [2, ZIP64], [2, ZIP64], [4, 0], [4, 0], [8, count], [8, count],
      [8, listed], [8, size],
      [4, 0x07064b50], [4, 0], [8, size + listed], [4, 1],
    ])] : [];
    return new Blob([...this.#files, ...this.#directory, ...before, end], { type: "application/zip" });
  }
}

/** @param {Uint8Array[]} parts */
const lengthOf = (parts) => parts.reduce((sum, { length }) => sum + length, 0);
