"""What the default method is trained for: targets, hints, and exact supervision by turned hues."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from research.conftest import TINY, crops, seeded
from tintype.color import luma, rgb_to_oklab
from tintype.research.data import rng
from tintype.research.methods.palettes import Palettes
from tintype.research.methods.tintype import Network, objective
from tintype.tones import spread_over_tones

BINS = TINY.bins
KINDS = {"true": 0.20, "true turned": 0.10, "estimate": 0.50, "estimate turned": 0.12, "none": 0.08}
NOISED = 0.10  # of all
SHARE_HINTED = 0.40
ENDED = 0.16  # of hinted photos, after each hint


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = Network(TINY)
    network.count_colors([crops(24)])
    return network.eval()


# --- palettes -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled():
    """Palettes whose rings say where they come from: (rings, degrees, palettes, free).

    True ones are in ring 0 or in ring 4 in turn, estimated ones in ring 2: hue 0 all of them.
    """
    count = 12_000
    firsts = [1 + ring * BINS.hues for ring in (0, 4, 2)]
    true = torch.eye(BINS.count)[firsts[:2]].repeat(count // 2, 1)
    estimate = torch.eye(BINS.count)[firsts[2]].expand(count, -1)
    pair = Palettes.of_shares(true), Palettes.of_shares(estimate)
    targets, degrees, free = objective.sample_targets(BINS, *pair, seeded())
    rings = targets.whole[:, 1:].reshape(count, len(BINS.chromas), BINS.hues).sum(2)
    return rings, degrees, targets, free


def test_the_kinds_of_targets_have_their_shares(sampled):
    rings, degrees, _, free = sampled
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
    assert torch.equal(free, kinds["estimate"])


def test_targets_are_palettes_or_nothing(sampled):
    rings, _, targets, _ = sampled
    given = (rings.sum(1) > 0).float()
    assert targets.parts.min() >= 0
    torch.testing.assert_close(targets.whole.sum(1), given)
    torch.testing.assert_close(targets.tones.sum(2), given[:, None].expand(-1, 3))


def test_some_true_palettes_are_noised_with_another_photos(sampled):
    rings, degrees, _, _ = sampled
    less = torch.minimum(rings[:, 0], rings[:, 4])
    assert (less > 0).float().mean() == pytest.approx(NOISED, abs=0.012)
    assert 0.28 < less.max() <= 0.3 + 1e-6
    assert (degrees[less > 0] == 0).all()


def test_turned_palettes_are_turned_by_the_angle_said(sampled):
    _, degrees, targets, _ = sampled
    turned = degrees != 0
    said = degrees[turned]
    assert said.min() >= 0
    assert said.max() < 360
    quarters = torch.histc(said, 4, 0, 360) / len(said)
    torch.testing.assert_close(quarters, torch.full((4,), 0.25), atol=0.02, rtol=0)
    # Between two bins the color is shared linearly, so the mean bin is the angle.
    hues = targets.whole[turned, 1:].reshape(len(said), -1, BINS.hues).sum(1)
    step = 360 / BINS.hues
    low = (said / step).floor().long() % BINS.hues
    share = said / step - (said / step).floor()
    expected = torch.zeros_like(hues).scatter_(1, low[:, None], (1 - share)[:, None])
    expected.scatter_add_(1, ((low + 1) % BINS.hues)[:, None], share[:, None])
    torch.testing.assert_close(hues, expected, atol=1e-5, rtol=0)


def test_half_of_the_true_palettes_come_without_tones():
    """They get the estimate's, moved as the whole is, as a palette that tells none apart does."""
    count = 2000
    true, estimate = (
        Palettes.join(torch.rand(count, 4, BINS.count, generator=seeded(s)).softmax(2))
        for s in (1, 2)
    )
    targets, degrees, _ = objective.sample_targets(BINS, true, estimate, seeded())
    own = (targets.whole == true.whole).all(1)
    told = (targets.tones == true.tones).flatten(1).all(1)
    assert own.float().mean() == pytest.approx(KINDS["true"] - NOISED, abs=0.03)
    assert (told & own)[own].float().mean() == pytest.approx(0.5, abs=0.12)
    untold = own & ~told
    moved = spread_over_tones(true.whole, estimate.whole, estimate.tones)
    torch.testing.assert_close(targets.tones[untold], moved[untold])
    guessed = (targets.whole == estimate.whole).all(1) & (degrees == 0)
    assert torch.equal(targets.tones[guessed], estimate.tones[guessed])


# --- hints ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def revealed():
    """A plane whose every cell has its own color, and what hints say of many photos with it."""
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(8.0), indexing="ij")
    plane = torch.stack([x + y**2, 10 * y + x**2], -1)
    return plane, objective.sample_hints(plane.expand(20_000, -1, -1, -1), seeded())


def test_so_many_hints_are_given(revealed):
    _, hints = revealed
    count = hints.reach.sum(1)
    assert set(hints.reach.unique().tolist()) == {0.0, 1.0}
    assert (count > 0).float().mean() == pytest.approx(SHARE_HINTED, abs=0.015)
    for number in (1, 2, 5):
        share = SHARE_HINTED * (1 - ENDED) ** (number - 1) * ENDED
        assert (count == number).float().mean() == pytest.approx(share, abs=0.008)
    most = objective.MOST_HINTS
    rest = SHARE_HINTED * (1 - ENDED) ** (most - 1)
    assert (count == most).float().mean() == pytest.approx(rest, abs=0.005)
    first = torch.arange(hints.reach.shape[1]) < count[:, None]
    assert torch.equal(hints.reach.bool(), first)  # those that are none come last
    assert not hints.chroma[~first].any()


def test_hints_are_true_where_they_are_or_the_mean_around(revealed):
    plane, hints = revealed
    padded = np.pad(plane.numpy(), ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    around = np.nanmean([padded[i : i + 6, j : j + 8] for i in range(3) for j in range(3)], axis=0)
    given = hints.reach > 0
    x, y = hints.place[given].T
    assert 0 <= hints.place.min() < hints.place.max() < 1
    row, column = (6 * y).long(), (8 * x).long()
    said = hints.chroma[given]
    own = (said - plane[row, column]).abs().amax(1) < 1e-4
    mean = (said - torch.from_numpy(around)[row, column]).abs().amax(1) < 1e-4
    assert (own | mean).all()
    assert (own & ~mean).float().mean() == pytest.approx(0.5, abs=0.02)
    assert len(set((row * 8 + column).tolist())) == 48  # everywhere


def test_hints_do_not_depend_on_the_batch():
    ab = torch.rand(6, 5, 5, 2, generator=seeded())
    whole, *pieces = (
        objective.sample_hints(ab[rows], rng.make_generators(0, [(0, i) for i in rows]))
        for rows in (range(6), range(2), range(2, 6))
    )
    for i, piece in ((0, pieces[0]), (1, pieces[0]), (2, pieces[1]), (5, pieces[1])):
        own, one = (piece, i if i < 2 else i - 2), (whole, i)
        (a, b) = (h.chroma[row][h.reach[row] > 0] for h, row in (own, one))
        assert torch.equal(a, b)


# --- losses ---------------------------------------------------------------------------------------


def only(name, patch):
    """Let one part be all of the loss."""
    patch.setattr(objective, "PARTS", {part: float(part == name) for part in objective.PARTS})


def test_the_true_colors_are_a_quarter_as_large():
    rgb = crops(2, 32)
    ab, true = objective.measure_true(BINS, rgb, luma(rgb)[:, None])
    expected = rgb_to_oklab(rgb.numpy().astype(float))[..., 1:]
    expected = expected.reshape(2, 8, 4, 8, 4, 2).mean((2, 4))
    np.testing.assert_allclose(ab, expected, atol=1e-5)
    torch.testing.assert_close(true.parts.sum(2), torch.ones(2, 4))


def test_colors_palettes_and_hints_are_turned_together(network, monkeypatch):
    """Who paints the wanted palette all over photos of one color is as right as can be."""
    degrees = torch.tensor([0.0, 30.0, 105.0, 300.0])
    colors = torch.tensor([(0.8, 0.2, 0.2), (0.2, 0.6, 0.3), (0.3, 0.3, 0.8), (0.7, 0.6, 0.1)])
    rgb = colors[:, None, None].expand(4, 32, 32, 3)
    levels = [torch.zeros(4, w, s, s) for w, s in zip((16, 16, 8, 8), (1, 2, 4, 8), strict=True)]
    seen = []

    def decode(_features, _luma, target, reference, hints):
        assert reference.parts.shape == target.parts.shape
        seen.append(hints)
        whole = target.whole.clamp(min=1e-9).log()
        return whole[:, :, None, None].expand(-1, -1, 8, 8), levels

    def sample(bins, true, _estimate, _generators):
        turned = bins.rotate(true.parts, degrees[:, None].expand(-1, 4))
        return Palettes.join(turned), degrees, torch.zeros(4, dtype=torch.bool)

    monkeypatch.setattr(network.decoder, "forward", decode)
    monkeypatch.setattr(objective, "sample_targets", sample)
    network.rebalancing.fill_(1)
    gray = luma(rgb)[:, None]
    with torch.no_grad():
        parts = objective.measure_losses(network, gray, rgb, network.backbone(gray), seeded(4))
    assert parts["pixels"] == pytest.approx(0, abs=0.01)
    (hints,) = seen
    ab = rgb_to_oklab(colors)[:, 1:]
    angle = torch.atan2(*ab.T.flip(0)) + torch.deg2rad(degrees)
    wanted = ab.norm(dim=1)[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    photo, number = hints.reach.nonzero().T
    assert len(photo) > 2
    torch.testing.assert_close(hints.chroma[photo, number], wanted[photo], atol=1e-4, rtol=0)


def test_the_loss_goes_by_the_generator(network):
    rgb = crops(4)
    with torch.no_grad():
        one, same, other = (network(rgb, None, seeded(s))[0].item() for s in (1, 1, 2))
    assert one == same != other


def test_grays_and_palettes_stay_exact_in_half_precision(network, monkeypatch):
    seen = []
    measure = objective.measure_losses
    decode = network.decoder.forward

    def noting_gray(net, gray, rgb, *given):
        seen.append(gray)
        return measure(net, gray, rgb, *given)

    def noting_estimate(features, small, target, reference, hints):
        seen.append(reference.whole)
        return decode(features, small, target, reference, hints)

    monkeypatch.setattr(objective, "measure_losses", noting_gray)
    monkeypatch.setattr(network.decoder, "forward", noting_estimate)
    with torch.no_grad():
        network(crops(4), None, seeded())
        with torch.autocast("cpu", torch.bfloat16):
            network(crops(4), None, seeded())
    gray, _, again, estimate = seen
    assert torch.equal(gray, again)
    assert estimate.dtype == torch.float32
    torch.testing.assert_close(estimate.sum(1), torch.ones(4))


def test_colors_are_not_learned_through_the_estimated_palette(network, monkeypatch):
    """The pixels' loss leaves the palette head alone: otherwise it would learn to be a hint."""
    only("pixels", monkeypatch)
    loss, _ = network(crops(8), None, seeded())
    loss.backward()
    assert all(p.grad.abs().max() == 0 for p in network.palette.parameters())
    assert network.backbone._conv_stem.weight.grad.abs().max() > 0
    assert network.decoder.prior.grad.abs().max() > 0


def test_the_estimate_is_tied_to_what_the_pixels_say(network, monkeypatch):
    """Both learn from it, in automatic mode alone."""
    only("tie", monkeypatch)
    network(crops(8), None, seeded())[0].backward()
    assert network.palette.mix[2].weight.grad.abs().max() > 0
    assert network.decoder.classify.weight.grad.abs().max() > 0
    free = torch.zeros(8, dtype=torch.bool)
    sample = objective.sample_targets
    monkeypatch.setattr(objective, "sample_targets", lambda *given: (*sample(*given)[:2], free))
    assert network(crops(8), None, seeded())[0] == 0


def test_a_network_without_rebalancing_weighs_colors_alike():
    network = Network(replace(TINY, rebalance=1.0))
    network.count_colors([crops(8)])
    torch.testing.assert_close(network.rebalancing, torch.ones(BINS.count))
