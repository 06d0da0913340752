// A brush that adds to and takes from a thing's region; what comes of it is a mask.
//
//     region or mask ──strokes──▶ mask ──paint──▶ the photo follows       Done: one step of history

import { fillIn, t } from "../text.js";
import { grab } from "../view/hand.js";
import { ARROWS, moved } from "./marks.js";
import { outline, paintLine, writeMask } from "./mask.js";

/** @typedef {import("./mask.js").Mask} Mask */
/** @typedef {import("./place.js").Point} Point */
/** @typedef {import("../view/viewer.js").PhotoViewer} PhotoViewer */
/**
 * @typedef {object} Hand
 * @property {(mask: string | null, done: boolean) => void} paint a mask as a recipe has it, null
 *   if it is empty; done: to be kept
 * @property {() => void} end
 */

const [LEAST, MOST] = [2, 80]; // radius, pixels of the page
const REST = 120; // milliseconds after which the photo follows a stroke
const STROKES = 30; // that can be taken back
const STEP = 6; // pixels of the page that a key moves it

const CONTENT = /* html */ `
  <div class="brush-tools" role="toolbar" data-label="pin-brush">
    <button type="button" class="add" data-text="pin-brush-add"></button>
    <button type="button" class="take" data-text="pin-brush-take" data-title="pin-brush-take-title"></button>
    <label class="slider"><span data-text="pin-brush-size"></span>
      <input type="range" class="size" min="${LEAST}" max="${MOST}" step="1"></label>
    <button type="button" class="cancel quiet" data-text="pin-brush-cancel"></button>
    <button type="button" class="done accent" data-text="pin-brush-done"></button>
  </div>`;

export class Brush {
  #layer = document.createElement("div"); // takes the pointer in the viewer's place
  #circle = document.createElement("div");
  /** @type {HTMLElement} */ #tools;
  /** @type {Mask | null} */ #mask = null;
  /** @type {Uint8Array[]} */ #strokes = []; // what the mask was before each
  /** @type {{last: PointerEvent, listening: AbortController} | null} */ #stroke = null; // under a hand
  /** @type {import("../view/hand.js").Pointers} */ #fingers = new Map(); // that zoom and move the photo
  #radius = 18; // pixels of the page
  #adds = true;
  /** @type {Point | null} */ #place = null;
  #frame = 0;
  #timer = 0;

  /** @param {HTMLElement} stage @param {PhotoViewer} viewer @param {Hand} hand */
  constructor(stage, viewer, hand) {
    this.viewer = viewer;
    this.hand = hand;
    this.#layer.className = "brush-layer";
    this.#layer.tabIndex = 0;
    this.#layer.setAttribute("role", "application");
    this.#layer.setAttribute("aria-label", t("pin-brush-label"));
    this.#circle.className = "brush-circle";
    this.#layer.append(this.#circle);
    stage.insertAdjacentHTML("beforeend", CONTENT);
    this.#tools = /** @type {HTMLElement} */ (stage.lastElementChild);
    this.#tools.hidden = true;
    fillIn(this.#tools);
    this.#listen();
    viewer.addEventListener("layout", () => this.#showCircle());
  }

  get isOn() {
    return this.#mask !== null;
  }

  /** Begin to paint. @param {Mask} mask where it starts; copied */
  begin(mask) {
    this.#mask = { ...mask, data: mask.data.slice() };
    this.#strokes = [];
    this.#fingers = new Map();
    this.viewer.overlay.append(this.#layer);
    this.viewer.overlay.classList.add("brushing");
    this.#tools.hidden = false;
    this.#setAdd(true);
    this.#showCircle();
    this.#layer.focus({ preventScroll: true });
  }

  /** @param {boolean} keep what was painted */
  async end(keep) {
    const mask = this.#mask;
    if (!mask) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#mask = null;
    this.#endStroke();
    this.#layer.remove();
    this.viewer.overlay.classList.remove("brushing");
    this.#tools.hidden = true;
    this.#writes += 1; // what is on its way is not wanted
    if (keep && this.#strokes.length) await this.#write(mask, true);
    this.hand.end();
  }

  #writes = 0;

  /** @param {Mask} mask @param {boolean} done */
  async #write(mask, done) {
    const mine = ++this.#writes;
    const text = mask.data.some((share) => share > 0) ? await writeMask(mask) : null;
    if (mine === this.#writes) this.hand.paint(text, done);
  }

  /** @param {string} name @returns {HTMLElement} */
  #button(name) {
    return /** @type {HTMLElement} */ (this.#tools.querySelector(`.${name}`));
  }

  #listen() {
    this.#button("add").addEventListener("click", () => this.#setAdd(true));
    this.#button("take").addEventListener("click", () => this.#setAdd(false));
    this.#button("cancel").addEventListener("click", () => this.end(false));
    this.#button("done").addEventListener("click", () => this.end(true));
    const size = /** @type {HTMLInputElement} */ (this.#button("size"));
    size.addEventListener("input", () => this.#resize(Number(size.value)));
    const layer = this.#layer;
    layer.addEventListener("pointerdown", (event) => this.#putDown(event));
    layer.addEventListener("pointermove", (event) => {
      if (this.#fingers.size) return;
      this.#place = this.viewer.placeOf(event);
      this.#showCircle(event.altKey);
    });
    // before the page's own keys, of which undo would take back the pin
    addEventListener("keydown", (event) => this.#press(event), { capture: true });
  }

  /** @param {boolean} adds */
  #setAdd(adds) {
    this.#adds = adds;
    this.#button("add").setAttribute("aria-pressed", String(adds));
    this.#button("take").setAttribute("aria-pressed", String(!adds));
    this.#showCircle();
  }

  /** @param {number} radius */
  #resize(radius) {
    this.#radius = Math.min(MOST, Math.max(LEAST, radius));
    /** @type {HTMLInputElement} */ (this.#button("size")).value = String(this.#radius);
    this.#showCircle();
  }

  /** @param {boolean} [takes] for as long as a key is held */
  #showCircle(takes = false) {
    if (!this.#mask) return;
    this.#place ??= { x: 0.5, y: 0.5 };
    const { x, y } = this.viewer.screenOf(this.#place);
    this.#circle.style.translate = `${x}px ${y}px`;
    this.#circle.style.setProperty("--size", `${2 * this.#radius}px`);
    this.#circle.classList.toggle("takes", takes || !this.#adds);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!this.#mask) return;
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement;
    const steps = ARROWS[event.key];
    if (event.key === "Escape") this.end(false);
    else if (event.key === "[") this.#resize(this.#radius / 1.2);
    else if (event.key === "]") this.#resize(this.#radius * 1.2);
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.#takeBack();
    else if (typing) return;
    else if (event.key === "Enter") this.end(true);
    else if (steps && this.#place) {
      this.#place = moved(this.viewer, this.#place, steps.map((one) => one * STEP * (event.shiftKey ? 5 : 1)));
      this.#showCircle(event.altKey);
    } else if (event.key === " " && this.#place) {
      this.#keep();
      this.#line(this.#place, this.#place, this.#adds !== event.altKey);
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #keep() {
    if (this.#mask) this.#strokes = [...this.#strokes, this.#mask.data.slice()].slice(-STROKES);
  }

  #takeBack() {
    const data = this.#strokes.pop();
    if (!data || !this.#mask) return;
    this.#mask.data = data;
    this.#follow();
  }

  /** What is put down paints; a second finger takes that back, and both move the photo. @param {PointerEvent} down */
  #putDown(down) {
    if (!this.#mask) return;
    const first = this.#stroke?.last;
    const second = first?.pointerType === "touch" && down.pointerType === "touch";
    if (second) {
      this.#endStroke();
      this.#takeBack();
      grab(this.viewer, this.#layer, this.#fingers, first);
    }
    if (second || this.#fingers.size) grab(this.viewer, this.#layer, this.#fingers, down);
    else if (down.isPrimary && down.button === 0) this.#beginStroke(down);
  }

  /** @param {PointerEvent} down */
  #beginStroke(down) {
    down.preventDefault();
    this.#layer.focus({ preventScroll: true });
    this.#layer.setPointerCapture(down.pointerId);
    this.#keep();
    const adds = this.#adds !== down.altKey;
    const listening = new AbortController();
    const stroke = (this.#stroke = { last: down, listening });
    let from = this.viewer.placeOf(down);
    this.#line(from, from, adds);
    this.#layer.addEventListener("pointermove", (event) => {
      if (event.pointerId !== down.pointerId) return;
      stroke.last = event;
      const to = this.viewer.placeOf(event);
      this.#line(from, to, adds);
      from = to;
    }, listening);
    for (const name of ["pointerup", "pointercancel"]) {
      this.#layer.addEventListener(name, (event) => {
        if (/** @type {PointerEvent} */ (event).pointerId !== down.pointerId) return;
        this.#endStroke();
        if (name === "pointercancel") this.#takeBack();
      }, listening);
    }
  }

  #endStroke() {
    this.#stroke?.listening.abort();
    this.#stroke = null;
  }

  /** @param {Point} from @param {Point} to @param {boolean} adds */
  #line(from, to, adds) {
    const mask = this.#mask;
    if (!mask) return;
    const across = this.viewer.screenOf({ x: 1, y: 0 }).x - this.viewer.screenOf({ x: 0, y: 0 }).x;
    paintLine(mask, from, to, (this.#radius * mask.width) / across, adds);
    this.#follow();
  }

  /** The outline follows at once, the photo when the hand rests or now and then. */
  #follow() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#mask) outline(this.viewer, this.#mask);
    });
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      if (this.#mask) this.#write(this.#mask, false);
    }, REST);
  }
}
