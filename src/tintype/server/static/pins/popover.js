// What is asked at a place of the photo: which color, here or everywhere, how far.

import { chromaOf, nameOf } from "../color.js";
import { ColorField } from "../field/color_field.js";
import { fillIn, t } from "../text.js";
import { hexOfPin, pinColor } from "./edit.js";

/** @typedef {import("../engine/engine.js").Group} Group */
/** @typedef {import("./edit.js").Scope} Scope */
/** @typedef {import("./place.js").Point} Point here in pixels */
/**
 * What a hand does with it.
 * @typedef {object} Hand
 * @property {(color: string | null) => void} preview null: no more
 * @property {(color: string) => void} choose
 * @property {(scope: Scope) => void} scope
 * @property {(reach: number | null, done: boolean) => void} reach
 * @property {() => void} brush
 * @property {() => void} remove
 * @property {() => void} close
 */
/**
 * What it shows.
 * @typedef {object} Shown
 * @property {string} title
 * @property {string | null} color of the thing now, as a pin has it
 * @property {string | null} was the color that it had before, #rrggbb
 * @property {Scope} scope
 * @property {boolean} canSpread whether it can be everywhere
 * @property {"place" | "pin" | "mask" | "protect"} kind
 * @property {number | null} reach
 */

const AUTO = 0.5; // the reach at which a thing ends by itself

const CONTENT = /* html */ `
  <div class="progress" hidden></div>
  <div class="row head">
    <span class="dot" aria-hidden="true"></span><h2></h2>
    <button type="button" class="quiet close" data-label="pin-close">✕</button>
  </div>
  <fieldset class="scope">
    <legend class="hidden" data-text="pin-scope"></legend>
    <label><input type="radio" name="pin-scope" value="here"><span data-text="pin-here"></span></label>
    <label><input type="radio" name="pin-scope" value="everywhere"><span data-text="pin-everywhere"></span></label>
  </fieldset>
  <div class="likely" role="group" data-label="pin-likely"></div>
  <div class="color-field"></div>
  <div class="row kinds">
    <button type="button" data-color="gray" data-text="pin-gray" data-title="pin-gray-title"></button>
    <button type="button" data-color="keep" data-text="pin-keep" data-title="pin-keep-title"></button>
    <button type="button" data-color="auto" data-text="pin-leave" data-title="pin-leave-title"></button>
  </div>
  <div class="row far">
    <label class="slider"><span data-text="pin-reach"></span>
      <input type="range" class="reach" min="0" max="1" step="0.02"></label>
    <button type="button" class="auto" data-text="pin-auto" data-title="pin-auto-title"></button>
  </div>
  <div class="row last">
    <button type="button" class="brush" data-text="pin-brush" data-title="pin-brush-title"></button>
    <button type="button" class="delete" data-text="pin-delete" data-title="pin-delete-title"></button>
  </div>
  <p class="small what"></p>
  <p class="small status" role="status"></p>`;

export class Popover {
  element = document.createElement("div");
  #opener = /** @type {(() => void) | null} */ (null); // gives the focus back
  /** @type {Point} */ #at = { x: -1, y: -1 }; // the place that it lies beside

  /** @param {HTMLElement} stage @param {Hand} hand */
  constructor(stage, hand) {
    this.hand = hand;
    this.element.className = "popover";
    this.element.hidden = true;
    this.element.tabIndex = -1;
    this.element.setAttribute("role", "dialog");
    this.element.innerHTML = CONTENT;
    fillIn(this.element);
    this.field = new ColorField("pin-color", (color, how) => {
      if (how === "try") hand.preview(color && pinColor(color));
      else if (color) hand.choose(pinColor(color));
    });
    this.#find(".color-field").replaceWith(this.field.element);
    stage.append(this.element);
    this.#listen();
  }

  /** @template {HTMLElement} T @param {string} selector @returns {T} */
  #find(selector) {
    return /** @type {T} */ (this.element.querySelector(selector));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** @param {() => void} giveBack the focus, when it closes @param {boolean} focus whether it takes it */
  open(giveBack, focus) {
    this.element.hidden = false;
    this.element.classList.remove("away");
    this.#opener = giveBack;
    if (focus) this.element.focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    const inside = this.element.contains(document.activeElement);
    this.element.hidden = true;
    if (inside) this.#opener?.();
    this.#opener = null;
  }

  /** @param {Shown} shown */
  show({ title, color, was, scope, canSpread, kind, reach }) {
    this.#find("h2").textContent = title;
    this.element.setAttribute("aria-label", title);
    const hex = color && color !== "auto" ? hexOfPin(color) : was;
    this.#find(".dot").style.background = hex ?? "transparent";
    this.#find(".scope").hidden = !canSpread;
    for (const radio of this.element.querySelectorAll("[type=radio]")) {
      const one = /** @type {HTMLInputElement} */ (radio);
      one.checked = one.value === scope;
    }
    const here = scope === "here";
    for (const [selector, there] of /** @type {[string, boolean][]} */ ([
      [".far", kind === "pin" || kind === "place"],
      [".color-field", kind !== "protect"], [".kinds", kind !== "protect"],
      [".likely", kind !== "protect"],
      [".kinds [data-color=keep]", here], [".kinds [data-color=auto]", here && kind !== "mask"],
    ])) this.#find(selector).hidden = !there;
    for (const row of [".far", ".last"]) this.#find(row).inert = kind === "place"; // not moved by a pin
    for (const button of this.element.querySelectorAll("[data-color]")) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-color") === color));
    }
    const kindOf = this.element.querySelector(".kinds [aria-pressed=true]");
    this.#find(".what").textContent = kindOf instanceof HTMLElement ? kindOf.title : "";
    this.field.show(color && !this.#isKind(color) ? color : "", hex ?? "");
    const slider = /** @type {HTMLInputElement} */ (this.#find(".reach"));
    slider.value = String(reach ?? AUTO);
    const words = reach === null ? t("pin-auto-title") : `${Math.round(100 * reach)} %`;
    slider.setAttribute("aria-valuetext", words);
    this.#find(".auto").setAttribute("aria-pressed", String(reach === null));
  }

  /** @param {string} color */
  #isKind(color) {
    return ["gray", "keep", "auto"].includes(color);
  }

  /** @param {Group[] | null} colors the likeliest first; null while they are not known */
  suggest(colors) {
    const box = this.#find(".likely");
    const swatches = (colors ?? Array(5).fill(null)).map((one) => {
      const swatch = document.createElement("button");
      swatch.type = "button";
      swatch.className = "swatch";
      swatch.disabled = !one;
      if (!one) return swatch;
      const name = nameOf(chromaOf(one.color));
      swatch.style.background = one.color;
      swatch.dataset.color = one.color;
      swatch.title = t("pin-likely-title", { name, percent: Math.round(100 * one.share) });
      swatch.setAttribute("aria-label", swatch.title);
      return swatch;
    });
    box.replaceChildren(...swatches);
  }

  /** @param {boolean} busy whether an answer is awaited */
  set busy(busy) {
    this.#find(".progress").hidden = !busy;
    this.element.setAttribute("aria-busy", String(busy));
  }

  /** @param {string} text */
  say(text) {
    this.#find(".status").textContent = text;
  }

  #listen() {
    const { element, hand } = this;
    const colorOf = (/** @type {Event} */ event) =>
      (event.target instanceof Element ? event.target.closest("[data-color]") : null)
        ?.getAttribute("data-color");
    for (const [name, act] of /** @type {[string, (color: string) => void][]} */ ([
      ["click", (color) => hand.choose(color)], ["pointerover", (color) => hand.preview(color)],
      ["focusin", (color) => element.querySelector(":focus-visible") && hand.preview(color)],
    ])) {
      element.addEventListener(name, (event) => {
        const color = colorOf(event);
        if (color) act(color);
      });
    }
    for (const name of ["pointerout", "focusout"]) {
      element.addEventListener(name, (event) => colorOf(event) && hand.preview(null));
    }
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hand.close();
      else if (event.key === "Delete" && !(event.target instanceof HTMLInputElement)) hand.remove();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.#find(".close").addEventListener("click", () => hand.close());
    this.#find(".brush").addEventListener("click", () => hand.brush());
    this.#find(".delete").addEventListener("click", () => hand.remove());
    this.#find(".auto").addEventListener("click", () => hand.reach(null, true));
    this.#find(".scope").addEventListener("change", (event) =>
      hand.scope(/** @type {Scope} */ (/** @type {HTMLInputElement} */ (event.target).value)));
    const slider = /** @type {HTMLInputElement} */ (this.#find(".reach"));
    slider.addEventListener("input", () => hand.reach(Number(slider.value), false));
    slider.addEventListener("change", () => hand.reach(Number(slider.value), true));
  }

  /**
   * Lie beside a thing where there is room, else beside its place, inside the stage; stay where a hand is.
   * @param {Point} at its place, pixels of the stage @param {number} away from the place
   * @param {Point[] | null} box upper left and lower right of the thing, once it is known
   */
  put(at, away, box) {
    const { element } = this;
    const stage = /** @type {HTMLElement} */ (element.parentElement);
    if (getComputedStyle(element).position === "fixed") return; // a sheet
    const [wide, high] = [element.offsetWidth, element.offsetHeight];
    const [right, bottom] = [stage.clientWidth - wide - EDGE, stage.clientHeight - high - EDGE];
    const clamp = (/** @type {number} */ v, /** @type {number} */ most) => Math.max(EDGE, Math.min(most, v));
    const beside = clamp(at.y - ABOVE, bottom);
    const level = clamp(at.x - wide / 2, right);
    const around = (/** @type {Point} */ from, /** @type {Point} */ to, /** @type {number} */ gap) => [
      [to.x + gap, beside], [from.x - gap - wide, beside], [level, to.y + gap], [level, from.y - gap - high],
    ];
    const fits = (/** @type {number[]} */ [x, y]) => x >= EDGE && x <= right && y >= EDGE && y <= bottom;
    const far = (/** @type {number[]} */ [x, y]) => Math.hypot(x + wide / 2 - at.x, y + high / 2 - at.y);
    const places = box?.length ? around(box[0], box[1], GAP).filter(fits).sort((a, b) => far(a) - far(b)) : [];
    const [x, y] = [...places, ...around(at, at, away)].find(fits)
      ?? [at.x < stage.clientWidth / 2 ? right : EDGE, beside];
    const held = element.matches(":hover") && Math.hypot(at.x - this.#at.x, at.y - this.#at.y) < 1;
    this.#at = at;
    element.style.left = `${held ? clamp(element.offsetLeft, right) : x}px`;
    element.style.top = `${held ? clamp(element.offsetTop, bottom) : y}px`;
  }
}

const GAP = 14; // pixels between it and the thing's outline
const EDGE = 8; // pixels that it keeps from the stage's edge
const ABOVE = 90; // how far above the place it begins
