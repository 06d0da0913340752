"""Photo files: read any common photo as a gray plane, write colored ones safely.

source ──formats.decode──▶ upright sRGB ──▶ Photo ──▶ colors ──write──▶ file
"""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from tintype.errors import PhotoError, explain, fail
from tintype.files import open_whole
from tintype.formats import deep, halved, layered
from tintype.formats.decode import Source, decode
from tintype.formats.document import is_document
from tintype.formats.halved import Halved
from tintype.formats.layered import Layered
from tintype.formats.pillow import ReadOptions, open_image
from tintype.formats.pixels import is_colorful
from tintype.metadata import Embedding, Metadata, Provenance, embed

__all__ = [
    "DEFAULT_MAX_PIXELS", "SUFFIXES", "Photo", "Source", "check_depth", "format_of", "read",
    "read_rgb", "write",
]  # fmt: skip

BOX = Image.Resampling.BOX

# 200 million pixels are a 4x5 inch plate at 3200 dpi; Pillow needs 4 bytes for each of them.
DEFAULT_MAX_PIXELS = 200_000_000

_FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
    ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP", ".avif": "AVIF",
}  # fmt: skip
SUFFIXES = frozenset(_FORMATS)  # of photos, in lower case
_LOSSY = {"JPEG": 95, "WEBP": 95, "AVIF": 90}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"subsampling": 0},
    "PNG": {"compress_level": 2},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "WEBP": {},
    "AVIF": {"subsampling": "4:4:4"},
}

_UNFIT = "a size that it cannot hold; choose another format"

# Of JPEG: luma in steps of 2, chroma as at quality 90 (ITU-T T.81, table K.2).
_FAITHFUL = [
    [2] * 64,
    [3, 4, 5, 9, *[20] * 4, 4, 4, 5, 13, *[20] * 4, 5, 5, 11, *[20] * 5, 9, 13, *[20] * 38],
]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo as the colorizer wants it: upright, gray, with what the colored file must keep.

    luma: (H, W) uint8, read-only, Rec. 601 luma of the sRGB photo, 0 black to 255 white.
    alpha: (H, W) uint8, read-only, 0 transparent to 255 opaque, or None if all is opaque.
    bits: of a sample in the source.
    deep: (H, W) uint16, luma of photos of more bits, 65535 white; None where it was not read.
    deep_alpha: (H, W) uint16, alpha of such photos, 65535 opaque; None where alpha's is all.
    metadata: what the file says about its photo, for a new file.
    format: Pillow's name of the source's format, None for an image from memory.
    colorful: the source had real colors already, more than the one tint of a toned print.
    missing: (H, W) bool, where a file that was cut has no picture, of any size, else None.
    notes: what people should know of how it was read, each a part of a line.
    """

    luma: np.ndarray
    alpha: np.ndarray | None
    format: str | None
    colorful: bool
    metadata: Metadata = field(default_factory=Metadata)
    bits: int = 8
    deep: np.ndarray | None = None
    deep_alpha: np.ndarray | None = None
    missing: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.luma.shape[1], self.luma.shape[0]

    @property
    def planes(self) -> list[np.ndarray]:
        """All that it holds pixels in."""
        every = (self.luma, self.alpha, self.deep, self.deep_alpha, self.missing)
        return [plane for plane in every if plane is not None]

    def shrunk(self, side: int) -> "Photo":
        """The same photo with neither side above `side` pixels, by area means; for previews."""
        scale = side / max(self.size)
        if scale >= 1:
            return self
        size = [max(1, round(scale * length)) for length in self.size]

        def small(plane: np.ndarray) -> np.ndarray:
            return np.asarray(Image.fromarray(plane).resize((size[0], size[1]), BOX))

        alpha = None if self.alpha is None else small(self.alpha)
        return replace(self, luma=small(self.luma), alpha=alpha, bits=8, deep=None, deep_alpha=None)


def read(
    source: Source,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    page: int | None = None,
    salvage: bool = False,
) -> Photo:
    """Read a photo from a path, encoded bytes, a binary stream, a PIL image or an array.

    source: an array is uint8 (H, W), (H, W, 3) or (H, W, 4), uint16 (H, W), or float of these
        three shapes in 0..1; gray, RGB or RGBA. Of an animation the first frame is read.
    page: of a TIFF, from 1, thumbnails not counted; by default its largest picture
    salvage: whether a JPEG that is cut is read as far as it goes; the rest is gray
    Raises PhotoError if the source is not such an image, is broken, or has over `max_pixels`.
    """
    found = decode(source, ReadOptions(max_pixels, page, salvage))
    image, alpha, format = found.image, found.alpha, found.format
    luma = np.asarray(image if image.mode == "L" else image.convert("L"))
    hints = ["looks like a page of text, not a photo"] if is_document(luma) else []
    return Photo(
        luma=luma,
        alpha=None if alpha is None else np.asarray(alpha),
        format="JPEG" if format == "MPO" else format,
        colorful=is_colorful(image, alpha),
        metadata=found.metadata,
        bits=found.bits,
        deep=found.deep,
        deep_alpha=found.deep_alpha,
        missing=found.missing,
        notes=(*found.notes, *hints),
    )


def read_rgb(
    source: Source,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_side: int | None = None,
    strict: bool = False,
) -> np.ndarray:
    """Read the colors of a photo, from the same sources as `read`.

    strict: refuse what leaves the colors unknown: CMYK without a profile, a broken profile
    Returns (H, W, 3) uint8 sRGB, shrunk so that neither side is above `max_side`.
    Raises PhotoError like `read`, and ProfileError, which is one, if `strict`.
    """
    image = decode(source, ReadOptions(max_pixels, strict=strict)).image.convert("RGB")
    if max_side is not None:
        image.thumbnail((max_side, max_side), BOX)
    return np.asarray(image)


def format_of(path: str | os.PathLike[str]) -> str:
    """Pillow's name of the format that the extension of `path` stands for.

    Raises PhotoError if it is none of those that `write` can make.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        expected = f"expected an extension of {', '.join(_FORMATS)}"
        fail(os.fspath(path), f"{expected}, found {suffix or 'none'}; rename it")
    return _FORMATS[suffix]


def write(
    image: Image.Image | Halved | Layered,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    like: Photo | None = None,
    format: str | None = None,
    quality: int | None = None,
    depth: int | None = None,
    overwrite: bool = False,
    strip_metadata: bool = False,
    provenance: Provenance | None = None,
) -> tuple[str, ...]:
    """Write a colored photo to a path, whole or not at all, or to a binary stream.

    image: mode RGB or YCbCr; a JPEG takes the YCbCr planes as they are, and halved ones, a TIFF
        layers
    like: the photo it was made from; gives alpha, and metadata unless `strip_metadata`.
    provenance: what the file says of itself, beside the photo's metadata.
    format: Pillow's name; for a path the default is its extension, a stream needs one.
    quality: 1..100 for JPEG, WebP and AVIF; PNG and TIFF lose nothing. JPEG's default is luma in
        steps of 2 and chroma as at quality 90: of four photos it kept 98.8 to 99.9 % of the luma
        within 1/255 at 1.1 to 1.2 times the size of quality 95, which kept 73 to 80 %. WebP and
        AVIF default to 95 and 90.
    depth: 8, or of TIFF and PNG 16 bits a sample, with the luma of `like.deep`; by default 16 where
        there is one and the image is YCbCr
    Returns notes on what the format cannot hold, each a part of a line.
    Raises PhotoError if the target exists and not `overwrite`, or cannot hold the image.
    """
    notes = list[str]()
    if isinstance(target, (str, os.PathLike)):
        name, format = os.fspath(target), format or format_of(target)
    else:
        name = "the stream"
    options = _options(name, format, quality)
    if isinstance(image, Halved) and format != "JPEG":
        image = image.merge()
    embedding = Embedding({})
    depth = _choose_depth(name, image, options["format"], like, depth, notes)
    if like is not None and not strip_metadata:
        embedding = embed(like.metadata, options["format"], image.size, notes, provenance)
    _check_size(name, image, options["format"], like)
    save: Callable[[BinaryIO], None]
    if isinstance(image, Halved):
        save = partial(halved.save, image, options=options | embedding.options)
    elif isinstance(image, Layered):
        save = partial(layered.save, image, embedding=embedding)
        embedding = Embedding({})  # the other was finished by then
    elif depth == 8:
        image = _ready(image, options["format"], None if like is None else like.alpha)
        save = partial(image.save, **options, **embedding.options)
    else:
        values = _deepen(image, like)
        save = partial(deep.save, values=values, format=options["format"], embedding=embedding)
    try:
        if isinstance(target, (str, os.PathLike)):
            with open_whole(target, overwrite=overwrite) as file:
                save(file)
                embedding.finish(file)
                _check_readable(name, file, options["format"], image.size)
        else:
            buffer = io.BytesIO()  # an encoder may seek, and may fail half-way
            save(buffer)
            embedding.finish(buffer)
            _check_readable(name, buffer, options["format"], image.size)
            target.write(buffer.getbuffer())
    except IsADirectoryError as error:
        what = "expected a file to overwrite, found a folder or a device; rename it"
        fail(name, what, error)
    except FileExistsError as error:
        fail(name, "expected a new file, found one; rename it or allow overwriting", error)
    except PhotoError:
        raise
    except Exception as error:  # an encoder that refuses a size, a full disk, a closed stream
        fail(name, f"expected to write {options['format']}, {explain(error, _UNFIT)}", error)
    return tuple(notes)


def _check_readable(name: str, file: BinaryIO, format: str, size: tuple[int, int]) -> None:
    """Raise PhotoError where an AVIF, which was seen once, cannot be read back as it was meant."""
    if format != "AVIF":
        return
    try:
        file.flush()
        file.seek(0)
        image = open_image(file, format)
        image.load()
        same = image.size == size
    except Exception:  # whatever libavif says of it
        same = False
    if not same:
        fail(name, "expected an AVIF that can be read back, made none; choose another format")


def _options(name: str, format: str | None, quality: int | None) -> dict[str, Any]:
    """What Pillow's `save` gets for a format: little loss of luma at a usual size."""
    if format is None or format not in _OPTIONS:
        fail(name, f"expected a format of {', '.join(_OPTIONS)}, found {format}; pass format=...")
    if quality is not None and not 1 <= quality <= 100:
        fail(name, f"expected a quality of 1 to 100, found {quality}; choose one in between")
    options = {"format": format} | _OPTIONS[format]
    if quality is None and format == "JPEG":
        options["qtables"] = _FAITHFUL
    elif format in _LOSSY:
        options["quality"] = quality or _LOSSY[format]
    return options


def _choose_depth(
    name: str,
    image: Image.Image | Halved | Layered,
    format: str,
    like: Photo | None,
    depth: int | None,
    notes: list[str],
) -> int:
    """Bits to write a sample with: 8 or 16; and a note where more are lost that nobody gave up."""
    check_depth(name, format, depth)
    wanted = depth or (16 if image.mode == "YCbCr" else 8)
    if wanted == 8 or like is None or like.bits <= 8:
        return depth or 8
    if format in deep.FORMATS and like.deep is not None:
        return 16
    lost = f"its {like.bits} bits became 8"
    if format not in deep.FORMATS:
        notes.append(f"{lost}, all that is written of {format}")
    elif find_spec("imagecodecs") is None:
        notes.append(f"{lost}; pip install 'tintype[archival]' to keep 16")
    else:
        notes.append(f"{lost}: colors of its kind are read with 8")
    return depth or 8


def check_depth(name: str, format: str, depth: int | None) -> None:
    """Raise PhotoError where a format does not hold so many bits a sample."""
    if depth not in (None, 8, 16):
        fail(name, f"expected a depth of 8 or 16, found {depth}; choose one of them")
    if depth == 16 and format not in deep.FORMATS:
        fail(name, f"expected TIFF or PNG for 16 bits, found {format}; choose one, or a depth of 8")


def _check_size(
    name: str, image: Image.Image | Halved | Layered, format: str, like: Photo | None
) -> None:
    """Refuse an image that does not fit a format or the photo it was made from."""
    if image.mode not in ("RGB", "YCbCr"):
        fail(name, f"expected an image of mode RGB or YCbCr, found {image.mode}; convert it")
    if like is None:
        return
    if like.alpha is not None and format == "JPEG":
        fail(name, "expected a format that keeps transparency, found JPEG; choose .png or .webp")
    if (like.alpha is not None or like.deep is not None) and like.size != image.size:
        size, found = (f"{width} x {height}" for width, height in (like.size, image.size))
        fail(name, f"expected the photo's size {size}, found {found}")


def _ready(image: Image.Image, format: str, alpha: np.ndarray | None) -> Image.Image:
    """The image as the encoder takes it: with alpha, and without what other files left in it."""
    if format != "JPEG" and image.mode == "YCbCr":
        image = image.convert("RGB")
    if alpha is not None or image.info:
        image = image.copy()
        image.info = {}  # Pillow would write the source's ICC profile, comments and XMP
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def _deepen(image: Image.Image, like: Photo | None) -> np.ndarray:
    """RGB or RGBA in 16 bits, (H, W, 3 or 4) uint16: an image's chroma and a photo's luma."""
    chroma = image if image.mode == "YCbCr" else image.convert("YCbCr")
    luma = None if like is None else like.deep
    if luma is None:
        luma = np.asarray(chroma.getchannel("Y")).astype(np.uint16) * 257
    alpha = None if like is None else like.deep_alpha
    if alpha is None and like is not None and like.alpha is not None:
        alpha = like.alpha.astype(np.uint16) * 257
    return deep.join(luma, chroma, alpha)
