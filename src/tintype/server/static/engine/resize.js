// Resizes planes to the bit as Pillow does (its Resample.c): areas' means and bilinear.

/** @typedef {{first: Int32Array, count: Int32Array, share: Float64Array, most: number}} Taps */
/** @typedef {"box" | "bilinear"} Filter */

const BITS = 22; // of a share in whole numbers, as Pillow rounds those of bytes

/**
 * Which pixels along an axis a new one is the mean of, and what share each has, `most` for each.
 * @param {number} size @param {number} wanted @param {Filter} filter @returns {Taps}
 */
export function findTaps(size, wanted, filter) {
  const scale = size / wanted;
  const wide = Math.max(scale, 1);
  const support = (filter === "box" ? 0.5 : 1) * wide;
  const most = 2 * Math.ceil(support) + 1;
  const [first, count] = [new Int32Array(wanted), new Int32Array(wanted)];
  const share = new Float64Array(wanted * most);
  for (let i = 0; i < wanted; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(size, Math.trunc(center + support + 0.5));
    let total = 0;
    for (let k = 0; k < end - start; k++) {
      const away = (k + start - center + 0.5) / wide;
      const inside = filter === "box" ? Number(away > -0.5 && away <= 0.5) : 1 - Math.abs(away);
      total += share[i * most + k] = Math.max(0, inside);
    }
    for (let k = 0; k < end - start; k++) share[i * most + k] /= total;
    [first[i], count[i]] = [start, end - start];
  }
  return { first, count, share, most };
}

/**
 * A plane of bytes in another size.
 * @param {Uint8Array} plane (h, w) @param {number} h @param {number} w
 * @param {number} H @param {number} W @param {Filter} [filter] @returns {Uint8Array} (H, W)
 */
export function resizeBytes(plane, h, w, H, W, filter = "box") {
  const across = W === w ? plane : spread(plane, h, w, W, findTaps(w, W, filter));
  return H === h ? across : stack(across, W, H, findTaps(h, H, filter));
}

/** @param {Taps} taps @returns {Int32Array} their shares in whole numbers */
const wholeShares = ({ share }) => Int32Array.from(share, (part) => 0.5 + part * (1 << BITS));

/**
 * @param {Uint8Array} plane (h, w) @param {number} h @param {number} w @param {number} W
 * @param {Taps} taps @returns {Uint8Array} (h, W)
 */
function spread(plane, h, w, W, taps) {
  const { first, count, most } = taps;
  const shares = wholeShares(taps);
  const result = new Uint8Array(h * W);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < W; x++) {
      const from = y * w + first[x];
      const number = count[x];
      let sum = 1 << (BITS - 1);
      for (let k = 0, at = x * most; k < number; k++) {
        sum = (sum + Math.imul(plane[from + k], shares[at + k])) | 0;
      }
      result[y * W + x] = sum >> BITS;
    }
  }
  return result;
}

/**
 * @param {Uint8Array} plane (h, W) @param {number} W @param {number} H @param {Taps} taps
 * @returns {Uint8Array} (H, W)
 */
function stack(plane, W, H, taps) {
  const { first, count, most } = taps;
  const shares = wholeShares(taps);
  const result = new Uint8Array(H * W);
  const sums = new Int32Array(W);
  for (let y = 0; y < H; y++) {
    sums.fill(1 << (BITS - 1));
    for (let k = 0; k < count[y]; k++) {
      const from = (first[y] + k) * W;
      const share = shares[y * most + k];
      for (let x = 0; x < W; x++) sums[x] += Math.imul(plane[from + x], share);
    }
    for (let x = 0; x < W; x++) result[y * W + x] = sums[x] >> BITS;
  }
  return result;
}

/**
 * A plane of floats in another size.
 * @param {Float32Array} plane (h, w) @param {number} h @param {number} w
 * @param {number} H @param {number} W @param {Filter} [filter] @returns {Float32Array} (H, W)
 */
export function resizeFloats(plane, h, w, H, W, filter = "box") {
  const across = W === w ? plane : weigh(plane, h, w, findTaps(w, W, filter), W, 1, W, 1);
  return H === h ? across : weigh(across, W, 1, findTaps(h, H, filter), H, W, 1, W);
}

/**
 * Along one axis: of `lines`, which are `line` apart, the pixels `step` apart become `wanted`.
 * @param {Float32Array} plane @param {number} lines @param {number} line @param {Taps} taps
 * @param {number} wanted @param {number} step
 * @param {number} newLine @param {number} newStep @returns {Float32Array}
 */
function weigh(plane, lines, line, taps, wanted, step, newLine, newStep) {
  const { first, count, share, most } = taps;
  const result = new Float32Array(lines * wanted);
  for (let i = 0; i < lines; i++) {
    for (let j = 0; j < wanted; j++) {
      let sum = 0;
      for (let k = 0; k < count[j]; k++) {
        sum += plane[i * line + (first[j] + k) * step] * share[j * most + k];
      }
      result[i * newLine + j * newStep] = sum;
    }
  }
  return result;
}
