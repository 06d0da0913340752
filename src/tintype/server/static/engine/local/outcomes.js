// For each color that edits ask for, what came out nearest to it, as Python's outcomes.py.

import { labOf, rgbOf } from "./bins.js";
import { DEGREE, fromOklab, fromYcbcr, toHex, toOklab } from "./color.js";
import { shared } from "./shared.js";

/** @typedef {import("../engine.js").Answer} Answer */
/** @typedef {import("../engine.js").Edit} Edit */
/** @typedef {import("./color.js").Three} Three */
/** @typedef {import("./color.js").Two} Two */
/** @typedef {{color: string, lab: Three}} Asked */

/**
 * What came out of each color that edits ask for, in their order; nothing of pins.
 * @param {Edit[]} edits @param {Float32Array} luma (h, w), 0..1
 * @param {Float32Array} chroma (2, h, w) Cb and Cr, centered on 0, 0..255 units @returns {Answer[]}
 */
export function measureOutcomes(edits, luma, chroma) {
  const asked = listAsked(edits);
  const worn = asked.map(() => ({ count: 0, weight: 0, lab: [0, 0, 0] }));
  const all = luma.length;
  for (let i = 0; asked.length && i < all; i++) {
    const lab = toOklab(fromYcbcr([luma[i], chroma[i] / 255, chroma[all + i] / 255]));
    const one = worn[findWorn(lab[1], lab[2], asked)];
    if (!one) continue;
    const weight = Math.hypot(lab[1], lab[2]) + 1e-6;
    one.count++;
    one.weight += weight;
    lab.forEach((value, k) => (one.lab[k] += weight * value));
  }
  return asked.map(({ color, lab }, k) => {
    const { count, weight, lab: [L, a, b] } = worn[k];
    const got = count ? toHex(fromOklab(L / weight, a / weight, b / weight)) : null;
    return { color, asked: toHex(fromOklab(...lab)), got, share: count / all };
  });
}

/** The colors that edits ask for, none twice. @param {Edit[]} edits @returns {Asked[]} */
export function listAsked(edits) {
  /** @type {Asked[]} */
  let asked = [];
  for (const edit of edits) {
    if ("shift_hue" in edit) {
      const turn = edit.shift_hue * DEGREE;
      asked = asked.map((one) => scale(one, [Math.cos(turn), Math.sin(turn)]));
    } else if ("saturation" in edit) {
      asked = asked.map((one) => scale(one, [edit.saturation, 0]));
    } else if ("recolor" in edit) {
      const moves = edit.recolor.filter((/** @type {any} */ c) =>
        c.scale > 0 && rgbOf(c.from).join() !== rgbOf(c.to).join());
      const sources = moves.map((/** @type {any} */ c) => labOf(c.from));
      asked = asked.filter(({ lab }) => !isAlike(lab, sources));
      for (const { to } of moves) asked.push({ color: to, lab: labOf(to) });
    } else if (edit.boost && edit.share) asked.push({ color: edit.boost, lab: labOf(edit.boost) });
    else if (edit.towards && edit.amount) asked.push({ color: edit.towards, lab: labOf(edit.towards) });
  }
  /** @type {Map<string, Asked>} */
  const unique = new Map();
  for (const one of asked) {
    const name = toHex(fromOklab(...one.lab));
    if (!unique.has(name)) unique.set(name, one);
  }
  return [...unique.values()];
}

/** @param {Asked} one @param {Two} factor a complex one of its chroma @returns {Asked} */
const scale = ({ color, lab: [L, a, b] }, [x, y]) => ({ color, lab: [L, a * x - b * y, a * y + b * x] });

/**
 * Which color that was asked for one wears; -1 for none.
 * @param {number} a @param {number} b @param {Asked[]} asked @returns {number}
 */
function findWorn(a, b, asked) {
  const { pale, width } = shared.outcomes;
  const isPale = Math.hypot(a, b) < pale;
  let [best, least] = [-1, Infinity];
  asked.forEach(({ lab: [, x, y] }, k) => {
    const size = Math.hypot(x, y);
    const near = Math.cos(width * DEGREE) * Math.hypot(a, b) * size;
    const alike = size < pale ? isPale : !isPale && a * x + b * y >= near;
    const away = Math.hypot(a - x, b - y);
    if (alike && away < least) [best, least] = [k, away];
  });
  return best;
}

/** Whether `recolor` takes a color along. @param {Three} lab @param {Three[]} sources */
function isAlike([, a, b], sources) {
  const { pale, apart } = shared.outcomes;
  const size = Math.hypot(a, b);
  return sources.some(([, x, y]) => (size < pale ? Math.hypot(x, y) < pale
    : a * x + b * y > Math.cos(apart * DEGREE) * size * Math.hypot(x, y)));
}
