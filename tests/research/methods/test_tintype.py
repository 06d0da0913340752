"""The default model: a palette that steers, an encoder that does not see it, exact supervision."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from research.conftest import TINY, crops, random_palettes, seeded
from tintype.bins import chroma_of
from tintype.color import rgb_to_oklab
from tintype.palette import Palette
from tintype.research.methods import tintype as method
from tintype.research.methods.palettes import measure_palettes

BINS = TINY.bins
NO_LABELS = torch.full((8,), -1)


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
    features, estimate, _ = network.encode(torch.rand(batch, 1, high, wide))
    assert [tuple(f.shape) for f in features] == [
        (batch, width, high >> level, wide >> level)
        for level, width in enumerate(TINY.widths[1:], start=2)
    ]
    assert estimate.shape == (batch, BINS.count)
    torch.testing.assert_close(estimate.sum(1), torch.ones(batch))
    logits = network.decoder(features, estimate, estimate)
    assert logits.shape == (batch, BINS.count, high // 4, wide // 4)
    ab = network.to_chroma(logits, adjustment=0.5, temperature=0.5)
    assert ab.shape == (batch, high // 4, wide // 4, 2)
    assert torch.linalg.vector_norm(ab, dim=-1).max() <= max(TINY.chromas)


@torch.no_grad()
def test_the_encoder_does_not_see_the_palette(network):
    """Features are the same before and after decoding, and they know nothing of the decoder."""
    luma = torch.rand(1, 1, 32, 64)
    features, estimate, _ = network.encode(luma)
    before = [f.clone() for f in features]
    for palette in random_palettes(3):
        network.decoder(features, palette[None], estimate)
    for parameter in network.decoder.parameters():
        parameter.normal_()
    again, same, _ = network.encode(luma)
    assert torch.equal(estimate, same)
    for one, two, three in zip(before, features, again, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


@torch.no_grad()
def test_the_palette_matters_in_the_decoder_and_as_a_prior(network):
    features, estimate, _ = network.encode(torch.rand(1, 1, 32, 32))
    wanted = BINS.rotate(estimate, torch.tensor([120.0]))

    def change():
        own, other = (network.decoder(features, p, estimate) for p in (estimate, wanted))
        return other - own

    both = change()
    network.decoder.bias_weight.zero_()
    learned = change()
    assert learned.abs().max() > 1e-3
    assert learned.std(dim=(2, 3)).max() > 1e-4  # not only a bias: it depends on the place
    ratio = torch.log((wanted + 1e-3) / (estimate + 1e-3))
    expected = ratio[:, :, None, None].expand_as(both)
    torch.testing.assert_close(both - learned, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_without_a_wish_there_is_no_prior(network):
    """Automatic mode, where the wanted palette is the estimate, and a dropped palette."""
    features, estimate, _ = network.encode(torch.rand(1, 1, 32, 32))
    none = torch.zeros_like(estimate)

    def decoded():
        other = random_palettes(1)
        return [
            network.decoder(features, *palettes)
            for palettes in ((none, estimate), (none, other), (estimate, estimate))
        ]

    with_prior = decoded()
    network.decoder.bias_weight.fill_(5.0)
    for one, two in zip(with_prior, decoded(), strict=True):
        torch.testing.assert_close(one, two)
    torch.testing.assert_close(with_prior[0], with_prior[1])
    assert not torch.allclose(with_prior[0], with_prior[2])


@torch.no_grad()
def test_a_palette_in_a_batch_steers_its_own_photo_alone(network):
    features, estimate, _ = network.encode(torch.rand(2, 1, 32, 32))
    wanted = random_palettes(2)
    together = network.decoder(features, wanted, estimate)
    for i in range(2):
        row = slice(i, i + 1)
        alone = network.decoder([f[row] for f in features], wanted[row], estimate[row])
        torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_tones_are_colored_by_their_own_palettes(network):
    """Of a network that sees nothing: blue where it is dark, yellow where it is light."""
    network.decoder.classify.weight.zero_()
    network.decoder.classify.bias.zero_()
    network.rebalancing.fill_(1)
    luma = torch.linspace(0, 1, 64).expand(1, 1, 32, 64)
    blue, yellow = (Palette.of_chroma(BINS, chroma_of(c)).shares for c in ("blue", "yellow"))
    tones = np.stack([blue, blue + yellow, yellow])
    palette = Palette(BINS, blue + yellow, tones=tones)
    left, right = (method.colorize(network, luma, palette)[0, :, i].mean(0) for i in (12, 52))
    assert left[2] > left[:2].max() + 0.1
    assert right[2] < right[:2].min() - 0.1
    plain = method.colorize(network, luma, replace(palette, tones=None))
    ab = rgb_to_oklab(plain[0, :, 12:52].numpy())[..., 1:]
    assert np.ptp(ab, axis=(0, 1)).max() < 0.02  # one color for all


@torch.no_grad()
def test_tones_like_the_palette_change_nothing(network):
    luma = torch.rand(1, 1, 32, 64)
    wanted = Palette(BINS, random_palettes(1)[0].numpy())
    alike = replace(wanted, tones=np.tile(wanted.shares, (3, 1)))
    plain, same = (method.colorize(network, luma, p) for p in (wanted, alike))
    torch.testing.assert_close(same, plain)


# --- colors of logits ----------------------------------------------------------------------------


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
    shares = measure_palettes(*BINS.encode(method.oklab_quarter(crops(24))), BINS.count).mean(0)
    assert (shares * network.rebalancing).sum() == pytest.approx(1, abs=1e-5)
    assert network.rebalancing.min() > 0
    commonness = shares / torch.from_numpy(BINS.areas)
    order = commonness.argsort()
    assert (network.rebalancing[order].diff() <= 1e-6).all()


def test_without_rebalancing_every_color_weighs_the_same_per_share():
    network = method.Network(method.Config(widths=TINY.widths, vocabulary=8, rebalance=1.0))
    network.count_colors([crops(8)])
    torch.testing.assert_close(network.rebalancing, torch.ones(BINS.count))


def test_prototypes_are_palettes(network):
    assert network.prototypes.shape == (TINY.vocabulary, BINS.count)
    assert network.prototypes.min() >= 0
    torch.testing.assert_close(network.prototypes.sum(1), torch.ones(TINY.vocabulary))


def test_quarter_averages_chroma():
    rgb = crops(2, 32)
    ab = rgb_to_oklab(rgb.numpy().astype(float))[..., 1:]
    expected = ab.reshape(2, 8, 4, 8, 4, 2).mean((2, 4))
    np.testing.assert_allclose(method.oklab_quarter(rgb), expected, atol=1e-5)


def test_a_photos_colors_are_turned_with_its_palette(network, monkeypatch):
    """Who paints the wanted palette all over photos of one color is as right as can be."""
    degrees = torch.tensor([0.0, 30.0, 105.0, 300.0])
    colors = torch.tensor([(0.8, 0.2, 0.2), (0.2, 0.6, 0.3), (0.3, 0.3, 0.8), (0.7, 0.6, 0.1)])
    rgb = colors[:, None, None].expand(4, 32, 32, 3)

    def decode(features, palette, estimate):
        assert len(features) == len(TINY.widths) - 1
        assert estimate.shape == palette.shape
        return palette.clamp(min=1e-9).log()[:, :, None, None].expand(-1, -1, 8, 8)

    def sample(bins, true, estimate, generator):
        assert estimate.shape == true.shape
        assert isinstance(generator, torch.Generator)
        return bins.rotate(true, degrees), degrees

    monkeypatch.setattr(network.decoder, "forward", decode)
    monkeypatch.setattr(method, "sample_targets", sample)
    network.rebalancing.fill_(1)
    with torch.no_grad():
        _, parts = network(rgb, NO_LABELS[:4], seeded())
    assert parts["pixels"] == pytest.approx(0, abs=0.01)


def test_the_loss_goes_by_the_generator(network):
    rgb = crops(4)
    with torch.no_grad():
        losses = (network(rgb, NO_LABELS[:4], seeded(s))[0].item() for s in (1, 1, 2))
        one, same, other = losses
    assert one == same != other


def test_grays_and_palettes_stay_exact_in_half_precision(network, monkeypatch):
    grays, estimates = [], []
    encode, decode = network.encoder.extract, network.decoder.forward

    def noting_gray(gray):
        grays.append(gray)
        return encode(gray)

    def noting_estimate(features, palette, estimate):
        estimates.append(estimate)
        return decode(features, palette, estimate)

    monkeypatch.setattr(network.encoder, "extract", noting_gray)
    monkeypatch.setattr(network.decoder, "forward", noting_estimate)
    rgb = crops(4)
    with torch.no_grad():
        network(rgb, NO_LABELS[:4], seeded())
        with torch.autocast("cpu", torch.bfloat16):
            network(rgb, NO_LABELS[:4], seeded())
    assert torch.equal(*grays)
    assert estimates[1].dtype == torch.float32
    torch.testing.assert_close(estimates[1].sum(1), torch.ones(4))


def test_photos_without_a_class_teach_the_auxiliary_head_nothing(network):
    """Hand-worked: cross entropy of uniform logits over n classes is log n, 0 where unlabeled."""
    with torch.no_grad():
        network.recognize.weight.zero_()
        network.recognize.bias.zero_()
    count = network.recognize.out_features
    for labels, known in (([-1, -1, -1, -1], 0), ([0, -1, count - 1, count], 2)):
        _, parts = network(crops(4), torch.tensor(labels), seeded())
        assert parts["labels"].item() == pytest.approx(known / 4 * math.log(count))


def test_colors_are_not_learned_through_the_estimated_palette(network):
    """The pixels' loss leaves the palette head alone: otherwise it would learn to be a hint."""
    network.config = replace(TINY, palette_loss=0.0, label_loss=0.0)
    loss, _ = network(crops(8), NO_LABELS, seeded())
    loss.backward()
    assert all(p.grad.abs().max() == 0 for p in network.encoder.palette.parameters())
    assert network.encoder.stem[0].weight.grad.abs().max() > 0
    assert network.decoder.bias_weight.grad.abs() > 0


@torch.no_grad()
def test_previews_are_photos(network):
    rgb = crops(1, 64)
    luma = rgb.mean(-1)[:, None]
    painted = method.preview(network, rgb, luma)
    assert list(painted) == ["calm", "half", "vivid", "true palette"]
    for photo in painted.values():
        assert photo.shape == (64, 64, 3)
        assert photo.min() >= 0
        assert photo.max() <= 1
