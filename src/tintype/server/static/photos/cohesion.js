// How much the chosen photos look as if they were of one roll.

import { input, the } from "../page.js";
import { match, startOf, unmatch } from "../state/choice.js";
import { t } from "../text.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/open_photo.js").OpenPhoto} OpenPhoto */
/** @typedef {import("../state/choice.js").Choice} Choice */
/** @typedef {OpenPhoto & {photo: import("../engine/engine.js").Photo}} Encoded */

const PAUSE = 250; // milliseconds that the hand rests before photos are asked for
const MOST = 64; // photos at once

export class Cohesion {
  #slider = input("cohesion");
  #timer = 0;
  #turn = 0; // of what was asked; only the newest counts
  #done = 0; // the cohesion that the photos have
  /** @type {OpenPhoto[]} */ #list = [];
  /** @type {WeakMap<OpenPhoto, {base: Choice, given: Choice}>} */ #given = new WeakMap();

  /** @param {Session} session @param {import("../film.js").Film} film */
  constructor(session, film) {
    this.session = session;
    this.film = film;
    this.#slider.addEventListener("input", () => {
      this.#turn += 1;
      this.#write();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => session.try(() => this.#apply()), PAUSE);
    });
    for (const event of ["chosen", "photos", "choice"]) session.on(event, () => this.#show());
    this.#show();
  }

  /** @returns {Encoded[]} the chosen photos that have colors */
  get #photos() {
    return /** @type {Encoded[]} */ (this.film.list.filter(({ photo, history }) => photo && history));
  }

  #show() {
    const { list } = this.film;
    if (list.length !== this.#list.length || list.some((one) => !this.#list.includes(one))) {
      this.#list = [...list];
      this.#rest(0);
    }
    this.#slider.disabled = this.#photos.length < 2;
  }

  /** Stand at a cohesion, and ask for nothing. @param {number} cohesion */
  #rest(cohesion) {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#done = cohesion;
    this.#slider.value = String(cohesion);
    this.#write();
  }

  #write() {
    const words = `${Math.round(100 * Number(this.#slider.value))} %`;
    the("cohesion-out", HTMLOutputElement).textContent = words;
  }

  async #apply() {
    const { session } = this;
    const photos = this.#photos;
    const turn = this.#turn;
    const before = this.#done;
    const cohesion = Number(this.#slider.value);
    if (photos.length > MOST) {
      this.#rest(before);
      return session.say(t("cohesion-most", { most: MOST }), { kind: "error" });
    }
    session.say(t("cohesion-busy", { count: photos.length }), { kind: "busy" });
    const starts = photos.map((one) => startOf(this.#baseOf(one)));
    const album = cohesion
      ? await session.engine.album(photos.map(({ photo }) => photo), cohesion, starts) : null;
    if (turn !== this.#turn) return;
    this.#done = cohesion;
    const choices = photos.map((one) => /** @type {Choice} */ (one.choice));
    photos.forEach((one, i) => {
      const base = this.#baseOf(one);
      const given = album ? match(base, album.variants[i], album.vividness) : unmatch(base);
      this.#given.set(one, { base, given });
      session.give(one, given);
    });
    const undo = () => {
      this.#rest(before);
      photos.forEach((one, i) => session.give(one, choices[i]));
    };
    session.say(t(cohesion ? "cohesion-done" : "cohesion-own", { count: photos.length }), {
      action: { name: t("take-back"), act: undo },
    });
  }

  /** What was chosen for a photo before the slider was first moved. @param {Encoded} one */
  #baseOf(one) {
    const choice = /** @type {Choice} */ (one.choice);
    const last = this.#given.get(one);
    return last?.given === choice ? last.base : choice;
  }
}
