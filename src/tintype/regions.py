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
from tintype.layers import Layer, find_cell, tint
from tintype.pins import KEEP, At, Mask, Pin, Protect, chroma_of_pin, read_mask

if TYPE_CHECKING:
    from tintype.model import Encoding, Model

MOST_KEPT = 64  # responses of a photo
PROBES = (0.0, 2 * math.pi / 3, 4 * math.pi / 3)  # hues, in radians, that the decoder is told
STRENGTH = 0.1  # and their OKLab chroma
REACH = 0.5  # as far as the thing seems to go
LEAST = 1e-3  # of a response
# Where a region ends, of 71 things outlined by hand (experiments/pins): a logistic regression on
# the roots of the distances to a cell, once by changes of luma, once by falls of the response.
LIGHT, FALL, OWN = 3.86, 1.62, 4.2  # the weights of both; what a place itself has
RANGE = 8.8  # from reach 0 to 1
SOFT = 1.0  # in which a region rises from 0 to 1
NEAR = 0.5  # cells: a pin's own place is its own, whatever others are near


def measure_response(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    """How much of a color at a place each cell takes: (h, w) float32, 1 at the place itself.

    It depends neither on palette nor color, and is kept with the encoding. Raises PaletteError
    for models that take no hints.
    """
    if not model.takes_hints:
        raise PaletteError("expected a model that takes pins, found one that was trained without")
    kept = encoding.responses
    response = kept.get(place)
    if response is None:
        response = _probe(model, encoding, place)
        for oldest in list(kept)[: max(0, len(kept) + 1 - MOST_KEPT)]:
            kept.pop(oldest, None)  # which another thread may have done
        kept[place] = response
    return response


def _probe(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    vividness, palette = model.vividness_given, encoding.palette
    bare = model.decode(encoding, palette, vividness)
    row, column = find_cell(place, bare.shape[:2])
    total = np.zeros(bare.shape[:2], np.float32)
    for angle in PROBES:
        color = STRENGTH * np.array([[math.cos(angle), math.sin(angle)]], np.float32)
        hint = Hints(np.array([place], np.float32), color, np.ones(1, np.float32))
        moved = model.decode(encoding, palette, vividness, hint) - bare
        asked = color[0] - bare[row, column]
        total += moved @ (asked / (asked @ asked)) / len(PROBES)
    return np.asarray(total / max(0.3, float(total[row, column])), np.float32).clip(0, 1)


def make_region(
    model: Model, encoding: Encoding, place: tuple[float, float], reach: float | None = None
) -> np.ndarray:
    """How much of each cell a pin colors: (h, w) float32, 0..1; 1 at its place.

    place: x and y, 0..1; reach: 0 (a speck) .. 1 (all that is alike); None as far as the thing
    """
    response = measure_response(model, encoding, place).clip(LEAST)
    start = find_cell(place, response.shape)
    light = _measure_ways(np.abs(np.diff(encoding.luma)), np.abs(np.diff(encoding.luma.T)).T, start)
    fall = _measure_ways(
        -np.log(np.minimum(response[:, 1:], response[:, :-1])),
        -np.log(np.minimum(response[1:], response[:-1])),
        start,
    )
    score = OWN - LIGHT * np.sqrt(light) - FALL * np.sqrt(fall)
    level = OWN - RANGE * (REACH if reach is None else reach)
    region = np.clip((score - level) / SOFT + 0.5, 0, 1).astype(np.float32)
    region[start] = 1
    return region


def _measure_ways(across: np.ndarray, down: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    """The cost of the cheapest way from a cell to every other: (h, w).

    across: (h, w - 1) of a step to a neighbor in the row; down: (h - 1, w) in the column

    A row's cheapest ways are running minima, once the cost up to each cell is taken away; rows and
    columns take turns until nothing changes.
    """
    right = np.pad(across.cumsum(1, dtype=np.float64), ((0, 0), (1, 0)))
    below = np.pad(down.cumsum(0, dtype=np.float64), ((1, 0), (0, 0)))
    ways = np.full((right.shape[0], below.shape[1]), 1e6)
    ways[start] = 0
    for _ in range(sum(ways.shape)):
        before = ways
        for cost, axis in ((right, 1), (below, 0)):
            ways = np.minimum.accumulate(ways - cost, axis) + cost
            back = np.flip(ways + cost, axis)
            ways = np.flip(np.minimum.accumulate(back, axis), axis) - cost
        if np.abs(before - ways).max() < 1e-6:
            break
    return np.asarray(ways.clip(0))


def make_layers(
    model: Model, encoding: Encoding, pins: tuple[Pin, ...], luma: np.ndarray
) -> tuple[Layer, ...]:
    """What pins lay over a photo's chroma: masks, pins over them, and what stays gray over all.

    luma: (H, W) uint8, the upright photo's. Of two pins at one pixel the later one counts. Raises
    PaletteError for places outside, and where the model takes no pins.
    """
    masks = [(read_mask(pin.mask), pin.color) for pin in pins if isinstance(pin, Mask)]
    layers = [_cover(encoding, mask, color) for mask, color in masks if color != KEEP]
    found = find_pins(pins, luma.shape[::-1])
    regions = {
        place: make_region(model, encoding, place, pin.reach) for place, pin in found.items()
    }
    free = {place: pin for place, pin in found.items() if pin.color != KEEP}
    if free:
        layers.append(_join(free, regions, encoding.luma, luma))
    gray = np.zeros((1, 256, 2), np.float32)
    kept = [place for place in found if place not in free]
    layers += [Layer(regions[place][None], gray, (place,), (0,)) for place in kept]
    spared = [mask for mask, color in masks if color == KEEP]
    spared += [read_mask(pin.protect) for pin in pins if isinstance(pin, Protect)]
    return (*layers, *(Layer(mask[None], gray, fine=True) for mask in spared))


def find_pins(pins: tuple[Pin, ...], size: tuple[int, int]) -> dict[tuple[float, float], At]:
    """Pins by their places, 0..1: the last one at each pixel of a photo of that size."""
    last: dict[tuple[int, ...], tuple[tuple[float, float], At]] = {}
    for pin in pins:
        if isinstance(pin, At):
            pixel = pin.find_pixel(size)
            last.pop(pixel, None)
            last[pixel] = pin.locate(size), pin
    return dict(last.values())


def _join(
    pins: dict[tuple[float, float], At],
    regions: dict[tuple[float, float], np.ndarray],
    small: np.ndarray,
    luma: np.ndarray,
) -> Layer:
    """One layer of all pins: a cell in several regions goes to those that reach it best, nearest.

    small, luma: the photo's, (h, w), 0..1, and (H, W) uint8

    As the network does, a thing with several pins has each one's color around it. A pin's chroma
    is whole at its own pixel, however much darker that is than what is around it.
    """
    alone = np.stack([regions[place] for place in pins])
    high, wide = alone.shape[1:]
    y, x = np.mgrid[:high, :wide]
    cells = [find_cell(place, (high, wide)) for place in pins]
    away = np.stack([(y - row) ** 2 + (x - column) ** 2 + NEAR**2 for row, column in cells])
    weight = (alone / away) ** 2
    weight /= np.maximum(weight.sum(0), 1e-12)
    shares = weight * (1 - np.prod(1 - alone, axis=0))
    levels = [int(luma[find_cell(place, luma.shape)]) for place in pins]
    around = [round(255 * float(small[find_cell(place, small.shape)])) for place in pins]
    tints = [
        tint(chroma_of_pin(pin.color), min(near, level))
        for pin, near, level in zip(pins.values(), around, levels, strict=True)
    ]
    return Layer(shares.astype(np.float32), np.stack(tints), tuple(pins), tuple(levels))


def _cover(encoding: Encoding, mask: np.ndarray, color: str) -> Layer:
    """A mask in a color, all of whose chroma is at the mean luma of what it covers."""
    high, wide = encoding.luma.shape
    small = Image.fromarray(mask).resize((wide, high), Image.Resampling.BOX)
    weight = np.asarray(small) + 1e-6
    level = float((weight * encoding.luma).sum() / weight.sum())
    return Layer(mask[None], tint(chroma_of_pin(color), 255 * level)[None], fine=True)
