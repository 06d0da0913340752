// The editor: what is open and chosen is the session's; the parts of the page show it and change it.
//
//     film, stage, panel ◀──events── session ──▶ engine

import { local } from "./engine/here.js";
import { RestEngine } from "./engine/rest.js";
import { Film } from "./film.js";
import { showMessages } from "./messages.js";
import { button, input, showProgress } from "./page.js";
import { PhotosBar } from "./photos/bar.js";
import { colorSamples, showSamples } from "./photos/samples.js";
import { Thumbnails } from "./photos/thumbnails.js";
import { showPanel } from "./panel/panel.js";
import { Pins } from "./pins/pins.js";
import { listenForFiles } from "./state/files.js";
import { Session } from "./state/session.js";
import { SessionStore } from "./state/storage.js";
import { fillIn, t } from "./text.js";
import { showHalves } from "./view/halves.js";
import { Stage } from "./view/stage.js";

/** @typedef {import("./engine/local.js").LocalEngine} LocalEngine */

const LARGER = 1.25; // how much a key zooms

fillIn();
const session = new Session(local ?? new RestEngine());
const store = new SessionStore(session);
const stage = new Stage(session);

function listenToFiles() {
  const add = (/** @type {File[]} */ files) => session.add(files);
  listenForFiles(add);
  for (const id of ["add", "choose"]) {
    button(id).addEventListener("click", () => input("files").click());
  }
  button("close").addEventListener("click", () => {
    if (!session.open) return;
    const { name } = session.open;
    const undo = session.close(session.open);
    session.say(t("closed", { name }), { action: { name: t("take-back"), act: undo } });
  });
  input("files").addEventListener("change", () => {
    add([...(input("files").files ?? [])]);
    input("files").value = "";
  });
  addEventListener("beforeunload", (event) => {
    if (!store.isComplete && session.photos.some((one) => one.isEdited)) event.preventDefault();
  });
}

function listenToView() {
  const { viewer } = stage;
  /** @type {Record<string, () => void>} */
  const actions = {
    fit: () => stage.zoom((photo) => photo.zoomTo(1)),
    pixels: () => stage.zoom((photo) => photo.zoomToPixels()),
    gray: () => {
      if (viewer.compares) stage.compare(null);
      viewer.split = viewer.split > 0 ? 0 : 0.5;
    },
    screen: () => (document.fullscreenElement
      ? document.exitFullscreen() : document.querySelector("main")?.requestFullscreen()),
  };
  for (const [id, act] of Object.entries(actions)) button(id).addEventListener("click", act);
  const larger = () => stage.zoom((photo) => photo.zoomTo(photo.zoom * LARGER));
  const smaller = () => stage.zoom((photo) => photo.zoomTo(photo.zoom / LARGER));
  viewer.addEventListener("split", () =>
    button("gray").setAttribute("aria-pressed", String(viewer.split > 0 && !viewer.compares)));
  /** @type {Record<string, () => void>} */
  const keys = {
    0: actions.fit, 1: actions.pixels, b: actions.gray, f: actions.screen,
    "+": larger, "=": larger, "-": smaller,
  };
  addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("input, select");
    const free = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
    if (keys[event.key] && !control && free) keys[event.key]();
  });
}

/** Show how far the open photo is, until it is known and seen. */
function listenToProgress() {
  /** @type {{part: number | null, words: string}} */ let sent = { part: null, words: "" };
  const show = () => {
    const { open } = session;
    if (!open?.photo) showProgress(sent.part, sent.words);
    else showProgress(stage.isWaiting ? 1 : null, t("coloring-one", { name: open.name }));
  };
  session.on("progress", (detail) => {
    sent = detail;
    show();
  });
  session.on("staged", show);
}

showMessages(session);
listenToProgress();
showHalves(session, stage.viewer);
new PhotosBar(session, new Film(session));
new Thumbnails(session);
showSamples(session);
showPanel(session, stage);
listenToFiles();
listenToView();
new Pins(session, stage);
await session.begin();
await store.begin();
if (local) await session.try(() => colorSamples(session, /** @type {LocalEngine} */ (local)));
