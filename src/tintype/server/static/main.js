// The editor: photos on one side, what a person chooses on the other, and a picture that follows.

import * as api from "./api.js";
import { chromaOf, nearest, strengthOf } from "./color.js";
import { History, isEdited, PRESETS, preset, shown, unedited, wishOf } from "./edits.js";
import * as files from "./files.js";
import { button, input, output, say, showProgress, showSlider, the, trying } from "./page.js";
import { Renderer } from "./renderer.js";
import { PhotoViewer } from "./viewer.js";
import { PaletteWheel } from "./wheel.js";

/** @typedef {import("./edits.js").Choice} Choice */
/**
 * A photo that was sent.
 * @typedef {{photo: api.Photo, name: string, before: ImageBitmap, history: History,
 *   tab: HTMLButtonElement, variants: (string | null)[]}} Open
 */

const viewer = the("viewer", PhotoViewer);
const wheel = the("wheel", PaletteWheel);

/** @type {Open[]} */ const opened = [];
/** @type {Open | null} */ let open = null;
/** @type {Choice | null} */ let choice = null;
/** @type {number | null} */ let selected = null;
let ownVividness = 0.5;

const renderer = new Renderer((rendered, picture, request) => {
  if (request.id !== open?.photo.id) return;
  viewer.showAfter(picture);
  if (rendered.colors) wheel.showColors(rendered.colors);
  if (request.done) showReached(rendered.reached);
  if (request.done) sharpen();
}, (error) => say(error.message));

// --- photos --------------------------------------------------------------------------------------

/** @param {File[]} given */
async function addPhotos(given) {
  document.body.classList.toggle("empty", !opened.length && !given.length);
  for (const [i, file] of given.entries()) {
    const count = given.length > 1 ? ` ${i + 1} of ${given.length}` : "";
    try {
      await addPhoto(file, `Colouring${count}`);
    } catch (error) {
      say(`${file.name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  showProgress(null, "");
  document.body.classList.toggle("empty", !opened.length);
}

/** @param {File} file @param {string} words */
async function addPhoto(file, words) {
  showProgress(0, words);
  say("");
  const photo = await api.sendPhoto(file, (part) => showProgress(part, words));
  const before = await createImageBitmap(await api.gray(photo.id));
  const tab = document.createElement("button");
  const name = file.name || "pasted.png";
  tab.type = "button";
  tab.title = name;
  tab.setAttribute("aria-label", name);
  const one = { photo, name, before, history: new History(unedited(photo)), tab, variants: [] };
  tab.addEventListener("click", () => openPhoto(one));
  tab.append(await thumbnail(one, 0));
  the("photos", HTMLDivElement).append(tab);
  opened.push(one);
  if (photo.colorful) say(`${name} already has colours; they are replaced.`);
  openPhoto(one);
}

/** @param {Open} one */
function openPhoto(one) {
  open = one;
  for (const { tab } of opened) tab.setAttribute("aria-pressed", String(tab === one.tab));
  viewer.showBefore(one.before);
  showVariants(one);
  choose(one.history.current, { done: true, keep: false });
}

/** @param {Open} one @param {number} alternative @returns {Promise<HTMLImageElement>} */
async function thumbnail(one, alternative) {
  const image = new Image();
  image.alt = "";
  if (!one.variants[alternative]) {
    const wish = wishOf(unedited(one.photo, { alternative }));
    const { picture } = await api.render(one.photo.id, wish, { size: "thumbnail", measure: false });
    one.variants[alternative] = URL.createObjectURL(picture);
  }
  image.src = /** @type {string} */ (one.variants[alternative]);
  return image;
}

/** @param {Open} one */
async function showVariants(one) {
  const names = ["Automatic", "Variant 1", "Variant 2", "Variant 3", "Variant 4"];
  const buttons = names.map((name, alternative) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.title = name;
    tab.setAttribute("aria-label", name);
    tab.addEventListener("click", () => {
      const variant = alternative ? one.photo.alternatives[alternative - 1] : one.photo;
      selected = null;
      choose(unedited(variant, { alternative }), { done: true });
    });
    return tab;
  });
  the("variants", HTMLDivElement).replaceChildren(...buttons);
  for (const [alternative, tab] of buttons.entries()) tab.append(await thumbnail(one, alternative));
}

// --- what is chosen ------------------------------------------------------------------------------

/**
 * Show a choice and colour the photo by it.
 * @param {Choice} next
 * @param {{done: boolean, keep?: boolean}} how done: the hand has let go; keep: it can be undone
 */
function choose(next, { done, keep = true }) {
  if (!open) return;
  const since = performance.now();
  choice = next;
  if (selected !== null && selected >= next.spots.length) selected = null;
  if (done && keep) open.history.add(next);
  renderer.ask({ id: open.photo.id, wish: wishOf(next), done, since });
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
  const vividness = choice.vividness ?? ownVividness;
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
  input("command").value = command();
  for (const [i, tab] of [...the("variants", HTMLDivElement).children].entries()) {
    tab.setAttribute("aria-pressed", String(!choice.palette && i === choice.alternative));
  }
}

/** @param {number | null} reached */
function showReached(reached) {
  the("wish", HTMLDivElement).hidden = reached === null;
  if (reached === null) return;
  the("reached", HTMLMeterElement).value = Math.min(1, Math.max(0, reached));
  const text = reached > 0.05 ? `${Math.round(100 * Math.min(1, reached))} % of your wish` : "hardly";
  output("reached-out").value = text;
}

/** The full size, once the hand rests, where the preview is too small for the screen. */
async function sharpen() {
  if (!open || !choice || !viewer.isCoarse(open.photo.width)) return;
  const [{ id }, wish] = [open.photo, wishOf(choice)];
  const asked = JSON.stringify(wish);
  try {
    const { picture } = await api.render(id, wish, { size: "full", format: "JPEG", measure: false });
    const bitmap = await createImageBitmap(picture);
    const same = open?.photo.id === id && JSON.stringify(wishOf(choice)) === asked;
    if (same) viewer.showAfter(bitmap);
  } catch (error) {
    say(/** @type {Error} */ (error).message);
  }
}

/** Take the spot away: an added colour goes, one of the photo's own is banned, or allowed again. */
function toggleBan() {
  if (!choice || selected === null) return;
  const spots = structuredClone(choice.spots);
  if (spots[selected].from === null) spots.splice(selected, 1);
  else spots[selected].banned = !spots[selected].banned;
  change({ spots });
}

/** @param {string} text */
function typeColor(text) {
  const hex = /^#?[0-9a-f]{6}$/i.test(text.trim()) ? `#${text.trim().replace("#", "")}` : null;
  if (!hex || strengthOf(chromaOf(hex)) < 0.012) {
    return say(`Expected a colour as #rrggbb that is not gray, found "${text}".`);
  }
  say("");
  if (!choice || selected === null) return wheel.addColor(hex.toLowerCase());
  const spots = structuredClone(choice.spots);
  spots[selected].to = hex.toLowerCase();
  change({ spots });
}

/** Light up the pixels that wear a spot's colour. @param {number | null} index */
function highlight(index) {
  if (index === null || !choice || choice.spots[index]?.banned) return viewer.highlight(null);
  const places = choice.spots.map((spot) => shown(spot, /** @type {Choice} */ (choice)));
  viewer.highlight((chroma) => nearest(chroma, places) === index);
}

// --- files ---------------------------------------------------------------------------------------

const format = () => the("format", HTMLSelectElement).value;
const command = () => (open ? files.commandOf(open.name, format(), input("strip").checked) : "");

async function savePhoto() {
  if (!open || !choice) return;
  say("Rendering the full size");
  const how = { size: "full", format: format() || null, strip_metadata: input("strip").checked };
  const { picture } = await api.render(open.photo.id, wishOf(choice), { ...how, measure: false });
  const name = files.coloredName(open.name, format());
  files.download(picture, name);
  say(`Saved ${name}.`);
}

async function saveRecipe() {
  if (!open || !choice) return;
  const name = files.besideName(open.name, "recipe");
  files.download(files.jsonFile(await api.recipe(wishOf(choice))), name);
  say(`Saved ${name}.`);
}

async function savePalette() {
  if (!open || !choice) return;
  const { palette } = await api.wantedPalette(open.photo.id, wishOf(choice));
  const name = files.besideName(open.name, "palette");
  files.download(files.jsonFile(palette), name);
  say(`Saved ${name}.`);
}

async function copyCommand() {
  await saveRecipe();
  const text = command();
  try {
    await navigator.clipboard.writeText(text);
    say("The command is on the clipboard, its recipe in your downloads.");
  } catch {
    input("command").select(); // a page from another machine may not use the clipboard
    say("Copy the command by hand; its recipe is in your downloads.");
  }
}

/** A palette, a recipe, or the colours of a photo. @param {File} file */
async function load(file) {
  if (!open) return say("Drop a photo first.");
  const recipe = file.name.endsWith(".json") ? files.parsed(await file.text()) : null;
  if (recipe && "edits" in recipe) {
    const { palette, alternative, edits, vividness } = recipe;
    const start = palette ? await api.readPalette(files.jsonFile(palette)) : open.photo;
    const own = alternative ? open.photo.alternatives[alternative - 1] : start;
    choose(unedited(own, { palette, alternative, kept: edits, vividness }), { done: true });
  } else {
    const variant = await api.readPalette(file);
    choose(unedited(variant, { palette: variant.palette }), { done: true });
  }
  selected = null;
  say(`Loaded ${file.name}.`);
}

// --- the page ------------------------------------------------------------------------------------

/** @param {CustomEvent} event */
const detail = (event) => event.detail;

function listenToWheel() {
  wheel.addEventListener("steer", (event) => {
    const { choice: next, done } = detail(/** @type {CustomEvent} */ (event));
    choose(next, { done });
  });
  wheel.addEventListener("choose", (event) => {
    selected = detail(/** @type {CustomEvent} */ (event));
    showChoice();
  });
  wheel.addEventListener("hover", (event) => highlight(detail(/** @type {CustomEvent} */ (event))));
  wheel.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("dropping");
    trying(() => load(file).then(() => {}))();
  });
}

function listenToControls() {
  for (const id of /** @type {("saturation" | "turn" | "vividness")[]} */ (
    ["saturation", "turn", "vividness"])) {
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
  input("hex").addEventListener("change", () => typeColor(input("hex").value));
  button("ban").addEventListener("click", toggleBan);
  for (const name of Object.keys(PRESETS)) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.textContent = name;
    chip.addEventListener("click", () => {
      if (choice) choose(preset(choice, name), { done: true });
    });
    the("presets", HTMLDivElement).append(chip);
  }
  button("undo").addEventListener("click", () => step(-1));
  button("redo").addEventListener("click", () => step(1));
  button("reset").addEventListener("click", () => {
    if (open) choose(unedited(open.photo), { done: true });
  });
}

/** @param {-1 | 1} by */
function step(by) {
  if (open) choose(open.history.move(by), { done: true, keep: false });
}

function listenToFiles() {
  files.listenForFiles(addPhotos);
  for (const id of ["add", "choose"]) {
    button(id).addEventListener("click", () => input("files").click());
  }
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
  button("save").addEventListener("click", trying(savePhoto));
  button("save-recipe").addEventListener("click", trying(saveRecipe));
  button("save-palette").addEventListener("click", trying(savePalette));
  button("copy").addEventListener("click", trying(copyCommand));
  input("strip").addEventListener("change", showChoice);
  the("format", HTMLSelectElement).addEventListener("change", showChoice);
}

function listenToView() {
  const flip = () => (viewer.split = viewer.split > 0 ? 0 : 0.5);
  /** @type {Record<string, () => void>} */
  const actions = {
    fit: () => viewer.zoomTo(1),
    pixels: () => open && viewer.zoomToPixels(open.photo.width),
    gray: flip,
    screen: () => (document.fullscreenElement
      ? document.exitFullscreen() : document.querySelector(".stage")?.requestFullscreen()),
  };
  for (const [id, act] of Object.entries(actions)) button(id).addEventListener("click", act);
  viewer.addEventListener("zoom", sharpen);
  viewer.addEventListener("pick", (event) => {
    if (!choice) return;
    const places = choice.spots.map((spot) => shown(spot, /** @type {Choice} */ (choice)));
    selected = nearest(detail(/** @type {CustomEvent} */ (event)), places);
    say(selected === null ? "That pixel is gray." : "");
    showChoice();
  });
  /** @type {Record<string, string>} */
  const keys = { 0: "fit", 1: "pixels", b: "gray", f: "screen" };
  addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "text") return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      step(event.shiftKey ? 1 : -1);
    } else if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      actions[keys[event.key]]();
    }
  });
}

listenToWheel();
listenToControls();
listenToFiles();
listenToView();
api.health().then(({ vividness }) => {
  ownVividness = vividness;
  showChoice();
}, (error) => say(error.message));
