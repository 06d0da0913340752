// Palettes of shadows, midtones and highlights, as Python's tones.py.

import { shared } from "./shared.js";

/** @typedef {import("./palette.js").Shares} Shares */

/**
 * The tones of a palette that tells none apart: those of another one, moved as the whole is.
 * @param {Shares} target @param {Shares} whole of the other @param {Shares[]} tones of the other
 * @returns {Shares[]}
 */
export function spreadOverTones(target, whole, tones) {
  const { floor } = shared.tones;
  return tones.map((tone) => {
    const moved = tone.map((share, k) => share * ((target[k] + floor) / (whole[k] + floor)));
    const all = moved.reduce((sum, share) => sum + share, 0);
    return moved.map((share) => share / all);
  });
}
