// What a hand does with the viewer: wheel, drag, pinch, click, keys.

import { chromaOfPixel } from "../color.js";

/** @typedef {import("./viewer.js").PhotoViewer} PhotoViewer @typedef {import("./viewer.js").Point} Point */

const CONTROLS = "input, select, textarea, button, a, summary, [role=slider], [contenteditable]";
const STEP = 60; // pixels that a key moves the photo
const LARGER = 1.25; // how much a key zooms

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
  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => grab(viewer, canvas, pointers, event));
}

/** @param {PhotoViewer} viewer @param {HTMLElement} divider */
function listenToDivider(viewer, divider) {
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
    divider.focus();
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) viewer.split = viewer.placeOf(event).x;
  });
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
    "+": () => viewer.zoomTo(viewer.zoom * LARGER),
    "=": () => viewer.zoomTo(viewer.zoom * LARGER),
    "-": () => viewer.zoomTo(viewer.zoom / LARGER),
    0: () => viewer.zoomTo(1),
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
  addEventListener("keydown", (event) => {
    if (event.key !== " " || viewer.classList.contains("empty")) return;
    if (event.target instanceof Element && event.target.closest(CONTROLS)) return;
    event.preventDefault();
    viewer.gray = true;
  });
  addEventListener("keyup", ({ key }) => key === " " && (viewer.gray = false));
  addEventListener("blur", () => (viewer.gray = false));
}

/**
 * Drag to move a zoomed photo, pinch to zoom, click to pick the color.
 * @param {PhotoViewer} viewer @param {HTMLCanvasElement} canvas
 * @param {Map<number, Point>} pointers @param {PointerEvent} down
 */
function grab(viewer, canvas, pointers, down) {
  pointers.set(down.pointerId, viewer.inside(down));
  canvas.setPointerCapture(down.pointerId);
  const listening = new AbortController();
  let traveled = 0;
  canvas.addEventListener("pointermove", (event) => {
    const from = pointers.get(event.pointerId);
    if (event.pointerId !== down.pointerId || !from) return;
    const to = viewer.inside(event);
    traveled += Math.hypot(to.x - from.x, to.y - from.y);
    move(viewer, pointers, event.pointerId, from, to);
  }, listening);
  const end = (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== down.pointerId) return;
    listening.abort();
    pointers.delete(event.pointerId);
    if (event.type === "pointerup" && traveled < 4) pick(viewer, event);
  };
  canvas.addEventListener("pointerup", end, listening);
  canvas.addEventListener("pointercancel", end, listening);
}

/**
 * @param {PhotoViewer} viewer @param {Map<number, Point>} pointers
 * @param {number} id @param {Point} from @param {Point} to
 */
function move(viewer, pointers, id, from, to) {
  const other = [...pointers].find(([name]) => name !== id)?.[1];
  pointers.set(id, to);
  if (!other) return viewer.panBy(to.x - from.x, to.y - from.y);
  const [was, is] = [from, to].map((p) => Math.hypot(p.x - other.x, p.y - other.y));
  const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
  viewer.zoomTo((viewer.zoom * is) / Math.max(1, was), middle);
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
