"""Zhang's classification: which bins there are, soft encoding, rebalancing, annealed mean."""

import numpy as np
import pytest
import torch
from torch import nn

from tintype import color
from tintype.research.methods import zhang2016 as method

CENTERS = torch.from_numpy(method.gamut().copy())
NO_LABELS = torch.full((2,), -1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return method.Network(method.Config(width=1 / 16)).eval()


# --- bins -----------------------------------------------------------------------------------------


def test_the_bins_are_the_cells_that_8_bit_colors_fall_into():
    """Brute force over all 16.7 million of them."""
    level = np.arange(256, dtype=np.float32) / 255
    square = np.stack(np.meshgrid(level, level, indexing="ij"), axis=-1).reshape(-1, 2)
    seen = np.zeros((40, 40), dtype=bool)
    for red in level:
        rgb = np.insert(square, 0, red, axis=1)
        cell = np.floor(color.rgb_to_lab(rgb)[:, 1:] / 10 + 0.5).astype(int) + 20
        seen[cell[:, 0], cell[:, 1]] = True
    expected = 10 * (np.argwhere(seen) - 20)
    np.testing.assert_array_equal(method.gamut(), expected)


def test_counting_centers_alone_gives_fewer_bins():
    """Why counts differ: cells whose center is no color of sRGB at any lightness are counted."""
    light = np.linspace(0, 100, 401)
    inside = 0
    for ab in method.gamut():
        lab = np.concatenate([light[:, None], np.broadcast_to(ab, (401, 2))], axis=1)
        rgb = color.lab_to_rgb(lab)
        inside += bool(((rgb > -1e-4) & (rgb < 1 + 1e-4)).all(1).any())
    assert abs(inside - 226) <= 3
    assert inside < len(method.gamut()) < 313


# --- soft encoding --------------------------------------------------------------------------------


def test_colors_are_shared_among_the_five_nearest_bins_by_a_gaussian():
    rng = np.random.default_rng(0)
    ab = rng.uniform(-60, 60, (50, 2)).astype(np.float32)
    index, share = method.encode(torch.from_numpy(ab), CENTERS)
    for pixel, indices, shares in zip(ab, index.numpy(), share.numpy(), strict=True):
        distance = np.linalg.norm(CENTERS.numpy() - pixel, axis=1)
        nearest = np.argsort(distance)[:5]
        assert set(indices) == set(nearest)
        assert indices[0] == nearest[0]
        gauss = np.exp(-(distance[indices] ** 2) / (2 * 5**2))
        np.testing.assert_allclose(shares, gauss / gauss.sum(), atol=1e-4)


def test_a_center_by_hand():
    """Gray: itself, and four neighbors at distance 10, each exp(-2) of it."""
    index, share = method.encode(torch.zeros(1, 1, 2), CENTERS)
    assert index.shape == share.shape == (1, 1, 5)
    expected = torch.tensor([1.0, *[np.exp(-2)] * 4], dtype=torch.float32)
    torch.testing.assert_close(share[0, 0], expected / expected.sum(), atol=1e-4, rtol=0)
    assert CENTERS[index[0, 0, 0]].tolist() == [0, 0]


# --- rebalancing ----------------------------------------------------------------------------------


def shares(seed=1):
    share = torch.rand(len(CENTERS), generator=torch.Generator().manual_seed(seed)) ** 8
    return share / share.sum()


@pytest.mark.parametrize("rebalance", [0.0, 0.5, 1.0])
def test_rebalancing_has_mean_one(rebalance):
    """Over pixels of the smoothed prior, equation 4's condition."""
    share = shares()
    near = np.exp(-(np.linalg.norm(CENTERS[:, None] - CENTERS[None], axis=-1) ** 2) / 50)
    smooth = (near / near.sum(0)) @ share.numpy()
    assert smooth.sum() == pytest.approx(1, abs=1e-5)
    weight = method.weigh_rarity(share, CENTERS, rebalance).numpy()
    assert (smooth * weight).sum() == pytest.approx(1, abs=1e-4)
    mixed = (1 - rebalance) * smooth + rebalance / len(share)
    np.testing.assert_allclose(weight * mixed, (weight * mixed)[0], rtol=1e-3)


def test_rebalancing_is_counted_on_photos(network):
    rgb = torch.rand(2, 32, 32, 3, generator=torch.Generator().manual_seed(2))
    network.count_colors([rgb[:1], rgb[1:]])
    quarter = color.rgb_to_lab(rgb)[..., 1:].reshape(2, 8, 4, 8, 4, 2).mean((2, 4))
    index, share = method.encode(quarter, network.centers)
    counted = np.bincount(index.numpy().ravel(), share.numpy().ravel(), len(CENTERS))
    counted = torch.from_numpy(counted / counted.sum()).float()
    torch.testing.assert_close(network.rarity, method.weigh_rarity(counted, CENTERS, 0.5))


# --- the network ----------------------------------------------------------------------------------


def test_the_trunk_has_the_published_number_of_weights():
    """32.2 million with 313 bins; here the last layer has fewer."""
    network = method.Network(method.Config())
    trunk = sum(p.numel() for p in network.blocks.parameters())
    assert round((trunk + 257 * 313) / 1e6, 1) == 32.2
    assert network.classify.weight.shape == (len(CENTERS), 256, 1, 1)


def test_blocks_are_strided_dilated_and_normed_as_published(network):
    convolutions = [m for m in network.blocks.modules() if isinstance(m, nn.Conv2d)]
    dilations = [c.dilation[0] for c in convolutions]
    assert dilations == [1] * 10 + [2] * 6 + [1] * 5
    assert [i for i, c in enumerate(convolutions) if c.stride == (2, 2)] == [1, 3, 6]
    norms = [m for m in network.blocks.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 7
    assert not any(norm.affine for norm in norms)
    up = network.blocks[7]
    assert (up.kernel_size, up.stride) == ((4, 4), (2, 2))


@torch.no_grad()
def test_logits_are_at_a_quarter_of_the_size(network):
    assert network.logits(torch.rand(1, 1, 48, 64)).shape == (1, len(CENTERS), 12, 16)


@torch.no_grad()
def test_colors_are_the_annealed_mean(network, monkeypatch):
    """Two bins whose probabilities are 3 to 1 weigh 3^(1/0.38) to 1."""
    one, other = 130, 140
    logits = torch.full((1, len(CENTERS), 8, 8), -1e4)
    logits[:, one], logits[:, other] = np.log(3), 0.0
    monkeypatch.setattr(network, "logits", lambda _: logits)
    rgb = method.colorize(network, torch.full((1, 1, 32, 32), 0.5))
    part = 3 ** (1 / 0.38) / (3 ** (1 / 0.38) + 1)
    expected = part * CENTERS[one] + (1 - part) * CENTERS[other]
    lab = color.rgb_to_lab(rgb)
    torch.testing.assert_close(lab[0, 16, 16, 1:], expected, atol=0.02, rtol=0)
    gray = color.rgb_to_lab(torch.full((3,), 0.5))
    assert lab[0, 16, 16, 0].item() == pytest.approx(gray[0].item(), abs=0.02)


# --- the loss -------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_loss_by_hand(network, monkeypatch):
    """Even logits cost log Q less the encoding's entropy, times the nearest bin's weight."""
    rgb = torch.tensor([0.8, 0.2, 0.2]).expand(2, 32, 32, 3)
    monkeypatch.setattr(network, "logits", lambda _: torch.zeros(2, len(CENTERS), 8, 8))
    index, share = method.encode(color.rgb_to_lab(rgb[0, 0, 0])[1:], CENTERS)
    network.rarity[index[0]] = 3
    loss, _ = network(rgb, NO_LABELS, torch.Generator())
    expected = 3 * (np.log(len(CENTERS)) + (share * share.log()).sum().item())
    assert loss.item() == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_gray_photos_teach_nothing(network):
    gray = torch.rand(2, 32, 32, 1).expand(2, 32, 32, 3)
    loss, _ = network(gray, NO_LABELS, torch.Generator())
    assert loss.item() == 0
    colorful = gray.clone()
    colorful[1, :8, :8] = torch.tensor([0.9, 0.1, 0.1])
    both, _ = network(colorful, NO_LABELS, torch.Generator())
    alone, _ = network(colorful[1:], NO_LABELS[:1], torch.Generator())
    assert both.item() == pytest.approx(alone.item() / 2, rel=1e-4)
