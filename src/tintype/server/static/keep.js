// What a person keeps of a photo, and what they bring along: pictures, palettes, recipes, commands.

import * as api from "./api.js";
import { recipeOf, unedited } from "./edits.js";
import * as files from "./files.js";
import { input, say, the } from "./page.js";
import { asking } from "./photos.js";

/** @typedef {import("./photos.js").Open} Open */
/** @typedef {import("./edits.js").Choice} Choice */

const format = () => the("format", HTMLSelectElement).value;

/** The command line's own words for what is chosen. @param {Open} one @param {Choice} choice */
export function commandOf(one, choice, /** @type {string | null} */ model) {
  const recipe = files.besideName(one.name, "recipe", recipeOf(choice));
  return files.commandOf(one.name, recipe, format(), input("strip").checked, model);
}

/** @param {Open} one @param {Choice} choice */
export async function savePhoto(one, choice) {
  say("Rendering the full size");
  const output = files.outputOf(one.name, format());
  const how = { size: "full", format: output.format, strip_metadata: input("strip").checked };
  const { picture } = await asking(one, (id) =>
    api.render(id, recipeOf(choice), { ...how, measure: false }));
  files.download(picture, output.name);
  say(`Saved ${output.name}.`);
}

/** @param {Open} one @param {Choice} choice */
export async function saveRecipe(one, choice) {
  const recipe = recipeOf(choice);
  const name = files.besideName(one.name, "recipe", recipe);
  files.download(files.jsonFile(await api.completeRecipe(recipe)), name);
  say(`Saved ${name}.`);
}

/** @param {Open} one @param {Choice} choice */
export async function savePalette(one, choice) {
  const { palette } = await asking(one, (id) => api.targetPalette(id, recipeOf(choice)));
  const name = files.besideName(one.name, "palette", palette);
  files.download(files.jsonFile(palette), name);
  say(`Saved ${name}.`);
}

/** @param {Open} one @param {Choice} choice @param {string | null} model */
export async function copyCommand(one, choice, model) {
  const text = commandOf(one, choice, model);
  await saveRecipe(one, choice);
  try {
    await navigator.clipboard.writeText(text);
    say("The command is on the clipboard, its recipe in your downloads.");
  } catch {
    input("command").select(); // a page from another machine may not use the clipboard
    say("Copy the command by hand; its recipe is in your downloads.");
  }
}

/**
 * What a palette, a recipe or the colors of another photo make of this one.
 * @param {Open} one @param {File} file @param {string} model the fingerprint of the server's
 * @param {api.Edit[]} pins which the photo keeps under another palette
 * @returns {Promise<{choice: Choice, text: string}>}
 */
export async function load(one, file, model, pins) {
  const about = /\.json$/i.test(file.name) ? files.parsed(await file.text()) : null;
  if (!about || !("edits" in about)) {
    const variant = await api.readPalette(file);
    const choice = unedited(variant, { palette: variant.palette, kept: pins });
    return { choice, text: `Loaded ${file.name}.` };
  }
  const { palette = null, alternative = 0, vividness = null } = about;
  const { edits } = await api.completeRecipe(about); // as they are meant now
  const recipe = { palette, alternative, edits, vividness };
  const { groups } = await asking(one, (id) => api.targetPalette(id, recipe));
  const choice = unedited({ palette, groups }, { palette, alternative, vividness, kept: edits });
  const other = about.model && about.model !== model;
  const note = other ? " It was made with another model; the colors will differ." : "";
  return { choice, text: `Loaded ${file.name}.${note}` };
}
