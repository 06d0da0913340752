"""Layers: one color at every luma, laid over parts of a photo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tintype.color import hue_degrees, hue_distance, rgb_to_oklab, ycbcr_to_rgb
from tintype.layers import SHADE, Layer, lay, tint
from tintype.upsample import upsample

LUMA = np.arange(256)


def to_rgb(planes: np.ndarray) -> np.ndarray:
    return ycbcr_to_rgb(np.concatenate([LUMA[:, None], planes], axis=1) / 255)


@settings(deadline=None)
@given(st.floats(0, 6.28), st.floats(0.02, 0.3), st.integers(0, 255))
def test_a_tint_has_one_hue_in_gamut_at_every_luma(angle, chroma, level):
    ab = chroma * np.array([np.cos(angle), np.sin(angle)])
    rgb = to_rgb(tint(ab, level))
    assert rgb.min() > -1e-3
    assert rgb.max() < 1 + 1e-3
    found = rgb_to_oklab(rgb)[:, 1:]
    seen = np.hypot(*found.T) > 0.03  # darker, a thousandth of a level turns it
    assert hue_distance(hue_degrees(found), hue_degrees(ab))[seen].max(initial=0) < 1
    assert np.hypot(*found.T).max() < chroma + 1e-3


def test_a_tint_has_all_of_its_chroma_unless_the_gamut_ends_or_in_shadow():
    found = np.hypot(*rgb_to_oklab(to_rgb(tint(np.array([0.05, 0.02]), 128)))[:, 1:].T)
    asked = np.hypot(0.05, 0.02)
    light = rgb_to_oklab(np.repeat(LUMA[:, None] / 255, 3, axis=1))[:, 0]
    lit = (light >= SHADE * light[128]) & (LUMA < 220)
    assert found[lit] == pytest.approx(asked, abs=1e-3)
    shade = np.flatnonzero((light < SHADE * light[128]) & (LUMA > 20))
    assert found[shade] == pytest.approx(asked * light[shade] / (SHADE * light[128]), abs=2e-3)


def test_gray_is_a_tint():
    assert not tint(np.zeros(2), 128).any()


def test_a_layer_changes_nothing_where_it_has_no_share():
    rng = np.random.default_rng(0)
    chroma = rng.uniform(-40, 40, (2, 6, 5)).astype(np.float32)
    luma = rng.integers(0, 256, (6, 5), np.uint8)
    red, blue = tint(np.array([0.1, 0.0]), 128), tint(np.array([0.0, -0.1]), 128)
    shares = np.zeros((2, 6, 5), np.float32)
    shares[0, 2, 2], shares[:, 3, 3] = 1, (0.25, 0.5)
    found = lay(chroma, shares, np.stack([red, blue]), luma)
    rest = shares.sum(0) == 0
    assert (found[:, rest] == chroma[:, rest]).all()
    assert found[:, 2, 2] == pytest.approx(red[luma[2, 2]])
    mixed = 0.25 * chroma[:, 3, 3] + 0.25 * red[luma[3, 3]] + 0.5 * blue[luma[3, 3]]
    assert found[:, 3, 3] == pytest.approx(mixed, rel=1e-5)


def test_a_small_layer_follows_the_edges_of_the_luma_and_a_fine_one_its_own():
    luma = np.full((120, 160), 60, np.uint8)
    luma[:, 70:] = 200  # an edge between two cells
    chroma = np.zeros((2, 6, 8), np.float32)
    shares = np.zeros((1, 6, 8), np.float32)
    shares[..., :3] = 1
    shares[..., 3] = 0.5  # the cell that the edge divides
    tints = tint(np.array([0.1, 0.0]), 128)[None]
    _, cr = upsample(chroma, luma, layers=[Layer(shares, tints)])
    near = cr[:, 62:78].astype(int) - 128
    left, right = near[:, :8].mean(), near[:, 8:].mean()
    plain = (
        upsample(chroma, luma // 4 * 0 + 100, layers=[Layer(shares, tints)])[1].astype(int) - 128
    )
    assert left - right > plain[:, 62:70].mean() - plain[:, 70:78].mean() + 10
    own = np.zeros((1, 60, 80), np.float32)
    own[:, :, :50] = 1
    _, cr = upsample(chroma, luma, layers=[Layer(own, tints, fine=True)])
    assert (cr[:, :96] > 132).all()
    assert (cr[:, 104:] == 128).all()


def test_a_place_has_exactly_its_color_wherever_the_share_ends():
    rng = np.random.default_rng(3)
    luma = rng.integers(40, 200, (90, 120), np.uint8)  # no pixel resembles its cell
    shares = np.zeros((1, 6, 8), np.float32)
    shares[0, 3, 4] = 1
    tints = tint(np.array([-0.02, -0.08]), 90)[None]
    row, column = 52, 69
    place = ((column + 0.5) / 120, (row + 0.5) / 90)
    layer = Layer(shares, tints, (place,), (int(luma[row, column]),))
    cb, cr = upsample(np.zeros((2, 6, 8), np.float32), luma, layers=[layer])
    found = np.array([cb[row, column], cr[row, column]]) - 128.0
    assert found == pytest.approx(tints[0, luma[row, column]], abs=1)
