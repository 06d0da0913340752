// Palettes for photos that belong together, as Python's batch/album.py.

import { Palette } from "./palette.js";

/**
 * What each photo of an album begins with, by the photos' own estimates.
 * @param {Palette[]} estimates @param {number} cohesion 0 (each its own) .. 1 (the same for all)
 */
export function beginAlbum(estimates, cohesion) {
  const mean = (/** @type {Float64Array<ArrayBuffer>[]} */ all) =>
    all[0].map((_, k) => all.reduce((sum, one) => sum + one[k], 0) / all.length);
  const toned = estimates.some(({ tones }) => tones);
  const kept = new Palette({
    shares: mean(estimates.map(({ shares }) => shares)),
    tones: toned ? [0, 1, 2].map((k) => mean(estimates.map(({ byTone }) => byTone[k]))) : null,
  });
  const album = Palette.fromJson(kept.toJson(true)); // as a folder's album.json keeps it
  return estimates.map((own) => (cohesion ? own.blend(album, cohesion) : own).toJson(true));
}
