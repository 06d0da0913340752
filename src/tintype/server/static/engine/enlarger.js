// Asks a worker for a photo's colors; where there are no workers, the page itself.

import { Tasks } from "./tasks.js";

/** @typedef {import("./guide.js").Chroma} Chroma */
/** @typedef {import("./luma.js").Luma} Luma */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{resolve: (value: any) => void, reject: (error: Error) => void}} Promised */
/** @typedef {Promised & {work: () => any}} Asked work: the same on the page's thread */

/** What is being read, so that an engine need not. @type {WeakMap<Blob, Promise<Luma | null>>} */
const readings = new WeakMap();

/** The luma of a file that some `Enlarger` is reading; null where none is. @param {Blob} file */
export const findReading = async (file) => (await readings.get(file)?.catch(() => null)) ?? null;

export class Enlarger {
  /** @type {Worker | null} */ #worker = null;
  /** @type {Map<number, Asked>} */ #asked = new Map();
  /** @type {{planes: ArrayBuffer, quick: boolean, promised: Promised} | null} */ #next = null;
  #tasks = new Tasks();
  #busy = false;
  #number = 0;

  /** @param {boolean} [apart] whether a worker does it */
  constructor(apart = typeof Worker === "function") {
    if (!apart) return;
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data: { id, value, error } }) => {
      const promised = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) promised?.resolve(value);
      else promised?.reject(new Error(error));
    });
    this.#worker.addEventListener("error", () => this.#takeOver());
  }

  /**
   * The luma of a photo's file, as by `lumaOf`, off the page's thread.
   * @param {Blob} file @param {Size | null} [photo] @returns {Promise<Luma | null>}
   */
  read(file, photo = null) {
    const luma = this.#ask("read", file, photo && { width: photo.width, height: photo.height });
    readings.set(file, luma);
    return luma.finally(() => readings.delete(file));
  }

  /**
   * Get ready for a photo; what still waits for the last one is no longer wanted.
   * @param {Luma} photo @returns {Promise<void>}
   */
  open({ luma, width, height }) {
    this.#next?.promised.resolve(null);
    this.#next = null;
    return this.#ask("open", luma, width, height);
  }

  /**
   * Get ready for chroma of a size, so that the first that comes is enlarged sooner.
   * @param {number} height @param {number} width @returns {Promise<void>}
   */
  prepare(height, width) {
    return this.#ask("prepare", height, width);
  }

  /**
   * Chroma of small planes; of those that wait, only the newest is enlarged.
   * @param {ArrayBuffer} planes safetensors
   * @param {boolean} [quick] for a hand that moves, as of `Guide.enlarge`
   * @returns {Promise<Chroma | null>} null if others came before it was begun
   */
  enlarge(planes, quick = false) {
    this.#next?.promised.resolve(null);
    return new Promise((resolve, reject) => {
      this.#next = { planes, quick, promised: { resolve, reject } };
      if (!this.#busy) this.#work();
    });
  }

  async #work() {
    this.#busy = true;
    while (this.#next) {
      const { planes, quick, promised } = this.#next;
      this.#next = null;
      await this.#ask("enlarge", planes, quick).then(promised.resolve, promised.reject);
    }
    this.#busy = false;
  }

  /** @param {"read" | "open" | "prepare" | "enlarge"} task @param {any[]} parts @returns {Promise<any>} */
  async #ask(task, ...parts) {
    const work = () => /** @type {any} */ (this.#tasks)[task](...parts);
    const worker = this.#worker;
    if (!worker) return work();
    return new Promise((resolve, reject) => {
      this.#asked.set(++this.#number, { resolve, reject, work });
      worker.postMessage({ id: this.#number, task, parts });
    });
  }

  /** Where no worker starts, as in browsers that have none of modules, the page does it. */
  #takeOver() {
    this.#worker = null;
    for (const { resolve, work } of this.#asked.values()) {
      resolve(new Promise((done) => done(work())));
    }
    this.#asked.clear();
  }

  /** Let go of the photo and of the worker. */
  close() {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#asked.values()) reject(new Error("closed"));
    this.#asked.clear();
  }
}
