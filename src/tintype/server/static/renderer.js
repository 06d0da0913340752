// Keeps the picture up with the hand: one render on its way at a time, then the latest wish.

import * as api from "./api.js";

/**
 * @typedef {{id: string, wish: api.Wish, done: boolean, since: number}} Request
 *   done: the hand has let go; since: when it moved, by performance.now()
 */

export class Renderer {
  /** @type {Request | null} */ #next = null;
  #busy = false;

  /**
   * @param {(rendered: api.Rendered, picture: ImageBitmap, request: Request) => void} show
   * @param {(error: Error) => void} complain
   */
  constructor(show, complain) {
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
      try {
        await this.#one(request);
      } catch (error) {
        this.complain(/** @type {Error} */ (error));
      }
    }
    this.#busy = false;
  }

  /** @param {Request} request */
  async #one(request) {
    const sent = performance.now();
    const rendered = await api.render(request.id, request.wish, { measure: request.done });
    const received = performance.now();
    const picture = await createImageBitmap(rendered.picture);
    this.show(rendered, picture, request);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const end = performance.now();
    const server = Object.values(rendered.timing).reduce((sum, one) => sum + one, 0);
    performance.measure("edit", {
      start: request.since,
      end,
      detail: {
        ...rendered.timing, waiting: sent - request.since,
        transfer: received - sent - server, paint: end - received, done: request.done,
      },
    });
  }
}
