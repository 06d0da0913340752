"""From any source to an upright sRGB image.

    source ──by its first bytes──▶ tiff, jpeg, ... ──▶ image ──flatten──▶ gray or RGB + alpha
                                              upright sRGB ◀──upright── ◀──to_srgb──┘

Nothing here depends on a file being honest: sizes are checked before pixels are decoded, and
whatever a broken file provokes inside a decoder comes out as one `PhotoError` of one line.
"""

import io
import os
import struct
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from tintype.errors import PhotoError, explain, fail
from tintype.formats import icc, isobmff, jpeg, kinds, pillow, png
from tintype.formats.bits import find_bits
from tintype.formats.extras import open_extra
from tintype.formats.pillow import Loaded, ReadOptions
from tintype.formats.pixels import flatten, read_luma, scale, to_srgb, upright
from tintype.metadata import Metadata, find_xmp
from tintype.metadata import find_recipe as find_in_packets

WRITTEN = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF")
Source = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray

_DAMAGED = "damaged data or less than all of it; take another copy of it"


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A photo's pixels, upright.

    image: sRGB, mode L or RGB; alpha: mode L, None if all is opaque
    missing: (H, W) bool, where a file that is cut has no picture; None of whole ones
    metadata: what the file says about its photo
    format: Pillow's name of the file's format; None of an image from memory
    bits: of a sample in the file
    deep, deep_alpha: (H, W) uint16, luma and alpha of more than 8 bits, None where they are not
        there or cannot be told
    notes: what people should know, each a part of a line
    """

    image: Image.Image
    alpha: Image.Image | None
    bits: int
    deep: np.ndarray | None
    deep_alpha: np.ndarray | None
    missing: np.ndarray | None
    metadata: Metadata
    format: str | None
    notes: tuple[str, ...]


def decode(source: Source, options: ReadOptions) -> Decoded:
    """Decode a photo. Raises PhotoError, and ProfileError if the options are strict."""
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the image"
    try:
        with _open(source) as opened:
            if isinstance(opened, Image.Image):
                found = pillow.load(opened, options, None)
            else:
                found = _load(opened, Path(name).suffix, options)
        flat, turn = flatten(found.image), found.orientation
        profile = found.image.info.get("icc_profile")
        image = to_srgb(flat.image, profile, strict=options.strict)
        deep = found.deep if flat.deep is None else flat.deep
        gray = flat.image.mode == image.mode == "L"
        if deep is not None and image is not flat.image:  # Pillow maps 8 bits alone
            if not gray:
                deep = icc.read_luma(deep, profile or b"")
            else:
                deep = icc.map_tones(deep, profile, np.asarray(flat.image), np.asarray(image))
            if deep is not None and gray:  # of 16 bits, so that shadows stay apart
                image = Image.fromarray(scale(deep, 65535, np.uint8))
        elif deep is not None:
            deep = read_luma(deep)
        return Decoded(
            image=upright(image, turn),
            alpha=None if flat.alpha is None else upright(flat.alpha, turn),
            bits=found.bits if flat.deep is None else max(found.bits, 16),
            deep=_turn(deep, turn),
            deep_alpha=_turn(found.deep_alpha, turn),
            missing=_turn(found.missing, turn),
            metadata=found.metadata,
            format=found.format,
            notes=tuple(found.notes),
        )
    except PhotoError as error:
        about = f"{name}: {error}"
        raise type(error)(about, kind=error.kind, **error.values) from error.__cause__
    except Exception as error:  # decoders raise whatever the broken bytes provoke
        fail(name, f"expected an image ({kinds.ACCEPTED}), {explain(error, _DAMAGED)}", error)


def find_recipe(content: bytes) -> str | None:
    """The recipe in a picture's file, as JSON; None where there is none, or it is no picture."""
    try:
        with pillow.open_image(io.BytesIO(content), *WRITTEN) as image:
            return find_in_packets(find_xmp(image, io.BytesIO(content)))
    except Exception:  # whatever broken bytes provoke in Pillow
        return None


def count_pages(path: str | os.PathLike[str]) -> int:
    """How many pages a file has: of a TIFF those that can be asked for, else 1."""
    try:
        with open(path, "rb") as stream:
            if not stream.read(4).startswith(kinds.TIFF):
                return 1
            from tintype.formats import tiff

            stream.seek(0)
            return tiff.count_pages(stream)
    except OSError:  # said when it is read
        return 1


def _turn(plane: np.ndarray | None, orientation: int) -> np.ndarray | None:
    return None if plane is None else np.asarray(upright(Image.fromarray(plane), orientation))


def _open(source: Source) -> AbstractContextManager[BinaryIO | Image.Image]:
    """A stream that can seek, or an image; closed afterwards if it was opened here."""
    if isinstance(source, (str, os.PathLike)):
        return Path(source).open("rb")
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, (np.ndarray, Image.Image)):
        return nullcontext(_from_array(source) if isinstance(source, np.ndarray) else source)
    if not hasattr(source, "read"):
        raise PhotoError(f"expected a path, bytes, stream, image or array, found {source!r:.80}")
    return nullcontext(source) if source.seekable() else io.BytesIO(source.read())


def _load(stream: BinaryIO, suffix: str, options: ReadOptions) -> Loaded:
    """The picture in a file, by the decoder of its kind."""
    stream.seek(0)  # whoever wrote it left it at its end
    head = stream.read(kinds.HEAD)
    stream.seek(0)
    if head.startswith(kinds.TIFF):
        from tintype.formats import tiff  # tifffile takes a tenth of a second to import

        return tiff.load(stream, options)
    if options.page not in (None, 1):
        raise PhotoError(
            f"expected a TIFF for page {options.page}, found another file; leave it out"
        )
    try:
        image = open_extra(stream, head, options) or pillow.open_image(stream, *kinds.READABLE)
    except UnidentifiedImageError as error:
        kind = kinds.name_kind(head, suffix)
        raise PhotoError(
            f"expected an image ({kinds.ACCEPTED}), found {kind.name}; {kind.advice}",
            kind="no-image",
        ) from error
    try:
        found = pillow.load(image, options, stream)
    except OSError as error:
        if image.format not in ("JPEG", "MPO") or error.errno is not None:
            raise
        stream.seek(0)
        return jpeg.mend(stream.read(), options)
    find_bits(found, stream)
    if image.format == "PNG":
        png.read_deep(found, stream)
        png.show_as_srgb(found, stream)
    if image.format == "AVIF":
        with suppress(IndexError, KeyError, struct.error):  # broken boxes that Pillow does not need
            box = isobmff.read_clean_aperture(stream, image.size)
            found.image = image if box is None else image.crop(box)
    return found


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
    raise PhotoError(f"expected {expected}, found {found}; convert it")
