// Color spaces, as Python's color.py, of one color at a time: RGB and luma 0..1.

import { shared } from "./shared.js";

/** @typedef {[number, number, number]} Three */
/** @typedef {[number, number]} Two */

export const DEGREE = Math.PI / 180;
const EXACT = 1e-6; // of lightness, a hundredth of what a byte can tell

/** @param {number} x @param {number} y a positive one @returns {number} 0 .. y */
export const modulo = (x, y) => {
  const rest = x % y;
  return rest < 0 ? rest + y : rest;
};

/** Half to even, as NumPy and Python round. @param {number} x */
export function round(x) {
  const whole = Math.floor(x);
  const part = x - whole;
  if (part !== 0.5) return part < 0.5 ? whole : whole + 1;
  return whole % 2 === 0 ? whole : whole + 1;
}

/** @param {number} x @param {number} low @param {number} high */
export const clip = (x, low, high) => Math.min(high, Math.max(low, x));

/** @param {number} x */
function toLinear(x) {
  const size = Math.abs(x);
  return Math.sign(x) * (size <= 0.04045 ? size / 12.92 : ((size + 0.055) / 1.055) ** 2.4);
}

/** @param {number} x */
function fromLinear(x) {
  const size = Math.abs(x);
  return Math.sign(x) * (size <= 0.0031308 ? size * 12.92 : 1.055 * size ** (1 / 2.4) - 0.055);
}

/** Lightness of a gray of this luma, OKLab. @param {number} y */
export const lightnessOf = (y) => Math.cbrt(toLinear(y));

/** @param {Three} rgb */
export const lumaOf = ([r, g, b]) => shared.luma[0] * r + shared.luma[1] * g + shared.luma[2] * b;

/** @param {number} y @returns {Three} how much it is shadow, midtone and highlight */
export const toneWeights = (y) =>
  [clip(1 - 2 * y, 0, 1), 1 - Math.abs(2 * y - 1), clip(2 * y - 1, 0, 1)];

/** @param {Three} rgb @returns {Three} luma, Cb, Cr, those centered on 0 */
export function toYcbcr(rgb) {
  const y = lumaOf(rgb);
  return [y, (rgb[2] - y) / 1.772, (rgb[0] - y) / 1.402];
}

/** @param {Three} ycbcr @returns {Three} */
export function fromYcbcr([y, cb, cr]) {
  const [red, green, blue] = shared.luma;
  return [y + 1.402 * cr, y - ((1.772 * blue) / green) * cb - ((1.402 * red) / green) * cr,
    y + 1.772 * cb];
}

/** @param {Three} rgb @returns {Three} */
export function toOklab(rgb) {
  const [r, g, b] = [toLinear(rgb[0]), toLinear(rgb[1]), toLinear(rgb[2])];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
  ];
}

/** The same as a power, which takes several times as long. @param {number} x */
const cube = (x) => x * x * x;

/** @param {number} L @param {number} a @param {number} b @returns {Three} linear */
function oklabToLinear(L, a, b) {
  const l = cube(L + 0.3963377774 * a + 0.2158037573 * b);
  const m = cube(L - 0.1055613458 * a - 0.0638541728 * b);
  const s = cube(L - 0.0894841775 * a - 1.291485548 * b);
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
  ];
}

/** @param {number} L @param {number} a @param {number} b @returns {Three} RGB, maybe outside 0..1 */
export function fromOklab(L, a, b) {
  const [red, green, blue] = oklabToLinear(L, a, b);
  return [fromLinear(red), fromLinear(green), fromLinear(blue)];
}

/**
 * The lightness at which OKLab chroma has a luma: by secant steps from the gray's.
 * @param {number} y @param {number} a @param {number} b @returns {number}
 */
export function findLightness(y, a, b) {
  const wanted = lightnessOf(y);
  const measure = (/** @type {number} */ L) => lightnessOf(lumaOf(fromOklab(L, a, b)));
  let [light, reached] = [wanted, measure(wanted)];
  let step = wanted - reached;
  for (let k = 0; k < 5 && Math.abs(step) > EXACT; k++) {
    const now = measure(light + step);
    const slope = (now - reached) / (Math.abs(step) > 1e-6 ? step : 1);
    [light, reached] = [light + step, now];
    step = (wanted - reached) / clip(slope > 0 ? slope : 1, 0.4, 4);
  }
  return light;
}

/** @param {number} a @param {number} b @returns {number} 0..360 */
export const hueDegrees = (a, b) => modulo(Math.atan2(b, a) / DEGREE, 360);

/** @param {number} one degrees @param {number} other @returns {number} 0..180 */
export const hueDistance = (one, other) => Math.abs(modulo(one - other + 180, 360) - 180);

/** @param {Three} rgb 0..1, cut off outside @returns {string} #rrggbb */
export const toHex = (rgb) => `#${rgb.map((x) =>
  round(255 * clip(x, 0, 1)).toString(16).padStart(2, "0")).join("")}`;
