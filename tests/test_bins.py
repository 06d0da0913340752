"""Bins: colors come back out, turns compose, names of colors are CSS's."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from palettes import ANGLES, ANY_BINS, BINS, STEP, away, chromas, hues, palettes, polar
from PIL import ImageColor

from tintype.bins import chroma_of, hue_of
from tintype.color import hue_degrees, rgb_to_oklab
from tintype.errors import PaletteError

# --- bins: encoding -------------------------------------------------------------------------------


@given(ANY_BINS, st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=40)
def test_weights_are_shares_of_four_bins(bins, seed, dtype):
    ab = np.random.default_rng(seed).normal(0, 0.2, (7, 5, 2)).astype(dtype)
    index, weight = bins.encode(ab)
    assert index.shape == weight.shape == (7, 5, 4)
    assert index.dtype == np.int64
    assert weight.dtype == dtype
    assert index.min() >= 0
    assert index.max() < bins.count
    assert weight.min() >= 0
    np.testing.assert_allclose(weight.sum(-1), 1, atol=1e-6)


@given(ANY_BINS, st.floats(0, 1), st.floats(0, 360))
@settings(max_examples=40)
def test_polar_means_recover_the_color(bins, part, hue):
    chroma = part * bins.chromas[-1]
    assume(chroma > 1e-4)
    index, weight = bins.encode(polar(chroma, hue))
    assert weight @ chromas(bins)[index] == pytest.approx(chroma, abs=1e-6)
    tinted = index > 0
    turns = away(hue, hues(bins)[index[tinted] - 1])
    assert weight[tinted] @ turns == pytest.approx(0, abs=1e-3)
    assert np.abs(turns[weight[tinted] > 1e-6]).max() < 360 / bins.hues + 1e-3


@given(ANY_BINS)
@settings(max_examples=40)
def test_centers_are_their_own_bins(bins):
    assert len(bins.centers) == bins.count == 1 + bins.hues * len(bins.chromas)
    index, weight = bins.encode(bins.centers)
    shares = np.zeros((bins.count, bins.count))
    np.add.at(shares, (np.arange(bins.count)[:, None], index), weight)
    np.testing.assert_allclose(shares, np.eye(bins.count), atol=1e-4)


def test_more_chroma_than_the_outermost_ring_is_that_ring():
    hue = np.arange(0.5, 360)
    (far, weights), (ring, same) = (BINS.encode(polar(c, hue)) for c in (0.5, BINS.chromas[-1]))
    np.testing.assert_array_equal(far, ring)
    np.testing.assert_allclose(weights, same, atol=1e-6)


@pytest.mark.parametrize("hue", [0.0, -1e-30, 1e-30, 360 - 1e-7, 180.0, -180.0])
def test_no_index_falls_off_at_the_seam(hue):
    for dtype in (np.float32, np.float64):
        index, weight = BINS.encode(polar(np.array([0.0, 1e-9, 0.1, 9.0]), hue).astype(dtype))
        assert ((index >= 0) & (index < BINS.count)).all()
        np.testing.assert_allclose(weight.sum(-1), 1, atol=1e-6)


def test_torch_encodes_the_same():
    ab = np.random.default_rng(0).normal(0, 0.1, (50, 40, 2))
    ab[0, 0] = 0
    (index, weight), (same_index, same_weight) = BINS.encode(ab), BINS.encode(torch.tensor(ab))
    np.testing.assert_array_equal(same_index, index)
    np.testing.assert_allclose(same_weight, weight, atol=1e-10)


# --- bins: geometry -------------------------------------------------------------------------------


@given(ANY_BINS)
@settings(max_examples=20)
def test_areas_are_parts_of_the_disc(bins):
    """Count the points of a disc by the ring and the hue that are nearest."""
    assert bins.areas.sum() == pytest.approx(1, abs=1e-5)
    rings = np.array([0, *bins.chromas])
    radius = rings[-1] + (rings[-1] - rings[-2]) / 2
    steps = np.linspace(-radius, radius, 801)
    chroma = np.hypot(*np.meshgrid(steps, steps))
    edges = np.append((rings[1:] + rings[:-1]) / 2, radius)
    found = np.histogram(chroma, np.append(0, edges))[0] / (chroma <= radius).sum()
    np.testing.assert_allclose(bins.areas[0], found[0], atol=3e-3)
    per_ring = bins.areas[1:].reshape(len(bins.chromas), bins.hues)
    np.testing.assert_allclose(per_ring.sum(1), found[1:], atol=3e-3)
    np.testing.assert_array_equal(per_ring, per_ring[:, :1].repeat(bins.hues, axis=1))


@given(ANY_BINS, ANGLES, st.floats(0, 179))
@settings(max_examples=40)
def test_bins_near_a_hue(bins, hue, width):
    gap = np.abs(away(hue, hues(bins)))
    near = bins.near_hue(hue, width)
    assert near.shape == (bins.count,)
    assert not near[0]
    clear = np.abs(gap - width) > 1e-4
    np.testing.assert_array_equal(near[1:][clear], (gap < width)[clear])


def test_hex_colors_have_the_hue_and_chroma_of_their_bin():
    rgb = np.array([ImageColor.getrgb(c) for c in BINS.hex_colors]) / 255
    ab = rgb_to_oklab(rgb)[:, 1:]
    assert np.abs(ab[0]).max() < 1e-6
    assert np.abs(away(hues(BINS), hue_degrees(ab[1:]))).max() < 4
    shown = np.hypot(*ab.T)
    inner = chromas(BINS) < 0.14  # farther out, sRGB has not every hue
    np.testing.assert_allclose(shown[inner], chromas(BINS)[inner], atol=0.003)
    assert (shown < chromas(BINS) + 0.003).all()


# --- bins: turning --------------------------------------------------------------------------------


@given(palettes(), st.integers(-60, 60))
@settings(max_examples=40)
def test_turning_by_whole_bins_rolls_every_ring(palette, steps):
    turned = BINS.rotate(palette.shares, np.float64(steps * STEP))
    rings = palette.shares[1:].reshape(len(BINS.chromas), BINS.hues)
    assert turned[0] == palette.shares[0]
    np.testing.assert_allclose(turned[1:], np.roll(rings, steps, axis=1).ravel(), atol=1e-12)


@given(palettes(), ANGLES, st.integers(-30, 30))
@settings(max_examples=40)
def test_turns_compose(palette, angle, steps):
    once = BINS.rotate(palette.shares, np.float64(angle + steps * STEP))
    twice = BINS.rotate(BINS.rotate(palette.shares, np.float64(steps * STEP)), np.float64(angle))
    np.testing.assert_allclose(once, twice, atol=1e-9)
    full = BINS.rotate(palette.shares, np.float64(360))
    np.testing.assert_allclose(full, palette.shares, atol=1e-12)


@given(palettes(), ANGLES)
@settings(max_examples=40)
def test_turning_keeps_neutral_and_the_sum_of_every_ring(palette, angle):
    turned = BINS.rotate(palette.shares, np.float64(angle))
    assert turned.min() >= 0
    assert turned[0] == palette.shares[0]
    before, after = (s[1:].reshape(-1, BINS.hues).sum(1) for s in (palette.shares, turned))
    np.testing.assert_allclose(after, before, atol=1e-12)


@given(st.integers(1, BINS.count - 1), ANGLES)
@settings(max_examples=40)
def test_turning_a_bin_is_turning_its_color(k, angle):
    center = complex(*BINS.centers[k].astype(float)) * np.exp(1j * np.radians(angle))
    turned = BINS.rotate(np.eye(BINS.count)[k], np.float64(angle))
    index, weight = BINS.encode(np.array([center.real, center.imag]))
    shares = np.bincount(index, weight, BINS.count)
    np.testing.assert_allclose(turned, shares, atol=1e-5)


def test_torch_turns_a_batch_like_numpy_one_by_one():
    rng = np.random.default_rng(0)
    shares, angles = rng.dirichlet(np.ones(BINS.count), (4, 3)), rng.uniform(-400, 400, (4, 3))
    angles[0] = 0, 15, -15
    batch = BINS.rotate(torch.tensor(shares), torch.tensor(angles))
    np.testing.assert_allclose(batch, BINS.rotate(shares, angles), atol=1e-12)
    for k in np.ndindex(4, 3):
        np.testing.assert_allclose(batch[k], BINS.rotate(shares[k], angles[k]), atol=1e-12)


# --- names of colors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("red", "#ff0000"),
        ("Teal", "#008080"),
        ("  navy\n", "#000080"),
        ("#f00", "#ff0000"),
        ("#FF8000", "#ff8000"),
        ("#ff800080", "#ff8000"),
        ("rgb(255, 128, 0)", "#ff8000"),
        ("hue:0", "#ff0000"),
        ("hue:360", "#ff0000"),
        ("hue:-120", "#0000ff"),
        ("hue:120", "#00ff00"),
        ("hue:1e2", "hue:100"),
    ],
)
def test_names_of_colors(name, same):
    np.testing.assert_array_equal(chroma_of(name), chroma_of(same))
    assert hue_of(name) == hue_of(same)


def test_chroma_and_hue_of_primaries_as_published():
    """Ottosson's OKLab of #ff0000, #00ff00 and #0000ff, and the hues that CSS Color 4 prints."""
    np.testing.assert_allclose(chroma_of("red"), (0.22486, 0.12585), atol=1e-5)
    np.testing.assert_allclose(chroma_of("lime"), (-0.23389, 0.17950), atol=1e-5)
    np.testing.assert_allclose(chroma_of("blue"), (-0.03246, -0.31153), atol=1e-5)
    found = [hue_of(c) for c in ("red", "lime", "blue")]
    np.testing.assert_allclose(found, [29.23, 142.50, 264.05], atol=0.01)


@given(st.floats(-1e6, 1e6))
@settings(max_examples=40)
def test_any_hue_has_a_color(degrees):
    assert 0 <= hue_of(f"hue:{degrees}") < 360
    np.testing.assert_allclose(chroma_of(f"hue:{degrees}"), chroma_of(f"hue:{degrees % 360}"))


@pytest.mark.parametrize("name", ["", "reddish", "#12", "#gggggg", "hue:", "hue:red", "hue:inf"])
def test_no_color(name):
    for read in (chroma_of, hue_of):
        with pytest.raises(PaletteError, match=r"^expected a CSS color name.*, found .*$"):
            read(name)


@pytest.mark.parametrize("name", ["black", "gray", "white", "#808081"])
def test_grays_have_no_hue(name):
    assert np.abs(chroma_of(name)).max() < 0.01
    with pytest.raises(PaletteError, match=r"^expected a color with a hue, found .* is gray$"):
        hue_of(name)
