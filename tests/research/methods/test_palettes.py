"""Palettes in torch: histograms, whole and by tone, clusters, turned hues."""

import numpy as np
import pytest
import torch

from research.conftest import TINY, crops, random_palettes, seeded
from tintype.color import luma, rgb_to_oklab
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.methods.losses import average
from tintype.research.methods.palettes import (
    Palettes,
    cluster,
    expand_palette,
    measure_by_tone,
    measure_palettes,
    rotate_hues,
)

BINS = TINY.bins


def colors_of(rgb):
    """OKLab chroma and luma of RGB, at a quarter of its size."""
    return average(rgb_to_oklab(rgb)[..., 1:], 4), average(luma(rgb)[..., None], 4)[..., 0]


@pytest.mark.parametrize("points", [3, 8, 100])
def test_clusters_of_palettes_are_palettes(points):
    clusters = cluster(random_palettes(4 * points).reshape(points, 4, -1), 8)
    assert clusters.shape == (8, 4, BINS.count)
    torch.testing.assert_close(clusters.sum(2), torch.ones(8, 4))


def test_clusters_are_the_means_of_what_belongs_together():
    centers = torch.eye(BINS.count)[[0, 30, 60]]
    palettes = random_palettes(4 * 30).reshape(30, 4, -1)  # of the tones, anything
    palettes[:, 0] = 0.98 * centers.repeat_interleave(10, 0) + 0.02 * palettes[:, 0]
    clusters = cluster(palettes, 3)
    expected = torch.stack([palettes[10 * i :][:10].mean(0) for i in range(3)])
    torch.testing.assert_close(clusters[clusters[:, 0].argmax(1).argsort()], expected)


def test_histograms_are_those_of_palettes():
    ab = colors_of(crops(3, 64))[0]
    found = measure_palettes(*BINS.encode(ab), BINS.count)
    for histogram, pixels in zip(found, ab, strict=True):
        expected = Palette.of_chroma(BINS, pixels.numpy()).shares
        np.testing.assert_allclose(histogram, expected, atol=1e-6)


# --- turned ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 123.4, 270.0])
def test_turned_chroma_is_multiplied_by_a_complex_number(degrees):
    ab = torch.randn(2, 5, 6, 2, generator=seeded())
    angles = torch.tensor([degrees, degrees + 45])
    z = torch.view_as_complex(ab) * torch.polar(torch.ones(2), torch.deg2rad(angles))[:, None, None]
    torch.testing.assert_close(rotate_hues(ab, angles), torch.view_as_real(z))


def test_turned_chroma_has_the_turned_palette():
    """What makes rotation exact supervision: colors and palette turn together."""
    ab = colors_of(crops(3, 64))[0]
    degrees = torch.tensor([15.0, 120.0, 345.0])
    before, after = (
        measure_palettes(*BINS.encode(x), BINS.count) for x in (ab, rotate_hues(ab, degrees))
    )
    torch.testing.assert_close(BINS.rotate(before, degrees), after, atol=1e-5, rtol=0)


# --- by tone --------------------------------------------------------------------------------------


def test_palettes_by_tone_are_those_of_the_package():
    """As `Palette.measure` has them of a photo at the same size."""
    rgb = crops(3, 64)[:, ::4, ::4]
    found = measure_by_tone(BINS, rgb_to_oklab(rgb)[..., 1:], luma(rgb))
    for row, photo in enumerate(rgb):
        whole = Palette.of_chroma(BINS, rgb_to_oklab(photo.numpy())[..., 1:])
        np.testing.assert_allclose(found.whole[row], whole.shares, atol=1e-5)
    dark = torch.where(luma(rgb)[..., None] < 0.5, rgb, 0.9)  # what is light is gray
    shadows, _, highlights = measure_by_tone(BINS, rgb_to_oklab(dark)[..., 1:], luma(dark)).tones[0]
    assert highlights[0] > 0.9 > shadows[0]


def test_a_photo_of_one_tone_has_its_palette_in_every_tone():
    """The trace of all of the photo is what tones are of that it has not."""
    ab = torch.randn(1, 6, 6, 2, generator=seeded()) / 10
    found = measure_by_tone(BINS, ab, torch.full((1, 6, 6), 0.5))
    torch.testing.assert_close(found.tones, found.whole[:, None].expand(-1, 3, -1))


def test_a_given_palette_is_expanded_over_photos_and_tones():
    estimate = Palettes.join(random_palettes(8).reshape(2, 4, -1))
    assert expand_palette(None, BINS, estimate) is estimate
    shares, *tones = random_palettes(4).numpy()
    plain = expand_palette(Palette(BINS, shares), BINS, estimate)
    toned = expand_palette(Palette(BINS, shares, tones=np.stack(tones)), BINS, estimate)
    for found in (plain, toned):
        np.testing.assert_allclose(found.whole, np.stack([shares, shares]), atol=1e-6)
    np.testing.assert_allclose(toned.tones, np.stack([tones, tones]), atol=1e-6)
    moved = estimate.tones * ((plain.whole + 1e-3) / (estimate.whole + 1e-3))[:, None]
    torch.testing.assert_close(plain.tones, moved / moved.sum(2, keepdim=True))
    other = Palette(type(BINS)(12), np.ones(61))
    with pytest.raises(PaletteError, match="over this network's bins"):
        expand_palette(other, BINS, estimate)
