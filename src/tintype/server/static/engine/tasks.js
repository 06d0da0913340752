// What a worker does for one photo; where there are no workers, the page does it.

import { Guide } from "./guide.js";
import { lumaOf } from "./luma.js";

export class Tasks {
  /** @type {Guide | null} */ #guide = null;

  /** See `lumaOf`. @param {Parameters<typeof lumaOf>} parts */
  read(...parts) {
    return lumaOf(...parts);
  }

  /**
   * Compute what depends on luma alone.
   * @param {Uint8Array} luma (height, width) @param {number} width @param {number} height
   * @returns {null}
   */
  open(luma, width, height) {
    this.#guide = new Guide(luma, height, width);
    return null;
  }

  /**
   * Compute what depends on the size of the chroma, too, that will come.
   * @param {number} height @param {number} width @returns {null}
   */
  prepare(height, width) {
    this.#guide?.prepare(height, width);
    return null;
  }

  /**
   * Chroma where edges guide.
   * @param {ArrayBuffer} planes safetensors @param {boolean} quick as of `Guide.enlarge`
   * @returns {import("./guide.js").Chroma}
   */
  enlarge(planes, quick) {
    if (!this.#guide) throw new Error("expected a photo, found none; open one");
    return this.#guide.enlarge(planes, quick);
  }
}
