// The film strip: every open photo as it is colored now, and a dot on those that were edited.

import { the } from "./page.js";

/** @typedef {import("./state/session.js").Session} Session */
/** @typedef {import("./state/open_photo.js").OpenPhoto} OpenPhoto */

/** @param {Session} session */
export function showFilm(session) {
  const film = the("photos", HTMLDivElement);
  /** @type {Map<OpenPhoto, HTMLButtonElement>} */ const tabs = new Map();
  const draw = () => {
    for (const [one, tab] of tabs) {
      if (session.photos.includes(one)) continue;
      tab.remove();
      tabs.delete(one);
    }
    for (const one of session.photos) {
      const tab = tabs.get(one) ?? tile(one.name, () => session.show(one));
      tabs.set(one, tab);
      film.append(tab);
      showPicture(tab, one.thumbnail);
      tab.classList.toggle("edited", one.isEdited);
      tab.setAttribute("aria-pressed", String(one === session.open));
    }
    document.body.classList.toggle("empty", !session.photos.length);
  };
  session.on("photos", draw);
  session.on("open", draw);
}

/**
 * A small picture to press.
 * @param {string} name @param {() => void} act
 */
export function tile(name, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.title = name;
  element.setAttribute("aria-label", name);
  const image = new Image();
  image.alt = "";
  element.append(image);
  element.addEventListener("click", act);
  return element;
}

/** @type {WeakMap<HTMLImageElement, Blob>} */ const shown = new WeakMap();

/** @param {HTMLElement} element a tile @param {Blob | null} picture */
export function showPicture(element, picture) {
  const image = element.querySelector("img");
  if (!image || !picture || shown.get(image) === picture) return;
  shown.set(image, picture);
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
}
