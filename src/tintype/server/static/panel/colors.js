// The list of the photo's colors: how much of it wears each, where, and what it is to become.

import { chromaOf, chromaOfPixel, hexOf, isGray, nameOf, nearest } from "../color.js";
import { input, showSlider, the } from "../page.js";
import { ADDED, shown, toggled, worn } from "../state/choice.js";
import { Preview } from "../state/preview.js";
import { t } from "../text.js";
import { ColorField } from "../field/color_field.js";
import { make, makeButton, makeIcon } from "../make.js";
import { drawPlaces, findPlaces } from "./places.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/choice.js").Spot} Spot */
/** @typedef {import("../field/color_field.js").How} How */

const EYE = "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z";
const CROSS = "M6 6l12 12M18 6L6 18";
const PAUSE = 120; // milliseconds until a row under the hand lights up the photo

export class ColorList {
  #list = make("ul", { class: "colors" });
  #details = make("div", { class: "details" });
  #new = make("div", { class: "color chosen new" });
  #adding = false;
  #timer = 0;
  /** @type {number[]} */ #shares = []; // of the photo, as it is seen

  /**
   * @param {Session} session @param {import("./wheel.js").PaletteWheel} wheel
   * @param {import("../view/stage.js").Stage} stage
   */
  constructor(session, wheel, stage) {
    this.session = session;
    this.wheel = wheel;
    this.stage = stage;
    this.preview = new Preview(session);
    this.field = new ColorField("hex", (color, how) => this.#give(color, how));
    const label = make("label", { class: "slider", for: "size" }, make("span", {}, t("amount")),
      make("input", { type: "range", id: "size", min: "-4", max: "4", step: "0.1", value: "0" }),
      make("output", { id: "size-out" }));
    this.#details.append(this.field.element, label);
    this.#new.append(
      make("p", {}, t("new-color")),
      make("div", { class: "row" },
        makeButton({ id: "add-this", class: "accent" }, () => this.field.enter(), t("add")),
        makeButton({ class: "quiet" }, () => this.#ask(false), t("cancel"))));
    the("colors", HTMLElement).append(this.#list);
    this.#list.after(this.#new, this.#details);
    this.#listen();
  }

  #listen() {
    const { session } = this;
    session.on("choice", () => this.#draw());
    session.on("open", () => {
      this.#forget();
      this.#ask(false);
    });
    session.on("shown", ({ done }) => done && this.#look());
    the("add-color", HTMLButtonElement).addEventListener("click", () => this.#ask(!this.#adding));
    this.#new.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // nothing else closes by it
      this.#ask(false);
    });
    for (const kind of ["input", "change"]) {
      input("size").addEventListener(kind, () => this.#change((spot) => {
        const factor = 2 ** Number(input("size").value);
        spot.scale = Number((spot.from === null ? Math.min(0.9, ADDED * factor) : factor).toFixed(3));
      }, kind === "change"));
    }
  }

  /** Change the chosen color. @param {(spot: Spot) => void} act @param {boolean} done */
  #change(act, done) {
    const { choice, selected } = this.session;
    if (!choice || !selected || !("spot" in selected)) return;
    const spots = structuredClone(choice.spots);
    act(spots[selected.spot]);
    this.session.change({ spots }, done);
  }

  /** @param {string | null} color @param {How} how */
  #give(color, how) {
    if (this.#adding) this.#offer(color, how);
    else if (!color) this.preview.endSoon();
    else if (how === "try") this.#tryOn(color);
    else {
      this.preview.forget();
      this.#change((spot) => (spot.to = color), true);
    }
  }

  /** Show on the wheel what is to be added, or add it. @param {string | null} color @param {How} how */
  #offer(color, how) {
    const offered = color ?? this.field.color;
    if (!color || how !== "enter") return this.wheel.offer(offered ? chromaOf(offered) : null);
    this.#ask(false);
    this.wheel.addColor(color);
  }

  /** Show the chosen color as another. @param {string} color */
  #tryOn(color) {
    const { selected } = this.session;
    if (!selected || !("spot" in selected)) return;
    this.preview.show((chosen) => ({
      ...chosen, spots: chosen.spots.map((spot, i) => (i === selected.spot ? { ...spot, to: color } : spot)),
    }));
  }

  /** Ask for a color to add, or no more. @param {boolean} adding */
  #ask(adding) {
    this.#adding = adding && this.session.choice !== null;
    this.wheel.offer(null);
    if (this.#adding) {
      this.session.select(null);
      this.field.ask();
    } else this.#draw();
  }

  #draw() {
    const { choice, selected } = this.session;
    const spots = choice?.spots ?? [];
    const chosen = selected && "spot" in selected ? selected.spot : null;
    if (chosen !== null) this.#adding = false;
    while (this.#list.children.length > spots.length) this.#list.lastElementChild?.remove();
    while (this.#list.children.length < spots.length) this.#list.append(this.#makeRow());
    spots.forEach((spot, i) => this.#drawRow(i, spot, i === chosen));
    this.#new.hidden = !this.#adding;
    const home = this.#adding ? this.#new : chosen === null ? null : this.#list.children[chosen];
    this.#details.hidden = !home;
    if (home && this.#details.parentElement !== home) {
      if (this.#adding) home.firstElementChild?.after(this.#details);
      else home.append(this.#details);
    }
    if (chosen === null) return;
    const spot = spots[chosen];
    const scale = Math.log2(spot.from === null ? spot.scale / ADDED : spot.scale);
    this.field.show(spot.to);
    showSlider("size", scale, `${(2 ** scale).toFixed(1)} ×`);
  }

  #makeRow() {
    const row = make("li", { class: "color" });
    const index = () => [...this.#list.children].indexOf(row);
    const pick = makeButton({ class: "pick" }, () => {
      const { selected } = this.session;
      const open = selected && "spot" in selected && selected.spot === index();
      this.session.select(open ? null : { spot: index() });
    }, make("span", { class: "swatch" }), make("span", { class: "name" }),
    make("canvas", { class: "where", "aria-hidden": "true" }), make("span", { class: "share" }));
    const eye = makeButton({ class: "icon eye" }, () => {
      const { choice } = this.session;
      if (choice) this.session.change({ spots: toggled(choice.spots, index()) });
    });
    row.append(make("div", { class: "line" }, pick, eye));
    for (const [name, on] of /** @type {[string, boolean][]} */ ([
      ["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false],
    ])) {
      pick.addEventListener(name, () => {
        const seen = name !== "focusin" || pick.matches(":focus-visible"); // a finger only taps
        if (seen) this.#light(on ? index() : null);
      });
    }
    return row;
  }

  /** @param {number | null} index of what lights up in the photo */
  #light(index) {
    clearTimeout(this.#timer);
    if (index === null) this.stage.highlight(null);
    else this.#timer = setTimeout(() => this.stage.highlight(index), PAUSE);
  }

  /** @param {number} i @param {Spot} spot @param {boolean} chosen */
  #drawRow(i, spot, chosen) {
    const choice = /** @type {import("../state/choice.js").Choice} */ (this.session.choice);
    const row = /** @type {HTMLElement} */ (this.#list.children[i]);
    const chroma = shown(spot, choice);
    const name = nameOf(chroma);
    const share = this.#shares[i] ?? (spot.from === null ? spot.scale : spot.share * spot.scale);
    row.style.setProperty("--color", hexOf(chroma));
    row.classList.toggle("chosen", chosen);
    row.classList.toggle("banned", spot.banned);
    /** @type {HTMLElement} */ (row.querySelector(".name")).textContent = name;
    /** @type {HTMLElement} */ (row.querySelector(".share")).textContent = percentOf(share);
    row.querySelector(".pick")?.setAttribute("aria-expanded", String(chosen));
    const eye = /** @type {HTMLButtonElement} */ (row.querySelector(".eye"));
    const own = spot.from !== null;
    if (eye.dataset.own !== String(own)) eye.replaceChildren(makeIcon(own ? EYE : CROSS));
    eye.dataset.own = String(own);
    const words = own ? (spot.banned ? t("show-color", { color: name }) : t("hide-color", { color: name }))
      : t("remove-color", { color: name });
    eye.title = words;
    eye.setAttribute("aria-label", words);
    eye.classList.toggle("off", spot.banned);
  }

  /** Know no places any more: they were another photo's. */
  #forget() {
    this.#shares = [];
    for (const canvas of this.#list.querySelectorAll("canvas")) {
      canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    }
  }

  /** Read from the photo how much of it wears each color, and where. */
  #look() {
    const { choice } = this.session;
    if (!choice) return;
    const places = choice.spots.map((spot) => worn(spot, choice));
    const gray = places.findIndex(isGray);
    const found = findPlaces(this.stage.viewer.read(), (r, g, b) =>
      nearest(chromaOfPixel(r, g, b), places) ?? gray);
    this.#shares = choice.spots.map((_, i) => found.count(i));
    for (const [i, canvas] of this.#list.querySelectorAll("canvas").entries()) drawPlaces(canvas, found, i);
    this.#draw();
  }
}

/** @param {number} share @returns {string} */
const percentOf = (share) => (share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`);
