// The plane of chroma, cut into bins, and colors by name, as Python's bins.py.

import {
  DEGREE, clip, fromOklab, hueDegrees, hueDistance, modulo, toHex, toOklab,
} from "./color.js";
import { refuse, shared, show } from "./shared.js";

/** @typedef {import("./color.js").Two} Two */
/** @typedef {import("./color.js").Three} Three */

export class Bins {
  /** @param {{hues: number, chromas: number[]}} about */
  constructor({ hues, chromas }) {
    this.hues = hues;
    this.chromas = chromas;
    this.count = 1 + hues * chromas.length;
    /** (count, 2) chroma of every bin */
    this.centers = new Float32Array(2 * this.count);
    chromas.forEach((chroma, ring) => {
      for (let i = 0; i < hues; i++) {
        const angle = i * (2 * Math.PI / hues);
        const at = 2 * (1 + ring * hues + i);
        this.centers[at] = chroma * Math.cos(angle);
        this.centers[at + 1] = chroma * Math.sin(angle);
      }
    });
  }

  /** @param {number} bin @returns {Two} */
  center(bin) {
    return [this.centers[2 * bin], this.centers[2 * bin + 1]];
  }

  /** @param {number} bin @param {number} degrees @param {number} width */
  isNearHue(bin, degrees, width) {
    if (!bin) return false;
    return hueDistance(((bin - 1) % this.hues) * (360 / this.hues), degrees) < width;
  }

  /**
   * Share a color among its four nearest bins, linearly in chroma and in hue.
   * @param {number} a @param {number} b
   * @param {(bin: number, weight: number) => void} give weights that sum to 1
   */
  encode(a, b, give) {
    const chroma = Math.sqrt(a * a + b * b);
    let ring = 0;
    let low = 0;
    for (const high of this.chromas) {
      ring += clip((chroma - low) / (high - low), 0, 1);
      low = high;
    }
    const inner = clip(Math.floor(ring), 0, this.chromas.length - 1);
    const hue = modulo(Math.atan2(b, a) * (this.hues / (2 * Math.PI)), this.hues);
    const floor = Math.floor(hue);
    const [outward, onward] = [ring - inner, hue - floor];
    const left = floor % this.hues;
    const right = (left + 1) % this.hues;
    const base = 1 + (inner - 1) * this.hues;
    give(inner ? base + left : 0, (1 - outward) * (1 - onward));
    give(inner ? base + right : 0, (1 - outward) * onward);
    give(base + this.hues + left, outward * (1 - onward));
    give(base + this.hues + right, outward * onward);
  }

  /**
   * Turn the hues of shares (count,); what is neutral stays.
   * @param {import("./palette.js").Shares} shares @param {number} degrees counter-clockwise
   * @returns {import("./palette.js").Shares}
   */
  rotate(shares, degrees) {
    const { hues } = this;
    const turn = degrees / (360 / hues);
    const whole = Math.floor(turn);
    const part = turn - whole;
    const turned = Float64Array.of(...shares);
    for (let ring = 0; ring < this.chromas.length; ring++) {
      const base = 1 + ring * hues;
      for (let i = 0; i < hues; i++) {
        const near = shares[base + modulo(i - whole, hues)];
        const next = shares[base + modulo(i - 1 - whole, hues)];
        turned[base + i] = (1 - part) * near + part * next;
      }
    }
    return turned;
  }

  /** @param {number} bin @returns {string} #rrggbb, at a lightness that can show it */
  hex(bin) {
    return shared.hex_colors[bin];
  }
}

/** The bins of the model. */
export const bins = () => (known ??= new Bins(shared.model.bins));
/** @type {Bins | undefined} */
let known;

const HEX = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/;

/**
 * 8-bit RGB of a CSS color name, #rrggbb, or hue:DEGREES, as Pillow reads it.
 * @param {string} color @returns {Three}
 */
export function rgbOf(color) {
  const text = String(color).trim();
  if (text.startsWith("hue:")) {
    const degrees = text.slice(4).trim() === "" ? NaN : Number(text.slice(4));
    if (Number.isFinite(degrees)) return ofHsl(Number(modulo(degrees, 360).toFixed(3)), 1, 0.5);
  }
  const low = text.toLowerCase();
  const code = shared.names[low] ?? low;
  if (HEX.test(code)) {
    const wide = code.length > 5 ? code.slice(1, 7) : [...code.slice(1, 4)].map((c) => c + c).join("");
    const number = parseInt(wide, 16);
    return [number >> 16, (number >> 8) & 255, number & 255];
  }
  return readFunction(low) ?? refuse(
    `expected a CSS color name, #rrggbb or hue:DEGREES, found ${show(color)}`);
}

/** rgb(…), rgba(…), hsl(…) and hsv(…). @param {string} text @returns {Three | null} */
function readFunction(text) {
  const found = /^(rgba?|hsl|hs[bv])\(\s*([\d.]+)(%?)\s*,\s*([\d.]+)(%?)\s*,\s*([\d.]+)(%?)(?:\s*,\s*\d+)?\s*\)$/
    .exec(text);
  if (!found) return null;
  const [, kind, x, unit, y, , z] = found;
  const [first, second, third] = [Number(x), Number(y), Number(z)];
  if (kind.startsWith("rgb")) {
    const whole = /** @type {Three} */ ([first, second, third].map((c) =>
      unit ? Math.trunc((c * 255) / 100 + 0.5) : c));
    return Math.max(...whole) > 255 ? null : whole;
  }
  if (kind === "hsl") return ofHsl(first, second / 100, third / 100);
  return ofHsv(first, second / 100, third / 100);
}

/** As Pillow rounds what Python's colorsys gives. @returns {Three}
 * @param {number} hue @param {number} saturation @param {number} light */
function ofHsl(hue, saturation, light) {
  const high = light <= 0.5 ? light * (1 + saturation) : light + saturation - light * saturation;
  const low = 2 * light - high;
  const value = (/** @type {number} */ turn) => {
    const at = modulo(turn, 1);
    if (at < 1 / 6) return low + (high - low) * at * 6;
    if (at < 0.5) return high;
    return at < 2 / 3 ? low + (high - low) * (2 / 3 - at) * 6 : low;
  };
  const h = hue / 360;
  return toBytes([value(h + 1 / 3), value(h), value(h - 1 / 3)]);
}

/** @param {number} hue @param {number} saturation @param {number} value @returns {Three} */
function ofHsv(hue, saturation, value) {
  const channel = (/** @type {number} */ offset) => {
    const sixths = modulo(offset + hue / 60, 6);
    return value * (1 - saturation * clip(Math.min(sixths, 4 - sixths), 0, 1));
  };
  return toBytes([channel(5), channel(3), channel(1)]);
}

/** @param {Three} rgb @returns {Three} */
const toBytes = (rgb) => /** @type {Three} */ (rgb.map((c) => Math.trunc(c * 255 + 0.5)));

/** OKLab of a color. @param {string} color @returns {Three} */
export function labOf(color) {
  const [r, g, b] = rgbOf(color);
  return toOklab([r / 255, g / 255, b / 255]);
}

/** OKLab chroma of a color. @param {string} color @returns {Two} */
export function chromaOf(color) {
  const [, a, b] = labOf(color);
  return [a, b];
}

/** Whether it is neither black nor white nor a gray. @param {string} color */
export const hasHue = (color) => Math.hypot(...chromaOf(color)) >= 0.01;

/** @param {string} color @returns {number} degrees */
export function hueOf(color) {
  if (!hasHue(color)) refuse(`expected a color with a hue, found ${show(color)}, which is gray`);
  return hueDegrees(...chromaOf(color));
}

/**
 * The sRGB color nearest to middle lightness that has this chroma, or the most of it.
 * @param {number} a @param {number} b @returns {string}
 */
export function hexAt(a, b) {
  for (let k = 40; k >= 0; k--) {
    /** @type {Three | null} */
    let best = null;
    let least = Infinity;
    for (let i = 0; i < 68; i++) {
      const light = 0.3 + i * 0.01;
      const rgb = fromOklab(light, (k / 40) * a, (k / 40) * b);
      if (Math.min(...rgb) < 0 || Math.max(...rgb) > 1) continue;
      if (Math.abs(light - 0.68) < least) [best, least] = [rgb, Math.abs(light - 0.68)];
    }
    if (best) return toHex(best);
  }
  throw new Error("gray is always in gamut");
}

/** @param {number} degrees @returns {Two} */
export const directionOf = (degrees) => [Math.cos(degrees * DEGREE), Math.sin(degrees * DEGREE)];

