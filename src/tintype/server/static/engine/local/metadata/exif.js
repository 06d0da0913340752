// EXIF of an upright sRGB picture, corrected where it lies, as Python's exif.py corrects it.
// Source: TIFF 6.0; Exif 3.0.

import { shared } from "../shared.js";
import { readText, viewOf } from "./bytes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {[number, number]} Dpi dots per inch, horizontal and vertical */

const [ORIENTATION, ACROSS, DOWN, UNIT] = [274, 282, 283, 296];
const [PHOTO, PLACE, INTEROP, INDEX] = [0x8769, 0x8825, 0xa005, 1];
const [COLOR_SPACE, WIDTH, HEIGHT] = [0xa001, 0xa002, 0xa003];
const [SHORT, LONG, RATIONAL] = [3, 4, 5];
const SIZES = [NaN, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]; // of values by their kind, bytes

/** A block's directories; `at` is where one begins. */
class Block {
  /** @param {Bytes} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.little = readText(bytes, 0, 2) === "II";
    this.main = this.#long(4);
    this.photo = this.pointer(this.main, PHOTO);
  }

  /** @param {number} at */
  #long(at) {
    return this.view.getUint32(at, this.little);
  }

  /** @param {number} at */
  #short(at) {
    return this.view.getUint16(at, this.little);
  }

  /** Where a tag's entry begins; null where there is none. @param {number | null} at @param {number} number */
  find(at, number) {
    if (at === null) return null;
    for (let entry = at + 2, end = entry + 12 * this.#short(at); entry < end; entry += 12) {
      if (this.#short(entry) === number) return entry;
    }
    return null;
  }

  /** @param {number | null} at @param {number} number @returns {number | null} of another directory */
  pointer(at, number) {
    const entry = this.find(at, number);
    return entry === null ? null : this.#long(entry + 8);
  }

  /** @param {number} entry of one whole number */
  read(entry) {
    return this.#short(entry + 2) === SHORT ? this.#short(entry + 8) : this.#long(entry + 8);
  }

  /** Of a tag of the main directory, a positive one; NaN where there is none. @param {number} number */
  fraction(number) {
    const entry = this.find(this.main, number);
    if (entry === null || this.#short(entry + 2) !== RATIONAL || this.#long(entry + 4) !== 1) return NaN;
    const at = this.#long(entry + 8);
    return this.#long(at) / this.#long(at + 4);
  }

  /** A tag that is there gets a whole number. @param {number | null} at @param {number} number @param {number} value */
  write(at, number, value) {
    const entry = this.find(at, number);
    if (entry === null) return;
    const { view, little } = this;
    view.setUint16(entry + 2, value < 65536 ? SHORT : LONG, little);
    view.setUint32(entry + 4, 1, little);
    view.setUint32(entry + 8, 0);
    if (value < 65536) view.setUint16(entry + 8, value, little);
    else view.setUint32(entry + 8, value, little);
  }

  /** Whether its value lies in the block. @param {number} entry */
  #isWhole(entry) {
    const size = SIZES[this.#short(entry + 2)] * this.#long(entry + 4);
    return size <= 4 || this.#long(entry + 8) + size <= this.bytes.length;
  }

  /** Leave tags out of a directory, those that are broken, and what follows it. @param {number | null} at @param {number[]} numbers */
  drop(at, numbers) {
    if (at === null) return;
    const { bytes, view, little } = this;
    const end = at + 2 + 12 * this.#short(at);
    let to = at + 2;
    for (let entry = to; entry < end; entry += 12) {
      if (numbers.includes(this.#short(entry)) || !this.#isWhole(entry)) continue;
      bytes.copyWithin(to, entry, entry + 12);
      to += 12;
    }
    view.setUint16(at, (to - at - 2) / 12, little);
    bytes.fill(0, to, end + 4);
  }

  /** Exchange the values of two tags. @param {number} at @param {number} one @param {number} other */
  exchange(at, one, other) {
    const [first, second] = [this.find(at, one), this.find(at, other)];
    if (first === null || second === null) return;
    const kept = this.bytes.slice(first + 2, first + 12);
    this.bytes.copyWithin(first + 2, second + 2, second + 12);
    this.bytes.set(kept, second + 2);
  }
}

/** Dots per inch, where they are said and make sense. @param {Bytes} exif @returns {Dpi | null} */
export function dpiOf(exif) {
  try {
    const block = new Block(exif);
    const unit = block.find(block.main, UNIT);
    const scale = unit !== null && block.read(unit) === 3 ? 2.54 : 1;
    return checkDpi(scale * block.fraction(ACROSS), scale * block.fraction(DOWN));
  } catch {
    return null;
  }
}

/** @param {number} across @param {number} down @returns {Dpi | null} null for placeholders and nonsense */
export const checkDpi = (across, down) =>
  (across > 1 && down > 1 && across < 65536 && down < 65536 ? [across, down] : null);

/** @param {Bytes} exif @returns {number} 1..8 */
export function orientationOf(exif) {
  try {
    const block = new Block(exif);
    const entry = block.find(block.main, ORIENTATION);
    const value = entry === null ? 1 : block.read(entry);
    return value >= 1 && value <= 8 ? value : 1;
  } catch {
    return 1;
  }
}

/**
 * What is true of a new picture.
 * @param {Bytes} exif @param {{width: number, height: number}} size
 * @param {boolean} across whether the sides changed places as it was turned upright
 * @returns {Bytes | null} null where it is broken
 */
export function correctExif(exif, { width, height }, across) {
  try {
    const block = new Block(exif.slice());
    const { main, photo } = block;
    const { structure, stale } = shared.metadata.exif;
    block.drop(main, structure);
    block.write(main, ORIENTATION, 1);
    if (across) block.exchange(main, ACROSS, DOWN);
    const other = block.pointer(photo, INTEROP);
    const index = block.find(other, INDEX);
    const isAdobe = index !== null && readText(block.bytes, index + 8, 3) === "R03";
    block.drop(photo, isAdobe ? [...stale, INTEROP] : stale);
    block.drop(block.pointer(main, PLACE), []);
    if (!isAdobe) block.drop(other, []);
    block.write(photo, COLOR_SPACE, 1);
    block.write(photo, WIDTH, width);
    block.write(photo, HEIGHT, height);
    return block.bytes;
  } catch {
    return null;
  }
}
