// Photographs to begin with, on the empty page: one click opens one as if it was dropped. Where the
// model is in the browser, they show what it does: they are colored there, while nothing else is.

import { tile } from "../film.js";
import { the } from "../page.js";
import { recipeOf, unedited } from "../state/choice.js";
import { t } from "../text.js";

/** @typedef {import("../engine/local.js").LocalEngine} LocalEngine */

/** @type {[string, import("../text.js").Key][]} */
const SAMPLES = [
  ["astronaut.jpg", "sample-astronaut"], ["chelsea.jpg", "sample-cat"], ["rocket.jpg", "sample-rocket"],
];

/** @param {string} name @returns {Promise<File>} */
async function fetchSample(name) {
  const picture = await (await fetch(`samples/${name}`)).blob();
  return new File([picture], name, { type: picture.type });
}

/** @param {import("../state/session.js").Session} session */
export function showSamples(session) {
  the("samples", HTMLDivElement).append(...SAMPLES.map(([name, key]) => {
    const element = tile(t(key), () => session.try(async () => session.add([await fetchSample(name)])));
    const image = /** @type {HTMLImageElement} */ (element.firstElementChild);
    image.src = `samples/${name}`;
    return element;
  }));
}

/**
 * Color them by the model, once it is loaded, for as long as nobody brings a photo.
 * @param {import("../state/session.js").Session} session @param {LocalEngine} engine
 */
export async function colorSamples(session, engine) {
  const words = the("try", HTMLParagraphElement);
  await engine.load((_, said) => (words.textContent = said ?? t("try-sample")));
  const tiles = the("samples", HTMLDivElement).children;
  for (const [k, [name]] of SAMPLES.entries()) {
    if (session.photos.length) return;
    const photo = await engine.open(await fetchSample(name), () => {});
    const image = new Image();
    image.className = "colored";
    image.alt = "";
    image.src = URL.createObjectURL(await engine.thumbnail(photo, recipeOf(unedited(photo))));
    await image.decode();
    tiles[k].append(image);
    await engine.close(photo);
  }
}
