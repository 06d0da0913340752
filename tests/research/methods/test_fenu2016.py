"""The paper's method: its planes of color, its palette, where it enters, its staged losses."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from research.conftest import scenes, seeded
from tintype import color
from tintype.errors import DataError, PaletteError
from tintype.palette import Palette
from tintype.research.methods import fenu2016 as method
from tintype.research.methods import losses
from tintype.research.methods.palettes import measure_palettes

NO_LABELS = torch.full((4,), -1)
SPACES = ["vector", "raw", "lab"]


@pytest.fixture
def config(narrow):
    return method.Config(vgg=str(narrow), connected=16)


def made(config, **changes):
    torch.manual_seed(0)
    network = method.Network(replace(config, **changes))
    network.count_colors([scenes(8)])
    with torch.no_grad():
        network.train()(scenes(4), NO_LABELS, seeded())
    return network.eval()


def photo(batch=2):
    return torch.rand(batch, 32, 32, 3, generator=seeded(1))


# --- planes of color -----------------------------------------------------------------------------


@pytest.mark.parametrize("space", SPACES)
def test_the_true_planes_and_the_seen_gray_give_the_photo_back(config, space):
    config = replace(config, space=space)
    rgb = photo()
    unit = method.to_unit(rgb, config)
    assert unit.min() >= 0
    assert unit.max() <= 1
    back = method.paint(unit, method.to_gray(rgb, config), config)
    torch.testing.assert_close(back, rgb, atol=2e-4, rtol=0)


def test_planes_by_hand(config):
    """Hue 120 degrees, saturation 1/2."""
    green = torch.tensor([0.4, 0.8, 0.4]).view(1, 1, 1, 3)
    vector, raw = (method.to_unit(green, replace(config, space=s)) for s in ("vector", "raw"))
    expected = [(1 - 0.25) / 2, (1 + 0.5 * 3**0.5 / 2) / 2]
    torch.testing.assert_close(vector.flatten(), torch.tensor(expected))
    torch.testing.assert_close(raw.flatten(), torch.tensor([1 / 3, 0.5]))
    assert method.to_gray(green, config).item() == pytest.approx(0.8)


@pytest.mark.parametrize("space", SPACES)
def test_saturations_are_the_photos(config, space):
    config = replace(config, space=space)
    rgb = photo()
    found = method.saturations(method.to_unit(rgb, config), method.to_gray(rgb, config), config)
    torch.testing.assert_close(found, config.bins.chroma(rgb), atol=2e-3, rtol=0)


@pytest.mark.parametrize("space", ["vector", "raw"])
@torch.no_grad()
def test_value_is_kept_whatever_the_colors(config, space):
    gray = torch.rand(2, 1, 32, 48, generator=seeded(2))
    rgb = method.colorize(made(config, space=space), gray)
    torch.testing.assert_close(rgb.amax(-1), gray[:, 0], atol=1e-6, rtol=0)


@torch.no_grad()
def test_luma_is_kept_instead_where_asked_for(config):
    config = replace(config, gray="luma")
    unit, gray = torch.rand(2, 32, 48, 2, generator=seeded(3)), torch.rand(2, 1, 32, 48)
    rgb = method.paint(unit, gray, config)
    torch.testing.assert_close(color.luma(rgb), gray[:, 0], atol=1e-5, rtol=0)
    assert rgb.min() >= -1e-6
    assert rgb.max() <= 1 + 1e-5
    true = photo()
    inside = method.paint(method.to_unit(true, config), method.to_gray(true, config), config)
    torch.testing.assert_close(inside, true, atol=1e-4, rtol=0)


# --- the palette ----------------------------------------------------------------------------------


def test_the_palette_networks_target_is_numpys_histogram(config, monkeypatch):
    """Of photos whose colors lie on the bins: nothing is shared between two of them."""
    rng, bins = np.random.default_rng(4), config.bins
    hue, ring = rng.integers(0, bins.hues, (2, 32, 32)), rng.integers(0, 4, (2, 32, 32))
    saturation = np.array(bins.chromas)[ring]
    value = rng.uniform(0.3, 1, (2, 32, 32))
    rgb = color.hsv_to_rgb(np.stack([hue / bins.hues, saturation, value], axis=-1))
    targets = []
    monkeypatch.setattr(
        losses,
        "palette_cross_entropy",
        lambda logits, target: targets.append(target) or 0 * logits.sum(),
    )
    made(config)(torch.from_numpy(rgb).float(), NO_LABELS[:2], seeded())
    for found, h, s in zip(targets[-1], hue, saturation, strict=True):
        edges = [[0, 0.25, 0.5, 0.75, 1], np.arange(bins.hues + 1) - 0.5]
        expected, _, _ = np.histogram2d(s.ravel(), h.ravel(), edges)
        np.testing.assert_allclose(found[1:].reshape(4, -1), expected / 32**2, atol=1e-4)
        assert found[0] < 1e-4


@torch.no_grad()
def test_estimates_are_palettes(config):
    _, estimate, _ = made(config).encode(photo()[..., :1].permute(0, 3, 1, 2))
    assert estimate.whole.shape == (2, config.bins.count)
    assert estimate.whole.min() > 0
    torch.testing.assert_close(estimate.whole.sum(1), torch.ones(2))
    assert torch.equal(estimate.tones, estimate.whole[:, None].expand(-1, 3, -1))


def constant_shift(network):
    """What an edit of the palette adds to the norm of the deepest level and to its output."""
    level, seen = network.levels[0], {}
    level.norm.register_forward_hook(
        lambda _, inputs, __: seen.setdefault("in", []).append(inputs[0])
    )
    level.step.register_forward_pre_hook(
        lambda _, inputs: seen.setdefault("out", []).append(inputs[0])
    )
    taps, estimate, _ = network.encode(photo()[..., :1].permute(0, 3, 1, 2))
    turned = network.config.bins.rotate(estimate.whole, torch.tensor([90.0, 90.0]))
    for palette in (estimate.whole, turned):
        network.decode(taps, palette)
    return [(b - a).abs().max().item() for a, b in (seen["in"], seen["out"])]


@pytest.mark.parametrize(("place", "moved"), [("before", (True, True)), ("after", (False, True))])
@torch.no_grad()
def test_the_palette_enters_before_or_after_the_batch_norms(config, place, moved):
    network = made(config, palette=place)
    for level in network.levels:
        nn.init.normal_(level.palette.weight)
    assert tuple(change > 1e-4 for change in constant_shift(network)) == moved


@torch.no_grad()
def test_a_network_without_palette_residuals_refuses_palettes(config):
    network = made(config, palette="none")
    assert not any("palette" in name for name, _ in network.levels.named_parameters())
    gray = torch.rand(1, 1, 32, 32)
    method.colorize(network, gray)
    with pytest.raises(PaletteError, match="trained without one"):
        method.colorize(network, gray, Palette.of_chroma(config.bins, np.zeros((1, 2))))


def noted(network, monkeypatch, rgb):
    """The palettes that are fed and the photos that should come out, in one step of training."""
    seen = {}
    decode, parts = network.decode, network._parts

    def feed(taps, palette):
        seen["fed"] = palette
        return decode(taps, palette)

    def compare(logits, wanted):
        seen.setdefault("wanted", wanted)
        return parts(logits, wanted)

    monkeypatch.setattr(network, "decode", feed)
    monkeypatch.setattr(network, "_parts", compare)
    network(rgb, torch.full((len(rgb),), -1), seeded(5))
    return seen["fed"], seen["wanted"]


def test_photos_are_turned_together_with_their_palettes(config, monkeypatch):
    """True palettes, true ones turned, estimates, turned ones, none; S and V as colorsys has them.

    Photos of one color, so that the mean color of a palette tells whose it is.
    """
    rgb = torch.rand(200, 1, 1, 3, generator=seeded(7)).expand(-1, 16, 16, -1)
    fed, wanted = noted(made(config), monkeypatch, rgb)
    assert not fed.requires_grad
    turned = (wanted - rgb).abs().amax((1, 2, 3)) > 1e-3
    assert turned.float().mean().item() == pytest.approx(0.22, abs=0.09)
    angles = []
    for before, after in zip(rgb[turned], wanted[turned], strict=True):
        (h0, *s0), (h1, *s1) = (colorsys.rgb_to_hsv(*p[3, 5].tolist()) for p in (before, after))
        assert s1 == pytest.approx(s0, abs=1e-4)
        angles.append((h1 - h0) % 1)
    assert np.histogram(angles, 4, (0, 1))[0].min() > 0
    centers = torch.from_numpy(config.bins.centers).float()
    off = fed @ centers - config.bins.chroma(wanted)[:, 0, 0]
    own = off.norm(dim=1) < 0.12 * config.bins.chroma(wanted)[:, 0, 0].norm(dim=1)
    assert own[turned].float().mean().item() == pytest.approx(0.1 / 0.22, abs=0.2)
    assert own[~turned].float().mean().item() == pytest.approx(0.1 / 0.78, abs=0.09)
    assert (fed.sum(1) == 0).float().mean().item() == pytest.approx(0.08, abs=0.06)


def test_nothing_is_turned_where_no_palette_would_say_so(config, monkeypatch):
    rgb = photo(32)[:, :16, :16]
    _, wanted = noted(made(config, palette="none"), monkeypatch, rgb)
    assert torch.equal(wanted, rgb)


def test_palettes_are_the_same_but_for_the_turned_ones(config, monkeypatch):
    rgb = photo(32)[:, :16, :16]
    fed, wanted = noted(made(config), monkeypatch, rgb)
    plain, unturned = noted(made(config, turned=False), monkeypatch, rgb)
    torch.testing.assert_close(unturned, rgb, atol=1e-4, rtol=0)  # through HSV and back
    turned = (wanted - rgb).abs().amax((1, 2, 3)) > 1e-3
    assert 0 < turned.sum() < len(rgb)
    torch.testing.assert_close(plain[~turned], fed[~turned])
    assert (plain[turned] - fed[turned]).abs().amax(1).min() > 1e-4


@pytest.mark.parametrize("gray", ["value", "luma"])
def test_a_turn_by_a_third_swaps_the_channels(config, gray):
    """Red's third of the circle is green: of a photo whose luma stays, only the hue is so."""
    config = replace(config, gray=gray)
    rgb = 0.3 + 0.2 * photo()
    turned = method.turn_hues(rgb, torch.tensor([120.0, 0.0]), config)
    torch.testing.assert_close(turned[1], rgb[1], atol=1e-4, rtol=0)
    swapped = rgb[0].roll(1, -1)
    if gray == "luma":
        scale = color.luma(rgb[0]) / color.luma(swapped)
        swapped = swapped * scale[..., None]
    torch.testing.assert_close(turned[0], swapped, atol=1e-4, rtol=0)


# --- the residual encoder -------------------------------------------------------------------------


def test_conv5_is_one_more_level(config):
    with_it, without = made(config), made(config, conv5=False)
    assert [len(n.levels) for n in (with_it, without)] == [6, 5]
    assert [m.step[0].kernel_size[0] for m in with_it.levels] == [1, 1, 3, 3, 3, 3]
    assert [m.step[0].kernel_size[0] for m in without.levels] == [1, 3, 3, 3, 3]
    assert with_it.encode(torch.rand(1, 1, 32, 32))[0][0].shape[-1] == 2
    assert without.encode(torch.rand(1, 1, 32, 32))[0][0].shape[-1] == 4


@torch.no_grad()
def test_low_resolution_colors_are_carried_to_the_output(config):
    """A constant that the deepest level estimates arrives everywhere; without the path, nothing."""
    network = made(config)
    assert len(network.carried) == 4
    assert len(made(config, carried=False).carried) == 0
    taps, estimate, _ = network.encode(torch.rand(2, 1, 32, 32))
    before = network.decode(taps, estimate.whole)
    assert [tuple(plane.shape[1:]) for plane in before] == [
        (side, side, 2) for side in (2, 4, 8, 16, 32)
    ]
    network.carried[1].bias += torch.tensor([0.5, -0.25])
    after = network.decode(taps, estimate.whole)
    for level, (old, new) in enumerate(zip(before, after, strict=True)):
        expected = (level > 0) * torch.tensor([0.5, -0.25]).expand_as(old)
        torch.testing.assert_close(new - old, expected, atol=1e-5, rtol=0)


def test_every_carried_estimate_has_a_loss_of_its_own(config):
    """Against the photo's area means at its size, whatever becomes of the photo itself."""
    weights = {"palette_loss": 0.0, "carried_loss": 1.0, "alpha": 0.0, "rebalance": 0.0}
    network = method.Network(
        replace(config, first_steps=0, l1=1.0, palette="none", **weights)
    ).train()
    rgb = scenes(4)
    loss, parts = network(rgb, NO_LABELS, seeded())
    assert loss.item() == pytest.approx((parts["l1"] + parts["carried"]).item(), rel=1e-5)
    means = [rgb.reshape(4, s, 32 // s, s, 32 // s, 3).mean((2, 4)) for s in (2, 4, 8, 16)]
    # An untrained network's estimates are gray, so each level's loss is its photo's own chroma.
    true = [config.bins.chroma(m).abs().sum(-1).mean() for m in means]
    assert parts["carried"].item() == pytest.approx(torch.stack(true).mean().item(), rel=1e-4)
    planes = network.decode(network.extract(method.to_gray(rgb, config)), torch.zeros(4, 49))
    planes[0].sum().backward()
    assert network.carried[0].weight.grad.abs().max() > 0
    assert network.color[0].weight.grad is None


@pytest.mark.parametrize("space", SPACES)
@torch.no_grad()
def test_an_untrained_network_gives_almost_gray(config, space):
    """In training, where the norms are the batch's own: no channel is far from another."""
    network = method.Network(replace(config, space=space)).train()
    gray = method.to_gray(scenes(8), network.config)
    rgb = method.decode(network, *network.encode(gray)[:1], gray, network.encode(gray)[1])
    spread = rgb.amax(-1) - rgb.amin(-1)
    assert 0 < spread.mean() < 0.08


@torch.no_grad()
def test_features_are_brought_to_the_scale_of_palettes(config):
    """Whatever the pinned weights are, or an added palette would be lost beside them."""
    network = method.Network(config)
    last = network.vgg.vgg.features["28"]
    last.weight *= 1000
    last.bias *= 1000
    network.count_colors([scenes(8)])
    taps = network.extract(method.to_gray(scenes(8), config))
    for tap in taps[:-1]:
        assert tap.square().mean().sqrt().item() == pytest.approx(1, rel=1e-3)
    assert torch.equal(taps[-1][:, :1], method.to_gray(scenes(8), config))


# --- the losses -----------------------------------------------------------------------------------


def test_rarity_has_mean_one_or_is_one(config):
    bins, rgb = config.bins, scenes(8)
    some = bins.chroma(rgb[:, ::4, ::4])
    share = measure_palettes(*bins.encode(some), bins.count).mean(0)
    rarity = made(config).rarity
    assert (share * rarity).sum().item() == pytest.approx(1, abs=1e-5)
    assert rarity[share.argmax()] == rarity.min() < 1
    torch.testing.assert_close(made(config, rebalance=0.0).rarity, torch.ones(bins.count))


def test_the_first_steps_learn_by_cross_entropy_alone(config):
    network = method.Network(replace(config, first_steps=3)).train()
    for step in range(5):
        network.steps.fill_(step)
        loss, parts = network(scenes(4), NO_LABELS, seeded(step))
        weighed = parts["l1"] + 0.3 * parts["variance"]
        pixels = (parts["cross_entropy"] if step < 3 else weighed) + 0.5 * parts["carried"]
        assert loss.item() == pytest.approx((pixels + 0.1 * parts["palette"]).item(), rel=1e-5)


@pytest.mark.parametrize("alone", ["l1", "alpha", "variation", "variation_sum", "palettewise"])
@pytest.mark.parametrize("space", SPACES)
def test_each_loss_can_be_used_alone(config, space, alone):
    weights = {"l1": 0.0, "alpha": 0.0, "carried_loss": 0.0, alone: 2.0}
    network = method.Network(
        replace(config, space=space, first_steps=0, palette_loss=0.0, **weights)
    ).train()
    loss, parts = network(scenes(4), NO_LABELS, seeded())
    part = parts["variance" if alone == "alpha" else alone]
    assert loss.item() == pytest.approx(2 * part.item(), rel=1e-5)
    loss.backward()
    gradients = [p.grad for p in network.levels.parameters()]
    assert all(g.isfinite().all() for g in gradients)
    assert max(g.abs().max() for g in gradients) > 0


def test_rare_colors_weigh_more(config, monkeypatch):
    network, weights = made(config), []
    monkeypatch.setattr(
        losses, "pixelwise_l1", lambda a, _, weight: weights.append(weight) or a.sum()
    )
    rgb = scenes(4)
    network(rgb, NO_LABELS, seeded())
    bins = config.bins
    index, share = bins.encode(bins.chroma(rgb[0, 0, 0]))
    expected = (share * network.rarity[index]).sum()
    assert weights[0][0, 0, 0].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["space", "gray", "palette"])
def test_choices_that_there_are_not_are_refused(config, name):
    with pytest.raises(DataError, match=f"{name}: expected .* or "):
        method.Network(replace(config, **{name: "other"}))
