// What a ban forbids in colors that come out of a model, as Python's bans.py.

import { resizeFloats } from "../resize.js";
import { bins } from "./bins.js";
import { DEGREE, clip, hueDegrees, hueDistance } from "./color.js";
import { enlargeCubic } from "./resample.js";
import { shared } from "./shared.js";

/** @typedef {import("./palette.js").Palette} Palette */

/**
 * Take out what the mean of allowed colors brought back of what a palette bans.
 * @param {Float32Array} ab (2, h, w) OKLab chroma @param {number} h @param {number} w
 * @param {Palette} palette @returns {Float32Array} (2, h, w)
 */
export function applyBans(ab, h, w, palette) {
  const faded = fadeHues(ab, palette.banned);
  return palette.bansGray ? lift(faded, ab, h, w, palette) : faded;
}

/** @param {Float32Array} ab @param {number[]} banned @returns {Float32Array} */
function fadeHues(ab, banned) {
  const [start, end] = shared.bans.fade;
  const faded = ab.slice();
  const all = ab.length / 2;
  for (let i = 0; banned.length && i < all; i++) {
    const own = hueDegrees(ab[i], ab[all + i]);
    for (const hue of banned) {
      const keep = clip((hueDistance(own, hue) - start) / (end - start), 0, 1);
      faded[i] *= keep;
      faded[all + i] *= keep;
    }
  }
  return faded;
}

/**
 * Chroma whose pale parts have the palest ring's, in a hue that is allowed.
 * @param {Float32Array} faded (2, h, w) @param {Float32Array} ab the same before
 * @param {number} h @param {number} w @param {Palette} palette
 */
function lift(faded, ab, h, w, palette) {
  const [least, all] = [bins().chromas[0], h * w];
  const around = [0, 1].map((k) => blur(ab.subarray(k * all, (k + 1) * all), h, w));
  const main = findMainColor(palette);
  const nearest = makeNearest(palette.banned);
  for (let i = 0; i < all; i++) {
    if (Math.hypot(faded[i], faded[all + i]) >= least) continue;
    const near = [0, 1].map((k) => around[k][i] + 1e-3 * main[k]);
    const scale = least / Math.max(Math.hypot(...near), 1e-9);
    const own = Math.min(Math.hypot(ab[i], ab[all + i]) / least, 1);
    const [a, b] = [0, 1].map((k) => ab[k * all + i] + (1 - own) * scale * near[k]);
    const hue = nearest(hueDegrees(a, b)) * DEGREE;
    faded[i] = least * Math.cos(hue);
    faded[all + i] = least * Math.sin(hue);
  }
  return faded;
}

/** @param {Float32Array} plane @param {number} h @param {number} w */
function blur(plane, h, w) {
  const { around } = shared.bans;
  return enlargeCubic(resizeFloats(plane, h, w, around, around), around, around, h, w);
}

/** @param {number[]} banned @returns {(hue: number) => number} it, or the nearest that is allowed */
function makeNearest(banned) {
  if (!banned.length) return (hue) => hue;
  const degrees = Array.from({ length: 360 }, (_, i) => i);
  const room = degrees.map((hue) => Math.min(...banned.map((no) => hueDistance(hue, no))));
  const wanted = Math.min(shared.bans.fade[1], Math.max(...room));
  const allowed = degrees.filter((hue) => room[hue] >= wanted);
  return (hue) => {
    const whole = Math.floor(hue) % 360;
    if (room[whole] >= wanted) return hue;
    return allowed.reduce((best, other) =>
      (hueDistance(whole, other) < hueDistance(whole, best) ? other : best));
  };
}

/** The mean color of a palette, of chroma 1; the largest's where that is neutral.
 * @param {Palette} palette @returns {[number, number]} */
function findMainColor({ shares }) {
  const mean = [0, 0];
  let most = 1;
  shares.forEach((share, bin) => {
    const [a, b] = bins().center(bin);
    mean[0] += share * a;
    mean[1] += share * b;
    if (bin && share > shares[most]) most = bin;
  });
  const [a, b] = Math.hypot(...mean) < 1e-4 ? bins().center(most) : mean;
  const length = Math.hypot(a, b);
  return [a / length, b / length];
}
