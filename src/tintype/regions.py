"""Regions: how far a color goes that a person puts on a thing, and the layers that come of it.

    place ──▶ the decoder is told a color there ──▶ how much of it every cell takes: its response
    responses, reach ──▶ regions ──▶ layers, beside what the palette gives

The network learned from hints to color what belongs together, so it is asked for the region, too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tintype.errors import PaletteError
from tintype.hints import Hints
from tintype.layers import Layer, tint
from tintype.pins import KEEP, At, Mask, Pin, Protect, chroma_of_pin, read_mask

if TYPE_CHECKING:
    from tintype.model import Encoding, Model

MOST_KEPT = 64  # responses of a photo
PROBES = (0.0, 2 * math.pi / 3, 4 * math.pi / 3)  # hues, in radians, that the decoder is told
STRENGTH = 0.1  # and their OKLab chroma
REACH = 0.5  # as far as the thing seems to go
SOFT = 0.2  # in how much of the response a region rises from 0 to 1
NEAR = 0.5  # cells: a pin's own place is its own, whatever others are near


def measure_response(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    """How much of a color at a place each cell takes: (h, w) float32, 1 at the place itself.

    It depends neither on palette nor color, and is kept with the encoding. Raises PaletteError
    for models that take no hints.
    """
    if not model.takes_hints:
        raise PaletteError("expected a model that takes pins, found one that was trained without")
    kept = encoding.responses
    if place not in kept:
        while len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[place] = _probe(model, encoding, place)
    return kept[place]


def _probe(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    vividness, palette = model.vividness_given, encoding.palette
    bare = model.decode(encoding, palette, vividness)
    row, column = _cell(place, bare.shape[:2])
    total = np.zeros(bare.shape[:2], np.float32)
    for angle in PROBES:
        color = STRENGTH * np.array([[math.cos(angle), math.sin(angle)]], np.float32)
        hint = Hints(np.array([place], np.float32), color, np.ones(1, np.float32))
        moved = model.decode(encoding, palette, vividness, hint) - bare
        asked = color[0] - bare[row, column]
        total += moved @ (asked / (asked @ asked)) / len(PROBES)
    return np.asarray(total / max(0.3, float(total[row, column])), np.float32).clip(0, 1)


def _cell(place: tuple[float, float], size: tuple[int, ...]) -> tuple[int, int]:
    """The row and the column that a place is in."""
    (x, y), (high, wide) = place, size
    return min(high - 1, int(y * high)), min(wide - 1, int(x * wide))


def make_region(
    model: Model, encoding: Encoding, place: tuple[float, float], reach: float | None = None
) -> np.ndarray:
    """How much of each cell a pin colors: (h, w) float32, 0..1; 1 at its place.

    place: x and y, 0..1; reach: 0 (a speck) .. 1 (all that is alike); None as far as the thing
    """
    response = measure_response(model, encoding, place)
    level = 0.95 - 0.9 * (REACH if reach is None else reach)  # where the region ends
    region = np.clip((response - level) / SOFT + 0.5, 0, 1).astype(np.float32)
    region[_cell(place, region.shape)] = 1
    return region


def make_layers(
    model: Model, encoding: Encoding, pins: tuple[Pin, ...], size: tuple[int, int]
) -> tuple[Layer, ...]:
    """What pins lay over a photo's chroma: masks, pins over them, and what stays gray over all.

    size: of the upright photo in pixels. Of two pins at one pixel the later one counts. Raises
    PaletteError for places outside, and where the model takes no pins.
    """
    masks = [(read_mask(pin.mask), pin.color) for pin in pins if isinstance(pin, Mask)]
    layers = [_cover(encoding, mask, color) for mask, color in masks if color != KEEP]
    found = find_pins(pins, size)
    regions = {
        place: make_region(model, encoding, place, pin.reach) for place, pin in found.items()
    }
    free = {place: pin for place, pin in found.items() if pin.color != KEEP}
    if free:
        layers.append(_join(encoding, free, regions))
    kept = [regions[place] for place in found if place not in free]
    if kept:
        layers.append(_keep(np.max(kept, axis=0), fine=False))
    spared = [mask for mask, color in masks if color == KEEP]
    spared += [read_mask(pin.protect) for pin in pins if isinstance(pin, Protect)]
    return (*layers, *(_keep(mask, fine=True) for mask in spared))


def find_pins(pins: tuple[Pin, ...], size: tuple[int, int]) -> dict[tuple[float, float], At]:
    """Pins by their places, 0..1: the last one at each pixel of a photo of that size."""
    last: dict[tuple[int, ...], tuple[tuple[float, float], At]] = {}
    for pin in pins:
        if isinstance(pin, At):
            place = pin.locate(size)
            pixel = tuple(min(n - 1, int(v * n)) for v, n in zip(place, size, strict=True))
            last.pop(pixel, None)
            last[pixel] = place, pin
    return dict(last.values())


def _join(
    encoding: Encoding,
    pins: dict[tuple[float, float], At],
    regions: dict[tuple[float, float], np.ndarray],
) -> Layer:
    """One layer of all pins: a cell in several regions goes to those that reach it best, nearest.

    As the network does, a thing with several pins has each one's color around it.
    """
    alone = np.stack([regions[place] for place in pins])
    high, wide = alone.shape[1:]
    y, x = np.mgrid[:high, :wide]
    cells = [_cell(place, (high, wide)) for place in pins]
    away = np.stack([(y - row) ** 2 + (x - column) ** 2 + NEAR**2 for row, column in cells])
    weight = (alone / away) ** 2
    weight /= np.maximum(weight.sum(0), 1e-12)
    shares = weight * (1 - np.prod(1 - alone, axis=0))
    luma = np.rint(255 * encoding.luma)
    tints = [
        tint(chroma_of_pin(pin.color), float(luma[_cell(place, luma.shape)]))
        for place, pin in pins.items()
    ]
    return Layer(shares.astype(np.float32), np.stack(tints))


def _cover(encoding: Encoding, mask: np.ndarray, color: str) -> Layer:
    """A mask in a color, all of whose chroma is at the mean luma of what it covers."""
    high, wide = encoding.luma.shape
    small = Image.fromarray(mask).resize((wide, high), Image.Resampling.BOX)
    weight = np.asarray(small) + 1e-6
    level = float((weight * encoding.luma).sum() / weight.sum())
    return Layer(mask[None], tint(chroma_of_pin(color), 255 * level)[None], fine=True)


def _keep(share: np.ndarray, *, fine: bool) -> Layer:
    return Layer(share[None].astype(np.float32), np.zeros((1, 256, 2), np.float32), fine)
