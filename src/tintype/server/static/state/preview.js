// A choice that is shown for as long as a hand looks at it; then the photo is again as it was chosen.

/** @typedef {import("./choice.js").Choice} Choice */
/** @typedef {import("./open_photo.js").OpenPhoto} OpenPhoto */

const LEFT = 80; // milliseconds until what a hand has left is taken back; it may come to another

export class Preview {
  /** @type {OpenPhoto | null} */ #one = null; // whose choice is not what was chosen
  #timer = 0;

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    session.on("open", () => this.end());
  }

  get isOn() {
    return this.#one !== null;
  }

  /** @param {(chosen: Choice) => Choice} make what is shown of what was chosen */
  show(make) {
    clearTimeout(this.#timer);
    const one = this.session.open;
    if (!one?.history) return;
    this.#one = one;
    this.session.choose(make(one.history.current), { done: false });
  }

  endSoon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.end(), LEFT);
  }

  end() {
    const one = this.#one;
    this.forget();
    if (!one?.history || one !== this.session.open) return;
    this.session.choose(one.history.current, { done: true, keep: false });
  }

  /** Take nothing back, as something is chosen now. */
  forget() {
    clearTimeout(this.#timer);
    this.#one = null;
  }
}
