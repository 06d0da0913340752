// What a hand makes of one thing: its color, here or everywhere, its place, its reach, its mask.
//
//     thing ──color, scope, reach, mask──▶ choice        looked at: previewed, let go: one step of history

import { chromaOf, isGray } from "../color.js";
import { Preview } from "../state/preview.js";
import { colored, refusal, withPin } from "./edit.js";

/** @typedef {import("../engine/engine.js").Edit} Edit */
/** @typedef {import("../state/session.js").Session} Session */
/** @typedef {import("./edit.js").Scope} Scope */
/** @typedef {import("./edit.js").Thing} Thing */

const WHEEL = 400; // milliseconds after which a turn of the mouse's wheel has ended
const AUTO = 0.5; // the reach at which a thing ends by itself

export class Coloring {
  /** @type {Thing | null} */ thing = null;
  /** @type {Scope} */ scope = "here";
  #timer = 0;
  /** @type {(() => void) | null} */ #settle = null; // ends a turn of the wheel before its time

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.preview = new Preview(session);
    session.on("leave", () => this.#settle?.());
  }

  /** @param {Thing | null} thing null for none */
  begin(thing) {
    this.#settle?.();
    this.preview.end();
    this.thing = thing;
    this.scope = "here";
  }

  /** The thing's pin, by its number. */
  get pin() {
    return this.thing?.pin ?? null;
  }

  /** The thing's pin, as the choice has it. @returns {Edit | null} */
  get edit() {
    return this.pin === null ? null : (this.session.choice?.pins[this.pin] ?? null);
  }

  /** What the thing was given, as a pin has it; not what is only looked at. @returns {string | null} */
  get color() {
    const choice = this.session.open?.history?.current;
    if (!this.thing || !choice) return null;
    if (this.pin !== null) return choice.pins[this.pin]?.color ?? null;
    const to = this.thing.spot === null ? null : choice.spots[this.thing.spot]?.to;
    if (!to || to === this.thing.to) return null;
    return isGray(chromaOf(to)) ? "gray" : to;
  }

  /** Why the thing cannot have a pin; null where it can. */
  get refusal() {
    const isNew = this.scope === "here" && this.pin === null;
    return isNew ? refusal(this.session.open?.history?.current.pins ?? [], false) : null;
  }

  /** Look at a color. @param {string} color @returns {boolean} whether it can be had */
  look(color) {
    const { thing } = this;
    if (!thing || this.refusal) return false;
    this.preview.show((chosen) => colored(chosen, thing, color, this.scope));
    return true;
  }

  /** @param {string} color */
  choose(color) {
    const { session, thing, scope } = this;
    const before = session.open?.history?.current;
    if (!thing || !before) return;
    this.preview.forget();
    const next = colored(before, thing, color, scope);
    thing.pin = scope === "here" ? (thing.pin ?? before.pins.length) : null;
    session.selected = thing.pin !== null ? { pin: thing.pin }
      : thing.spot !== null ? { spot: thing.spot } : null;
    session.choose(next, { done: true });
  }

  /** @param {[number, number]} at @param {boolean} done */
  move(at, done) {
    if (!this.edit) return;
    Object.assign(/** @type {Thing} */ (this.thing), { at, spot: null, to: null });
    this.#change({ ...this.edit, at }, done);
  }

  /** @param {number | null} reach @param {boolean} done */
  setReach(reach, done) {
    clearTimeout(this.#timer);
    this.#settle = null;
    if (!this.edit) return;
    const { reach: _, ...edit } = this.edit;
    this.#change(reach === null ? edit : { ...edit, reach }, done);
  }

  /** Change the reach by a notch of a mouse's wheel; several are one step. @param {number} by */
  turn(by) {
    const reach = this.edit?.reach ?? AUTO;
    const next = Math.round(100 * Math.min(1, Math.max(0, reach + by))) / 100;
    this.setReach(next, false);
    this.#settle = () => this.setReach(next, true);
    this.#timer = window.setTimeout(() => this.#settle?.(), WHEEL);
  }

  /** @param {string | null} text a mask as a recipe has it; null if nothing is left @param {boolean} done */
  paint(text, done) {
    const { pin } = this;
    if (pin === null || !this.session.open?.history?.current.pins[pin]) return;
    const paint = (/** @type {Edit[]} */ pins) => {
      const { color } = pins[pin];
      const edit = "protect" in pins[pin] ? { protect: text } : { mask: text, color };
      return withPin(pins, pin, text === null ? null : /** @type {Edit} */ (edit));
    };
    if (!done) return this.preview.show((chosen) => ({ ...chosen, pins: paint(chosen.pins) }));
    this.preview.forget();
    this.session.change({ pins: paint(this.session.open.history.current.pins) });
  }

  /** @param {number} pin */
  remove(pin) {
    const pins = this.session.open?.history?.current.pins;
    if (!pins) return;
    this.preview.forget();
    this.session.selected = null;
    this.session.change({ pins: withPin(pins, pin, null) });
  }

  /** @param {Edit} edit @param {boolean} done */
  #change(edit, done) {
    const { choice } = this.session;
    if (choice && this.pin !== null) this.session.change({ pins: withPin(choice.pins, this.pin, edit) }, done);
  }
}
