// What leaves the page and what comes in: names, downloads, the clipboard, dropped and pasted files.

import { t } from "../text.js";

/** @type {Record<string, string>} what the command line makes of a photo's extension */
const FORMATS = {
  ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
  ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP", ".avif": "AVIF",
};

/** @param {string} name @returns {string} */
const suffix = (name) => name.match(/\.[^.]+$/)?.[0] ?? "";

/** @param {string} name @returns {string} */
const stem = (name) => name.slice(0, name.length - suffix(name).length);

/** The kind of layers that a format asks for, "" for none. @param {string} format */
const layersOf = (format) => format.match(/^layers (.+)$/)?.[1] ?? "";

/**
 * What the command line would call the colored photo, and its format.
 * @param {string} name of the photo
 * @param {string} format "" for its own, "layers PNG" or "layers TIFF" for its layers
 * @returns {{name: string, format: string, layers: boolean}}
 */
export function outputOf(name, format) {
  const kind = layersOf(format);
  if (kind) {
    const end = kind === "PNG" ? "png" : "tif";
    return { name: `${stem(name)}.layers.${end}`, format: kind, layers: true };
  }
  const own = FORMATS[suffix(name).toLowerCase()];
  const end = format ? Object.entries(FORMATS).find(([, one]) => one === format)?.[0] : suffix(name);
  const ending = format || own ? end : ".png";
  return { name: `${stem(name)}.color${ending}`, format: format || own || "PNG", layers: false };
}

/**
 * A name for a photo's recipe or palette that tells its content, so that a second download never
 * passes for the first.
 * @param {string} name @param {string} kind @param {unknown} content @returns {string}
 */
export function besideName(name, kind, content) {
  let hash = 2166136261; // FNV-1a
  for (const c of JSON.stringify(content)) hash = Math.imul(hash ^ c.charCodeAt(0), 16777619);
  return `${stem(name)}.${(hash >>> 0).toString(16).padStart(8, "0")}.${kind}.json`;
}

/** @param {string} text @returns {string} as one word of a shell */
const quoted = (text) =>
  /^[\w./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The command that does the same to the same photo.
 * @param {string} name @param {string} recipe its file's name @param {string} format
 * @param {boolean} strip @param {string | null} model a folder @returns {string}
 */
export function commandOf(name, recipe, format, strip, model) {
  const words = ["tintype", "colorize", "--recipe", quoted(recipe)];
  if (model) words.push("--model", quoted(model));
  const kind = layersOf(format);
  if (kind) words.push("--layers", kind.toLowerCase());
  else if (format) words.push("-o", quoted(outputOf(name, format).name));
  if (strip) words.push("--strip-metadata");
  return [...words, "--", quoted(name)].join(" ");
}

/** @param {Blob} content @param {string} name */
export function download(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {unknown} value @returns {Blob} */
export const jsonFile = (value) =>
  new Blob([JSON.stringify(value, null, 1) + "\n"], { type: "application/json" });

/** What a palette's or a recipe's file says. @param {File} file @returns {Promise<Record<string, any>>} */
export async function readJson(file) {
  try {
    return Object(JSON.parse(await file.text()));
  } catch {
    throw new Error(t("not-json", { name: file.name }));
  }
}

/**
 * Photos dropped anywhere or pasted. An element that takes drops of its own stops them.
 * @param {(files: File[]) => void} take
 */
export function listenForFiles(take) {
  const taken = (/** @type {DataTransfer | null} */ data) => [...(data?.files ?? [])];
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    take(taken(event.dataTransfer));
  });
  addEventListener("paste", (event) => take(taken(event.clipboardData)));
}
