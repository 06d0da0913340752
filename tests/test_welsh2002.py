"""Colors from a reference photo: by lightness, by texture, by swatches."""

import subprocess
import sys

import numpy as np
import pytest
from skimage import data

from tintype import bins, color, welsh2002
from tintype.errors import PaletteError
from tintype.welsh2002 import Swatch, transfer

RED, BLUE = (0.7, 0.25, 0.2), (0.2, 0.35, 0.7)


def luma_of(rgb):
    return color.luma(rgb)


def chroma_of(rgb):
    return color.rgb_to_oklab(np.asarray(rgb, dtype=float))[..., 1:]


def painted(light, rgb):
    """(h, w, 3) RGB: a plane of grays 0..1 in the tint of one color."""
    return np.clip(light[..., None] * np.array(rgb) / max(rgb), 0, 1)


def textures(high=48, wide=64, amount=0.3):
    """(h, w): smooth on the left, checked on the right, the same mean everywhere."""
    y, x = np.mgrid[0:high, 0:wide]
    return 0.5 + np.where(x < wide / 2, 0, np.where((x + y) % 2, amount, -amount))


def test_a_photo_lends_itself_its_colors():
    rgb = data.coffee()[::4, ::4] / 255
    found = transfer(luma_of(rgb), rgb)
    assert found.shape == (*rgb.shape[:2], 2)
    assert found.dtype == np.float32
    error = np.linalg.norm(found - chroma_of(rgb), axis=-1).mean()
    gray = np.linalg.norm(chroma_of(rgb), axis=-1).mean()
    assert error < 0.6 * gray


def test_every_color_is_one_of_the_references():
    rgb = np.random.default_rng(0).random((40, 30, 3))
    found = transfer(np.random.default_rng(1).random((20, 50)), rgb).reshape(-1, 2)
    known = chroma_of(rgb).reshape(-1, 2)
    gap = np.abs(found[:, None] - known[None]).max(-1).min(1)
    assert gap.max() < 1e-6
    assert 100 < len(np.unique(found, axis=0)) <= welsh2002.SAMPLES * 1.1


def test_lightness_decides_where_there_is_no_texture():
    """Dark red and light blue, in another order and another contrast than in the photo."""
    other = np.repeat([[0.2, 0.8]], 30, axis=0).repeat(20, axis=1)
    rgb = np.where(other[..., None] < 0.5, 0.4 * np.array(RED), 0.6 + 0.4 * np.array(BLUE))
    photo = np.repeat([[0.6, 0.45]], 30, axis=0).repeat(20, axis=1)
    found = transfer(photo, rgb)
    a_of_red, b_of_blue = found[:, 23:, 0], found[:, :17, 1]
    assert a_of_red.min() > 0.03
    assert b_of_blue.max() < -0.005


def test_texture_decides_where_lightness_is_the_same():
    light = textures()
    rgb = np.where((np.arange(64) < 32)[:, None], painted(light, RED), painted(light, BLUE))
    turned = luma_of(rgb)[:, ::-1]
    flat = color.luma(painted(np.full((1, 1), 0.5), RED)).item()
    photo = np.where(np.arange(64) < 32, turned - turned[:, :32].mean() + flat, turned)
    found = transfer(photo, rgb)
    assert np.median(found[:, :28, 1]) < 0  # the checks are on the left now, and blue
    assert np.median(found[:, 36:, 0]) > 0.03


def test_a_reference_in_another_light_lends_the_same_colors():
    """Remapping: the mean and the deviation of the lightness are brought to the photo's."""
    light = np.random.default_rng(2).random((32, 32))
    lab = np.stack([0.3 + 0.4 * light, 0.05 * (light - 0.5), 0.05 * (0.5 - light)], -1)
    darker = lab * [0.5, 1, 1] + [0.1, 0, 0]
    photo = luma_of(color.oklab_to_rgb(lab))
    one, two = (transfer(photo, color.oklab_to_rgb(x), seed=3) for x in (lab, darker))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_seed_gives_the_same_samples():
    rgb = np.random.default_rng(0).random((64, 64, 3))
    photo = np.random.default_rng(1).random((16, 16))
    one, same, other = (transfer(photo, rgb, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (300, 2), (41, 67), (400, 500)])
def test_samples_are_one_in_each_cell_of_a_grid(shape):
    rows, columns = welsh2002._jitter(shape, 200, np.random.default_rng(0))
    assert 0 <= rows.min() <= rows.max() < shape[0]
    assert 0 <= columns.min() <= columns.max() < shape[1]
    assert len(rows) <= 230
    assert len(rows) >= min(180, shape[0] * shape[1]) or 1 in shape or 2 in shape
    quarters = np.histogram2d(rows, columns, 2, [(0, shape[0]), (0, shape[1])])[0]
    if min(shape) > 20:
        assert quarters.min() > 0.2 * len(rows)


def test_deviation_by_hand():
    """One pixel of 25 differs by 1: variance 1/25 - 1/625."""
    plane = np.zeros((9, 9))
    plane[4, 4] = 1
    found = welsh2002._deviation(plane)
    assert found[4, 4] == pytest.approx((1 / 25 - 1 / 625) ** 0.5)
    assert found[0, 0] == 0


# --- swatches -------------------------------------------------------------------------------------


def test_swatches_color_their_boxes_and_what_looks_like_them():
    """Left smooth, right checked; each swatch covers the upper half of its side alone."""
    photo = textures(amount=0.1)
    rgb = np.zeros((40, 40, 3))
    rgb[:20], rgb[20:] = RED, BLUE
    rgb += 0.01 * np.random.default_rng(0).random((40, 40, 1))
    found = transfer(
        photo,
        rgb,
        [Swatch((0, 0, 0.4, 0.5), (0, 0, 1, 0.4)), Swatch((0.6, 0, 1, 0.5), (0, 0.6, 1, 1))],
    )
    red, blue = chroma_of(RED), chroma_of(BLUE)
    for side, wanted in ((np.s_[:, :28], red), (np.s_[:, 36:], blue)):
        np.testing.assert_allclose(
            found[side], np.broadcast_to(wanted, found[side].shape), atol=0.02
        )


@pytest.mark.parametrize("color", ["gray", "black", "#828081", "#2f55c8", "hue:120"])
def test_a_swatch_may_be_a_color_or_gray(color):
    """Left smooth, right checked: the left gets the color, the right that of the reference."""
    rgb = np.broadcast_to(np.array(RED), (40, 40, 3))
    swatches = [Swatch((0, 0, 0.4, 0.5), color), Swatch((0.6, 0, 1, 0.5), (0, 0, 1, 1))]
    found = transfer(textures(amount=0.1), rgb, swatches)
    wanted = bins.chroma_of(color) if bins.has_hue(color) else np.zeros(2)
    for side, ab in ((np.s_[:, :28], wanted), (np.s_[:, 36:], chroma_of(RED))):
        np.testing.assert_allclose(found[side], np.broadcast_to(ab, found[side].shape), atol=1e-6)


def test_a_swatch_of_the_whole_is_no_swatch_but_for_its_samples():
    rgb = np.random.default_rng(0).random((20, 20, 3))
    whole = Swatch((0, 0, 1, 1), (0, 0, 1, 1))
    found = transfer(luma_of(rgb), rgb, [whole])
    assert len(np.unique(found.reshape(-1, 2), axis=0)) <= 1.2 * welsh2002.SWATCH_SAMPLES


@pytest.mark.parametrize("box", [
    (0, 0, 0, 1), (0.5, 0, 0.4, 1), (0, 0, 1, 1.01), (-0.1, 0, 1, 1), (0, 0, float("nan"), 1),
])  # fmt: skip
def test_boxes_outside_of_the_photo_are_refused(box):
    good = (0.0, 0.0, 1.0, 1.0)
    for boxes in ((box, good), (good, box)):
        with pytest.raises(PaletteError, match="expected a swatch LEFT,TOP,RIGHT,BOTTOM"):
            Swatch(*boxes)


def test_the_smallest_box_is_a_pixel():
    assert welsh2002._window((0.999, 0.999, 1.0, 1.0), (10, 20)) == (slice(9, 10), slice(19, 20))
    assert welsh2002._window((0.5, 0.0, 0.501, 1.0), (10, 20)) == (slice(0, 10), slice(10, 11))


# --- alone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_flat_photos_and_references_are_no_special_case(value):
    found = transfer(np.full((12, 9), value), np.full((7, 8, 3), 0.3))
    assert np.abs(found).max() < 1e-6


def test_it_needs_no_torch():
    code = "import sys, tintype.welsh2002; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
