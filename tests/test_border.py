"""Borders around photos stay neutral; photos without one are left as they are."""

from pathlib import Path

import numpy as np
import photos
import pytest
from PIL import Image
from skimage import data

from tintype import Colorizer, Recipe, welsh2002
from tintype.border import fade, find_border, keep_neutral

CAT = np.asarray(Image.fromarray(data.chelsea()).convert("L").resize((180, 120)))
GRAIN = np.random.default_rng(0)


def on_paper(level: int, *boxes: tuple[int, int], size: tuple[int, int] = (160, 240)) -> np.ndarray:
    """(h, w) uint8: paper of a level, a little uneven, with the cat at each (top, left)."""
    page = level + GRAIN.normal(0, 1.5, size)
    for top, left in boxes:
        height, width = min(CAT.shape[0], size[0] - top), min(CAT.shape[1], size[1] - left)
        page[top : top + height, left : left + width] = CAT[:height, :width]
    return page.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [8, 40, 160, 205, 240])
def test_paper_and_film_around_a_photo_are_found(level: int) -> None:
    border = find_border(on_paper(level, (20, 30)))
    assert border is not None
    wanted = np.ones((160, 240), bool)
    wanted[20:140, 30:210] = False
    assert (border == wanted).mean() > 0.99


def test_gaps_between_photos_and_captions_are_found() -> None:
    page = on_paper(205, (20, 20), (20, 220), size=(170, 420))
    page[155:159, 60:130:3] = 30  # a caption
    border = find_border(page)
    assert border is not None
    wanted = np.ones(page.shape, bool)
    wanted[20:140, 20:200] = wanted[20:140, 220:400] = False
    assert (border == wanted).mean() > 0.99


@pytest.mark.parametrize(
    "luma",
    [
        CAT,
        photos.gradient(160, 128),
        np.full((128, 160), 255, np.uint8),
        np.vstack([np.full((40, 180), 220, np.uint8), CAT]),  # sky
        np.hstack([CAT, np.full((120, 30), 250, np.uint8)]),  # a white wall
        on_paper(115, (20, 30)),  # neither light nor dark
        np.vstack([np.full((30, 180), 180, np.uint8), CAT, np.full((30, 180), 180, np.uint8)]),
        np.zeros((1, 1), np.uint8),
    ],
)
def test_what_is_no_border_is_none(luma: np.ndarray) -> None:
    assert find_border(luma) is None


def test_letterboxes_are_borders() -> None:
    bar = np.zeros((20, 180), np.uint8)
    border = find_border(np.vstack([bar, CAT, bar]))
    assert border is not None
    assert border[:20].all()
    assert border[-20:].all()
    assert not border[20:-20].any()


def test_results_are_neutral_there_and_as_before_elsewhere(colorizer: Colorizer) -> None:
    page = on_paper(205, (60, 60), size=(240, 320)).repeat(3, 0).repeat(3, 1)
    encoded = colorizer.encode(page)
    calls = []
    for recipe in (Recipe(), Recipe().towards("red", 0.5)):
        result = colorizer.decode(encoded, recipe)
        _, cb, cr = (np.asarray(band).astype(int) for band in result.planes.split())
        tint = np.maximum(np.abs(cb - 128), np.abs(cr - 128))
        outside = np.ones(page.shape, bool)
        outside[180 - 12 : 540 + 12, 180 - 12 : 720 + 12] = False
        assert tint[outside].max() == 0
        assert tint[200:500, 200:700].mean() > 2
        np.testing.assert_array_equal(np.asarray(result.planes)[..., 0], page)
        calls.append(tint)
    assert (calls[0] != calls[1]).any()


def test_photos_without_a_border_keep_their_bytes(colorizer: Colorizer) -> None:
    encoded = colorizer.encode(CAT)
    assert encoded.border is None
    assert colorizer.decode(encoded).border is None


def test_colors_of_a_reference_leave_borders_neutral(tmp_path: Path) -> None:
    page = on_paper(205, (20, 30))
    result = welsh2002.colorize(page, data.chelsea())
    result.save(tmp_path / "page.png")
    rgb = np.asarray(Image.open(tmp_path / "page.png")).astype(int)
    assert np.ptp(rgb[:12], axis=-1).max() == 0
    assert np.ptp(rgb[40:100, 60:180], axis=-1).mean() > 3


def test_small_chroma_is_cleared_only_where_all_is_border() -> None:
    border = np.zeros((8, 8), bool)
    border[:5] = True
    kept = keep_neutral(np.ones((2, 2, 2), np.float32), border)
    assert kept[:, 0, 0].tolist() == [0, 1]
    plane = fade(np.full((80, 80), 200, np.uint8), border)
    assert set(np.asarray(plane)[:40, 0]) == {128}
    assert set(np.asarray(plane)[60:, 0]) == {200}
