"""Palettes for many photos that belong together: one for an album, or a way from one to another.

each photo's estimate ──mean──▶ the album's palette ──▶ each photo's start, by cohesion
first palette ─────────────────────────────────▶ last palette, by the place in the album
"""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tintype.batch.folder import list_photos
from tintype.batch.location import ALBUM, Location
from tintype.batch.one_photo import make_folder, reason_of, save_text
from tintype.colorizer import Colorizer
from tintype.errors import FolderError, PaletteError
from tintype.palette import Palette
from tintype.parallel import map_unordered, progress_bar
from tintype.photo import DEFAULT_MAX_PIXELS, read
from tintype.sandbox import read_bounded


@dataclass(frozen=True)
class Album:
    """One palette for all photos: how they come to look as if they were of one roll.

    cohesion: 0 (each photo's own estimate) .. 1 (the same palette for all)
    """

    palette: Palette
    cohesion: float

    def start(self, own: Palette, _place: float) -> Palette:
        """The palette that a photo is colored from, given its own estimate."""
        return own.blend(self.palette, self.cohesion) if self.cohesion else own

    def about(self) -> dict[str, Any]:
        """What decides the colors, as JSON."""
        return {"album": self.palette.to_json(fine=True), "cohesion": self.cohesion}


@dataclass(frozen=True)
class Interpolation:
    """From one palette to another over the photos, whatever is estimated for them."""

    first: Palette
    last: Palette

    def start(self, _own: Palette, place: float) -> Palette:
        """The palette that a photo is colored from, given its place: 0 first .. 1 last."""
        return self.first.blend(self.last, place)

    def about(self) -> dict[str, Any]:
        """What decides the colors, as JSON."""
        return {"walk": [end.to_json(fine=True) for end in (self.first, self.last)]}


def average(palettes: Sequence[Palette]) -> Palette:
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


def begin_album(starts: Sequence[Palette], cohesion: float) -> list[dict[str, Any]]:
    """What each photo of an album begins with, as recipes hold it.

    starts: what each would begin with alone. Colored by what comes of the photos' own estimates,
        and as vivid as without a palette, photos are those of `tintype colorize --album`.
    Raises PaletteError as `average`.
    """
    kept = average(starts).to_json(fine=True)  # as OUT/album.json keeps it
    album = Album(Palette.from_json(starts[0].bins, kept), cohesion)
    return [album.start(own, 0.0).to_json(fine=True) for own in starts]


def measure_album(
    colorizer: Colorizer, location: Location, max_pixels: int | None, *, workers: int
) -> Palette:
    """The palette of an album: the one in OUT/album.json, or estimated now and kept there.

    So it stays the same when more photos come, and a person can edit it. Raises PaletteError where
    that file holds no palette, and FolderError where no photo can be read.
    """
    path = Path(location.results.url, ALBUM)
    if not path.exists():
        most = max_pixels or DEFAULT_MAX_PIXELS

        def estimate(source: str) -> Palette:
            with location.fetch(source) as name:
                return colorizer.encode(read_bounded(name, partial(read, max_pixels=most))).palette

        names = [target.source for target in location.targets(location.find_photos().names)]
        palettes, _ = measure_each(estimate, names, workers=workers)
        if not palettes:
            raise FolderError(
                f"{location.photos.url}: expected photos for an album, found none that can be "
                "read; name another folder, or put some in first"
            )
        about = {"photos": len(palettes), "model": colorizer.model.fingerprint}
        make_folder(path.parent)
        album = average(palettes).to_json(fine=True)
        save_text(path, json.dumps(album | about, indent=1) + "\n")
    return Palette.load(
        path, colorizer.bins
    )  # through the file, so that a later start has the same


def measure_folder(
    colorizer: Colorizer, folder: Path, *, own: bool = False, recursive: bool = False
) -> tuple[Palette, list[str]]:
    """The mean of a folder's photos' palettes, estimated or own, and a line for each failure.

    Raises FolderError where no photo can be read.
    """

    def measure(name: str) -> Palette:
        if own:
            return Palette.measure(name, colorizer.bins, side=colorizer.model.side)
        return colorizer.encode(read_bounded(name, read)).palette

    listing = list_photos(folder, recursive=recursive)
    palettes, failures = measure_each(measure, [str(folder / name) for name in listing.names])
    if not palettes:
        raise FolderError(f"{folder}: expected photos, found none that can be read; name another")
    return average(palettes), listing.unread + failures


def measure_each(
    measure: Callable[[str], Palette], sources: list[str], *, workers: int = 1
) -> tuple[list[Palette], list[str]]:
    """The palettes of photos, in their order, and a line for each that has none.

    measure: from a path; called by several threads
    """

    def work(source: str) -> tuple[str, Palette | str]:
        try:
            return source, measure(source)
        except Exception as error:
            return source, reason_of(source, error)

    found: dict[str, Palette | str] = {}
    outcomes = map_unordered(work, sources, workers)
    with progress_bar("estimating", len(sources)) as bar, closing(outcomes):
        for source, palette in outcomes:
            found[source] = palette
            bar.update()
    ordered = [found[source] for source in sources]
    palettes = [palette for palette in ordered if isinstance(palette, Palette)]
    return palettes, [line for line in ordered if isinstance(line, str)]
