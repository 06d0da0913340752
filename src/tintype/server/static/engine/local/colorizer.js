// The flow: a photo is encoded once, then decoded by any recipe, as Python's colorizer.py.

import { findBorder, keepNeutral } from "./border.js";
import { isPin } from "./edits.js";
import { applyRecipe, locateRecipe, measureReached, vividnessOf, withoutPins } from "./recipe.js";
import { makeLayers } from "./regions.js";
import { fitGamut, measureColors } from "./result.js";
import { shared } from "./shared.js";
import { suggest } from "./suggestions.js";
import { shrink } from "./working_size.js";
import { locate } from "./pins.js";

/** @typedef {import("../engine.js").Place} Place */
/** @typedef {import("../engine.js").Recipe} Recipe */
/** @typedef {import("../luma.js").Luma} Luma */
/** @typedef {import("./model.js").Encoding} Encoding */
/** @typedef {import("./palette.js").Palette} Palette */
/** @typedef {import("./result.js").Result} Result */
/**
 * @typedef {object} Encoded a photo after the encoder
 * @property {Luma} photo @property {Encoding} encoding
 * @property {Uint8Array | null} border @property {[number, number]} borderSize height and width
 * @property {Map<string, Promise<Result>>} unedited by alternative and vividness
 */

const MOST_KEPT = 8; // results without edits of a photo

export class Colorizer {
  /**
   * @param {import("./model.js").Model} model
   * @param {(png: string) => Promise<import("./regions.js").Mask>} readMask
   */
  constructor(model, readMask) {
    this.model = model;
    this.readMask = readMask;
  }

  /** @param {Luma} photo @returns {Promise<Encoded>} */
  async encode(photo) {
    const small = shrink({ data: photo.luma, h: photo.height, w: photo.width }, shared.model.side);
    const encoding = await this.model.encode(small);
    const border = findBorder(small);
    return { photo, encoding, border, borderSize: [small.h, small.w], unedited: new Map() };
  }

  /**
   * What is without edits is asked for often, by variants, thumbnails and to be saved, and is kept.
   * @param {Encoded} encoded @param {Recipe} recipe @returns {Promise<Result>}
   */
  decode(encoded, recipe) {
    if (recipe.palette || recipe.edits.length) return this.#decode(encoded, recipe);
    const { unedited } = encoded;
    const key = `${recipe.alternative} ${vividnessOf(recipe)}`;
    const known = unedited.get(key);
    if (known) return known;
    if (unedited.size >= MOST_KEPT) unedited.clear();
    const result = this.#decode(encoded, recipe);
    unedited.set(key, result);
    result.catch(() => unedited.delete(key));
    return result;
  }

  /** @param {Encoded} encoded @param {Recipe} recipe @returns {Promise<Result>} */
  async #decode({ photo, encoding, border, borderSize }, recipe) {
    const { edits, ...rest } = locateRecipe(recipe, [photo.width, photo.height]);
    const { h, w, luma, palette, alternatives } = encoding;
    const wanted = applyRecipe({ ...rest, edits }, palette, alternatives);
    const ab = await this.model.decode(encoding, wanted, vividnessOf(recipe));
    if (wanted.isNeutral) ab.fill(0);
    keepNeutral(ab, h, w, border);
    const layers = await makeLayers(this.model, encoding, edits.filter(isPin), photo, this.readMask);
    const chroma = fitGamut(luma, ab);
    /** @type {Palette | null} */ let measured = null;
    return {
      chroma, h, w, layers, border, borderSize,
      get palette() { // nobody asks while a hand moves
        return (measured ??= measureColors(luma, chroma, h, w, layers));
      },
    };
  }

  /**
   * How much of a recipe was reached; null where nothing was asked for.
   * @param {Encoded} encoded @param {Recipe} recipe @param {Result} result
   */
  async measureReached(encoded, recipe, { chroma, h, w }) {
    const { luma, palette, alternatives } = encoded.encoding;
    const plain = withoutPins(recipe);
    if (!plain.palette && !plain.edits.length) return null;
    const { alternative } = plain;
    const unedited = { palette: null, alternative, edits: [], vividness: vividnessOf(plain) };
    const { palette: automatic } = await this.decode(encoded, unedited);
    return measureReached(plain, palette, alternatives, automatic, measureColors(luma, chroma, h, w));
  }

  /**
   * The likeliest colors of the thing at a place.
   * @param {Encoded} encoded @param {Place} at @param {Recipe} recipe
   */
  async suggest({ photo, encoding }, at, recipe) {
    const calm = { ...recipe, vividness: recipe.vividness ?? shared.model.vividness_given };
    const place = locate(at, [photo.width, photo.height]);
    const palette = applyRecipe(recipe, encoding.palette, encoding.alternatives);
    return suggest(this.model, encoding, place, palette, vividnessOf(calm));
  }
}
