// Saving, always in sight, and its menu: pictures, palettes, recipes, commands; and what is loaded.

import { chromaOf, isGray } from "../color.js";
import { button, input, the } from "../page.js";
import { parted, recipeOf, unedited } from "../state/choice.js";
import * as files from "../state/files.js";
import { t } from "../text.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/choice.js").Choice} Choice */
/** @typedef {import("../engine/engine.js").Photo} Photo */
/** @typedef {{name: string, photo: Photo, choice: Choice}} Opened what is looked at, encoded */

const format = () => the("format", HTMLSelectElement).value;

/** @param {Session} session */
export function listenToSave(session) {
  placeMenu();
  for (const [id, act] of Object.entries({
    save: savePhoto, "save-recipe": saveRecipe, "save-palette": savePalette, copy: copyCommand,
  })) {
    button(id).addEventListener("click", () => {
      const { open } = session;
      if (!open?.photo || !open.chosen) return;
      const one = { name: open.name, photo: open.photo, choice: open.chosen };
      save(session, id, open.name, () => act(session, one));
    });
  }
  for (const id of ["load", "take-colors"]) {
    button(id).addEventListener("click", () => input("load-file").click());
  }
  input("load-file").addEventListener("change", () => {
    const file = input("load-file").files?.[0];
    input("load-file").value = "";
    if (file) load(session, file);
  });
  const show = () => {
    const { open } = session;
    if (open?.chosen) input("command").value = commandOf(session, { name: open.name, choice: open.chosen });
  };
  input("strip").addEventListener("change", show);
  the("format", HTMLSelectElement).addEventListener("change", show);
  session.on("choice", show);
}

/** @type {Map<string, AbortController>} */ const waiting = new Map(); // by what is pressed, and the photo

/**
 * Save something, once the server is back if it is gone.
 * @param {Session} session @param {string} id of the button @param {string} name of the photo
 * @param {() => Promise<void>} act
 */
async function save(session, id, name, act) {
  try {
    await act();
  } catch (error) {
    session.complain(/** @type {Error} */ (error));
    if (!session.online) saveLater(session, id, name, act);
  }
}

/** @param {Session} session @param {string} id @param {string} name @param {() => Promise<void>} act */
function saveLater(session, id, name, act) {
  const key = `${id} ${name}`;
  waiting.get(key)?.abort();
  const wait = new AbortController();
  waiting.set(key, wait);
  session.addEventListener("server", () => {
    if (!session.online) return;
    wait.abort();
    save(session, id, name, act);
  }, { signal: wait.signal });
  const action = { name: t("cancel"), act: () => wait.abort() };
  session.say(t("save-later", { name }), { kind: "waiting", about: "save", action });
}

/**
 * The command line's own words for what is chosen.
 * @param {Session} session @param {{name: string, choice: Choice}} one
 */
function commandOf(session, { name, choice }) {
  const recipe = files.besideName(name, "recipe", recipeOf(choice));
  const model = session.server?.model_folder ?? null;
  return files.commandOf(name, recipe, format(), input("strip").checked, model);
}

/** @param {Session} session @param {Opened} one */
async function savePhoto(session, { name, photo, choice }) {
  session.say(t("rendering"), { kind: "busy", about: "save" });
  const output = files.outputOf(name, format());
  const { format: kind, layers } = output;
  const how = { format: kind, strip_metadata: input("strip").checked, layers };
  files.download(await session.engine.save(photo, recipeOf(choice), how), output.name);
  session.say(t("saved", { name: output.name }), { about: "save" });
}

/** @param {Session} session @param {Opened} one */
async function saveRecipe(session, { name, choice }) {
  const recipe = recipeOf(choice);
  const file = files.besideName(name, "recipe", recipe);
  files.download(files.jsonFile(await session.engine.completeRecipe(recipe)), file);
  session.say(t("saved", { name: file }), { about: "save" });
}

/** @param {Session} session @param {Opened} one */
async function savePalette(session, { name, photo, choice }) {
  const { palette } = await session.engine.targetPalette(photo, recipeOf(choice));
  const file = files.besideName(name, "palette", palette);
  files.download(files.jsonFile(palette), file);
  session.say(t("saved", { name: file }), { about: "save" });
}

/** @param {Session} session @param {Opened} one */
async function copyCommand(session, one) {
  const text = commandOf(session, one);
  await saveRecipe(session, one);
  try {
    await navigator.clipboard.writeText(text);
    session.say(t("copied"));
  } catch {
    input("command").select(); // a page from another machine may not use the clipboard
    session.say(t("copy-by-hand"));
  }
}

/** Open the menu above its button, or at the bottom of a small screen. */
function placeMenu() {
  const menu = the("save-menu", HTMLDivElement);
  menu.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    const bar = /** @type {HTMLElement} */ (button("save-open").parentElement).getBoundingClientRect();
    menu.style.setProperty("--right", `${document.documentElement.clientWidth - bar.right}px`);
    menu.style.setProperty("--bottom", `${innerHeight - bar.top}px`);
    menu.style.setProperty("--width", `${bar.width}px`);
  });
}

/**
 * A palette, a recipe, or the colors of a photo; a photo without colors has none to give.
 * @param {Session} session @param {File} file
 */
export function load(session, file) {
  return session.try(async () => {
    const one = session.open;
    if (!one?.photo || !one.choice) return session.say(t("photo-first"));
    const { photo, choice } = one;
    const { choice: next, text } = await read(session, file, { name: one.name, photo, choice });
    if (!/\.json$/i.test(file.name) && isColorless(next)) return offer(session, file);
    if (one !== session.open) session.show(one);
    session.selected = null;
    session.choose(next, { done: true });
    session.say(text, { about: "load" });
  });
}

/** Whether a palette that was read has nothing but gray. @param {Choice} choice */
const isColorless = ({ spots }) => spots.every(({ to }) => isGray(chromaOf(to)));

/** Say that a photo has no colors, and offer to color it. @param {Session} session @param {File} file */
function offer(session, file) {
  const action = { name: t("color-it"), act: () => void session.add([file]) };
  session.say(t("no-colors", { name: file.name }), { kind: "error", about: "load", action });
}

/**
 * What a palette, a recipe or the colors of another photo make of this one, whose pins stay.
 * @param {Session} session @param {File} file @param {Opened} one
 * @returns {Promise<{choice: Choice, text: string}>}
 */
async function read({ engine, server }, file, { photo, choice }) {
  const about = /\.json$/i.test(file.name) ? await files.readJson(file) : null;
  if (!about || !("edits" in about)) {
    const variant = await engine.readPalette(file);
    const next = unedited(variant, { palette: variant.palette, pins: choice.pins });
    return { choice: next, text: t("loaded", { name: file.name }) };
  }
  const { palette = null, alternative = 0, vividness = null } = about;
  const { edits } = await engine.completeRecipe(about); // as they are meant now
  const recipe = { palette, alternative, edits, vividness };
  const { groups } = await engine.targetPalette(photo, recipe);
  const start = { palette, alternative, vividness, ...parted(edits) };
  const other = about.model && about.model !== server?.model;
  const note = other ? ` ${t("other-model")}` : "";
  return { choice: unedited({ palette, groups }, start), text: t("loaded", { name: file.name }) + note };
}
