"""Photo files: read any common photo as a gray plane, write colored ones safely.

    source ──_load──▶ image ──flatten──▶ gray or RGB + alpha ──to_srgb──▶ ──upright──▶ Photo

Nothing here depends on a file being honest: sizes are checked before pixels are decoded, and
whatever a broken file provokes inside Pillow comes out as one `PhotoError` of one line.
"""

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from PIL import Image, UnidentifiedImageError

from tintype import metadata
from tintype.errors import PhotoError
from tintype.files import open_whole

Source = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray

BOX = Image.Resampling.BOX

# 200 million pixels are a 4x5 inch plate at 3200 dpi; Pillow needs 4 bytes for each of them.
DEFAULT_MAX_PIXELS = 200_000_000

_ACCEPTED = "JPEG, PNG, TIFF, WebP or AVIF"
_READABLE = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP")  # MPO comes as JPEG
_FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF",
    ".webp": "WEBP", ".avif": "AVIF",
}  # fmt: skip
_LOSSY = {"JPEG": 95, "WEBP": 95, "AVIF": 90}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"subsampling": 0},
    "PNG": {"compress_level": 2},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "WEBP": {},
    "AVIF": {"subsampling": "4:4:4"},
}

# Of JPEG: luma in steps of 2, chroma as at quality 90 (ITU-T T.81, table K.2).
_FAITHFUL = [
    [2] * 64,
    [3, 4, 5, 9, *[20] * 4, 4, 4, 5, 13, *[20] * 4, 5, 5, 11, *[20] * 5, 9, 13, *[20] * 38],
]

# Pillow's size limit and Python's warning filters belong to the whole process.
_PILLOW = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo as the colorizer wants it: upright, gray, with what the colored file must keep.

    luma: (H, W) uint8, read-only, Rec. 601 luma of the sRGB photo, 0 black to 255 white.
    alpha: (H, W) uint8, read-only, 0 transparent to 255 opaque, or None if all is opaque.
    exif: for a new file: orientation 1, no thumbnail; None if there was none.
    format: Pillow's name of the source's format, None for an image from memory.
    colorful: the source had real colors already, more than the one tint of a toned print.
    dpi: dots per inch, horizontal and vertical, if the source says so.
    """

    luma: np.ndarray
    alpha: np.ndarray | None
    exif: bytes | None
    format: str | None
    colorful: bool
    dpi: tuple[float, float] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.luma.shape[1], self.luma.shape[0]

    def shrunk(self, side: int) -> "Photo":
        """The same photo with neither side above `side` pixels, by area means; for previews."""
        scale = side / max(self.size)
        if scale >= 1:
            return self
        size = [max(1, round(scale * length)) for length in self.size]

        def small(plane: np.ndarray) -> np.ndarray:
            return np.asarray(Image.fromarray(plane).resize((size[0], size[1]), BOX))

        alpha = None if self.alpha is None else small(self.alpha)
        return replace(self, luma=small(self.luma), alpha=alpha)


def read(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Read a photo from a path, encoded bytes, a binary stream, a PIL image or an array.

    source: an array is uint8 (H, W), (H, W, 3) or (H, W, 4), uint16 (H, W), or float of these
        three shapes in 0..1; gray, RGB or RGBA. Of an animation the first frame is read.
    Raises PhotoError if the source is not such an image, is broken, or has over `max_pixels`.
    """
    plain, alpha, exif, image = _decode(source, max_pixels)
    return Photo(
        luma=np.asarray(plain if plain.mode == "L" else plain.convert("L")),
        alpha=None if alpha is None else np.asarray(alpha),
        exif=exif,
        format="JPEG" if image.format == "MPO" else image.format,
        colorful=metadata.is_colorful(plain, alpha),
        dpi=metadata.read_dpi(image),
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
    image = _decode(source, max_pixels, strict=strict)[0].convert("RGB")
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
        _fail(os.fspath(path), f"{expected}, found {suffix or 'none'}; rename it")
    return _FORMATS[suffix]


def write(
    image: Image.Image,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    like: Photo | None = None,
    format: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    strip_metadata: bool = False,
) -> None:
    """Write a colored photo to a path, whole or not at all, or to a binary stream.

    image: mode RGB or YCbCr; a JPEG takes the YCbCr planes as they are.
    like: the photo it was made from; gives alpha, and EXIF and dpi unless `strip_metadata`.
    format: Pillow's name; for a path the default is its extension, a stream needs one.
    quality: 1..100 for JPEG, WebP and AVIF; PNG and TIFF lose nothing. JPEG's default is luma in
        steps of 2 and chroma as at quality 90: of four photos it kept 98.8 to 99.9 % of the luma
        within 1/255 at 1.1 to 1.2 times the size of quality 95, which kept 73 to 80 %. WebP and
        AVIF default to 95 and 90.
    Raises PhotoError if the target exists and not `overwrite`, or cannot hold the image.
    """
    if isinstance(target, (str, os.PathLike)):
        name, format = os.fspath(target), format or format_of(target)
    else:
        name = "the stream"
    options = _options(name, format, quality)
    if like is not None and not strip_metadata:
        options |= metadata.save_options(like.exif, like.dpi, options["format"])
    image = _ready(name, image, options["format"], None if like is None else like.alpha)
    try:
        if isinstance(target, (str, os.PathLike)):
            with open_whole(target, overwrite=overwrite) as file:
                image.save(file, **options)
        else:
            buffer = io.BytesIO()  # an encoder may seek, and may fail half-way
            image.save(buffer, **options)
            target.write(buffer.getbuffer())
    except IsADirectoryError as error:
        what = "expected a file to overwrite, found a folder or a device; rename it"
        _fail(name, what, error)
    except FileExistsError as error:
        _fail(name, "expected a new file, found one; rename it or allow overwriting", error)
    except PhotoError:
        raise
    except Exception as error:  # an encoder that refuses a size, a full disk, a closed stream
        _fail(name, f"expected to write {options['format']}, {_why(error)}", error)


def _decode(
    source: Source, max_pixels: int, *, strict: bool = False
) -> tuple[Image.Image, Image.Image | None, bytes | None, Image.Image]:
    """The upright sRGB photo (mode L or RGB), its alpha (mode L), its EXIF, and its source."""
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the image"
    try:
        with _open(source, name) as opened:
            image, exif, orientation = _load(opened, name, max_pixels)
        plain, alpha = metadata.flatten(image)
        plain = metadata.to_srgb(plain, image.info.get("icc_profile"), strict=strict)
        plain = metadata.upright(plain, orientation)
        alpha = None if alpha is None else metadata.upright(alpha, orientation)
        return plain, alpha, exif, image
    except PhotoError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever the broken bytes provoke
        _fail(name, f"expected an image ({_ACCEPTED}), {_why(error)}", error)


def _open(source: Source, name: str) -> AbstractContextManager[BinaryIO | Image.Image]:
    """A stream that can seek, or an image; closed afterwards if it was opened here."""
    if isinstance(source, (str, os.PathLike)):
        return Path(source).open("rb")
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, (np.ndarray, Image.Image)):
        return nullcontext(_from_array(source) if isinstance(source, np.ndarray) else source)
    if not hasattr(source, "read"):
        _fail(name, f"expected a path, bytes, stream, image or array, found {source!r:.80}")
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
        _fail(name, f"expected 1 to {max_pixels:,} pixels, found {found}")
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
        _fail(name, f"expected an image ({_ACCEPTED}), found {found}", error)


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


def _options(name: str, format: str | None, quality: int | None) -> dict[str, Any]:
    """What Pillow's `save` gets for a format: little loss of luma at a usual size."""
    if format is None or format not in _OPTIONS:
        _fail(name, f"expected a format of {', '.join(_OPTIONS)}, found {format}; pass format=...")
    if quality is not None and not 1 <= quality <= 100:
        _fail(name, f"expected a quality of 1 to 100, found {quality}; choose one in between")
    options = {"format": format} | _OPTIONS[format]
    if quality is None and format == "JPEG":
        options["qtables"] = _FAITHFUL
    elif format in _LOSSY:
        options["quality"] = quality or _LOSSY[format]
    return options


def _ready(name: str, image: Image.Image, format: str, alpha: np.ndarray | None) -> Image.Image:
    """The image as the encoder takes it: with alpha, and without what other files left in it."""
    if image.mode not in ("RGB", "YCbCr"):
        _fail(name, f"expected an image of mode RGB or YCbCr, found {image.mode}; convert it")
    if alpha is not None and format == "JPEG":
        _fail(name, "expected a format that keeps transparency, found JPEG; choose .png or .webp")
    if alpha is not None and alpha.shape != (image.height, image.width):
        size = f"{alpha.shape[1]} x {alpha.shape[0]}"
        _fail(name, f"expected the photo's size {size}, found {image.width} x {image.height}")
    if format != "JPEG" and image.mode == "YCbCr":
        image = image.convert("RGB")
    if alpha is not None or image.info:
        image = image.copy()
        image.info = {}  # Pillow would write the source's ICC profile, comments and XMP
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def _why(error: Exception) -> str:
    """What came and what to do, from an error of the system or of Pillow."""
    if isinstance(error, OSError) and error.strerror:
        return f"found: {error.strerror}; check the path, its rights and the free space"
    reason = str(error) or type(error).__name__
    return f"found: {reason}; check that the file is whole and of a usual size"


def _fail(name: str, what: str, cause: Exception | None = None) -> NoReturn:
    """Raise a PhotoError of one line."""
    raise PhotoError(" ".join(f"{name}: {what}".splitlines())) from cause
