// A zip archive of files that are compressed already, so they are stored as they are.
// Source: PKWARE, APPNOTE.TXT 6.3.10; without Zip64.

const UTF8 = 1 << 11;
const MOST = 0xffffffff; // bytes of an archive
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32 of a file, read piece by piece. @param {Blob} file @returns {Promise<number>} */
async function checksum(file) {
  let value = 0xffffffff;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value: piece } = await reader.read();
    if (done) return ~value >>> 0;
    for (const byte of piece) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  }
}

/** @param {[2 | 4, number][]} fields bytes and value, little-endian @returns {Uint8Array<ArrayBuffer>} */
function pack(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
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

  /**
   * @param {string} name @param {Blob} file @param {Date} [when] local time
   * @throws {Error} where the archive would be larger than 4 GiB
   */
  async add(name, file, when = new Date()) {
    const letters = new TextEncoder().encode(name);
    const room = this.#size + this.#listed + file.size + 2 * letters.length + 200;
    if (room > MOST) throw new RangeError("expected an archive of at most 4 GiB, found a larger one");
    /** @type {[2 | 4, number][]} */
    const about = [
      [2, 20], [2, UTF8], [2, 0],
      [2, (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1)],
      [2, ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate()],
      [4, await checksum(file)], [4, file.size], [4, file.size], [2, letters.length], [2, 0],
    ];
    const head = pack([[4, 0x04034b50], ...about]);
    const entry = pack([
      [4, 0x02014b50], [2, 20], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, this.#size],
    ]);
    this.#files.push(head, letters, file);
    this.#directory.push(entry, letters);
    this.#size += head.length + letters.length + file.size;
    this.#listed += entry.length + letters.length;
    this.#count += 1;
  }

  /** @returns {Blob} */
  finish() {
    const end = pack([
      [4, 0x06054b50], [2, 0], [2, 0], [2, this.#count], [2, this.#count],
      [4, this.#listed], [4, this.#size], [2, 0],
    ]);
    return new Blob([...this.#files, ...this.#directory, end], { type: "application/zip" });
  }
}
