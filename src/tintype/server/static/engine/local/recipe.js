// A recipe: everything that was chosen for a coloring, as Python's recipe.py.

import { hasHue } from "./bins.js";
import { applyEdits, isPin, readEdit, square } from "./edits.js";
import { Palette } from "./palette.js";
import { locate } from "./pins.js";
import { refuse, shared, show } from "./shared.js";

/** @typedef {import("../engine.js").Edit} Edit */
/** @typedef {import("../engine.js").Recipe} Recipe */

const KINDS = {
  palette: (/** @type {any} */ value) => value === null || (typeof value === "object" && !Array.isArray(value)),
  alternative: Number.isInteger,
  edits: Array.isArray,
  vividness: (/** @type {any} */ value) => value === null || typeof value === "number",
  model: (/** @type {any} */ value) => value === null || typeof value === "string",
};

/** @param {Record<string, any>} about a recipe's file, or a Recipe @returns {Recipe} */
export function readRecipe(about) {
  const { version = shared.recipe.version, ...rest } = about;
  if (!Number.isInteger(version) || version < 1 || version > shared.recipe.version) {
    refuse(`expected a recipe with a "version" of 1 to ${shared.recipe.version}, found another; a newer Tintype may read it`);
  }
  for (const [name, value] of Object.entries(rest)) {
    if (KINDS[/** @type {keyof typeof KINDS} */ (name)]?.(value)) continue;
    refuse(`expected a recipe of ${Object.keys(KINDS).join(", ")}, found '${name}': ${show(value)}`);
  }
  const { palette = null, alternative = 0, vividness = null } = rest;
  const edits = (rest.edits ?? []).map(readEdit).map(version === 1 ? square : (/** @type {Edit} */ e) => e);
  return check({ palette, alternative, edits, vividness });
}

/** @param {Recipe} recipe @returns {Recipe} */
function check(recipe) {
  const { palette, alternative, edits, vividness } = recipe;
  if (alternative < 0 || alternative > 4) refuse(`expected an alternative from 0 to 4, found ${alternative}`);
  if (alternative && palette) refuse("expected a palette or an alternative to start from, found both");
  if (vividness !== null && !(vividness >= 0 && vividness <= 1)) {
    refuse(`expected a vividness between 0 and 1, found ${vividness}`);
  }
  const places = edits.filter((edit) => "at" in edit).length;
  const masks = edits.filter(isPin).length - places;
  const { most_pins: mostPins, most_masks: mostMasks } = shared.pins;
  if (places > mostPins || masks > mostMasks) {
    refuse(`expected at most ${mostPins} pins and ${mostMasks} masks, found ${places} and ${masks}; color the photo in two steps, or join masks`);
  }
  return recipe;
}

/**
 * The palette that is asked for, given a photo's own.
 * @param {Recipe} recipe @param {Palette} estimate @param {Palette[]} alternatives
 */
export function applyRecipe({ palette, alternative, edits }, estimate, alternatives) {
  if (alternative > alternatives.length) {
    refuse(`expected one of ${alternatives.length} alternatives, found ${alternative}`);
  }
  const own = alternative ? alternatives[alternative - 1] : estimate;
  return applyEdits(palette ? Palette.fromJson(palette) : own, edits);
}

/** The vividness, 0..1, of what comes out. @param {Recipe} recipe */
export function vividnessOf({ vividness, palette }) {
  const { model } = shared;
  return vividness ?? (palette ? (model.vividness_given ?? model.vividness) : model.vividness);
}

/**
 * The same with places as shares.
 * @param {Recipe} recipe @param {[number, number]} size width and height @returns {Recipe}
 */
export const locateRecipe = (recipe, size) => ({
  ...recipe,
  edits: recipe.edits.map((edit) => ("at" in edit ? { ...edit, at: locate(edit.at, size) } : edit)),
});

/** @param {Recipe} recipe @returns {Recipe} */
export const withoutPins = (recipe) => ({ ...recipe, edits: recipe.edits.filter((edit) => !isPin(edit)) });

/** With defaults spelled out, to be saved. @param {Recipe} recipe @returns {Record<string, any>} */
export const completeRecipe = (recipe) => ({
  version: shared.recipe.version, model: shared.fingerprint, palette: recipe.palette,
  alternative: recipe.alternative, edits: recipe.edits, vividness: vividnessOf(recipe),
});

/**
 * How far a result went from the automatic colors to the wanted ones: 1 is all the way.
 * @param {Recipe} recipe without pins @param {Palette} estimate @param {Palette[]} alternatives
 * @param {Palette} automatic what comes out without palette and edits
 * @param {Palette} result what came out @returns {number | null} null if nothing was asked for
 */
export function measureReached(recipe, estimate, alternatives, automatic, result) {
  const { palette, edits } = recipe;
  if (!palette && !edits.length) return null;
  let aim = null;
  if (palette) aim = applyRecipe(recipe, estimate, []);
  else if (edits.every((edit) => "ban" in edit)) {
    aim = result.nearestWithout(applyRecipe(recipe, estimate, alternatives).forbidden);
  } else aim = applyEdits(automatic, edits.map(mean));
  const whole = automatic.distance(aim);
  return whole > 1e-6 ? 1 - result.distance(aim) / whole : 1;
}

/** What a person means: a photo follows most of `towards`. @param {Edit} edit @returns {Edit} */
const mean = (edit) => ("towards" in edit && hasHue(edit.towards)
  ? { ...edit, amount: Math.sqrt(edit.amount) } : edit);
