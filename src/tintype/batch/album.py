"""Palettes for many photos that belong together: one for an album, or a walk from one to another.

each photo's estimate ──mean──▶ the album's palette ──▶ each photo's start, by cohesion
first palette ─────────────────────────────────▶ last palette, by the place in the album
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tintype.errors import PaletteError
from tintype.palette import Palette

LEAST = 0.00005  # of an album's colors: a mean has many, and smaller ones together are nothing


@dataclass(frozen=True)
class Album:
    """One palette for all photos: how they come to look as if they were of one roll.

    cohesion: 0 (each photo's own estimate) .. 1 (the same palette for all)
    """

    palette: Palette
    cohesion: float

    def start(self, own: Palette, _place: float) -> Palette:
        """The palette that a photo is colored from, given its own estimate."""
        return own.blend(self.palette, self.cohesion)

    def about(self) -> dict[str, Any]:
        """What decides the colors, as JSON."""
        return {"album": described(self.palette), "cohesion": self.cohesion}


@dataclass(frozen=True)
class Walk:
    """From one palette to another over the photos, whatever is estimated for them."""

    first: Palette
    last: Palette

    def start(self, _own: Palette, place: float) -> Palette:
        """The palette that a photo is colored from, given its place: 0 first .. 1 last."""
        return self.first.blend(self.last, place)

    def about(self) -> dict[str, Any]:
        """What decides the colors, as JSON."""
        return {"walk": [described(self.first), described(self.last)]}


def mean(palettes: Sequence[Palette]) -> Palette:
    """The palette of an album: the plain mean of its photos' shares, each photo counting the same.

    By tone, too, if any photo's is. Raises PaletteError for none, and for palettes over different
    bins.
    """
    if not palettes:
        raise PaletteError("expected the palette of one photo at least, found none")
    bins = palettes[0].bins
    if any(palette.bins != bins for palette in palettes):
        raise PaletteError("expected palettes over the same bins, found another model's")
    toned = any(palette.tones is not None for palette in palettes)
    tones = np.mean([palette.by_tone for palette in palettes], axis=0) if toned else None
    return Palette(bins, np.mean([palette.shares for palette in palettes], axis=0), tones=tones)


def places(count: int) -> list[float]:
    """Where each of so many photos is, from 0 for the first to 1 for the last."""
    return [number / max(1, count - 1) for number in range(count)]


def described(palette: Palette) -> dict[str, Any]:
    """A palette's JSON like `Palette.to_json`, with its smallest colors too."""
    return palette.to_json(LEAST, digits=6)
