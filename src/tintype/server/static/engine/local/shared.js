// What Python's package says of the model and of its own constants: `engine.json`, read once.

/**
 * @typedef {object} Shared as tintype/server/shared.py writes it
 * @property {string} version @property {string} fingerprint @property {Record<string, any>} model
 * @property {Record<string, string>} graphs names of their files
 * @property {string[]} hex_colors of the bins @property {Record<string, string>} names
 * @property {number[]} luma @property {number} colorful
 * @property {{thumbnail: number, reference: number}} sizes
 * @property {{leaning: number, step: number, severe: number, format: number, cell: number}}
 *   model_reading
 * @property {{towards: number, ban_width: number, alike: number, most: number, groups: number,
 *   speck: number}} palette
 * @property {{names: string[], trace: number, floor: number}} tones
 * @property {{around: number, bright: number, fade: [number, number]}} bans
 * @property {{width: number, pale: number, apart: number}} outcomes
 * @property {{width: number, apart: number, count: number,
 *   bins: {hues: number, chromas: number[]}}} suggestions
 * @property {{keep: string, auto: string, moderate: number, most_pins: number,
 *   most_masks: number, mask_pixels: number, stretch: number}} pins
 * @property {{probe: number, axis: number, least: number, own: number, weights: number[],
 *   reach: number, soft: number, sharp: number}} regions
 * @property {{shade: number, halvings: number, cube: number}} layers
 * @property {{spread: number, step: number, dark: number, light: number, paper: number,
 *   deep: number, caption: number}} border
 * @property {Record<string, number>} model_bytes by graph
 * @property {{namespace: string, kind: string}} provenance
 * @property {{xmp: {stale: [string, string][], regions: [string, string][], most: number, marks: number},
 *   exif: {structure: number[], stale: number[]}, photoshop: {stale: number[]}}} metadata
 * @property {{version: number}} recipe @property {number} guide_pixels
 */

/** @type {Shared} */
export let shared;

/** Take what was read. @param {Shared} about */
export function share(about) {
  shared = about;
}

/** What is not done; one line says why. */
export class Refusal extends Error {
  /** @param {string} kind of texts' `problem-KIND` @param {string} detail @param {Record<string, any>} [values] in it */
  constructor(kind, detail, values = {}) {
    super(detail);
    this.kind = kind;
    this.values = values;
  }
}

/** What makes no sense in a palette, an edit or a recipe; one line says why. */
export class PaletteError extends Refusal {
  /** @param {string} detail */
  constructor(detail) {
    super("palette", detail);
  }
}

/** @param {string} what was expected and found @returns {never} */
export function refuse(what) {
  throw new PaletteError(what);
}

/** As Python shows it, of at most 80 characters. @param {unknown} value */
export const show = (value) => (typeof value === "string" ? `'${value}'` : JSON.stringify(value) ?? "None").slice(0, 80);
