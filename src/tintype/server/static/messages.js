// What the page says: at most two messages at the photo's upper edge, which go by themselves, and a
// bar while the server does not answer.

import { the } from "./page.js";
import { t } from "./text.js";

/**
 * How a text is said. Notes go by themselves; errors stay until they are closed or something else
 * is done; what says that work is going on stays until the next message, and what waits until it is
 * closed. A message takes the place of an earlier one about the same.
 * @typedef {{kind?: "note" | "error" | "busy" | "waiting", about?: string,
 *   action?: {name: string, act: () => void}}} How
 */

const MOST = 2; // messages at once
const TIME = 6000; // milliseconds until a note goes
const LONGER = 12_000; // if it has something to press

/** @param {import("./state/session.js").Session} session */
export function showMessages(session) {
  const box = the("message", HTMLDivElement);
  /** @param {string} kind */
  const clear = (kind) => box.querySelectorAll(`.${kind}`).forEach((one) => one.remove());
  session.on("say", ({ text, kind = "note", about = "", action }) => {
    clear("busy");
    for (const one of /** @type {HTMLElement[]} */ ([...box.children])) {
      const same = about && one.dataset.about === about;
      if (same || one.firstElementChild?.textContent === text) one.remove();
    }
    if (!text) return clear("error");
    const one = toast(text, { kind, action });
    one.dataset.about = about;
    box.append(one);
    while (box.children.length > MOST) box.firstElementChild?.remove();
  });
  for (const name of ["pointerdown", "keydown", "drop", "paste"]) {
    addEventListener(name, (event) => {
      const here = event.target instanceof Node && box.contains(event.target);
      const waits = event instanceof KeyboardEvent && /^(Tab|Shift|Control|Alt|Meta)$/.test(event.key);
      if (!here && !waits) clear("error");
    }, { capture: true }); // before what is done says something itself
  }
  session.on("server", () => {
    if (session.online) clear("error");
    the("offline", HTMLParagraphElement).textContent = session.online ? "" : t("server-gone");
  });
}

/** @param {string} text @param {How} how @returns {HTMLElement} */
function toast(text, { kind, action }) {
  const element = document.createElement("div");
  element.className = `toast ${kind}`;
  const words = document.createElement("p");
  words.textContent = text;
  element.append(words);
  const remove = () => element.remove();
  if (action) {
    const { name, act } = action;
    element.append(button(name, "action", () => {
      remove();
      act();
    }));
  }
  if (kind !== "busy") {
    const close = button("✕", "quiet", remove);
    close.setAttribute("aria-label", t("dismiss"));
    element.append(close);
  }
  if (kind === "note") goLater(element, action ? LONGER : TIME);
  return element;
}

/** @param {string} text @param {string} name a class @param {() => void} act */
function button(text, name, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = name;
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}

/** Remove an element, but not from under a pointer or the keyboard. @param {HTMLElement} element @param {number} time */
function goLater(element, time) {
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => element.remove(), time);
  };
  for (const name of ["pointerenter", "focusin"]) {
    element.addEventListener(name, () => clearTimeout(timer));
  }
  for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, wait);
  wait();
}
