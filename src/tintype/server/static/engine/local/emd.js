// How far apart two histograms are, as Python's emd.py.

/**
 * Earth mover's distance of histograms of equal mass, by Sinkhorn's iterations, from below.
 * @param {Float64Array} here (n,) @param {Float64Array} there (n,)
 * @param {(i: number, j: number) => number} gap @returns {number}
 */
export function earthMover(here, there, gap) {
  const [mine, theirs] = [listUsed(here), listUsed(there)];
  const [n, m] = [mine.length, theirs.length];
  if (!n || !m) return 0;
  const sums = [mine.reduce((sum, i) => sum + here[i], 0), theirs.reduce((sum, j) => sum + there[j], 0)];
  const p = mine.map((i) => here[i]);
  const q = theirs.map((j) => there[j] * (sums[0] / sums[1]));
  const cost = Float64Array.from({ length: n * m }, (_, k) => gap(mine[Math.floor(k / m)], theirs[k % m]));
  const [u, v] = [new Float64Array(n), new Float64Array(m)];
  for (let step = 0; step < 12; step++) {
    const heat = 0.1 * (5e-4 / 0.1) ** (step / 11);
    for (let k = 0; k < 20; k++) {
      relax(u, v, p, heat, (i, j) => cost[i * m + j]);
      relax(v, u, q, heat, (j, i) => cost[i * m + j]);
    }
  }
  return Math.max(0, boundBelow(u, p, q, cost));
}

/** @param {Float64Array} histogram @returns {number[]} */
const listUsed = (histogram) => [...histogram.keys()].filter((k) => histogram[k] > 1e-6);

/**
 * heat * (log mass - log sum exp((other - cost) / heat)), in place.
 * @param {Float64Array} one @param {Float64Array} other @param {number[]} mass
 * @param {number} heat @param {(i: number, j: number) => number} cost
 */
function relax(one, other, mass, heat, cost) {
  for (let i = 0; i < one.length; i++) {
    let top = -Infinity;
    for (let j = 0; j < other.length; j++) top = Math.max(top, (other[j] - cost(i, j)) / heat);
    let sum = 0;
    for (let j = 0; j < other.length; j++) sum += Math.exp((other[j] - cost(i, j)) / heat - top);
    one[i] = heat * (Math.log(mass[i]) - top - Math.log(sum));
  }
}

/**
 * The last exact step in the dual.
 * @param {Float64Array} u (n,) @param {number[]} p (n,) @param {number[]} q (m,)
 * @param {Float64Array} cost (n, m) @returns {number}
 */
function boundBelow(u, p, q, cost) {
  const m = q.length;
  const first = q.map((_, j) => p.reduce((low, _mass, i) => Math.min(low, cost[i * m + j] - u[i]), Infinity));
  const exact = p.map((_, i) => first.reduce((low, v, j) => Math.min(low, cost[i * m + j] - v), Infinity));
  const second = q.map((_, j) => exact.reduce((low, w, i) => Math.min(low, cost[i * m + j] - w), Infinity));
  const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
    a.reduce((sum, x, k) => sum + x * b[k], 0);
  return dot(exact, p) + dot(second, q);
}
