// What the worker does for the page: photos, kept by their ids, and what is asked of them.

import { mixPixels } from "../../view/pixels.js";
import { Guide } from "../guide.js";
import { measureLuma } from "../luma.js";
import { resizeBytes } from "../resize.js";
import { pairShares } from "../layers.js";
import { beginAlbum } from "./album.js";
import { round } from "./color.js";
import { Colorizer } from "./colorizer.js";
import { checkEdits } from "./edits.js";
import { colorPhoto } from "./enlarge.js";
import { Palette } from "./palette.js";
import { isColorful, openPicture, readMask, readPixels, shrinkPicture, writeGray, writePicture } from "./picture.js";
import { packPlanes } from "./planes.js";
import { writePng } from "../../png.js";
import { locate } from "./pins.js";
import { applyRecipe, completeRecipe, readRecipe, withoutPins } from "./recipe.js";
import { makeRegion } from "./regions.js";
import { measureOutcomes } from "./outcomes.js";
import { measurePicture } from "./result.js";
import { Refusal, shared } from "./shared.js";

/** @typedef {import("../engine.js").Decoded} Decoded */
/** @typedef {import("../engine.js").How} How */
/** @typedef {import("../engine.js").Place} Place */
/** @typedef {import("../engine.js").Recipe} Recipe */
/** @typedef {import("../engine.js").Variant} Variant */
/** @typedef {import("../luma.js").Luma} Luma */
/** @typedef {import("./colorizer.js").Encoded} Encoded */
/** @typedef {{encoded: Encoded, small: Luma | null, format: string, guide: Guide | null}} Kept */

/** @type {Record<string, string>} */
const TYPES = { JPEG: "image/jpeg", PNG: "image/png", WEBP: "image/webp" };
const QUALITY = 0.95;

export class Service {
  /** @type {Map<string, Kept>} */ #photos = new Map();
  #count = 0;

  /** @param {import("./model.js").Model} model */
  constructor(model) {
    this.colorizer = new Colorizer(model, readMask);
  }

  /**
   * Encode a photo and keep it.
   * @param {Blob} file @param {number} pixels at most; a larger photo is shrunk
   * @returns {Promise<import("../engine.js").Photo>}
   */
  async open(file, pixels) {
    const picture = await openPicture(file);
    const { width, height } = picture;
    const { luma, colorful } = await readPhoto(picture, pixels);
    const shrunk = luma.width < width ? { width, height, most: pixels / 1e6 } : undefined;
    const { id, format, encoded } = await this.#keep(file, luma);
    const { encoding } = encoded;
    const [own, ...alternatives] = await Promise.all([encoding.palette, ...encoding.alternatives]
      .map((palette, alternative) => this.#showVariant(encoded, palette, blank(alternative))));
    return {
      id, width: luma.width, height: luma.height, planes: [encoding.h, encoding.w], format,
      alpha: luma.alpha !== null, colorful, shrunk, ...own, alternatives,
    };
  }

  /**
   * Encode and keep a photo that was opened before: whoever asks knows all of it but its name here.
   * @param {Blob} file @param {number} pixels as of `open`
   * @param {Luma | null} known the photo's, if the page has read it @returns {Promise<string>} the name
   */
  async resume(file, pixels, known) {
    const luma = known ?? (await readPhoto(await openPicture(file), pixels)).luma;
    return (await this.#keep(file, luma)).id;
  }

  /** @param {Blob} file @param {Luma} luma */
  async #keep(file, luma) {
    const encoded = await this.colorizer.encode(luma);
    const format = Object.keys(TYPES).find((name) => TYPES[name] === file.type) ?? await guessFormat(file);
    const id = `local-${++this.#count}`;
    this.#photos.set(id, { encoded, small: null, format, guide: null });
    return { id, format, encoded };
  }

  /** @param {string} id */
  has(id) {
    return this.#photos.has(id);
  }

  /** @param {string} id @param {Recipe} asked @param {boolean} measure @returns {Promise<Decoded>} */
  async decode(id, asked, measure) {
    const { encoded } = this.#find(id);
    const began = performance.now();
    const recipe = readRecipe(asked);
    const result = await this.colorizer.decode(encoded, recipe);
    const decoded = performance.now();
    const answers = measure ? measureOutcomes(recipe.edits, encoded.encoding.luma, result.chroma) : [];
    const planes = packPlanes(result);
    return {
      planes,
      colors: measure ? result.palette.toJson().colors : null,
      asked: answers.map((one) => ({ ...one, share: Number(one.share.toFixed(4)) })),
      timing: { decode: decoded - began, measure: performance.now() - decoded },
    };
  }

  /** @param {string} id @returns {Promise<Blob>} */
  luma(id) {
    const { luma, width, height } = this.#find(id).encoded.photo;
    return writeGray(luma, width, height);
  }

  /** @param {string} id @param {Recipe} asked @returns {Promise<Blob>} */
  async thumbnail(id, asked) {
    const kept = this.#find(id);
    const { encoded } = kept;
    const small = (kept.small ??= shrinkLuma(encoded.photo));
    const planes = packPlanes(await this.colorizer.decode(encoded, readRecipe(asked)));
    const { rg } = new Guide(small.luma, small.height, small.width).enlarge(planes);
    return writePicture(mixPixels(small.luma, rg, small.width, small.height), "image/jpeg", 0.9);
  }

  /** @param {string} id @param {Place} at @param {number | null} reach @returns {Promise<Blob>} */
  async region(id, at, reach) {
    const kept = this.#find(id);
    const { encoding, photo } = kept.encoded;
    const place = locate(at, [photo.width, photo.height]);
    const region = await makeRegion(this.colorizer.model, encoding, place, reach);
    const guide = this.#guide(kept);
    const [h, w] = [Math.min(encoding.h, guide.H), Math.min(encoding.w, guide.W)];
    const shares = { n: 1, h: encoding.h, w: encoding.w, data: Uint8Array.from(region, (share) => round(255 * share)) };
    const { data } = guide.pyramid(h, w).enlargeSparse(pairShares(shares, 0, h, w, "box"));
    const gray = Uint8Array.from(data, (pair) => pair & 0xffff);
    const [row, column] = [Math.trunc(place[1] * guide.H), Math.trunc(place[0] * guide.W)];
    for (let y = Math.max(0, row - 1); y < Math.min(guide.H, row + 2); y++) {
      for (let x = Math.max(0, column - 1); x < Math.min(guide.W, column + 2); x++) gray[y * guide.W + x] = 255;
    }
    return writeGray(gray, guide.W, guide.H);
  }

  /** @param {string} id @param {Place} at @param {Recipe} asked */
  suggest(id, at, asked) {
    return this.colorizer.suggest(this.#find(id).encoded, at, readRecipe(asked));
  }

  /**
   * The picture alone, to which the page adds what the photo's file says, and its complete recipe.
   * @param {string} id @param {Recipe} asked @param {How} how @param {() => boolean} isCanceled
   * @returns {Promise<{picture: Blob, recipe: Record<string, any>}>}
   */
  async save(id, asked, how, isCanceled) {
    const kept = this.#find(id);
    const format = how.format ?? kept.format;
    const type = TYPES[format];
    if (!type || (how.layers && format !== "PNG")) {
      const [kind, found] = how.layers ? ["layers", `layers in ${format}`] : ["format", format];
      throw new Refusal(kind, `expected JPEG, PNG or WebP to save, found ${found}; copy the command, and run it`, { format });
    }
    const recipe = readRecipe(asked);
    const { photo } = kept.encoded;
    const { width, height } = photo;
    const layers = Boolean(how.layers);
    const opaque = !layers && !photo.alpha;
    const result = await this.colorizer.decode(kept.encoded, recipe);
    const pause = () => check(isCanceled);
    const data = await colorPhoto(result, photo, layers, pause);
    await pause();
    const picture = format === "PNG" ? new Blob([await writePng(data, width, height, opaque, pause)], { type })
      : await writePicture({ width, height, data }, type, QUALITY);
    return { picture, recipe: completeRecipe(recipe) };
  }

  /** @param {Blob} file @returns {Promise<Variant>} */
  async readPalette(file) {
    const text = await file.slice(0, 64).text();
    if (text.trimStart().startsWith("{")) return toVariant(Palette.fromJson(JSON.parse(await file.text())));
    const picture = await openPicture(file);
    const { side } = shared.model;
    const scale = side / Math.min(picture.width, picture.height);
    const [w, h] = [picture.width, picture.height].map((length) =>
      Math.min(4 * side, Math.max(32, 32 * round((length * scale) / 32))));
    const found = measurePicture(readPixels(picture, w, h), h, w);
    picture.close();
    return toVariant(found);
  }

  /** @param {string} id @param {Recipe} asked @returns {Promise<Variant>} */
  targetPalette(id, asked) {
    const { encoded } = this.#find(id);
    const recipe = withoutPins(readRecipe(asked));
    const { palette, alternatives } = encoded.encoding;
    return this.#showVariant(encoded, applyRecipe(recipe, palette, alternatives), recipe);
  }

  /** @param {string[]} ids @param {number} cohesion @returns {Promise<import("../engine.js").Album>} */
  async album(ids, cohesion) {
    const photos = ids.map((id) => this.#find(id).encoded);
    const { vividness } = shared.model;
    const starts = beginAlbum(photos.map(({ encoding }) => encoding.palette), cohesion);
    const variants = [];
    for (const [k, palette] of starts.entries()) {
      const { palette: shown } = await this.colorizer.decode(photos[k], { ...blank(0), palette, vividness });
      variants.push({ palette, groups: shown.groups });
    }
    return { variants, vividness };
  }

  /** @param {Record<string, any>} about */
  async completeRecipe(about) {
    const recipe = readRecipe(about);
    checkEdits(recipe.edits);
    return completeRecipe(recipe);
  }

  /** @param {string} id */
  close(id) {
    this.#photos.delete(id);
  }

  /** @param {string} id @returns {Kept} */
  #find(id) {
    const kept = this.#photos.get(id);
    if (!kept) throw new Refusal("not-sent", "expected a photo that is open, found another; open it again");
    return kept;
  }

  /** @param {Kept} kept @returns {Guide} */
  #guide(kept) {
    const { luma, width, height } = kept.encoded.photo;
    return (kept.guide ??= new Guide(luma, height, width));
  }

  /** @param {Encoded} encoded @param {Palette} palette @param {Recipe} recipe @returns {Promise<Variant>} */
  async #showVariant(encoded, palette, recipe) {
    const { palette: shown } = await this.colorizer.decode(encoded, recipe);
    return { palette: palette.toJson(), groups: shown.groups };
  }
}

/** Let messages come in, and end what nobody waits for. @param {() => boolean} isCanceled */
async function check(isCanceled) {
  await new Promise((resolve) => setTimeout(resolve));
  if (isCanceled()) throw new DOMException("nobody waits", "AbortError");
}

/** @param {number} alternative @returns {Recipe} */
const blank = (alternative) => ({ palette: null, alternative, edits: [], vividness: null });

/** @param {Palette} palette @returns {Variant} */
const toVariant = (palette) => ({ palette: palette.toJson(), groups: palette.groups });

/** @param {Blob} file */
async function guessFormat(file) {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first === 0xff && second === 0xd8) return "JPEG";
  return first === 0x52 ? "WEBP" : "PNG";
}

/**
 * @param {ImageBitmap} picture which is closed @param {number} pixels at most
 * @returns {Promise<{luma: Luma, colorful: boolean}>}
 */
async function readPhoto(picture, pixels) {
  const colorful = isColorful(picture);
  const scale = Math.min(1, Math.sqrt(pixels / (picture.width * picture.height)));
  const small = scale < 1 ? await shrinkPicture(picture, scale) : picture;
  const luma = measureLuma(small);
  for (const one of [picture, small]) one.close();
  if (!luma) throw new Refusal("memory", "expected a canvas, found none; close other pages to free memory");
  return { luma, colorful };
}

/** @param {Luma} photo @returns {Luma} for a thumbnail */
function shrinkLuma({ luma, width, height }) {
  const scale = Math.min(1, shared.sizes.thumbnail / Math.max(width, height));
  const [W, H] = [width, height].map((length) => Math.max(1, round(scale * length)));
  const small = /** @type {Uint8Array<ArrayBuffer>} */ (resizeBytes(luma, height, width, H, W));
  return { luma: small, width: W, height: H, alpha: null };
}
