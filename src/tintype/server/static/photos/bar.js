// What can be done to several photos at once: a bar below the film strip.

import { button, input, the } from "../page.js";
import { wear } from "../state/choice.js";
import { t } from "../text.js";
import { Cohesion } from "./cohesion.js";
import { saveAll } from "./save_all.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/open_photo.js").OpenPhoto} OpenPhoto */
/** @typedef {import("../state/choice.js").Choice} Choice */

export class PhotosBar {
  /** @type {Choice | null} */ #look = null; // that was copied
  /** @type {AbortController | null} */ #saving = null;

  /** @param {Session} session @param {import("../film.js").Film} film */
  constructor(session, film) {
    this.session = session;
    this.film = film;
    for (const [id, act] of Object.entries({
      "choose-all": () => film.choose(session.photos),
      "copy-look": () => this.#copy(),
      "paste-look": () => this.#look && this.#apply(this.#look, film.list),
      "apply-look": () => session.choice && this.#apply(session.choice, this.#others),
      "save-all": () => session.try(() => this.#save()),
      "close-all": () => this.#close(),
      "end-choosing": () => this.#choose(false),
      "cancel-saving": () => this.#saving?.abort(),
    })) button(id).addEventListener("click", act);
    new Cohesion(session, film);
    button("several").addEventListener("click", () => this.#choose(!film.several));
    session.on("chosen", () => this.#show());
    session.on("choice", () => this.#show());
    this.#show();
  }

  /** Those that are chosen beside the open one. */
  get #others() {
    return this.film.list.filter((one) => one !== this.session.open);
  }

  /** Begin to choose photos by a mere click, or end it. @param {boolean} several */
  #choose(several) {
    const { open } = this.session;
    this.film.several = several;
    this.film.choose(several ? this.film.chosen : open ? [open] : []);
  }

  #show() {
    const { session, film } = this;
    const { list } = film;
    if (session.photos.length < 2) film.several = false;
    the("chosen", HTMLDivElement).hidden = !film.several && list.length < 2 && !this.#saving;
    the("chosen", HTMLDivElement).classList.toggle("saving", this.#saving !== null);
    the("chosen-count", HTMLSpanElement).textContent =
      t("chosen", { count: list.length, of: session.photos.length });
    button("several").hidden = session.photos.length < 2;
    button("several").setAttribute("aria-pressed", String(film.several));
    button("choose-all").disabled = list.length === session.photos.length;
    button("copy-look").disabled = !session.choice;
    button("paste-look").disabled = !this.#look || !list.some(({ history }) => history);
    const { length } = this.#others.filter(({ history }) => history);
    button("apply-look").textContent = t("apply-look", { count: length });
    button("apply-look").disabled = !session.choice || !length;
    button("save-all").disabled = !list.some(({ photo }) => photo);
  }

  #copy() {
    this.#look = structuredClone(this.session.choice);
    this.session.say(t("copied-look", { name: this.session.open?.name ?? "" }));
    this.#show();
  }

  /** @param {Choice} look @param {OpenPhoto[]} photos */
  #apply(look, photos) {
    const { session } = this;
    /** @type {[OpenPhoto, Choice][]} */ const before = [];
    for (const one of photos) {
      if (!one.photo || !one.choice) continue; // it has no colors yet
      before.push([one, one.choice]);
      session.give(one, wear(look, one.photo, one.choice.pins));
    }
    const undo = () => before.forEach(([one, choice]) => session.give(one, choice));
    session.say(t("gave-look", { count: before.length }), {
      action: { name: t("undo"), act: undo },
    });
  }

  async #save() {
    const { session, film } = this;
    const photos = film.list.filter(({ photo }) => photo);
    const how = { format: the("format", HTMLSelectElement).value, strip: input("strip").checked };
    const bar = the("saving-part", HTMLProgressElement);
    this.#saving = new AbortController();
    this.#show();
    button("cancel-saving").focus();
    try {
      await saveAll(session, photos, how, (done) => {
        bar.max = photos.length;
        bar.value = done;
        the("saving-count", HTMLSpanElement).textContent =
          t("saving-some", { i: done + 1, count: photos.length });
      }, this.#saving.signal);
    } finally {
      this.#saving = null;
      this.#show();
      if (document.activeElement === document.body) button("save-all").focus();
    }
  }

  #close() {
    const { session, film } = this;
    const { open } = session;
    const { list } = film;
    const ends = [...this.#others, ...list.filter((one) => one === open)];
    const undos = ends.map((one) => session.close(one)).reverse();
    const text = list.length === 1
      ? t("closed", { name: list[0].name }) : t("closed-some", { count: list.length });
    session.say(text, {
      action: { name: t("undo"), act: () => undos.forEach((undo) => undo()) },
    });
  }
}
