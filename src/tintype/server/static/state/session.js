// What is open, what is chosen, and the photo that follows: the state that the page's parts share.
//
//     hand ──choose──▶ choice ──recipe──▶ engine ──planes──▶ "decoded"
//                        └──▶ "choice", history
//
// Events: "photos" (some came, went or have another thumbnail), "leave" (another will be looked at),
// "open" (another is),
// "encoded" (the engine knows the open one), "choice" (it, or what is selected, changed), "given"
// (detail: a photo that is not looked at, which has another choice), "decoded" (detail: {one,
// decoded, done, since, timing}), "server" (it went or came back), "view" (the open one's zoom
// changed), "say" (detail: {text} and how it is said), "progress" (detail: {part, words}; part null:
// done), "staged" (the open one is seen, or waited for), "pending" (its colors are on their way, or no
// longer).

import { Problem } from "../engine/engine.js";
import { recipeOf, unedited, varied } from "./choice.js";
import { OpenPhoto } from "./open_photo.js";
import { Renderer } from "./renderer.js";
import { t } from "../text.js";

/** @typedef {import("../engine/engine.js").Engine} Engine */
/** @typedef {import("../engine/engine.js").Health} Health */
/** @typedef {import("./choice.js").Choice} Choice */
/** @typedef {{spot: number} | {pin: number} | null} Selected */

const AGAIN = 2000; // milliseconds until a server that is gone is asked again

/** Whether an engine did not answer. @param {unknown} error */
const isGone = (error) => error instanceof Problem && error.status === 0;

export class Session extends EventTarget {
  /** @type {OpenPhoto[]} */ photos = [];
  /** @type {OpenPhoto | null} */ open = null;
  /** @type {Selected} */ selected = null;
  /** @type {Health | null} */ server = null;
  online = true;
  /** @type {number | null} */ pending = null; // since when the open one's newest colors are waited for
  #sending = false;

  /** @param {Engine} engine */
  constructor(engine) {
    super();
    this.engine = engine;
    this.renderer = new Renderer(
      ({ one, recipe, done }) =>
        engine.decode(/** @type {import("./open_photo.js").Photo} */ (one.photo), recipe, done),
      (decoded, request) => {
        this.#reached(true);
        request.one.decoded = decoded;
        if (request.one === this.open) this.tell("decoded", { ...request, decoded });
      },
      (error) => {
        this.wait(null);
        this.complain(error);
      },
    );
  }

  /** Wait for colors since a time, or no longer. @param {number | null} since */
  wait(since) {
    this.pending = since;
    this.tell("pending");
  }

  /** @param {string} name @param {unknown} [detail] */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {string} name @param {(detail: any) => void} act */
  on(name, act) {
    this.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {string} text "" to end what was said @param {import("../messages.js").How} [how] */
  say(text, how = {}) {
    this.tell("say", { text, ...how });
  }

  /** Do something that may fail, and say so. @param {() => Promise<void>} work */
  async try(work) {
    try {
      await work();
    } catch (error) {
      this.complain(/** @type {Error} */ (error));
    }
  }

  async begin() {
    await this.try(async () => {
      this.server = await this.engine.health();
      this.tell("server");
    });
  }

  // --- photos ------------------------------------------------------------------------------------

  /** Photos that a person brings; each is looked at while it is sent. @param {File[]} files */
  add(files) {
    this.#take(files.map((file) => new OpenPhoto(file)), null);
  }

  /**
   * Go on with photos of before, whose keys are theirs.
   * @param {OpenPhoto[]} photos @param {OpenPhoto} open the one to look at
   */
  restore(photos, open) {
    for (const { photo, file } of photos) if (photo) this.engine.resume(photo, file);
    this.#take(photos, open);
  }

  /** @param {OpenPhoto[]} photos @param {OpenPhoto | null} open */
  #take(photos, open) {
    this.photos.push(...photos);
    this.tell("photos");
    if (!this.open && photos.length) this.show(open ?? photos[0]);
    if (!this.#sending) this.#sendAll();
  }

  /** Send what the engine does not know yet, what is looked at first. */
  async #sendAll() {
    this.#sending = true;
    for (let done = 0; this.online; done++) {
      const waiting = this.photos.filter((one) => !one.photo);
      const one = waiting.find((other) => other === this.open) ?? waiting[0];
      if (!one) break;
      const count = done + waiting.length;
      const words = count > 1
        ? t("coloring-some", { i: done + 1, count }) : t("coloring-one", { name: one.name });
      try {
        await this.#send(one, words);
      } catch (error) {
        if (!isGone(error) && !one.photo) this.close(one);
        this.complain(/** @type {Error} */ (error), one.name);
      }
    }
    this.#sending = false;
    this.tell("progress", { part: null, words: "" });
  }

  /** @param {OpenPhoto} one @param {string} words */
  async #send(one, words) {
    const most = this.server?.megabytes ?? 64;
    if (one.file.size > most * 2 ** 20) throw new Error(t("too-large", { most }));
    await one.file.slice(0, 1).arrayBuffer().catch(() => {
      throw new Error(t("unreadable"));
    });
    this.tell("progress", { part: 0, words });
    /** @param {number} part @param {string} [said] */
    const progress = (part, said = words) => this.tell("progress", { part, words: said });
    const photo = await this.engine.open(one.file, progress);
    one.encoded(photo);
    if (!this.photos.includes(one)) return; // closed meanwhile
    if (one === this.open) {
      this.tell("encoded");
      this.#render(one, true);
      this.tell("choice");
    }
    if (photo.shrunk) this.say(t("shrunk", { name: one.name, ...photo.shrunk }));
    if (photo.colorful) this.say(t("already-colored", { name: one.name }));
    one.thumbnail ??= await this.engine.thumbnail(photo, recipeOf(unedited(photo)));
    this.tell("photos");
  }

  /** Look at a photo. @param {OpenPhoto} one */
  show(one) {
    this.#leave();
    this.open = one;
    this.selected = null;
    this.tell("open");
    if (one.choice) this.#render(one, true);
    this.tell("choice");
  }

  /** What a hand has not let go of is not chosen. */
  #leave() {
    this.tell("leave");
    const { open } = this;
    if (open?.choice && open.history) open.choice = open.history.current;
  }

  /** @param {OpenPhoto} one @returns {() => void} takes it back */
  close(one) {
    const at = this.photos.indexOf(one);
    this.photos = this.photos.filter((other) => other !== one);
    if (one === this.open) {
      this.#leave();
      this.open = this.selected = null;
      const next = this.photos[Math.min(at, this.photos.length - 1)];
      if (next) this.show(next);
      else this.tell("open");
    }
    this.tell("photos");
    return () => {
      this.photos.splice(at, 0, one);
      this.tell("photos");
      this.show(one);
      if (!this.#sending) this.#sendAll();
    };
  }

  /** @returns {() => void} takes it back */
  closeAll() {
    const { photos, open } = this;
    this.#leave();
    this.photos = [];
    this.open = this.selected = null;
    this.tell("open");
    this.tell("photos");
    return () => this.#take(photos, open);
  }

  // --- what is chosen ----------------------------------------------------------------------------

  /** @returns {Choice | null} */
  get choice() {
    return this.open?.choice ?? null;
  }

  /**
   * Show a choice and color the photo by it.
   * @param {Choice} next
   * @param {{done: boolean, keep?: boolean}} how done: the hand has let go; keep: it can be undone
   */
  choose(next, { done, keep = true }) {
    const one = this.open;
    if (!one?.history) return;
    one.choice = next;
    const { selected } = this;
    if (selected && "spot" in selected && selected.spot >= next.spots.length) this.selected = null;
    if (selected && "pin" in selected && selected.pin >= next.pins.length) this.selected = null;
    if (done && keep) one.history.add(next);
    this.#render(one, done);
    this.tell("choice");
  }

  /** Color a photo, the open one or not; it can be undone there. @param {OpenPhoto} one @param {Choice} next */
  give(one, next) {
    if (one === this.open) return this.choose(next, { done: true });
    if (!one.history) return;
    one.choice = next;
    one.history.add(next);
    this.tell("given", one);
    this.tell("photos");
  }

  /** @param {Partial<Choice>} part @param {boolean} [done] */
  change(part, done = true) {
    if (this.choice) this.choose({ ...this.choice, ...part }, { done });
  }

  /** @param {Selected} selected */
  select(selected) {
    this.selected = selected;
    this.tell("choice");
  }

  /** Undo or redo. @param {-1 | 1} by */
  step(by) {
    const history = this.open?.history;
    if (history) this.choose(history.move(by), { done: true, keep: false });
  }

  /** Go back to what was chosen last: a hand was interrupted. */
  revert() {
    const history = this.open?.history;
    if (history) this.choose(history.current, { done: true, keep: false });
  }

  reset() {
    if (!this.open?.photo) return;
    this.selected = null;
    this.choose(unedited(this.open.photo), { done: true });
  }

  /** Another palette for the open photo, one's edits kept. @param {number} alternative 0..4 */
  vary(alternative) {
    const photo = this.open?.photo;
    if (!photo || !this.choice) return;
    this.choose(varied(this.choice, photo, alternative), { done: true });
  }

  /** @param {OpenPhoto} one @param {boolean} done */
  #render(one, done) {
    if (!one.choice) return;
    const since = performance.now();
    this.wait(since);
    this.renderer.ask({ one, recipe: recipeOf(one.choice), done, since });
  }

  // --- the server --------------------------------------------------------------------------------

  /** Say what went wrong. @param {Error} error @param {string} [name] of the photo that it is about */
  complain(error, name) {
    if (isGone(error)) {
      this.say("");
      return this.#reached(false);
    }
    const said = error instanceof Problem || error.constructor === Error;
    if (!said) console.error(error); // a mistake of ours, or of the browser
    const text = said ? error.message : t("went-wrong");
    this.say(name ? `${name}: ${text}` : text, { kind: "error" });
  }

  /** Whether the engine answers; until it does, it is asked again. @param {boolean} online */
  #reached(online) {
    if (this.online === online) return;
    this.online = online;
    this.tell("server");
    if (online) {
      if (this.open?.photo) this.tell("encoded"); // what was asked for meanwhile is asked again
      if (this.open) this.#render(this.open, true);
      if (!this.#sending) this.#sendAll();
      return;
    }
    const timer = setInterval(async () => {
      const server = await this.engine.health().catch(() => null);
      if (!server) return;
      clearInterval(timer);
      this.server = server;
      this.#reached(true);
    }, AGAIN);
  }
}
