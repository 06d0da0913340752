// Colors in words: what may be typed, the period's names, and what was used of late.

import { t } from "../text.js";

/** @typedef {import("../text.js").Key} Key */

/**
 * What dyes, paints and cloth of old photographs had, by the key of its name; typed, these names
 * go before those of CSS, which are far more vivid.
 * @type {Partial<Record<Key, string>>}
 */
export const PERIOD = {
  "oxblood": "#6a2421", "brick": "#a4523c", "rose": "#c98d8f", "sepia": "#7a5a3c",
  "khaki": "#a3946b", "mustard": "#bd9537", "linen": "#d9cbb0", "olive-drab": "#666a41",
  "bottle-green": "#1f5140", "slate": "#5f7180", "navy": "#2b3c66", "prussian-blue": "#1f4e72",
  "plum": "#6b4560", "lampblack": "#33302e",
};

const KEPT = 8; // colors used of late
const STORED = "tintype.colors";

const pen = new OffscreenCanvas(1, 1).getContext("2d");

/** What CSS makes of a text. @param {string} text @returns {string | null} #rrggbb */
function readCss(text) {
  if (!pen || text === "currentcolor") return null;
  const found = ["#000001", "#000002"].map((start) => {
    pen.fillStyle = start;
    pen.fillStyle = text;
    return pen.fillStyle;
  });
  return found[0] === found[1] && found[0].startsWith("#") ? found[0] : null;
}

/**
 * A color as a person types it: #rgb, #rrggbb (with or without #), a name of the period or of CSS,
 * hue:DEGREES.
 * @param {string} typed @returns {string | null} #rrggbb; null if it is none
 */
export function readColor(typed) {
  const text = typed.trim().toLowerCase();
  if (/^([0-9a-f]{3}|[0-9a-f]{6})$/.test(text)) return readCss(`#${text}`);
  const hue = /^hue:\s*(-?\d+(?:\.\d+)?)$/.exec(text);
  if (hue) return readCss(`hsl(${hue[1]}deg 100% 50%)`);
  if (text === t("gray").toLowerCase()) return "#808080";
  const word = text.replace(/\s+/g, "-");
  for (const [key, color] of /** @type {[Key, string][]} */ (Object.entries(PERIOD))) {
    if (word === key || text === t(key).toLowerCase()) return color;
  }
  return /^(#[0-9a-f]{3,6}|[a-z]+)$/.test(text) ? readCss(text) : null;
}

/** The colors used of late, the latest first. @returns {string[]} */
export function recall() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return stored.filter((/** @type {unknown} */ one) => /^#[0-9a-f]{6}$/.test(String(one)));
  } catch {
    return []; // a browser that stores nothing
  }
}

/** @param {string} color #rrggbb */
export function remember(color) {
  const colors = [color, ...recall().filter((one) => one !== color)].slice(0, KEPT);
  try {
    localStorage.setItem(STORED, JSON.stringify(colors));
  } catch {
    // then it is forgotten
  }
}
