// How far a color goes that a person puts on a thing, as Python's regions.py.

import { resizeFloats } from "../resize.js";
import { clip, round } from "./color.js";
import { findCell, tint } from "./layers.js";
import { chromaOfPin, locate } from "./pins.js";
import { shared } from "./shared.js";

/** @typedef {import("../engine.js").Edit} Edit */
/** @typedef {import("./color.js").Two} Two */
/** @typedef {import("./layers.js").Layer} Layer */
/** @typedef {import("./model.js").Encoding} Encoding */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {{data: Float32Array, h: number, w: number}} Mask 0..1 */
/** @typedef {{place: Two, pin: Edit}} Placed */

/**
 * How much of each cell a pin colors.
 * @param {Model} model @param {Encoding} encoding @param {Two} place 0..1
 * @param {number | null} [reach] 0..1; null as far as the thing
 * @returns {Promise<Float32Array>} (h, w), 0..1
 */
export async function makeRegion(model, encoding, place, reach = null) {
  const { own, soft, reach: whole } = shared.regions;
  const score = await measureScore(model, encoding, place);
  const level = (own + soft / 2) * (1 - (reach ?? whole) / whole);
  const region = score.map((value) => clip((value - level) / soft + 0.5, 0, 1));
  const [row, column] = findCell(place, encoding.h, encoding.w);
  region[row * encoding.w + column] = 1;
  return region;
}

/**
 * How surely each cell belongs to the thing at a place; kept with the encoding.
 * @param {Model} model @param {Encoding} encoding @param {Two} place
 * @returns {Promise<Float32Array>} (h, w), in logits
 */
export async function measureScore(model, encoding, place) {
  const known = encoding.scores.get(place.join());
  if (known) return known;
  const { own, weights } = shared.regions;
  const cues = await measureCues(model, encoding, place);
  const score = cues[0].map((_, i) => own - weights.reduce((sum, weight, k) => sum + weight * cues[k][i], 0));
  if (encoding.scores.size >= 64) encoding.scores.delete([...encoding.scores.keys()][0]);
  encoding.scores.set(place.join(), score);
  return score;
}

/** @param {Model} model @param {Encoding} encoding @param {Two} place @returns {Promise<Float32Array[]>} */
async function measureCues(model, encoding, place) {
  const { h, w, luma, features: { keys } } = encoding;
  const [row, column] = findCell(place, h, w);
  const { least } = shared.regions;
  const loss = (await measureResponse(model, encoding, place)).map((value) => -Math.log(Math.max(least, value)));
  const light = measureWays(h, w, row, column, (one, other) => Math.abs(luma[one] - luma[other]));
  const fall = measureWays(h, w, row, column, (one, other) => Math.max(loss[one], loss[other]));
  const unlike = new Float32Array(h * w);
  for (let from = 0; from < keys.data.length; from += h * w) {
    const here = keys.data[from + row * w + column];
    for (let i = 0; i < h * w; i++) unlike[i] += (keys.data[from + i] - here) ** 2;
  }
  return [light, fall, unlike].map((cue) => Float32Array.from(cue, Math.sqrt));
}

/**
 * How much of a color that the decoder is told at a place each cell takes.
 * @param {Model} model @param {Encoding} encoding @param {Two} place
 * @returns {Promise<Float32Array>} (h, w), 0..1
 */
async function measureResponse(model, encoding, place) {
  const { probe, axis } = shared.regions;
  const told = [probe * Math.cos(axis), probe * Math.sin(axis)];
  const decode = (/** @type {number[]} */ chroma) => model.decode(
    encoding, encoding.palette, shared.model.vividness_given ?? shared.model.vividness, [{ place, chroma }]);
  const taken = await decode(told);
  const other = await decode(told.map((value) => -value));
  const all = encoding.h * encoding.w;
  const response = new Float32Array(all).map((_, i) =>
    ((taken[i] - other[i]) * told[0] + (taken[all + i] - other[all + i]) * told[1]) / (2 * probe ** 2));
  const [row, column] = findCell(place, encoding.h, encoding.w);
  const own = Math.max(0.3, response[row * encoding.w + column]);
  return response.map((value) => clip(value / own, 0, 1));
}

/**
 * The cost of the cheapest way from a cell to every other: sweeps until nothing changes.
 * @param {number} h @param {number} w @param {number} row @param {number} column
 * @param {(one: number, other: number) => number} cost of a step between neighbors
 * @returns {Float64Array} (h, w)
 */
export function measureWays(h, w, row, column, cost) {
  const ways = new Float64Array(h * w).fill(1e6);
  ways[row * w + column] = 0;
  let changed = true;
  const relax = (/** @type {number} */ to, /** @type {number} */ from) => {
    const way = ways[from] + cost(from, to);
    if (way < ways[to] - 1e-9) {
      ways[to] = way;
      changed = true;
    }
  };
  while (changed) {
    changed = false;
    for (let y = 0; y < h; y++) {
      for (let x = 0, i = y * w; x < w; x++, i++) {
        if (x) relax(i, i - 1);
        if (y) relax(i, i - w);
      }
    }
    for (let i = h * w - 1; i >= 0; i--) {
      if (i % w < w - 1) relax(i, i + 1);
      if (i < h * w - w) relax(i, i + w);
    }
  }
  return ways;
}

/**
 * What pins lay over a photo's chroma: masks, pins over them, and what stays gray over all.
 * @param {Model} model @param {Encoding} encoding @param {Edit[]} pins
 * @param {{luma: Uint8Array, width: number, height: number}} photo
 * @param {(png: string) => Promise<Mask>} readMask @returns {Promise<Layer[]>}
 */
export async function makeLayers(model, encoding, pins, photo, readMask) {
  const { keep, auto } = shared.pins;
  const { h, w } = encoding;
  const gray = () => [new Float32Array(512)];
  /** @type {{mask: Mask, color: string}[]} */
  const masks = [];
  for (const pin of pins) {
    if (pin.mask || pin.protect) masks.push({ mask: await readMask(pin.mask ?? pin.protect), color: pin.protect ? keep : pin.color });
  }
  const layers = masks.filter(({ color }) => color !== keep).map((one) => coverMask(encoding, one));
  const found = findPins(pins, photo);
  const regions = new Map();
  for (const one of found) regions.set(one, await makeRegion(model, encoding, one.place, one.pin.reach));
  const free = found.filter(({ pin }) => pin.color !== keep);
  if (free.some(({ pin }) => pin.color !== auto)) {
    const scores = [];
    for (const { place } of free) scores.push(await measureScore(model, encoding, place));
    const shares = divide(free.map((one) => regions.get(one)), scores, free.map(({ place }) => place), h, w);
    layers.push(tintPins(free, shares, encoding, photo));
  }
  for (const one of found.filter(({ pin }) => pin.color === keep)) {
    layers.push({ shares: [regions.get(one)], h, w, tints: gray(), places: [one.place], levels: [0], fine: false });
  }
  for (const { mask } of masks.filter(({ color }) => color === keep)) {
    layers.push({ shares: [mask.data], h: mask.h, w: mask.w, tints: gray(), places: [], levels: [], fine: true });
  }
  return layers;
}

/**
 * Pins by their places: the last one at each pixel.
 * @param {Edit[]} pins @param {{width: number, height: number}} photo @returns {Placed[]}
 */
function findPins(pins, { width, height }) {
  /** @type {Map<string, Placed>} */
  const last = new Map();
  for (const pin of pins.filter(({ at }) => at)) {
    const place = locate(pin.at, [width, height]);
    const pixel = findCell(place, height, width).join();
    last.delete(pixel);
    last.set(pixel, { place, pin });
  }
  return [...last.values()];
}

/**
 * How much of each cell every pin has, where regions meet.
 * @param {Float32Array[]} regions @param {Float32Array[]} scores @param {Two[]} places
 * @param {number} h @param {number} w @returns {Float32Array[]} sums of at most 1
 */
export function divide(regions, scores, places, h, w) {
  const shares = regions.map(() => new Float32Array(h * w));
  const cells = places.map((place) => findCell(place, h, w)).map(([row, column]) => row * w + column);
  for (let i = 0; i < h * w; i++) {
    const best = regions.reduce((top, region, n) => (region[i] > 0 ? Math.max(top, scores[n][i]) : top), -1e3);
    const weights = regions.map((region, n) =>
      region[i] * Math.exp(shared.regions.sharp * Math.min(scores[n][i] - best, 0)));
    const sum = Math.max(1e-12, weights.reduce((all, weight) => all + weight, 0));
    const whole = 1 - regions.reduce((rest, region) => rest * (1 - region[i]), 1);
    const owner = cells.lastIndexOf(i);
    shares.forEach((share, n) => {
      share[i] = whole * (owner < 0 ? weights[n] / sum : Number(owner === n));
    });
  }
  return shares;
}

/**
 * One layer of all pins; those of `auto` leave their shares as they are.
 * @param {Placed[]} pins @param {Float32Array[]} shares @param {Encoding} encoding
 * @param {{luma: Uint8Array, width: number, height: number}} photo @returns {Layer}
 */
function tintPins(pins, shares, { luma: small, h, w }, { luma, width, height }) {
  const own = [...pins.keys()].filter((n) => pins[n].pin.color !== shared.pins.auto);
  const places = own.map((n) => pins[n].place);
  const levels = places.map((place) => {
    const [row, column] = findCell(place, height, width);
    return luma[row * width + column];
  });
  const tints = own.map((n, k) => {
    const [row, column] = findCell(places[k], h, w);
    return tint(chromaOfPin(pins[n].pin.color), Math.min(round(255 * small[row * w + column]), levels[k]));
  });
  return { shares: own.map((n) => shares[n]), h, w, tints, places, levels, fine: false };
}

/** A mask in a color. @param {Encoding} encoding @param {{mask: Mask, color: string}} one @returns {Layer} */
function coverMask({ luma, h, w }, { mask, color }) {
  const small = resizeFloats(mask.data, mask.h, mask.w, h, w);
  let [sum, all] = [0, 0];
  small.forEach((value, i) => {
    sum += (value + 1e-6) * luma[i];
    all += value + 1e-6;
  });
  const tints = [tint(chromaOfPin(color), (255 * sum) / all)];
  return { shares: [mask.data], h: mask.h, w: mask.w, tints, places: [], levels: [], fine: true };
}
