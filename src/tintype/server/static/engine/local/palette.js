// Palettes: which colors a photo has, how much of each, and their edits, as Python's palette.py.

import { bins, chromaOf, directionOf, hasHue, hexAt, hueOf, rgbOf } from "./bins.js";
import { fromOklab, toHex, toOklab, toneWeights } from "./color.js";
import { earthMover } from "./emd.js";
import { readChanges, readColors, readList, readTones } from "./palette_json.js";
import { refuse, shared } from "./shared.js";

/** @typedef {import("../engine.js").Group} Group */
/** @typedef {import("../engine.js").Listed} Listed */
/** @typedef {import("../engine.js").PaletteFile} PaletteFile */
/** @typedef {Float64Array<ArrayBuffer>} Shares (bins.count,), not negative */
/**
 * @typedef {object} Parts of a palette
 * @property {Shares} shares which are scaled to sum to 1
 * @property {number[]} [banned] hues in degrees that must not appear
 * @property {Shares[] | null} [tones] of shadows, midtones, highlights; all 0 for the palette's own
 * @property {boolean} [bansGray]
 */

const sum = (/** @type {Shares} */ shares) => shares.reduce((all, share) => all + share, 0);
const newShares = () => new Float64Array(bins().count);

export class Palette {
  /** @param {Parts} parts */
  constructor({ shares, banned = [], tones = null, bansGray = false }) {
    const all = sum(check(shares));
    if (!(all > 0)) refuse("expected some shares above 0, found none");
    this.shares = shares.map((share) => share / all);
    this.banned = banned;
    this.bansGray = bansGray;
    this.tones = tones && tones.map((tone) => {
      const whole = sum(check(tone));
      return whole > 0 ? tone.map((share) => share / whole) : this.shares;
    });
    if (bansGray && this.forbidden.every(Boolean)) {
      refuse("expected some color to be left, found all banned, and gray; allow one");
    }
  }

  /**
   * The palette of chroma, by tone if luma comes.
   * @param {ArrayLike<number>} ab (n, 2) @param {ArrayLike<number> | null} [luma] (n,), 0..1
   */
  static ofChroma(ab, luma = null) {
    const shares = newShares();
    const tones = luma && shared.tones.names.map(newShares);
    for (let i = 0; i < ab.length / 2; i++) {
      const parts = luma && toneWeights(luma[i]);
      bins().encode(ab[2 * i], ab[2 * i + 1], (bin, weight) => {
        shares[bin] += weight;
        if (parts) tones?.forEach((tone, k) => (tone[bin] += weight * parts[k]));
      });
    }
    const whole = tones?.map((tone) => tone.map((part, k) => part + shared.tones.trace * shares[k]));
    return new Palette({ shares, tones: whole ?? null });
  }

  /** Read a palette's file; shares are scaled to sum to 1. @param {any} about */
  static fromJson(about) {
    if (typeof about !== "object" || about?.version !== 1) {
      refuse('expected a palette with "version": 1, found something else');
    }
    const shares = readColors(about);
    if (!(sum(shares) > 0)) refuse("expected at least one share above 0, found none");
    const banned = readList(about, "banned");
    const hues = banned.filter(hasHue).map(hueOf);
    return new Palette({
      shares, banned: hues, tones: readTones(about), bansGray: hues.length < banned.length,
    });
  }

  get byTone() {
    return this.tones ?? shared.tones.names.map(() => this.shares);
  }

  /** Whether it has no color but neutral, and that is not banned. */
  get isNeutral() {
    return !this.bansGray && sum(this.shares.slice(1)) < 1e-6;
  }

  /** @returns {boolean[]} (count,) bins that have, in part, a banned hue, and a banned gray's */
  get forbidden() {
    const width = shared.palette.ban_width + 180 / bins().hues;
    return Array.from(this.shares, (_, bin) => bin === 0
      ? this.bansGray : this.banned.some((hue) => bins().isNearHue(bin, hue, width)));
  }

  /** @param {number} degrees counter-clockwise */
  shiftHue(degrees) {
    if (!Number.isFinite(degrees)) refuse(`expected an angle in degrees, found ${degrees}`);
    return this.#each((shares) => bins().rotate(shares, degrees));
  }

  /**
   * Give a part of every color the hue of `color`; towards gray, none.
   * @param {string} color @param {number} amount 0..1
   */
  towards(color, amount = shared.palette.towards) {
    if (!(amount >= 0 && amount <= 1)) refuse(`expected an amount between 0 and 1, found ${amount}`);
    if (!hasHue(color)) return this.#each(makeMove(() => [0, 0], () => amount));
    const [x, y] = directionOf(hueOf(color));
    return this.#each(makeMove((bin) => {
      const chroma = bin ? Math.hypot(...bins().center(bin)) : bins().chromas[0];
      return [chroma * x, chroma * y];
    }, (bin) => (bin ? amount : amount / 2)));
  }

  /** @param {number} factor 0 is gray, 1 changes nothing; up to 10 */
  saturate(factor) {
    if (!(factor >= 0 && factor <= 10)) {
      refuse(`expected a saturation between 0 and 10, found ${factor}`);
    }
    return this.#each(makeMove((bin) => {
      const [a, b] = bins().center(bin);
      return [a * factor, b * factor];
    }, () => 1));
  }

  /** Forbid gray, or a color's hue; the rest fills in. @param {string} color */
  ban(color) {
    const palette = this.#with(hasHue(color)
      ? { banned: [...this.banned, hueOf(color)] } : { bansGray: true });
    const forbidden = palette.forbidden;
    const last = forbidden[0] ? bins().hues : 0;
    const spare = this.shares.map((_, bin) => Number(bin <= last && !forbidden[bin]));
    return palette.#each((shares) => {
      const rest = shares.map((share, bin) => (forbidden[bin] ? 0 : share));
      return sum(rest) >= 1e-9 ? rest : spare;
    });
  }

  /** The nearest palette that has nothing in some bins. @param {boolean[]} forbidden */
  nearestWithout(forbidden) {
    const shares = newShares();
    this.shares.forEach((share, bin) => {
      let [best, least] = [0, Infinity];
      forbidden.forEach((no, other) => {
        if (!no && gap(bin, other) < least) [best, least] = [other, gap(bin, other)];
      });
      shares[best] += share;
    });
    return new Palette({ shares });
  }

  /** Mix in one color. @param {string} color @param {number} share 0..1 */
  boost(color, share) {
    if (!(share >= 0 && share <= 1)) refuse(`expected a share between 0 and 1, found ${share}`);
    return this.blend(Palette.ofChroma(chromaOf(color)), share);
  }

  /**
   * Move, strengthen and resize groups of colors, all at once.
   * @param {{from: string, to: string, scale: number}[]} changes
   */
  recolor(changes) {
    const read = readChanges(changes);
    const found = Array.from(this.shares, (_, bin) => findChange(read, bin));
    const scale = found.map((change) => change?.scale ?? 1);
    if (!(this.shares.reduce((all, share, bin) => all + share * scale[bin], 0) > 0)) {
      refuse("expected some color to be left, found every scale to be 0");
    }
    const move = makeMove((bin) => {
      const [a, b] = bins().center(bin);
      const change = found[bin];
      if (!change) return [a, b];
      if (!bin) return change.to;
      const [x, y] = change.ratio;
      return [a * x - b * y, a * y + b * x];
    }, () => 1);
    return this.#each((shares) => move(shares.map((share, bin) => share * scale[bin])));
  }

  /**
   * (1 - amount) of this palette and `amount` of another one.
   * @param {Palette} other @param {number} amount 0..1
   */
  blend(other, amount) {
    if (!(amount >= 0 && amount <= 1)) refuse(`expected an amount between 0 and 1, found ${amount}`);
    const mix = (/** @type {Shares} */ mine, /** @type {Shares} */ theirs) =>
      mine.map((share, k) => (1 - amount) * share + amount * theirs[k]);
    const tones = this.tones || other.tones
      ? this.byTone.map((tone, k) => mix(tone, other.byTone[k])) : null;
    return new Palette({
      shares: mix(this.shares, other.shares), banned: [...this.banned, ...other.banned], tones,
      bansGray: this.bansGray || other.bansGray,
    });
  }

  /** The mean way, in OKLab chroma, that shares have to go. @param {Palette} other */
  distance(other) {
    const common = this.shares.map((share, k) => Math.min(share, other.shares[k]));
    return earthMover(this.shares.map((share, k) => share - common[k]),
      other.shares.map((share, k) => share - common[k]), gap);
  }

  /**
   * The colors, the largest first, that are not neutral, alike ones joined.
   * @param {number} most @returns {Group[]}
   */
  clusters(most) {
    const used = [...this.shares.keys()].filter((bin) => bin && this.shares[bin] > 0);
    const found = used.map((bin) => {
      const [r, g, b] = rgbOf(bins().hex(bin));
      return { lab: toOklab([r / 255, g / 255, b / 255]), share: this.shares[bin] };
    });
    while (found.length > 1) {
      const [one, other] = findPair(found, most);
      if (other < 0) break;
      const [x, y] = [found[one], found[other]];
      const both = x.share + y.share;
      const lab = x.lab.map((value, k) => (x.share * value + y.share * y.lab[k]) / both);
      found[one] = { lab: /** @type {import("./color.js").Three} */ (lab), share: both };
      found.splice(other, 1);
    }
    found.sort((x, y) => y.share - x.share);
    return found.map(({ lab, share }) => ({ color: toHex(fromOklab(...lab)), share }));
  }

  /** The groups that can be taken hold of, what is neutral last. @returns {Group[]} */
  get groups() {
    const found = this.clusters(shared.palette.groups).filter(({ color }) => hasHue(color));
    found.push({ color: bins().hex(0), share: this.shares[0] });
    return found.filter(({ share }) => share >= shared.palette.speck);
  }

  /** @param {boolean} [fine] with shares below 0.002, too @returns {PaletteFile} */
  toJson(fine = false) {
    const list = (/** @type {Shares} */ shares) => listColors(shares, fine);
    /** @type {PaletteFile} */
    const about = { version: 1, ...list(this.shares) };
    if (this.tones) {
      about.tones = Object.fromEntries(this.tones.map((tone, k) => [shared.tones.names[k], list(tone)]));
    }
    const banned = this.banned.map((hue) => {
      const [x, y] = directionOf(hue);
      return hexAt(0.1 * x, 0.1 * y);
    });
    if (this.bansGray) banned.push(bins().hex(0));
    return banned.length ? { ...about, banned } : about;
  }

  /** @param {(shares: Shares) => Shares} edit of the shares and of those of each tone */
  #each(edit) {
    return this.#with({ shares: edit(this.shares), tones: this.tones && this.tones.map(edit) });
  }

  /** @param {Partial<Parts>} parts */
  #with(parts) {
    const { shares, banned, tones, bansGray } = this;
    return new Palette({ shares, banned, tones, bansGray, ...parts });
  }
}

/** @param {Shares} shares @returns {Shares} */
function check(shares) {
  const { count } = bins();
  if (shares.length !== count) refuse(`expected ${count} shares of bins, found ${shares.length}`);
  if (!shares.every((share) => Number.isFinite(share) && share >= 0)) {
    refuse("expected shares that are finite and not negative, found others");
  }
  return shares;
}

/** @param {number} one bin @param {number} other @returns {number} OKLab distance */
function gap(one, other) {
  const { centers } = bins();
  return Math.hypot(centers[2 * one] - centers[2 * other], centers[2 * one + 1] - centers[2 * other + 1]);
}

/**
 * What sends a part of every bin to a color.
 * @param {(bin: number) => import("./color.js").Two} aim @param {(bin: number) => number} part
 * @returns {(shares: Shares) => Shares}
 */
function makeMove(aim, part) {
  return (shares) => {
    const moved = shares.map((share, bin) => share - share * part(bin));
    shares.forEach((share, bin) => bins().encode(...aim(bin), (to, weight) =>
      (moved[to] += weight * (share * part(bin)))));
    return moved.map((share) => Math.max(0, share)); // rounding may leave -1e-17
  };
}

/**
 * The change that a bin belongs to: of the nearest `from` within 60 degrees of its hue.
 * @param {import("./palette_json.js").Change[]} changes @param {number} bin
 */
function findChange(changes, bin) {
  const [a, b] = bins().center(bin);
  let [best, least] = [/** @type {import("./palette_json.js").Change | null} */ (null), Infinity];
  for (const change of changes) {
    const [x, y] = change.from;
    const alike = bin ? a * x + b * y > 0.5 * Math.hypot(a * x + b * y, b * x - a * y) : !x && !y;
    const away = Math.hypot(a - x, b - y);
    if (alike && away < least) [best, least] = [change, away];
  }
  return best;
}

/**
 * The two whose union blurs least (Ward 1963); none, -1, if few are left and those differ.
 * @param {{lab: number[], share: number}[]} found @param {number} most @returns {[number, number]}
 */
function findPair(found, most) {
  /** @type {[number, number]} */
  let best = [-1, -1];
  let least = Infinity;
  found.forEach((x, one) => {
    for (let other = one + 1; other < found.length; other++) {
      const y = found[other];
      const away = Math.hypot(x.lab[1] - y.lab[1], x.lab[2] - y.lab[2]);
      if (found.length <= most && away > shared.palette.alike) continue;
      const blur = away ** 2 * ((x.share * y.share) / (x.share + y.share));
      if (blur < least) [best, least] = [[one, other], blur];
    }
  });
  return best;
}

/** @param {Shares} shares @param {boolean} fine @returns {Listed} */
function listColors(shares, fine) {
  const [least, digits] = fine ? [0.00005, 6] : [0.002, 4];
  const cut = (/** @type {number} */ share) => Number(share.toFixed(digits));
  const order = [...shares.keys()].filter((bin) => bin && shares[bin] >= least)
    .sort((one, other) => shares[other] - shares[one]);
  return {
    colors: order.map((bin) => ({ color: bins().hex(bin), share: cut(shares[bin]) })),
    neutral: cut(shares[0]),
  };
}
