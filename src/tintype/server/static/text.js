// What the page says, in the language that the browser asks for, or the address (?lang=de).

import { de } from "./texts/de.js";
import { en } from "./texts/en.js";

/** @typedef {keyof typeof en} Key of a text */

/** @type {Record<string, Record<Key, string>>} */
const LANGUAGES = { en, de };

/** The first language that is asked for and there is. @returns {string} */
function language() {
  const asked = new URLSearchParams(location.search).get("lang");
  const all = [asked ?? "", ...navigator.languages].map((name) => name.toLowerCase().split("-")[0]);
  return all.find((name) => Object.hasOwn(LANGUAGES, name)) ?? "en";
}

const name = language();
const texts = LANGUAGES[name];

/** Whether a key has a text. @param {string} key @returns {key is Key} */
export const has = (key) => Object.hasOwn(texts, key);

/**
 * A text in the page's language.
 * @param {Key} key @param {Record<string, string | number>} [values] by their names in the text
 * @returns {string}
 */
export const t = (key, values = {}) =>
  texts[key].replace(/\{(\w+)\}/g, (whole, value) => String(values[value] ?? whole));

/**
 * Fill in what the HTML names: data-text (content), data-title, data-label (aria-label),
 * data-placeholder.
 * @param {ParentNode} [part] of the page; all of it if not given
 */
export function fillIn(part = document) {
  document.documentElement.lang = name;
  for (const attribute of ["title", "label", "placeholder"]) {
    for (const element of part.querySelectorAll(`[data-${attribute}]`)) {
      const key = /** @type {Key} */ (element.getAttribute(`data-${attribute}`));
      element.setAttribute(attribute === "label" ? "aria-label" : attribute, t(key));
    }
  }
  for (const element of part.querySelectorAll("[data-text]")) {
    element.textContent = t(/** @type {Key} */ (element.getAttribute("data-text")));
  }
}
