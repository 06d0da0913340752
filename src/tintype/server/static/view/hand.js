// What a hand does with the viewer: wheel, drag, pinch, click, keys.

import { chromaOfPixel } from "../color.js";

/** @typedef {import("./viewer.js").PhotoViewer} PhotoViewer @typedef {import("./viewer.js").Point} Point */
/** @typedef {Map<number, Point & {traveled: number}>} Pointers that are down, and how far they went, pixels */

const CLICK = 4; // pixels that a hand may move while it clicks

// What takes the space bar, whoever gave it the focus; and what does so once keys did.
const TYPED = "input:not([type=radio], [type=checkbox], [type=range], [type=color]), select, textarea, " +
  "[contenteditable], [role=application], dialog";
const PRESSED = "input, button, a, summary, [role=slider], [role=button]";
const STEP = 60; // pixels that a key moves the photo

/**
 * @param {PhotoViewer} viewer @param {HTMLCanvasElement} canvas @param {HTMLElement} divider
 */
export function listenToHand(viewer, canvas, divider) {
  viewer.addEventListener("wheel", (event) => {
    event.preventDefault();
    viewer.zoomTo(viewer.zoom * Math.exp(-event.deltaY / 400), viewer.inside(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => {
    if (viewer.zoom > 1.001) viewer.zoomTo(1);
    else viewer.zoomToPixels(viewer.inside(event));
  });
  listenToDivider(viewer, divider);
  listenToKeys(viewer, canvas);
  listenToSpace(viewer);
  /** @type {Pointers} */ const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) =>
    grab(viewer, canvas, pointers, event, (up) => pick(viewer, up)));
}

/** @param {PhotoViewer} viewer @param {HTMLElement} divider */
function listenToDivider(viewer, divider) {
  let before = 0;
  divider.addEventListener("pointerdown", (event) => {
    before = viewer.split;
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
    divider.focus();
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) viewer.split = viewer.placeOf(event).x;
  });
  divider.addEventListener("pointercancel", () => (viewer.split = before));
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.05, ArrowRight: 0.05, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    viewer.split += step;
  });
}

/** @param {PhotoViewer} viewer @param {HTMLCanvasElement} canvas */
function listenToKeys(viewer, canvas) {
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => viewer.panBy(STEP, 0),
    ArrowRight: () => viewer.panBy(-STEP, 0),
    ArrowUp: () => viewer.panBy(0, STEP),
    ArrowDown: () => viewer.panBy(0, -STEP),
  };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
}

/**
 * The space bar shows "before", also after a click on a button; what keys led to is pressed.
 * @param {PhotoViewer} viewer
 */
function listenToSpace(viewer) {
  let [byKey, focusedByKey] = [true, true];
  addEventListener("pointerdown", () => (byKey = focusedByKey = false), { capture: true });
  addEventListener("focusin", () => (focusedByKey = byKey), { capture: true });
  addEventListener("keydown", (event) => {
    byKey = true;
    if (event.key !== " " || viewer.classList.contains("empty")) return;
    const taken = focusedByKey ? `${TYPED}, ${PRESSED}` : TYPED;
    if (event.target instanceof Element && event.target.closest(taken)) return;
    event.preventDefault();
    event.stopPropagation();
    viewer.gray = true;
  }, { capture: true });
  addEventListener("keyup", (event) => {
    if (event.key !== " " || !viewer.gray) return;
    event.preventDefault(); // or Firefox presses the button
    viewer.gray = false;
  }, { capture: true });
  addEventListener("blur", () => (viewer.gray = false));
}

/**
 * Drag to move a zoomed photo; with two fingers zoom and move it.
 * @param {PhotoViewer} viewer @param {HTMLElement} element that hears of the pointer
 * @param {Pointers} pointers of the element @param {PointerEvent} down
 * @param {(up: PointerEvent) => void} [click] with one finger
 */
export function grab(viewer, element, pointers, down, click = () => {}) {
  const pointer = { ...viewer.inside(down), traveled: 0 };
  const before = viewer.view;
  pointers.set(down.pointerId, pointer);
  if (pointers.size > 1) for (const one of pointers.values()) one.traveled = Infinity;
  element.setPointerCapture(down.pointerId);
  const listening = new AbortController();
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== down.pointerId) return;
    const { x, y } = viewer.inside(event);
    pointer.traveled += Math.hypot(x - pointer.x, y - pointer.y);
    const other = [...pointers.values()].find((one) => one !== pointer);
    if (other) pinch(viewer, other, pointer, { x, y });
    else viewer.panBy(x - pointer.x, y - pointer.y);
    Object.assign(pointer, { x, y });
  }, listening);
  const end = (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== down.pointerId) return;
    listening.abort();
    pointers.delete(event.pointerId);
    if (event.type === "pointercancel" && !pointers.size) putBack(viewer, before);
    else if (event.type === "pointerup" && pointer.traveled < CLICK) click(event);
  };
  element.addEventListener("pointerup", end, listening);
  element.addEventListener("pointercancel", end, listening);
}

/** Look at the photo as before. @param {PhotoViewer} viewer @param {import("./viewer.js").Place} before */
function putBack(viewer, before) {
  viewer.zoomTo(before.zoom);
  const { x, y } = viewer.view;
  viewer.panBy(before.x - x, before.y - y);
}

/**
 * Let what is between two fingers stay there.
 * @param {PhotoViewer} viewer @param {Point} other @param {Point} from @param {Point} to
 */
function pinch(viewer, other, from, to) {
  const [was, is] = [from, to].map((one) => Math.hypot(one.x - other.x, one.y - other.y));
  viewer.panBy((to.x - from.x) / 2, (to.y - from.y) / 2);
  viewer.zoomTo((viewer.zoom * is) / Math.max(1, was), { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 });
}

/** Tell which color is where, if it is in the photo. @param {PhotoViewer} viewer @param {PointerEvent} event */
function pick(viewer, event) {
  const place = viewer.placeOf(event);
  const { width, height, data } = viewer.read();
  const [x, y] = [Math.floor(place.x * width), Math.floor(place.y * height)];
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  const at = 4 * (y * width + x);
  const detail = { chroma: chromaOfPixel(data[at], data[at + 1], data[at + 2]), place, shift: event.shiftKey };
  viewer.dispatchEvent(new CustomEvent("pick", { detail }));
}
