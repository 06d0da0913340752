// Versions of a photo that one keeps: small pictures to go back to, or to see beside the present one.

import { showPicture, tile } from "../film.js";
import { button, the } from "../page.js";
import { recipeOf } from "../state/choice.js";
import { t } from "../text.js";
import { make, makeButton } from "../make.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/open_photo.js").Version} Version */

export class Versions {
  /** @type {Version | null} */ #compared = null; // that is seen at the left of the split
  /** @type {Map<Version, HTMLDivElement>} */ #tiles = new Map();
  #row = the("versions", HTMLDivElement);

  /** @param {Session} session @param {import("../view/stage.js").Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    button("keep-version").addEventListener("click", () => session.try(() => this.#keep()));
    button("compare").addEventListener("click", () => this.#turn());
    session.on("open", () => {
      this.#compared = null;
      this.#draw();
    });
    session.on("encoded", () => this.#draw());
    session.on("choice", () => this.#mark());
    session.on("photos", () => this.#draw());
    session.on("compared", (version) => {
      this.#compared = version;
      this.#mark();
    });
    this.#draw();
  }

  get #all() {
    return this.session.open?.versions ?? [];
  }

  async #keep() {
    const { open, choice, engine } = this.session;
    if (!open?.photo || !choice) return;
    const picture = await engine.thumbnail(open.photo, recipeOf(choice));
    const number = Math.max(0, ...open.versions.map((version) => version.number)) + 1;
    open.versions = [...open.versions, { number, choice: structuredClone(choice), picture }];
    this.session.tell("photos");
  }

  #draw() {
    const all = this.#all;
    for (const [version, element] of this.#tiles) {
      if (all.includes(version)) continue;
      element.remove();
      this.#tiles.delete(version);
    }
    for (const version of all) {
      const element = this.#tiles.get(version) ?? this.#create(version);
      this.#row.append(element);
    }
    this.#row.hidden = button("compare").hidden = !all.length;
    this.#mark();
  }

  /** @param {Version} version */
  #create(version) {
    const name = t("version", { i: version.number });
    const element = tile(name, () => {});
    const caption = document.createElement("span");
    caption.className = "caption";
    caption.textContent = name;
    element.append(caption);
    element.title = t("version-title", { name });
    showPicture(element, version.picture);
    element.addEventListener("click", (event) => {
      if (event.altKey || this.#compares) this.#compare(version);
      else this.#restore(version);
    });
    element.addEventListener("keydown", ({ key }) => key === "Delete" && this.#remove(version));
    const gone = makeButton({ class: "remove", "aria-label": t("remove-version", { name }) },
      () => this.#remove(version), "✕");
    const whole = make("div", { class: "version" }, element, gone);
    this.#tiles.set(version, whole);
    return whole;
  }

  get #compares() {
    return button("compare").getAttribute("aria-pressed") === "true";
  }

  /** Begin to compare with what is clicked, the last one first; or end it. */
  #turn() {
    if (this.#compares) return this.session.try(() => this.stage.compare(null));
    const last = this.#all.at(-1);
    if (last) this.#compare(last);
  }

  /** @param {Version} version */
  #compare(version) {
    const again = version === this.#compared;
    this.session.try(() => this.stage.compare(again ? null : version));
  }

  /** @param {Version} version */
  #restore(version) {
    this.session.selected = null;
    this.session.choose(structuredClone(version.choice), { done: true });
  }

  /** @param {Version} version */
  #remove(version) {
    const { session } = this;
    const one = session.open;
    if (!one) return;
    const before = one.versions;
    if (version === this.#compared) session.try(() => this.stage.compare(null));
    one.versions = before.filter((other) => other !== version);
    session.tell("photos");
    button("keep-version").focus();
    session.say(t("version-gone", { name: t("version", { i: version.number }) }), {
      action: { name: t("undo"), act: () => {
        one.versions = before;
        session.tell("photos");
      } },
    });
  }

  #mark() {
    const now = this.session.choice && JSON.stringify(this.session.choice);
    for (const [version, element] of this.#tiles) {
      const same = now === JSON.stringify(version.choice);
      element.firstElementChild?.setAttribute("aria-pressed", String(same));
      element.classList.toggle("compared", version === this.#compared);
    }
    button("compare").setAttribute("aria-pressed", String(this.#compared !== null));
  }
}
