"""TIFF: which of a file's pictures to read, and those that Pillow gets wrong or cannot read.

    directories ──list_pages──▶ the largest, or the one asked for ──▶ Pillow or tifffile

Thumbnails, masks and the raw data of cameras are directories like pages; SubIFDs hold pages too.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from importlib.util import find_spec
from itertools import islice
from typing import BinaryIO

import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

from tintype import metadata
from tintype.errors import PhotoError
from tintype.formats import pillow
from tintype.formats.pillow import Loaded, ReadOptions, silence_loggers
from tintype.formats.pixels import scale
from tintype.formats.tiff_limits import MOST_DIRECTORIES, check_directories
from tintype.metadata import Metadata

_BYTES = 8  # of memory for each pixel that is allowed: RGBA of 16 bits
_RAW = (32803, 34892)  # color filter array, linear raw (DNG 1.7)
_GRAY, _RGB, _INDEXED, _CMYK = (0, 1), 2, 3, 5
_PLAIN, _JPEG = 1, (6, 7)
_MULTIPLIED, _TRANSPARENT = 1, 2  # kinds of alpha, among the extra samples
# Compressions of the extra [archival]; all are decoded into memory of a known size.
_ARCHIVAL = {5: "LZW", 8: "deflate", 32946: "deflate", 32773: "PackBits", 50000: "Zstandard"}


@dataclass(frozen=True, eq=False)
class Page:
    """One picture of a file.

    parent: the offset of the directory whose metadata count: of a SubIFD the one that it is in
    jpeg: the place and length of a whole JPEG, as cameras keep previews; None of other pages
    """

    directory: tifffile.TiffPage
    parent: int
    size: tuple[int, int]
    jpeg: tuple[int, int] | None = None

    @property
    def area(self) -> int:
        """Pixels."""
        return self.size[0] * self.size[1]

    @property
    def is_small_copy(self) -> bool:
        """Whether the file says that it is a thumbnail or a smaller copy of another."""
        return bool(self.directory.is_reduced)


@dataclass(frozen=True, eq=False)
class Pages:
    """What a file holds.

    pictures: all that can be shown, in the file's order; raw: the size of a camera's raw data
    """

    pictures: list[Page]
    raw: tuple[int, int]

    @property
    def numbered(self) -> list[Page]:
        """The pages as people count them, from 1: without thumbnails and smaller copies."""
        return [page for page in self.pictures if not page.is_small_copy] or self.pictures

    def choose(self, number: int | None) -> tuple[Page, list[str]]:
        """The page of a number, or the largest; and notes for people. Raises PhotoError."""
        numbered = self.numbered
        if not numbered:
            raise PhotoError("expected a picture in the TIFF, found none; develop or convert it")
        if number is not None:
            if number > len(numbered):
                raise PhotoError(f"expected page 1 to {len(numbered)}, found page {number}")
            return numbered[number - 1], []
        page = max(self.pictures, key=lambda page: page.area)
        size = f"{page.size[0]} x {page.size[1]}"
        if page.area * 4 < self.raw[0] * self.raw[1]:
            raise PhotoError(
                f"expected a developed photo, found a camera's raw data and a preview of {size}; "
                "develop it to TIFF or JPEG first"
            )
        if self.raw != (0, 0):
            return page, [f"the camera's own picture ({size}) is colored, not its raw data"]
        if len(numbered) > 1:
            place = f"page {numbered.index(page) + 1}" if page in numbered else "a preview"
            return page, [
                f"has {len(numbered)} pages; the largest, {place} ({size}), is colored; --page N "
                "or all colors others"
            ]
        if page is not self.pictures[0]:
            return page, [f"the largest picture in it ({size}) is colored, not the first"]
        return page, []


def load(stream: BinaryIO, options: ReadOptions) -> Loaded:
    """The page of a TIFF that is asked for. Raises PhotoError and what decoders raise."""
    check_directories(stream)
    stream.seek(0)
    silence_loggers()
    try:
        file = tifffile.TiffFile(stream)
    except Exception:  # struct, index, key and type errors: whatever the broken bytes provoke
        return pillow.load(pillow.open_image(stream, "TIFF"), options, stream)
    with file:  # the stream stays open
        page, notes = list_pages(file).choose(options.page)
        options.check_size(page.size)
        about, profile = metadata.read_directory(stream, page.parent, notes)
        simple = _open_by_pillow(stream, file, page)
        if simple is None:
            found = _decode(page, about, options.max_pixels)
            found.image.info["icc_profile"] = profile
            found.notes = notes
            return found
        found = pillow.load(simple, options, None)
        turned = simple.format == "TIFF" and page.directory.tags.get(274) is not None
        if found.orientation == 1 and not turned:
            found.orientation = about.orientation
        found.image.info.setdefault("icc_profile", profile)
        bits = 8 if page.jpeg is not None else page.directory.bitspersample
        return Loaded(found.image, about, "TIFF", found.orientation, bits, notes=notes)


def count_pages(stream: BinaryIO) -> int:
    """How many pages a TIFF has that can be asked for; 1 where that cannot be told."""
    try:
        check_directories(stream)
        stream.seek(0)
        with tifffile.TiffFile(stream) as file:
            return max(1, len(list_pages(file).numbered))
    except Exception:  # whatever the broken bytes provoke: said when it is read
        return 1


def list_pages(file: tifffile.TiffFile) -> Pages:
    """The pictures of a file."""
    pictures, raw = [], (0, 0)
    for directory, parent in islice(_walk(file), MOST_DIRECTORIES):
        size = (directory.imagewidth, directory.imagelength)
        if directory.is_mask:
            continue
        if directory.photometric in _RAW:
            raw = max(raw, size)
        elif (jpeg := _find_jpeg(file, directory)) is not None:
            pictures.append(Page(directory, parent, jpeg[0], jpeg[1]))
        elif size[0] * size[1] > 0:
            pictures.append(Page(directory, parent, size))
    return Pages(pictures, raw)


def _walk(file: tifffile.TiffFile) -> Iterator[tuple[tifffile.TiffPage, int]]:
    """Directories with the offset of the one in the main chain; what is broken ends it."""
    seen: set[int] = set()
    try:
        for index in range(MOST_DIRECTORIES):
            top = file.pages[index]
            if not isinstance(top, tifffile.TiffPage) or top.offset in seen:
                return
            seen.add(top.offset)
            yield top, top.offset
            for child in top.pages or ():
                if isinstance(child, tifffile.TiffPage) and child.offset not in seen:
                    seen.add(child.offset)
                    yield child, top.offset
    except (IndexError, ValueError, struct.error):  # tifffile's own errors are ValueErrors
        return


def _find_jpeg(
    file: tifffile.TiffFile, directory: tifffile.TiffPage
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The size of a whole JPEG in a directory, and its place and length; None without one."""
    try:
        values = [directory.tags.valueof(tag) for tag in (513, 514)]
        start, length = (value[0] if isinstance(value, tuple) else value for value in values)
        if directory.compression not in _JPEG or not start or not length:
            return None
        with Image.open(io.BytesIO(_cut(file, start, length)), formats=["JPEG"]) as image:
            return image.size, (start, length)
    except Exception:  # whatever the broken bytes provoke
        return None


def _cut(file: tifffile.TiffFile, start: int, length: int) -> bytes:
    file.filehandle.seek(start)
    return bytes(file.filehandle.read(length))


def _open_by_pillow(stream: BinaryIO, file: tifffile.TiffFile, page: Page) -> Image.Image | None:
    """The image of a page, not decoded; None where Pillow cannot read it, or gets it wrong."""
    if page.jpeg is not None:
        return pillow.open_image(io.BytesIO(_cut(file, *page.jpeg)), "JPEG")
    if not _is_pillow_right(page.directory) and not _is_pillow_near(page.directory):
        return None
    if page.directory.offset == file.pages.first.offset:
        stream.seek(0)
        return pillow.open_image(stream, "TIFF")
    whole = _whole(file)
    _lead_to(whole, file, page.directory.offset)
    return pillow.open_image(io.BytesIO(whole), "TIFF")


def _is_pillow_right(page: tifffile.TiffPage) -> bool:
    """Whether Pillow reads such pages, and as others do."""
    bits, samples = page.bitspersample, page.samplesperpixel
    if page.compression not in TiffImagePlugin.COMPRESSION_INFO:
        return False
    if page.sampleformat in (2, 3):
        return samples == 1 and bits == 32 and page.photometric in _GRAY
    if page.photometric == _INDEXED:
        colors = page.colormap
        return colors is None or (samples == 1 and int(colors.max()) > 255)
    if bits in (12, 16):
        return samples == 1 and page.photometric in _GRAY
    return bits <= 8 and not (samples == 2 and page.planarconfig == 2)


def _is_pillow_near(page: tifffile.TiffPage) -> bool:
    """Whether Pillow reads 8 bits of RGB of 16, and nobody else does without the extra."""
    plain = page.sampleformat == 1 and page.bitspersample == 16 and page.photometric == _RGB
    known = page.compression in TiffImagePlugin.COMPRESSION_INFO and page.compression != _PLAIN
    samples = (page.samplesperpixel, *page.extrasamples) in ((3,), (4, 0), (4, _TRANSPARENT))
    together = page.planarconfig == 1 and samples
    return plain and known and together and find_spec("imagecodecs") is None


def _decode(page: Page, about: Metadata, max_pixels: int) -> Loaded:
    """The pixels of a page that Pillow cannot read, in 8 bits and, but for inks, in 16.

    Raises PhotoError.
    """
    directory = page.directory
    color = directory.photometric
    if color not in (*_GRAY, _RGB, _INDEXED, _CMYK):
        raise PhotoError(
            f"expected a TIFF in gray, RGB or CMYK, found {_name(color, tifffile.PHOTOMETRIC)}; "
            "convert it to RGB"
        )
    name = _ARCHIVAL.get(directory.compression)
    if directory.compression != _PLAIN:
        if name is None:
            raise PhotoError(
                f"expected a TIFF of usual compression, found "
                f"{_name(directory.compression, tifffile.COMPRESSION)}; convert it to deflate"
            )
        if find_spec("imagecodecs") is None:
            raise PhotoError(
                f"expected a TIFF without compression, found {directory.bitspersample} bits with "
                f"{name}; pip install 'tintype[archival]' to read it, or convert it"
            )
    tile = directory.tilewidth * directory.tilelength * directory.samplesperpixel
    depth = (directory.bitspersample + 7) // 8
    if max(directory.nbytes, tile * depth) > _BYTES * max_pixels:
        raise PhotoError(
            f"expected at most {_BYTES * max_pixels:,} bytes of pixels, found "
            f"{max(directory.nbytes, tile * depth):,}; shrink it, or see {pillow.MORE}"
        )
    values = directory.asarray(maxworkers=1)
    if directory.planarconfig == 2 and directory.samplesperpixel > 1:
        values = np.moveaxis(values, 0, -1)
    height, width = page.size[1], page.size[0]
    values = values.reshape(height, width, -1)
    if color == _INDEXED:
        colors = directory.colormap
        assert colors is not None  # else Pillow's
        image = _image(np.moveaxis(colors.astype(np.uint8)[:, values[..., 0]], 0, -1), "RGB")
        return Loaded(image, about, "TIFF", about.orientation)
    inks = {_RGB: 3, _CMYK: 4}.get(color, 1)
    white = _white(directory)
    plain = scale(values[..., :inks], white, np.uint8)
    plain = 255 - plain if color == 0 else plain
    kind = directory.extrasamples[0] if directory.extrasamples and inks != 4 else None
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[inks]
    opaque = kind not in (_MULTIPLIED, _TRANSPARENT)
    if not opaque:
        alpha = scale(values[..., inks : inks + 1], white, np.uint8)
        if kind == _MULTIPLIED:  # colors are multiplied by alpha
            shares = np.maximum(alpha, 1).astype(np.float32) / 255
            plain = np.minimum(plain / shares + 0.5, 255).astype(np.uint8)
        plain, mode = np.concatenate([plain, alpha], axis=-1), "LA" if inks == 1 else "RGBA"
    found = Loaded(_image(plain, mode), about, "TIFF", about.orientation, directory.bitspersample)
    if found.bits > 8 and inks != 4:
        found.deep = _deepen(values[..., :inks], white, negative=color == 0)
        if not opaque:
            found.deep_alpha = scale(values[..., inks], white, np.uint16)
            if kind == _MULTIPLIED:
                found.deep = _divide(found.deep, found.deep_alpha)
    return found


def _deepen(values: np.ndarray, white: float, *, negative: bool) -> np.ndarray:
    """Gray or RGB (H, W, 1 or 3) of any kind as (H, W) or (H, W, 3) uint16."""
    deep = scale(values, white, np.uint16)
    deep = deep[..., 0] if deep.shape[2] == 1 else deep
    return np.asarray(65535 - deep if negative else deep)


def _divide(deep: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Gray or RGB that was multiplied by alpha, (H, W) uint16, as it was before."""
    shares = np.maximum(alpha, 1).astype(np.float32) / 65535
    shares = shares if deep.ndim == 2 else shares[..., None]
    return np.asarray(np.minimum(deep / shares + 0.5, 65535), np.uint16)


def _white(page: tifffile.TiffPage) -> float:
    """The value that is white: of floats 1, else the largest that the bits hold."""
    bits = int(page.bitspersample)
    return {1: 2.0**bits - 1, 2: 2.0 ** (bits - 1) - 1}.get(int(page.sampleformat), 1.0)


def _image(values: np.ndarray, mode: str) -> Image.Image:
    """An image of (H, W, channels) uint8."""
    height, width = values.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(values).tobytes())


def _whole(file: tifffile.TiffFile) -> bytearray:
    file.filehandle.seek(0)
    return bytearray(file.filehandle.read())


def _lead_to(whole: bytearray, file: tifffile.TiffFile, offset: int) -> None:
    """Let a file's head lead to a directory as the first."""
    big = file.is_bigtiff
    struct.pack_into(file.byteorder + ("Q" if big else "I"), whole, 8 if big else 4, offset)


def _name(value: int, names: type[IntEnum]) -> str:
    try:
        return names(value).name
    except ValueError:
        return str(value) if isinstance(value, int) else "none"
