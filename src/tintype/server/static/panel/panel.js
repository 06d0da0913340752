// The palette's panel: its parts show the session's choice and change it.

import { the } from "../page.js";
import { showAnswers } from "./answers.js";
import { ColorList } from "./colors.js";
import { listenToKeys } from "./keys.js";
import { listenToSave, load } from "./save.js";
import { listenToStrength } from "./strength.js";
import { showVariants } from "./variants.js";
import { Versions } from "./versions.js";
import { PaletteWheel } from "./wheel.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../view/stage.js").Stage} Stage */

/** @param {Session} session @param {Stage} stage */
export function showPanel(session, stage) {
  const wheel = the("wheel", PaletteWheel);
  listenToWheel(wheel, session, stage);
  new ColorList(session, wheel, stage);
  showAnswers(session);
  listenToStrength(session);
  showVariants(session);
  new Versions(session, stage);
  listenToSave(session);
  listenToKeys(session);
  addEventListener("pointercancel", ({ target }) => {
    if (target instanceof HTMLInputElement && target.type === "range") session.revert();
  });
}

/** @param {PaletteWheel} wheel @param {Session} session @param {Stage} stage */
function listenToWheel(wheel, session, stage) {
  /** @param {string} name @param {(detail: any) => void} act */
  const on = (name, act) =>
    wheel.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
  on("steer", ({ spots, done }) => session.change({ spots }, done));
  on("cancel", () => session.revert());
  on("choose", (spot) => session.select(spot === null ? null : { spot }));
  on("hover", (spot) => stage.highlight(spot));
  wheel.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("dropping");
    load(session, file);
  });
  session.on("choice", () => {
    const { choice, selected } = session;
    if (choice) wheel.show(choice, selected && "spot" in selected ? selected.spot : null);
  });
  session.on("shown", ({ decoded }) => decoded.colors && wheel.showColors(decoded.colors));
}
