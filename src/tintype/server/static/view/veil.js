// What lies over the photo to show a part of it: a veil around it and a line along its edge.

/** @typedef {{veil: HTMLCanvasElement, line: Path2D | null}} Veil line: in a square of side 1 */

const DARK = [12, 11, 10];
const DARKEST = 165; // of 255

/**
 * @param {Uint8Array} mask (height, width), 255 for the part, 0 for what is around it
 * @param {number} width @param {number} height @param {boolean} outlined with a line at 50 %
 * @returns {Veil}
 */
export function createVeil(mask, width, height, outlined) {
  const veil = document.createElement("canvas");
  [veil.width, veil.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (veil.getContext("2d"));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const color = (DARK[2] << 16) | (DARK[1] << 8) | DARK[0];
  const alphas = Uint32Array.from({ length: 256 }, (_, i) =>
    (Math.round((DARKEST * (255 - i)) / 255) << 24) | color);
  for (let i = 0; i < mask.length; i++) pixels[i] = alphas[mask[i]];
  context.putImageData(image, 0, 0);
  return { veil, line: outlined ? traceLine(mask, width, height) : null };
}

/**
 * Draw a veil over a photo.
 * @param {CanvasRenderingContext2D} context @param {Veil} veil
 * @param {{x: number, y: number, wide: number, high: number}} box of the photo, canvas pixels
 * @param {number} ratio of canvas pixels to those of the page
 */
export function drawVeil(context, { veil, line }, { x, y, wide, high }, ratio) {
  context.imageSmoothingEnabled = true;
  context.drawImage(veil, x, y, wide, high);
  if (!line) return;
  const path = new Path2D();
  path.addPath(line, new DOMMatrix([wide, 0, 0, high, x, y]));
  context.lineCap = "round";
  for (const [style, width] of /** @type {[string, number][]} */ (
    [["#00000090", 3], ["#ffffffe6", 1.25]])) {
    context.strokeStyle = style;
    context.lineWidth = width * ratio;
    context.stroke(path);
  }
}

/**
 * The line where a mask is at 50 %, in pieces, closed along the photo's edge.
 * Source: Lorensen & Cline 1987, "Marching Cubes", in two dimensions.
 * @param {Uint8Array} mask @param {number} width @param {number} height
 */
function traceLine(mask, width, height) {
  const path = new Path2D();
  const HALF = 127.5;
  const at = (/** @type {number} */ x, /** @type {number} */ y) =>
    (x < 0 || y < 0 || x >= width || y >= height ? 0 : mask[y * width + x]);
  const clamp = (/** @type {number} */ share) => Math.min(1, Math.max(0, share));
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const corners = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)]; // clockwise
      const inside = corners.map((value) => value > HALF);
      if (inside.every((one) => one === inside[0])) continue;
      const ends = [];
      for (let k = 0; k < 4; k++) { // the sides that the line crosses
        const next = (k + 1) % 4;
        if (inside[k] === inside[next]) continue;
        const part = (HALF - corners[k]) / (corners[next] - corners[k]);
        const [fromX, fromY, toX, toY] = SIDES[k];
        ends.push([
          clamp((x + 0.5 + fromX + part * (toX - fromX)) / width),
          clamp((y + 0.5 + fromY + part * (toY - fromY)) / height),
        ]);
      }
      for (let k = 0; k < ends.length; k += 2) {
        path.moveTo(ends[k][0], ends[k][1]);
        path.lineTo(ends[k + 1][0], ends[k + 1][1]);
      }
    }
  }
  return path;
}

/** The sides of a square, clockwise from its top: from x, y to x, y. */
const SIDES = [[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]];
