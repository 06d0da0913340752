// What the engine says of a thing; it may be asked faster than it answers.

import { recipeOf } from "../state/choice.js";
import { readMask, readPicture } from "./mask.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("./edit.js").Thing} Thing */
/** @typedef {import("./mask.js").Mask} Mask */

/**
 * The same function, but its answer is null once another was asked for.
 * @template {any[]} Words
 * @template Answer
 * @param {(...words: Words) => Promise<Answer>} ask
 * @returns {(...words: Words) => Promise<Answer | null>}
 */
export function latest(ask) {
  let count = 0;
  return async (...words) => {
    const mine = ++count;
    try {
      const answer = await ask(...words);
      return mine === count ? answer : null;
    } catch (error) {
      if (mine !== count) return null;
      throw error;
    }
  };
}

export class Answers {
  /** @type {Map<string, symbol>} */ #awaited = new Map();

  /** @param {Session} session @param {import("./popover.js").Popover} popover tells what goes wrong */
  constructor(session, popover) {
    this.session = session;
    this.popover = popover;
    const { engine } = session;
    this.findRegion = latest(async (/** @type {Parameters<typeof engine.region>} */ ...words) =>
      readPicture(await engine.region(...words)));
    this.findColors = latest((/** @type {Parameters<typeof engine.suggest>} */ ...words) =>
      engine.suggest(...words));
  }

  /** Let go of what is awaited. */
  clear() {
    this.#awaited.clear();
    this.popover.busy = false;
  }

  /** The likeliest colors; null if others were asked for since. @param {Thing} thing */
  async colors({ at }) {
    const { open } = this.session;
    if (!open?.photo || !open.choice) return null;
    const recipe = recipeOf({ ...open.choice, pins: [] });
    return this.#await("colors", this.findColors(open.photo, at, recipe));
  }

  /** Where a thing is; null if another was asked for since. @param {Thing} thing */
  async region({ at, pin }) {
    const { open } = this.session;
    if (!open?.photo) return null;
    const edit = pin === null ? null : open.choice?.pins[pin];
    const text = edit?.mask ?? edit?.protect;
    return this.#await("region", text
      ? readMask(text) : this.findRegion(open.photo, at, edit?.reach ?? null));
  }

  /** @template T @param {string} name @param {Promise<T>} answer @returns {Promise<T | null>} */
  async #await(name, answer) {
    const mine = Symbol(name);
    this.#awaited.set(name, mine);
    const { popover, session } = this;
    popover.busy = true;
    try {
      return await answer;
    } catch (error) {
      const { status, message } = /** @type {import("../engine/engine.js").Problem} */ (error);
      if (this.#awaited.get(name) === mine) popover.say(message);
      if (status === 0) session.try(() => Promise.reject(error));
      return null;
    } finally {
      if (this.#awaited.get(name) === mine) this.#awaited.delete(name);
      popover.busy = this.#awaited.size > 0;
    }
  }
}
