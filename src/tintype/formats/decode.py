"""From any source to an upright sRGB image.

    source ──load──▶ image ──flatten──▶ gray or RGB + alpha ──to_srgb──▶ ──upright──▶

Nothing here depends on a file being honest: sizes are checked before pixels are decoded, and
whatever a broken file provokes inside Pillow comes out as one `PhotoError` of one line.
"""

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from tintype import metadata
from tintype.errors import PhotoError, explain, fail
from tintype.formats.pixels import flatten, to_srgb, upright

Source = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray

_ACCEPTED = "JPEG, PNG, TIFF, WebP or AVIF"
_READABLE = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP")  # MPO comes as JPEG

# Pillow's size limit and Python's warning filters belong to the whole process.
_PILLOW = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A photo's pixels, upright.

    image: sRGB, mode L or RGB; alpha: mode L, None if all is opaque
    exif: for a new file; source: what was decoded, with what Pillow says about it
    """

    image: Image.Image
    alpha: Image.Image | None
    exif: bytes | None
    source: Image.Image


def decode(source: Source, max_pixels: int, *, strict: bool = False) -> Decoded:
    """Decode a photo. Raises PhotoError, and ProfileError if `strict` as `to_srgb`."""
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the image"
    try:
        with open_source(source, name) as opened:
            image, exif, orientation = _load(opened, name, max_pixels)
        plain, alpha = flatten(image)
        plain = to_srgb(plain, image.info.get("icc_profile"), strict=strict)
        plain = upright(plain, orientation)
        alpha = None if alpha is None else upright(alpha, orientation)
        return Decoded(plain, alpha, exif, image)
    except PhotoError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever the broken bytes provoke
        fail(name, f"expected an image ({_ACCEPTED}), {explain(error)}", error)


def open_source(source: Source, name: str) -> AbstractContextManager[BinaryIO | Image.Image]:
    """A stream that can seek, or an image; closed afterwards if it was opened here."""
    if isinstance(source, (str, os.PathLike)):
        return Path(source).open("rb")
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, (np.ndarray, Image.Image)):
        return nullcontext(_from_array(source) if isinstance(source, np.ndarray) else source)
    if not hasattr(source, "read"):
        fail(name, f"expected a path, bytes, stream, image or array, found {source!r:.80}")
    return nullcontext(source) if source.seekable() else io.BytesIO(source.read())


def _load(
    source: BinaryIO | Image.Image, name: str, max_pixels: int
) -> tuple[Image.Image, bytes | None, int]:
    """The image with its pixels, if there are not too many, its EXIF and its orientation."""
    with _pillow_unlimited():
        image = source if isinstance(source, Image.Image) else _identify(source, name)
    width, height = image.size
    if not 0 < width * height <= max_pixels:
        found = f"{width} x {height} = {width * height:,}; shrink it or raise the limit"
        fail(name, f"expected 1 to {max_pixels:,} pixels, found {found}")
    if image.format != "TIFF":
        image.load()  # the slow part: threads do not wait for each other
    with _pillow_unlimited():
        image.load()  # a TIFF: Pillow checks its size again, parses its tags and turns it
        return image, *metadata.read_exif(image)


@contextmanager
def _pillow_unlimited() -> Iterator[None]:
    """Pillow without its fixed size limit, for which `_load` has its own, and in silence."""
    with _PILLOW, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _identify(stream: BinaryIO, name: str) -> Image.Image:
    """The image in a stream, of a format that is allowed, its pixels not yet decoded."""
    try:
        return Image.open(stream, formats=_READABLE)
    except UnidentifiedImageError as error:
        stream.seek(0)
        head = stream.read(12)
        other = f"other data, starting with {head!r}; convert it first"
        found = other if head else "0 bytes; check the file"
        fail(name, f"expected an image ({_ACCEPTED}), found {found}", error)


def _from_array(array: np.ndarray) -> Image.Image:
    """An image with a copy of the array's values."""
    shape_ok = array.size > 0 and (array.ndim == 2 or array.shape[2:] in ((3,), (4,)))
    if shape_ok and array.dtype == np.uint8:
        return Image.fromarray(array)
    if shape_ok and array.ndim == 2 and array.dtype.newbyteorder("=") == np.uint16:
        return Image.fromarray(array.astype(np.uint16))
    found = f"{array.dtype} {array.shape}"
    if shape_ok and array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if low >= 0 and high <= 1:  # false for NaN
            return Image.fromarray((array * 255 + 0.5).astype(np.uint8))
        found += f" with values {low:g} to {high:g}"
    expected = "uint8 (H, W), (H, W, 3) or (H, W, 4), uint16 (H, W), or float in 0..1"
    raise PhotoError(f"the array: expected {expected}, found {found}; convert it")
