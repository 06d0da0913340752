// The engine in the browser itself: a worker holds the model, and nothing leaves the machine.

import { findReading } from "./enlarger.js";
import { embed } from "./local/metadata/embed.js";
import { readMetadata } from "./local/metadata/extract.js";
import { share } from "./local/shared.js";
import { problem } from "./problems.js";
import { t } from "../text.js";

/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./engine.js").Photo} Photo */
/** @typedef {import("./engine.js").Recipe} Recipe */
/** @typedef {{file: Blob, id: string | null, opening: Promise<void> | null}} Opened id: in the worker */
/** @typedef {(part: number, words?: string) => void} Progress */
/** @typedef {{resolve: (value: any) => void, reject: (error: Error) => void}} Promised */

const MEGAPIXELS = { desk: 24, phone: 12 };
const MEGABYTES = 200; // of a photo's file

/** @implements {Engine} */
export class LocalEngine {
  /** @type {WeakMap<Photo, Opened>} */ #opened = new WeakMap();
  /** @type {Map<number, Promised>} */ #asked = new Map();
  /** @type {Set<Progress>} */ #waiting = new Set();
  #worker = new Worker(new URL("./local/worker.js", import.meta.url), { type: "module" });
  #number = 0;
  #isLoaded = false;

  constructor() {
    this.#worker.addEventListener("message", ({ data }) => {
      if (data.part !== undefined) {
        const [done, all] = [data.part * data.megabytes, data.megabytes].map(Math.round);
        this.#isLoaded = data.part === 1;
        const words = done < all ? t("loading-model", { done, all }) : undefined;
        for (const progress of this.#waiting) progress(data.part, words);
        return;
      }
      const promised = this.#asked.get(data.id);
      this.#asked.delete(data.id);
      if (!data.error) promised?.resolve(data.value);
      else promised?.reject(problem(data.status, data.error));
    });
    this.#worker.addEventListener("error", (event) => {
      const why = event.message || "a browser without module workers";
      const detail = `expected the model to run here, found ${why}; take a newer browser`;
      for (const { reject } of this.#asked.values()) {
        reject(problem(500, { type: "old-browser", detail }));
      }
      this.#asked.clear();
    });
  }

  /** @returns {Promise<import("./engine.js").Health>} */
  async health() {
    const { version, fingerprint, model } = await this.#ask("health");
    const { vividness, vividness_given = vividness } = model;
    return { version, model: fingerprint, model_folder: null, vividness, vividness_given, megabytes: MEGABYTES };
  }

  /** Wait for the model. @param {Progress} progress @returns {Promise<void>} */
  load(progress) {
    return this.#follow(progress, "load");
  }

  /** @param {Blob} file @param {Progress} progress @returns {Promise<Photo>} */
  async open(file, progress) {
    const photo = await this.#follow(progress, "open", file, findMostPixels());
    this.#opened.set(photo, { file, id: photo.id, opening: null });
    return photo;
  }

  /** Ask for what waits for the model. @param {Progress} progress @param {string} task @param {any[]} parts */
  async #follow(progress, task, ...parts) {
    this.#waiting.add(progress);
    if (this.#isLoaded) progress(1);
    try {
      return await this.#ask(task, ...parts);
    } finally {
      this.#waiting.delete(progress);
    }
  }

  /** @param {Photo} photo @param {Blob} file */
  resume(photo, file) {
    this.#opened.set(photo, { file, id: null, opening: null });
  }

  /** @param {Photo} photo */
  luma(photo) {
    return this.#of(photo, "luma");
  }

  /** @param {Photo} photo @param {Recipe} recipe @param {boolean} measure */
  decode(photo, recipe, measure) {
    return this.#of(photo, "decode", recipe, measure);
  }

  /** @param {Photo} photo @param {Recipe} recipe */
  thumbnail(photo, recipe) {
    return this.#of(photo, "thumbnail", recipe);
  }

  /** @param {Photo} photo @param {import("./engine.js").Place} at @param {number | null} reach */
  region(photo, at, reach) {
    return this.#of(photo, "region", at, reach);
  }

  /** @param {Photo} photo @param {import("./engine.js").Place} at @param {Recipe} recipe */
  suggest(photo, at, recipe) {
    return this.#of(photo, "suggest", at, recipe);
  }

  /** @param {Photo} photo @param {Recipe} recipe @param {import("./engine.js").How} how @param {AbortSignal} [signal] */
  async save(photo, recipe, how, signal) {
    const id = await this.#find(photo);
    signal?.throwIfAborted();
    const saved = this.#ask("save", id, recipe, how);
    const number = this.#number;
    signal?.addEventListener("abort", () => {
      this.#worker.postMessage({ cancel: number });
      this.#asked.get(number)?.reject(/** @type {DOMException} */ (signal.reason));
    });
    const { picture, recipe: complete } = await saved;
    const file = this.#opened.get(photo)?.file;
    if (how.strip_metadata || !file) return picture;
    share(await this.#ask("health"));
    return embed(picture, await readMetadata(file), complete, photo);
  }

  /** @param {Blob} file */
  readPalette(file) {
    return this.#ask("readPalette", file);
  }

  /** @param {Photo} photo @param {Recipe} recipe */
  targetPalette(photo, recipe) {
    return this.#of(photo, "targetPalette", recipe);
  }

  /** @param {Photo[]} photos @param {number} cohesion */
  async album(photos, cohesion) {
    const ids = [];
    for (const photo of photos) ids.push(await this.#find(photo));
    return this.#ask("album", ids, cohesion);
  }

  /** @param {Record<string, any>} recipe */
  completeRecipe(recipe) {
    return this.#ask("completeRecipe", recipe);
  }

  /** @param {Photo} photo */
  async close(photo) {
    const id = this.#opened.get(photo)?.id;
    if (id) await this.#ask("close", id);
  }

  /** A photo's name in the worker, which opens it where another page had. @param {Photo} photo */
  async #find(photo) {
    const opened = this.#opened.get(photo);
    if (!opened) throw new Error("expected a photo that this engine opened");
    if (!opened.id) await (opened.opening ??= this.#openAgain(opened));
    return opened.id;
  }

  /** @param {Opened} opened */
  async #openAgain(opened) {
    try {
      const { file } = opened;
      opened.id = await this.#ask("resume", file, findMostPixels(), await findReading(file));
    } finally {
      opened.opening = null;
    }
  }

  /** @param {Photo} photo @param {string} task @param {any[]} parts */
  async #of(photo, task, ...parts) {
    return this.#ask(task, await this.#find(photo), ...parts);
  }

  /** @param {string} task @param {any[]} parts @returns {Promise<any>} */
  #ask(task, ...parts) {
    return new Promise((resolve, reject) => {
      this.#asked.set(++this.#number, { resolve, reject });
      this.#worker.postMessage({ id: this.#number, task, parts });
    });
  }
}

/** How large a photo may be here before it is shrunk. */
function findMostPixels() {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  return 1e6 * (isPhone ? MEGAPIXELS.phone : MEGAPIXELS.desk);
}
