"""HEIC and JPEG XL, each by a Pillow plugin of an extra."""

import importlib
from importlib.util import find_spec
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from tintype.errors import PhotoError
from tintype.formats import kinds, pillow
from tintype.formats.pillow import ReadOptions

HEIF, JPEG_XL = "pillow_heif", "pillow_jxl"  # the plugins
# Of names, and the extra that reads such photos.
EXTRAS = {".heic": "heif", ".heif": "heif", ".hif": "heif", ".jxl": "jxl"}
_PLUGINS = {"heif": HEIF, "jxl": JPEG_XL}
_DAMAGED = "expected a whole photo, found a damaged {} photo; take another copy of it"
# Of width to height, by the code in JPEG XL's size header (ISO/IEC 18181-1).
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def list_suffixes() -> frozenset[str]:
    """The suffixes of names whose photos an extra reads that is installed; none is imported."""
    there = {extra for extra, plugin in _PLUGINS.items() if find_spec(plugin) is not None}
    return frozenset(suffix for suffix, extra in EXTRAS.items() if extra in there)


def open_extra(stream: BinaryIO, head: bytes, options: ReadOptions) -> Image.Image | None:
    """An image whose format an extra reads; None where it is another, or the extra is missing.

    Raises PhotoError where it is damaged or too large, and what the plugins raise.
    """
    heif = kinds.is_heif(head)
    if not heif and not kinds.is_jpeg_xl(head):
        return None
    try:
        plugin = importlib.import_module(HEIF if heif else JPEG_XL)
    except ImportError:
        return None
    try:
        if heif:
            plugin.register_heif_opener(thumbnails=False)
            image = pillow.open_image(stream, "HEIF")
        else:
            size, bits = _read_head_of_jpeg_xl(stream.read())
            options.check_size(size)  # the plugin decodes when it opens
            stream.seek(0)
            image = pillow.open_image(stream, "JXL")
            image.info["bit_depth"] = bits  # as pillow-heif calls it
    except UnidentifiedImageError as error:
        raise PhotoError(_DAMAGED.format("HEIC" if heif else "JPEG XL")) from error
    image.info = {name: value for name, value in image.info.items() if value is not None}
    return image


def _read_head_of_jpeg_xl(content: bytes) -> tuple[tuple[int, int], int]:
    """The width and height that a file claims, and the bits of a sample.

    Raises PhotoError where it claims none. Source: ISO/IEC 18181-1, annex D.
    """
    start = 0
    if not content.startswith(b"\xff\x0a"):
        for box, skip in ((b"jxlc", 4), (b"jxlp", 8)):
            at = content.find(box, 12, 1 << 20)
            if at > 0:
                start = at + skip
                break
    head = content[start : start + 32]
    if not head.startswith(b"\xff\x0a"):
        raise PhotoError(_DAMAGED.format("JPEG XL"))
    bits, small = int.from_bytes(head[2:], "little"), 0

    def take(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    def length() -> int:
        return 8 * (take(5) + 1) if small else take((9, 13, 18, 30)[take(2)]) + 1

    def read_size() -> tuple[int, int]:
        nonlocal small
        small = take(1)
        height = length()
        ratio = take(3)
        if ratio:
            across, down = _RATIOS[ratio]
            return height * across // down, height
        return length(), height

    claimed = read_size()
    if take(1):  # all that follows is as usual
        return claimed, 8
    if take(1):
        take(3)  # orientation
        if take(1):
            read_size()  # that it is to be shown in
        if take(2):  # a preview, an animation
            return claimed, 8
    numbers = (32, 16, 24) if take(1) else (8, 10, 12)
    kind = take(2)
    return claimed, numbers[kind] if kind < 3 else 1 + take(6)
