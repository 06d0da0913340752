// What leaves the page and what comes in: names, downloads, the clipboard, dropped and pasted files.

/** @type {Record<string, string>} */
const SUFFIX = { JPEG: ".jpg", PNG: ".png", TIFF: ".tif", WEBP: ".webp", AVIF: ".avif" };
const KNOWN = /\.(jpe?g|png|tiff?|webp|avif)$/i;

/** @param {string} name @returns {string} */
const stem = (name) => name.replace(/\.[^.]+$/, "");

/**
 * What the command line would call the coloured photo.
 * @param {string} name of the photo @param {string} format "" for its own @returns {string}
 */
export function coloredName(name, format) {
  if (format) return `${stem(name)}.color${SUFFIX[format]}`;
  const suffix = name.match(KNOWN)?.[0] ?? ".png";
  return `${stem(name)}.color${suffix}`;
}

/** @param {string} name @param {string} kind @returns {string} */
export const besideName = (name, kind) => `${stem(name)}.${kind}.json`;

/** @param {string} text @returns {string} as one word of a shell */
const quoted = (text) =>
  /^[\w./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The command that does the same to the same photo.
 * @param {string} name @param {string} format @param {boolean} strip @returns {string}
 */
export function commandOf(name, format, strip) {
  const words = ["tintype", "colorize", "--recipe-in", quoted(besideName(name, "recipe"))];
  if (format) words.push("-o", quoted(coloredName(name, format)));
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

/** @param {string} text @returns {Record<string, any>} */
export function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new Error("Expected a palette or a recipe in JSON, found something else.");
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
    if (!event.defaultPrevented || taken(event.dataTransfer).length) take(taken(event.dataTransfer));
  });
  addEventListener("paste", (event) => take(taken(event.clipboardData)));
}
