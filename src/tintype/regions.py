"""Regions: how far a color goes that a person puts on a thing, and the layers that come of it.

    place ──▶ the decoder is told a color there ──▶ how much of it every cell takes: its response
    response, luma, keys ──▶ how surely a cell belongs to the thing ──reach──▶ region ──▶ layer

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
from tintype.pins import AUTO, KEEP, At, Mask, Pin, Protect, chroma_of_pin, read_mask

if TYPE_CHECKING:
    from tintype.model import Encoding, Model

MOST_KEPT = 64  # scores of a photo
PROBE = 0.1  # OKLab chroma that the decoder is told
AXIS = math.radians(60)  # and its hue: orange, and its opposite is blue
LEAST = 1e-3  # of a response
# How surely a cell belongs to the thing, in logits: a regression on 71 things outlined by hand
# (experiments/pins/fit.py). What the place itself has, and the weights of `measure_cues`.
OWN = 4.49
WEIGHTS = np.array([3.18, 1.26, 0.54], np.float32)
REACH = 0.5  # as far as the thing seems to go: to a score of 0
SOFT = 1.0  # in which a region rises from 0 to 1
SHARP = 3.0  # how much better a score is, for a cell to go to one of two pins


def make_region(
    model: Model, encoding: Encoding, place: tuple[float, float], reach: float | None = None
) -> np.ndarray:
    """How much of each cell a pin colors: (h, w) float32, 0..1; 1 at its place.

    place: x and y, 0..1; reach: 0 (a speck) .. 1 (all that is alike); None as far as the thing
    Raises PaletteError for models that take no hints.
    """
    score = measure_score(model, encoding, place)
    most = OWN + SOFT / 2  # a level that no cell is above
    level = most * (1 - (REACH if reach is None else reach) / REACH)
    region = np.clip((score - level) / SOFT + 0.5, 0, 1).astype(np.float32)
    region[find_cell(place, region.shape)] = 1
    return region


def measure_score(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    """How surely each cell belongs to the thing at a place: (h, w), in logits, `OWN` there.

    It depends neither on palette nor color, and is kept with the encoding. Raises PaletteError
    for models that take no hints.
    """
    if not model.takes_hints:
        raise PaletteError(
            "expected a model that takes pins, found one that was trained without; take "
            "another, or leave pins out"
        )
    kept = encoding.scores
    score = kept.get(place)
    if score is None:
        cues = measure_cues(model, encoding, place)
        score = np.asarray(OWN - np.tensordot(WEIGHTS, cues, 1))
        for oldest in list(kept)[: max(0, len(kept) + 1 - MOST_KEPT)]:
            kept.pop(oldest, None)  # which another thread may have done
        kept[place] = score
    return np.asarray(score)


def measure_cues(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    """What tells a thing from the rest: (3, h, w), 0 at the place itself.

    The roots of what luma changes and of what the response falls on the cheapest way from there,
    and how far the encoder's keys are from those there.
    """
    keys = encoding.features[-1][0]
    size = keys.shape[1:]
    response = _shrink(measure_response(model, encoding, place), size).clip(LEAST)
    luma, loss = _shrink(encoding.luma, size), -np.log(response)
    start = find_cell(place, size)
    light = _measure_ways(np.abs(np.diff(luma)), np.abs(np.diff(luma, axis=0)), start)
    fall = _measure_ways(
        np.maximum(loss[:, 1:], loss[:, :-1]), np.maximum(loss[1:], loss[:-1]), start
    )
    unlike = ((keys - keys[:, start[0], start[1], None, None]) ** 2).sum(0)
    return np.asarray(np.sqrt(np.stack([light, fall, unlike])), np.float32)


def _shrink(plane: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Means of a plane over the cells of a grid."""
    if plane.shape == size:
        return plane
    image = Image.fromarray(np.asarray(plane, np.float32))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BOX))


def measure_response(model: Model, encoding: Encoding, place: tuple[float, float]) -> np.ndarray:
    """How much of a color that the decoder is told at a place each cell takes: (h, w), 0..1.

    It is told a color and its opposite; what differs does not depend on what would be there.
    """
    told = PROBE * np.array([[math.cos(AXIS), math.sin(AXIS)]], np.float32)
    here, one = np.array([place], np.float32), np.ones(1, np.float32)
    taken, other = (
        model.decode(encoding, encoding.palette, model.vividness_given, Hints(here, color, one))
        for color in (told, -told)
    )
    response = (taken - other) @ told[0] / (2 * PROBE**2)
    own = float(response[find_cell(place, response.shape)])
    return np.asarray(response / max(0.3, own), np.float32).clip(0, 1)


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
    if any(pin.color != AUTO for pin in free.values()):
        scores = np.stack([measure_score(model, encoding, place) for place in free])
        shares = _divide(np.stack([regions[place] for place in free]), scores, tuple(free))
        layers.append(_tint(free, shares, encoding.luma, luma))
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


def _divide(
    regions: np.ndarray, scores: np.ndarray, places: tuple[tuple[float, float], ...]
) -> np.ndarray:
    """How much of each cell every pin has, where regions meet: (n, h, w), sums of at most 1.

    regions, scores: (n, h, w). A cell goes to the pins whose thing it likeliest belongs to, so that
    a small thing is kept from a pin of a large one beside it; a pin's own cell is its own.
    """
    best = np.where(regions > 0, scores, -np.inf).max(0, initial=-1e3)
    weight = regions * np.exp(SHARP * np.minimum(scores - best, 0))
    weight /= np.maximum(weight.sum(0), 1e-12)
    for number, place in enumerate(places):
        row, column = find_cell(place, regions.shape[1:])
        weight[:, row, column] = np.arange(len(places)) == number
    return np.asarray(weight * (1 - np.prod(1 - regions, axis=0)), np.float32)


def _tint(
    pins: dict[tuple[float, float], At], shares: np.ndarray, small: np.ndarray, luma: np.ndarray
) -> Layer:
    """One layer of all pins; those of `AUTO` leave their shares as they are.

    small, luma: the photo's, (h, w), 0..1, and (H, W) uint8. A pin's chroma is whole at its own
    pixel, however much darker that is than what is around it.
    """
    own = [i for i, pin in enumerate(pins.values()) if pin.color != AUTO]
    places = [list(pins)[i] for i in own]
    levels = [int(luma[find_cell(place, luma.shape)]) for place in places]
    around = [round(255 * float(small[find_cell(place, small.shape)])) for place in places]
    tints = np.zeros((len(own), 256, 2), np.float32)
    for tone, place, near, level in zip(tints, places, around, levels, strict=True):
        tone[:] = tint(chroma_of_pin(pins[place].color), min(near, level))
    return Layer(shares[own], tints, tuple(places), tuple(levels))


def _cover(encoding: Encoding, mask: np.ndarray, color: str) -> Layer:
    """A mask in a color, all of whose chroma is at the mean luma of what it covers."""
    high, wide = encoding.luma.shape
    small = Image.fromarray(mask).resize((wide, high), Image.Resampling.BOX)
    weight = np.asarray(small) + 1e-6
    level = float((weight * encoding.luma).sum() / weight.sum())
    return Layer(mask[None], tint(chroma_of_pin(color), 255 * level)[None], fine=True)
