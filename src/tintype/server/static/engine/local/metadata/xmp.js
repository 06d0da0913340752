// XMP packets: what is in them is kept, and corrected, as Python's xmp.py does. A worker has no
// parser of XML, so that the page does it.
// Source: Adobe, XMP Specification Part 1 (ISO 16684-1) and Part 3 (storage in files).

import { shared } from "../shared.js";
import { toBytes } from "./bytes.js";
import { turnRegions } from "./regions.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {{width: number, height: number, mime: string, orientation: number}} Facts of a new file */

const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const XMP = "http://ns.adobe.com/xap/1.0/";
const NOTE = "http://ns.adobe.com/xmp/note/";
const TIFF = "http://ns.adobe.com/tiff/1.0/";
const EXIF = "http://ns.adobe.com/exif/1.0/";
const PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/";
const DC = "http://purl.org/dc/elements/1.1/";
const IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>';
const EMPTY = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}"/></x:xmpmeta>`;
const TOOL = "Tintype";

export class Packet {
  /** @param {Bytes | null} [data] null begins an empty one @throws {Error} where it is not to be trusted */
  constructor(data = null) {
    this.document = new DOMParser().parseFromString(data ? decode(data) : EMPTY, "application/xml");
    const [rdf] = this.document.getElementsByTagNameNS(RDF, "RDF");
    if (!rdf || this.document.querySelector("parsererror")) throw new Error("expected XMP, found none");
    this.rdf = rdf;
  }

  get #descriptions() {
    return [...this.rdf.children].filter((one) => one.namespaceURI === RDF && one.localName === "Description");
  }

  /** @param {Element} description @param {string} namespace @param {string} name */
  #childrenOf(description, namespace, name) {
    return [...description.children].filter((one) => one.namespaceURI === namespace && one.localName === name);
  }

  /** The text of a simple property. @param {string} namespace @param {string} name @returns {string | null} */
  get(namespace, name) {
    for (const description of this.#descriptions) {
      if (description.hasAttributeNS(namespace, name)) return description.getAttributeNS(namespace, name);
      const [child] = this.#childrenOf(description, namespace, name);
      if (child) return [...child.childNodes].map((node) => (node instanceof Text ? node.data : "")).join("");
    }
    return null;
  }

  /** @param {string} namespace @param {string} prefix @param {string} name @param {string} value */
  set(namespace, prefix, name, value) {
    this.remove(namespace, name);
    const element = this.document.createElementNS(namespace, `${prefix}:${name}`);
    element.textContent = value;
    this.#first().append(element);
  }

  /** @param {string} namespace @param {string} name */
  remove(namespace, name) {
    for (const description of this.#descriptions) {
      description.removeAttributeNS(namespace, name);
      for (const child of this.#childrenOf(description, namespace, name)) child.remove();
    }
  }

  /** The description that new properties go to. */
  #first() {
    const [found] = this.#descriptions;
    if (found) return found;
    const made = this.document.createElementNS(RDF, "rdf:Description");
    made.setAttributeNS(RDF, "rdf:about", "");
    this.rdf.append(made);
    return made;
  }

  /** Add the properties of an extended packet. @param {Bytes} extension @throws {Error} */
  merge(extension) {
    for (const one of new Packet(extension).#descriptions) this.rdf.append(this.document.importNode(one, true));
  }

  /** Let it tell the truth about an upright sRGB file. @param {Facts} facts */
  correct({ width, height, mime, orientation }) {
    for (const [namespace, name] of shared.metadata.xmp.stale) this.remove(namespace, name);
    const [across, down] = [this.get(TIFF, "XResolution"), this.get(TIFF, "YResolution")];
    if (orientation >= 5 && across && down) {
      this.set(TIFF, "tiff", "XResolution", down);
      this.set(TIFF, "tiff", "YResolution", across);
    }
    const [wide, high] = [String(width), String(height)];
    for (const [namespace, prefix, name, value] of [
      [TIFF, "tiff", "Orientation", "1"], [TIFF, "tiff", "ImageWidth", wide], [TIFF, "tiff", "ImageLength", high],
      [EXIF, "exif", "PixelXDimension", wide], [EXIF, "exif", "PixelYDimension", high],
      [EXIF, "exif", "ColorSpace", "1"], [PHOTOSHOP, "photoshop", "ColorMode", "3"], [DC, "dc", "format", mime],
    ]) if (this.get(namespace, name) !== null) this.set(namespace, prefix, name, value);
    if (orientation === 1) return;
    turnRegions(this.rdf, orientation, { width, height });
    for (const [namespace, name] of shared.metadata.xmp.regions) this.remove(namespace, name);
  }

  /** Say that the colors are computed, by what, and by which recipe. @param {Record<string, any>} recipe */
  stamp(recipe) {
    const { namespace, kind } = shared.provenance;
    const isAgain = this.get(XMP, "CreatorTool")?.startsWith(TOOL);
    for (const [space, prefix, name, value] of [
      [XMP, "xmp", "CreatorTool", `${TOOL} ${shared.version}`], [IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType", kind],
    ]) {
      const before = this.get(space, name);
      if (before && !isAgain) this.set(namespace, "tintype", `Source${name}`, before);
      this.set(space, prefix, name, value);
    }
    this.set(namespace, "tintype", "Recipe", JSON.stringify(recipe));
  }

  /**
   * What makes it longer than so many bytes, the largest properties first, goes to a second one.
   * @param {number} most bytes @param {(rest: Bytes) => string} nameOf the second's name, which the first has to say
   * @returns {[Bytes, Bytes | null]} @throws {Error} where it cannot be split
   */
  split(most, nameOf) {
    let whole = this.encode();
    if (whole.length <= most) return [whole, null];
    const rest = new Packet();
    const sizeOf = (/** @type {Element} */ one) => toBytes(new XMLSerializer().serializeToString(one)).length;
    const parts = this.#descriptions.flatMap((one) => [...one.children]).map((one) => ({ one, size: sizeOf(one) }));
    let length = whole.length + 200; // with the name
    for (const { one, size } of parts.sort((a, b) => b.size - a.size)) {
      if (length <= most) break;
      length -= size;
      rest.#first().append(rest.document.importNode(one, true));
      one.remove();
    }
    const extension = rest.encode(true);
    this.set(NOTE, "xmpNote", "HasExtendedXMP", nameOf(extension));
    whole = this.encode();
    if (whole.length > most) throw new Error(`expected ${most} bytes at most, found ${whole.length}`);
    return [whole, extension];
  }

  /** In UTF-8. @param {boolean} [bare] without the processing instructions around it */
  encode(bare = false) {
    const text = new XMLSerializer().serializeToString(this.document.documentElement);
    return toBytes(bare ? text : `${BEGIN}\n${text}\n<?xpacket end="w"?>`);
  }
}

/** The text of a packet. @param {Bytes} data @throws {Error} where it is not to be trusted */
function decode(data) {
  const { most, marks } = shared.metadata.xmp;
  const mark = ["255 254", "254 255"].indexOf(`${data[0]} ${data[1]}`); // of the order of bytes
  let text;
  try {
    text = new TextDecoder(["utf-16le", "utf-16be"][mark] ?? "utf-8", { fatal: true }).decode(data);
  } catch {
    text = new TextDecoder("latin1").decode(data);
  }
  text = text.replace(/^[\0\s\ufeff]+|[\0\s\ufeff]+$/g, "").replace(/^<\?xml[^>]*\?>/, "");
  if (data.length > most || /<!DOCTYPE|<!ENTITY/.test(text) || text.split(/[<=]/).length > marks) {
    throw new Error("expected XMP of some properties, found more, or a document type");
  }
  return text;
}
