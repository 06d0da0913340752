// One photo that is open in the page: its file, what the engine says of it, what was chosen so far.

import { History } from "./history.js";
import { unedited } from "./choice.js";

/** @typedef {import("../engine/engine.js").Photo} Photo */
/** @typedef {import("../engine/engine.js").Decoded} Decoded */
/** @typedef {import("./choice.js").Choice} Choice */
/** @typedef {{number: number, choice: Choice, picture: Blob}} Version that a person keeps */

let count = 0;

export class OpenPhoto {
  /** @type {Photo | null} */ photo = null; // what the engine says of it; null until it was encoded
  /** @type {History | null} */ history = null;
  /** @type {Choice | null} */ choice = null; // as it is shown, also under a hand that moves
  /** @type {Blob | null} */ thumbnail = null; // as it is colored now
  /** @type {Decoded | null} */ decoded = null; // the last that was shown
  /** @type {{zoom: number, x: number, y: number, split: number} | null} */ view = null;
  /** @type {Version[]} */ versions = []; // another list when one comes or goes
  /** @type {{choice: Choice, picture: Blob}[]} Automatic, then the four alternatives, by what they show */
  variants = [];

  /** @param {File} file @param {string} [key] its name in the browser's storage */
  constructor(file, key) {
    this.file = file;
    this.name = file.name || "pasted.png";
    this.key = key ?? `${Date.now()}-${count++}`;
  }

  /**
   * Go on where one was.
   * @param {{photo: Photo | null, states: Choice[], at: number}} kept
   */
  resume({ photo, states, at }) {
    this.history = new History(states, at);
    if (photo) this.encoded(photo);
  }

  /** What the engine says of it; its history begins, unless it goes on. @param {Photo} photo */
  encoded(photo) {
    this.photo = photo;
    this.history ??= new History([unedited(photo)]);
    this.choice = this.history.current;
  }

  /** What a hand has let go of: this is saved, not what is only looked at. @returns {Choice | null} */
  get chosen() {
    return this.history?.current ?? null;
  }

  /** Whether anything was done that could be lost. */
  get isEdited() {
    return Boolean(this.history?.canUndo || this.history?.canRedo);
  }
}
