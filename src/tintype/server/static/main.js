// The editor: photos on one side, what a person chooses on the other, and a picture that follows.

import * as api from "./api.js";
import { isGray, nearest } from "./color.js";
import { isEdited, pinsOf, PRESETS, preset, recipeOf, toggled, unedited, worn } from "./edits.js";
import { listenForFiles } from "./files.js";
import * as keep from "./keep.js";
import { button, input, output, say, showProgress, showSlider, the, trying } from "./page.js";
import * as photos from "./photos.js";
import { Renderer } from "./renderer.js";
import { PhotoViewer } from "./viewer.js";
import { PaletteWheel } from "./wheel.js";

/** @typedef {import("./edits.js").Choice} Choice */
/** @typedef {import("./photos.js").Open} Open */

const viewer = the("viewer", PhotoViewer);
const wheel = the("wheel", PaletteWheel);

/** @type {Map<Open, HTMLButtonElement>} */ const tabs = new Map();
/** @type {Open | null} */ let open = null;
/** @type {Choice | null} */ let choice = null;
/** @type {number | null} */ let selected = null;
/** @type {api.Health} */
let server = {
  version: "", model: "", model_folder: null, vividness: 0.5, vividness_given: 0.5, megabytes: 64,
};

/** @type {Renderer<Open>} */
const renderer = new Renderer(
  ({ of, recipe, done }) => photos.asking(of, (id) => api.render(id, recipe, { measure: done })),
  (rendered, picture, { of, done }) => {
    if (of !== open) return;
    viewer.showAfter(picture);
    if (rendered.colors) wheel.showColors(rendered.colors);
    if (done) showReached(rendered.reached);
    sharpenSoon();
  },
  (error) => say(error.message),
);

// --- photos --------------------------------------------------------------------------------------

let sending = 0;

/** @param {File[]} given */
async function addPhotos(given) {
  if (!given.length) return;
  document.body.classList.remove("empty");
  const notes = [];
  sending += 1;
  for (const [i, file] of given.entries()) {
    const words = `Coloring ${given.length > 1 ? `${i + 1} of ${given.length}` : file.name}`;
    try {
      notes.push(await addPhoto(file, words));
    } catch (error) {
      notes.push(`${file.name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  sending -= 1;
  if (!sending) showProgress(null, "");
  say(notes.filter(Boolean).join(" "));
  document.body.classList.toggle("empty", !tabs.size && !sending);
}

/** @param {File} file @param {string} words @returns {Promise<string>} what to say of it */
async function addPhoto(file, words) {
  if (file.size > server.megabytes * 2 ** 20) {
    throw new Error(`expected at most ${server.megabytes} MB; send a smaller file`);
  }
  const progress = (/** @type {number} */ part) =>
    open ? say(words) : showProgress(part, words); // who edits already is not interrupted
  progress(0);
  const one = await photos.send(file, progress);
  const tab = tile(one.name, one.thumbnails[0], () => openPhoto(one));
  the("photos", HTMLDivElement).append(tab);
  tabs.set(one, tab);
  if (!open) openPhoto(one);
  return one.photo.colorful ? `${one.name} already has colors; they are replaced.` : "";
}

/** @param {string} name @param {string} picture @param {() => void} act */
function tile(name, picture, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.title = name;
  element.setAttribute("aria-label", name);
  const image = new Image();
  image.alt = "";
  image.src = picture;
  element.append(image);
  element.addEventListener("click", act);
  return element;
}

/** @param {Open} one */
function openPhoto(one) {
  open = one;
  choice = selected = null;
  for (const [of, tab] of tabs) tab.setAttribute("aria-pressed", String(of === one));
  viewer.open(one.before, one.photo.width);
  the("variants", HTMLDivElement).replaceChildren();
  trying(() => showVariants(one))();
  choose(one.history.current, { done: true, keep: false });
}

function closePhoto() {
  if (!open) return;
  photos.close(open);
  tabs.get(open)?.remove();
  tabs.delete(open);
  open = choice = selected = null;
  const next = [...tabs.keys()].at(-1);
  if (next) openPhoto(next);
  document.body.classList.toggle("empty", !next);
}

/** @param {Open} one */
async function showVariants(one) {
  const pictures = await photos.thumbnails(one);
  if (one !== open) return;
  const tiles = pictures.map((picture, alternative) =>
    tile(alternative ? `Variant ${alternative}` : "Automatic", picture, () => {
      selected = null;
      const variant = alternative ? one.photo.alternatives[alternative - 1] : one.photo;
      choose(unedited(variant, { alternative, kept: pinsOf(choice) }), { done: true });
    }));
  the("variants", HTMLDivElement).replaceChildren(...tiles);
  showChoice();
}

/** @type {AbortController} */ let sharpening = new AbortController();

/** The full size, once the hand rests, where the preview is too small for the screen. */
function sharpenSoon() {
  sharpening.abort();
  sharpening = new AbortController();
  const { signal } = sharpening;
  const timer = setTimeout(trying(() => sharpen(signal)), 400);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

/** @param {AbortSignal} signal */
async function sharpen(signal) {
  if (!open || !choice || !viewer.isCoarse) return;
  const how = { size: "full", format: open.photo.alpha ? "PNG" : "JPEG", measure: false };
  try {
    const { picture } = await api.render(open.photo.id, recipeOf(choice), how, signal);
    const bitmap = await createImageBitmap(picture);
    if (!signal.aborted) viewer.showAfter(bitmap);
    bitmap.close();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

// --- what is chosen ------------------------------------------------------------------------------

/**
 * Show a choice and color the photo by it.
 * @param {Choice} next
 * @param {{done: boolean, keep?: boolean}} how done: the hand has let go; keep: it can be undone
 */
function choose(next, { done, keep: kept = true }) {
  if (!open) return;
  const since = performance.now();
  choice = next;
  sharpening.abort();
  if (selected !== null && selected >= next.spots.length) selected = null;
  if (done && kept) open.history.add(next);
  renderer.ask({ of: open, recipe: recipeOf(next), done, since });
  showChoice();
}

/** @param {Partial<Choice>} part @param {boolean} [done] */
function change(part, done = true) {
  if (choice) choose({ ...choice, ...part }, { done });
}

function showChoice() {
  if (!choice || !open) return;
  wheel.show(choice, selected);
  showSlider("saturation", choice.saturation, `${Math.round(100 * choice.saturation)} %`);
  showSlider("turn", choice.turn, `${choice.turn}°`);
  const usual = choice.palette ? server.vividness_given : server.vividness;
  const vividness = choice.vividness ?? usual;
  showSlider("vividness", vividness, vividness.toFixed(2));
  button("undo").disabled = !open.history.canUndo;
  button("redo").disabled = !open.history.canRedo;
  button("reset").disabled = !isEdited(choice) && !choice.alternative && !choice.palette;
  const spot = selected === null ? null : choice.spots[selected];
  input("hex").value = spot ? spot.to : "";
  const scale = spot ? Math.log2(spot.from === null ? spot.scale / 0.1 : spot.scale) : 0;
  showSlider("size", scale, spot ? `${(2 ** scale).toFixed(1)} x` : "");
  input("size").disabled = button("ban").disabled = !spot;
  button("ban").textContent = spot?.banned ? "Allow" : "Remove";
  input("command").value = keep.commandOf(open, choice, server.model_folder);
  for (const [i, tab] of [...the("variants", HTMLDivElement).children].entries()) {
    tab.setAttribute("aria-pressed", String(!choice.palette && i === choice.alternative));
  }
}

/** @param {number | null} reached */
function showReached(reached) {
  the("reach", HTMLDivElement).hidden = reached === null;
  if (reached === null) return;
  the("reached", HTMLMeterElement).value = Math.min(1, Math.max(0, reached));
  const text = reached > 0.05 ? `${Math.round(100 * Math.min(1, reached))} % of what you asked for` : "hardly";
  output("reached-out").value = text;
}

/** Change the chosen spot's color, or add one. @param {boolean} added */
function typeColor(added) {
  const text = input("hex").value.trim();
  const code = /^gr[ae]y$/i.test(text) ? "808080" : text.replace("#", "").toLowerCase();
  if (!/^[0-9a-f]{6}$/.test(code)) return say(`Expected a color as #rrggbb, or gray, found "${text}".`);
  const hex = `#${code}`;
  say("");
  if (!choice) return;
  if (added || selected === null) return wheel.addColor(hex);
  const spots = structuredClone(choice.spots);
  spots[selected].to = hex;
  change({ spots });
}

/** Which spot a color of the photo belongs to. @param {import("./color.js").Chroma} chroma */
function spotOf(chroma) {
  const now = choice;
  if (!now) return null;
  const places = now.spots.map((spot) => worn(spot, now));
  const gray = places.findIndex(isGray);
  return nearest(chroma, places) ?? (gray < 0 ? null : gray);
}

/** Light up the pixels that wear a spot's color. @param {number | null} index */
function highlight(index) {
  const dark = index === null || !choice || choice.spots[index]?.banned;
  viewer.highlight(dark ? null : (chroma) => spotOf(chroma) === index);
}

/** A palette, a recipe, or the colors of a photo. @param {File} file */
async function load(file) {
  const one = open;
  if (!one) return say("Drop a photo first.");
  const { choice: next, text } = await keep.load(one, file, server.model, pinsOf(choice));
  if (one !== open) openPhoto(one);
  selected = null;
  choose(next, { done: true });
  say(text);
}

// --- the page ------------------------------------------------------------------------------------

function listenToWheel() {
  /** @param {string} name @param {(detail: any) => void} act */
  const on = (name, act) =>
    wheel.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
  on("steer", ({ choice: next, done }) => choose(next, { done }));
  on("choose", (index) => {
    selected = index;
    showChoice();
  });
  on("hover", highlight);
  wheel.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("dropping");
    trying(() => load(file))();
  });
}

function listenToControls() {
  for (const id of ["saturation", "turn", "vividness"]) {
    input(id).addEventListener("input", () => change({ [id]: Number(input(id).value) }, false));
    input(id).addEventListener("change", () => change({ [id]: Number(input(id).value) }));
  }
  for (const kind of ["input", "change"]) {
    input("size").addEventListener(kind, () => {
      if (!choice || selected === null) return;
      const spots = structuredClone(choice.spots);
      const factor = 2 ** Number(input("size").value);
      const spot = spots[selected];
      spot.scale = Number((spot.from === null ? Math.min(0.9, 0.1 * factor) : factor).toFixed(3));
      change({ spots }, kind === "change");
    });
  }
  input("hex").addEventListener("keydown", ({ key }) => key === "Enter" && typeColor(false));
  button("more").addEventListener("click", () => typeColor(true));
  button("ban").addEventListener("click", () => {
    if (choice && selected !== null) change({ spots: toggled(choice.spots, selected) });
  });
  const reset = () => open && choose(unedited(open.photo), { done: true });
  addChip("As estimated", reset);
  for (const name of Object.keys(PRESETS)) {
    addChip(name, () => choice && choose(preset(choice, name), { done: true }));
  }
  button("undo").addEventListener("click", () => step(-1));
  button("redo").addEventListener("click", () => step(1));
  button("reset").addEventListener("click", reset);
}

/** @param {string} name @param {() => void} act */
function addChip(name, act) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.textContent = name;
  chip.addEventListener("click", act);
  the("presets", HTMLDivElement).append(chip);
}

/** @param {-1 | 1} by */
function step(by) {
  if (open) choose(open.history.move(by), { done: true, keep: false });
}

function listenToFiles() {
  listenForFiles(addPhotos);
  for (const id of ["add", "choose"]) {
    button(id).addEventListener("click", () => input("files").click());
  }
  button("close").addEventListener("click", closePhoto);
  input("files").addEventListener("change", () => {
    addPhotos([...(input("files").files ?? [])]);
    input("files").value = "";
  });
  button("load").addEventListener("click", () => input("load-file").click());
  input("load-file").addEventListener("change", trying(async () => {
    const file = input("load-file").files?.[0];
    input("load-file").value = "";
    if (file) await load(file);
  }));
  for (const [id, act] of Object.entries({
    save: keep.savePhoto, "save-recipe": keep.saveRecipe, "save-palette": keep.savePalette,
    copy: keep.copyCommand,
  })) {
    button(id).addEventListener("click", trying(async () => {
      if (open && choice) await act(open, choice, server.model_folder);
    }));
  }
  input("strip").addEventListener("change", showChoice);
  the("format", HTMLSelectElement).addEventListener("change", showChoice);
  addEventListener("beforeunload", (event) => {
    if ([...tabs.keys()].some((one) => one.history.canUndo)) event.preventDefault();
  });
}

function listenToView() {
  /** @type {Record<string, () => void>} */
  const actions = {
    fit: () => viewer.zoomTo(1),
    pixels: () => viewer.zoomToPixels(),
    gray: () => (viewer.split = viewer.split > 0 ? 0 : 0.5),
    screen: () => (document.fullscreenElement
      ? document.exitFullscreen() : document.querySelector(".stage")?.requestFullscreen()),
  };
  for (const [id, act] of Object.entries(actions)) button(id).addEventListener("click", act);
  viewer.addEventListener("zoom", sharpenSoon);
  viewer.addEventListener("split", () =>
    button("gray").setAttribute("aria-pressed", String(viewer.split > 0)));
  viewer.addEventListener("pick", (event) => {
    selected = spotOf(/** @type {CustomEvent} */ (event).detail);
    say(selected === null ? "That pixel is gray." : "");
    showChoice();
  });
  /** @type {Record<string, string>} */
  const keys = { 0: "fit", 1: "pixels", b: "gray", f: "screen" };
  addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("input, select");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      if (event.target instanceof HTMLInputElement && event.target.type === "text") return;
      event.preventDefault();
      step(event.shiftKey ? 1 : -1);
    } else if (keys[event.key] && !control && !event.ctrlKey && !event.metaKey && !event.altKey) {
      actions[keys[event.key]]();
    }
  });
}

listenToWheel();
listenToControls();
listenToFiles();
listenToView();
trying(async () => {
  server = await api.health();
  showChoice();
})();
