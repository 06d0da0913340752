// What a person has chosen for a photo, how it becomes a recipe, and how it is undone.

import { chromaOf, hexOf, hueOf, isGray, magnitude, NEUTRAL, polar } from "../color.js";

/** @typedef {import("../engine/engine.js").Recipe} Recipe */
/** @typedef {import("../engine/engine.js").Variant} Variant */
/** @typedef {import("../engine/engine.js").Edit} Edit */
/** @typedef {import("../color.js").Chroma} Chroma */

/**
 * A spot on the wheel: a group of colors. `from` is null for one that a person added, whose `scale` is
 * then the share it gets.
 * @typedef {{from: string | null, to: string, scale: number, share: number, banned: boolean}} Spot
 */
/**
 * What a photo begins with, before all edits: as `Choice` has it, and the groups to take hold of.
 * @typedef {{palette: import("../engine/engine.js").PaletteFile | null, alternative: number,
 *   usual: number | null, groups: import("../engine/engine.js").Group[]}} Start
 */
/**
 * @typedef {object} Choice
 * @property {import("../engine/engine.js").PaletteFile | null} palette to start from; null for the photo's own
 * @property {number} alternative 1..4 of the photo's alternatives, 0 for its estimate
 * @property {Spot[]} spots
 * @property {{hue: number, amount: number} | null} towards degrees of OKLab hue; the share of
 *   colors that turns there, 0..1
 * @property {number} turn degrees by which all hues are turned
 * @property {number} saturation
 * @property {number | null} vividness null for the usual one
 * @property {number | null} usual vividness of its palette, 0..1; null for the model's own
 * @property {Start | null} matched what it began with, if its palette was then matched to others'
 * @property {Edit[]} kept edits of a loaded recipe, done before all others
 * @property {Edit[]} pins what colors one thing of the photo: at a place, or under a mask; never
 *   changed in place, as masks are large
 */

export const ADDED = 0.1; // share that a new color gets

/**
 * How far a photo goes when a share of its colors turns, 0..1: it follows the first percents most.
 * @param {number} amount @returns {number}
 */
export const reachOf = (amount) => Math.sqrt(amount);

/** The share that it takes to go so far. @param {number} reach @returns {number} */
export const amountOf = (reach) => Math.round(1e4 * reach ** 2) / 1e4;

/** Whether an edit colors one thing of the photo, whatever palette it has. @param {Edit} edit */
const isPin = (edit) => "at" in edit || "mask" in edit || "protect" in edit;

/**
 * A recipe's edits as a choice has them.
 * @param {Edit[]} edits @returns {{kept: Edit[], pins: Edit[]}}
 */
export const parted = (edits) =>
  ({ kept: edits.filter((one) => !isPin(one)), pins: edits.filter(isPin) });

/** @param {Variant} variant @param {Partial<Choice>} [start] @returns {Choice} */
export function unedited(variant, start = {}) {
  const spots = variant.groups.map(({ color, share }) => ({
    from: color, to: color, scale: 1, share, banned: false,
  }));
  return {
    palette: null, alternative: 0, spots, towards: null,
    turn: 0, saturation: 1, vividness: null, usual: null, matched: null, kept: [], pins: [], ...start,
  };
}

/** @param {Choice} choice @returns {Start} */
export function startOf({ matched, palette, alternative, usual, spots }) {
  const groups = spots.flatMap(({ from, share }) => (from === null ? [] : [{ color: from, share }]));
  return matched ?? { palette, alternative, usual: usual ?? null, groups };
}

/**
 * What was chosen, over a palette that is matched to other photos'.
 * @param {Choice} choice @param {Variant} variant
 * @param {number} vividness 0..1 of a photo that began with no palette; others keep theirs
 * @returns {Choice}
 */
export function match(choice, variant, vividness) {
  const matched = startOf(choice);
  const usual = matched.usual ?? (matched.palette ? null : vividness);
  return carry(choice, variant, { palette: variant.palette, usual, matched });
}

/** What was chosen, over what the photo began with. @param {Choice} choice @returns {Choice} */
export function unmatch(choice) {
  if (!choice.matched) return choice;
  const { palette, alternative, usual, groups } = choice.matched;
  const variant = { palette: palette ?? { version: 1, colors: [], neutral: 1 }, groups };
  return carry(choice, variant, { palette, alternative, usual });
}

/** @param {Choice} choice @returns {Recipe} */
export function recipeOf(choice) {
  const { palette, alternative } = choice;
  const vividness = choice.vividness ?? choice.usual ?? null;
  return { palette, alternative, vividness, edits: [...choice.kept, ...editsOf(choice), ...choice.pins] };
}

/**
 * The edits in the order in which the server does them.
 * @param {Choice} choice @returns {import("../engine/engine.js").Edit[]}
 */
function editsOf(choice) {
  const own = choice.spots.filter((spot) => spot.from !== null);
  const edits = [];
  if (own.some((spot) => spot.to !== spot.from || spot.scale !== 1)) {
    edits.push({ recolor: own.map(({ from, to, scale }) => ({ from, to, scale })) });
  }
  for (const spot of choice.spots.filter((one) => one.from === null && !one.banned)) {
    edits.push({ boost: spot.to, share: spot.scale });
  }
  if (choice.towards && choice.towards.amount > 0) {
    edits.push({ towards: hexOf(polar(choice.towards.hue, 0.1)), amount: choice.towards.amount });
  }
  if (choice.turn) edits.push({ shift_hue: choice.turn });
  if (choice.saturation !== 1) edits.push({ saturation: choice.saturation });
  for (const spot of choice.spots.filter((one) => one.banned)) {
    edits.push({ ban: hexOf(shown(spot, choice)) });
  }
  return edits;
}

/**
 * Where a spot is seen: after the edits of all colors at once.
 * @param {Spot} spot @param {Choice} choice @returns {Chroma}
 */
export function shown(spot, choice) {
  const chroma = chromaOf(spot.to);
  if (isGray(chroma)) return NEUTRAL;
  const strength = magnitude(chroma) * Math.max(0.05, choice.saturation);
  return polar(hueOf(chroma) + choice.turn, Math.max(0.012, strength));
}

/**
 * The color of the pixels that wear a spot, which is also drawn towards the puck's hue.
 * @param {Spot} spot @param {Choice} choice @returns {Chroma}
 */
export function worn(spot, choice) {
  const own = shown(spot, choice);
  if (!choice.towards) return own;
  const drawn = polar(choice.towards.hue, magnitude(own));
  const part = reachOf(choice.towards.amount);
  return { a: own.a + part * (drawn.a - own.a), b: own.b + part * (drawn.b - own.b) };
}

/**
 * Take a spot away: an added color goes; one of the photo's own is banned, or allowed again.
 * @param {Spot[]} spots @param {number} index @returns {Spot[]}
 */
export function toggled(spots, index) {
  const rest = structuredClone(spots);
  if (rest[index].from === null) rest.splice(index, 1);
  else rest[index].banned = !rest[index].banned;
  return rest;
}

/**
 * What a spot's `to` must be to be seen at a place, which in the middle is gray.
 * @param {Chroma} place @param {Choice} choice @returns {string}
 */
export function placed(place, choice) {
  if (isGray(place)) return hexOf(NEUTRAL);
  const strength = magnitude(place) / Math.max(0.05, choice.saturation);
  return hexOf(polar(hueOf(place) - choice.turn, Math.min(0.3, Math.max(0.02, strength))));
}

/** @param {Choice} choice @returns {boolean} whether anything was chosen beyond where it starts */
export const isEdited = (choice) => recipeOf(choice).edits.length > 0 || choice.vividness !== null;

/** Whether a photo is as it was estimated. @param {Choice} choice */
export const isPlain = (choice) => !isEdited(choice) && !choice.alternative && !choice.palette;

/** @type {Record<string, Partial<Choice>>} What a preset sets; all else of its kind is reset. */
export const PRESETS = {
  warm: { towards: { hue: 60, amount: 0.12 }, saturation: 1.1 },
  cool: { towards: { hue: 255, amount: 0.12 } },
  vivid: { saturation: 1.3, vividness: 1 },
  faded: { towards: { hue: 70, amount: 0.1 }, saturation: 0.8, vividness: 0.35 },
  "hand-tinted": { towards: { hue: 35, amount: 0.05 }, saturation: 0.8, vividness: 0.9 },
};

/** @param {Choice} choice @param {string} name @returns {Choice} */
export function preset(choice, name) {
  const plain = { towards: null, turn: 0, saturation: 1, vividness: null };
  return { ...choice, ...plain, ...PRESETS[name] };
}

/**
 * What was chosen, over another palette: each change goes to the color nearest in hue.
 * @param {Choice} choice @param {Variant} variant @param {Partial<Choice>} start
 * @returns {Choice}
 */
export function carry(choice, variant, start) {
  const { towards, turn, saturation, vividness, kept, pins } = choice;
  const next = unedited(variant, { towards, turn, saturation, vividness, kept, pins, ...start });
  for (const spot of choice.spots) {
    if (spot.from === null) next.spots.push({ ...spot });
    else if (spot.to !== spot.from || spot.scale !== 1 || spot.banned) {
      const alike = closest(chromaOf(spot.from), next.spots);
      if (alike) Object.assign(alike, { to: spot.to, scale: spot.scale, banned: spot.banned });
    }
  }
  return next;
}

/**
 * What was chosen, over one of the photo's own palettes.
 * @param {Choice} choice @param {import("../engine/engine.js").Photo} photo
 * @param {number} alternative 0..4 @returns {Choice}
 */
export function varied(choice, photo, alternative) {
  const variant = alternative ? photo.alternatives[alternative - 1] : photo;
  return carry(choice, variant, { alternative, palette: null });
}

/** The color of the same kind that is nearest. @param {Chroma} chroma @param {Spot[]} spots */
function closest(chroma, spots) {
  let best = null;
  let least = Infinity;
  for (const spot of spots) {
    const own = spot.from === null ? null : chromaOf(spot.from);
    if (!own || isGray(own) !== isGray(chroma)) continue;
    const away = Math.hypot(own.a - chroma.a, own.b - chroma.b);
    if (away < least) [best, least] = [spot, away];
  }
  return best;
}

/**
 * The look of one photo on another, whose pins stay. What it began with is the look.
 * @param {Choice} look @param {import("../engine/engine.js").Photo} photo the other
 * @param {Edit[]} pins its own @returns {Choice}
 */
export function wear(look, photo, pins) {
  const { palette, alternative } = look;
  if (palette) return { ...structuredClone({ ...look, matched: null, pins: [] }), pins };
  const variant = photo.alternatives[alternative - 1] ?? photo;
  const number = variant === photo ? 0 : alternative;
  return carry(look, variant, { palette, alternative: number, pins });
}
