// The photos that were sent: kept, sent again where the server has forgotten them, and closed.

import * as api from "./api.js";
import { History, recipeOf, unedited } from "./edits.js";

/**
 * @typedef {object} Open
 * @property {File} file
 * @property {string} name
 * @property {api.Photo} photo what the server says of it
 * @property {ImageBitmap} before the preview in gray
 * @property {History} history
 * @property {string[]} thumbnails addresses: automatic, then the four variants
 */

/**
 * @param {File} file @param {(part: number) => void} progress 0..1 of the upload
 * @returns {Promise<Open>}
 */
export async function send(file, progress) {
  const photo = await api.sendPhoto(file, progress);
  const one = {
    file, photo, name: file.name || "pasted.png", history: new History(unedited(photo)),
    before: await createImageBitmap(await api.gray(photo.id)),
    thumbnails: /** @type {string[]} */ ([]),
  };
  one.thumbnails = [await thumbnail(one, 0)];
  return one;
}

/**
 * Ask something of a photo; if the server has forgotten it, send it again.
 * @template T
 * @param {Open} one @param {(id: string) => Promise<T>} ask @returns {Promise<T>}
 */
export async function asking(one, ask) {
  try {
    return await ask(one.photo.id);
  } catch (error) {
    if (!(error instanceof api.Problem) || error.status !== 404) throw error;
    one.photo = await api.sendPhoto(one.file, () => {});
    return ask(one.photo.id);
  }
}

/** The address of a small picture. @param {Open} one @param {number} alternative */
async function thumbnail(one, alternative) {
  const recipe = recipeOf(unedited(one.photo, { alternative }));
  const how = { size: "thumbnail", measure: false };
  const { picture } = await asking(one, (id) => api.render(id, recipe, how));
  return URL.createObjectURL(picture);
}

/** All five small pictures. @param {Open} one @returns {Promise<string[]>} */
export async function thumbnails(one) {
  while (one.thumbnails.length <= one.photo.alternatives.length) {
    one.thumbnails.push(await thumbnail(one, one.thumbnails.length));
  }
  return one.thumbnails;
}

/** Forget a photo, here and on the server. @param {Open} one */
export function close(one) {
  api.forget(one.photo.id);
  one.before.close();
  one.thumbnails.forEach((address) => URL.revokeObjectURL(address));
}
