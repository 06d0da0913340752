// Undo, redo and reset; the keys of the whole page, and the help that names them all.

import { button } from "../page.js";
import { isPlain } from "../state/choice.js";
import { t } from "../text.js";
import { make, makeButton } from "../make.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../text.js").Key} Key */

/** What keys do, where they do it. @type {[Key, [string, Key][]][]} */
const HELP = [
  ["keys-everywhere", [
    ["Ctrl Z", "undo"], ["Ctrl Shift Z, Ctrl Y", "redo"], ["B", "before-beside-after"],
    ["0", "fit-key"], ["1", "pixels-key"], ["+ −", "zoom-key"], ["F", "full-screen"],
    ["P", "panel-key"], ["?", "help"],
  ]],
  ["keys-film", [
    ["← →", "next-photo-key"], ["Shift ← →", "choose-range-key"], ["Ctrl Click, Space", "choose-more-key"],
    ["Ctrl A", "choose-every-key"],
  ]],
  ["keys-photo", [
    ["Space", "hold-before-key"], ["← → ↑ ↓", "cursor-key"],
    ["Shift ← → ↑ ↓", "large-step-key"], ["Enter", "color-here-key"], ["Shift Click", "find-on-wheel-key"],
  ]],
  ["keys-pin", [
    ["← → ↑ ↓", "move-pin-key"], ["Enter", "choose-pin-key"], ["Wheel", "reach-key"],
    ["Del", "remove-pin-key"], ["Esc", "close-pin-key"],
  ]],
  ["keys-brush", [
    ["← → ↑ ↓", "move-brush-key"], ["Space", "paint-key"], ["Alt", "take-away-key"], ["[ ]", "brush-size-key"],
    ["Ctrl Z", "stroke-back-key"], ["Enter", "pin-brush-done"], ["Esc", "pin-brush-cancel"],
  ]],
  ["keys-wheel", [
    ["← →", "hue-key"], ["↑ ↓", "chroma-key"], ["+ −", "amount-key"], ["Del", "remove-key"],
    ["Esc", "let-go-key"], ["Enter", "add-key"],
  ]],
];

/** @param {Session} session */
export function listenToKeys(session) {
  const dialog = makeHelp();
  document.body.append(dialog);
  button("help-open").addEventListener("click", () => dialog.showModal());
  button("undo").addEventListener("click", () => session.step(-1));
  button("redo").addEventListener("click", () => session.step(1));
  button("reset").addEventListener("click", () => session.reset());
  addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("input, select, textarea");
    const typing = control && !/range|checkbox|color/.test(control.getAttribute("type") ?? "");
    const step = stepOf(event);
    if (step && !typing) {
      event.preventDefault();
      session.step(step);
    } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (event.key === "?" && !dialog.open) dialog.showModal();
      if (event.key.toLowerCase() === "p") document.body.classList.toggle("bare");
    }
  });
  session.on("choice", () => showHistory(session));
  session.on("open", () => showHistory(session));
}

/** Undo is -1, redo 1; 0 is neither. @param {KeyboardEvent} event */
function stepOf({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  if (!(ctrlKey || metaKey) || altKey) return 0;
  const letter = key.toLowerCase();
  if (letter === "z") return shiftKey ? 1 : -1;
  return letter === "y" ? 1 : 0;
}

/** @param {Session} session */
function showHistory({ choice, open }) {
  const panel = /** @type {HTMLElement} */ (document.getElementById("panel"));
  panel.inert = !choice; // nothing to steer before the first color
  panel.classList.toggle("waiting", !choice);
  button("undo").disabled = !open?.history?.canUndo;
  button("redo").disabled = !open?.history?.canRedo;
  button("reset").disabled = !choice || isPlain(choice);
}

/** @param {string} name of a key @returns {string} as keyboards of the page's language have it */
const inWords = (name) => name.replace(/[A-Z][a-z]+/g, (word) =>
  (word.toLowerCase() in KEYS ? t(KEYS[word.toLowerCase()]) : word));

/** @type {Record<string, Key>} */
const KEYS = {
  ctrl: "key-ctrl", shift: "key-shift", space: "key-space", enter: "key-enter", del: "key-del",
  esc: "key-esc", wheel: "key-wheel", click: "key-click",
};

function makeHelp() {
  const dialog = make("dialog", { id: "help", "aria-label": t("help") });
  const lists = HELP.map(([title, keys]) => make("section", {}, make("h3", {}, t(title)),
    make("dl", {}, ...keys.flatMap(([names, key]) => [
      make("dt", {}, ...names.split(", ").map((name) => make("kbd", {}, inWords(name)))), make("dd", {}, t(key)),
    ]))));
  const close = makeButton({ class: "quiet" }, () => dialog.close(), t("close"));
  dialog.append(make("div", { class: "row" }, make("h2", {}, t("help")), close), ...lists);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}
