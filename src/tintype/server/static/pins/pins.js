// Color here: a click on the photo asks of the thing there, a pin or the palette answers.
//
//     click ──▶ place ──region──▶ outline        choice ──▶ marks, pop-over of the chosen pin
//                 └──suggest──▶ pop-over ──colored──▶ choice

import { chromaOf, hexOf, nameOf } from "../color.js";
import { t } from "../text.js";
import { Answers } from "./answers.js";
import { Brush } from "./brush.js";
import { Coloring } from "./coloring.js";
import { Cursor } from "./cursor.js";
import { refusal } from "./edit.js";
import { Marks } from "./marks.js";
import { boxOf, outline } from "./mask.js";
import { colorAt, excuse } from "./pixel.js";
import { placeAt } from "./place.js";
import { Popover } from "./popover.js";

/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../view/stage.js").Stage} Stage */
/** @typedef {import("./edit.js").Scope} Scope */
/** @typedef {import("./edit.js").Thing} Thing */
/** @typedef {import("./mask.js").Mask} Mask */
/** @typedef {import("./place.js").Point} Point */

const REST = 180; // milliseconds after which a region follows a hand that moves a pin
const [AWAY, AWAY_CHIP] = [30, 56]; // pixels of the page from a ring and from a chip

export class Pins {
  #was = ""; // the color that the thing had, #rrggbb
  /** @type {Mask | null} */ #mask = null; // the thing's region, once it is known
  #regionTimer = 0;
  #openedByMove = false; // by a hand that has not let go yet

  /** @param {Session} session @param {Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    this.coloring = new Coloring(session); // of what the pop-over is about
    const viewer = (this.viewer = stage.viewer);
    const box = /** @type {HTMLElement} */ (viewer.parentElement);
    this.marks = new Marks(viewer, {
      choose: (pin, byKey) => this.#choosePin(pin, byKey),
      move: (pin, at, done) => this.#move(pin, at, done),
      cancel: (pin) => this.#putBack(pin),
      remove: (pin) => this.#remove(pin),
      reach: (_, by) => {
        this.coloring.turn(by);
        this.#askRegionSoon();
      },
    }, () => this.#show());
    this.popover = new Popover(box, {
      preview: (color) => this.#preview(color),
      choose: (color) => this.#choose(color),
      scope: (scope) => this.#setScope(scope),
      reach: (reach, done) => {
        this.coloring.setReach(reach, done);
        this.#askRegionSoon();
      },
      brush: () => this.#beginBrush(),
      remove: () => this.#remove(this.coloring.pin),
      close: () => this.close(),
    });
    this.answers = new Answers(session, this.popover);
    this.brush = new Brush(box, viewer, {
      paint: (text, done) => this.coloring.paint(text, done),
      end: () => this.#endBrush(),
    });
    this.cursor = new Cursor(viewer, (place) => this.open(place));
    this.#listen();
  }

  #listen() {
    const { session, viewer } = this;
    viewer.addEventListener("pick", (event) => {
      const { place, shift } = /** @type {CustomEvent} */ (event).detail;
      this.open(place, shift);
    });
    viewer.addEventListener("layout", () => this.#put());
    viewer.addEventListener("click", (event) => {
      const { x, y } = viewer.placeOf(event);
      const beside = x < 0 || y < 0 || x > 1 || y > 1;
      if (beside && event.target instanceof HTMLCanvasElement) this.close();
    });
    addEventListener("keydown", (event) => {
      const typing = event.target instanceof Element && event.target.closest("input, select, aside");
      if (!this.popover.isOpen || event.defaultPrevented) return;
      const above = document.querySelector(":popover-open, dialog[open]"); // which closes first
      if (event.key === "Escape" && !above) this.close();
      else if (event.key === "Delete" && !typing) this.#remove(this.coloring.pin);
    });
    session.on("open", () => this.#forget());
    session.on("choice", () => this.#follow());
    session.on("shown", ({ one, done }) => done && one === session.open && this.#judge());
  }

  // --- what the pop-over is about ----------------------------------------------------------------

  /**
   * Ask of the thing at a place; or, where only its color is wanted, find that on the wheel.
   * @param {Point} place @param {boolean} [only]
   */
  open(place, only = false) {
    const { session, viewer } = this;
    const { choice } = session;
    if (!session.open || this.brush.isOn) return;
    if (!choice || !viewer.isColored) return session.say(t("coloring-one", { name: session.open.name }));
    this.coloring.preview.end();
    const chroma = colorAt(viewer, place);
    const spot = this.stage.spotOf(chroma);
    const selected = spot === null ? null : { spot };
    if (only) return session.select(selected);
    this.#was = hexOf(chroma);
    this.#begin({
      at: placeAt(place), pin: null, spot, to: spot === null ? null : choice.spots[spot].to,
    });
    session.select(selected);
    this.popover.open(() => viewer.querySelector("canvas")?.focus({ preventScroll: true }), true);
    this.#put();
    this.#askRegion();
  }

  /** @param {number} pin @param {boolean} focus */
  #choosePin(pin, focus) {
    if (this.brush.isOn) return;
    this.coloring.preview.end(); // it may show a pin that is none
    const edit = this.session.choice?.pins[pin];
    if (!edit) return;
    if (this.coloring.pin !== pin) {
      const { x, y } = this.marks.placeOf(pin) ?? { x: 0.5, y: 0.5 };
      this.#begin({ at: edit.at ?? placeAt({ x, y }), pin, spot: null, to: null });
      this.session.select({ pin });
      this.#askRegion();
    }
    this.popover.open(() => this.marks.focus(pin), focus);
    this.#put();
  }

  /** @param {Thing} thing */
  #begin(thing) {
    this.coloring.begin(thing);
    this.#mask = null;
    outline(this.viewer, null);
    this.popover.suggest(null);
    this.popover.say("");
    this.#askColors();
  }

  close() {
    if (!this.coloring.thing) return;
    this.coloring.begin(null);
    this.#openedByMove = false;
    this.#mask = null;
    clearTimeout(this.#regionTimer);
    this.answers.clear();
    outline(this.viewer, null);
    this.popover.close();
    if (this.session.selected && "pin" in this.session.selected) this.session.select(null);
    else this.#show();
  }

  /** Another photo is looked at. */
  #forget() {
    this.marks.letGo();
    this.brush.end(false);
    this.close();
    this.#show();
  }

  /** The choice, or what is selected, has changed. */
  #follow() {
    const { selected } = this.session;
    const mine = this.coloring.pin;
    const pin = selected && "pin" in selected ? selected.pin : null;
    if (this.brush.isOn) return this.#show();
    if (pin === null && mine !== null) return this.close();
    if (pin !== null && mine !== pin) this.#choosePin(pin, false);
    this.#show();
  }

  // --- what the engine says of it ----------------------------------------------------------------

  async #askColors() {
    const { thing } = this.coloring;
    const colors = thing && (await this.answers.colors(thing));
    if (!colors || thing !== this.coloring.thing) return;
    this.popover.suggest(colors);
    this.#put();
  }

  /** Find the region of the thing, and outline it. */
  async #askRegion() {
    const { thing } = this.coloring;
    const mask = thing && (await this.answers.region(thing));
    if (!mask || thing !== this.coloring.thing) return;
    this.#mask = mask;
    if (!this.coloring.preview.isOn) this.#outline();
    this.#put();
  }

  /** Show what a color would hit: the thing, or all that wears its color. */
  #outline() {
    const { thing, scope } = this.coloring;
    if (thing && scope === "everywhere") this.stage.highlight(thing.spot);
    else outline(this.viewer, this.#mask);
  }

  #askRegionSoon() {
    clearTimeout(this.#regionTimer);
    this.#regionTimer = window.setTimeout(() => this.#askRegion(), REST);
  }

  // --- what a hand does --------------------------------------------------------------------------

  /** @param {string | null} color */
  #preview(color) {
    if (color === null) this.coloring.preview.endSoon();
    else if (this.coloring.look(color)) outline(this.viewer, null); // so that it is seen
  }

  /** @param {string} color */
  #choose(color) {
    const refused = this.coloring.refusal;
    if (refused) return this.popover.say(refused);
    outline(this.viewer, null);
    this.popover.say("");
    this.coloring.choose(color);
  }

  /** @param {Scope} scope */
  #setScope(scope) {
    const { color } = this.coloring;
    this.coloring.scope = scope;
    if (color) return this.#choose(color);
    this.#outline();
    this.#show();
  }

  /** @param {number} pin @param {[number, number]} at @param {boolean} done */
  #move(pin, at, done) {
    if (this.coloring.pin !== pin) {
      this.#choosePin(pin, false);
      this.#openedByMove = true;
    }
    this.#openedByMove &&= !done;
    this.popover.element.classList.toggle("away", !done);
    this.#mask = null; // it is another thing's
    outline(this.viewer, null);
    this.coloring.move(at, done);
    this.#askRegionSoon();
    if (done) this.#askColors();
  }

  /** A move was interrupted: the pin is where it was. @param {number} pin */
  #putBack(pin) {
    this.session.revert();
    if (this.coloring.pin !== pin) return;
    if (this.#openedByMove) return this.close();
    const { thing, edit } = this.coloring;
    if (thing && edit?.at) thing.at = edit.at;
    this.popover.element.classList.remove("away");
    this.#askRegionSoon();
    this.#askColors();
  }

  /** @param {number | null} pin */
  #remove(pin) {
    if (pin === null) return;
    this.coloring.remove(pin);
    this.viewer.querySelector("canvas")?.focus({ preventScroll: true });
  }

  // --- the brush ---------------------------------------------------------------------------------

  async #beginBrush() {
    const { thing, edit } = this.coloring;
    const { choice } = this.session;
    if (!edit || !choice) return;
    const refused = "at" in edit ? refusal(choice.pins, true) : null;
    if (refused) return this.popover.say(refused);
    clearTimeout(this.#regionTimer);
    await this.#askRegion(); // as it is now
    if (thing !== this.coloring.thing || !this.#mask) return;
    this.brush.begin(this.#mask);
    this.popover.close();
    outline(this.viewer, this.#mask);
  }

  #endBrush() {
    this.coloring.preview.end();
    outline(this.viewer, null);
    const { pin, edit } = this.coloring;
    if (pin === null || !edit) return this.close();
    this.popover.open(() => this.marks.focus(pin), true);
    this.#show();
  }

  // --- what is shown -----------------------------------------------------------------------------

  #show() {
    const { choice, open } = this.session;
    const { thing, edit, pin, color, scope, preview } = this.coloring;
    const pins = choice && open?.photo ? choice.pins : [];
    const ghost = thing && pin === null && !preview.isOn ? { x: thing.at[0], y: thing.at[1] } : null;
    const photo = open?.photo ?? { width: 1, height: 1 };
    this.marks.show(pins, pin, /** @type {Point | null} */ (ghost), photo);
    if (!thing || this.brush.isOn) return;
    this.popover.show({
      title: pin === null ? t("pin-thing", { color: nameOf(chromaOf(this.#was)) }) : this.marks.nameOf(pin),
      color, was: pin === null ? this.#was : null, scope, canSpread: thing.spot !== null,
      kind: !edit ? "place" : "at" in edit ? "pin" : "mask" in edit ? "mask" : "protect",
      reach: edit?.reach ?? null,
    });
    this.#put();
  }

  /** Put the pop-over beside its thing, or beside its place. */
  #put() {
    const { thing, pin, edit } = this.coloring;
    if (!thing || !this.popover.isOpen) return;
    const place = pin === null ? { x: Number(thing.at[0]), y: Number(thing.at[1]) }
      : this.marks.placeOf(pin);
    if (!place) return;
    const screen = (/** @type {Point} */ one) => {
      const { x, y } = this.viewer.screenOf(one);
      return { x: x + this.viewer.offsetLeft, y: y + this.viewer.offsetTop };
    };
    const box = this.#mask && boxOf(this.#mask).map(screen);
    this.popover.put(screen(place), pin === null || edit?.at ? AWAY : AWAY_CHIP, box);
  }

  /** Say so where a pin's color cannot be seen. */
  #judge() {
    const { pin, edit, preview } = this.coloring;
    const place = pin === null ? null : this.marks.placeOf(pin);
    if (!edit?.at || !place || preview.isOn) return;
    this.popover.say(excuse(this.viewer, place, edit.color));
  }
}
