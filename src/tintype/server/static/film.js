// The film strip: every open photo as it is colored now, a dot on those that were edited. Several can
// be chosen: by Ctrl or Shift and a click, or by keys as in other lists.

import { the } from "./page.js";
import { isPlain } from "./state/choice.js";
import { t } from "./text.js";

/** @typedef {import("./state/session.js").Session} Session */
/** @typedef {import("./state/open_photo.js").OpenPhoto} OpenPhoto */

/** @typedef {{ctrl: boolean, shift: boolean}} Held keys beside a click or another key */

export class Film {
  /** Those that are chosen; the open one is among them. @type {Set<OpenPhoto>} */ chosen = new Set();
  /** Whether a click chooses one more without a key. */ several = false;
  /** @type {OpenPhoto | null} */ #anchor = null; // where a range begins
  /** @type {OpenPhoto | null} */ #at = null; // that the keys are on
  /** @type {Map<OpenPhoto, HTMLButtonElement>} */ #tiles = new Map();
  #element = the("photos", HTMLDivElement);

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.#element.addEventListener("keydown", (event) => this.#press(event));
    session.on("photos", () => this.draw());
    session.on("choice", () => this.#mark());
    session.on("open", () => this.#open());
  }

  /** Those that are chosen, in their order. @returns {OpenPhoto[]} */
  get list() {
    return this.session.photos.filter((one) => this.chosen.has(one));
  }

  /** @param {Iterable<OpenPhoto>} photos */
  choose(photos) {
    this.chosen = new Set(photos);
    this.draw();
  }

  /** Another photo is looked at: it alone is chosen, unless it already was. */
  #open() {
    const { open } = this.session;
    if (!open || !this.chosen.has(open)) this.chosen = new Set(open && [open]);
    if (open) [this.#anchor, this.#at] = [open, open];
    this.draw();
    this.#scroll(open);
  }

  draw() {
    const { photos, open } = this.session;
    for (const [one, element] of this.#tiles) {
      if (photos.includes(one)) continue;
      element.remove();
      this.#tiles.delete(one);
      this.chosen.delete(one);
    }
    if (!this.#at || !photos.includes(this.#at)) this.#at = open;
    for (const [i, one] of photos.entries()) {
      const element = this.#tiles.get(one) ?? this.#create(one);
      if (this.#element.children[i] !== element) {
        this.#element.insertBefore(element, this.#element.children[i] ?? null);
      }
      this.#show(one, element);
    }
    this.#element.classList.toggle("many", this.chosen.size > 1);
    document.body.classList.toggle("empty", !photos.length);
    this.session.tell("chosen");
  }

  /** Show what was done to the open one. */
  #mark() {
    const { open } = this.session;
    const element = open && this.#tiles.get(open);
    if (element) this.#show(open, element);
  }

  /** @param {OpenPhoto} one */
  #create(one) {
    const element = tile(one.name, () => {});
    element.setAttribute("role", "option");
    element.dataset.open = t("open-mark");
    element.addEventListener("click", (event) =>
      this.#click(one, { ctrl: event.ctrlKey || event.metaKey || this.several, shift: event.shiftKey }));
    element.addEventListener("focus", () => {
      this.#at = one;
      for (const [other, each] of this.#tiles) each.tabIndex = other === one ? 0 : -1;
    });
    this.#tiles.set(one, element);
    return element;
  }

  /** @param {OpenPhoto} one @param {HTMLElement} element */
  #show(one, element) {
    const edited = Boolean(one.choice && !isPlain(one.choice));
    const name = edited ? t("edited", { name: one.name }) : one.name;
    showPicture(element, one.thumbnail);
    element.classList.toggle("edited", edited);
    element.setAttribute("aria-label", name);
    element.title = name;
    element.setAttribute("aria-selected", String(this.chosen.has(one)));
    element.setAttribute("aria-current", String(one === this.session.open));
    element.tabIndex = one === this.#at ? 0 : -1;
  }

  /** @param {OpenPhoto} one @param {Held} held */
  #click(one, { ctrl, shift }) {
    this.#at = one;
    if (shift) return this.choose([...(ctrl ? this.chosen : []), ...this.#rangeTo(one)]);
    this.#anchor = one;
    if (ctrl) return this.#toggle(one);
    this.chosen = new Set([one]);
    if (one !== this.session.open) this.session.show(one);
    else this.draw();
  }

  /** Choose one more, or one less; what is looked at stays chosen. @param {OpenPhoto} one */
  #toggle(one) {
    const rest = new Set(this.chosen);
    if (!rest.delete(one)) rest.add(one);
    if (!rest.size) return;
    this.choose(rest);
    if (this.session.open && !rest.has(this.session.open)) this.session.show([...rest][0]);
  }

  /** All from where a range begins. @param {OpenPhoto} one */
  #rangeTo(one) {
    const { photos, open } = this.session;
    const ends = [photos.indexOf(this.#anchor ?? open ?? one), photos.indexOf(one)];
    return photos.slice(Math.max(0, Math.min(...ends)), Math.max(...ends) + 1);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { photos } = this.session;
    const { key, shiftKey: shift } = event;
    const ctrl = event.ctrlKey || event.metaKey;
    const at = this.#at ? photos.indexOf(this.#at) : 0;
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: photos.length - 1 };
    if (key in steps) {
      const one = photos[Math.min(photos.length - 1, Math.max(0, steps[key]))];
      if (ctrl) this.#at = one;
      else this.#click(one, { ctrl: false, shift });
      this.draw();
      this.#tiles.get(one)?.focus();
      this.#scroll(one);
    } else if (key === " " && this.#at) {
      this.#click(this.#at, { ctrl: true, shift });
    } else if (key === "Enter" && this.#at) {
      this.#click(this.#at, { ctrl: false, shift: false });
    } else if (ctrl && key.toLowerCase() === "a") {
      this.choose(photos);
    } else if (key === "Escape" && this.session.open && this.chosen.size > 1) {
      this.choose([this.session.open]);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {OpenPhoto | null} one */
  #scroll(one) {
    const element = one && this.#tiles.get(one);
    if (!element) return;
    const { offsetLeft, offsetWidth } = element;
    this.#element.scrollTo({ left: offsetLeft + (offsetWidth - this.#element.clientWidth) / 2 });
  }
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
