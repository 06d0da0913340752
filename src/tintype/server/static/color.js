// Colors as the server has them: hue and chroma are OKLab's (Ottosson 2020), text is #rrggbb.

import { t } from "./text.js";

/** @typedef {{a: number, b: number}} Chroma a point of OKLab's plane */

const MIDDLE = 0.68; // lightness at which a palette's colors are shown, where it can show them

/** @param {number} v 0..1 @returns {number} */
const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

/** @param {number} v @returns {number} */
const gamma = (v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * Math.max(v, 0) ** (1 / 2.4) - 0.055);

const LINEAR = Float32Array.from({ length: 256 }, (_, i) => linear(i / 255));

/**
 * The chroma of a pixel.
 * @param {number} r 0..255 @param {number} g @param {number} b @returns {Chroma}
 */
export function chromaOfPixel(r, g, b) {
  const [lr, lg, lb] = [LINEAR[r], LINEAR[g], LINEAR[b]];
  const l = Math.cbrt(0.4122214708 * lr + 0.5363325363 * lg + 0.0514459929 * lb);
  const m = Math.cbrt(0.2119034982 * lr + 0.6806995451 * lg + 0.1073969566 * lb);
  const s = Math.cbrt(0.0883024619 * lr + 0.2817188376 * lg + 0.6299787005 * lb);
  return {
    a: 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    b: 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  };
}

/** @param {string} hex #rrggbb @returns {Chroma} */
export function chromaOf(hex) {
  const n = parseInt(hex.slice(1), 16);
  return chromaOfPixel(n >> 16, (n >> 8) & 255, n & 255);
}

/**
 * sRGB, 0..1 where it is in gamut.
 * @param {number} light @param {Chroma} chroma @returns {number[]}
 */
export function rgbOf(light, { a, b }) {
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/**
 * A chroma as a color at the lightness nearest the middle that can show it, or the most of it.
 * @param {Chroma} chroma @returns {string} #rrggbb
 */
export function hexOf(chroma) {
  for (let scale = 1; scale > 0; scale -= 0.02) {
    const part = { a: scale * chroma.a, b: scale * chroma.b };
    for (let step = 0; step < 39; step++) {
      const light = MIDDLE + (step % 2 ? -1 : 1) * Math.ceil(step / 2) * 0.02;
      const rgb = rgbOf(light, part);
      if (light < 0.98 && rgb.every((v) => v >= 0 && v <= 1)) {
        return "#" + rgb.map((v) => Math.round(255 * v).toString(16).padStart(2, "0")).join("");
      }
    }
  }
  return "#999999";
}

/** @param {number} degrees @param {number} chroma @returns {Chroma} */
export function polar(degrees, chroma) {
  const angle = (degrees * Math.PI) / 180;
  return { a: chroma * Math.cos(angle), b: chroma * Math.sin(angle) };
}

/** @param {Chroma} c @returns {number} 0..360 */
export const hueOf = ({ a, b }) => ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;

/** @param {Chroma} c @returns {number} */
export const magnitude = ({ a, b }) => Math.hypot(a, b);

/** @type {Chroma} */
export const NEUTRAL = { a: 0, b: 0 };

/** Whether a color is a gray, as the server tells it. @param {Chroma} c @returns {boolean} */
export const isGray = (c) => magnitude(c) < 0.01;

const NAMES = /** @type {[number, import("./text.js").Key][]} */ ([
  [10, "pink"], [35, "red"], [65, "orange"], [100, "yellow"], [122, "olive"], [145, "green"],
  [195, "teal"], [240, "sky-blue"], [275, "blue"], [310, "violet"], [345, "magenta"],
]);

const EARTHS = /** @type {[number, import("./text.js").Key][]} */ ([
  [55, "brown"], [85, "beige"], [115, "olive"],
]); // what orange and yellow are called where they are muted
const MUTED = 0.075; // chroma under which they are

/**
 * A color in words, for those who do not see it.
 * @param {Chroma} chroma @returns {string}
 */
export function nameOf(chroma) {
  const hue = hueOf(chroma);
  const away = (/** @type {number} */ h) => Math.abs(((h - hue + 540) % 360) - 180);
  const strength = magnitude(chroma);
  if (isGray(chroma)) return t("gray");
  const names = strength < MUTED && away(82) < 50 ? EARTHS : NAMES;
  const [, name] = names.reduce((best, one) => (away(one[0]) < away(best[0]) ? one : best));
  const color = t(name);
  if (names === EARTHS) return strength < 0.03 ? t("pale", { color }) : color;
  return strength < 0.05 ? t("pale", { color }) : strength > 0.13 ? t("strong", { color }) : color;
}

const LEAST = 0.4; // of a color's chroma, which shadows and lights show of it

/**
 * Which color a pixel wears: as vivid as that, or paler, as shadows and lights are.
 * @param {Chroma} chroma @param {Chroma[]} places
 * @returns {number | null} which place is nearest; null for gray
 */
export function nearest({ a, b }, places) {
  let best = null;
  let least = Math.hypot(a, b);
  for (const [i, place] of places.entries()) {
    const square = place.a ** 2 + place.b ** 2;
    const part = square ? Math.min(1, Math.max(LEAST, (a * place.a + b * place.b) / square)) : 1;
    const away = Math.hypot(a - part * place.a, b - part * place.b);
    if (away < least) [best, least] = [i, away];
  }
  return best;
}
