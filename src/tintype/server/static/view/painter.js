// Paints a photo from its luma and a small chroma plane with WebGL2, only what is on the screen.

import { Painter2D } from "./painter2d.js";
import { SHARPEN, SQUARES } from "./pixels.js";

/**
 * @typedef {object} View where the photo lies on a canvas, in the canvas's pixels
 * @property {number} scale canvas pixels for one of the photo
 * @property {number} x of the photo's left edge @property {number} y of its top edge
 * @property {number} split share of the photo's width, from the left, that stays gray, 0..1
 * @property {number} width of the canvas @property {number} height
 * @property {number} [color] how much of the color is shown, 0..1; all of it if left out
 * @property {boolean} [quick] a hand is moving: a slow painter may be less exact
 */

/**
 * @typedef {object} Painter
 * @property {(luma: Uint8Array, width: number, height: number, alpha?: Uint8Array | null) => void} setLuma
 *   the photo's luma and how opaque it is, (height, width), 0..255; the arrays are kept
 * @property {(rg: Uint8Array | null, width: number, height: number) => void} setChroma
 *   (height, width, 2): Cb and Cr centered on 128, of any size; null for a gray photo
 * @property {(view: View) => void} paint
 */

/** Pixels that tiles share on each side: so many that mipmaps agree down to a sixteenth. */
const OVERLAP = 16;
const TILE = 2048;

const VERTEX = `#version 300 es
uniform vec4 box;      // of the tile in the photo: left, top, right, bottom, pixels
uniform vec3 place;    // scale, x, y
uniform vec2 canvas;
out vec2 pixel;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  pixel = mix(box.xy, box.zw, corner);
  vec2 at = (pixel * place.x + place.yz) / canvas;
  gl_Position = vec4(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D tile, chroma;
uniform vec4 origin;   // of the tile's texture in the photo, and its size, pixels
uniform vec2 size;     // of the photo
uniform float level, split, color;
uniform bool squares, clear;
in vec2 pixel;
out vec4 result;
void main() {
  vec2 at = squares ? floor(pixel) + 0.5 : pixel;
  vec4 light = textureLod(tile, (at - origin.xy) / origin.zw, level);
  float luma = light.r, alpha = clear ? light.g : 1.0;
  vec2 c = color * (texture(chroma, at / size).rg - 128.0 / 255.0);
  if (pixel.x < split * size.x) c = vec2(0.0);
  vec3 rgb = vec3(1.402 * c.y, -0.344136 * c.x - 0.714136 * c.y, 1.772 * c.x);
  float above = max(max(rgb.r, rgb.g), rgb.b), below = -min(min(rgb.r, rgb.g), rgb.b);
  float bright = 1.0 - luma;
  float fit = min(bright / max(max(above, bright), 1e-6), luma / max(max(below, luma), 1e-6));
  result = vec4((luma + fit * rgb) * alpha, alpha);
}`;

/** @implements {Painter} */
class PainterGL {
  /** @type {Uint8Array} */ #luma = new Uint8Array(0);
  /** @type {Uint8Array | null} */ #alpha = null;
  #width = 0;
  #height = 0;
  /** @type {{rg: Uint8Array, width: number, height: number}} */ #chroma = GRAY;
  /** @type {{texture: WebGLTexture, box: number[], origin: number[]}[]} */ #tiles = [];
  /** @type {WebGLTexture | null} */ #colors = null;
  /** @type {Record<string, WebGLUniformLocation | null>} */ #places = {};

  /** @param {WebGL2RenderingContext} gl @param {() => void} restored */
  constructor(gl, restored) {
    this.gl = gl;
    this.#start();
    gl.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    gl.canvas.addEventListener("webglcontextrestored", () => {
      this.#start();
      this.#tiles = [];
      this.#cut(); // the chroma follows when it is painted
      restored();
    });
  }

  #start() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of /** @type {[number, string][]} */ (
      [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    this.#places = {};
    const names = ["box", "place", "canvas", "origin", "size", "level", "split", "color",
      "squares", "clear", "tile", "chroma"];
    for (const name of names) this.#places[name] = gl.getUniformLocation(program, name);
    gl.uniform1i(this.#places.chroma, 1);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.#colors = null;
  }

  /** @type {Painter["setLuma"]} */
  setLuma(luma, width, height, alpha = null) {
    [this.#luma, this.#alpha, this.#width, this.#height] = [luma, alpha, width, height];
    for (const { texture } of this.#tiles) this.gl.deleteTexture(texture);
    this.#tiles = [];
    this.#cut();
  }

  /** @type {Painter["setChroma"]} */
  setChroma(rg, width, height) {
    const same = width === this.#chroma.width && height === this.#chroma.height;
    this.#chroma = rg ? { rg, width, height } : GRAY;
    this.#upload(same && rg !== null);
  }

  /** @param {boolean} [same] whether the texture already has the size */
  #upload(same = false) {
    const { gl } = this;
    const { rg, width, height } = this.#chroma;
    const texture = this.#colors ?? (this.#colors = gl.createTexture());
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (same) {
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RG, gl.UNSIGNED_BYTE, rg);
      return;
    }
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG8, width, height, 0, gl.RG, gl.UNSIGNED_BYTE, rg);
    this.#filter(gl.LINEAR);
  }

  /** @param {number} small how the texture in use is filtered where it is shrunk */
  #filter(small) {
    const { gl } = this;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, small);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  /** Cut the luma into tiles of at most `TILE` pixels, with mipmaps. */
  #cut() {
    const { gl } = this;
    const side = Math.min(gl.getParameter(gl.MAX_TEXTURE_SIZE), TILE);
    const step = side - 2 * OVERLAP;
    gl.activeTexture(gl.TEXTURE0);
    for (let top = 0; top < this.#height; top += step) {
      for (let left = 0; left < this.#width; left += step) {
        const box = [left, top,
          Math.min(left + step, this.#width), Math.min(top + step, this.#height)];
        const [wide, high] = [span(left, box[2]), span(top, box[3])];
        const origin = [left - OVERLAP, top - OVERLAP, wide, high];
        const texture = gl.createTexture();
        gl.bindTexture(gl.TEXTURE_2D, texture);
        const [inner, outer] = this.#alpha ? [gl.RG8, gl.RG] : [gl.R8, gl.RED];
        const content = this.#copy(origin);
        gl.texImage2D(
          gl.TEXTURE_2D, 0, inner, wide, high, 0, outer, gl.UNSIGNED_BYTE, content,
        );
        gl.generateMipmap(gl.TEXTURE_2D);
        this.#filter(gl.LINEAR_MIPMAP_LINEAR);
        this.#tiles.push({ texture, box, origin });
      }
    }
  }

  /** A tile's content; beyond the photo its edge goes on. @param {number[]} origin */
  #copy([left, top, wide, high]) {
    const planes = this.#alpha ? [this.#luma, this.#alpha] : [this.#luma];
    const content = new Uint8Array(planes.length * wide * high);
    const before = Math.max(0, -left);
    const inside = Math.min(wide, this.#width - left) - before;
    planes.forEach((plane, k) => {
      for (let y = 0; y < high; y++) {
        const row = Math.min(Math.max(top + y, 0), this.#height - 1) * this.#width;
        const line = new Uint8Array(wide);
        const start = row + left + before;
        line.fill(plane[start], 0, before);
        line.set(plane.subarray(start, start + inside), before);
        line.fill(plane[start + inside - 1], before + inside);
        if (planes.length === 1) content.set(line, y * wide);
        else for (let x = 0; x < wide; x++) content[2 * (y * wide + x) + k] = line[x];
      }
    });
    return content;
  }

  /** @type {Painter["paint"]} */
  paint({ scale, x, y, split, width, height, color = 1 }) {
    const { gl } = this;
    const to = this.#places;
    if (gl.canvas.width !== width) gl.canvas.width = width;
    if (gl.canvas.height !== height) gl.canvas.height = height;
    if (!this.#colors) this.#upload();
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform3f(to.place, scale, x, y);
    gl.uniform2f(to.canvas, width, height);
    gl.uniform2f(to.size, this.#width, this.#height);
    gl.uniform1f(to.level, scale < 1 ? Math.max(0, -Math.log2(scale) + SHARPEN) : 0);
    gl.uniform1f(to.split, split);
    gl.uniform1f(to.color, color);
    gl.uniform1i(to.squares, Number(scale >= SQUARES));
    gl.uniform1i(to.clear, Number(this.#alpha !== null));
    gl.activeTexture(gl.TEXTURE0);
    for (const { texture, box, origin } of this.#tiles) {
      const [left, top, right, bottom] = box;
      if (right * scale + x <= 0 || left * scale + x >= width) continue;
      if (bottom * scale + y <= 0 || top * scale + y >= height) continue;
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.uniform4fv(to.box, box);
      gl.uniform4fv(to.origin, origin);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
  }
}

const GRAY = { rg: Uint8Array.of(128, 128), width: 1, height: 1 };

/** A tile's side with its overlap, such that it can be halved as often as neighbors agree. */
const span = (/** @type {number} */ from, /** @type {number} */ to) =>
  Math.ceil((to - from) / OVERLAP) * OVERLAP + 2 * OVERLAP;

/**
 * What paints on a canvas: WebGL2 where there is a graphics card. A processor that plays one takes
 * five times as long as `Painter2D`.
 * @param {HTMLCanvasElement} canvas @param {() => void} restored what was lost is there again
 * @param {boolean} [any] take WebGL2 from a processor, too
 * @returns {Painter}
 */
export function createPainter(canvas, restored, any = false) {
  const gl = any || hasCard()
    ? canvas.getContext("webgl2", { antialias: false, depth: false }) : null;
  return gl ? new PainterGL(gl, restored) : new Painter2D(canvas);
}

const NO_CARD = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Whether WebGL2 draws on a graphics card, as far as the browser tells. */
function hasCard() {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const about = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(about ? about.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !NO_CARD.test(name);
}
