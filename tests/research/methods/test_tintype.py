"""The default network: an encoder that sees neither palette nor hints, counted norms, colors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from research.conftest import TINY, crops, random_palettes, save_published, seeded
from research.methods.test_decoder import hints
from tintype.bins import chroma_of
from tintype.color import luma, rgb_to_oklab
from tintype.palette import Palette
from tintype.research.methods import tintype as method
from tintype.research.methods.palettes import Palettes
from tintype.research.methods.tintype import objective
from tintype.research.methods.tintype.efficientnet import Backbone

BINS = TINY.bins


@pytest.fixture
def network():
    """A network with random weights that has counted the colors of some crops."""
    torch.manual_seed(0)
    network = method.Network(TINY)
    network.count_colors([crops(24)])
    return network.eval()


# --- encode, decode -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 32, 32), (2, 64, 96), (1, 160, 224)])
@torch.no_grad()
def test_shapes(network, shape):
    batch, high, wide = shape
    gray = torch.rand(batch, 1, high, wide)
    features, estimate, _ = network.encode(gray)
    widths = [(w, 2 + level) for level, w in enumerate(TINY.widths)]
    assert [tuple(f.shape) for f in features] == [
        (batch, width, high >> level, wide >> level) for width, level in [*widths, (TINY.keys, 2)]
    ]
    assert estimate.parts.shape == (batch, 4, BINS.count)
    torch.testing.assert_close(estimate.parts.sum(2), torch.ones(batch, 4))
    small = torch.rand(batch, 1, high // 4, wide // 4)
    silent = method.Hints.none(batch)
    logits, levels = network.decoder(features, small, estimate, estimate, silent)
    assert logits.shape == (batch, BINS.count, high // 4, wide // 4)
    assert [level.shape[2] for level in levels] == [high >> n for n in (5, 4, 3, 2)]
    ab = network.to_chroma(logits, adjustment=0.5, temperature=0.5)
    assert ab.shape == (batch, high // 4, wide // 4, 2)
    assert torch.linalg.vector_norm(ab, dim=-1).max() <= max(TINY.chromas)


@torch.no_grad()
def test_the_encoder_sees_neither_palette_nor_hints(network):
    """Features are the same before and after decoding, and they know nothing of the decoder."""
    gray = torch.rand(1, 1, 32, 64)
    features, estimate, _ = network.encode(gray)
    before = [f.clone() for f in features]
    said = hints((0.2, 0.2, 0.1, 0.1, 1.0))
    for palette in random_palettes(3):
        wanted = Palettes.of_shares(palette[None])
        network.decoder(features, torch.rand(1, 1, 8, 16), wanted, estimate, said)
    for parameter in network.decoder.parameters():
        parameter.normal_()
    again, same, _ = network.encode(gray)
    assert torch.equal(estimate.parts, same.parts)
    for one, two, three in zip(before, features, again, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


@torch.no_grad()
def test_tones_are_colored_by_their_own_palettes(network):
    """Of a network that sees nothing: blue where it is dark, yellow where it is light."""
    network.decoder.classify.weight.zero_()
    network.decoder.classify.bias.zero_()
    network.rebalancing.fill_(1)
    gray = torch.linspace(0, 1, 64).expand(1, 1, 32, 64)
    blue, yellow = (Palette.of_chroma(BINS, chroma_of(c)).shares for c in ("blue", "yellow"))
    tones = np.stack([blue, blue + yellow, yellow])
    palette = Palette(BINS, blue + yellow, tones=tones)
    left, right = (method.colorize(network, gray, palette)[0, :, i].mean(0) for i in (12, 52))
    assert left[2] > left[:2].max() + 0.1
    assert right[2] < right[:2].min() - 0.1


@torch.no_grad()
def test_colors_follow_a_hint_at_its_place(network):
    gray = torch.rand(1, 1, 64, 64, generator=seeded())
    features, own, reference = network.encode(gray)
    red = rgb_to_oklab(np.array([0.8, 0.2, 0.2]))[1:]
    said = hints((0.1, 0.1, *red, 1.0))
    painted, plain = (
        rgb_to_oklab(method.decode(network, features, gray, own, reference, given).numpy())
        for given in (said, None)
    )
    gain = (painted - plain)[0, ..., 1:] @ red
    assert gain[2:8, 2:8].mean() > 0.002
    assert gain[2:8, 2:8].mean() > 3 * np.abs(gain[-8:, -8:]).mean()


@torch.no_grad()
def test_photos_of_any_size_are_colored(network):
    gray = torch.rand(1, 1, 45, 70, generator=seeded())
    whole = method.colorize(network, gray)
    assert whole.shape == (1, 45, 70, 3)
    np.testing.assert_allclose(luma(whole), gray[:, 0], atol=0.15)


# --- palettes from recipes ------------------------------------------------------------------------


@torch.no_grad()
def test_what_palettes_were_before_recipes_is_kept_beside(network):
    tuned = method.Network(replace(TINY, tuned=True)).eval()
    missing, unknown = tuned.load_state_dict(network.state_dict(), strict=False)
    assert not unknown
    assert {name.split(".")[0] for name in missing} == {"reference"}
    tuned.reference.load_state_dict(network.palette.mix.state_dict())
    gray = torch.rand(2, 1, 64, 64)
    _, before, same = network.encode(gray)
    assert torch.equal(before.parts, same.parts)
    tuned.palette.mix[2].bias.copy_(torch.arange(TINY.vocabulary))
    _, estimate, reference = tuned.encode(gray)
    torch.testing.assert_close(reference.parts, before.parts)
    pooled = tuned.pool(gray)
    torch.testing.assert_close(tuned.estimate_palettes(pooled), estimate.whole)
    assert (estimate.whole - reference.whole).abs().max() > 0.01


# --- colors of logits -----------------------------------------------------------------------------


@torch.no_grad()
def test_a_low_temperature_gives_the_likeliest_bins_color(network):
    logits = torch.randn(2, BINS.count, 5, 6, generator=seeded())
    centers = torch.from_numpy(BINS.centers)
    cold = network.to_chroma(logits, adjustment=0.0, temperature=1e-4)
    torch.testing.assert_close(cold, centers[logits.argmax(1)])
    calm = logits - network.rebalancing.log()[:, None, None]
    cold = network.to_chroma(logits, adjustment=1.0, temperature=1e-4)
    torch.testing.assert_close(cold, centers[calm.argmax(1)])
    assert (calm.argmax(1) != logits.argmax(1)).any()


@torch.no_grad()
def test_a_high_temperature_gives_gray(network):
    logits = torch.randn(1, BINS.count, 5, 6, generator=seeded())
    assert network.to_chroma(logits, adjustment=0.0, temperature=1e4).abs().max() < 1e-4


# --- what is counted ------------------------------------------------------------------------------


def test_rebalancing_has_mean_one_and_favors_rare_colors(network):
    rgb = crops(24)
    shares = objective.measure_true(BINS, rgb, luma(rgb)[:, None])[1].whole.mean(0)
    assert (shares * network.rebalancing).sum() == pytest.approx(1, abs=1e-5)
    assert network.rebalancing.min() > 0
    commonness = shares / torch.from_numpy(BINS.areas)
    order = commonness.argsort()
    assert (network.rebalancing[order].diff() <= 1e-6).all()


def test_prototypes_are_palettes_by_tone(network):
    assert network.prototypes.shape == (TINY.vocabulary, 4, BINS.count)
    assert network.prototypes.min() >= 0
    torch.testing.assert_close(network.prototypes.sum(2), torch.ones(TINY.vocabulary, 4))
    assert (network.prototypes[:, 1] - network.prototypes[:, 3]).abs().max() > 0.1


# --- a published backbone -------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path):
    torch.manual_seed(1)
    save_published(Backbone(TINY.width, TINY.depth), tmp_path / "weights.pth")
    return replace(TINY, backbone=str(tmp_path / "weights.pth"))


def norms_of(network):
    named = network.backbone.state_dict().items()
    return {name: value.clone() for name, value in named if "running" in name}


def test_its_norms_are_counted_on_gray_and_stay(config):
    network, rgb = method.Network(config), crops(8)
    network.count_colors([rgb[:4], rgb[4:]])
    x = network.backbone._conv_stem((255 * luma(rgb)[:, None] - 127) / 128)
    counted = network.backbone._bn0.running_mean
    torch.testing.assert_close(counted, x.mean((0, 2, 3)), atol=1e-4, rtol=1e-4)
    before = norms_of(network)
    for mode in (network.train(), network.eval().train()):
        mode(rgb, None, seeded())
    after = norms_of(network)
    assert all(torch.equal(before[name], after[name]) for name in before)
    detail = network.neck.detail[0][1].running_mean
    assert detail.abs().max() > 0  # the others go on counting


def test_its_norms_stay_where_weights_come_from_elsewhere(config):
    """Of a checkpoint, say: nothing was counted then."""
    network = method.Network(config)
    before = norms_of(network)
    network(crops(4), None, seeded())
    assert all(torch.equal(value, before[name]) for name, value in norms_of(network).items())


@pytest.mark.parametrize("learned", [False, True])
def test_its_first_stages_are_fixed(config, learned):
    network = method.Network(replace(config, learn_early=learned))
    network.count_colors([crops(8)])
    network(crops(8), None, seeded())[0].backward()
    early = network.backbone._blocks[: network.backbone.early_blocks]
    for part in (network.backbone._conv_stem, network.backbone._bn0, *early):
        assert all((p.grad is not None) == learned for p in part.parameters())
    late = network.backbone._blocks[network.backbone.early_blocks :]
    assert all(p.grad is not None for p in late.parameters())


@torch.no_grad()
def test_previews_are_photos(network):
    rgb = crops(1, 64)
    painted = method.preview(network, rgb, rgb.mean(-1)[:, None])
    assert list(painted) == ["calm", "half", "vivid", "true palette", "ten hints"]
    for photo in painted.values():
        assert photo.shape == (64, 64, 3)
        assert photo.min() >= 0
        assert photo.max() <= 1
