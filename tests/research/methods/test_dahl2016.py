"""Dahl's residual encoder, layer by layer as described."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tintype import color
from tintype.research.methods import dahl2016 as method
from tintype.research.methods import vgg16
from tintype.research.methods.losses import blurred_euclidean


@pytest.fixture
def network(narrow):
    torch.manual_seed(0)
    return method.Network(method.Config(vgg=str(narrow))).eval()


def photo(height=32, width=32):
    return torch.rand(2, height, width, 3, generator=torch.Generator().manual_seed(1))


def test_501575_convolution_weights_are_trained(monkeypatch):
    monkeypatch.setattr(vgg16, "load_pinned", lambda _: vgg16.Pinned(vgg16.Vgg16()))
    network = method.Network(method.Config())
    kernels = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.weight.requires_grad]
    assert sum(kernel.weight.numel() for kernel in kernels) == 501_575
    assert all(kernel.bias is None for kernel in kernels)
    shapes = [tuple(kernel.weight.shape) for kernel in kernels]
    assert shapes == [
        (256, 512, 1, 1), (128, 256, 3, 3), (64, 128, 3, 3), (3, 64, 3, 3), (3, 3, 3, 3),
        (2, 3, 3, 3),
    ]  # fmt: skip


@torch.no_grad()
def test_the_layers_are_those_of_the_description(network):
    """Written out: norm, 1 x 1; up, add the next norm, 3 x 3; at last gray three times, 3 x 3."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias)
    gray = photo()[..., 0][:, None]
    first, second, third, fourth = network.vgg(gray, 4)
    norms, steps = network.norms, network.steps
    x = steps[0](norms[0](fourth))
    skips = (third, second, first, gray.repeat(1, 3, 1, 1))
    for i, skip in enumerate(skips, start=1):
        size = skip.shape[-2:]
        larger = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        x = steps[i](larger + norms[i](skip))
        assert x.min() == 0  # ReLU
    expected = torch.sigmoid(network.color[1](network.color[0](x)))
    torch.testing.assert_close(network.paint(gray), expected)


@torch.no_grad()
def test_an_untrained_network_gives_almost_gray(network):
    """In training, where the norms are the batch's own: U and V are 0.025 from gray on average."""
    uv = network.train().paint(photo()[..., 0][:, None])
    assert 0.01 < (uv - 0.5).square().mean().sqrt() < 0.03


@torch.no_grad()
def test_the_loss_is_over_uv_between_0_and_1(network):
    rgb = photo()
    ycbcr = color.rgb_to_ycbcr(rgb)
    uv = ycbcr[..., 1:].permute(0, 3, 1, 2) + 0.5
    assert uv.min() >= 0
    assert uv.max() <= 1
    loss, parts = network(rgb, torch.full((2,), -1), torch.Generator())
    expected = blurred_euclidean(network.paint(ycbcr[..., 0][:, None]), uv)
    assert loss.item() == pytest.approx(expected.item())
    assert parts["pixels"].item() == pytest.approx(expected.item())


@torch.no_grad()
def test_luma_is_kept_where_the_color_exists(network):
    gray = 0.4 + 0.2 * photo()[..., 0][:, None]
    nn.init.constant_(network.color[1].weight, 0.1)
    rgb = method.colorize(network, gray)
    inside = ((rgb > 0) & (rgb < 1)).all(-1)
    assert inside.float().mean() > 0.9
    torch.testing.assert_close(color.luma(rgb)[inside], gray[:, 0][inside], atol=1e-5, rtol=0)
