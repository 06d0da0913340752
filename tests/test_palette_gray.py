"""Gray is a color like others: what becomes neutral, what neutral becomes, and gray banned."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palettes import ANY_BINS, BINS, EDITS, NAMES, PARTS, away, chromas, hues, palettes, polar

from tintype.bans import apply_bans
from tintype.bins import Bins, chroma_of, hue_of
from tintype.color import hue_degrees
from tintype.errors import PaletteError
from tintype.palette import Palette

GRAYS = st.sampled_from(["gray", "grey", "black", "white", "#808080", "#fff", "hsl(0,0%,30%)"])
HSV = Bins(24, (0.1, 0.2, 0.35, 0.55, 0.8), plane="hsv")
NEUTRAL = Palette(BINS, np.eye(BINS.count)[0])


def change(source, target, scale=1.0):
    return {"from": source, "to": target, "scale": scale}


@given(palettes(), GRAYS, PARTS)
@settings(max_examples=40)
def test_towards_gray_a_share_of_every_color_becomes_neutral(palette, gray, amount):
    edited = palette.towards(gray, amount)
    np.testing.assert_allclose(edited.shares[1:], (1 - amount) * palette.shares[1:], atol=1e-12)
    assert edited.shares.sum() == pytest.approx(1)
    assert palette.towards(gray, 1).shares[0] == pytest.approx(1)


@given(palettes(), PARTS, PARTS)
@settings(max_examples=40)
def test_twice_towards_gray_is_once(palette, first, second):
    twice = palette.towards("gray", first).towards("gray", second)
    once = palette.towards("gray", 1 - (1 - first) * (1 - second))
    np.testing.assert_allclose(twice.shares, once.shares, atol=1e-12)


@given(palettes(), GRAYS, st.lists(EDITS, max_size=3))
@settings(max_examples=60)
def test_banned_gray_has_no_share_and_stays_banned(palette, gray, edits):
    banned = palette.ban(gray)
    assert banned.shares[0] == 0
    assert banned.bans_gray
    assert banned.banned == ()
    assert banned.forbidden.tolist() == [True] + [False] * (BINS.count - 1)
    rest = palette.shares[1:]
    if rest.sum() > 1e-6:
        np.testing.assert_allclose(banned.shares[1:], rest / rest.sum(), atol=1e-9)
    edited = banned
    for name, *values in edits:
        edited = getattr(edited, name)(*values)
    assert edited.bans_gray
    assert not palette.bans_gray
    assert edited.ban("gray").shares[0] == 0
    assert palette.blend(banned, 0.5).bans_gray
    assert banned.blend(palette, 0.5).bans_gray


@given(st.lists(st.sampled_from([*NAMES, "gray"]), min_size=1, max_size=6))
@settings(max_examples=40)
def test_bans_of_hues_and_of_gray_in_any_order_leave_what_is_allowed(names):
    banned = NEUTRAL
    for name in [*names, "gray"]:
        banned = banned.ban(name)
    assert banned.shares[banned.forbidden].sum() == 0
    assert chromas(BINS)[banned.shares > 0] == pytest.approx(BINS.chromas[0])  # as pale as can be


def test_nothing_is_left_of_all_hues_and_gray():
    palette = NEUTRAL
    for hue in range(0, 360, 10):
        palette = palette.ban(f"hue:{hue}")
    assert palette.shares[0] == 1
    with pytest.raises(
        PaletteError, match=r"^expected some color to be left, found .*; allow one$"
    ):
        palette.ban("gray")


@given(palettes(), st.sampled_from(NAMES), st.floats(0.01, 100))
@settings(max_examples=40)
def test_gray_goes_to_a_color_itself_and_takes_none_along(palette, color, scale):
    edited = palette.recolor([change("gray", color, scale)])
    one = Palette.of_chroma(BINS, chroma_of(color)).shares
    rest = np.append(0, palette.shares[1:])
    expected = rest + scale * palette.shares[0] * one
    np.testing.assert_allclose(edited.shares, expected / expected.sum(), atol=1e-6)


@given(palettes(), st.sampled_from(NAMES))
@settings(max_examples=40)
def test_a_color_goes_to_gray_and_no_other(palette, color):
    edited = palette.recolor([change(color, "#808080")])
    alike = np.abs(away(hue_of(color), hues(BINS))) < 60
    assert edited.shares[1:][alike].sum() < 1e-6
    np.testing.assert_allclose(edited.shares[1:][~alike], palette.shares[1:][~alike], atol=1e-6)
    gray = palette.shares[0] + palette.shares[1:][alike].sum()
    assert edited.shares[0] == pytest.approx(gray, abs=1e-6)


@given(palettes(), GRAYS, GRAYS, st.sampled_from(NAMES), PARTS)
@settings(max_examples=40)
def test_gray_to_a_color_and_back(palette, gray, other, color, share):
    far = (
        np.abs(away(hue_of(color), hues(BINS))) > 65
    )  # what is no gray, and will not be taken back
    shares = np.where(far, share * palette.shares[1:], 0)
    start = Palette(BINS, np.append(1 - shares.sum(), shares))
    there = start.recolor([change(gray, color)])
    back = there.recolor([change(color, other)])
    assert there.distance(start) > 0 or start.shares[0] < 1e-9  # where there is some gray
    np.testing.assert_allclose(back.shares, start.shares, atol=1e-6)


@given(palettes(), st.floats(0, 100))
@settings(max_examples=40)
def test_gray_can_be_scaled(palette, scale):
    edited = palette.recolor([change("gray", "white", scale), change("red", "red")])
    expected = palette.shares * np.where(np.arange(BINS.count) == 0, scale, 1)
    np.testing.assert_allclose(edited.shares, expected / expected.sum(), atol=1e-6)


@given(palettes(), GRAYS, PARTS)
@settings(max_examples=20)
def test_boosting_gray_mixes_in_what_is_neutral(palette, gray, share):
    boosted = palette.boost(gray, share)
    mixed = (1 - share) * palette.shares + share * NEUTRAL.shares
    np.testing.assert_allclose(boosted.shares, mixed, atol=1e-4)


def test_edits_of_gray_are_done_to_each_tone():
    tones = np.random.default_rng(0).random((3, BINS.count))
    palette = Palette(BINS, tones.sum(axis=0), tones=tones)
    for edit in (
        lambda p: p.towards("gray", 0.4),
        lambda p: p.ban("gray"),
        lambda p: p.recolor([change("gray", "navy"), change("red", "gray")]),
    ):
        for whole, part in zip(edit(palette).by_tone, palette.by_tone, strict=True):
            alone = edit(Palette(BINS, part))
            np.testing.assert_allclose(whole, alone.shares, atol=1e-12)


@pytest.mark.parametrize("bins", [BINS, HSV], ids=["oklab", "hsv"])
def test_a_ban_of_gray_is_read_back(bins):
    palette = Palette(bins, np.ones(bins.count)).ban("red").ban("gray")
    about = json.loads(json.dumps(palette.to_json(fine=True)))
    assert len(about["banned"]) == 2
    assert about["neutral"] == 0
    back = Palette.from_json(bins, about)
    assert back.bans_gray
    assert back.banned == pytest.approx(palette.banned, abs=1)
    assert Palette.from_json(bins, about | {"banned": ["white"]}).bans_gray
    assert not Palette.from_json(bins, about | {"banned": ["red"]}).bans_gray


def test_a_palette_of_gray_swatches_is_neutral():
    colors = [{"color": c, "share": 0.5} for c in ("black", "#808080")]
    palette = Palette.from_json(BINS, {"version": 1, "colors": colors})
    assert palette.shares[0] == pytest.approx(1, abs=1e-4)


# --- what comes out of a model --------------------------------------------------------------------


def plane(count=64, most=0.08, seed=0):
    ab = np.random.default_rng(seed).normal(0, most / 3, (count, count, 2)).astype(np.float32)
    ab[0] = 0
    return ab


@given(st.lists(st.sampled_from(NAMES), max_size=4), st.integers(0, 9))
@settings(max_examples=20)
def test_what_comes_out_is_not_neutral_and_of_no_banned_hue(names, seed):
    palette = Palette(BINS, np.ones(BINS.count)).ban("gray")
    for name in names:
        palette = palette.ban(name)
    ab = plane(seed=seed)
    out = apply_bans(ab, ab, palette)
    assert np.hypot(*out.reshape(-1, 2).T).min() >= BINS.chromas[0] - 1e-6
    for hue in palette.banned:
        assert np.abs(away(hue, hue_degrees(out))).min() > 18  # degrees: fades to 24
    bright = np.hypot(*ab.T).T > 0.03
    if not names:
        np.testing.assert_array_equal(out[bright], ab[bright])
        pale = ~bright & (np.hypot(*ab.T).T > 0.02)
        assert np.abs(away(hue_degrees(ab), hue_degrees(out))[pale]).max() < 45


def test_what_has_no_hue_gets_the_palettes():
    red = Palette(BINS, Palette.of_chroma(BINS, chroma_of("red")).shares).ban("gray")
    for palette in (red, NEUTRAL.ban("gray")):
        out = apply_bans(np.zeros((2, 3, 2), np.float32), np.zeros((2, 3, 2)), palette)
        assert np.hypot(*out.reshape(-1, 2).T) == pytest.approx(BINS.chromas[0])
        assert out.dtype == np.float32
    assert hue_degrees(apply_bans(np.zeros((1, 1, 2)), np.zeros((1, 1, 2)), red)) == pytest.approx(
        hue_of("red"), abs=8
    )


def test_what_is_all_but_gray_has_the_hue_of_what_is_around():
    ab = 0.002 * np.random.default_rng(0).normal(size=(48, 48, 2)).astype(np.float32)
    ab[:, :24] += polar(0.01, 30)
    ab[:, 24:] += polar(0.01, 240)
    ab[20:28, 10:14] = ab[20:28, 34:38] = 0
    out = hue_degrees(apply_bans(ab, ab, NEUTRAL.ban("gray")))
    assert np.abs(away(30, out[:, :18])).max() < 25
    assert np.abs(away(240, out[:, 30:])).max() < 25


def test_without_a_ban_nothing_changes():
    ab = plane()
    assert apply_bans(ab, ab, NEUTRAL) is ab


def test_in_hsv_the_plane_is_what_must_not_be_gray():
    palette = Palette(HSV, np.ones(HSV.count)).ban("gray")
    out = apply_bans(np.zeros((1, 8, 2)), np.full((1, 8, 2), 0.01), palette)
    assert np.hypot(*out.reshape(-1, 2).T).min() > 0.01
    orange = hue_degrees(chroma_of("hsl(45, 100%, 95%)"))
    assert np.abs(away(orange, hue_degrees(out))).max() < 10


@given(ANY_BINS, st.integers(0, 99))
@settings(max_examples=30)
def test_over_any_bins_no_gray_is_left(bins, seed):
    palette = Palette(bins, np.random.default_rng(seed).random(bins.count) ** 4).ban("gray")
    assert palette.shares[0] == 0
    out = apply_bans(plane(8, seed=seed), plane(8, seed=seed), palette)
    assert np.hypot(*out.reshape(-1, 2).T).min() >= bins.chromas[0] - 1e-6
