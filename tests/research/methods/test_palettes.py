"""Palettes in torch: histograms, clusters, and the sample_targets that training makes."""

import numpy as np
import pytest
import torch

from research.conftest import TINY, crops, random_palettes, seeded
from tintype.palette import Palette
from tintype.research.methods import tintype as method
from tintype.research.methods.palettes import cluster, measure_palettes, rotate_hues, sample_targets

BINS = TINY.bins
KINDS = {"true": 0.25, "true turned": 0.15, "estimate": 0.38, "estimate turned": 0.14, "none": 0.08}
NOISED = 0.12  # of all


@pytest.mark.parametrize("points", [3, 8, 100])
def test_clusters_of_palettes_are_palettes(points):
    clusters = cluster(random_palettes(points), 8)
    assert clusters.shape == (8, BINS.count)
    torch.testing.assert_close(clusters.sum(1), torch.ones(8))


def test_clusters_are_the_means_of_what_belongs_together():
    centers = torch.eye(BINS.count)[[0, 30, 60]]
    noise = random_palettes(30) * 0.02
    palettes = 0.98 * centers.repeat(10, 1) + noise
    clusters = cluster(palettes, 3)
    expected = torch.stack([palettes[i::3].mean(0) for i in range(3)])
    torch.testing.assert_close(clusters[clusters.argmax(1).argsort()], expected)


def test_histograms_are_those_of_palettes():
    ab = method.oklab_quarter(crops(3, 64))
    found = measure_palettes(*BINS.encode(ab), BINS.count)
    for histogram, pixels in zip(found, ab, strict=True):
        expected = Palette.of_chroma(BINS, pixels.numpy()).shares
        np.testing.assert_allclose(histogram, expected, atol=1e-6)


# --- targets --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled():
    """Palettes whose rings say where they come from: (rings, degrees, palette).

    True ones are in ring 0 or in ring 4 in turn, estimated ones in ring 2: hue 0 all of them.
    """
    count = 40_000
    firsts = [1 + ring * BINS.hues for ring in (0, 4, 2)]
    true = torch.eye(BINS.count)[firsts[:2]].repeat(count // 2, 1)
    estimate = torch.eye(BINS.count)[firsts[2]].expand(count, -1)
    palette, degrees = sample_targets(BINS, true, estimate, seeded())
    rings = palette[:, 1:].reshape(count, len(BINS.chromas), BINS.hues).sum(2)
    return rings, degrees, palette


def test_the_kinds_of_targets_have_their_shares(sampled):
    rings, degrees, _ = sampled
    true, estimate, turned = rings[:, 0] + rings[:, 4] > 0, rings[:, 2] > 0, degrees != 0
    kinds = {
        "true": true & ~turned,
        "true turned": true & turned,
        "estimate": estimate & ~turned,
        "estimate turned": estimate & turned,
        "none": ~true & ~estimate,
    }
    assert not (true & estimate).any()
    assert sum(KINDS.values()) == pytest.approx(1)
    for name, chosen in kinds.items():
        assert chosen.float().mean() == pytest.approx(KINDS[name], abs=0.012), name
    assert not (kinds["none"] & turned).any()


def test_targets_are_palettes_or_nothing(sampled):
    rings, _, palette = sampled
    whole = palette.sum(1)
    assert palette.min() >= 0
    torch.testing.assert_close(whole, (rings.sum(1) > 0).float())


def test_some_true_palettes_are_noised_with_another_photos(sampled):
    rings, degrees, _ = sampled
    less = torch.minimum(rings[:, 0], rings[:, 4])
    assert (less > 0).float().mean() == pytest.approx(NOISED, abs=0.012)
    assert 0.28 < less.max() <= 0.3 + 1e-6
    assert (degrees[less > 0] == 0).all()


def test_turned_palettes_are_turned_by_the_angle_said(sampled):
    _, degrees, palette = sampled
    turned = degrees != 0
    said = degrees[turned]
    assert said.min() >= 0
    assert said.max() < 360
    quarters = torch.histc(said, 4, 0, 360) / len(said)
    torch.testing.assert_close(quarters, torch.full((4,), 0.25), atol=0.02, rtol=0)
    # Between two bins the color is shared linearly, so the mean bin is the angle.
    hues = palette[turned, 1:].reshape(len(said), -1, BINS.hues).sum(1)
    step = 360 / BINS.hues
    low = (said / step).floor().long() % BINS.hues
    share = said / step - (said / step).floor()
    expected = torch.zeros_like(hues).scatter_(1, low[:, None], (1 - share)[:, None])
    expected.scatter_add_(1, ((low + 1) % BINS.hues)[:, None], share[:, None])
    torch.testing.assert_close(hues, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 123.4, 270.0])
def test_turned_chroma_is_multiplied_by_a_complex_number(degrees):
    ab = torch.randn(2, 5, 6, 2, generator=seeded())
    angles = torch.tensor([degrees, degrees + 45])
    z = torch.view_as_complex(ab) * torch.polar(torch.ones(2), torch.deg2rad(angles))[:, None, None]
    torch.testing.assert_close(rotate_hues(ab, angles), torch.view_as_real(z))


def test_turned_chroma_has_the_turned_palette():
    """What makes rotation exact supervision: colors and palette turn together."""
    ab = method.oklab_quarter(crops(3, 64))
    degrees = torch.tensor([15.0, 120.0, 345.0])
    before, after = (
        measure_palettes(*BINS.encode(x), BINS.count) for x in (ab, rotate_hues(ab, degrees))
    )
    torch.testing.assert_close(BINS.rotate(before, degrees), after, atol=1e-5, rtol=0)


# --- training -------------------------------------------------------------------------------------
