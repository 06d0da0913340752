// The page's own elements, found by id, and what they show.

import { t } from "./text.js";

/**
 * @template {HTMLElement} T
 * @param {string} id @param {{new (): T}} kind @returns {T}
 */
export function the(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`expected #${id}`);
  return element;
}

export const button = (/** @type {string} */ id) => the(id, HTMLButtonElement);
export const input = (/** @type {string} */ id) => the(id, HTMLInputElement);
export const output = (/** @type {string} */ id) => the(id, HTMLOutputElement);

/** @param {number | null} part of an upload; null hides the ring @param {string} words */
export function showProgress(part, words) {
  const ring = the("ring", HTMLDivElement);
  ring.hidden = part === null;
  ring.classList.toggle("turning", part === 1);
  document.getElementById("arc")?.setAttribute("stroke-dasharray", `${100 * (part || 0.02)} 100`);
  the("ring-text", HTMLSpanElement).textContent = words;
}

/** @param {string} id @param {number} value @param {string} text */
export function showSlider(id, value, text) {
  input(id).value = String(value);
  input(id).setAttribute("aria-valuetext", text || t("none"));
  output(`${id}-out`).value = text;
}
