"""Palettes and their edits: the sum is kept, bans stay, what makes no sense is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palettes import (
    ANGLES,
    BINS,
    COLORS,
    EDITS,
    NAMES,
    OTHERS,
    PARTS,
    STEP,
    away,
    chromas,
    hues,
    palettes,
    single,
)
from skimage import data

from tintype.bins import chroma_of, hue_of
from tintype.color import rgb_to_oklab
from tintype.errors import PaletteError
from tintype.palette import BAN_WIDTH, Palette


def test_a_palette_is_normalized_and_a_copy():
    shares = np.full(BINS.count, 7)
    palette = Palette(BINS, shares)
    np.testing.assert_allclose(palette.shares, 1 / BINS.count)
    assert palette.shares.dtype == np.float64
    assert shares[0] == 7


@pytest.mark.parametrize(
    "shares",
    [
        np.ones(5),
        np.ones((1, BINS.count)),
        np.zeros(BINS.count),
        -np.eye(BINS.count)[3] + 1e-3,
        np.full(BINS.count, np.nan),
        np.full(BINS.count, np.inf),
    ],
)
def test_a_palette_refuses_other_shares(shares):
    with pytest.raises(PaletteError, match=r"^expected .*shares.*, found .*$"):
        Palette(BINS, shares)


def test_the_palette_of_a_photo_has_its_mean_chroma():
    ab = rgb_to_oklab(data.astronaut() / 255)[..., 1:]
    palette = Palette.of_chroma(BINS, ab)
    mean = np.hypot(*ab.reshape(-1, 2).T).clip(max=BINS.chromas[-1]).mean()
    assert palette.shares @ chromas(BINS) == pytest.approx(mean, abs=1e-5)


@given(palettes(), st.lists(EDITS, min_size=1, max_size=6))
@settings(max_examples=100)
def test_edits_keep_the_sum_and_never_go_negative(palette, edits):
    before, edited = palette.shares.copy(), palette
    for name, *values in edits:
        edited = getattr(edited, name)(*values)
        assert edited.shares.shape == (BINS.count,)
        assert edited.shares.min() >= 0
        assert edited.shares.sum() == pytest.approx(1, abs=1e-9)
    assert len(edited.banned) == sum(name == "ban" for name, *_ in edits)
    np.testing.assert_array_equal(palette.shares, before)
    assert palette.banned == ()


@given(palettes())
@settings(max_examples=40)
def test_edits_by_nothing_change_nothing(palette):
    nothing = [
        palette.shift_hue(0),
        palette.saturate(1),
        palette.towards("red", 0),
        palette.boost("red", 0),
        palette.blend(Palette(BINS, np.ones(BINS.count)), 0),
    ]
    for same in nothing:
        np.testing.assert_allclose(same.shares, palette.shares, atol=1e-5)


@given(st.floats(0.01, 0.22), st.floats(0, 360), ANGLES)
@settings(max_examples=40)
def test_shifting_one_color_lands_on_the_turned_hue(chroma, hue, angle):
    shifted = single(chroma, hue).shift_hue(angle)
    tinted = shifted.shares[1:]
    turns = away(hue + angle, hues(BINS))
    assert np.abs(turns[tinted > 1e-6]).max() < 2 * STEP
    assert tinted @ turns / tinted.sum() == pytest.approx(0, abs=0.01)
    assert shifted.shares @ chromas(BINS) == pytest.approx(chroma, abs=1e-5)


@given(palettes())
@settings(max_examples=40)
def test_no_saturation_is_all_neutral(palette):
    assert palette.saturate(0).shares[0] == pytest.approx(1)


@given(st.floats(0.001, 0.22), st.floats(0, 360), st.floats(0, 10))
@settings(max_examples=40)
def test_saturation_multiplies_chroma_and_keeps_hue(chroma, hue, factor):
    palette = single(chroma, hue)
    rings = np.array(BINS.chromas)
    room = factor * rings[min(np.searchsorted(rings, chroma), 4)] <= rings[-1]
    saturated = palette.saturate(factor)
    got = saturated.shares @ chromas(BINS)
    assert got <= max(factor * chroma, 0) + 1e-5
    if room:
        assert got == pytest.approx(factor * chroma, abs=1e-5)
    far = np.abs(away(hue, hues(BINS))) > STEP + 0.01
    assert saturated.shares[1:][far].sum() < 1e-5


@given(palettes(), st.sampled_from([*NAMES, "hue:0", "hue:359.9"]))
@settings(max_examples=40)
def test_a_ban_leaves_nothing_near_its_hue(palette, color):
    banned = palette.ban(color)
    near = np.abs(away(hue_of(color), hues(BINS))) <= BAN_WIDTH
    assert near.any()
    assert banned.shares[1:][near].sum() == 0
    assert banned.banned == (hue_of(color),)
    kept = banned.shares > 0
    if palette.shares[kept].sum() > 1e-6:
        ratio = banned.shares[kept] / palette.shares[kept]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_a_ban_of_all_there_is_leaves_neutral():
    red = Palette.of_chroma(BINS, chroma_of("red"))
    assert red.ban("red").shares[0] == 1


@given(palettes(), st.sampled_from(NAMES))
@settings(max_examples=20)
def test_without_is_the_nearest_palette_that_a_ban_allows(palette, color):
    forbidden = palette.ban(color).forbidden
    nearest = palette.nearest_without(forbidden)
    assert nearest.shares[forbidden].sum() == 0
    way = palette.distance(nearest)
    assert way <= 1.001 * palette.distance(palette.ban(color)) + 1e-9
    each = np.linalg.norm(BINS.centers[:, None] - BINS.centers[~forbidden], axis=-1).min(axis=1)
    assert way == pytest.approx(palette.shares @ each, rel=1e-3, abs=1e-9)


def test_bans_stay_through_later_edits():
    palette = Palette(BINS, np.ones(BINS.count)).ban("red").ban("blue")
    edited = palette.shift_hue(10).saturate(0.5).towards("green", 0.5).boost("teal", 0.5)
    assert edited.banned == palette.banned == (hue_of("red"), hue_of("blue"))


@given(palettes(), COLORS, st.sampled_from([1, 1.0]))
@settings(max_examples=40)
def test_all_the_way_towards_a_color_leaves_only_its_hue(palette, color, amount):
    aimed = palette.towards(color, amount)
    near = np.abs(away(hue_of(color), hues(BINS))) < STEP
    assert aimed.shares[1:][~near].sum() < 1e-9
    assert aimed.shares[0] == pytest.approx(palette.shares[0] / 2, abs=1e-6)
    tint = palette.shares[0] / 2 * BINS.chromas[0]
    mean = palette.shares @ chromas(BINS) + tint
    assert aimed.shares @ chromas(BINS) == pytest.approx(mean, abs=1e-5)


@given(palettes(), COLORS, PARTS)
@settings(max_examples=40)
def test_boosting_mixes_in_one_color(palette, color, share):
    boosted = palette.boost(color, share)
    alone = Palette.of_chroma(BINS, chroma_of(color))
    mixed = (1 - share) * palette.shares + share * alone.shares
    np.testing.assert_allclose(boosted.shares, mixed, atol=1e-12)
    assert palette.boost(color, 1).distance(alone) == pytest.approx(0, abs=1e-6)


def test_blending():
    red, green = (Palette.of_chroma(BINS, chroma_of(c)).ban("blue") for c in ("red", "green"))
    for amount in (0, 0.25, 1):
        shares = red.blend(green.ban("pink"), amount).shares
        np.testing.assert_allclose(shares, (1 - amount) * red.shares + amount * green.shares)
    assert set(red.blend(green.ban("pink"), 0.5).banned) == {hue_of("blue"), hue_of("pink")}


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p.shift_hue(float("nan")),
        lambda p: p.shift_hue(float("inf")),
        lambda p: p.saturate(-0.1),
        lambda p: p.saturate(11),
        lambda p: p.saturate(float("nan")),
        lambda p: p.towards("red", 1.1),
        lambda p: p.towards("red", float("nan")),
        lambda p: p.towards("reddish", 0.5),
        lambda p: p.boost("red", -0.1),
        lambda p: p.boost("red", 2),
        lambda p: p.boost("", 0.1),
        lambda p: p.ban("whitish"),
        lambda p: p.ban("#12345"),
        lambda p: p.blend(p, 1.5),
        lambda p: p.blend(p, -0.5),
        lambda p: p.blend(p, float("nan")),
        lambda p: p.blend(Palette(OTHERS[0], np.ones(OTHERS[0].count)), 0.5),
    ],
)
def test_edits_out_of_range_are_refused(edit):
    with pytest.raises(PaletteError, match=r"^expected .*, found .*$"):
        edit(Palette(BINS, np.ones(BINS.count)))


def test_colors_are_named_largest_first(photo_palettes):
    colors = photo_palettes[0].colors(least=0.01)
    shares = [share for _, share in colors]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.01
    assert len(colors) == (photo_palettes[0].shares[1:] >= 0.01).sum()
    for color, share in colors:
        aimed = Palette.of_chroma(BINS, chroma_of(color)).shares
        assert photo_palettes[0].shares[aimed.argmax()] == share
