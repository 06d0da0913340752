// A field for one color: typed by name or code, picked, taken from the screen, or chosen from swatches.

import { t } from "../text.js";
import { PERIOD, readColor, recall, remember } from "./color_words.js";
import { make, makeButton, makeIcon } from "../make.js";

/** @typedef {import("../text.js").Key} Key */
const PIPETTE = "M12.5 6.5l5 5 M14.5 8.5l3.2-3.2a2 2 0 0 1 2.9 2.9l-3.2 3.2 M14 8l-9 9-1.5 3.5L7 19l9-9";

/**
 * How a color is given: looked at (null: no more), chosen, by Enter.
 * @typedef {"try" | "set" | "enter"} How
 */

export class ColorField {
  /** @type {ColorField[]} */ static #all = []; // they share what was used of late
  #tries = false; // whether a color is looked at

  /**
   * @param {string} id of the text field, and the start of the others'
   * @param {(color: string | null, how: How) => void} give #rrggbb
   */
  constructor(id, give) {
    this.give = give;
    this.text = make("input", {
      type: "text", id, spellcheck: "false", autocomplete: "off", list: `${id}-names`,
      placeholder: t("color-placeholder"), "aria-label": t("color"), "aria-describedby": `${id}-help`,
    });
    this.picker = make("input", { type: "color", id: `${id}-picker`, "aria-label": t("pick-color") });
    this.recent = make("div", { class: "swatches recent", role: "group", "aria-label": t("recent-colors") });
    this.note = make("p", { class: "wrong", role: "alert" });
    this.element = make("div", { class: "color-field" },
      make("div", { class: "row" }, this.picker, this.text, ...this.#dropper()),
      this.note,
      make("p", { class: "hidden", id: `${id}-help` }, t("color-help")),
      make("datalist", { id: `${id}-names` }, ...names().map(([name]) => make("option", { value: name }))),
      make("div", { class: "shelf" },
        make("div", { class: "swatches", role: "group", "aria-label": t("period-colors") },
          ...names().map(([name, color]) => this.#swatch(name, color))),
        this.recent));
    ColorField.#all.push(this);
    this.#listen();
    this.#drawRecent();
  }

  #listen() {
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.enter();
    });
    this.text.addEventListener("input", () => {
      this.note.textContent = "";
      const { color } = this;
      if (color) this.picker.value = color;
      this.#try(color);
    });
    this.picker.addEventListener("input", () => {
      this.text.value = this.picker.value;
      this.#try(this.picker.value);
    });
    this.picker.addEventListener("change", () => this.#take(this.picker.value, "set"));
    for (const one of [this.text, this.picker]) one.addEventListener("blur", () => this.#try(null));
  }

  /**
   * @param {string} color #rrggbb, or "" for none; what is being typed stays
   * @param {string} [picked] where the picker begins, if elsewhere
   */
  show(color, picked = color) {
    if (picked && !this.#tries) this.picker.value = picked;
    if (document.activeElement === this.text) return;
    this.text.value = color;
    this.note.textContent = "";
  }

  /** Ask for a color, from nothing. */
  ask() {
    this.text.value = this.note.textContent = "";
    this.text.focus();
  }

  /** What is typed. @returns {string | null} #rrggbb; null if it is no color */
  get color() {
    return readColor(this.text.value);
  }

  /** Take what was typed, or say what may be. */
  enter() {
    const { color } = this;
    if (color) this.#take(color, "enter");
    else this.note.textContent = t("color-unknown", { text: this.text.value.trim() });
  }

  /** @param {string | null} color */
  #try(color) {
    if (color || this.#tries) this.give(color, "try");
    this.#tries = color !== null;
  }

  /** @param {string} color @param {How} how */
  #take(color, how) {
    this.#tries = false;
    this.note.textContent = "";
    this.picker.value = this.text.value = color;
    remember(color);
    for (const field of ColorField.#all) field.#drawRecent();
    this.give(color, how);
  }

  #drawRecent() {
    const colors = recall();
    this.recent.hidden = !colors.length;
    this.recent.replaceChildren(...colors.map((color) => this.#swatch(color, color)));
  }

  /** @param {string} name @param {string} color */
  #swatch(name, color) {
    const element = makeButton({ "aria-label": name, title: name }, () => this.#take(color, "set"));
    element.style.setProperty("--color", color);
    element.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && this.#try(color));
    element.addEventListener("focus", () => element.matches(":focus-visible") && this.#try(color));
    for (const name of ["pointerleave", "blur"]) element.addEventListener(name, () => this.#try(null));
    return element;
  }

  /** Takes a color from anywhere on the screen, where the browser can. @returns {HTMLElement[]} */
  #dropper() {
    const Dropper = /** @type {any} */ (window).EyeDropper;
    if (!Dropper) return [];
    const words = { "aria-label": t("eyedropper"), title: t("eyedropper"), class: "icon dropper" };
    return [makeButton(words, async () => {
      const picked = await new Dropper().open().catch(() => null); // let go by Escape
      if (picked) this.#take(readColor(picked.sRGBHex) ?? "#808080", "set");
    }, makeIcon(PIPETTE))];
  }
}

/** @returns {[string, string][]} the period's colors by their names */
function names() {
  const colors = /** @type {[Key, string][]} */ (Object.entries(PERIOD));
  return colors.map(([key, color]) => [t(key), color]);
}
