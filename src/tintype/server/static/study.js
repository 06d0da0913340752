// The visual Turing test: two pictures of a photo, and a choice between them.

import { button, the } from "./page.js";
import { fillIn, t } from "./text.js";

/** @typedef {{id: string, left: string, right: string, question: "real" | "plausible"}} Trial */
/** @typedef {{participant: string, seconds: number | null, trials: Trial[]}} Session */

/** @type {Record<Trial["question"], import("./text.js").Key>} */
const QUESTIONS = { real: "study-real", plausible: "study-plausible" };

/** @param {string} text */
const say = (text) => (the("message", HTMLParagraphElement).textContent = text);

/** @param {string} path @param {unknown} body */
async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(t("study-failed", { status: response.status }));
  return response;
}

/**
 * A picture, loaded, so that both sides appear at once.
 * @param {string} id @returns {Promise<HTMLImageElement>}
 */
async function load(id) {
  const image = new Image();
  image.alt = ""; // the buttons have names, which stay when the pictures go
  image.src = `v1/study/pictures/${id}`;
  await image.decode();
  return image;
}

/** @param {Trial} trial @param {number | null} seconds @returns {Promise<void>} when it is answered */
async function ask(trial, seconds) {
  const images = await Promise.all([load(trial.left), load(trial.right)]);
  the("question", HTMLHeadingElement).textContent = t(QUESTIONS[trial.question]);
  button("left").replaceChildren(images[0]);
  button("right").replaceChildren(images[1]);
  const pair = the("pair", HTMLDivElement);
  pair.classList.remove("gone");
  const shown = performance.now();
  const timer = seconds === null ? 0 : setTimeout(() => pair.classList.add("gone"), 1000 * seconds);
  const choice = await chosen();
  clearTimeout(timer);
  const milliseconds = performance.now() - shown;
  await post("v1/study/answers", { trial: trial.id, choice, milliseconds });
}

/** @returns {Promise<"left" | "right">} */
function chosen() {
  return new Promise((resolve) => {
    const ended = new AbortController();
    const end = (/** @type {"left" | "right"} */ side) => {
      ended.abort();
      resolve(side);
    };
    const { signal } = ended;
    button("left").addEventListener("click", () => end("left"), { signal });
    button("right").addEventListener("click", () => end("right"), { signal });
    addEventListener("keydown", ({ key, repeat }) => {
      if (repeat) return;
      if (key === "ArrowLeft") end("left");
      if (key === "ArrowRight") end("right");
    }, { signal });
  });
}

/** @param {Session} session */
async function run(session) {
  const done = the("done", HTMLProgressElement);
  the("start", HTMLDivElement).hidden = true;
  the("pair", HTMLDivElement).hidden = done.hidden = false;
  for (const [i, trial] of session.trials.entries()) {
    await ask(trial, session.seconds);
    done.value = (i + 1) / session.trials.length;
  }
  the("pair", HTMLDivElement).hidden = true;
  the("question", HTMLHeadingElement).textContent = t("study-thanks");
  say(t("study-end"));
}

fillIn();
try {
  /** @type {Session} */
  const session = await (await post("v1/study", {})).json();
  the("count", HTMLParagraphElement).textContent =
    t("study-pairs", { count: session.trials.length });
  the("question", HTMLHeadingElement).textContent = t(QUESTIONS[session.trials[0].question]);
  the("time", HTMLParagraphElement).hidden = session.seconds === null;
  const seconds = (session.seconds ?? 0).toLocaleString(document.documentElement.lang);
  the("time", HTMLParagraphElement).textContent = t("study-time", { seconds });
  button("begin").disabled = false;
  button("begin").addEventListener("click", () => {
    run(session).catch((error) => say(error.message));
  });
} catch (error) {
  say(/** @type {Error} */ (error).message);
}
