// Color here: a click on the photo asks of the thing there, a pin or the palette answers.
//
//     click ──▶ place ──region──▶ outline        choice ──▶ marks, pop-over of the chosen pin
//                 └──suggest──▶ pop-over ──colored──▶ choice

import { chromaOf, hexOf, isGray, nameOf } from "../color.js";
import { t } from "../text.js";
import { Answers } from "./answers.js";
import { Brush } from "./brush.js";
import { Cursor } from "./cursor.js";
import { colored, refusal, withPin } from "./edit.js";
import { Marks } from "./marks.js";
import { boxOf, outline } from "./mask.js";
import { colorAt, excuse } from "./pixel.js";
import { placeAt } from "./place.js";
import { Popover } from "./popover.js";

/** @typedef {import("../engine/engine.js").Edit} Edit */
/** @typedef {import("../state/open_photo.js").OpenPhoto} OpenPhoto */
/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("../view/stage.js").Stage} Stage */
/** @typedef {import("./edit.js").Scope} Scope */
/** @typedef {import("./edit.js").Thing} Thing */
/** @typedef {import("./mask.js").Mask} Mask */
/** @typedef {import("./place.js").Point} Point */

const REST = 180; // milliseconds after which a region follows a hand that moves a pin
const LEFT = 80; // and after which a color that a hand has left is no longer previewed
const WHEEL = 400; // and after which a turn of the mouse's wheel has ended
const [AWAY, AWAY_CHIP] = [30, 56]; // pixels of the page from a ring and from a chip
const AUTO = 0.5; // the reach at which a thing ends by itself

export class Pins {
  /** @type {Thing | null} */ #thing = null; // what the pop-over is about
  #was = ""; // the color it had, #rrggbb
  /** @type {Scope} */ #scope = "here";
  /** @type {OpenPhoto | null} */ #previewed = null; // whose choice is not what was chosen
  /** @type {Mask | null} */ #mask = null; // the thing's region, once it is known
  #regionTimer = 0;
  #previewTimer = 0;
  #wheelTimer = 0;

  /** @param {Session} session @param {Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    const viewer = (this.viewer = stage.viewer);
    const box = /** @type {HTMLElement} */ (viewer.parentElement);
    this.marks = new Marks(viewer, {
      choose: (pin, byKey) => this.#choosePin(pin, byKey),
      move: (pin, at, done) => this.#move(pin, at, done),
      remove: (pin) => this.#remove(pin),
      reach: (pin, by) => this.#turn(pin, by),
    }, () => this.#show());
    this.popover = new Popover(box, {
      preview: (color) => this.#preview(color),
      choose: (color) => this.#choose(color),
      scope: (scope) => this.#setScope(scope),
      reach: (reach, done) => this.#setReach(reach, done),
      brush: () => this.#beginBrush(),
      remove: () => this.#thing?.pin != null && this.#remove(this.#thing.pin),
      close: () => this.close(),
    });
    this.answers = new Answers(session, this.popover);
    this.brush = new Brush(box, viewer, {
      paint: (text, done) => this.#paint(text, done),
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
      if (!this.popover.isOpen || typing) return;
      if (event.key === "Escape") this.close();
      else if (event.key === "Delete" && this.#thing?.pin != null) this.#remove(this.#thing.pin);
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
    this.#endPreview();
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
    const edit = this.session.choice?.pins[pin];
    if (!edit) return;
    if (this.#thing?.pin !== pin) {
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
    this.#endPreview();
    this.#thing = thing;
    this.#scope = "here";
    this.#mask = null;
    outline(this.viewer, null);
    this.popover.suggest(null);
    this.popover.say("");
    this.#askColors();
  }

  close() {
    if (!this.#thing) return;
    this.#endPreview();
    this.#thing = this.#mask = null;
    clearTimeout(this.#regionTimer);
    this.answers.clear();
    outline(this.viewer, null);
    this.popover.close();
    if (this.session.selected && "pin" in this.session.selected) this.session.select(null);
    else this.#show();
  }

  /** Another photo is looked at. */
  #forget() {
    this.brush.end(false);
    this.close();
    this.#show();
  }

  /** The choice, or what is selected, has changed. */
  #follow() {
    const { selected } = this.session;
    const pin = selected && "pin" in selected ? selected.pin : null;
    if (this.brush.isOn) return this.#show();
    if (pin === null && this.#thing?.pin != null) return this.close();
    if (pin !== null && this.#thing?.pin !== pin) this.#choosePin(pin, false);
    this.#show();
  }

  // --- what the engine says of it ----------------------------------------------------------------

  async #askColors() {
    const thing = this.#thing;
    const colors = thing && (await this.answers.colors(thing));
    if (!colors || thing !== this.#thing) return;
    this.popover.suggest(colors);
    this.#put();
  }

  /** Find the region of the thing, and outline it. */
  async #askRegion() {
    const thing = this.#thing;
    const mask = thing && (await this.answers.region(thing));
    if (!mask || thing !== this.#thing) return;
    this.#mask = mask;
    if (!this.#previewed) outline(this.viewer, mask);
    this.#put();
  }

  #askRegionSoon() {
    clearTimeout(this.#regionTimer);
    this.#regionTimer = window.setTimeout(() => this.#askRegion(), REST);
  }

  // --- what a hand does --------------------------------------------------------------------------

  /** @param {string | null} color */
  #preview(color) {
    clearTimeout(this.#previewTimer);
    const one = this.session.open;
    if (color === null) {
      this.#previewTimer = window.setTimeout(() => this.#endPreview(), LEFT);
    } else if (this.#thing && one?.history && !this.#refusal()) {
      this.#previewed = one;
      outline(this.viewer, null);
      const next = colored(one.history.current, this.#thing, color, this.#scope);
      this.session.choose(next, { done: false });
    }
  }

  #endPreview() {
    clearTimeout(this.#previewTimer);
    const one = this.#previewed;
    if (!one?.history) return;
    this.#previewed = null;
    if (one === this.session.open) this.session.choose(one.history.current, { done: false });
    else one.choice = one.history.current;
  }

  /** Why the thing cannot have a pin. */
  #refusal() {
    const pins = this.session.open?.history?.current.pins ?? [];
    const isNew = this.#scope === "here" && this.#thing?.pin === null;
    return isNew ? refusal(pins, false) : null;
  }

  /** @param {string} color */
  #choose(color) {
    const one = this.session.open;
    const thing = this.#thing;
    if (!thing || !one?.history) return;
    const refused = this.#refusal();
    if (refused) return this.popover.say(refused);
    clearTimeout(this.#previewTimer);
    this.#previewed = null;
    const before = one.history.current;
    const next = colored(before, thing, color, this.#scope);
    const here = this.#scope === "here";
    thing.pin = here ? (thing.pin ?? before.pins.length) : null;
    this.session.selected = thing.pin !== null ? { pin: thing.pin }
      : thing.spot !== null ? { spot: thing.spot } : null;
    outline(this.viewer, null); // so that the color is seen
    this.popover.say("");
    this.session.choose(next, { done: true });
  }

  /** @param {Scope} scope */
  #setScope(scope) {
    const color = this.#color;
    this.#scope = scope;
    if (color) this.#choose(color);
    else this.#show();
  }

  /** What the thing was given, as a pin has it. */
  get #color() {
    const thing = this.#thing;
    const { choice } = this.session;
    if (!thing || !choice) return null;
    if (thing.pin !== null) return choice.pins[thing.pin]?.color ?? null;
    const to = thing.spot === null ? null : choice.spots[thing.spot]?.to;
    if (!to || to === thing.to) return null;
    return isGray(chromaOf(to)) ? "gray" : to;
  }

  /** @param {number} pin @param {[number, number]} at @param {boolean} done */
  #move(pin, at, done) {
    const { choice } = this.session;
    if (!choice) return;
    if (this.#thing?.pin !== pin) this.#choosePin(pin, false);
    if (this.#thing) Object.assign(this.#thing, { at, spot: null, to: null });
    this.popover.element.classList.toggle("away", !done);
    this.#mask = null; // it is another thing's
    outline(this.viewer, null);
    this.session.change({ pins: withPin(choice.pins, pin, { ...choice.pins[pin], at }) }, done);
    this.#askRegionSoon();
    if (done) this.#askColors();
  }

  /** @param {number} pin @param {number} by of the wheel of a mouse */
  #turn(pin, by) {
    const reach = this.session.choice?.pins[pin]?.reach ?? AUTO;
    const next = Math.round(100 * Math.min(1, Math.max(0, reach + by))) / 100;
    this.#setReach(next, false);
    clearTimeout(this.#wheelTimer);
    this.#wheelTimer = window.setTimeout(() => this.#setReach(next, true), WHEEL);
  }

  /** @param {number | null} reach @param {boolean} done */
  #setReach(reach, done) {
    const { choice } = this.session;
    const pin = this.#thing?.pin ?? null;
    if (!choice || pin === null || !choice.pins[pin]) return;
    const { reach: _, ...edit } = choice.pins[pin];
    const next = reach === null ? edit : { ...edit, reach };
    this.session.change({ pins: withPin(choice.pins, pin, next) }, done);
    this.#askRegionSoon();
  }

  /** @param {number} pin */
  #remove(pin) {
    const pins = this.session.open?.history?.current.pins;
    if (!pins) return;
    this.#previewed = null;
    this.session.selected = null;
    this.session.change({ pins: withPin(pins, pin, null) });
    this.viewer.querySelector("canvas")?.focus({ preventScroll: true });
  }

  // --- the brush ---------------------------------------------------------------------------------

  async #beginBrush() {
    const thing = this.#thing;
    const pins = this.session.choice?.pins;
    if (!thing || thing.pin === null || !pins?.[thing.pin]) return;
    const refused = "at" in pins[thing.pin] ? refusal(pins, true) : null;
    if (refused) return this.popover.say(refused);
    clearTimeout(this.#regionTimer);
    await this.#askRegion(); // as it is now
    if (thing !== this.#thing || !this.#mask) return;
    this.brush.begin(this.#mask);
    this.popover.close();
    outline(this.viewer, this.#mask);
  }

  /** @param {string | null} text a mask as a recipe has it; null if nothing is left @param {boolean} done */
  #paint(text, done) {
    const one = this.session.open;
    const pin = this.#thing?.pin;
    const pins = one?.history?.current.pins;
    if (pin == null || !pins?.[pin]) return;
    const { color } = pins[pin];
    const edit = "protect" in pins[pin] ? { protect: text } : { mask: text, color };
    this.#previewed = done ? null : one;
    this.session.change({ pins: withPin(pins, pin, text === null ? null : edit) }, done);
  }

  #endBrush() {
    this.#endPreview();
    const pin = this.#thing?.pin;
    outline(this.viewer, null);
    if (pin == null || !this.session.choice?.pins[pin]) return this.close();
    this.popover.open(() => this.marks.focus(pin), true);
    this.#show();
  }

  // --- what is shown -----------------------------------------------------------------------------

  #show() {
    const { choice, open } = this.session;
    const thing = this.#thing;
    const pins = choice && open?.photo ? choice.pins : [];
    const ghost = thing?.pin === null && !this.#previewed ? { x: thing.at[0], y: thing.at[1] } : null;
    const photo = open?.photo ?? { width: 1, height: 1 };
    this.marks.show(pins, thing?.pin ?? null, /** @type {Point | null} */ (ghost), photo);
    if (!thing || this.brush.isOn) return;
    const edit = thing.pin === null ? null : pins[thing.pin];
    this.popover.show({
      title: thing.pin === null ? t("pin-thing", { color: nameOf(chromaOf(this.#was)) }) : this.marks.nameOf(thing.pin),
      color: this.#color, was: thing.pin === null ? this.#was : null, scope: this.#scope, canSpread: thing.spot !== null,
      kind: !edit ? "place" : "at" in edit ? "pin" : "mask" in edit ? "mask" : "protect",
      reach: edit?.reach ?? null,
    });
    this.#put();
  }

  /** Put the pop-over beside its thing, or beside its place. */
  #put() {
    const thing = this.#thing;
    const pins = this.session.choice?.pins ?? [];
    if (!thing || !this.popover.isOpen) return;
    const place = thing.pin === null ? { x: Number(thing.at[0]), y: Number(thing.at[1]) }
      : this.marks.placeOf(thing.pin);
    if (!place) return;
    const screen = (/** @type {Point} */ one) => {
      const { x, y } = this.viewer.screenOf(one);
      return { x: x + this.viewer.offsetLeft, y: y + this.viewer.offsetTop };
    };
    const box = this.#mask && boxOf(this.#mask).map(screen);
    this.popover.put(screen(place), thing.pin === null || pins[thing.pin]?.at ? AWAY : AWAY_CHIP, box);
  }

  /** Say so where a pin's color cannot be seen. */
  #judge() {
    const pin = this.#thing?.pin;
    const edit = pin == null ? null : this.session.choice?.pins[pin];
    const place = pin == null ? null : this.marks.placeOf(pin);
    if (!edit?.at || !place || this.#previewed) return;
    this.popover.say(excuse(this.viewer, place, edit.color));
  }
}
