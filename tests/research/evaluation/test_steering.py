"""What edits do to one photo, by hand: shares of shifts, of pixels, of chroma."""

import numpy as np
import pytest

from tintype.color import hue_degrees, oklab_to_rgb, rgb_to_oklab
from tintype.research.evaluation import evaluate


def chroma(seed=0):
    """(20, 30) complex."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (20, 30)) + 1j * rng.normal(0, 0.1, (20, 30))


@pytest.mark.parametrize("degrees", [60, 120, 180])
def test_the_share_followed_of_turned_colors(degrees):
    ab = chroma()

    def after(turn):
        return evaluate.measure_followed(ab, ab * np.exp(1j * np.radians(turn)), degrees)

    assert after(degrees) == pytest.approx(1)
    assert after(0) == pytest.approx(0, abs=1e-12)
    assert after(degrees / 2) == pytest.approx(0.5)
    assert after(degrees + 20) == pytest.approx(1 + 20 / degrees)
    assert after(degrees - 20) == pytest.approx(1 - 20 / degrees)
    assert after(-30) == pytest.approx(-30 / degrees)


def test_the_share_followed_does_not_go_by_strength():
    ab = chroma()
    weaker = 0.3 * ab * np.exp(1j * np.radians(60))
    assert evaluate.measure_followed(ab, weaker, 60) == pytest.approx(1)


def test_strong_colors_count_more_than_weak_ones():
    """Half of the chroma at 1 turned, half at 3 not: the sum's angle."""
    ab = np.array([[1.0, 3.0]])
    edited = np.array([[1j, 3.0]])
    expected = np.degrees(np.arctan2(1, 9)) / 90
    assert evaluate.measure_followed(ab, edited, 90) == pytest.approx(expected)


def painted(light, ab):
    """uint8 RGB of one OKLab color."""
    return (255 * oklab_to_rgb(np.array([light, *ab]))).round().astype(np.uint8)


def test_wearing_a_color():
    """A quarter red, a quarter green, a quarter gray, a quarter a red too weak to count."""
    rgb = np.empty((2, 8, 3), np.uint8)
    for i, color in enumerate([(200, 40, 40), (40, 140, 40), (90, 90, 90), (131, 114, 112)]):
        rgb[:, 2 * i : 2 * i + 2] = color
    red, green = (float(hue_degrees(rgb_to_oklab(rgb[0, i] / 255)[1:])) for i in (0, 2))
    measure = evaluate.measure_hue_share
    assert measure(rgb, red) == measure(rgb, green) == 0.25
    assert measure(rgb, red + 14) == measure(rgb, red - 14) == 0.25
    assert measure(rgb, red + 16) == measure(rgb, red - 16) == 0
    assert evaluate.measure_hue_share(rgb, 264) == 0


@pytest.mark.parametrize("hue", [1, 359])
def test_wearing_a_color_near_hue_0(hue):
    direction = np.radians(hue)
    rgb = np.broadcast_to(painted(0.7, 0.1 * np.array([np.cos(direction), np.sin(direction)])),
                          (3, 3, 3))  # fmt: skip
    for degrees in (355, 0, 5, 360):
        assert evaluate.measure_hue_share(rgb, degrees) == 1
    assert evaluate.measure_hue_share(rgb, 180) == 0


@pytest.mark.parametrize("degrees", [3, 100, 177, 183, 355])
def test_the_commonest_hue(degrees):
    ab = np.full((4, 5), 0.1) * np.exp(1j * np.radians(degrees))
    ab[0, 0] = 0.3 * np.exp(1j * np.radians(degrees + 90))
    found = evaluate._find_commonest_hue(ab)
    away = np.degrees(np.angle((found[0] + 1j * found[1]) * np.exp(-1j * np.radians(degrees))))
    assert abs(away) <= 5.001
    assert np.hypot(*found) == pytest.approx(1)


def test_chroma_in_one_hue_by_hand():
    """Three of strength 2 near hue 90, one of strength 5 that is far from them."""
    degrees, strength = np.array([82, 85, 88, 179]), np.array([2.0, 2, 2, 5])
    chroma = strength * np.exp(1j * np.radians(degrees))
    assert evaluate.measure_one_hue(chroma[None]) == pytest.approx(6 / 11)
    assert evaluate.measure_one_hue(chroma[None, :3]) == pytest.approx(1)
