"""What coloring gives: a photo with small planes of chroma, made full size when it is saved."""

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO

import numpy as np
from PIL import Image

from tintype.bins import Bins
from tintype.border import fade
from tintype.color import oklab_of_luma, oklab_to_rgb, rgb_to_ycbcr, ycbcr_to_rgb
from tintype.errors import fail
from tintype.formats.halved import Halved
from tintype.formats.layered import Layered
from tintype.layers import Layer
from tintype.metadata import Provenance
from tintype.palette import Palette
from tintype.photo import Photo, format_of, write
from tintype.recipe import Recipe
from tintype.upsample import HALVED_PIXELS, fit_gamut, upsample

LAYERED = ("PNG", "TIFF")  # formats that hold layers


@dataclass(frozen=True, eq=False)
class Result:
    """A colored photo.

    chroma: (2, h, w) float32 Cb and Cr, centered on 0, 0..255 units, small and in gamut
    palette: the colors that came out
    recipe: what it was made by, with defaults spelled out; None without a model
    threads: how many processors enlarge the colors; None for all
    border: (rows, columns) bool, of any size: where the photo stays neutral; None for nowhere
    layers: what pins lay over the chroma
    """

    photo: Photo
    chroma: np.ndarray
    palette: Palette
    recipe: Recipe | None = None
    threads: int | None = None
    border: np.ndarray | None = None
    layers: tuple[Layer, ...] = ()

    @cached_property
    def planes(self) -> Image.Image:
        """The full-size photo in Pillow's YCbCr mode: the input's own luma, and chroma in gamut."""
        planes = (self.photo.luma, *self._upsample(halved=False))
        return Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes])

    @property
    def image(self) -> Image.Image:
        """The full-size colored photo in RGB, or RGBA where the input had transparency."""
        rgb = self.planes.convert("RGB")
        if self.photo.alpha is not None:
            rgb.putalpha(Image.fromarray(self.photo.alpha))
        return rgb

    def _upsample(self, *, halved: bool) -> tuple[np.ndarray, np.ndarray]:
        """Cb and Cr at full size, or half of it."""
        cb, cr = upsample(
            self.chroma, self.photo.luma, halved=halved, layers=self.layers, threads=self.threads
        )
        return (cb, cr) if self.border is None else (fade(cb, self.border), fade(cr, self.border))

    def save(
        self,
        target: str | os.PathLike[str] | BinaryIO,
        *,
        format: str | None = None,
        quality: int | None = None,
        depth: int | None = None,
        overwrite: bool = False,
        strip_metadata: bool = False,
        provenance: bool = True,
    ) -> tuple[str, ...]:
        """Write the full-size photo, whole or not at all; the format goes by the file's name.

        depth: 8 or, of TIFF and PNG, 16 bits; by default 16 where the photo had more than 8
        strip_metadata: leave out all that the photo's file says, and provenance
        provenance: say in XMP that the colors were computed, by what, and by which recipe
        Returns notes on what of the photo the format cannot hold.
        Raises PhotoError where it exists and may not be overwritten, or cannot be written.
        """
        if format is None and isinstance(target, (str, os.PathLike)):
            format = format_of(target)
        luma = self.photo.luma
        halved = format == "JPEG" and luma.size >= HALVED_PIXELS
        return write(
            Halved(luma, *self._upsample(halved=True)) if halved else self.planes,
            target,
            like=self.photo,
            format=format,
            quality=quality,
            depth=depth,
            overwrite=overwrite,
            strip_metadata=strip_metadata,
            provenance=Provenance(self._recipe_text) if provenance else None,
        )

    def save_layers(
        self,
        target: str | os.PathLike[str] | BinaryIO,
        *,
        format: str | None = None,
        overwrite: bool = False,
        strip_metadata: bool = False,
        provenance: bool = True,
    ) -> tuple[str, ...]:
        """Write what image editors edit further, of full size and with 8 bits a sample.

        PNG: the colors alone, transparent where there are none, to be laid over the photo in blend
        mode Color; TIFF: the gray photo and the colors as two layers. Otherwise as `save`.
        """
        if format is None and isinstance(target, (str, os.PathLike)):
            format = format_of(target)
        if format not in LAYERED:
            name = os.fspath(target) if isinstance(target, (str, os.PathLike)) else "the stream"
            fail(name, f"expected PNG or TIFF for layers, found {format}; choose one of them")
        photo = self.photo
        _, *chroma = self.planes.split()
        colored = np.maximum(*(np.asarray(plane) != 128 for plane in chroma))
        cover = np.where(
            colored, np.uint8(255) if photo.alpha is None else photo.alpha, np.uint8(0)
        )
        rgb = self.planes.convert("RGB")
        notes = write(
            Layered(rgb, photo.luma, photo.alpha, cover) if format == "TIFF" else rgb,
            target,
            like=photo if format == "TIFF" else replace(photo, alpha=cover, deep_alpha=None),
            format=format,
            depth=8,
            overwrite=overwrite,
            strip_metadata=strip_metadata,
            provenance=Provenance(self._recipe_text) if provenance else None,
        )
        lost = photo.bits > 8 and format == "TIFF"
        return (*notes, f"its {photo.bits} bits became 8 in layers") if lost else notes

    @property
    def _recipe_text(self) -> str | None:
        return None if self.recipe is None else self.recipe.to_json()


def in_gamut(
    luma: np.ndarray, ab: np.ndarray, bins: Bins, layers: tuple[Layer, ...] = ()
) -> tuple[np.ndarray, Palette]:
    """Chroma as a `Result` holds it, and the palette that it has under layers.

    luma: (h, w), 0..1; ab: (h, w, 2) OKLab chroma for it
    Returns (2, h, w) float32 Cb and Cr, centered on 0, 0..255 units.
    """
    rgb = oklab_to_rgb(oklab_of_luma(luma, ab))
    planes = np.moveaxis(rgb_to_ycbcr(rgb), -1, 0).astype(np.float32)
    cb, cr = fit_gamut(255 * luma, 255 * planes[1], 255 * planes[2])
    chroma = covered = np.stack([cb, cr])
    for layer in layers:
        covered = layer.cover(covered, np.rint(255 * luma).astype(np.uint8))
    return chroma, measure_colors(luma, covered, bins)


def measure_colors(luma: np.ndarray, chroma: np.ndarray, bins: Bins) -> Palette:
    """The palette of luma, (h, w), 0..1, and of (2, h, w) Cb and Cr as a `Result` holds it."""
    shown = ycbcr_to_rgb(np.stack([luma, *chroma / 255], axis=-1))
    return Palette.of_chroma(bins, bins.chroma(shown))
