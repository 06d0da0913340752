// <photo-viewer>: the photo before and after, split by a line that moves; zoom to its pixels.

import { chromaOfPixel } from "./color.js";

/** @typedef {import("./color.js").Chroma} Chroma */

const MOST = 16; // times the size at which the photo fits
const STEP = 1.2; // how much larger than its pixels a picture may be shown

export class PhotoViewer extends HTMLElement {
  #stack = div("stack");
  #before = canvas("before");
  #after = canvas("after");
  #light = canvas("light");
  #divider = div("divider");
  #split = 0; // share of the width that shows the photo in gray
  #zoom = 1;
  #width = 0; // of the photo itself
  #pan = { x: 0, y: 0 };
  #pointers = new Map();
  /** @type {ImageData | null} */ #pixels = null;

  connectedCallback() {
    if (this.#stack.isConnected) return;
    this.#after.setAttribute("role", "img");
    this.#after.setAttribute("aria-label", "The colored photo");
    this.#before.setAttribute("aria-hidden", "true");
    this.#light.setAttribute("aria-hidden", "true");
    const attributes = {
      role: "slider", tabindex: "0", "aria-label": "Before and after",
      "aria-valuemin": "0", "aria-valuemax": "100",
    };
    for (const [name, value] of Object.entries(attributes)) this.#divider.setAttribute(name, value);
    this.#stack.append(this.#after, this.#light, this.#before);
    this.append(this.#stack, this.#divider);
    this.#listen();
    new ResizeObserver(() => this.#layout()).observe(this);
    this.split = 0;
  }

  /** How much of the width shows the photo in gray, 0..1. */
  get split() {
    return this.#split;
  }

  set split(value) {
    this.#split = Math.min(1, Math.max(0, value));
    this.#divider.setAttribute("aria-valuenow", String(Math.round(100 * this.#split)));
    this.#divider.setAttribute("aria-valuetext", `${Math.round(100 * this.#split)} % in gray`);
    this.#layout();
    this.dispatchEvent(new CustomEvent("split"));
  }

  /** Whether the shown picture is too small for the screen, and the photo itself larger. */
  get isCoarse() {
    const shown = this.#after.clientWidth * this.#zoom * devicePixelRatio;
    return this.#after.width < this.#width && shown > STEP * this.#after.width;
  }

  /**
   * Show another photo, in gray until it is colored.
   * @param {ImageBitmap} picture in gray @param {number} width of the photo itself, pixels
   */
  open(picture, width) {
    this.#width = width;
    paint(this.#before, picture);
    this.showAfter(picture);
    this.highlight(null);
    this.zoomTo(1);
  }

  /** @param {ImageBitmap} picture the photo in color */
  showAfter(picture) {
    paint(this.#after, picture);
    this.#pixels = null;
    this.#layout();
  }

  /**
   * Darken all pixels but those that are wanted.
   * @param {((chroma: Chroma) => boolean) | null} wanted
   */
  highlight(wanted) {
    const { width, height } = this.#before;
    this.#light.width = wanted ? width : 1;
    this.#light.height = wanted ? height : 1;
    if (!wanted || !width) return;
    const source = this.#read().data;
    const context = context2d(this.#light);
    const veil = context.createImageData(width, height);
    for (let i = 0; i < source.length; i += 4) {
      const lit = wanted(chromaOfPixel(source[i], source[i + 1], source[i + 2]));
      veil.data.set([12, 11, 10, lit ? 0 : 165], i);
    }
    context.putImageData(veil, 0, 0);
  }

  /** The colored photo's pixels at the size of the gray one. @returns {ImageData} */
  #read() {
    const { width, height } = this.#before;
    if (!this.#pixels) {
      const small = canvas("");
      small.width = width;
      small.height = height;
      const context = context2d(small);
      context.drawImage(this.#after, 0, 0, width, height);
      this.#pixels = context.getImageData(0, 0, width, height);
    }
    return this.#pixels;
  }

  /** @param {number} zoom @param {{x: number, y: number}} [at] what stays in place */
  zoomTo(zoom, at = { x: this.clientWidth / 2, y: this.clientHeight / 2 }) {
    const next = Math.min(MOST, Math.max(Math.min(1, this.#pixelZoom), zoom));
    const x = at.x - this.clientWidth / 2;
    const y = at.y - this.clientHeight / 2;
    const ratio = next / this.#zoom;
    this.#pan = { x: x - (x - this.#pan.x) * ratio, y: y - (y - this.#pan.y) * ratio };
    this.#zoom = next;
    this.#layout();
    this.dispatchEvent(new CustomEvent("zoom", { detail: next }));
  }

  /** One pixel of the photo for one of the screen. */
  zoomToPixels() {
    this.zoomTo(this.#pixelZoom);
  }

  get #pixelZoom() {
    return this.#width / devicePixelRatio / Math.max(1, this.#after.clientWidth);
  }

  #layout() {
    const { width, height } = this.#before;
    const room = { x: this.clientWidth, y: this.clientHeight };
    const fit = Math.min(room.x / width, room.y / height);
    const [wide, high] = width ? [fit * width, fit * height] : [0, 0];
    const free = { x: (wide * this.#zoom - room.x) / 2, y: (high * this.#zoom - room.y) / 2 };
    for (const axis of /** @type {("x" | "y")[]} */ (["x", "y"])) {
      const most = Math.max(0, free[axis]);
      this.#pan[axis] = Math.min(most, Math.max(-most, this.#pan[axis]));
    }
    this.#stack.style.width = `${wide}px`;
    this.#stack.style.height = `${high}px`;
    const { x, y } = this.#pan;
    this.#stack.style.transform = `translate(-50%, -50%) translate(${x}px, ${y}px) scale(${this.#zoom})`;
    const left = room.x / 2 + x - (wide * this.#zoom) / 2;
    const line = left + this.#split * wide * this.#zoom;
    this.#before.style.clipPath = `inset(0 ${100 * (1 - this.#split)}% 0 0)`;
    this.#divider.style.left = `${Math.min(room.x - 18, Math.max(18, line))}px`;
    this.#divider.classList.toggle("at-rest", this.#split === 0 || this.#split === 1);
    this.classList.toggle("empty", !width);
  }

  // --- what a person does -----------------------------------------------------------------------

  #listen() {
    this.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomTo(this.#zoom * Math.exp(-event.deltaY / 400), this.#inside(event));
    }, { passive: false });
    this.addEventListener("dblclick", (event) => {
      this.zoomTo(this.#zoom > 1 ? 1 : 4, this.#inside(event));
    });
    this.#stack.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#divider.addEventListener("pointerdown", (event) => {
      this.#divider.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.#divider.focus();
    });
    this.#divider.addEventListener("pointermove", (event) => {
      if (!this.#divider.hasPointerCapture(event.pointerId)) return;
      const box = this.#stack.getBoundingClientRect();
      this.split = (event.clientX - box.left) / box.width;
    });
    this.#divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.05, ArrowRight: 0.05, Home: -1, End: 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.split += step;
    });
  }

  /** @param {MouseEvent} event @returns {{x: number, y: number}} */
  #inside(event) {
    const box = this.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Drag to move a zoomed photo, pinch to zoom, click to pick the color. @param {PointerEvent} down */
  #grab(down) {
    this.#pointers.set(down.pointerId, this.#inside(down));
    this.#stack.setPointerCapture(down.pointerId);
    let traveled = 0;
    const move = (/** @type {PointerEvent} */ event) => {
      const from = this.#pointers.get(event.pointerId);
      if (event.pointerId !== down.pointerId || !from) return;
      const to = this.#inside(event);
      traveled += Math.hypot(to.x - from.x, to.y - from.y);
      this.#moved(event.pointerId, from, to);
    };
    const end = (/** @type {PointerEvent} */ event) => {
      if (event.pointerId !== down.pointerId) return;
      this.#stack.removeEventListener("pointermove", move);
      this.#stack.removeEventListener("pointerup", end);
      this.#stack.removeEventListener("pointercancel", end);
      this.#pointers.delete(event.pointerId);
      if (event.type === "pointerup" && traveled < 4) this.#pick(event);
    };
    this.#stack.addEventListener("pointermove", move);
    this.#stack.addEventListener("pointerup", end);
    this.#stack.addEventListener("pointercancel", end);
  }

  /** @typedef {{x: number, y: number}} Point */
  /** @param {number} id @param {Point} from @param {Point} to */
  #moved(id, from, to) {
    const other = [...this.#pointers].find(([name]) => name !== id)?.[1];
    this.#pointers.set(id, to);
    if (other) {
      const [was, is] = [from, to].map((p) => Math.hypot(p.x - other.x, p.y - other.y));
      const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
      this.zoomTo((this.#zoom * is) / Math.max(1, was), middle);
    } else {
      this.#pan = { x: this.#pan.x + to.x - from.x, y: this.#pan.y + to.y - from.y };
      this.#layout();
    }
  }

  /** @param {PointerEvent} event */
  #pick(event) {
    const box = this.#stack.getBoundingClientRect();
    const { width, height } = this.#before;
    const x = Math.floor(((event.clientX - box.left) / box.width) * width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * height);
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = 4 * (y * width + x);
    const [r, g, b] = this.#read().data.slice(at, at + 3);
    this.dispatchEvent(new CustomEvent("pick", { detail: chromaOfPixel(r, g, b) }));
  }
}

/** @param {string} name @returns {HTMLDivElement} */
function div(name) {
  const element = document.createElement("div");
  element.className = name;
  return element;
}

/** @param {string} name @returns {HTMLCanvasElement} */
function canvas(name) {
  const element = document.createElement("canvas");
  element.className = name;
  element.width = element.height = 0;
  return element;
}

/** @param {HTMLCanvasElement} element @returns {CanvasRenderingContext2D} */
const context2d = (element) =>
  /** @type {CanvasRenderingContext2D} */ (element.getContext("2d", { willReadFrequently: false }));

/** @param {HTMLCanvasElement} element @param {ImageBitmap} picture */
function paint(element, picture) {
  if (element.width !== picture.width || element.height !== picture.height) {
    element.width = picture.width;
    element.height = picture.height;
  }
  const context = context2d(element);
  context.clearRect(0, 0, picture.width, picture.height);
  context.drawImage(picture, 0, 0);
}

customElements.define("photo-viewer", PhotoViewer);
