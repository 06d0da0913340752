// <palette-wheel>: hue around, chroma outward; the colors of a photo as spots that can be moved, in the
// middle to gray.
//
// Small dots are the colors that came out; spots are what is asked for; the puck in the middle
// draws all colors towards a hue.

import { chromaOf, hexOf, hueOf, isGray, magnitude, nameOf, polar, rgbOf } from "../color.js";
import { ADDED, amountOf, placed, reachOf, shown, toggled } from "../state/choice.js";
import { t } from "../text.js";

/** @typedef {import("../state/choice.js").Choice} Choice */
/** @typedef {import("../color.js").Chroma} Chroma */

const RADIUS = 100;
const EDGE = 0.24; // chroma at the rim
const BEND = 0.5; // most colors are muted: the middle gets more room
const LEAN = 16; // what is gray and was not lies so far from the middle, on the side it comes from
const PALEST = 0.02; // chroma of a spot that is not gray
const REACH = 82; // of the puck at full strength
const SVG = "http://www.w3.org/2000/svg";

/** @param {Chroma} chroma @returns {[number, number]} */
function place(chroma) {
  const r = RADIUS * Math.min(1, magnitude(chroma) / EDGE) ** BEND;
  const angle = (hueOf(chroma) * Math.PI) / 180;
  return [r * Math.cos(angle), -r * Math.sin(angle)];
}

/** Where a spot is drawn. @param {import("../state/choice.js").Spot} spot @param {Chroma} chroma as shown */
function placeSpot(spot, chroma) {
  if (!isGray(chroma)) return place(chroma);
  const from = chromaOf(spot.from ?? "#0000ff");
  if (isGray(from)) return [0, 0];
  const angle = (hueOf(from) * Math.PI) / 180;
  return [LEAN * Math.cos(angle), -LEAN * Math.sin(angle)];
}

/** @param {number} x @param {number} y @returns {Chroma} */
function chromaAt(x, y) {
  const part = Math.min(1, Math.hypot(x, y) / RADIUS);
  return polar((Math.atan2(-y, x) * 180) / Math.PI, EDGE * part ** (1 / BEND));
}

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
  #timer = 0; // until a hovered spot lights up
  #rest = 0; // until a turned mouse wheel counts as let go
  #until = 0; // when spots may light up again: not under a hand that has just let go
  #svg = make("svg", { viewBox: "-112 -112 224 224" });
  #dots = make("g", { class: "dots", "aria-hidden": "true" });
  #spots = make("g", { class: "spots" });
  #line = make("line", { class: "puck-line", x1: 0, y1: 0 });
  #puck = make("circle", { class: "puck", r: 8, tabindex: 0, role: "slider" });

  connectedCallback() {
    if (this.#svg.isConnected) return;
    const disc = this.#disc();
    const rings = [0.06, 0.12].map((chroma) =>
      make("circle", { class: "grid", r: place(polar(0, chroma))[0] }),
    );
    put(this.#puck, { "aria-label": t("towards"), "aria-valuemin": 0, "aria-valuemax": 100 });
    this.#svg.append(...rings, this.#dots, this.#spots, this.#line, this.#puck);
    this.append(disc, this.#svg);
    this.#listen();
  }

  /** @param {Choice} choice @param {number | null} selected */
  show(choice, selected) {
    this.#choice = structuredClone(choice);
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

  /** The plane itself, faint, with a vivid rim. */
  #disc() {
    const side = 360;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.setAttribute("aria-hidden", "true");
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const image = context.createImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      const x = (((i % side) + 0.5) / side - 0.5) * 224;
      const y = ((Math.floor(i / side) + 0.5) / side - 0.5) * 224;
      const r = Math.hypot(x, y);
      const chroma = chromaAt(x, y);
      const tame = Math.min(1, 0.13 / Math.max(1e-6, magnitude(chroma)));
      const rgb = rgbOf(0.72, { a: tame * chroma.a, b: tame * chroma.b });
      const rim = Math.min(1, Math.max(0, r - 102)) * Math.min(1, Math.max(0, 110.5 - r));
      const alpha = r <= 101 ? 0.3 * Math.min(1, 101 - r) : rim;
      image.data.set([...rgb.map((v) => 255 * Math.min(1, Math.max(0, v))), 255 * alpha], 4 * i);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  #draw() {
    const choice = this.#choice;
    if (!choice) return;
    const { hue, amount } = choice.towards ?? { hue: 0, amount: 0 };
    const angle = (hue * Math.PI) / 180;
    const reach = reachOf(amount), percent = Math.round(100 * reach);
    const [x, y] = [REACH * reach * Math.cos(angle), -REACH * reach * Math.sin(angle)];
    put(this.#line, { x2: x, y2: y });
    put(this.#puck, {
      cx: x, cy: y, "aria-valuenow": percent,
      "aria-valuetext": amount
        ? t("towards-value", { color: nameOf(polar(hue, 0.1)), percent }) : t("towards-none"),
      fill: amount ? hexOf(polar(hue, 0.12)) : "transparent",
    });
    while (this.#spots.children.length > choice.spots.length) this.#spots.lastChild?.remove();
    choice.spots.forEach((spot, i) => this.#drawSpot(spot, i, choice));
  }

  /** @param {import("../state/choice.js").Spot} spot @param {number} i @param {Choice} choice */
  #drawSpot(spot, i, choice) {
    let element = this.#spots.children[i];
    if (!element) {
      element = make("g", { class: "spot", tabindex: 0, role: "slider" });
      element.setAttribute("aria-describedby", "spot-help");
      element.append(make("circle"), make("path", { d: "M-5 -5L5 5M5 -5L-5 5" }));
      this.#spots.append(element);
    }
    const chroma = shown(spot, choice);
    const color = nameOf(chroma);
    const [x, y] = placeSpot(spot, chroma);
    const share = spot.from === null ? spot.scale : spot.share * spot.scale;
    const least = x || y ? 0 : 13; // so that it is seen around the puck
    const size = Math.min(15, Math.max(least, 4.5 + 16 * Math.sqrt(share)));
    put(/** @type {Element} */ (element.firstElementChild), { r: size, fill: hexOf(chroma) });
    put(element, {
      transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})`,
      "data-index": i, "aria-label": t("spot", { i: i + 1, color }),
      "aria-valuemin": 0, "aria-valuemax": 360, "aria-valuenow": Math.round(hueOf(chroma)),
      "aria-valuetext": spot.banned
        ? t("spot-banned", { color })
        : t("spot-value", {
          color, chroma: magnitude(chroma).toFixed(2), percent: Math.round(100 * share),
        }),
    });
    element.classList.toggle("banned", spot.banned);
    element.classList.toggle("selected", i === this.#selected);
  }

  // --- what a person does -----------------------------------------------------------------------

  #listen() {
    const svg = this.#svg;
    svg.addEventListener("pointerdown", (event) => this.#grab(/** @type {PointerEvent} */ (event)));
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
    else if (performance.now() > this.#until) this.#timer = setTimeout(() => this.#tell("hover", index), 300);
  }

  /** @param {string} name @param {unknown} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {boolean} done whether the hand has let go */
  #steer(done) {
    this.#light(null);
    this.#until = performance.now() + 200;
    this.#draw();
    this.#tell("steer", { choice: structuredClone(this.#choice), done });
  }

  /** @param {EventTarget | null} target @returns {number | null} */
  #indexOf(target) {
    const spot = target instanceof Element ? target.closest(".spot") : null;
    return spot ? Number(spot.getAttribute("data-index")) : null;
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  #point(event) {
    const box = this.#svg.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width - 0.5) * 224,
      ((event.clientY - box.top) / box.height - 0.5) * 224,
    ];
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (!this.#choice || event.button !== 0 || !event.isPrimary) return;
    const index = this.#indexOf(event.target);
    const ground = index === null && event.target !== this.#puck;
    if (!ground) this.#take(index);
    event.preventDefault();
    this.#svg.setPointerCapture(event.pointerId);
    const start = this.#point(event);
    const hand = new AbortController();
    let moved = false;
    /** @param {string} name @param {(event: PointerEvent) => void} act */
    const on = (name, act) =>
      this.#svg.addEventListener(name, (next) => {
        const pointer = /** @type {PointerEvent} */ (next);
        if (pointer.pointerId === event.pointerId) act(pointer);
      }, { signal: hand.signal });
    on("pointermove", (next) => {
      const point = this.#point(next);
      moved ||= Math.hypot(point[0] - start[0], point[1] - start[1]) > 1;
      if (!moved || ground) return;
      this.#drag(index, point);
      this.#steer(false);
    });
    on("pointerup", () => {
      if (ground && !moved) this.#add(start);
      else if (!ground && moved) this.#steer(true);
    });
    for (const name of ["pointerup", "pointercancel"]) on(name, () => hand.abort());
  }

  /** Take hold of a spot, or of the puck. @param {number | null} index */
  #take(index) {
    this.#light(null);
    const element = index === null ? this.#puck : this.#spots.children[index];
    /** @type {SVGElement} */ (element).focus({ preventScroll: true });
    this.#tell("choose", index);
  }

  /** @param {number | null} index null for the puck @param {[number, number]} point */
  #drag(index, [x, y]) {
    const choice = /** @type {Choice} */ (this.#choice);
    if (index === null) {
      const reach = round(Math.min(1, Math.hypot(x, y) / REACH), 2);
      const hue = ((Math.atan2(-y, x) * 180) / Math.PI + 360) % 360;
      choice.towards = reach < 0.04 ? null : { hue: Math.round(hue), amount: amountOf(reach) };
    } else {
      choice.spots[index].to = placed(chromaAt(x, y), choice);
    }
  }

  /** On bare ground: a new color. @param {[number, number]} point */
  #add([x, y]) {
    if (Math.hypot(x, y) > RADIUS) return;
    this.addColor(placed(chromaAt(x, y), /** @type {Choice} */ (this.#choice)));
  }

  /** @param {string} to #rrggbb */
  addColor(to) {
    const choice = /** @type {Choice} */ (this.#choice);
    choice.spots.push({ from: null, to, scale: ADDED, share: 1, banned: false });
    this.#steer(true);
    this.#tell("choose", choice.spots.length - 1);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const index = this.#indexOf(event.target);
    const choice = this.#choice;
    if (!choice || (index === null && event.target !== this.#puck)) return;
    const { key } = event;
    if (key === "Escape") return this.#tell("choose", null);
    if (!(index === null ? this.#pressPuck(key, choice) : this.#pressSpot(key, index))) return;
    event.preventDefault();
    this.#steer(true);
  }

  /** @param {string} key @param {Choice} choice @returns {boolean} */
  #pressPuck(key, choice) {
    const { hue, amount } = choice.towards ?? { hue: 30, amount: 0 };
    const turn = { ArrowLeft: 10, ArrowRight: -10 }[key] ?? 0;
    const more = { ArrowUp: 0.05, ArrowDown: -0.05 }[key] ?? 0;
    if (key === "Delete" || key === "Backspace") choice.towards = null;
    else if (!turn && !more) return false;
    else {
      const reach = round(Math.min(1, Math.max(0, reachOf(amount) + more)), 2);
      choice.towards = reach ? { hue: (hue + turn + 360) % 360, amount: amountOf(reach) } : null;
    }
    return true;
  }

  /** @param {string} key @param {number} index @returns {boolean} */
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

  /** @param {import("../state/choice.js").Spot} spot @param {number} factor */
  #resize(spot, factor) {
    const [least, most] = spot.from === null ? [0.01, 0.9] : [0.05, 20];
    spot.scale = round(Math.min(most, Math.max(least, spot.scale * factor)), 3);
  }
}

/**
 * Where a key brings a spot: below the palest is gray, and from there back to the hue it had.
 * @param {import("../state/choice.js").Spot} spot @param {Choice} choice
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

/** @param {number} value @param {number} digits */
const round = (value, digits) => Number(value.toFixed(digits));

customElements.define("palette-wheel", PaletteWheel);
