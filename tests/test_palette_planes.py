"""Palettes over hue and saturation, and that planes are not mixed."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest
from palettes import away
from PIL import ImageColor

from tintype.bins import Bins, hue_of
from tintype.color import hue_degrees
from tintype.errors import PaletteError
from tintype.palette import Palette

HSV = Bins(12, (0.15, 0.35, 0.6, 0.9), "hsv")


def test_the_plane_of_hsv_is_saturation_in_the_direction_of_hue():
    rgb = np.random.default_rng(0).random((500, 3))
    hue, saturation, _ = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in rgb]).T
    expected = saturation * np.exp(2j * np.pi * hue)
    found = HSV.chroma(rgb)
    np.testing.assert_allclose(found[:, 0] + 1j * found[:, 1], expected, atol=1e-12)


def test_a_palette_over_hue_and_saturation_is_numpys_histogram():
    """Of colors that lie on the bins, where nothing is shared."""
    rng = np.random.default_rng(1)
    hue, ring = rng.integers(0, 12, 900), rng.integers(0, 4, 900)
    saturation = np.array(HSV.chromas)[ring]
    rgb = [colorsys.hsv_to_rgb(h / 12, s, 0.7) for h, s in zip(hue, saturation, strict=True)]
    found = Palette.of_chroma(HSV, HSV.chroma(np.array(rgb))).shares
    edges = [0, 0.25, 0.5, 0.75, 1]
    expected, _, _ = np.histogram2d(saturation, hue, [edges, np.arange(13) - 0.5])
    np.testing.assert_allclose(found[1:].reshape(4, 12), expected / 900, atol=1e-6)


@pytest.mark.parametrize(("color", "degrees"), [("red", 0), ("lime", 120), ("hue:200", 200)])
def test_edits_go_by_the_hues_of_the_plane(color, degrees):
    green = Palette.of_chroma(HSV, HSV.chroma(np.array([0.3, 0.6, 0.3])))
    moved = green.towards(color, 1.0).shares @ HSV.centers
    assert abs(away(hue_degrees(moved), degrees)) < 1
    assert hue_of(color, HSV) == pytest.approx(degrees, abs=0.1)
    banned = green.ban(color)
    assert banned.banned == (pytest.approx(degrees, abs=0.1),)
    full = green.boost(color, 1.0).shares @ HSV.centers
    assert abs(away(hue_degrees(full), degrees)) < 1


def test_json_over_hue_and_saturation_comes_back():
    palette = Palette.of_chroma(HSV, HSV.chroma(np.random.default_rng(2).random((200, 3))))
    palette = palette.ban("blue")
    back = Palette.from_json(HSV, palette.to_json())
    assert palette.distance(back) < 0.02
    assert back.banned == pytest.approx(palette.banned, abs=1)
    shown = np.array([ImageColor.getrgb(c) for c in HSV.hex_colors]) / 255
    np.testing.assert_allclose(HSV.chroma(shown), HSV.centers, atol=0.01)


def test_another_plane_is_refused():
    with pytest.raises(PaletteError, match="expected the plane oklab or hsv, found 'luv'"):
        Bins(plane="luv")
    gray, other = (
        Palette.of_chroma(b, np.zeros((1, 2))) for b in (HSV, replace(HSV, plane="oklab"))
    )
    with pytest.raises(PaletteError, match="over the same bins"):
        gray.blend(other, 0.5)
