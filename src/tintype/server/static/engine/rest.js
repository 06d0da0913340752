// The engine over REST. Whatever goes wrong comes out as a Problem of one line.

import { Problem } from "./engine.js";
import { problem } from "./problems.js";
import { parse } from "./safetensors.js";

/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./engine.js").Photo} Photo */

/** @typedef {{file: Blob, id: string, again: Promise<void> | null}} Sent again: it is on its way */

const PAUSE = 250; // milliseconds before a server that is busy is asked again, each time twice as many
const LONGEST = 2000; // but at most

/** @implements {Engine} */
export class RestEngine {
  /** @type {WeakMap<Photo, Sent>} */ #sent = new WeakMap();

  /** @returns {Promise<import("./engine.js").Health>} */
  async health() {
    return toJson(await ask("v1/health"));
  }

  /**
   * Send a photo.
   * @param {Blob} file @param {(part: number) => void} progress 0..1 of the upload
   * @returns {Promise<Photo>}
   */
  async open(file, progress) {
    const answer = await upload("v1/photos", "photo", file, progress);
    if (answer.status !== 201) throw problem(answer.status, answer.body);
    this.resume(answer.body, file);
    return answer.body;
  }

  /** @param {Photo} photo @param {Blob} file */
  resume(photo, file) {
    this.#sent.set(photo, { file, id: photo.id, again: null });
  }

  /** @param {Photo} photo */
  async luma(photo) {
    return toBlob(await this.#of(photo, "luma"));
  }

  /**
   * @param {Photo} photo @param {import("./engine.js").Recipe} recipe @param {boolean} measure
   * @returns {Promise<import("./engine.js").Decoded>}
   */
  async decode(photo, recipe, measure) {
    const how = { size: "planes", measure };
    const { content: planes, headers } = await this.#of(photo, "render", { ...recipe, ...how });
    const { colors, asked } = parse(planes).metadata;
    return {
      planes,
      colors: colors ? JSON.parse(colors).colors : null,
      asked: asked ? JSON.parse(asked) : [],
      timing: timings(headers.get("server-timing") ?? ""),
    };
  }

  /** @param {Photo} photo @param {import("./engine.js").Recipe} recipe */
  async thumbnail(photo, recipe) {
    const how = { size: "thumbnail", measure: false };
    return toBlob(await this.#of(photo, "render", { ...recipe, ...how }));
  }

  /** @param {Photo} photo @param {import("./engine.js").Place} at @param {number | null} reach */
  async region(photo, at, reach) {
    return toBlob(await this.#of(photo, "region", { at, reach }));
  }

  /**
   * @param {Photo} photo @param {import("./engine.js").Place} at
   * @param {import("./engine.js").Recipe} recipe
   */
  async suggest(photo, at, recipe) {
    return toJson(await this.#of(photo, "suggestions", { ...recipe, at })).colors;
  }

  /**
   * @param {Photo} photo @param {import("./engine.js").Recipe} recipe
   * @param {import("./engine.js").How} how @param {AbortSignal} [signal]
   */
  async save(photo, recipe, how, signal) {
    const full = { size: "full", measure: false };
    return toBlob(await this.#of(photo, "render", { ...recipe, ...how, ...full }, signal));
  }

  /** @param {Blob} file @returns {Promise<import("./engine.js").Variant>} */
  async readPalette(file) {
    const answer = await upload("v1/palettes", "file", file, () => {});
    if (answer.status !== 200) throw problem(answer.status, answer.body);
    return answer.body;
  }

  /** @param {Photo} photo @param {import("./engine.js").Recipe} recipe */
  async targetPalette(photo, recipe) {
    return toJson(await this.#of(photo, "palette", recipe));
  }

  /**
   * @param {Photo[]} photos @param {number} cohesion @param {import("./engine.js").Start[]} [starts]
   * @returns {Promise<import("./engine.js").Album>}
   */
  async album(photos, cohesion, starts = []) {
    const all = photos.map((photo) => this.#find(photo));
    const ids = all.map(({ id }) => id);
    const texts = starts.map(({ palette }) => (palette ? JSON.stringify(palette) : ""));
    const looks = [...new Set(texts)].filter(Boolean); // each is sent once
    const how = {
      cohesion,
      palettes: looks.map((text) => JSON.parse(text)),
      starts: starts.map(({ alternative }, i) => (texts[i] ? { palette: looks.indexOf(texts[i]) } : { alternative })),
    };
    try {
      return toJson(await ask("v1/albums", { photos: ids, ...how }));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      const gone = all.filter((sent, i) => error.values.photos?.includes(i) && sent.id === ids[i]);
      for (const sent of gone) await (sent.again ??= this.#sendAgain(sent));
      return toJson(await ask("v1/albums", { photos: all.map(({ id }) => id), ...how }));
    }
  }

  /** @param {Record<string, any>} recipe */
  async completeRecipe(recipe) {
    return toJson(await ask("v1/recipes", recipe));
  }

  /** @param {Photo} photo */
  async close(photo) {
    await fetch(`v1/photos/${this.#sent.get(photo)?.id}`, { method: "DELETE" }).catch(() => {});
  }

  /** What was sent for a photo. @param {Photo} photo @returns {Sent} */
  #find(photo) {
    const sent = this.#sent.get(photo);
    if (!sent) throw new Error("expected a photo that this engine opened");
    return sent;
  }

  /**
   * Ask something of a photo; if the server has forgotten it, send it again, once for all who ask.
   * @param {Photo} photo @param {string} route @param {unknown} [body] @param {AbortSignal} [signal]
   */
  async #of(photo, route, body, signal) {
    const sent = this.#find(photo);
    const { id } = sent;
    try {
      return await ask(`v1/photos/${id}/${route}`, body, signal);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      if (sent.id === id) await (sent.again ??= this.#sendAgain(sent));
      return ask(`v1/photos/${sent.id}/${route}`, body, signal);
    }
  }

  /** @param {Sent} sent */
  async #sendAgain(sent) {
    try {
      sent.id = (await this.open(sent.file, () => {})).id;
    } finally {
      sent.again = null;
    }
  }
}

/**
 * Ask; while the server has too much to do, wait and ask again.
 * @template {{status: number}} Answer @param {() => Promise<Answer>} send @returns {Promise<Answer>}
 */
async function insist(send) {
  for (let pause = PAUSE; ; pause = Math.min(LONGEST, 2 * pause)) {
    const answer = await send();
    if (answer.status !== 429) return answer;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** @typedef {{status: number, headers: Headers, content: ArrayBuffer}} Answer */

/** @param {Answer} answer */
const toBlob = ({ content, headers }) =>
  new Blob([content], { type: headers.get("content-type") ?? "" });

/** @param {Answer} answer @returns {any} */
const toJson = ({ content }) => JSON.parse(new TextDecoder().decode(content));

/**
 * A whole answer. @param {string} path @param {unknown} [body] sent by POST, if there is one
 * @param {AbortSignal} [signal] that ends it, on the server too
 * @returns {Promise<Answer>}
 */
async function ask(path, body, signal) {
  const headers = { "content-type": "application/json" };
  const how = body === undefined ? { signal }
    : { method: "POST", headers, body: JSON.stringify(body), signal };
  const answer = await insist(async () => {
    try {
      const coming = await fetch(path, how);
      const content = await coming.arrayBuffer();
      return { status: coming.status, headers: coming.headers, content };
    } catch {
      signal?.throwIfAborted();
      throw problem(0, null);
    }
  });
  if (answer.status < 300) return answer;
  let said = null;
  try {
    said = toJson(answer);
  } catch {} // of another program between
  throw problem(answer.status, said);
}

/**
 * @param {string} path @param {string} field @param {Blob} file
 * @param {(part: number) => void} progress @returns {Promise<{status: number, body: any}>}
 */
function upload(path, field, file, progress) {
  const form = new FormData();
  form.append(field, file, "upload"); // the file's own name stays here
  return insist(() => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
    request.open("POST", path);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.loaded / Math.max(1, event.total));
    request.onload = () => resolve({ status: request.status, body: request.response });
    request.onerror = () => reject(problem(0, null));
    request.send(form);
  }));
}

/** @param {string} header @returns {Record<string, number>} milliseconds */
function timings(header) {
  const parts = [...header.matchAll(/(\w+);dur=([\d.]+)/g)];
  return Object.fromEntries(parts.map(([, name, value]) => [name, Number(value)]));
}
