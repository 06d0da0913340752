// Thumbnails follow what is chosen: that of the open photo is made of what is shown, the others' are
// asked for, one at a time.

import { recipeOf } from "../state/choice.js";

/** @typedef {import("../state/open_photo.js").OpenPhoto} OpenPhoto */

export class Thumbnails {
  /** @type {Set<OpenPhoto>} */ #old = new Set(); // whose thumbnails are no longer right
  #busy = false;

  /** @param {import("../state/session.js").Session} session */
  constructor(session) {
    this.session = session;
    /** @type {import("../state/choice.js").Choice | null} */ let last = null;
    session.on("choice", () => {
      const { open, choice } = session;
      if (open && choice && choice !== last) this.#old.add(open);
      last = choice;
    });
    session.on("shown", ({ one, recipe, done }) => {
      const same = () => JSON.stringify(recipe) === JSON.stringify(recipeOf(one.choice));
      if (done && same()) this.#old.delete(one);
    });
    session.on("given", (one) => this.#add(one));
    session.on("open", () => this.#work());
    session.on("photos", () => this.#work());
  }

  /** @param {OpenPhoto} one */
  #add(one) {
    this.#old.add(one);
    this.#work();
  }

  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    const { session } = this;
    for (;;) {
      const one = session.photos.find((other) =>
        this.#old.has(other) && other !== session.open && other.photo && other.thumbnail);
      if (!one?.photo || !one.choice) break;
      this.#old.delete(one);
      const picture = await session.engine.thumbnail(one.photo, recipeOf(one.choice)).catch(() => null);
      if (!picture || one === session.open) continue; // or it makes its own
      one.thumbnail = picture;
      session.tell("photos");
    }
    this.#busy = false;
  }
}
