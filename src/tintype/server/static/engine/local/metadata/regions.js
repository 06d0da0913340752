// Regions of a photo in XMP, faces above all: turned as the photo is, as Python's regions.py does.
// Source: Metadata Working Group, Guidelines for Handling Image Metadata 2.0, section 5.9.

const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const MWG = "http://www.metadataworkinggroup.com/schemas/regions/";
const AREA = "http://ns.adobe.com/xmp/sType/Area#";
const DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#";
const MICROSOFT = "http://ns.microsoft.com/photo/1.2/t/Region#";

/** @typedef {[number, number, number, number]} Box center and size, 0..1 */

/**
 * @param {Element} rdf of a packet @param {number} orientation 2..8, of the old file's pixels
 * @param {{width: number, height: number}} size of the upright photo; regions that were made for it stay
 */
export function turnRegions(rdf, orientation, { width, height }) {
  for (const regions of rdf.getElementsByTagNameNS(MWG, "Regions")) {
    if (regions.parentElement?.parentElement !== rdf) continue; // in another's
    const [sides] = regions.getElementsByTagNameNS(MWG, "AppliedToDimensions");
    const { w, h } = sides ? readValues(sides, DIMENSIONS) : {};
    if (orientation >= 5 && w && h) {
      if (width !== height && w.nodeValue === String(width) && h.nodeValue === String(height)) return;
      [w.nodeValue, h.nodeValue] = [h.nodeValue, w.nodeValue];
    }
    for (const area of regions.getElementsByTagNameNS(MWG, "Area")) turnArea(readValues(area, AREA), orientation);
  }
  for (const item of rdf.getElementsByTagNameNS(RDF, "li")) {
    const { Rectangle: rectangle } = readValues(item, MICROSOFT);
    const [x, y, wide, high] = toNumbers(rectangle?.nodeValue?.split(",") ?? [], 4);
    if (high === undefined) continue;
    const turned = turn([x + wide / 2, y + high / 2, wide, high], orientation);
    const corner = [turned[0] - turned[2] / 2, turned[1] - turned[3] / 2, turned[2], turned[3]];
    rectangle.nodeValue = corner.map(write).join(", ");
  }
}

/** @param {Record<string, Node>} values @param {number} orientation */
function turnArea(values, orientation) {
  const names = ["x", "y", "w", "h"].filter((name) => values[name]);
  const found = toNumbers(names.map((name) => values[name].nodeValue ?? ""), names.length);
  if (!values.x || !values.y || ![2, 4].includes(found.length)) return;
  const turned = turn([found[0], found[1], found[2] ?? 0, found[3] ?? 0], orientation);
  names.forEach((name, k) => (values[name].nodeValue = write(turned[k])));
}

/** Where an area of the stored picture lies in the upright one. @param {Box} box @param {number} orientation @returns {Box} */
function turn([x, y, w, h], orientation) {
  if (orientation >= 5) [x, y, w, h] = [y, x, h, w];
  if ([2, 3, 6, 7].includes(orientation)) x = 1 - x;
  if ([3, 4, 7, 8].includes(orientation)) y = 1 - y;
  return [x, y, w, h];
}

/** @param {number} value */
const write = (value) => String(Number(value.toPrecision(6)));

/** The nodes that hold the values of a structure: attributes, or texts. @param {Element} node @param {string} namespace */
function readValues(node, namespace) {
  /** @type {Record<string, Node>} */ const found = {};
  const children = [...node.children];
  for (const one of [node, ...children, ...children.flatMap((child) => [...child.children])]) {
    for (const attribute of one.attributes) {
      if (attribute.namespaceURI === namespace) found[attribute.localName] = attribute;
    }
    if (one.namespaceURI === namespace && one.firstChild instanceof Text) found[one.localName] = one.firstChild;
  }
  return found;
}

/** So many numbers of 0 to 1; none where one is another. @param {string[]} texts @param {number} count */
function toNumbers(texts, count) {
  const numbers = texts.map((text) => (text.trim() ? Number(text) : NaN));
  return numbers.length === count && numbers.every((one) => one >= 0 && one <= 1) ? numbers : [];
}
