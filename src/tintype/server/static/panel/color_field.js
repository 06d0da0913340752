// A field for one color: typed by name or code, picked, taken from the screen, or chosen from swatches.

import { t } from "../text.js";
import { PERIOD, readColor, recall, remember } from "./color_words.js";
import { make, makeButton } from "./make.js";

/** @typedef {import("../text.js").Key} Key */
/** @typedef {"try" | "set" | "enter"} How a color is given: under a hand that moves, chosen, by Enter */

export class ColorField {
  /**
   * @param {string} id of the text field, and the start of the others'
   * @param {(color: string, how: How) => void} give #rrggbb
   */
  constructor(id, give) {
    this.give = give;
    this.text = make("input", {
      type: "text", id, spellcheck: "false", autocomplete: "off", list: `${id}-names`,
      placeholder: t("color-placeholder"), "aria-label": t("color"), "aria-describedby": `${id}-help`,
    });
    this.picker = make("input", { type: "color", id: `${id}-picker`, "aria-label": t("pick-color") });
    this.recent = make("div", { class: "swatches", role: "group", "aria-label": t("recent-colors") });
    this.note = make("p", { class: "wrong", role: "alert" });
    this.element = make("div", { class: "color-field" },
      make("div", { class: "row" }, this.picker, this.text, ...this.#dropper()),
      this.note,
      make("p", { class: "hidden", id: `${id}-help` }, t("color-help")),
      make("datalist", { id: `${id}-names` }, ...names().map(([name]) => make("option", { value: name }))),
      make("div", { class: "swatches", role: "group", "aria-label": t("period-colors") },
        ...names().map(([name, color]) => this.#swatch(name, color))),
      this.recent);
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.enter();
    });
    this.text.addEventListener("input", () => {
      this.note.textContent = "";
      const color = readColor(this.text.value);
      if (color) this.picker.value = color;
    });
    this.picker.addEventListener("input", () => this.#take(this.picker.value, "try"));
    this.picker.addEventListener("change", () => this.#take(this.picker.value, "set"));
    this.#drawRecent();
  }

  /** @param {string} color #rrggbb, or "" for none */
  show(color) {
    if (color) this.picker.value = color;
    if (document.activeElement !== this.text || !color) this.text.value = color;
    this.note.textContent = "";
  }

  /** Take what was typed, or say what may be. */
  enter() {
    const color = readColor(this.text.value);
    if (color) this.#take(color, "enter");
    else this.note.textContent = t("color-unknown", { text: this.text.value.trim() });
  }

  /** @param {string} color @param {How} how */
  #take(color, how) {
    this.note.textContent = "";
    this.picker.value = this.text.value = color;
    if (how !== "try") {
      remember(color);
      this.#drawRecent();
    }
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
    })];
  }
}

/** @returns {[string, string][]} the period's colors by their names */
function names() {
  const colors = /** @type {[Key, string][]} */ (Object.entries(PERIOD));
  return colors.map(([key, color]) => [t(key), color]);
}
