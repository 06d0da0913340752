// Photographs to begin with, on the empty page: one click opens one as if it was dropped.

import { tile } from "../film.js";
import { the } from "../page.js";
import { t } from "../text.js";

/** @type {[string, import("../text.js").Key][]} */
const SAMPLES = [
  ["astronaut.jpg", "sample-astronaut"], ["chelsea.jpg", "sample-cat"], ["rocket.jpg", "sample-rocket"],
];

/** @param {import("../state/session.js").Session} session */
export function showSamples(session) {
  the("samples", HTMLDivElement).append(...SAMPLES.map(([name, key]) => {
    const element = tile(t(key), () => session.try(async () => {
      const picture = await (await fetch(`samples/${name}`)).blob();
      session.add([new File([picture], name, { type: picture.type })]);
    }));
    const image = /** @type {HTMLImageElement} */ (element.firstElementChild);
    image.src = `samples/${name}`;
    return element;
  }));
}
