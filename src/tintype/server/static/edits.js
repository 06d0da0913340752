// What a person has chosen for a photo, how it becomes a recipe, and how it is undone.

import { chromaOf, hexOf, hueOf, isGray, magnitude, NEUTRAL, polar } from "./color.js";

/** @typedef {import("./api.js").Recipe} Recipe */
/** @typedef {import("./api.js").Variant} Variant */
/** @typedef {import("./color.js").Chroma} Chroma */

/**
 * A spot on the wheel: a group of colors. `from` is null for one that a person added, whose `scale` is
 * then the share it gets.
 * @typedef {{from: string | null, to: string, scale: number, share: number, banned: boolean}} Spot
 */
/**
 * @typedef {object} Choice
 * @property {import("./api.js").PaletteFile | null} palette to start from; null for the photo's own
 * @property {number} alternative 1..4 of the photo's alternatives, 0 for its estimate
 * @property {Spot[]} spots
 * @property {{hue: number, amount: number} | null} towards degrees of OKLab hue; the share of
 *   colors that turns there, 0..1
 * @property {number} turn degrees by which all hues are turned
 * @property {number} saturation
 * @property {number | null} vividness null for the model's own
 * @property {import("./api.js").Edit[]} kept edits of a loaded recipe, done before all others; never
 *   changed in place, as masks among them are large
 */

export const ADDED = 0.1; // share that a new color gets

/**
 * How far a photo goes when a share of its colors turns, 0..1: it follows the first percents most.
 * @param {number} amount @returns {number}
 */
export const reachOf = (amount) => Math.sqrt(amount);

/** The share that it takes to go so far. @param {number} reach @returns {number} */
export const amountOf = (reach) => Math.round(1e4 * reach ** 2) / 1e4;

/**
 * Those of what is kept that color things of the photo, whatever palette it has.
 * @param {Choice | null} choice @returns {import("./api.js").Edit[]}
 */
export const pinsOf = (choice) =>
  (choice?.kept ?? []).filter((edit) => "at" in edit || "mask" in edit || "protect" in edit);

/** @param {Variant} variant @param {Partial<Choice>} [start] @returns {Choice} */
export function unedited(variant, start = {}) {
  const spots = variant.groups.map(({ color, share }) => ({
    from: color, to: color, scale: 1, share, banned: false,
  }));
  return {
    palette: null, alternative: 0, spots, towards: null,
    turn: 0, saturation: 1, vividness: null, kept: [], ...start,
  };
}

/** @param {Choice} choice @returns {Recipe} */
export function recipeOf(choice) {
  const { palette, alternative, vividness } = choice;
  return { palette, alternative, vividness, edits: [...choice.kept, ...editsOf(choice)] };
}

/**
 * The edits in the order in which the server does them.
 * @param {Choice} choice @returns {import("./api.js").Edit[]}
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

/** @type {Record<string, Partial<Choice>>} What a preset sets; all else of its kind is reset. */
export const PRESETS = {
  Warm: { towards: { hue: 60, amount: 0.12 }, saturation: 1.1 },
  Cool: { towards: { hue: 255, amount: 0.12 } },
  Vivid: { saturation: 1.3, vividness: 1 },
  Faded: { saturation: 0.55, vividness: 0.3 },
  "Hand-tinted": { towards: { hue: 35, amount: 0.05 }, saturation: 0.8, vividness: 0.9 },
};

/** @param {Choice} choice @param {string} name @returns {Choice} */
export function preset(choice, name) {
  const plain = { towards: null, turn: 0, saturation: 1, vividness: null };
  return { ...choice, ...plain, ...PRESETS[name] };
}

/** @param {Choice} choice @returns {Choice} */
const copied = ({ kept, ...rest }) => ({ ...structuredClone(rest), kept });

/** Choices in the order in which they were made. */
export class History {
  /** @param {Choice} first */
  constructor(first) {
    this.states = [copied(first)];
    this.at = 0;
  }

  /** @returns {Choice} a copy of what is chosen now */
  get current() {
    return copied(this.states[this.at]);
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  /** @param {Choice} choice */
  add(choice) {
    const same = JSON.stringify(choice) === JSON.stringify(this.states[this.at]);
    if (same) return;
    this.states = [...this.states.slice(0, this.at + 1), copied(choice)].slice(-200);
    this.at = this.states.length - 1;
  }

  /** @param {-1 | 1} step @returns {Choice} */
  move(step) {
    this.at = Math.min(this.states.length - 1, Math.max(0, this.at + step));
    return this.current;
  }
}
