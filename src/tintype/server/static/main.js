// The editor: what is open and chosen is the session's; the parts of the page show it and change it.
//
//     film, stage, wheel, controls, variants, keep ◀──events── session ──▶ engine

import { RestEngine } from "./engine/rest.js";
import { showFilm } from "./film.js";
import { showMessages } from "./messages.js";
import { button, input, showProgress, the } from "./page.js";
import { listenToControls } from "./panel/controls.js";
import { listenToKeep, load } from "./panel/keep.js";
import { showVariants } from "./panel/variants.js";
import { PaletteWheel } from "./panel/wheel.js";
import { Pins } from "./pins/pins.js";
import { listenForFiles } from "./state/files.js";
import { Session } from "./state/session.js";
import { fillIn } from "./text.js";
import { Stage } from "./view/stage.js";

fillIn();
const session = new Session(new RestEngine());
const stage = new Stage(session);
const wheel = the("wheel", PaletteWheel);

function listenToWheel() {
  /** @param {string} name @param {(detail: any) => void} act */
  const on = (name, act) =>
    wheel.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
  on("steer", ({ choice, done }) => session.choose(choice, { done }));
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

function listenToFiles() {
  const add = (/** @type {File[]} */ files) => session.add(files);
  listenForFiles(add);
  for (const id of ["add", "choose"]) {
    button(id).addEventListener("click", () => input("files").click());
  }
  button("close").addEventListener("click", () => session.open && session.close(session.open));
  input("files").addEventListener("change", () => {
    add([...(input("files").files ?? [])]);
    input("files").value = "";
  });
  addEventListener("beforeunload", (event) => {
    if (session.photos.some((one) => one.isEdited)) event.preventDefault();
  });
}

function listenToView() {
  const { viewer } = stage;
  /** @type {Record<string, () => void>} */
  const actions = {
    fit: () => viewer.zoomTo(1),
    pixels: () => viewer.zoomToPixels(),
    gray: () => (viewer.split = viewer.split > 0 ? 0 : 0.5),
    screen: () => (document.fullscreenElement
      ? document.exitFullscreen() : document.querySelector(".stage")?.requestFullscreen()),
  };
  for (const [id, act] of Object.entries(actions)) button(id).addEventListener("click", act);
  viewer.addEventListener("split", () =>
    button("gray").setAttribute("aria-pressed", String(viewer.split > 0)));
  /** @type {Record<string, string>} */
  const keys = { 0: "fit", 1: "pixels", b: "gray", f: "screen" };
  addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("input, select");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      if (event.target instanceof HTMLInputElement && event.target.type === "text") return;
      event.preventDefault();
      session.step(event.shiftKey ? 1 : -1);
    } else if (keys[event.key] && !control && !event.ctrlKey && !event.metaKey && !event.altKey) {
      actions[keys[event.key]]();
    }
  });
}

showMessages(session);
session.on("progress", ({ part, words }) => showProgress(session.open?.photo ? null : part, words));
showFilm(session);
listenToWheel();
listenToControls(session, (hex) => wheel.addColor(hex));
showVariants(session);
listenToKeep(session);
listenToFiles();
listenToView();
new Pins(session, stage);
session.begin();
