// <photo-viewer>: the photo before and after, split by a line that moves; zoom to its pixels.

import { chromaOfPixel } from "../color.js";
import { resizeBytes } from "../engine/resize.js";
import { t } from "../text.js";
import { listenToHand } from "./hand.js";
import { createPainter } from "./painter.js";
import { joinSides, mixPixels } from "./pixels.js";
import { createVeil, drawVeil } from "./veil.js";

/** @typedef {import("../color.js").Chroma} Chroma */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {import("../engine/luma.js").Luma} Luma @typedef {import("../engine/guide.js").Chroma} ChromaPlane */
/** @typedef {{zoom: number, x: number, y: number, split: number}} Place how a photo is looked at */
/** @typedef {import("./pixels.js").Pixels} Pixels */

const MOST = 16; // times the size at which the photo fits, and screen pixels for one of its own
const MARGIN = 12; // around a photo that fits
const FADE = 250; // milliseconds in which the first colors come
const REST = 150; // milliseconds after which a hand rests
const READ_PIXELS = 500_000; // of a photo that is read in gray

/** @type {Luma} */
const NONE = { luma: new Uint8Array(0), width: 0, height: 0, alpha: null };

export class PhotoViewer extends HTMLElement {
  /** Lies over the photo, for what others draw; on every event "layout" it is to be drawn anew. */
  overlay = create("div", "overlay");
  #canvas = create("canvas", "photo");
  #light = create("canvas", "light");
  #divider = create("div", "divider");
  #painter = createPainter(this.#canvas, () => this.#paintSoon());
  #split = 0; // share of the width that shows the photo in gray
  #gray = false; // whether all of it is, for as long as a key is held
  #zoom = 1;
  /** @type {Point} */ #pan = { x: 0, y: 0 };
  /** @type {Luma} */ #photo = NONE;
  /** @type {ChromaPlane | null} */ #chroma = null;
  /** @type {ChromaPlane | null} */ #other = null; // at the left of the split, in place of gray
  /** @type {import("./painter.js").View} */
  #view = { scale: 1, x: 0, y: 0, split: 0, width: 1, height: 1 };
  /** @type {Pixels | null} */ #read = null;
  /** @type {import("./veil.js").Veil | null} */ #veil = null;
  #since = 0; // when the first colors came
  #frame = 0;
  #timer = 0;
  #moving = false;

  connectedCallback() {
    if (this.#canvas.isConnected) return;
    for (const [element, attributes] of /** @type {[Element, object][]} */ ([
      [this.#canvas, {
        role: "img", tabindex: "0",
        "aria-label": t("photo-label"), "aria-description": t("photo-help"),
      }],
      [this.#light, { "aria-hidden": "true" }],
      [this.#divider, {
        role: "slider", tabindex: "0", "aria-label": t("split-label"),
        "aria-valuemin": "0", "aria-valuemax": "100",
      }],
    ])) for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    this.append(this.#canvas, this.#light, this.overlay, this.#divider);
    listenToHand(this, this.#canvas, this.#divider);
    new ResizeObserver(() => this.#layout()).observe(this);
    this.split = 0;
  }

  /** How much of the width shows the photo in gray, 0..1. */
  get split() {
    return this.#split;
  }

  set split(value) {
    this.#split = Math.min(1, Math.max(0, value));
    const part = Math.round(100 * this.#split);
    this.#divider.setAttribute("aria-valuenow", String(part));
    const words = t(this.#other ? "split-version" : "split-value", { part });
    this.#divider.setAttribute("aria-valuetext", words);
    if (this.#other) this.#color();
    this.#layout();
    this.dispatchEvent(new CustomEvent("split"));
  }

  /** Whether all of the photo is shown in gray for now, wherever the split is. */
  get gray() {
    return this.#gray;
  }

  set gray(value) {
    if (value === this.#gray) return;
    this.#gray = value;
    this.#layout();
  }

  // --- what is shown ------------------------------------------------------------------------------

  /**
   * Show another photo, in gray until it is colored.
   * @param {Luma} photo the arrays are kept
   * @param {Place | null} [view] as it was looked at before; null to fit it
   */
  open(photo, view = null) {
    this.#photo = photo;
    this.#chroma = this.#other = this.#read = this.#veil = null;
    this.#since = 0;
    this.#painter.setLuma(photo.luma, photo.width, photo.height, photo.alpha);
    this.#painter.setChroma(null, 0, 0);
    const { x, y, zoom, split } = view ?? { x: 0, y: 0, zoom: 1, split: 0 };
    [this.#pan, this.#zoom, this.split] = [{ x, y }, zoom, split];
  }

  /** Show no photo. */
  clear() {
    this.open(NONE);
  }

  /** Color the photo. @param {ChromaPlane} chroma of any size; the array is kept */
  showChroma(chroma) {
    this.#chroma = chroma;
    this.#read = null;
    this.#color();
    this.#since ||= performance.now();
    this.#paintSoon(true);
  }

  /** Whether the photo's colors have come. */
  get isColored() {
    return this.#chroma !== null;
  }

  /** Whether other colors are at the left of the split. */
  get compares() {
    return this.#other !== null;
  }

  /** Show other colors at the left of the split. @param {ChromaPlane | null} chroma null for gray */
  showOther(chroma) {
    this.#other = chroma;
    this.#color();
    this.split = chroma ? this.#split || 0.5 : 0;
  }

  #color() {
    if (!this.#chroma) return;
    const { rg, width, height } = this.#chroma;
    const same = this.#other?.width === width && this.#other.height === height;
    const shown = this.#other && same ? joinSides(this.#other.rg, rg, width, this.#split) : rg;
    this.#painter.setChroma(shown, width, height);
  }

  /** How the photo is looked at, to be given to `open` when it comes back. @returns {Place} */
  get view() {
    return { ...this.#pan, zoom: this.#zoom, split: this.#other ? 0 : this.#split };
  }

  /** The colored photo's pixels, of the size of its chroma. @returns {Pixels} */
  read() {
    if (this.#read) return this.#read;
    const { luma, width, height } = this.#photo;
    const part = Math.min(1, Math.sqrt(READ_PIXELS / Math.max(1, width * height)));
    const { width: wide, height: high } = this.#chroma
      ?? { width: Math.round(part * width), height: Math.round(part * height) };
    const guide = resizeBytes(luma, height, width, high, wide);
    this.#read = mixPixels(guide, this.#chroma?.rg ?? null, wide, high);
    return this.#read;
  }

  /**
   * Darken all pixels but those that are wanted.
   * @param {((chroma: Chroma) => boolean) | Uint8Array | null} wanted
   *   by their chroma, or a mask of the size that `read` has
   */
  highlight(wanted) {
    if (typeof wanted !== "function") return this.outline(wanted, 0, 0, false);
    const { data, width, height } = this.read();
    const mask = new Uint8Array(width * height);
    for (let i = 0, at = 0; i < mask.length; i++, at += 4) {
      mask[i] = wanted(chromaOfPixel(data[at], data[at + 1], data[at + 2])) ? 255 : 0;
    }
    this.outline(mask, width, height, false);
  }

  /**
   * Darken what is outside a part of the photo and draw a line along its edge.
   * @param {Uint8Array | null} mask (height, width), 255 inside @param {number} [width]
   * @param {number} [height] those of `read` if left out @param {boolean} [outlined]
   */
  outline(mask, width = 0, height = 0, outlined = true) {
    if (mask?.length) {
      const size = width ? { width, height } : this.read();
      this.#veil = createVeil(mask, size.width, size.height, outlined);
    } else this.#veil = null;
    this.#drawLight();
  }

  // --- where it is shown --------------------------------------------------------------------------

  /** Where an event is in the photo, shares of its sides, 0..1 inside. @param {MouseEvent} event */
  placeOf(event) {
    const at = this.inside(event);
    const { scale, x, y } = this.#view;
    const { width, height } = this.#photo;
    const ratio = devicePixelRatio;
    return {
      x: (at.x * ratio - x) / (scale * width), y: (at.y * ratio - y) / (scale * height),
    };
  }

  /** Where a place of the photo is in the viewer, pixels of the page. @param {Point} place */
  screenOf(place) {
    const { scale, x, y } = this.#view;
    const { width, height } = this.#photo;
    return {
      x: (x + place.x * scale * width) / devicePixelRatio,
      y: (y + place.y * scale * height) / devicePixelRatio,
    };
  }

  /** Where an event is in the viewer, pixels of the page. @param {MouseEvent} event */
  inside(event) {
    const box = this.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** How much larger than when it fits. */
  get zoom() {
    return this.#zoom;
  }

  /** @param {number} zoom @param {Point} [at] what stays in place */
  zoomTo(zoom, at = { x: this.clientWidth / 2, y: this.clientHeight / 2 }) {
    const most = Math.max(MOST, MOST * this.#pixelZoom);
    const next = Math.min(most, Math.max(Math.min(1, this.#pixelZoom), zoom));
    const x = at.x - this.clientWidth / 2;
    const y = at.y - this.clientHeight / 2;
    const ratio = next / this.#zoom;
    this.#pan = { x: x - (x - this.#pan.x) * ratio, y: y - (y - this.#pan.y) * ratio };
    this.#zoom = next;
    this.#layout();
    this.dispatchEvent(new CustomEvent("zoom", { detail: next }));
  }

  /** One pixel of the photo for one of the screen. @param {Point} [at] what stays in place */
  zoomToPixels(at) {
    this.zoomTo(this.#pixelZoom, at);
  }

  /** @param {number} x pixels of the page @param {number} y */
  panBy(x, y) {
    this.#pan = { x: this.#pan.x + x, y: this.#pan.y + y };
    this.#layout();
  }

  /** Pixels of the page for one of the luma, where the photo fits. */
  get #fit() {
    const { width, height } = this.#photo;
    const room = [this.clientWidth - 2 * MARGIN, this.clientHeight - 2 * MARGIN];
    return width ? Math.max(1e-6, Math.min(room[0] / width, room[1] / height)) : 1;
  }

  get #pixelZoom() {
    return 1 / devicePixelRatio / this.#fit;
  }

  #layout() {
    const { width, height } = this.#photo;
    const ratio = devicePixelRatio;
    const room = { x: this.clientWidth, y: this.clientHeight };
    let scale = this.#fit * this.#zoom * ratio;
    if (Math.abs(scale - 1) < 1e-3) scale = 1;
    const free = {
      x: (scale * width) / ratio - room.x + 2 * MARGIN,
      y: (scale * height) / ratio - room.y + 2 * MARGIN,
    };
    for (const axis of /** @type {("x" | "y")[]} */ (["x", "y"])) {
      const most = Math.max(0, free[axis] / 2);
      this.#pan[axis] = Math.min(most, Math.max(-most, this.#pan[axis]));
    }
    this.#view = {
      scale,
      x: Math.round((room.x / 2 + this.#pan.x) * ratio - (scale * width) / 2),
      y: Math.round((room.y / 2 + this.#pan.y) * ratio - (scale * height) / 2),
      split: this.#gray ? 1 : this.#other ? 0 : this.#split,
      width: Math.max(1, Math.round(room.x * ratio)),
      height: Math.max(1, Math.round(room.y * ratio)),
    };
    const line = this.screenOf({ x: this.#split, y: 0 }).x;
    this.#divider.style.left = `${Math.min(room.x - 18, Math.max(18, line))}px`;
    this.#divider.classList.toggle("at-rest", this.#split === 0 || this.#split === 1);
    this.classList.toggle("empty", !width);
    this.#paintSoon(true);
    this.dispatchEvent(new CustomEvent("layout"));
  }

  // --- painting -----------------------------------------------------------------------------------

  /** @param {boolean} [moving] it is to be painted once more, exactly, when all rests */
  #paintSoon(moving = false) {
    this.#moving = moving;
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    const { width, height } = this.#view;
    for (const canvas of [this.#canvas, this.#light]) {
      canvas.style.width = `${width / devicePixelRatio}px`;
      canvas.style.height = `${height / devicePixelRatio}px`;
    }
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const color = still ? 1 : Math.min(1, (performance.now() - this.#since) / FADE);
    this.#painter.paint({ ...this.#view, color, quick: this.#moving });
    this.#drawLight();
    clearTimeout(this.#timer);
    if (color < 1) this.#paintSoon(true);
    else if (this.#moving) this.#timer = window.setTimeout(() => this.#paintSoon(), REST);
  }

  #drawLight() {
    const light = this.#light;
    const { scale, x, y, width, height } = this.#view;
    if (!this.#veil) {
      if (light.width > 1) light.width = light.height = 1;
      return;
    }
    [light.width, light.height] = [width, height];
    const context = /** @type {CanvasRenderingContext2D} */ (light.getContext("2d"));
    const box = { x, y, wide: scale * this.#photo.width, high: scale * this.#photo.height };
    drawVeil(context, this.#veil, box, devicePixelRatio);
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} name @returns {HTMLElementTagNameMap[Tag]}
 */
function create(tag, name) {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

customElements.define("photo-viewer", PhotoViewer);
