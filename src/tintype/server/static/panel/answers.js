// What was asked for and what came out of it: two swatches for each color, and a sentence that helps.

import { chromaOf, hueOf, isGray, magnitude, nameOf } from "../color.js";
import { the } from "../page.js";
import { t } from "../text.js";
import { make } from "../make.js";

/** @typedef {import("../engine/engine.js").Answer} Answer */

const FAR = 40; // degrees of hue
const LITTLE = 0.004; // of the photo, under which a color is not seen
const PALE = 0.4; // of the chroma that was asked for

/** @param {import("../state/session.js").Session} session */
export function showAnswers(session) {
  const pairs = make("div", { class: "answers", role: "group", "aria-label": t("asked-got") });
  const help = make("p", { class: "small", role: "status" });
  the("colors", HTMLElement).append(pairs, help);
  session.on("open", () => {
    pairs.replaceChildren();
    help.textContent = "";
  });
  session.on("shown", ({ decoded, done }) => {
    if (!done) return;
    pairs.replaceChildren(...decoded.asked.map(makePair));
    help.textContent = decoded.asked.map(explain).find(Boolean) ?? "";
  });
}

/** @param {Answer} answer */
function makePair({ asked, got, share }) {
  const percent = Math.round(100 * share);
  const words = got
    ? t("asked-and-got", { asked: nameOf(chromaOf(asked)), got: nameOf(chromaOf(got)), percent })
    : t("asked-got-none", { asked: nameOf(chromaOf(asked)) });
  const pair = make("span", { class: got ? "pair" : "pair none", role: "img", "aria-label": words, title: words });
  pair.style.setProperty("--asked", asked);
  if (got) pair.style.setProperty("--got", got);
  return pair;
}

/** What to do where a color did not come out. @param {Answer} answer @returns {string} */
function explain({ asked, got, share }) {
  const wanted = chromaOf(asked);
  const color = nameOf(wanted);
  if (!got || share < LITTLE) return t("nothing-like", { color });
  const found = chromaOf(got);
  const turned = Math.abs(((hueOf(found) - hueOf(wanted) + 540) % 360) - 180);
  if (!isGray(wanted) && !isGray(found) && turned > FAR) return t("nothing-like", { color });
  return magnitude(found) < PALE * magnitude(wanted) ? t("came-out-pale", { color }) : "";
}
