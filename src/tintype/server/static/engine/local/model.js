// A photo's luma in, its chroma out, with a palette between the two halves, as Python's model.py.

import { bins } from "./bins.js";
import { applyBans } from "./bans.js";
import { Palette } from "./palette.js";
import { shared } from "./shared.js";
import { spreadOverTones } from "./tones.js";

/** @typedef {import("./palette.js").Shares} Shares */
/** @typedef {import("./resample.js").Bytes} Bytes */
/** @typedef {{data: Float32Array, dims: number[]}} Tensor */
/** @typedef {(feeds: Record<string, Tensor>, outputs?: string[]) => Promise<Record<string, Tensor>>} Run */
/** @typedef {{place: number[], chroma: number[]}} Hint a color at a place, as far as the thing goes */
/**
 * @typedef {object} Encoding what a model makes of a photo's luma
 * @property {Record<string, Tensor>} features by the decoder's names
 * @property {Float32Array} luma (h, w), 0..1 @property {number} h @property {number} w
 * @property {Palette} palette the estimate @property {Palette[]} alternatives
 * @property {Palette} reference @property {Map<string, Float32Array>} scores by place
 */

const FEATURES = /^(feature\d+|keys)$/;

/** @param {ArrayLike<number>} values @param {number[]} dims @returns {Tensor} */
const tensor = (values, dims) => ({ data: Float32Array.from(values), dims });

/** @param {Bytes} gray @returns {{luma: Float32Array, h: number, w: number}} of each cell, 0..1 */
function meanOfCells({ data, h, w }) {
  const { cell } = shared.model_reading;
  const wide = w / cell;
  const sums = new Float32Array((h / cell) * wide);
  data.forEach((value, at) => {
    sums[Math.floor(at / w / cell) * wide + Math.floor((at % w) / cell)] += value;
  });
  return { luma: sums.map((sum) => sum / (cell * cell * 255)), h: h / cell, w: wide };
}

export class Model {
  /** @param {Run} encoder @param {Run} decoder */
  constructor(encoder, decoder) {
    this.encoder = encoder;
    this.decoder = decoder;
    this.rebalancing = shared.model.rebalancing.map(Math.log);
  }

  /** @param {Bytes} gray at the working size @returns {Promise<Encoding>} */
  async encode(gray) {
    const { data, h, w } = gray;
    const luma = Float32Array.from(data, (value) => value / 255);
    const found = await this.encoder({ luma: { data: luma, dims: [1, 1, h, w] } });
    const palette = readPalette(found, "estimate");
    const small = meanOfCells(gray);
    return {
      features: Object.fromEntries(Object.entries(found).filter(([name]) => FEATURES.test(name))),
      ...small,
      palette,
      alternatives: findAlternatives(palette, found.shares, found.prototypes),
      reference: found.reference ? readPalette(found, "reference") : palette,
      scores: new Map(),
    };
  }

  /**
   * @param {Encoding} encoding @param {Palette} palette @param {number} vividness 0..1
   * @param {Hint[]} [hints] @returns {Promise<Float32Array>} (2, h, w) OKLab chroma
   */
  async decode(encoding, palette, vividness, hints = []) {
    const ab = await this.#run("chroma", encoding, palette, vividness, hints);
    return applyBans(ab, encoding.h, encoding.w, palette);
  }

  /**
   * How likely each bin's color is at each cell.
   * @param {Encoding} encoding @param {Palette} palette @param {number} vividness
   * @returns {Promise<Float32Array>} (count, h * w), sums of 1 over the bins
   */
  async findLikelihoods(encoding, palette, vividness) {
    const logits = await this.#run("logits", encoding, palette, vividness, []);
    const all = encoding.h * encoding.w;
    for (let i = 0; i < all; i++) {
      let [top, sum] = [-Infinity, 0];
      for (let at = i; at < logits.length; at += all) top = Math.max(top, logits[at]);
      for (let at = i; at < logits.length; at += all) sum += logits[at] = Math.exp(logits[at] - top);
      for (let at = i; at < logits.length; at += all) logits[at] /= sum;
    }
    return logits;
  }

  /**
   * @param {string} output @param {Encoding} encoding @param {Palette} palette
   * @param {number} vividness @param {Hint[]} hints
   */
  async #run(output, { features, luma, h, w, reference }, palette, vividness, hints) {
    const { count } = bins();
    const number = Math.max(1, hints.length);
    const told = (/** @type {keyof Hint} */ name, /** @type {number} */ none) =>
      (hints.length ? hints.flatMap((hint) => hint[name]) : [none, none]);
    const found = await this.decoder({
      ...features,
      palette: tensor(palette.shares, [1, count]),
      palette_tones: tensor(tellTones(palette, reference).flatMap((tone) => [...tone]), [1, 3, count]),
      reference: tensor(reference.shares, [1, count]),
      reference_tones: tensor(reference.byTone.flatMap((tone) => [...tone]), [1, 3, count]),
      bias: this.#weighBias(palette, vividness),
      luma: { data: luma, dims: [1, 1, h, w] },
      hint_place: tensor(told("place", 0.5), [1, number, 2]),
      hint_chroma: tensor(told("chroma", 0), [1, number, 2]),
      hint_reach: tensor(Array(number).fill(hints.length ? 1 : 0), [1, number]),
    }, [output]);
    return found[output].data.slice();
  }

  /** What is added to the logits by tone: rebalancing taken back, bans.
   * @param {Palette} palette @param {number} vividness */
  #weighBias(palette, vividness) {
    const { undo, shadows = 0, format } = shared.model;
    const undone = undoByTone(undo, shadows, vividness);
    const parts = format < shared.model_reading.format ? [undone[1]] : undone;
    const bias = palette.forbidden.flatMap((no, bin) => parts.map((part) =>
      (no ? shared.model_reading.severe : -part * this.rebalancing[bin])));
    return tensor(bias, parts.length > 1 ? [1, bins().count, 3] : [1, bins().count]);
  }
}

/**
 * How much of the rebalancing is taken back in shadows, midtones and highlights.
 * @param {number[]} undo at vividness 0 and 1 @param {number} shadows 0..1, how far they are calmer
 * @param {number} vividness
 */
function undoByTone([calm, vivid], shadows, vividness) {
  const undone = calm + vividness * (vivid - calm);
  return [undone + shadows * (calm - undone), undone, undone];
}

/** @param {Record<string, Tensor>} found @param {string} name @returns {Palette} */
function readPalette(found, name) {
  const tones = found[`${name}_tones`];
  return new Palette({
    shares: Float64Array.from(found[name].data), tones: tones ? splitRows(tones.data, 0, 3) : null,
  });
}

/** @param {Float32Array} data @param {number} from row @param {number} to @returns {Shares[]} */
function splitRows(data, from, to) {
  const { count } = bins();
  return Array.from({ length: to - from }, (_, k) =>
    Float64Array.from(data.subarray((from + k) * count, (from + k + 1) * count)));
}

/** A palette's tones, or a reference's, moved. @param {Palette} palette @param {Palette} reference */
const tellTones = (palette, reference) => (palette.tones || !reference.tones
  ? palette.byTone : spreadOverTones(palette.shares, reference.shares, reference.tones));

/**
 * The estimate leaning on likely prototype palettes that are far from each other.
 * @param {Palette} estimate @param {Tensor} shares (1, vocabulary)
 * @param {Tensor} prototypes (vocabulary, 4, count): whole, and by tone @returns {Palette[]}
 */
export function findAlternatives(estimate, shares, prototypes) {
  const [number, parts] = prototypes.dims;
  const points = Array.from({ length: number }, (_, k) =>
    splitRows(prototypes.data, k * parts, k * parts + 1)[0].map(Math.sqrt));
  const measure = (/** @type {Shares} */ one, /** @type {Shares} */ other) =>
    Math.hypot(...one.map((value, bin) => value - other[bin]));
  const gap = points.map((point) => measure(point, estimate.shares.map(Math.sqrt)));
  return Array.from({ length: 4 }, () => {
    let best = 0;
    gap.forEach((away, k) => {
      if (shares.data[k] * away ** 2 > shares.data[best] * gap[best] ** 2) best = k;
    });
    points.forEach((point, k) => (gap[k] = Math.min(gap[k], measure(point, points[best]))));
    const [whole, ...tones] = splitRows(prototypes.data, best * parts, (best + 1) * parts);
    const prototype = new Palette({ shares: whole, tones: tones.length ? tones : null });
    return estimate.blend(prototype, weighLeaning(estimate, prototype));
  });
}

/** How much of a prototype an alternative has. @param {Palette} estimate @param {Palette} prototype */
function weighLeaning(estimate, prototype) {
  const { leaning, step } = shared.model_reading;
  const mean = [0, 0];
  prototype.shares.forEach((share, bin) => bins().center(bin).forEach((value, k) =>
    (mean[k] += (share - estimate.shares[bin]) * value)));
  const move = Math.hypot(...mean);
  return move * leaning < step ? leaning : step / move;
}
