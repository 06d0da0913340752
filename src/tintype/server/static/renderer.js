// Keeps the picture up with the hand: one render on its way at a time, then the latest recipe.

import * as api from "./api.js";

/**
 * @template T
 * @typedef {{of: T, recipe: api.Recipe, done: boolean, since: number}} Request
 *   of: the photo; done: the hand has let go; since: when it moved, by performance.now()
 */

const PAUSE = 400; // milliseconds before a server that is busy is asked again

/** @template T a photo */
export class Renderer {
  /** @type {Request<T> | null} */ #next = null;
  #busy = false;

  /**
   * @param {(request: Request<T>) => Promise<api.Rendered>} render
   * @param {(rendered: api.Rendered, picture: ImageBitmap, request: Request<T>) => void} show
   * @param {(error: Error) => void} complain
   */
  constructor(render, show, complain) {
    this.render = render;
    this.show = show;
    this.complain = complain;
  }

  /** @param {Request<T>} request */
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
        if (error instanceof api.Problem && error.status === 429) {
          await new Promise((resolve) => setTimeout(resolve, PAUSE));
          this.#next ??= request;
        } else {
          this.complain(/** @type {Error} */ (error));
        }
      }
    }
    this.#busy = false;
  }

  /** @param {Request<T>} request */
  async #one(request) {
    const sent = performance.now();
    const rendered = await this.render(request);
    const received = performance.now();
    const picture = await createImageBitmap(rendered.picture);
    this.show(rendered, picture, request);
    picture.close();
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
