"""Suggestions: the likeliest distinct colors of a thing, for who wants to put a pin on it.

place ──▶ region ─┐
palette ──▶ likelihoods of the bins, by cell ──mean──▶ of the thing ──cover──▶ distinct colors
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tintype.bins import Bins, to_hex
from tintype.color import hue_degrees, hue_distance, rgb_to_oklab
from tintype.layers import find_cell, fit_chroma
from tintype.palette import ALIKE, BAN_WIDTH, Palette
from tintype.regions import make_region

if TYPE_CHECKING:
    from tintype.model import Encoding, Model

WIDTH = ALIKE  # OKLab chroma: a color stands for others as by a Gaussian of this deviation
APART = 0.05  # and so much two suggestions differ: plainly, and gray leaves room for pale colors
FINE = Bins(hues=48, chromas=(0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.18, 0.22, 0.26))


@dataclass(frozen=True)
class Suggestion:
    """A color that a thing may have.

    color: #rrggbb, of the thing's luma
    share: 0..1, how likely the thing has a color like this, and like none before it
    """

    color: str
    share: float


def suggest(
    model: Model,
    encoding: Encoding,
    place: tuple[float, float],
    palette: Palette,
    vividness: float,
    count: int = 5,
) -> list[Suggestion]:
    """The likeliest colors of the thing at a place, the likeliest first, no two of them alike.

    place: x and y, 0..1; palette, vividness: as of `Model.decode`
    Nothing is suggested that the palette bans, and fewer than `count` where the thing's luma
    shows no more. Raises PaletteError for models that take no pins.
    """
    likelihoods = model.find_likelihoods(encoding, palette, vividness)
    region = Image.fromarray(make_region(model, encoding, place))
    weight = np.asarray(region.resize(likelihoods.shape[:0:-1], Image.Resampling.BOX))
    mass = (likelihoods * weight).sum((1, 2)) / weight.sum()
    level = round(255 * float(encoding.luma[find_cell(place, encoding.luma.shape)]))
    return pick_colors(mass, level, palette, count)


def pick_colors(mass: np.ndarray, level: int, palette: Palette, count: int) -> list[Suggestion]:
    """The likeliest colors at a luma, 0..255, none like another and none banned by a palette.

    mass: (bins.count,) how likely each of the palette's bins is; sums to 1
    """
    rgb = _show(FINE, level)
    ab = np.asarray(rgb_to_oklab(rgb))[:, 1:]
    shown = np.asarray(rgb_to_oklab(_show(palette.bins, level)))[:, 1:]
    likeness = np.exp(-((_measure_gaps(ab, shown) / WIDTH) ** 2) / 2)
    chosen = _cover(ab, likeness, mass, _allow(ab, palette), count)
    return [Suggestion(to_hex(rgb[index]), share) for index, share in chosen]


def _cover(
    ab: np.ndarray, likeness: np.ndarray, mass: np.ndarray, allowed: np.ndarray, count: int
) -> list[tuple[int, float]]:
    """Colors that together stand for the most mass: the index of each, and what it adds.

    ab: (n, 2) their OKLab chroma; likeness: (n, bins), 0..1, to the bins
    mass: (bins,) of the bins; allowed: (n,) bool
    Each adds the most to those before it, and differs from them; so none adds more than these.
    """
    free, left, chosen = allowed.copy(), mass.copy(), []
    for _ in range(count):
        added = np.where(free, likeness @ left, 0)
        best = int(added.argmax())
        if added[best] <= 0:
            break
        chosen.append((best, float(added[best])))
        free &= _measure_gaps(ab, ab[best : best + 1])[:, 0] >= APART
        left *= 1 - likeness[best]
    return chosen


@lru_cache(512)
def _show(bins: Bins, level: int) -> np.ndarray:
    """Bins' colors (count, 3) RGB, 0..1, of 8 bit, at a luma, 0..255: as much of each as it can."""
    y = np.full(bins.count, level / 255)
    rgb = np.rint(255 * fit_chroma(y, bins.centers.astype(np.float64))) / 255
    rgb.setflags(write=False)
    return np.asarray(rgb)


def _allow(ab: np.ndarray, palette: Palette) -> np.ndarray:
    """(n,) bool: which OKLab chroma (n, 2) a palette does not ban."""
    allowed = np.ones(len(ab), bool)
    for hue in palette.banned:
        allowed &= hue_distance(np.asarray(hue_degrees(ab)), hue) > BAN_WIDTH
    chroma = np.hypot(*ab.T)
    gray = chroma < 0.01
    pale = chroma < palette.bins.chromas[0] * 0.99
    return np.asarray(~pale & allowed if palette.bans_gray else gray | allowed)


def _measure_gaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(one[:, None] - other[None], axis=-1))
