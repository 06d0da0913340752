// All colors at once: how strong they are, and, behind "More", what that is made of; the presets.

import { hexOf, nameOf, polar } from "../color.js";
import { input, showSlider, the } from "../page.js";
import { amountOf, PRESETS, preset, reachOf } from "../state/choice.js";
import { t } from "../text.js";
import { makeButton } from "../make.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/choice.js").Choice} Choice */

const MOST = 1.5; // saturation at full strength

/**
 * What a strength is made of: under 1 colors fade to gray, over it they become vivid and saturated.
 * @param {number} strength 0..2, 1 as estimated @param {number} usual vividness 0..1
 * @returns {{saturation: number, vividness: number | null}}
 */
export function strengthen(strength, usual) {
  if (strength <= 1) return { saturation: round(strength), vividness: null };
  const part = strength - 1;
  return { saturation: round(1 + (MOST - 1) * part), vividness: round(usual + (1 - usual) * part) };
}

/** The strength nearest to what is chosen. @param {Choice} choice @param {number} usual vividness 0..1 */
export function strengthOf({ saturation, vividness }, usual) {
  if (saturation < 1) return saturation;
  const vivid = ((vividness ?? usual) - usual) / Math.max(0.05, 1 - usual);
  const part = vividness === null ? (saturation - 1) / (MOST - 1) : Math.max(0, vivid);
  return 1 + Math.min(1, part);
}

/** @param {Session} session */
export function listenToStrength(session) {
  /** @type {Record<string, (value: number, choice: Choice) => Partial<Choice>>} */
  const meanings = {
    strength: (value, choice) => strengthen(value, usualOf(session, choice)),
    saturation: (saturation) => ({ saturation }),
    vividness: (vividness) => ({ vividness }),
    turn: (turn) => ({ turn }),
    tint: (reach) => ({ towards: reach ? { hue: hue(), amount: amountOf(reach) } : null }),
    "tint-hue": (degrees, { towards }) =>
      ({ towards: { hue: degrees, amount: towards?.amount ?? amountOf(0.3) } }),
  };
  const hue = () => Number(input("tint-hue").value);
  for (const [id, mean] of Object.entries(meanings)) {
    for (const kind of ["input", "change"]) {
      input(id).addEventListener(kind, () => {
        const { choice } = session;
        if (choice) session.change(mean(Number(input(id).value), choice), kind === "change");
      });
    }
  }
  listenToPresets(session);
  session.on("choice", () => session.choice && session.server && show(session, session.choice));
}

/** @param {Session} session */
function listenToPresets(session) {
  const chips = [["plain", () => session.reset()], ...Object.keys(PRESETS).map((name) => [
    name, () => session.choice && session.choose(preset(session.choice, name), { done: true }),
  ])];
  the("presets", HTMLDivElement).append(.../** @type {[string, () => void][]} */ (chips).map(([name, act]) =>
    makeButton({}, act, t(/** @type {import("../text.js").Key} */ (`preset-${name}`)))));
}

/** The vividness of a photo when none is chosen. @param {Session} session @param {Choice} choice */
function usualOf({ server }, choice) {
  return choice.usual ?? (choice.palette ? server?.vividness_given : server?.vividness) ?? 0.5;
}

/** @param {Session} session @param {Choice} choice */
function show(session, choice) {
  const usual = usualOf(session, choice);
  const strength = strengthOf(choice, usual);
  showSlider("strength", strength, percentOf(strength));
  showSlider("saturation", choice.saturation, percentOf(choice.saturation));
  const vividness = choice.vividness ?? usual;
  showSlider("vividness", vividness, percentOf(vividness));
  showSlider("turn", choice.turn, `${choice.turn}°`);
  const { towards } = choice;
  const reach = towards ? reachOf(towards.amount) : 0;
  showSlider("tint", reach, percentOf(reach));
  const degrees = towards?.hue ?? Number(input("tint-hue").value);
  showSlider("tint-hue", degrees, nameOf(polar(degrees, 0.1)));
  input("tint-hue").style.setProperty("--color", hexOf(polar(degrees, 0.12)));
}

/** @param {number} part @returns {string} */
const percentOf = (part) => `${Math.round(100 * part)} %`;

/** @param {number} value */
const round = (value) => Number(value.toFixed(3));
