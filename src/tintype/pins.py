"""Pins as values, so that recipes can hold them: colors of one thing, beside the palette's edits.

A pin lies on a thing of a photo; a mask is a thing's outline that was drawn elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from tintype.bins import chroma_of
from tintype.errors import PaletteError
from tintype.files import is_special
from tintype.palette import Palette

if TYPE_CHECKING:
    from tintype.photo import Photo, Source

KEEP = "keep"  # instead of a color: what stays gray, whatever other pins say
AUTO = "auto"  # and what the palette gives, kept from other pins
MODERATE = 0.1  # OKLab chroma of hue:DEGREES, which says no chroma
MOST_PINS, MOST_MASKS = 64, 16  # of a recipe
MASK_PIXELS = 1 << 18  # a mask in a recipe has no more
MASK_CHUNKS = 1000  # of its PNG, which Pillow reads one by one
STRETCH = 0.02  # how far a mask's shape may be from the photo's, unsaid
HUGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_PIXELS = re.compile(r"[0-9]{1,6}px")


class _Pin:
    """What pins have in common with edits of palettes, which they leave alone."""

    KEYS: ClassVar[tuple[str, ...]]
    OPTIONAL: ClassVar[tuple[str, ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """What `read_edit` reads."""
        named = dict(zip(self.KEYS, vars(self).values(), strict=True))
        return {k: v for k, v in named.items() if v is not None or k not in self.OPTIONAL}

    def apply(self, palette: Palette) -> Palette:
        """The same palette."""
        return palette


@dataclass(frozen=True)
class At(_Pin):
    """The thing at a place gets a color, and no other thing does.

    place: x and y as shares, 0..1, of the upright photo's width and height, or "812px" from its
        left and its upper edge
    color: as elsewhere, gray, `KEEP` or `AUTO`; of hue:DEGREES it has a moderate chroma
    reach: how far it goes, 0 (a speck) .. 1 (all that is alike); None for as far as the thing
    """

    KEYS = ("at", "color", "reach")
    OPTIONAL = ("reach",)
    place: tuple[float | str, float | str]
    color: str
    reach: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", check_place(self.place))
        chroma_of_pin(self.color)
        if self.reach is None:
            return
        if not (_is_number(self.reach) and 0 <= self.reach <= 1):
            raise PaletteError(f"expected a reach between 0 and 1, found {self.reach!r:.80}")
        object.__setattr__(self, "reach", float(self.reach))

    def locate(self, size: tuple[int, int]) -> tuple[float, float]:
        """x and y, 0..1, on a photo of so many pixels. Raises PaletteError outside of it."""
        found = []
        for value, length in zip(self.place, size, strict=True):
            share = (float(value[:-2]) + 0.5) / length if isinstance(value, str) else float(value)
            if not 0 <= share <= 1:
                raise PaletteError(
                    f"expected a place on the photo of {size[0]} x {size[1]} pixels, found "
                    f"{self.place[0]},{self.place[1]}"
                )
            found.append(share)
        return found[0], found[1]

    def find_pixel(self, size: tuple[int, int]) -> tuple[int, int]:
        """The column and the row that it is on, of a photo of so many. Raises PaletteError."""
        (x, y), (wide, high) = self.locate(size), size
        return min(wide - 1, int(x * wide)), min(high - 1, int(y * high))


@dataclass(frozen=True)
class Mask(_Pin):
    """What is white in a mask gets a color.

    mask: a gray PNG in base64, white where the color shall be, stretched over the upright photo
    color: as of `At`
    """

    KEYS = ("mask", "color")
    mask: str
    color: str

    def __post_init__(self) -> None:
        read_mask(self.mask)
        chroma_of_pin(self.color)
        if self.color == AUTO:
            raise PaletteError(f"expected a color for a mask, found {AUTO!r}; leave the mask out")


@dataclass(frozen=True)
class Protect(_Pin):
    """What is white in a mask, as of `Mask`, stays gray, whatever palette and pins say."""

    KEYS = ("protect",)
    protect: str

    def __post_init__(self) -> None:
        read_mask(self.protect)


Pin = At | Mask | Protect


def check_place(place: Any) -> tuple[float | str, float | str]:
    """A place's x and y, each a share 0..1 or "812px". Raises PaletteError for anything else."""
    if isinstance(place, (list, tuple)) and len(place) == 2 and all(map(_is_coordinate, place)):
        x, y = (value if isinstance(value, str) else float(value) for value in place)
        return x, y
    raise PaletteError(
        f"expected a place X,Y on the photo, each 0..1 or pixels as 812px, found {place!r:.80}"
    )


def _is_coordinate(value: Any) -> bool:
    if isinstance(value, str):
        return _PIXELS.fullmatch(value) is not None
    return _is_number(value) and 0 <= value <= 1


def chroma_of_pin(color: str) -> np.ndarray:
    """OKLab chroma (2,) of a pin's color; 0 for gray, `KEEP`, `AUTO`. Raises PaletteError."""
    if color in (KEEP, AUTO):
        return np.zeros(2)
    chroma = chroma_of(color)
    length = float(np.hypot(*chroma))
    if length < 0.01:
        return np.zeros(2)
    return chroma * (MODERATE / length) if str(color).strip().startswith("hue:") else chroma


def write_mask(source: Source) -> str:
    """A picture as a recipe holds a mask: a gray PNG in base64, shrunk to `MASK_PIXELS`.

    source: as of `Colorizer.encode`; what is transparent is black. Raises PhotoError where it is no
    picture, and PaletteError for one that is all black, which masks nothing.
    """
    from tintype.photo import read  # which takes its time to import

    return _pack_mask(read(source))


def _pack_mask(photo: Photo) -> str:
    white = photo.luma if photo.alpha is None else photo.luma * (photo.alpha / 255)
    gray = Image.fromarray(np.rint(white).astype(np.uint8))
    scale = min(1.0, math.sqrt(MASK_PIXELS / (gray.width * gray.height)))
    if scale < 1:
        size = (max(1, int(gray.width * scale)), max(1, int(gray.height * scale)))
        gray = gray.resize(size, Image.Resampling.BOX)
    if gray.getextrema()[1] == 0:
        raise PaletteError("expected a mask, white where it holds, found all black")
    file = io.BytesIO()
    gray.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def read_mask(text: str) -> np.ndarray:
    """What `write_mask` gives: (h, w) float32, 0..1. Raises PaletteError for anything else."""
    try:
        content = base64.b64decode(str(text), validate=True)
        if _count_chunks(content) > MASK_CHUNKS:
            raise ValueError(f"a PNG of more than {MASK_CHUNKS} chunks")
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.mode != "L" or image.width * image.height > MASK_PIXELS:
                raise ValueError(f"{image.mode} of {image.width} x {image.height}")
            return np.asarray(image, np.float32) / 255
    except (binascii.Error, OSError, ValueError, SyntaxError, *HUGE) as error:
        raise PaletteError(
            f"expected a mask as a gray PNG of at most {MASK_PIXELS} pixels in base64, found "
            f"another: {error!s:.80}"
        ) from None


def _count_chunks(content: bytes) -> int:
    """How many chunks a PNG has, up to one more than `MASK_CHUNKS`."""
    at, found = 8, 0
    while at < len(content) and found <= MASK_CHUNKS:
        at += 12 + int.from_bytes(content[at : at + 4])
        found += 1
    return found


def load_mask(path: str) -> str:
    """A picture's file as `write_mask` gives it; what is transparent is black.

    Raises PhotoError where it is none, and PaletteError as `write_mask`.
    """
    from tintype.photo import read  # which takes its time to import
    from tintype.sandbox import read_bounded

    if is_special(path):
        raise PaletteError(f"{path}: expected a mask's file, found a pipe or a device; save it")
    photo = read_bounded(path, read)
    try:
        return _pack_mask(photo)
    except PaletteError as error:
        raise PaletteError(f"{path}: {error}") from None


def find_conflicts(pins: tuple[Pin, ...], size: tuple[int, int]) -> tuple[str, ...]:
    """Notes on what a photo of so many pixels and its pins do not agree on.

    These are pins under others on one pixel, and masks of another shape than the photo's.
    """
    places = [(pin.find_pixel(size), pin) for pin in pins if isinstance(pin, At)]
    last = dict(places)
    notes = [
        f"the pin of {pin.color} is on one pixel with a later one of {last[pixel].color}, which "
        "counts"
        for pixel, pin in places
        if pin.color != last[pixel].color
    ]
    shape = size[0] / size[1]
    for pin in pins:
        if isinstance(pin, At):
            continue
        high, wide = read_mask(pin.mask if isinstance(pin, Mask) else pin.protect).shape
        if abs(wide / high / shape - 1) > STRETCH:
            name = f"the mask for {pin.color}" if isinstance(pin, Mask) else "what is protected"
            notes.append(
                f"{name} is stretched: its width is {wide / high:.2f} of its height, the photo's "
                f"{shape:.2f}"
            )
    return tuple(notes)


def _is_number(value: Any) -> bool:
    """Whether it is a finite number, of Python or NumPy, that a float can hold."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False
