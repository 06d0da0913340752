"""Deep Colorization: its descriptors beside scikit-image's, its filter by hand."""

import math

import numpy as np
import pytest
import torch
from skimage.feature import daisy

from research.conftest import crops, scenes, seeded
from tintype import color
from tintype.research.methods import cheng2015 as method


@pytest.fixture
def network(narrow):
    torch.manual_seed(0)
    network = method.Network(method.Config(vgg=str(narrow)))
    network.count_colors([crops(8)])
    return network.eval()


def test_daisy_is_that_of_scikit_image():
    """Away from the borders, beyond which both go on differently."""
    gray = torch.rand(2, 1, 64, 60, generator=seeded())
    found = method.describe_daisy(gray)
    assert found.shape == (2, 32, 64, 60)
    for one, photo in zip(found, gray, strict=True):
        expected = daisy(
            photo[0].double().numpy(), step=1, radius=7, rings=1, histograms=3, orientations=8
        )
        inner = one.permute(1, 2, 0)[7:-7, 7:-7]
        np.testing.assert_allclose(inner[15:-15, 15:-15], expected[15:-15, 15:-15], atol=1e-5)


def test_a_pixel_has_114_numbers(network):
    gray = torch.rand(2, 1, 32, 48, generator=seeded(1))
    described = network.describe(gray)
    assert described.shape == (2, 114, 32, 48)
    patch = described[1, :49, 10, 20].reshape(7, 7)
    torch.testing.assert_close(patch, gray[1, 0, 7:14, 17:24])
    for part in (described[:, 49:81], described[:, 81:]):
        torch.testing.assert_close(part.sum(1), torch.ones(2, 32, 48))
    widths = [tuple(p.shape[:2]) for p in network.parameters() if p.ndim == 4]
    assert widths == [(57, 114), (57, 57), (57, 57), (2, 57)]


def test_the_filter_by_hand_of_a_pixel_and_its_neighbors():
    """Three in a row: 0.1 of gray apart weighs exp(-1/2), beside exp(-2) for nearness."""
    gray = torch.tensor([0.5, 0.5, 0.6]).view(1, 1, 1, 3)
    plane = torch.tensor([0.0, 1.0, 2.0]).view(1, 1, 1, 3)
    near, like = math.exp(-2), math.exp(-0.5)
    row = (1 * 1 + near * (0 + like * 2)) / (1 + near * (1 + like))
    found = method.filter_jointly(plane, gray, 1, 1)  # rows above and below are the same
    assert found[0, 0, 0, 1].item() == pytest.approx(row)


def test_colors_do_not_cross_edges():
    gray = torch.cat([torch.zeros(1, 1, 24, 12), torch.ones(1, 1, 24, 12)], 3)
    plane = gray + 0.2 * torch.randn(1, 1, 24, 24, generator=seeded())
    found = method.filter_jointly(plane, gray, *method.FINISHING)
    assert (found - gray).abs().mean() < 0.4 * (plane - gray).abs().mean()
    assert (found - gray).mean((0, 1, 2)).abs().max() < 0.15


def test_clusters_are_what_belongs_together():
    centers = torch.eye(9)[:3]
    noise = 0.1 * torch.randn(90, 9, generator=seeded())
    points = torch.nn.functional.normalize(centers.repeat_interleave(30, 0) + noise, dim=1)
    found = method.cluster(points, 3)
    torch.testing.assert_close(found, centers, atol=0.1, rtol=0)


def test_an_untrained_network_is_almost_gray_and_learns_by_least_squares(network):
    rgb = scenes(4)
    uv = color.rgb_to_ycbcr(rgb)[..., 1:]
    with torch.no_grad():
        assert 0 < network.paint(color.luma(rgb)[:, None]).square().mean().sqrt() < 0.03
        for tensor in network.color.parameters():
            tensor.zero_()
    painted = method.colorize(network, color.luma(rgb)[:, None])
    torch.testing.assert_close(painted, color.luma(rgb)[..., None].expand(-1, -1, -1, 3))
    loss, _ = network(rgb, torch.zeros(4), seeded())
    assert loss.item() == pytest.approx((uv**2).sum(-1).mean().item(), rel=1e-4)
