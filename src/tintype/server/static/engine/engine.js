// What the page asks of whatever colors photos: a server, or one day the browser itself.

/** @typedef {{color: string, share: number}} Group a color of the photo that can be taken hold of */
/** @typedef {{colors: Group[], neutral: number}} Listed colors, and what has none */
/**
 * @typedef {Listed & {version: number, banned?: string[], tones?: Record<string, Listed>}} PaletteFile
 */
/** @typedef {{palette: PaletteFile, groups: Group[]}} Variant */
/**
 * What the engine says of a photo.
 * @typedef {Variant & {id: string, width: number, height: number, planes: [number, number],
 *   format: string, alpha: boolean, colorful: boolean, alternatives: Variant[],
 *   shrunk?: {width: number, height: number, most: number}}} Photo
 *   planes: height and width of the small chroma that `decode` gives; shrunk: from what size, as it
 *   had more than `most` megapixels
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
/** @typedef {{palette: PaletteFile | null, alternative: number}} Start as of `Recipe` */
/** @typedef {{variants: Variant[], vividness: number}} Album what several photos begin with */
/** @typedef {[number | string, number | string]} Place shares of width and height, or pixels */
/**
 * A color that was asked for, as an edit says it and after later edits of all colors, the nearest
 * that came out (null if none did), and how much of the photo wears it.
 * @typedef {{color: string, asked: string, got: string | null, share: number}} Answer
 */
/**
 * A colored photo.
 * @typedef {object} Decoded
 * @property {ArrayBuffer} planes small chroma and what lies over it: a safetensors file
 * @property {Group[] | null} colors that came out, if it was measured
 * @property {Answer[]} asked if it was measured
 * @property {Record<string, number>} timing milliseconds by part
 */
/**
 * How a photo is saved. `layers`: not the photo, but what image editors edit further: as "PNG" the
 * colors alone, transparent where there are none, for blend mode Color over the gray photo; as
 * "TIFF" photo and colors as two layers. Their names are NAME.layers.png and NAME.layers.tif, and
 * `tintype colorize --layers png|tiff` makes the same files.
 * @typedef {{format: string | null, strip_metadata: boolean, layers?: boolean}} How
 */

/**
 * @typedef {object} Engine
 * @property {() => Promise<Health>} health
 * @property {(file: Blob, progress: (part: number, words?: string) => void) => Promise<Photo>} open
 *   progress: 0..1 of what it takes to send a photo, or in words of their own to fetch a model
 * @property {(photo: Photo, file: Blob) => void} resume go on with a photo that was opened before,
 *   maybe by another page
 * @property {(photo: Photo) => Promise<Blob>} luma a gray picture of full size, without loss
 * @property {(photo: Photo, recipe: Recipe, measure: boolean) => Promise<Decoded>} decode
 * @property {(photo: Photo, recipe: Recipe) => Promise<Blob>} thumbnail
 * @property {(photo: Photo, at: Place, reach: number | null) => Promise<Blob>} region how much of
 *   the photo a pin would color: a gray picture
 * @property {(photo: Photo, at: Place, recipe: Recipe) => Promise<Group[]>} suggest
 * @property {(photo: Photo, recipe: Recipe, how: How, signal?: AbortSignal) => Promise<Blob>} save
 *   the signal ends the work, too
 * @property {(file: Blob) => Promise<Variant>} readPalette of a palette's JSON or a color photo
 * @property {(photo: Photo, recipe: Recipe) => Promise<Variant>} targetPalette
 * @property {(photos: Photo[], cohesion: number, starts?: Start[]) => Promise<Album>} album what photos
 *   begin with that are to look as if they were of one roll; cohesion: 0 (each by its start) .. 1 (the
 *   same for all); starts: by default their own estimates. Where it is those, and a variant's palette and the
 *   vividness beside it are chosen, a saved photo is that of `tintype colorize --album --cohesion`,
 *   byte for byte. `match(choice, variant, vividness)` keeps what was edited before
 * @property {(recipe: Recipe | Record<string, any>) => Promise<Record<string, any>>} completeRecipe
 *   a recipe's file, of what a recipe's file of any version holds
 * @property {(photo: Photo) => Promise<void>} close
 */

/**
 * What an engine refused, in words of the page's language, and by which of HTTP's statuses; 0 where
 * it does not answer. The values are the numbers in it, by their names.
 */
export class Problem extends Error {
  /** @param {number} status @param {string} text @param {Record<string, any>} [values] */
  constructor(status, text, values = {}) {
    super(text);
    this.status = status;
    this.values = values;
  }
}
