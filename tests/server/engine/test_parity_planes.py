"""What JavaScript does with a photo's planes, beside its palette, is what Python does."""

import numpy as np
from PIL import Image

from server.engine.conftest import pack
from tintype.bans import apply_bans
from tintype.border import find_border
from tintype.layers import tint
from tintype.palette import Palette
from tintype.regions import _measure_ways
from tintype.working_size import shrink


def test_working_sizes_are_the_same(ask, make):
    sizes = [(64, 64), (50, 71), (301, 190), (700, 523), (97, 1300), (33, 2)]
    photos = [make.random.integers(0, 256, size).astype(np.uint8) for size in sizes]
    tasks = [["shrink", {"data": p.ravel().tolist(), "h": len(p), "w": len(p[0])}] for p in photos]
    for photo, answer in zip(photos, ask(tasks), strict=True):
        right = np.asarray(shrink(Image.fromarray(photo), 64))
        assert (answer["h"], answer["w"]) == right.shape
        away = np.abs(np.array(answer["data"]) - right.ravel())
        # Pillow takes columns before rows at times, and rounds between: only there may be a step.
        assert away.max() <= (1 if photo.shape == (700, 523) else 0), photo.shape


def make_page(random):
    """A page with a border that has photos on it, or none, and grain."""
    level = random.choice([20, 100, 240, 250])
    page = np.full((64, 96), level) + random.integers(-3, 4, (64, 96))
    for _ in range(random.integers(1, 4)):
        top, left = random.integers(0, 20), random.integers(0, 40)
        bottom, right = random.integers(40, 65), random.integers(50, 97)
        page[top:bottom, left:right] = random.integers(0, 256, (bottom - top, right - left))
    return page.clip(0, 255).astype(np.uint8)


def test_borders_are_the_same(ask, make):
    pages = [make_page(make.random) for _ in range(80)]
    answers = ask([["border", {"data": p.ravel().tolist(), "h": 64, "w": 96}] for p in pages])
    found = 0
    for page, answer in zip(pages, answers, strict=True):
        right = find_border(page)
        assert answer == (None if right is None else right.ravel().astype(int).tolist())
        found += right is not None
    assert 10 < found < 70


def test_bans_are_the_same(ask, make):
    tasks, right = [], []
    for _ in range(40):
        ab = make.random.normal(0, 0.05, (2, 24, 16)).astype(np.float32)
        banned = tuple(make.random.uniform(0, 360, make.random.integers(4)))
        palette = Palette(make.bins, make.shares(), banned, None, make.flip())
        about = {"ab": ab.ravel().tolist(), "h": 24, "w": 16, "palette": pack(palette)}
        tasks.append(["bans", about])
        plane = np.moveaxis(ab, 0, -1)
        right.append(np.moveaxis(apply_bans(plane, plane, palette), -1, 0))
    for answer, one in zip(ask(tasks), right, strict=True):
        assert np.abs(np.array(answer) - one.ravel()).max() < 1e-4


def test_ways_and_tints_are_the_same(ask, make):
    luma = make.random.random((12, 17))
    ways = {"luma": luma.ravel().tolist(), "h": 12, "w": 17, "row": 3, "column": 9}
    colors = make.random.normal(0, 0.12, (20, 2))
    tints = [["tint", {"ab": ab.tolist(), "level": 13.0 * i}] for i, ab in enumerate(colors)]
    found, *answers = ask([["ways", ways], *tints])
    right = _measure_ways(np.abs(np.diff(luma)), np.abs(np.diff(luma, axis=0)), (3, 9))
    assert np.abs(np.array(found) - right.ravel()).max() < 1e-4
    for (_, about), answer in zip(tints, answers, strict=True):
        planes = tint(np.array(about["ab"]), about["level"])
        assert np.abs(np.array(answer) - planes.ravel()).max() < 0.05
