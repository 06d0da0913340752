"""Pillow, without its limits and warnings, which belong to the whole process."""

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    PngImagePlugin,
    WebPImagePlugin,
    _imaging,
)

from tintype import metadata
from tintype.errors import PhotoError
from tintype.metadata import Metadata

ANIMATIONS = (
    AvifImagePlugin.AvifImageFile, GifImagePlugin.GifImageFile, PngImagePlugin.PngImageFile,
    WebPImagePlugin.WebPImageFile,
)  # fmt: skip
MORE = "tintype colorize --max-megapixels"  # where more pixels are allowed
_SILENT = logging.NullHandler()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class ReadOptions:
    """What of a file is decoded, and how.

    max_pixels: more are refused
    page: of a TIFF, from 1; the largest picture by default
    salvage: whether a JPEG that is cut is decoded as far as it goes
    strict: whether colors that are not known are refused, see `pixels.to_srgb`
    """

    max_pixels: int
    page: int | None = None
    salvage: bool = False
    strict: bool = False

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise PhotoError for too many pixels, or none."""
        width, height = size
        if not 0 < width * height <= self.max_pixels:
            raise PhotoError(
                f"expected 1 to {self.max_pixels:,} pixels, found "
                f"{width} x {height} = {width * height:,}; shrink it, or see {MORE}",
                kind="pixels",
                width=width,
                height=height,
                most=round(self.max_pixels / 1e6, 1),
            )


@dataclass(eq=False)
class Loaded:
    """An image with its pixels, and what its file says about them.

    metadata: what the file says about its photo
    format: Pillow's name of the file's format; None of an image from memory
    orientation: as in EXIF, still to be done
    bits: of a sample in the file
    deep: (H, W) or (H, W, 3) uint16, gray or RGB of which the image has 8 bits; else None
    deep_alpha: (H, W) uint16, beside it; None where all is opaque
    missing: (H, W) bool, where a file that is cut has no picture; None of whole ones
    notes: what people should know, each a part of a line
    """

    image: Image.Image
    metadata: Metadata
    format: str | None
    orientation: int
    bits: int = 8
    deep: np.ndarray | None = None
    deep_alpha: np.ndarray | None = None
    missing: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)


def load(image: Image.Image, options: ReadOptions, stream: BinaryIO | None) -> Loaded:
    """The pixels of an image that Pillow has opened, from a stream or from memory.

    Raises PhotoError and what Pillow raises.
    """
    options.check_size(image.size)
    notes: list[str] = []
    if isinstance(image, ANIMATIONS) and image.is_animated:
        notes.append("is an animation; its first picture is colored")
    if image.format != "TIFF":
        image.load()  # the slow part: threads do not wait for each other
    with unlimited():
        image.load()  # a TIFF: Pillow checks its size again, parses its tags and turns it
        about = metadata.read(image, stream, notes)
        orientation = 1 if image.format == "TIFF" else about.orientation
        return Loaded(image, about, image.format, orientation, notes=notes)


def open_image(stream: BinaryIO, *formats: str) -> Image.Image:
    """An image of one of the formats, its pixels not yet decoded. Raises what Pillow raises."""
    with unlimited():
        return Image.open(stream, formats=formats)


@contextmanager
def unlimited() -> Iterator[None]:
    """Pillow without its fixed size limit, for which `ReadOptions` has another, and in silence."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _silence_libtiff()
        silence_loggers()
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def silence_loggers() -> None:
    """Let libraries log to nobody where nobody asks for it: Python prints it otherwise."""
    for name in ("PIL", "tifffile", "imagecodecs"):
        logging.getLogger(name).addHandler(_SILENT)


@cache
def _silence_libtiff() -> None:
    """Let libtiff print no lines of its own; where it is not in Pillow's library, it still does."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)
