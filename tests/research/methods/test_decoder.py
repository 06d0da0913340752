"""The decoder: hints hold where the same thing is seen, palettes by tone, none says nothing."""

import math

import pytest
import torch

from research.conftest import TINY, random_palettes, seeded
from tintype.research.methods.palettes import Palettes
from tintype.research.methods.tintype.decoder import Decoder, HintField, Hints

BINS = TINY.bins
SIDE = 8  # of the logits


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return Decoder(TINY.widths, TINY.embedding, BINS.centers).eval()


def features(batch=1, seed=0):
    """As an encoder gives them of photos of 32 x 32 pixels, the keys the last."""
    widths = zip(TINY.widths, (8, 4, 2, 1), strict=True)
    planes = [torch.randn(batch, w, s, s, generator=seeded(seed + s)) for w, s in widths]
    return [*planes, torch.randn(batch, TINY.keys, SIDE, SIDE, generator=seeded(seed))]


def toned(count, seed=0):
    """Random palettes, whole ones and others for each tone."""
    parts = torch.rand(count, 4, BINS.count, generator=seeded(seed)) ** 4
    return Palettes.join(parts / parts.sum(2, keepdim=True))


def hints(*rows):
    """Hints of one photo: (x, y, a, b, reach) each."""
    array = torch.tensor(rows, dtype=torch.float32)[None]
    return Hints(array[..., :2], array[..., 2:4], array[..., 4])


LUMA = torch.rand(1, 1, SIDE, SIDE, generator=seeded(3))
RED = (0.2, 0.1)
NO_PALETTE = Palettes(torch.zeros(1, BINS.count), torch.zeros(1, 3, BINS.count))


# --- hints ----------------------------------------------------------------------------------------


@torch.no_grad()
def test_a_hint_fades_with_unlikeness_and_with_distance():
    """By hand: the softplus of 0 and of 2 weigh squared differences of keys and of places."""
    keys = torch.zeros(1, 2, 4, 8)
    keys[:, 0, :, 4:] = 1.5  # another thing on the right

    def find_region(*hint):
        return HintField()(keys, hints(hint))[1][0, 0]

    region = find_region(0.30, 0.6, *RED, 1.0)
    assert region[2, 2] == 1  # its own cell: row 2 of 4, column 2 of 8
    near, unlike = math.log(1 + math.exp(2)), math.log(2) * 1.5**2
    assert float(region[2, 0]) == pytest.approx(math.exp(-near * (2 / 4) ** 2), rel=1e-4)
    assert float(region[0, 3]) == pytest.approx(math.exp(-near * (4 + 1) / 16), rel=1e-4)
    assert float(region[2, 4]) == pytest.approx(math.exp(-near * 4 / 16 - unlike), rel=1e-4)
    wide, narrow = (find_region(0.3, 0.6, *RED, reach) for reach in (1.0, 0.5))
    torch.testing.assert_close(narrow, wide**4)


@torch.no_grad()
def test_a_hint_colors_its_place(decoder):
    """Of a network that sees nothing, the likeliest bin there is that of the hint's color."""
    decoder.classify.weight.zero_()
    decoder.classify.bias.zero_()
    wanted = BINS.centers[30]
    given = hints((0.1, 0.9, *wanted, 1.0), (0.9, 0.1, *(-wanted), 1.0))
    logits, _ = decoder(features(), LUMA, NO_PALETTE, toned(1), given)
    assert int(logits[0, :, 7, 0].argmax()) == 30
    opposite = int(((BINS.centers + wanted) ** 2).sum(1).argmin())
    assert int(logits[0, :, 0, 7].argmax()) == opposite


@torch.no_grad()
def test_a_hint_weighs_as_much_as_it_is_sure(decoder):
    """The logarithm of a Gaussian around its color, but for what all bins have alike."""
    chroma = torch.tensor(RED)[:, None, None].expand(1, 2, SIDE, SIDE)
    sure = torch.rand(1, 1, SIDE, SIDE, generator=seeded(7))
    weight, planes = decoder.find_prior(LUMA, NO_PALETTE, toned(1), chroma, sure)
    prior = (weight @ planes.flatten(2)).view(1, -1, SIDE, SIDE)
    distance = ((torch.from_numpy(BINS.centers) - torch.tensor(RED)) ** 2).sum(1)
    expected = -(distance - distance[0]) / (2 * 0.05**2)
    torch.testing.assert_close(prior - prior[:, :1], expected[None, :, None, None] * sure)


@torch.no_grad()
def test_hints_matter_beside_their_prior_too(decoder):
    decoder.prior.zero_()
    own = toned(1)
    for reach, least in ((1.0, 1e-3), (0.0, 0.0)):
        plain, hinted = (
            decoder(features(), LUMA, own, own, given)[0]
            for given in (Hints.none(1), hints((0.1, 0.9, *RED, reach)))
        )
        change = (hinted - plain).abs().amax(1)[0]
        assert change[7, 0] >= least
        assert bool(reach) == bool(change.any())


@torch.no_grad()
def test_hints_without_reach_say_nothing(decoder):
    own, view = toned(1), features()
    silent = hints((0.3, 0.3, *RED, 0.0), (0.9, 0.2, -0.2, 0.1, 0.0))
    plain = decoder(view, LUMA, own, own, Hints.none(1))[0]
    torch.testing.assert_close(decoder(view, LUMA, own, own, silent)[0], plain)
    said = hints((0.3, 0.3, *RED, 1.0))
    both = hints((0.3, 0.3, *RED, 1.0), (0.9, 0.2, -0.2, 0.1, 0.0))
    one, other = (decoder(view, LUMA, own, own, given)[0] for given in (said, both))
    torch.testing.assert_close(one, other)
    assert (one - plain).abs().max() > 1


@torch.no_grad()
def test_a_photo_in_a_batch_is_steered_by_its_own_palette_and_hints(decoder):
    views, own, reference = features(2), toned(2, 1), toned(2, 2)
    luma = torch.rand(2, 1, SIDE, SIDE, generator=seeded(4))
    place, reach = torch.rand(2, 3, 2, generator=seeded(5)), torch.ones(2, 3)
    given = Hints(place, 0.1 * torch.randn(2, 3, 2, generator=seeded(6)), reach)
    together, _ = decoder(views, luma, own, reference, given)
    for i in range(2):
        row = slice(i, i + 1)
        target, before = (Palettes.join(p.parts[row]) for p in (own, reference))
        mine = Hints(given.place[row], given.chroma[row], given.reach[row])
        alone, _ = decoder([v[row] for v in views], luma[row], target, before, mine)
        torch.testing.assert_close(together[row], alone, atol=1e-4, rtol=1e-4)


# --- palettes -------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_palette_matters_in_the_decoder_and_as_a_prior(decoder):
    view, estimate = features(), Palettes.of_shares(random_palettes(1))
    wanted = Palettes.of_shares(BINS.rotate(estimate.whole, torch.tensor([120.0])))
    silent = Hints.none(1)

    def change():
        own, other = (decoder(view, LUMA, p, estimate, silent)[0] for p in (estimate, wanted))
        return other - own

    both = change()
    decoder.prior.zero_()
    learned = change()
    assert learned.abs().max() > 1e-4
    assert learned.std(dim=(2, 3)).max() > 1e-5  # not only a bias: it depends on the place
    ratio = torch.log((wanted.whole + 1e-3) / (estimate.whole + 1e-3))
    expected = ratio[:, :, None, None].expand_as(both)
    torch.testing.assert_close(both - learned, expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_every_tone_has_a_prior_of_its_own(decoder):
    """That of the palette, and that by which a tone differs from it, less the reference's own."""
    view, wanted, estimate, silent = features(), toned(1, 1), toned(1, 2), Hints.none(1)
    luma = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0, 0.0, 0.0, 0.0]).expand(1, 1, SIDE, SIDE)
    found = decoder(view, luma, wanted, estimate, silent)[0]
    decoder.prior.zero_()
    prior = (found - decoder(view, luma, wanted, estimate, silent)[0])[0, :, 0]
    ratios = torch.log((wanted.tones[0] + 1e-3) / (estimate.tones[0] + 1e-3))
    shadows, midtones, highlights = ratios
    for column, expected in enumerate(
        [shadows, (shadows + midtones) / 2, midtones, (midtones + highlights) / 2, highlights]
    ):
        torch.testing.assert_close(prior[:, column], expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_without_a_wish_there_is_no_prior(decoder):
    """Automatic mode, where the wanted palette is the estimate, and no palette."""
    view, own, silent = features(), toned(1), Hints.none(1)

    def decoded():
        pairs = ((NO_PALETTE, own), (NO_PALETTE, toned(1, 9)), (own, own))
        return [decoder(view, LUMA, *pair, silent)[0] for pair in pairs]

    with_prior = decoded()
    decoder.prior.fill_(5.0)
    for one, two in zip(with_prior, decoded(), strict=True):
        torch.testing.assert_close(one, two)
    torch.testing.assert_close(with_prior[0], with_prior[1])
    assert not torch.allclose(with_prior[0], with_prior[2])
