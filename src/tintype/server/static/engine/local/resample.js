// Pillow's reduce and its bicubic resize, to the bit for bytes: what ../resize.js has not.

const BITS = 22; // of a share in whole numbers, as Pillow rounds those of bytes

/** @typedef {{data: Uint8Array, h: number, w: number}} Bytes a plane */

/**
 * The mean of every `down` x `across` pixels; of fewer at the edges.
 * @param {Bytes} plane @param {number} across @param {number} down @returns {Bytes}
 */
export function reduce({ data, h, w }, across, down = across) {
  const [H, W] = [Math.ceil(h / down), Math.ceil(w / across)];
  const result = new Uint8Array(H * W);
  for (let y = 0; y < H; y++) {
    const bottom = Math.min(h, (y + 1) * down);
    for (let x = 0; x < W; x++) {
      const right = Math.min(w, (x + 1) * across);
      const count = (bottom - y * down) * (right - x * across);
      let sum = count >> 1;
      for (let i = y * down; i < bottom; i++) {
        for (let j = x * across; j < right; j++) sum += data[i * w + j];
      }
      result[y * W + x] = Math.floor((sum * Math.trunc(Math.fround(2 ** 24 / count))) / 2 ** 24);
    }
  }
  return { data: result, h: H, w: W };
}

/** @param {number} x Keys 1981, a = -0.5 */
function bicubic(x) {
  const away = Math.abs(x);
  if (away < 1) return (1.5 * away - 2.5) * away * away + 1;
  return away < 2 ? -0.5 * (((away - 5) * away + 8) * away - 4) : 0;
}

/**
 * Which pixels along an axis a new one is the mean of, and their shares.
 * @param {number} size @param {number} wanted @param {number} length of `size` that is looked at
 */
function findTaps(size, wanted, length) {
  const scale = length / wanted;
  const wide = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - 2 * wide + 0.5));
    const end = Math.min(size, Math.trunc(center + 2 * wide + 0.5));
    const shares = Array.from({ length: end - first }, (_, k) => bicubic((k + first - center + 0.5) / wide));
    const sum = shares.reduce((all, share) => all + share, 0);
    return { first, shares: shares.map((share) => share / sum) };
  });
}

/**
 * A plane of bytes in another size.
 * @param {Bytes} plane @param {number} H @param {number} W
 * @param {number} high how much of its height is looked at @param {number} wide of its width
 * @returns {Bytes}
 */
export function resizeCubic({ data, h, w }, H, W, high = h, wide = w) {
  const across = weigh(data, h, w, 1, findTaps(w, W, wide), W, 1);
  return { data: weigh(across, W, 1, W, findTaps(h, H, high), 1, W), h: H, w: W };
}

/**
 * @param {Uint8Array} data @param {number} lines @param {number} line how far apart they are
 * @param {number} step between pixels of a line @param {{first: number, shares: number[]}[]} taps
 * @param {number} newLine @param {number} newStep
 */
function weigh(data, lines, line, step, taps, newLine, newStep) {
  const result = new Uint8Array(lines * taps.length);
  const whole = taps.map(({ first, shares }) => ({
    first, shares: shares.map((share) => Math.trunc((share < 0 ? -0.5 : 0.5) + share * (1 << BITS))),
  }));
  for (let i = 0; i < lines; i++) {
    whole.forEach(({ first, shares }, j) => {
      let sum = 1 << (BITS - 1);
      for (let k = 0; k < shares.length; k++) sum += data[i * line + (first + k) * step] * shares[k];
      result[i * newLine + j * newStep] = Math.min(255, Math.max(0, sum >> BITS));
    });
  }
  return result;
}

/**
 * A plane of floats, enlarged.
 * @param {Float32Array} data (h, w) @param {number} h @param {number} w @param {number} H
 * @param {number} W @returns {Float32Array} (H, W)
 */
export function enlargeCubic(data, h, w, H, W) {
  const across = new Float32Array(h * W);
  findTaps(w, W, w).forEach(({ first, shares }, x) => {
    for (let y = 0; y < h; y++) {
      across[y * W + x] = shares.reduce((sum, share, k) => sum + share * data[y * w + first + k], 0);
    }
  });
  const result = new Float32Array(H * W);
  findTaps(h, H, h).forEach(({ first, shares }, y) => {
    for (let x = 0; x < W; x++) {
      result[y * W + x] = shares.reduce((sum, share, k) => sum + share * across[(first + k) * W + x], 0);
    }
  });
  return result;
}
