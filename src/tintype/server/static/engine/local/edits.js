// Edits: each is a verb of a palette, or a pin, as Python's edits.py.

import { bins } from "./bins.js";
import { Palette } from "./palette.js";
import { checkPin } from "./pins.js";
import { refuse } from "./shared.js";

/** @typedef {import("../engine.js").Edit} Edit */
/** @typedef {{keys: string[], optional?: string[], apply?: (palette: Palette, edit: Edit) => Palette}} Kind */

/** By names; what has no `apply` is a pin. @type {Record<string, Kind>} */
const KINDS = {
  towards: { keys: ["towards", "amount"], apply: (palette, e) => palette.towards(e.towards, e.amount) },
  shift_hue: { keys: ["shift_hue"], apply: (palette, e) => palette.shiftHue(e.shift_hue) },
  saturation: { keys: ["saturation"], apply: (palette, e) => palette.saturate(e.saturation) },
  recolor: { keys: ["recolor"], apply: (palette, e) => palette.recolor(e.recolor) },
  boost: { keys: ["boost", "share"], apply: (palette, e) => palette.boost(e.boost, e.share) },
  ban: { keys: ["ban"], apply: (palette, e) => palette.ban(e.ban) },
  at: { keys: ["at", "color", "reach"], optional: ["reach"] },
  mask: { keys: ["mask", "color"] },
  protect: { keys: ["protect"] },
};
const NUMBERS = ["amount", "shift_hue", "saturation", "share"];

/** @param {Edit} edit */
export const isPin = (edit) => "at" in edit || "mask" in edit || "protect" in edit;

/** An edit from its JSON; pins' values are looked at at once. @param {any} about @returns {Edit} */
export function readEdit(about) {
  const fields = typeof about === "object" && about ? Object.keys(about) : [];
  const fits = (/** @type {Kind} */ { keys, optional = [] }) => fields.every((field) => keys.includes(field)) &&
    keys.every((key) => fields.includes(key) || optional.includes(key));
  const kind = Object.values(KINDS).find(fits);
  if (!kind) {
    const forms = Object.values(KINDS).map(({ keys }) => keys.join(" + ")).join(", ");
    refuse(`expected an edit (${forms}), found ${JSON.stringify(about)}`.slice(0, 400));
  }
  if (!isPin(about)) return about;
  checkPin(about);
  const { reach, ...rest } = about;
  return reach === null ? rest : about;
}

/** @param {Palette} palette @param {Edit[]} edits @returns {Palette} */
export function applyEdits(palette, edits) {
  let edited = palette;
  for (const edit of edits.filter((one) => !isPin(one))) {
    const kind = KINDS[Object.keys(KINDS).find((name) => name in edit) ?? ""];
    const wrong = NUMBERS.some((name) => name in edit && typeof edit[name] !== "number");
    if (!kind?.apply || wrong) {
      refuse(`expected numbers and colors in an edit, found ${JSON.stringify(edit)}`);
    }
    edited = kind.apply(edited, edit);
  }
  return edited;
}

/** Try edits on a palette of all colors, before there is a photo. @param {Edit[]} edits */
export function checkEdits(edits) {
  applyEdits(Palette.ofChroma(bins().centers), edits);
}

/** @param {Edit} edit @returns {Edit} of a recipe of version 1 */
export const square = (edit) => ("towards" in edit && edit.amount >= 0 && edit.amount <= 1
  ? { ...edit, amount: edit.amount ** 2 } : edit);
