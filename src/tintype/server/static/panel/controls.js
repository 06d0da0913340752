// Sliders, the chosen color, presets, undo: what is said in numbers and words.

import { button, input, output, showSlider, the } from "../page.js";
import { t } from "../text.js";
import { isEdited, PRESETS, preset, toggled } from "../state/choice.js";

/** @typedef {import("../state/session.js").Session} Session */

/** @param {Session} session @param {(hex: string) => void} addColor */
export function listenToControls(session, addColor) {
  listenToSliders(session);
  listenToColor(session, addColor);
  const chips = [["plain", () => session.reset()], ...Object.keys(PRESETS).map((name) => [
    name, () => session.choice && session.choose(preset(session.choice, name), { done: true }),
  ])];
  for (const [name, act] of /** @type {[string, () => void][]} */ (chips)) addChip(name, act);
  button("undo").addEventListener("click", () => session.step(-1));
  button("redo").addEventListener("click", () => session.step(1));
  button("reset").addEventListener("click", () => session.reset());
  session.on("choice", () => showControls(session));
  session.on("shown", ({ decoded, done }) => done && showAnswers(decoded.asked));
}

/** @param {Session} session */
function listenToSliders(session) {
  for (const id of ["saturation", "turn", "vividness"]) {
    const value = () => Number(input(id).value);
    input(id).addEventListener("input", () => session.change({ [id]: value() }, false));
    input(id).addEventListener("change", () => session.change({ [id]: value() }));
  }
  for (const kind of ["input", "change"]) {
    input("size").addEventListener(kind, () => {
      const { choice, selected } = session;
      if (!choice || !selected || !("spot" in selected)) return;
      const spots = structuredClone(choice.spots);
      const factor = 2 ** Number(input("size").value);
      const spot = spots[selected.spot];
      spot.scale = Number((spot.from === null ? Math.min(0.9, 0.1 * factor) : factor).toFixed(3));
      session.change({ spots }, kind === "change");
    });
  }
}

/** @param {Session} session @param {(hex: string) => void} addColor */
function listenToColor(session, addColor) {
  /** Change the chosen spot's color, or add one. @param {boolean} added */
  const type = (added) => {
    const text = input("hex").value.trim();
    const code = /^gr[ae]y$/i.test(text) ? "808080" : text.replace("#", "").toLowerCase();
    if (!/^[0-9a-f]{6}$/.test(code)) {
      return session.say(t("color-unknown", { text }), { kind: "error" });
    }
    session.say("");
    const { choice, selected } = session;
    if (!choice) return;
    if (added || !selected || !("spot" in selected)) return addColor(`#${code}`);
    const spots = structuredClone(choice.spots);
    spots[selected.spot].to = `#${code}`;
    session.change({ spots });
  };
  input("hex").addEventListener("keydown", ({ key }) => key === "Enter" && type(false));
  button("more").addEventListener("click", () => type(true));
  button("ban").addEventListener("click", () => {
    const { choice, selected } = session;
    if (choice && selected && "spot" in selected) {
      session.change({ spots: toggled(choice.spots, selected.spot) });
    }
  });
}

/** @param {string} name of a preset @param {() => void} act */
function addChip(name, act) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.textContent = t(/** @type {import("../text.js").Key} */ (`preset-${name}`));
  chip.addEventListener("click", act);
  the("presets", HTMLDivElement).append(chip);
}

/** @param {Session} session */
function showControls(session) {
  const { choice, open, selected, server } = session;
  const panel = /** @type {HTMLElement} */ (document.querySelector("aside"));
  panel.inert = !choice; // nothing to steer before the first color
  if (!choice || !open?.history || !server) return;
  showSlider("saturation", choice.saturation, `${Math.round(100 * choice.saturation)} %`);
  showSlider("turn", choice.turn, `${choice.turn}°`);
  const usual = choice.palette ? server.vividness_given : server.vividness;
  const vividness = choice.vividness ?? usual;
  showSlider("vividness", vividness, vividness.toFixed(2));
  button("undo").disabled = !open.history.canUndo;
  button("redo").disabled = !open.history.canRedo;
  button("reset").disabled = !isEdited(choice) && !choice.alternative && !choice.palette;
  const spot = selected && "spot" in selected ? choice.spots[selected.spot] : null;
  input("hex").value = spot ? spot.to : "";
  const scale = spot ? Math.log2(spot.from === null ? spot.scale / 0.1 : spot.scale) : 0;
  showSlider("size", scale, spot ? `${(2 ** scale).toFixed(1)} x` : "");
  input("size").disabled = button("ban").disabled = !spot;
  button("ban").textContent = t(spot?.banned ? "allow" : "remove");
}

/** What was asked for, and what came out. @param {import("../engine/engine.js").Answer[]} asked */
function showAnswers(asked) {
  the("reach", HTMLDivElement).hidden = !asked.length;
  output("reached-out").value = asked.map(({ color, got }) => `${color}: ${got}`).join(", ");
}
