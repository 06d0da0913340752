// The server's routes, as functions. Whatever goes wrong comes out as a Problem of one line.

/** @typedef {{color: string, share: number}} Group a color of the photo that can be taken hold of */
/** @typedef {{colors: Group[], neutral: number}} Listed colors, and what has none */
/**
 * @typedef {Listed & {version: number, banned?: string[], tones?: Record<string, Listed>}} PaletteFile
 */
/** @typedef {{palette: PaletteFile, groups: Group[]}} Variant */
/**
 * @typedef {Variant & {id: string, width: number, height: number, format: string,
 *   alpha: boolean, colorful: boolean, alternatives: Variant[]}} Photo
 */
/** @typedef {Record<string, any>} Edit */
/**
 * What to color a photo by, as a recipe has it.
 * @typedef {{palette: PaletteFile | null, alternative: number, edits: Edit[],
 *   vividness: number | null}} Recipe
 */
/**
 * @typedef {{version: string, model: string, model_folder: string | null, vividness: number,
 *   vividness_given: number, megabytes: number}} Health
 */
/**
 * @typedef {{picture: Blob, reached: number | null, colors: Group[] | null,
 *   timing: Record<string, number>}} Rendered
 */

/** What the server refused, and by which status. */
export class Problem extends Error {
  /** @param {number} status @param {unknown} detail */
  constructor(status, detail) {
    const several = Array.isArray(detail) ? detail.map((one) => one.msg).join("; ") : null;
    const text = typeof detail === "string" ? detail : several;
    super(text ?? `The server answered ${status}; try again.`);
    this.status = status;
  }
}

/** @param {Response} response @returns {Promise<Response>} */
async function checked(response) {
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(response.status, body.detail);
}

/** @param {string} path @param {unknown} body @param {AbortSignal} [signal] */
async function post(path, body, signal) {
  const headers = { "content-type": "application/json" };
  const sent = { method: "POST", headers, body: JSON.stringify(body), signal };
  return checked(await fetch(path, sent));
}

/** @returns {Promise<Health>} */
export const health = async () => (await checked(await fetch("v1/health"))).json();

/**
 * Send a photo; waits and tries again while the server has too much to do.
 * @param {Blob} file @param {(part: number) => void} progress 0..1 of the upload
 * @returns {Promise<Photo>}
 */
export async function sendPhoto(file, progress) {
  for (;;) {
    const answer = await upload("v1/photos", "photo", file, progress);
    if (answer.status === 201) return answer.body;
    if (answer.status !== 429) throw new Problem(answer.status, answer.body?.detail);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** @param {Blob} file a color photo, or a palette's JSON @returns {Promise<Variant>} */
export async function readPalette(file) {
  const answer = await upload("v1/palettes", "file", file, () => {});
  if (answer.status !== 200) throw new Problem(answer.status, answer.body?.detail);
  return answer.body;
}

/**
 * @param {string} path @param {string} field @param {Blob} file
 * @param {(part: number) => void} progress @returns {Promise<{status: number, body: any}>}
 */
function upload(path, field, file, progress) {
  const form = new FormData();
  form.append(field, file, "upload"); // the file's own name stays here
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
    request.open("POST", path);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.loaded / Math.max(1, event.total));
    request.onload = () => resolve({ status: request.status, body: request.response });
    request.onerror = () => reject(new Error("The server does not answer; is it still running?"));
    request.send(form);
  });
}

/** @param {string} id @returns {Promise<Blob>} */
export const gray = async (id) => (await checked(await fetch(`v1/photos/${id}/gray`))).blob();

/**
 * @param {string} id
 * @param {Recipe} recipe
 * @param {{size?: string, format?: string | null, strip_metadata?: boolean, measure?: boolean}} how
 * @param {AbortSignal} [signal]
 * @returns {Promise<Rendered>}
 */
export async function render(id, recipe, how, signal) {
  const response = await post(`v1/photos/${id}/render`, { ...recipe, ...how }, signal);
  const reached = response.headers.get("x-tintype-reached");
  const colors = response.headers.get("x-tintype-colors");
  return {
    picture: await response.blob(),
    reached: reached === null ? null : Number(reached),
    colors: colors === null ? null : JSON.parse(colors).colors,
    timing: timings(response.headers.get("server-timing") ?? ""),
  };
}

/** @param {string} header @returns {Record<string, number>} milliseconds */
function timings(header) {
  const parts = [...header.matchAll(/(\w+);dur=([\d.]+)/g)];
  return Object.fromEntries(parts.map(([, name, value]) => [name, Number(value)]));
}

/** @param {string} id @param {Recipe} recipe @returns {Promise<Variant>} */
export const targetPalette = async (id, recipe) =>
  (await post(`v1/photos/${id}/palette`, recipe)).json();

/**
 * @param {Recipe | Record<string, any>} recipe or what a recipe's file holds, of any version
 * @returns {Promise<Record<string, any>>} a recipe's file
 */
export const completeRecipe = async (recipe) => (await post("v1/recipes", recipe)).json();

/** @param {string} id */
export const forget = (id) => fetch(`v1/photos/${id}`, { method: "DELETE" });
