// A cursor on the photo for those who have no mouse: arrow keys move it, Enter asks for colors there.

import { nameOf } from "../color.js";
import { t } from "../text.js";
import { ARROWS, moved } from "./marks.js";
import { colorAt } from "./pixel.js";

/** @typedef {import("../view/viewer.js").PhotoViewer} PhotoViewer */
/** @typedef {import("./place.js").Point} Point */

const STEP = 6; // pixels of the page
const LARGE = 10; // times as far
const REST = 250; // milliseconds after which it is told where it is
const EDGE = 24; // pixels from the viewer's edge at which a zoomed photo follows

export class Cursor {
  /** @type {Point | null} */ #place = null;
  #cross = document.createElement("div");
  #spoken = document.createElement("p");
  #timer = 0;

  /** @param {PhotoViewer} viewer @param {(place: Point) => void} open */
  constructor(viewer, open) {
    this.viewer = viewer;
    this.open = open;
    this.#cross.className = "cross";
    this.#cross.hidden = true;
    this.#spoken.className = "hidden";
    this.#spoken.setAttribute("role", "status");
    viewer.overlay.append(this.#cross, this.#spoken);
    viewer.addEventListener("layout", () => this.#layout());
    viewer.addEventListener("keydown", (event) => this.#press(event), { capture: true });
    viewer.addEventListener("focusout", () => this.#show(null));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!(event.target instanceof HTMLCanvasElement)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = ARROWS[event.key];
    if (step) {
      const by = step.map((one) => one * STEP * (event.shiftKey ? LARGE : 1));
      this.#show(this.#place ? moved(this.viewer, this.#place, by) : this.#begin());
      this.#follow();
    } else if (event.key === "Enter") {
      const place = this.#place ?? this.#begin();
      this.#show(null);
      this.open(place);
    } else if (event.key === "Escape" && this.#place) this.#show(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where it begins: where it was, or in the middle of what is seen. */
  #begin() {
    if (this.#last && this.#isSeen(this.#last)) return this.#last;
    const { clientWidth, clientHeight } = this.viewer;
    const zero = this.viewer.screenOf({ x: 0, y: 0 });
    const [x, y] = [clientWidth / 2 - zero.x, clientHeight / 2 - zero.y];
    return moved(this.viewer, { x: 0, y: 0 }, [x, y]);
  }

  /** @type {Point | null} */ #last = null;

  /** @param {Point} place */
  #isSeen(place) {
    const { x, y } = this.viewer.screenOf(place);
    return x >= 0 && y >= 0 && x <= this.viewer.clientWidth && y <= this.viewer.clientHeight;
  }

  /** Let a zoomed photo follow the cursor. */
  #follow() {
    if (!this.#place) return;
    const { x, y } = this.viewer.screenOf(this.#place);
    const over = (/** @type {number} */ v, /** @type {number} */ length) =>
      Math.max(0, EDGE - v) + Math.min(0, length - EDGE - v);
    const by = [over(x, this.viewer.clientWidth), over(y, this.viewer.clientHeight)];
    if (by[0] || by[1]) this.viewer.panBy(by[0], by[1]);
  }

  /** @param {Point | null} place */
  #show(place) {
    if (place) this.#last = place;
    this.#place = place;
    this.#layout();
    clearTimeout(this.#timer);
    if (place) this.#timer = window.setTimeout(() => this.#speak(place), REST);
  }

  #layout() {
    this.#cross.hidden = !this.#place;
    if (!this.#place) return;
    const { x, y } = this.viewer.screenOf(this.#place);
    this.#cross.style.translate = `${x}px ${y}px`;
  }

  /** @param {Point} place */
  #speak(place) {
    const percent = (/** @type {number} */ share) => Math.round(100 * share);
    const color = nameOf(colorAt(this.viewer, place));
    this.#spoken.textContent = t("pin-cursor", { x: percent(place.x), y: percent(place.y), color });
  }
}
