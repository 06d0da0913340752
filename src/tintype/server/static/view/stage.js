// Shows the open photo: in gray as soon as it is there, in color as it is decoded.
//
//     file ──luma──▶ viewer, enlarger          decoded ──enlarger──▶ chroma ──▶ viewer

import { Enlarger } from "../engine/enlarger.js";
import { isGray, nearest } from "../color.js";
import { recipeOf, worn } from "../state/choice.js";
import { the } from "../page.js";
import { PhotoViewer } from "./viewer.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../state/open_photo.js").OpenPhoto} OpenPhoto */
/** @typedef {import("../engine/luma.js").Luma} Luma */
/** @typedef {(viewer: PhotoViewer) => void} Zoom */

const THUMBNAIL = 192; // longest side, pixels

export class Stage {
  #enlarger = new Enlarger();
  /** @type {OpenPhoto | null} */ #shown = null; // whose luma is on the stage
  /** @type {Promise<void>} */ #ready = Promise.resolve();
  /** @type {{one: OpenPhoto | null, acts: Zoom[]}} */ #early = { one: null, acts: [] }; // before its luma came
  isWaiting = false; // for the open photo's luma; "staged" tells that it came, or cannot be had

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.viewer = the("viewer", PhotoViewer);
    session.on("open", () => this.#open());
    session.on("encoded", () => this.#open());
    session.on("decoded", (request) => this.#show(request));
    session.on("pending", () => (this.viewer.ariaBusy = String(session.pending !== null)));
    this.viewer.addEventListener("layout", () => {
      if (!this.#shown) return;
      this.#shown.view = this.viewer.view;
      session.tell("view");
    });
  }

  /** Put the luma of the open photo on the stage, once it can be had. */
  #open() {
    const one = this.session.open;
    if (one === this.#shown && one) return this.#prepare(one);
    this.#shown = null;
    this.viewer.clear();
    this.#wait(one !== null);
    if (!one) return;
    this.#ready = this.#load(one).catch((error) => {
      this.session.complain(error);
      if (one === this.session.open) this.#wait(false);
    });
  }

  /** @param {boolean} waiting */
  #wait(waiting) {
    this.isWaiting = waiting;
    this.session.tell("staged");
  }

  /** @param {OpenPhoto} one */
  async #load(one) {
    const { photo } = one;
    const luma = (await this.#enlarger.read(one.file, photo)) ?? (photo && (await this.#ask(photo)));
    if (!luma || one !== this.session.open || this.#shown === one) return; // or once it is encoded
    this.#shown = one;
    this.#enlarger.open(luma);
    this.#prepare(one);
    this.viewer.open(luma, one.view);
    this.#wait(false);
    if (this.#early.one === one) for (const act of this.#early.acts) act(this.viewer);
    this.#early = { one: null, acts: [] };
  }

  /** Zoom the open photo, as soon as it is there. @param {Zoom} act */
  zoom(act) {
    if (!this.isWaiting) return act(this.viewer);
    if (this.#early.one !== this.session.open) this.#early = { one: this.session.open, acts: [] };
    this.#early.acts.push(act);
  }

  /** Weigh the luma's edges as soon as the size of the colors is known. @param {OpenPhoto} one */
  #prepare({ photo }) {
    if (photo) void this.#enlarger.prepare(...photo.planes).catch(() => {}); // or `enlarge` says it
  }

  /** @param {import("../engine/engine.js").Photo} photo @returns {Promise<Luma | null>} */
  async #ask(photo) {
    return this.#enlarger.read(await this.session.engine.luma(photo), photo);
  }

  /** @param {any} request what "decoded" tells */
  async #show(request) {
    const { one, decoded, done, since, sent, received } = request;
    await this.#ready;
    let chroma = null;
    do {
      if (one !== this.#shown) return;
      chroma = await this.#enlarger.enlarge(decoded.planes, !done && !this.viewer.compares);
    } while (!chroma && since === this.session.pending); // a version that is compared came between
    if (!chroma || one !== this.#shown) return; // a later one is on its way
    const enlarged = performance.now();
    this.viewer.showChroma(chroma);
    this.session.tell("shown", request);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (since === this.session.pending) this.session.wait(null);
    const end = performance.now();
    const server = Object.values(decoded.timing).reduce((sum, part) => sum + part, 0);
    performance.measure("edit", {
      start: since,
      end,
      detail: {
        ...decoded.timing, waiting: sent - since, transfer: received - sent - server,
        enlarge: enlarged - received, paint: end - enlarged, done,
      },
    });
    if (done) setTimeout(() => one === this.#shown && this.#keepThumbnail(one)); // once it is seen
  }

  /**
   * Show a version that was kept at the left of the split.
   * @param {import("../state/open_photo.js").Version | null} version null to end it
   */
  async compare(version) {
    const one = this.#shown;
    if (!version || !one?.photo) {
      this.viewer.showOther(null);
      return this.session.tell("compared", null);
    }
    const { planes } = await this.session.engine.decode(one.photo, recipeOf(version.choice), false);
    let chroma = null;
    while (!chroma && one === this.#shown) chroma = await this.#enlarger.enlarge(planes);
    if (!chroma || one !== this.#shown) return; // another photo is looked at
    this.viewer.showOther(chroma);
    this.session.tell("compared", version);
  }

  /** A small picture of what is shown, for the film strip. @param {OpenPhoto} one */
  async #keepThumbnail(one) {
    const { width, height, data } = this.viewer.read();
    const scale = THUMBNAIL / Math.max(width, height);
    const picture = await createImageBitmap(new ImageData(data, width, height), {
      resizeWidth: Math.max(1, Math.round(scale * width)),
      resizeHeight: Math.max(1, Math.round(scale * height)), resizeQuality: "medium",
    });
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(picture);
    one.thumbnail = await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
    this.session.tell("photos");
  }

  /** Which spot a color of the photo belongs to. @param {import("../color.js").Chroma} chroma */
  spotOf(chroma) {
    const now = this.session.choice;
    if (!now) return null;
    const places = now.spots.map((spot) => worn(spot, now));
    const gray = places.findIndex(isGray);
    return nearest(chroma, places) ?? (gray < 0 ? null : gray);
  }

  /** Light up the pixels that wear a spot's color. @param {number | null} index */
  highlight(index) {
    const dark = index === null || this.session.choice?.spots[index]?.banned;
    this.viewer.highlight(dark ? null : (chroma) => this.spotOf(chroma) === index);
  }
}
