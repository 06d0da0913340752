// <palette-wheel>: hue around, chroma outward, gray in the middle; the colors of a photo as spots
// that can be moved.
//
// Small dots are the colors that came out; spots are what is asked for. A click on bare ground only
// shows what could be added there: the photo changes once that is clicked in turn.

import { chromaOf, hexOf, hueOf, isGray, magnitude, nameOf, NEUTRAL, polar } from "../color.js";
import { ADDED, placed, shown, toggled } from "../state/choice.js";
import { t } from "../text.js";
import { chromaAt, drawDisc, gap, place, placeSpot, RADIUS, SIDE } from "./plane.js";

/** @typedef {import("../state/choice.js").Choice} Choice */
/** @typedef {import("../state/choice.js").Spot} Spot */
/** @typedef {import("../color.js").Chroma} Chroma */
/** @typedef {import("./plane.js").Point} Point */

const PALEST = 0.02; // chroma of a spot that is not gray
const FINGER = 22; // pixels around a spot's center in which a finger takes hold of it
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string | number>} attributes */
function make(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  put(element, attributes);
  return element;
}

/** @param {Element} element @param {Record<string, string | number>} attributes */
function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

export class PaletteWheel extends HTMLElement {
  /** @type {Choice | null} */ #choice = null;
  /** @type {number | null} */ #selected = null;
  /** @type {Chroma | null} */ #offer = null; // what a click or a key would add
  #timer = 0; // until a hovered spot lights up
  #rest = 0; // until a turned mouse wheel counts as let go
  /** @type {AbortController | null} */ #hand = null; // the last that took hold of something
  #until = 0; // when spots may light up again: not under a hand that has just let go
  #svg = make("svg", {
    viewBox: `${-SIDE / 2} ${-SIDE / 2} ${SIDE} ${SIDE}`, tabindex: -1, // its spots are where tab stops
  });
  #dots = make("g", { class: "dots", "aria-hidden": "true" });
  #spots = make("g", { class: "spots" });
  #plus = make("g", { class: "offer", tabindex: 0, role: "button", visibility: "hidden" });

  connectedCallback() {
    if (this.#svg.isConnected) return;
    const rings = [0.06, 0.12].map((chroma) =>
      make("circle", { class: "grid", r: place(polar(0, chroma))[0] }));
    const middle = make("circle", { class: "neutral", r: place(polar(0, 0.01))[0] });
    this.#plus.append(make("circle", { r: 9 }), make("path", { d: "M-4 0H4M0 -4V4" }));
    this.#svg.append(...rings, middle, this.#dots, this.#spots, this.#plus);
    this.append(drawDisc(), this.#svg);
    this.#listen();
  }

  /** @param {Choice} choice @param {number | null} selected */
  show(choice, selected) {
    const held = this.#choice && JSON.stringify(this.#choice.spots);
    if (held !== JSON.stringify(choice.spots)) this.#letGo(); // these are not what the hand has made
    this.#choice = { ...choice, spots: structuredClone(choice.spots) };
    if (selected !== null && selected !== this.#selected) this.offer(null);
    this.#selected = selected;
    this.#draw();
  }

  /** @param {import("../engine/engine.js").Group[]} colors what came out */
  showColors(colors) {
    const dots = colors.map(({ color, share }) => {
      const [cx, cy] = place(chromaOf(color));
      return make("circle", { cx, cy, r: 1 + 9 * Math.sqrt(share), fill: color });
    });
    this.#dots.replaceChildren(...dots);
  }

  /** Show a color that can be added, without adding it. @param {Chroma | null} chroma */
  offer(chroma) {
    this.#offer = chroma;
    put(this.#plus, { visibility: chroma ? "visible" : "hidden", tabindex: chroma ? 0 : -1 });
    if (!chroma) return;
    const [x, y] = isGray(chroma) ? [0, 0] : place(chroma);
    put(this.#plus, {
      transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})`,
      "aria-label": t("add-color-named", { color: nameOf(chroma) }),
    });
    put(/** @type {Element} */ (this.#plus.firstElementChild), { fill: hexOf(chroma) });
  }

  /** @param {string} to #rrggbb */
  addColor(to) {
    const choice = /** @type {Choice} */ (this.#choice);
    choice.spots.push({ from: null, to, scale: ADDED, share: 1, banned: false });
    this.offer(null);
    this.#steer(true);
    this.#take(choice.spots.length - 1);
  }

  #draw() {
    const choice = this.#choice;
    if (!choice) return;
    while (this.#spots.children.length > choice.spots.length) this.#spots.lastChild?.remove();
    choice.spots.forEach((spot, i) => this.#drawSpot(spot, i, choice));
  }

  /** @param {Spot} spot @param {number} i @param {Choice} choice */
  #drawSpot(spot, i, choice) {
    let element = this.#spots.children[i];
    if (!element) {
      element = make("g", { class: "spot", tabindex: 0, role: "slider" });
      element.setAttribute("aria-describedby", "spot-help");
      for (const name of ["hit", "body", "chosen", "focus"]) {
        element.append(make("circle", { class: name }));
      }
      element.append(make("path", { d: "M-5 -5L5 5M5 -5L-5 5" }));
      this.#spots.append(element);
    }
    const chroma = shown(spot, choice);
    const [x, y] = placeSpot(spot, chroma);
    const size = sizeOf(spot);
    const radii = [this.#grasp(size), size, size + 3, size + 6];
    radii.forEach((r, k) => put(element.children[k], { r }));
    put(element.children[1], { fill: hexOf(chroma) });
    put(element, {
      transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})`,
      "data-index": i, "aria-label": t("spot", { i: i + 1, color: nameOf(chroma) }),
      "aria-valuemin": 0, "aria-valuemax": 360, "aria-valuenow": Math.round(hueOf(chroma)),
      "aria-valuetext": spot.banned
        ? t("spot-banned", { color: nameOf(chroma) })
        : t("spot-value", {
          color: nameOf(chroma), chroma: magnitude(chroma).toFixed(2),
          percent: Math.round(100 * shareOf(spot)),
        }),
    });
    element.classList.toggle("banned", spot.banned);
    element.classList.toggle("selected", i === this.#selected);
  }

  // --- what a person does -----------------------------------------------------------------------

  #listen() {
    const svg = this.#svg;
    svg.addEventListener("pointerdown", (event) => this.#grab(/** @type {PointerEvent} */ (event)));
    svg.addEventListener("touchstart", (event) => {
      const { touches } = /** @type {TouchEvent} */ (event);
      if (this.#choice && this.#near(this.#point(touches[0])).length) event.preventDefault();
    }, { passive: false }); // a spot moves and the page does not: touch-action is not for parts of an SVG
    svg.addEventListener("keydown", (event) => this.#press(/** @type {KeyboardEvent} */ (event)));
    svg.addEventListener("wheel", (event) => this.#scroll(/** @type {WheelEvent} */ (event)), {
      passive: false,
    });
    for (const [name, on] of /** @type {[string, boolean][]} */ ([
      ["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false],
    ])) {
      svg.addEventListener(name, (event) => {
        const index = on ? this.#indexOf(event.target) : null;
        this.#light(index);
        if (name === "focusin" && index !== null) this.#tell("choose", index);
      });
    }
  }

  /** A spot's pixels light up once it is hovered for a moment. @param {number | null} index */
  #light(index) {
    clearTimeout(this.#timer);
    if (index === null) this.#tell("hover", null);
    else if (performance.now() > this.#until) {
      this.#timer = setTimeout(() => this.#tell("hover", index), 300);
    }
  }

  /** @param {string} name @param {unknown} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {boolean} done whether the hand has let go */
  #steer(done) {
    const choice = /** @type {Choice} */ (this.#choice);
    this.#light(null);
    this.#until = performance.now() + 200;
    this.#draw();
    this.#tell("steer", { spots: structuredClone(choice.spots), done });
  }

  /** @param {EventTarget | null} target @returns {number | null} */
  #indexOf(target) {
    const spot = target instanceof Element ? target.closest(".spot") : null;
    return spot ? Number(spot.getAttribute("data-index")) : null;
  }

  /** @param {MouseEvent | Touch} event @returns {Point} */
  #point(event) {
    const box = this.#svg.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width - 0.5) * SIDE,
      ((event.clientY - box.top) / box.height - 0.5) * SIDE,
    ];
  }

  /** How far from its center a spot is taken hold of. @param {number} size its radius */
  #grasp(size) {
    const coarse = matchMedia("(pointer: coarse)").matches;
    return Math.max(size, coarse ? (FINGER * SIDE) / (this.clientWidth || 300) : 7);
  }

  /** The spots under a point, the nearest first. @param {Point} point @returns {number[]} */
  #near(point) {
    const choice = /** @type {Choice} */ (this.#choice);
    const gaps = choice.spots.map((spot) => gap(point, placeSpot(spot, shown(spot, choice))));
    return [...gaps.keys()]
      .filter((i) => gaps[i] <= this.#grasp(sizeOf(choice.spots[i])))
      .sort((a, b) => gaps[a] - gaps[b]);
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    const choice = this.#choice;
    if (!choice || event.button !== 0 || !event.isPrimary) return;
    const start = this.#point(event);
    const near = this.#near(start);
    const again = this.#selected !== null && near.includes(this.#selected);
    const index = again ? /** @type {number} */ (this.#selected) : (near[0] ?? null);
    if (index !== null) this.#take(index);
    event.preventDefault();
    this.#svg.setPointerCapture(event.pointerId);
    const from = index === null ? start : placeSpot(choice.spots[index], shown(choice.spots[index], choice));
    let moved = false;
    this.#follow(event.pointerId, (next) => {
      const [x, y] = this.#point(next);
      moved ||= gap([x, y], start) > 2;
      if (!moved || index === null) return;
      this.#drag(index, [from[0] + x - start[0], from[1] + y - start[1]]);
      this.#steer(false);
    }, () => {
      if (index === null) return moved ? undefined : this.#ground(start);
      if (moved) this.#steer(true);
      else if (again) this.#take(following(near, index));
    }, () => moved && index !== null && this.#tell("cancel", index));
  }

  /**
   * Follow a pointer until it lets go, or is taken away.
   * @param {number} id @param {(event: PointerEvent) => void} move
   * @param {() => void} end @param {() => void} cancel
   */
  #follow(id, move, end, cancel) {
    this.#hand?.abort();
    const hand = (this.#hand = new AbortController());
    for (const name of ["pointermove", "pointerup", "pointercancel"]) {
      this.#svg.addEventListener(name, (event) => {
        const pointer = /** @type {PointerEvent} */ (event);
        if (pointer.pointerId !== id) return;
        if (name === "pointermove") return move(pointer);
        hand.abort();
        if (name === "pointerup") end();
        else cancel();
      }, { signal: hand.signal });
    }
  }

  /** Follow the hand no longer: what it held is not there any more. */
  #letGo() {
    this.#hand?.abort();
    clearTimeout(this.#rest);
  }

  /** Take hold of a spot. @param {number} index */
  #take(index) {
    this.#light(null);
    this.#until = performance.now() + 200;
    /** @type {SVGElement} */ (this.#spots.children[index]).focus({ preventScroll: true });
    this.#tell("choose", index);
  }

  /** @param {number} index @param {Point} point */
  #drag(index, point) {
    const choice = /** @type {Choice} */ (this.#choice);
    choice.spots[index].to = placed(chromaAt(point), choice);
  }

  /** A click where no spot is: offer what lies there, or add what is offered. @param {Point} point */
  #ground(point) {
    const offered = this.#offer && gap(point, isGray(this.#offer) ? [0, 0] : place(this.#offer)) < 14;
    if (offered) return this.#accept();
    this.#tell("choose", null);
    const chroma = chromaAt(point);
    this.offer(gap(point, [0, 0]) > RADIUS ? null : isGray(chroma) ? NEUTRAL : chroma);
    if (this.#offer) /** @type {SVGElement} */ (this.#plus).focus({ preventScroll: true });
  }

  #accept() {
    if (!this.#offer || !this.#choice) return;
    this.addColor(placed(this.#offer, this.#choice));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const index = this.#indexOf(event.target);
    const { key } = event;
    if (!this.#choice) return;
    if (key === "Escape") {
      this.offer(null);
      return this.#tell("choose", null);
    }
    if (index === null) {
      if (key !== "Enter" && key !== " ") return;
      event.preventDefault();
      return this.#accept();
    }
    if (!this.#pressSpot(key, index)) return;
    event.preventDefault();
    this.#steer(true);
  }

  /** @param {string} key @param {number} index @returns {boolean} whether it does anything */
  #pressSpot(key, index) {
    const choice = /** @type {Choice} */ (this.#choice);
    const spot = choice.spots[index];
    const turn = { ArrowLeft: 6, ArrowRight: -6 }[key] ?? 0;
    const more = { ArrowUp: 0.01, ArrowDown: -0.01 }[key] ?? 0;
    const grow = { "+": 1.2, "=": 1.2, "-": 1 / 1.2 }[key] ?? 1;
    if (key === "Delete" || key === "Backspace") choice.spots = toggled(choice.spots, index);
    else if (turn || more) {
      spot.to = placed(stepFrom(spot, choice, turn, more), choice);
    } else if (grow !== 1) this.#resize(spot, grow);
    else return false;
    return true;
  }

  /** Resize the chosen spot; the others let the page scroll. @param {WheelEvent} event */
  #scroll(event) {
    const index = this.#indexOf(event.target);
    if (index === null || index !== this.#selected || !this.#choice) return;
    event.preventDefault();
    this.#resize(this.#choice.spots[index], event.deltaY < 0 ? 1.15 : 1 / 1.15);
    this.#steer(false);
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#steer(true), 300);
  }

  /** @param {Spot} spot @param {number} factor */
  #resize(spot, factor) {
    const [least, most] = spot.from === null ? [0.01, 0.9] : [0.05, 20];
    spot.scale = Number(Math.min(most, Math.max(least, spot.scale * factor)).toFixed(3));
  }
}

/** The share of the photo that is asked for. @param {Spot} spot */
const shareOf = (spot) => (spot.from === null ? spot.scale : spot.share * spot.scale);

/** @param {Spot} spot @returns {number} radius */
const sizeOf = (spot) => Math.min(15, 4.5 + 16 * Math.sqrt(shareOf(spot)));

/** What lies under a spot, and under all of them the first. @param {number[]} near @param {number} index */
function following(near, index) {
  const order = [...near].sort((a, b) => a - b);
  return order[(order.indexOf(index) + 1) % order.length];
}

/**
 * Where a key brings a spot: below the palest is gray, and from there back to the hue it had.
 * @param {Spot} spot @param {Choice} choice
 * @param {number} turn degrees @param {number} more chroma
 */
function stepFrom(spot, choice, turn, more) {
  const seen = shown(spot, choice);
  if (isGray(seen)) {
    const from = chromaOf(spot.from ?? "#808080");
    const hue = isGray(from) ? 30 : hueOf(from) + choice.turn;
    return polar(hue, more > 0 ? PALEST : 0);
  }
  const strength = magnitude(seen);
  const gone = more < 0 && strength < 1.1 * PALEST;
  return polar(hueOf(seen) + turn, gone ? 0 : Math.max(PALEST, strength + more));
}

customElements.define("palette-wheel", PaletteWheel);
