"""What age and cameras did to photos: gray, faded, stained; on an album's page; with a cast."""

import pytest
import torch
from torch.nn import functional as F

from research.conftest import seeded
from tintype.color import luma
from tintype.research.data.aging import ORTHOCHROMATIC, age, balance, compress, mount


def noise(batch, *, gray=False, side=8):
    """(batch, side, side, 3) random pixels, 0..1."""
    rgb = torch.rand(batch, side, side, 3, generator=seeded(5))
    return rgb[..., :1].expand(-1, -1, -1, 3).contiguous() if gray else rgb


@pytest.mark.parametrize("change", [age, balance, mount])
def test_photos_stay_in_range_and_go_by_the_generator(change):
    rgb = noise(500)
    once, again, other = (change(rgb, seeded(s)) for s in (1, 1, 2))
    assert once.shape == ((500, 1, 8, 8) if change is age else rgb.shape)
    assert once.min() >= 0
    assert once.max() <= 1
    assert once.isfinite().all()
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


# --- gray as of old -------------------------------------------------------------------------------


def test_so_many_photos_are_plain_luma_or_orthochromatic():
    """A gray photo does not show how its channels were mixed, so it shows the other changes."""

    def plain(rgb, seen):
        return (age(rgb, seeded())[:, 0] - seen).abs().amax((1, 2)) < 1e-5

    gray, rgb = noise(6000, gray=True), noise(6000)
    otherwise_plain = plain(gray, luma(gray))
    # No gamma, fading, stain, blur, grain, compression, and no specks, of which few show here.
    untouched = 0.7 * 0.7 * 0.85 * 0.8 * 0.8 * 0.88 * (0.94 + 0.06 * 0.999**64)
    assert otherwise_plain.float().mean() == pytest.approx(untouched, abs=0.02)
    for weights, share in (((0.299, 0.587, 0.114), 0.45), (ORTHOCHROMATIC, 0.15)):
        both = plain(rgb, rgb @ torch.tensor(weights))
        assert not (both & ~otherwise_plain).any()
        assert both[otherwise_plain].float().mean() == pytest.approx(share, abs=0.05)


def test_plates_are_nearly_blind_to_red():
    assert sum(ORTHOCHROMATIC) == pytest.approx(1)
    red = torch.tensor([1.0, 0, 0]).expand(2000, 8, 8, 3)
    dark = age(red, seeded()).mean((1, 2, 3)) < 0.1
    assert 0.08 < dark.float().mean() < 0.2


def test_an_aged_photo_still_shows_its_subject():
    ramp = torch.linspace(0, 1, 64).expand(64, 64)
    aged = age(ramp[None, ..., None].expand(200, -1, -1, 3), seeded()).flatten(1)
    assert torch.corrcoef(torch.cat([ramp.reshape(1, -1), aged]))[0, 1:].min() > 0.85


def test_stains_are_larger_than_grain_and_specks_are_small():
    """Of an even gray: what differs from its mean over 16 x 16 pixels is grain or a speck."""
    aged = age(torch.full((1500, 64, 64, 3), 0.5), seeded())
    coarse = F.avg_pool2d(aged, 16)
    stained = coarse.flatten(1).std(1) > 0.02
    assert 0.03 < stained.float().mean() < 0.15
    fine = (aged - aged.mean((2, 3), keepdim=True)).abs()
    specked = (fine > 0.3).flatten(1)
    assert specked.any(1).float().mean() == pytest.approx(0.06, abs=0.01)
    assert specked[specked.any(1)].float().mean() < 0.05


def test_compression_in_tiny_steps_changes_nothing():
    gray = torch.rand(3, 1, 24, 16, generator=seeded())
    same = compress(gray, torch.full((3, 1, 1, 1), 1e-6))
    torch.testing.assert_close(same, gray, atol=1e-5, rtol=0)


def test_compression_in_large_steps_leaves_the_mean_of_a_block():
    gray = torch.rand(3, 1, 24, 16, generator=seeded())
    lost = compress(gray, torch.full((3, 1, 1, 1), 0.5))
    assert (lost - gray).abs().mean() > 0.05
    means = [F.avg_pool2d(x, 8) for x in (lost, gray)]
    torch.testing.assert_close(*means, atol=0.5 / 8 / 2 + 1e-5, rtol=0)


# --- true colors ----------------------------------------------------------------------------------


def test_white_balance_changes_a_photo_s_cast_alone():
    rgb = 0.2 + 0.5 * noise(2000)
    gain = balance(rgb, seeded()) / rgb
    torch.testing.assert_close(gain, gain[:, :1, :1].expand_as(gain), atol=1e-5, rtol=0)
    cast = gain[:, 0, 0]
    torch.testing.assert_close(cast.mean(1), torch.ones(2000), atol=1e-5, rtol=0)
    assert float(cast.std()) == pytest.approx(0.04 * (2 / 3) ** 0.5, rel=0.05)


def test_some_photos_lie_on_a_gray_page():
    """Pages are dark or light, and cover less than half of the width; the photo stays as it is."""
    rgb = noise(4000, side=32)
    mounted = mount(rgb, seeded())
    same = (mounted == rgb).all(3)
    framed = ~same.flatten(1).all(1)
    assert framed.float().mean() == pytest.approx(0.08, abs=0.02)
    assert same[:, 8:24, 8:24].all()
    for photo, inside in zip(mounted[framed], same[framed], strict=True):
        high, wide = inside.any(1), inside.any(0)
        assert torch.equal(inside, high[:, None] & wide[None])  # a rectangle
        page = photo[~inside]
        assert (page == page[:, :1]).all()
        assert page.mean() < 0.2 or page.mean() > 0.65
    lights = torch.stack([mounted[i][~same[i]].mean() for i in framed.nonzero()[:, 0]])
    assert (lights < 0.2).float().mean() == pytest.approx(0.4, abs=0.1)
