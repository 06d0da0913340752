// Keeps the photo up with the hand: one decode on its way at a time, then the latest recipe.

/**
 * @typedef {{one: import("./open_photo.js").OpenPhoto, recipe: import("../engine/engine.js").Recipe,
 *   done: boolean, since: number}} Request
 *   done: the hand has let go; since: when it moved, by performance.now()
 */
/** @typedef {import("../engine/engine.js").Decoded} Decoded */

export class Renderer {
  /** @type {Request | null} */ #next = null;
  #busy = false;

  /**
   * @param {(request: Request) => Promise<Decoded>} decode
   * @param {(decoded: Decoded, request: Request & {sent: number, received: number}) => void} show
   * @param {(error: Error) => void} complain
   */
  constructor(decode, show, complain) {
    this.decode = decode;
    this.show = show;
    this.complain = complain;
  }

  /** @param {Request} request */
  ask(request) {
    this.#next = request;
    if (!this.#busy) this.#work();
  }

  async #work() {
    this.#busy = true;
    while (this.#next) {
      const request = this.#next;
      this.#next = null;
      const sent = performance.now();
      try {
        const decoded = await this.decode(request);
        this.show(decoded, { ...request, sent, received: performance.now() });
      } catch (error) {
        this.complain(/** @type {Error} */ (error));
      }
    }
    this.#busy = false;
  }
}
