"""Scores against numbers worked by hand and against scikit-image."""

import math

import numpy as np
import pytest
from skimage.color import rgb2hsv, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from research.conftest import scene
from tintype.research.evaluation import metrics

GRAY, RED, TEAL, BLUE, GREEN = (
    (119, 119, 119), (200, 40, 40), (40, 130, 120), (0, 0, 255), (0, 255, 0),
)  # fmt: skip


def flat(color, height=4, width=6):
    """(height, width, 3) uint8 of one color."""
    return np.full((height, width, 3), color, np.uint8)


def apart(one, other):
    """The distance of two colors in Lab a and b, by scikit-image."""
    lab = rgb2lab(np.array([one, other], np.uint8)[None])[0]
    return float(np.hypot(*(lab[0] - lab[1])[1:]))


# --- accuracy -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), [
    (GRAY, RED), (RED, TEAL), (TEAL, GRAY), (GRAY, BLUE), ((119, 119, 119), (120, 119, 119)),
])  # fmt: skip
def test_a_constant_distance_meets_the_thresholds_from_there_on(one, other):
    distance = apart(one, other)
    assert 0 < distance < 150
    met = 100 * (151 - math.ceil(distance)) / 151
    assert metrics.auc([metrics.score(flat(one), flat(other))]) == pytest.approx(met)
    assert metrics.auc([metrics.score(flat(other), flat(one))]) == pytest.approx(met)


def test_beyond_the_last_threshold_nothing_counts():
    assert apart(BLUE, GREEN) > 150
    assert metrics.auc([metrics.score(flat(BLUE), flat(GREEN))]) == 0


def test_the_same_photo_is_all_right():
    score = metrics.score(scene(40, 30, 0), scene(40, 30, 0))
    assert metrics.auc([score]) == 100
    assert metrics.auc_rebalanced([score], metrics.cell_shares([score])) == pytest.approx(100)


def test_only_chroma_counts():
    score = metrics.score(flat((30, 30, 30)), flat((220, 220, 220)))
    assert metrics.auc([score]) == pytest.approx(100, abs=0.7)  # gray rounds to 0 or to 1
    assert score.chroma == pytest.approx(0, abs=0.01)


def two_colored(rare, count, rare_count):
    """(1, count, 3) uint8: gray, the last pixels of another color."""
    rgb = flat(GRAY, 1, count)
    rgb[:, count - rare_count :] = rare
    return rgb


def test_rebalanced_accuracy_counts_colors_alike():
    truth = two_colored(RED, 40, 10)
    score = metrics.score(flat(GRAY, 1, 40), truth)
    met = (151 - math.ceil(apart(GRAY, RED))) / 151
    assert metrics.auc([score]) == pytest.approx(100 * (0.75 + 0.25 * met))
    share = metrics.cell_shares([score])
    assert sorted(share[share > 0]) == pytest.approx([0.25, 0.75])
    assert metrics.auc_rebalanced([score], share) == pytest.approx(100 * (1 + met) / 2)


def test_the_rarest_colors_are_not_weighted_beyond_the_floor():
    """1 red pixel of 200 000 has a share of 5e-6: half the floor, so it weighs half of gray."""
    count = 200_000
    score = metrics.score(flat(GRAY, 1, count), two_colored(RED, count, 1))
    met = (151 - math.ceil(apart(GRAY, RED))) / 151
    gray = (count - 1) / count * count / (count - 1)
    expected = 100 * (gray + 0.5 * met) / (gray + 0.5)
    rebalanced = metrics.auc_rebalanced([score], metrics.cell_shares([score]))
    assert rebalanced == pytest.approx(expected, rel=1e-6)


def test_photos_are_pooled_by_their_pixels():
    right = metrics.score(flat(GRAY, 1, 90), flat(GRAY, 1, 90))
    wrong = metrics.score(flat(GRAY, 1, 10), flat(RED, 1, 10))
    met = (151 - math.ceil(apart(GRAY, RED))) / 151
    assert metrics.auc([right, wrong]) == pytest.approx(100 * (0.9 + 0.1 * met))
    share = metrics.cell_shares([right, wrong])
    assert sorted(share[share > 0]) == pytest.approx([0.1, 0.9])
    assert metrics.auc_rebalanced([right, wrong], share) == pytest.approx(100 * (1 + met) / 2)


@pytest.mark.parametrize("color", [GRAY, RED, TEAL, BLUE, GREEN, (255, 0, 255), (255, 255, 0)])
def test_pixels_are_counted_in_the_cell_of_their_true_color(color):
    score = metrics.score(flat(GRAY), flat(color))
    a, b = (np.rint(rgb2lab(np.uint8([[color]]))[0, 0, 1:] / 10) + 12).astype(int)
    assert score.pixels.shape == score.hits.shape == (25 * 25,)
    assert np.flatnonzero(score.pixels).tolist() == [25 * a + b]
    assert score.pixels.sum() == 24


# --- PSNR, colorfulness, chroma -------------------------------------------------------------------


def test_psnr_is_scikit_images():
    one, other = scene(40, 30, 0), scene(40, 30, 1)
    expected = peak_signal_noise_ratio(other, one, data_range=255)
    assert metrics.psnr(one, other) == pytest.approx(expected)
    assert metrics.score(one, other).psnr == pytest.approx(expected)
    assert metrics.psnr(flat((0, 0, 0)), flat((255, 255, 255))) == pytest.approx(0)


def test_psnr_of_equal_photos_is_finite():
    assert metrics.psnr(flat(RED), flat(RED)) == 99


def test_colorfulness_of_two_pixels_by_hand():
    """Red and blue: red-green is 255 and 0, yellow-blue 127.5 and -255."""
    signed, absolute = metrics.colorfulness(np.uint8([[(255, 0, 0), (0, 0, 255)]]))
    assert signed == pytest.approx(math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, 63.75))
    assert absolute == pytest.approx(math.hypot(127.5, 63.75) + 0.3 * math.hypot(127.5, 191.25))


def test_colorfulness_of_one_color_is_its_mean():
    """(200, 40, 40): red-green 160, yellow-blue 80, no spread."""
    assert metrics.colorfulness(flat(RED)) == pytest.approx((0.3 * math.hypot(160, 80),) * 2)
    assert metrics.colorfulness(flat(GRAY)) == (0, 0)


def test_colorfulness_of_a_photo_by_the_published_formula():
    rgb = scene(20, 16, 2)
    red, green, blue = (rgb[..., i].astype(float).ravel().tolist() for i in range(3))
    rg = [r - g for r, g in zip(red, green, strict=True)]
    yb = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]

    def by_hand(*planes):
        means = [math.fsum(p) / len(p) for p in planes]
        spread = [math.fsum((x - m) ** 2 for x in p) / len(p)
                  for p, m in zip(planes, means, strict=True)]  # fmt: skip
        return math.sqrt(sum(spread)) + 0.3 * math.hypot(*means)

    signed, absolute = metrics.colorfulness(rgb)
    assert signed == pytest.approx(by_hand(rg, yb))
    assert absolute == pytest.approx(by_hand([abs(x) for x in rg], [abs(x) for x in yb]))
    score = metrics.score(rgb, flat(GRAY, 16, 20))
    assert (score.colorfulness, score.colorfulness_absolute) == (signed, absolute)


def test_chroma_is_scikit_images():
    rgb = scene(40, 30, 1)
    expected = np.hypot(*np.moveaxis(rgb2lab(rgb)[..., 1:], -1, 0)).mean()
    assert metrics.score(rgb, scene(40, 30, 2)).chroma == pytest.approx(expected, abs=0.01)


# --- differences of RGB and HSV -------------------------------------------------------------------


def test_differences_worked_by_hand():
    """Red and blue are a third of the circle apart; half of red is gray's hue, not its rest."""
    assert metrics.hsv_l1(flat((255, 0, 0)), flat(BLUE)) == pytest.approx(1 / 9)
    assert metrics.hsv_l1(flat((255, 255, 255)), flat((255, 0, 0))) == pytest.approx(1 / 3)
    score = metrics.score(flat((255, 0, 0)), flat(BLUE))
    assert score.rmse == pytest.approx(math.sqrt(2 / 3))
    assert score.hsv == pytest.approx(1 / 9)


def test_differences_of_hsv_are_those_of_scikit_image():
    one, other = scene(40, 30, 0), scene(40, 30, 1)
    gap = np.abs(rgb2hsv(one) - rgb2hsv(other))
    gap[..., 0] = np.minimum(gap[..., 0], 1 - gap[..., 0])
    assert metrics.hsv_l1(one, other) == pytest.approx(gap.mean(), abs=1e-5)
