// Pins on the photo: rings in their color, chips where there is a mask.
//
//     hand, keys ──move, choose, remove, reach──▶ pins ──show──▶ marks, where the viewer has them

import { t } from "../text.js";
import { colorName, cssOf } from "./edit.js";
import { middleOf, readMask } from "./mask.js";
import { locate, placeAt } from "./place.js";

/** @typedef {import("../engine/engine.js").Edit} Edit */
/** @typedef {import("../view/viewer.js").PhotoViewer} PhotoViewer */
/** @typedef {import("./place.js").Point} Point */
/**
 * What a hand does with the marks.
 * @typedef {object} Hand
 * @property {(pin: number, at: [number, number], done: boolean) => void} move
 * @property {(pin: number) => void} cancel a move; the pin goes back
 * @property {(pin: number, byKey: boolean) => void} choose
 * @property {(pin: number) => void} remove
 * @property {(pin: number, by: number) => void} reach
 */

const CLICK = 4; // pixels that a hand may move while it clicks
const STEP = 4; // pixels of the page that a key moves a pin
const LARGE = 10; // times as far
const REACH = 0.04; // by which a notch of a mouse's wheel changes it

/** @type {Record<string, [number, number]>} */
export const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

/**
 * A place some of the page's pixels from another.
 * @param {PhotoViewer} viewer @param {Point} place @param {number[]} by @returns {Point}
 */
export function moved(viewer, place, [dx, dy]) {
  const [zero, one] = [viewer.screenOf({ x: 0, y: 0 }), viewer.screenOf({ x: 1, y: 1 })];
  const [x, y] = placeAt({ x: place.x + dx / (one.x - zero.x), y: place.y + dy / (one.y - zero.y) });
  return { x, y };
}

export class Marks {
  /** @type {HTMLButtonElement[]} */ #marks = [];
  /** @type {(Point | null)[]} */ #places = []; // null until a mask was read
  /** @type {Map<string, Point>} */ #middles = new Map();
  #ghost = document.createElement("div"); // where a pin may come

  /**
   * @param {PhotoViewer} viewer @param {Hand} hand
   * @param {() => void} ask to be shown anew, once more is known
   */
  constructor(viewer, hand, ask) {
    this.viewer = viewer;
    this.hand = hand;
    this.ask = ask;
    this.#ghost.className = "pin ghost";
    this.#ghost.hidden = true;
    viewer.overlay.append(this.#ghost);
    viewer.addEventListener("layout", () => this.#layout());
  }

  /**
   * @param {Edit[]} pins @param {number | null} chosen @param {Point | null} ghost
   * @param {{width: number, height: number}} photo
   */
  show(pins, chosen, ghost, photo) {
    while (this.#marks.length > pins.length) this.#marks.pop()?.remove();
    while (this.#marks.length < pins.length) this.#marks.push(this.#create(this.#marks.length));
    let masks = 0;
    this.#places = pins.map((pin, i) => {
      const mark = this.#marks[i];
      const mask = "at" in pin ? 0 : (masks += 1);
      const color = pin.color ?? "keep";
      mark.classList.toggle("chip", mask > 0);
      mark.classList.toggle("kept", color === "keep" || color === "auto");
      mark.classList.toggle("chosen", i === chosen);
      mark.setAttribute("aria-pressed", String(i === chosen));
      mark.style.setProperty("--pin", cssOf(color));
      const number = mask || i + 1 - masks;
      mark.textContent = mask ? t("pin-mask", { number }) : "";
      mark.title = mask ? mark.textContent : t("pin-name", { number });
      mark.setAttribute("aria-label", `${mark.title}, ${colorName(color)}`);
      return mask ? this.#middle(pin.mask ?? pin.protect) : locate(pin.at, photo);
    });
    this.ghost = ghost;
    this.#layout();
  }

  /** @type {Point | null} */ ghost = null;
  /** @type {AbortController | null} */ #hand = null; // the last that took hold of a pin

  /** @param {number} pin @returns {Point | null} */
  placeOf(pin) {
    return this.#places[pin] ?? null;
  }

  /** @param {number} pin */
  nameOf(pin) {
    return this.#marks[pin].title;
  }

  /** @param {number} pin */
  focus(pin) {
    this.#marks[pin]?.focus({ preventScroll: true });
  }

  #layout() {
    for (const [i, mark] of this.#marks.entries()) this.#put(mark, this.#places[i] ?? null);
    this.#put(this.#ghost, this.ghost);
  }

  /** @param {HTMLElement} element @param {Point | null} place */
  #put(element, place) {
    element.hidden = !place;
    if (!place) return;
    const { x, y } = this.viewer.screenOf(place);
    element.style.translate = `${x}px ${y}px`;
  }

  /** Where a mask's chip lies, once it was read. @param {string} text @returns {Point | null} */
  #middle(text) {
    const known = this.#middles.get(text);
    if (known) return known;
    readMask(text).then((mask) => {
      this.#middles.set(text, middleOf(mask));
      this.ask();
    }, () => {});
    return null;
  }

  /** @param {number} pin @returns {HTMLButtonElement} */
  #create(pin) {
    const mark = document.createElement("button");
    mark.type = "button";
    mark.className = "pin";
    this.viewer.overlay.append(mark);
    mark.addEventListener("pointerdown", (event) => this.#grab(mark, pin, event));
    mark.addEventListener("click", (event) => {
      if (event.detail === 0) this.hand.choose(pin, true); // by a key or a screen reader
    });
    mark.addEventListener("keydown", (event) => this.#press(mark, pin, event));
    mark.addEventListener("wheel", (event) => {
      if (!mark.classList.contains("chosen") || mark.classList.contains("chip")) return;
      event.preventDefault();
      event.stopPropagation();
      this.hand.reach(pin, -Math.sign(event.deltaY) * REACH);
    }, { passive: false });
    return mark;
  }

  /** Follow the hand no longer. */
  letGo() {
    this.#hand?.abort();
    for (const mark of this.#marks) mark.classList.remove("dragged");
  }

  /** @param {HTMLButtonElement} mark @param {number} pin @param {PointerEvent} down */
  #grab(mark, pin, down) {
    if (down.button !== 0) return;
    down.preventDefault();
    mark.focus({ preventScroll: true });
    mark.setPointerCapture(down.pointerId);
    const start = this.viewer.placeOf(down);
    const from = this.#places[pin];
    this.letGo();
    const listening = (this.#hand = new AbortController());
    let traveled = 0;
    /** @param {PointerEvent} event @param {boolean} done */
    const move = (event, done) => {
      if (traveled < CLICK || !from || mark.classList.contains("chip")) return;
      mark.classList.add("dragged");
      const to = this.viewer.placeOf(event);
      const place = placeAt({ x: from.x + to.x - start.x, y: from.y + to.y - start.y });
      this.hand.move(pin, place, done);
    };
    mark.addEventListener("pointermove", (event) => {
      traveled = Math.max(traveled, Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY));
      move(event, false);
    }, listening);
    const end = (/** @type {PointerEvent} */ event) => {
      listening.abort();
      mark.classList.remove("dragged");
      if (event.type === "pointercancel") return this.hand.cancel(pin);
      move(event, true);
      if (traveled < CLICK) this.hand.choose(pin, false);
    };
    mark.addEventListener("pointerup", end, listening);
    mark.addEventListener("pointercancel", end, listening);
  }

  /** @param {HTMLButtonElement} mark @param {number} pin @param {KeyboardEvent} event */
  #press(mark, pin, event) {
    const place = this.#places[pin];
    if (event.key === "Delete" || event.key === "Backspace") this.hand.remove(pin);
    else if (ARROWS[event.key] && place && !mark.classList.contains("chip")) {
      const by = ARROWS[event.key].map((step) => step * STEP * (event.shiftKey ? LARGE : 1));
      const { x, y } = moved(this.viewer, place, by);
      this.hand.move(pin, [x, y], false);
      mark.onkeyup = mark.onblur = () => {
        mark.onkeyup = mark.onblur = null;
        this.hand.move(pin, [x, y], true); // keys held are one step, too
      };
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
