"""The tint: one color over all, as strong as the training photos have it."""

import colorsys

import pytest
import torch

from research.conftest import seeded
from tintype import color
from tintype.research.methods import tint as method


def tinted(saturation, count=3):
    """Photos of one hue and saturation, of several grays."""
    value = torch.linspace(0.2, 0.9, 32 * 32).reshape(1, 32, 32, 1).expand(count, -1, -1, -1)
    return value * torch.tensor(colorsys.hsv_to_rgb(30 / 360, saturation, 1.0))


@torch.no_grad()
def test_the_tint_has_the_hue_and_the_saturation_and_keeps_the_luma():
    network = method.Network(method.Config())
    network.saturation.fill_(0.1)
    gray = 0.2 + 0.6 * torch.rand(2, 1, 8, 9, generator=seeded())
    rgb = method.colorize(network, gray)
    for pixel in rgb.reshape(-1, 3)[::7].tolist():
        hue, saturation, _ = colorsys.rgb_to_hsv(*pixel)
        assert (360 * hue, saturation) == pytest.approx((30, 0.1), abs=0.1)
    torch.testing.assert_close(color.luma(rgb), gray[:, 0], atol=1e-5, rtol=0)


def test_training_photos_choose_the_saturation_and_learning_refines_it():
    network = method.Network(method.Config())
    network.count_colors([tinted(0.123)])
    network(torch.zeros(3, 8, 8, 3), torch.zeros(3), seeded())[0].backward()
    assert network.saturation.grad.isfinite()  # of black photos
    assert network.saturation.item() == pytest.approx(0.12)
    optimizer = torch.optim.SGD(network.parameters(), lr=2e-4)
    for _ in range(30):
        loss, _ = network(tinted(0.123), torch.zeros(3), seeded())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert network.saturation.item() == pytest.approx(0.123, abs=1e-3)
