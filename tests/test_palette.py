"""Bins and palettes: colors come back out, edits keep the sum, JSON and distances hold."""

import colorsys
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import ImageColor
from scipy.optimize import linprog
from scipy.sparse import kron
from scipy.stats import wasserstein_distance
from skimage import data

from tintype.bins import Bins, chroma_of, hue_of
from tintype.color import hue_degrees, rgb_to_oklab
from tintype.emd import earth_mover
from tintype.errors import PaletteError
from tintype.palette import BAN_WIDTH, Palette

BINS = Bins()
STEP = 360 / BINS.hues
OTHERS = [
    Bins(16, (0.02, 0.05, 0.1, 0.2, 0.3)),
    Bins(36, (0.02, 0.04, 0.08, 0.12, 0.16, 0.3)),
    Bins(12, (0.05, 0.12, 0.25)),
]
NAMES = ["red", "orange", "#ffe0c0", "green", "teal", "hue:300", "navy", "#ff00ff"]

ANGLES = st.floats(-720, 720)
PARTS = st.floats(0, 1)
COLORS = st.sampled_from(NAMES)
ANY_BINS = st.builds(
    lambda hues, gaps: Bins(hues, tuple(np.cumsum(gaps).tolist())),
    st.integers(3, 40),
    st.lists(st.floats(0.01, 0.1), min_size=1, max_size=6),
)
EDITS = st.one_of(
    st.tuples(st.just("shift_hue"), ANGLES),
    st.tuples(st.just("saturate"), st.floats(0, 10)),
    st.tuples(st.just("towards"), COLORS, PARTS),
    st.tuples(st.just("boost"), COLORS, PARTS),
    st.tuples(st.just("ban"), COLORS),
)


@st.composite
def palettes(draw):
    """Palettes of a few colors up to all of them."""
    few = draw(st.integers(1, BINS.count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = np.zeros(BINS.count)
    shares[rng.choice(BINS.count, few, replace=False)] = rng.random(few) ** 3 + 1e-6
    return Palette(BINS, shares)


@pytest.fixture(scope="module")
def photos():
    """The palettes of a portrait, a still life and a cat."""
    images = [data.astronaut(), data.coffee(), data.chelsea()]
    return [Palette.of_chroma(BINS, rgb_to_oklab(i[::4, ::4] / 255)[..., 1:]) for i in images]


def polar(chroma, hue):
    """OKLab a and b (..., 2)."""
    angle = np.radians(hue)
    return np.stack([chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1)


def away(hue, other):
    """Signed degrees from one hue to another, -180..180."""
    return (np.asarray(other) - hue + 180) % 360 - 180


def chromas(bins):
    return np.hypot(*bins.centers.T.astype(float))


def hues(bins):
    """Hue of every bin but the neutral one."""
    return np.degrees(np.arctan2(*bins.centers[1:, ::-1].T.astype(float)))


def single(chroma, hue):
    return Palette.of_chroma(BINS, polar(chroma, hue))


def gaps(bins=BINS, other=BINS):
    return np.linalg.norm(bins.centers[:, None] - other.centers[None], axis=-1).astype(float)


def exact(here, there, gap):
    """Earth mover's distance by linear programming."""
    mine, theirs = here > 0, there > 0
    p, q, cost = here[mine], there[theirs], gap[np.ix_(mine, theirs)]
    leaving = kron(np.eye(len(p)), np.ones(len(q)))
    coming = kron(np.ones(len(p)), np.eye(len(q)))
    room = q * p.sum() / q.sum() + 1e-9  # against rounding, as is the factor of 1000
    solved = linprog(cost.ravel(), A_eq=leaving, b_eq=1000 * p, A_ub=coming, b_ub=1000 * room)
    assert solved.status == 0, solved.message
    return solved.fun / 1000


# --- bins: encoding -------------------------------------------------------------------------------


@given(ANY_BINS, st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, max_examples=40)
def test_weights_are_shares_of_four_bins(bins, seed, dtype):
    ab = np.random.default_rng(seed).normal(0, 0.2, (7, 5, 2)).astype(dtype)
    index, weight = bins.encode(ab)
    assert index.shape == weight.shape == (7, 5, 4)
    assert index.dtype == np.int64
    assert weight.dtype == dtype
    assert index.min() >= 0
    assert index.max() < bins.count
    assert weight.min() >= 0
    np.testing.assert_allclose(weight.sum(-1), 1, atol=1e-6)


@given(ANY_BINS, st.floats(0, 1), st.floats(0, 360))
@settings(deadline=None, max_examples=40)
def test_polar_means_recover_the_color(bins, part, hue):
    chroma = part * bins.chromas[-1]
    assume(chroma > 1e-4)
    index, weight = bins.encode(polar(chroma, hue))
    assert weight @ chromas(bins)[index] == pytest.approx(chroma, abs=1e-6)
    tinted = index > 0
    turns = away(hue, hues(bins)[index[tinted] - 1])
    assert weight[tinted] @ turns == pytest.approx(0, abs=1e-3)
    assert np.abs(turns[weight[tinted] > 1e-6]).max() < 360 / bins.hues + 1e-3


@given(ANY_BINS)
@settings(deadline=None, max_examples=40)
def test_centers_are_their_own_bins(bins):
    assert len(bins.centers) == bins.count == 1 + bins.hues * len(bins.chromas)
    index, weight = bins.encode(bins.centers)
    shares = np.zeros((bins.count, bins.count))
    np.add.at(shares, (np.arange(bins.count)[:, None], index), weight)
    np.testing.assert_allclose(shares, np.eye(bins.count), atol=1e-4)


def test_more_chroma_than_the_outermost_ring_is_that_ring():
    hue = np.arange(0.5, 360)
    (far, weights), (ring, same) = (BINS.encode(polar(c, hue)) for c in (0.5, BINS.chromas[-1]))
    np.testing.assert_array_equal(far, ring)
    np.testing.assert_allclose(weights, same, atol=1e-6)


@pytest.mark.parametrize("hue", [0.0, -1e-30, 1e-30, 360 - 1e-7, 180.0, -180.0])
def test_no_index_falls_off_at_the_seam(hue):
    for dtype in (np.float32, np.float64):
        index, weight = BINS.encode(polar(np.array([0.0, 1e-9, 0.1, 9.0]), hue).astype(dtype))
        assert ((index >= 0) & (index < BINS.count)).all()
        np.testing.assert_allclose(weight.sum(-1), 1, atol=1e-6)


def test_torch_encodes_the_same():
    ab = np.random.default_rng(0).normal(0, 0.1, (50, 40, 2))
    ab[0, 0] = 0
    (index, weight), (same_index, same_weight) = BINS.encode(ab), BINS.encode(torch.tensor(ab))
    np.testing.assert_array_equal(same_index, index)
    np.testing.assert_allclose(same_weight, weight, atol=1e-10)


# --- bins: geometry -------------------------------------------------------------------------------


@given(ANY_BINS)
@settings(deadline=None, max_examples=20)
def test_areas_are_parts_of_the_disc(bins):
    """Count the points of a disc by the ring and the hue that are nearest."""
    assert bins.areas.sum() == pytest.approx(1, abs=1e-5)
    rings = np.array([0, *bins.chromas])
    radius = rings[-1] + (rings[-1] - rings[-2]) / 2
    steps = np.linspace(-radius, radius, 801)
    chroma = np.hypot(*np.meshgrid(steps, steps))
    edges = np.append((rings[1:] + rings[:-1]) / 2, radius)
    found = np.histogram(chroma, np.append(0, edges))[0] / (chroma <= radius).sum()
    np.testing.assert_allclose(bins.areas[0], found[0], atol=3e-3)
    per_ring = bins.areas[1:].reshape(len(bins.chromas), bins.hues)
    np.testing.assert_allclose(per_ring.sum(1), found[1:], atol=3e-3)
    np.testing.assert_array_equal(per_ring, per_ring[:, :1].repeat(bins.hues, axis=1))


@given(ANY_BINS, ANGLES, st.floats(0, 179))
@settings(deadline=None, max_examples=40)
def test_bins_near_a_hue(bins, hue, width):
    gap = np.abs(away(hue, hues(bins)))
    near = bins.near_hue(hue, width)
    assert near.shape == (bins.count,)
    assert not near[0]
    clear = np.abs(gap - width) > 1e-4
    np.testing.assert_array_equal(near[1:][clear], (gap < width)[clear])


def test_hex_colors_have_the_hue_and_chroma_of_their_bin():
    rgb = np.array([ImageColor.getrgb(c) for c in BINS.hex_colors]) / 255
    ab = rgb_to_oklab(rgb)[:, 1:]
    assert np.abs(ab[0]).max() < 1e-6
    assert np.abs(away(hues(BINS), hue_degrees(ab[1:]))).max() < 4
    shown = np.hypot(*ab.T)
    inner = chromas(BINS) < 0.14  # farther out, sRGB has not every hue
    np.testing.assert_allclose(shown[inner], chromas(BINS)[inner], atol=0.003)
    assert (shown < chromas(BINS) + 0.003).all()


# --- bins: turning --------------------------------------------------------------------------------


@given(palettes(), st.integers(-60, 60))
@settings(deadline=None, max_examples=40)
def test_turning_by_whole_bins_rolls_every_ring(palette, steps):
    turned = BINS.rotate(palette.shares, np.float64(steps * STEP))
    rings = palette.shares[1:].reshape(len(BINS.chromas), BINS.hues)
    assert turned[0] == palette.shares[0]
    np.testing.assert_allclose(turned[1:], np.roll(rings, steps, axis=1).ravel(), atol=1e-12)


@given(palettes(), ANGLES, st.integers(-30, 30))
@settings(deadline=None, max_examples=40)
def test_turns_compose(palette, angle, steps):
    once = BINS.rotate(palette.shares, np.float64(angle + steps * STEP))
    twice = BINS.rotate(BINS.rotate(palette.shares, np.float64(steps * STEP)), np.float64(angle))
    np.testing.assert_allclose(once, twice, atol=1e-9)
    full = BINS.rotate(palette.shares, np.float64(360))
    np.testing.assert_allclose(full, palette.shares, atol=1e-12)


@given(palettes(), ANGLES)
@settings(deadline=None, max_examples=40)
def test_turning_keeps_neutral_and_the_sum_of_every_ring(palette, angle):
    turned = BINS.rotate(palette.shares, np.float64(angle))
    assert turned.min() >= 0
    assert turned[0] == palette.shares[0]
    before, after = (s[1:].reshape(-1, BINS.hues).sum(1) for s in (palette.shares, turned))
    np.testing.assert_allclose(after, before, atol=1e-12)


@given(st.integers(1, BINS.count - 1), ANGLES)
@settings(deadline=None, max_examples=40)
def test_turning_a_bin_is_turning_its_color(k, angle):
    center = complex(*BINS.centers[k].astype(float)) * np.exp(1j * np.radians(angle))
    turned = BINS.rotate(np.eye(BINS.count)[k], np.float64(angle))
    index, weight = BINS.encode(np.array([center.real, center.imag]))
    shares = np.bincount(index, weight, BINS.count)
    np.testing.assert_allclose(turned, shares, atol=1e-5)


def test_torch_turns_a_batch_like_numpy_one_by_one():
    rng = np.random.default_rng(0)
    shares, angles = rng.dirichlet(np.ones(BINS.count), (4, 3)), rng.uniform(-400, 400, (4, 3))
    angles[0] = 0, 15, -15
    batch = BINS.rotate(torch.tensor(shares), torch.tensor(angles))
    np.testing.assert_allclose(batch, BINS.rotate(shares, angles), atol=1e-12)
    for k in np.ndindex(4, 3):
        np.testing.assert_allclose(batch[k], BINS.rotate(shares[k], angles[k]), atol=1e-12)


# --- palettes -------------------------------------------------------------------------------------


def test_a_palette_is_normalised_and_a_copy():
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
@settings(deadline=None, max_examples=100)
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
@settings(deadline=None, max_examples=40)
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
@settings(deadline=None, max_examples=40)
def test_shifting_one_color_lands_on_the_turned_hue(chroma, hue, angle):
    shifted = single(chroma, hue).shift_hue(angle)
    tinted = shifted.shares[1:]
    turns = away(hue + angle, hues(BINS))
    assert np.abs(turns[tinted > 1e-6]).max() < 2 * STEP
    assert tinted @ turns / tinted.sum() == pytest.approx(0, abs=0.01)
    assert shifted.shares @ chromas(BINS) == pytest.approx(chroma, abs=1e-5)


@given(palettes())
@settings(deadline=None, max_examples=40)
def test_no_saturation_is_all_neutral(palette):
    assert palette.saturate(0).shares[0] == pytest.approx(1)


@given(st.floats(0.001, 0.22), st.floats(0, 360), st.floats(0, 10))
@settings(deadline=None, max_examples=40)
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
@settings(deadline=None, max_examples=40)
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
@settings(deadline=None, max_examples=20)
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
@settings(deadline=None, max_examples=40)
def test_all_the_way_towards_a_color_leaves_only_its_hue(palette, color, amount):
    aimed = palette.towards(color, amount)
    near = np.abs(away(hue_of(color), hues(BINS))) < STEP
    assert aimed.shares[1:][~near].sum() < 1e-9
    assert aimed.shares[0] == pytest.approx(palette.shares[0] / 2, abs=1e-6)
    tint = palette.shares[0] / 2 * BINS.chromas[0]
    mean = palette.shares @ chromas(BINS) + tint
    assert aimed.shares @ chromas(BINS) == pytest.approx(mean, abs=1e-5)


@given(palettes(), COLORS, PARTS)
@settings(deadline=None, max_examples=40)
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
        lambda p: p.towards("gray", 0.5),
        lambda p: p.towards("reddish", 0.5),
        lambda p: p.boost("red", -0.1),
        lambda p: p.boost("red", 2),
        lambda p: p.boost("", 0.1),
        lambda p: p.ban("white"),
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


def test_colors_are_named_largest_first(photos):
    colors = photos[0].colors(least=0.01)
    shares = [share for _, share in colors]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.01
    assert len(colors) == (photos[0].shares[1:] >= 0.01).sum()
    for color, share in colors:
        aimed = Palette.of_chroma(BINS, chroma_of(color)).shares
        assert photos[0].shares[aimed.argmax()] == share


# --- JSON -----------------------------------------------------------------------------------------


def again(palette, bins=BINS):
    """A palette after a trip through a JSON file."""
    return Palette.from_json(bins, json.dumps(palette.to_json()))


def test_json_brings_photos_back(photos):
    for palette in photos:
        assert palette.distance(again(palette)) < 0.002
        assert again(palette).shares[0] == pytest.approx(palette.shares[0], abs=0.01)


@given(palettes())
@settings(deadline=None, max_examples=25)
def test_json_brings_any_palette_back(palette):
    # the outermost ring holds colors that sRGB has not: brought in, they can be shown
    shown = Palette(BINS, np.append(palette.shares[: -BINS.hues], np.zeros(BINS.hues)) + 1e-9)
    assert shown.distance(again(shown)) < 0.02


@pytest.mark.parametrize("bins", OTHERS, ids=lambda b: f"{b.hues}x{len(b.chromas)}")
def test_json_survives_a_change_of_model(photos, bins):
    for palette in photos:
        moved = again(palette, bins)
        assert palette.distance(moved) < 0.05  # coarse bins spread a color
        here, there = palette.shares @ chromas(BINS), moved.shares @ chromas(bins)
        assert there == pytest.approx(here, abs=0.002)
        assert again(moved).distance(palette) < 0.035


def test_json_is_for_people():
    about = Palette(BINS, np.eye(BINS.count)[0]).boost("red", 0.25).ban("blue").to_json()
    assert json.loads(json.dumps(about)) == about
    assert set(about) == {"version", "colors", "neutral", "banned"}
    assert about["version"] == 1
    assert about["neutral"] == 0.75
    assert sum(entry["share"] for entry in about["colors"]) == pytest.approx(0.25, abs=1e-3)
    assert all(set(entry) == {"color", "share"} for entry in about["colors"])
    assert "banned" not in Palette(BINS, np.ones(BINS.count)).to_json()


@given(st.floats(0, 360))
@settings(deadline=None, max_examples=40)
def test_json_keeps_bans(hue):
    color = f"hue:{hue}"
    kept = again(Palette(BINS, np.ones(BINS.count)).ban(color))
    assert np.abs(away(kept.banned, hue_of(color))) < 1
    near = np.abs(away(hue_of(color), hues(BINS))) <= BAN_WIDTH
    assert kept.shares[1:][near].sum() < 0.01


@pytest.mark.parametrize("kind", [str, str.encode, json.loads])
def test_json_by_hand(kind):
    text = """{"version": 1, "neutral": 6, "banned": ["lime"], "unknown": 0, "colors": [
        {"color": "teal", "share": 2, "note": "the sea"}, {"color": "hue:0", "share": 4}]}"""
    palette = Palette.from_json(BINS, kind(text))
    teal, red = (Palette.of_chroma(BINS, chroma_of(c)).shares for c in ("teal", "red"))
    expected = (6 * np.eye(BINS.count)[0] + 2 * teal + 4 * red) / 12
    np.testing.assert_allclose(palette.shares, expected, atol=1e-6)
    assert palette.banned == (hue_of("lime"),)


def colored(color, share):
    return f'{{"version": 1, "colors": [{{"color": {color}, "share": {share}}}]}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "red",
        '{"version": 1,',
        b"\xff\xfe\x00",
        "[" * 100_000,
        "null",
        "1",
        '"red"',
        "[]",
        "{}",
        '{"neutral": 1}',
        '{"version": 2, "neutral": 1}',
        '{"version": "1", "neutral": 1}',
        '{"version": 1}',
        '{"version": 1, "colors": []}',
        '{"version": 1, "neutral": 0, "colors": [{"color": "red", "share": 0}]}',
        '{"version": 1, "neutral": -1}',
        '{"version": 1, "neutral": null}',
        '{"version": 1, "neutral": [1]}',
        '{"version": 1, "neutral": 1, "colors": null}',
        '{"version": 1, "neutral": 1, "colors": {}}',
        '{"version": 1, "neutral": 1, "colors": "red"}',
        '{"version": 1, "neutral": 1, "colors": ["red"]}',
        '{"version": 1, "neutral": 1, "colors": [null]}',
        '{"version": 1, "neutral": 1, "colors": [[["red", 1]]]}',
        '{"version": 1, "neutral": 1, "colors": [{}]}',
        '{"version": 1, "neutral": 1, "colors": [{"color": "red"}]}',
        '{"version": 1, "neutral": 1, "colors": [{"share": 1}]}',
        '{"version": 1, "neutral": 1, "colors": ' + "[" * 300 + "]" * 300 + "}",
        *[
            colored('"red"', share)
            for share in ("-0.1", "NaN", "Infinity", '"1"', "true", "null", "[1]", "{}", "1" * 400)
        ],
        colored('"red"', "1e308"),
        colored('"red\\n"', "-1"),
        *[
            colored(color, "1")
            for color in (
                '"reddish"',
                '""',
                '"no\\nne"',
                '"#12345"',
                '"hue:"',
                '"hue:nan"',
                '"hue:1e999"',
                '"rgb(300,0,0)"',
                '"rgb(99999999999999999999999,0,0)"',
                '"' + "a" * 200 + '"',
                "5",
                "null",
                '["red"]',
            )
        ],
        '{"version": 1, "neutral": 1, "banned": "red"}',
        '{"version": 1, "neutral": 1, "banned": ["gray"]}',
        '{"version": 1, "neutral": 1, "banned": ["reddish"]}',
        '{"version": 1, "neutral": 1, "banned": [5]}',
        '{"version": 1, "neutral": 1, "banned": [null]}',
        '{"version": 1, "neutral": 1, "banned": [["red"]]}',
    ],
    ids=lambda text: repr(text[:70]),
)
def test_json_of_another_kind_is_refused_in_one_line(text):
    with pytest.raises(PaletteError) as error:
        Palette.from_json(BINS, text)
    assert str(error.value).startswith("expected ")
    assert ", found " in str(error.value)
    assert len(str(error.value).splitlines()) == 1


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | COLORS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["color", "share", "version", "colors"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"version": st.just(1)}, optional=dict.fromkeys(
    ("colors", "neutral", "banned"), VALUES)))  # fmt: skip
@settings(deadline=None, max_examples=80)
def test_json_is_read_or_refused_whatever_it_holds(about):
    try:
        found = Palette.from_json(BINS, json.dumps(about)).shares.sum()
    except PaletteError as error:
        found = len(str(error).splitlines())
    assert found == pytest.approx(1)  # the sum of the shares, or the number of lines


# --- other planes ---------------------------------------------------------------------------------


HSV = Bins(12, (0.15, 0.35, 0.6, 0.9), "hsv")


def test_the_plane_of_hsv_is_saturation_in_the_direction_of_hue():
    rgb = np.random.default_rng(0).random((500, 3))
    hue, saturation, _ = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in rgb]).T
    expected = saturation * np.exp(2j * np.pi * hue)
    found = HSV.chroma(rgb)
    np.testing.assert_allclose(found[:, 0] + 1j * found[:, 1], expected, atol=1e-12)


def test_a_palette_over_hue_and_saturation_is_numpys_histogram():
    """Of colors that lie on the bins, where nothing is shared."""
    rng = np.random.default_rng(1)
    hue, ring = rng.integers(0, 12, 900), rng.integers(0, 4, 900)
    saturation = np.array(HSV.chromas)[ring]
    rgb = [colorsys.hsv_to_rgb(h / 12, s, 0.7) for h, s in zip(hue, saturation, strict=True)]
    found = Palette.of_chroma(HSV, HSV.chroma(np.array(rgb))).shares
    edges = [0, 0.25, 0.5, 0.75, 1]
    expected, _, _ = np.histogram2d(saturation, hue, [edges, np.arange(13) - 0.5])
    np.testing.assert_allclose(found[1:].reshape(4, 12), expected / 900, atol=1e-6)


@pytest.mark.parametrize(("color", "degrees"), [("red", 0), ("lime", 120), ("hue:200", 200)])
def test_edits_go_by_the_hues_of_the_plane(color, degrees):
    green = Palette.of_chroma(HSV, HSV.chroma(np.array([0.3, 0.6, 0.3])))
    moved = green.towards(color, 1.0).shares @ HSV.centers
    assert abs(away(hue_degrees(moved), degrees)) < 1
    assert hue_of(color, HSV) == pytest.approx(degrees, abs=0.1)
    banned = green.ban(color)
    assert banned.banned == (pytest.approx(degrees, abs=0.1),)
    full = green.boost(color, 1.0).shares @ HSV.centers
    assert abs(away(hue_degrees(full), degrees)) < 1


def test_json_over_hue_and_saturation_comes_back():
    palette = Palette.of_chroma(HSV, HSV.chroma(np.random.default_rng(2).random((200, 3))))
    palette = palette.ban("blue")
    back = Palette.from_json(HSV, palette.to_json())
    assert palette.distance(back) < 0.02
    assert back.banned == pytest.approx(palette.banned, abs=1)
    shown = np.array([ImageColor.getrgb(c) for c in HSV.hex_colors]) / 255
    np.testing.assert_allclose(HSV.chroma(shown), HSV.centers, atol=0.01)


def test_another_plane_is_refused():
    with pytest.raises(PaletteError, match="expected the plane oklab or hsv, found 'luv'"):
        Bins(plane="luv")
    gray, other = (
        Palette.of_chroma(b, np.zeros((1, 2))) for b in (HSV, replace(HSV, plane="oklab"))
    )
    with pytest.raises(PaletteError, match="over the same bins"):
        gray.blend(other, 0.5)


# --- distance -------------------------------------------------------------------------------------


def test_distance_of_one_color_to_another_is_the_way_between_them():
    neutral = Palette(BINS, np.eye(BINS.count)[0])
    red, cyan = single(0.10, 0), single(0.10, 180)
    assert red.distance(cyan) == pytest.approx(0.20, rel=1e-3)
    assert neutral.distance(single(0.15, 90)) == pytest.approx(0.15, rel=1e-3)
    assert single(0.06, 45).distance(single(0.22, 45)) == pytest.approx(0.16, rel=1e-3)
    assert red.distance(single(0.10, 90)) == pytest.approx(0.1 * np.sqrt(2), rel=1e-3)


def test_distance_counts_only_what_moves():
    neutral = Palette(BINS, np.eye(BINS.count)[0])
    quarter = neutral.blend(single(0.10, 0), 0.25)
    assert neutral.distance(quarter) == pytest.approx(0.025, rel=1e-3)
    halves = single(0.10, 0).blend(single(0.10, 180), 0.5)
    assert halves.distance(neutral) == pytest.approx(0.10, rel=1e-3)
    assert halves.distance(halves.shift_hue(180)) == pytest.approx(0, abs=1e-9)


@given(palettes())
@settings(deadline=None, max_examples=25)
def test_distance_to_itself_is_nothing(palette):
    assert palette.distance(palette) == 0
    assert palette.distance(Palette(BINS, 3 * palette.shares)) == pytest.approx(0, abs=1e-9)


@given(palettes(), palettes())
@settings(deadline=None, max_examples=12)
def test_distance_is_within_a_percent_of_the_exact_one(here, there):
    true = exact(here.shares, there.shares, gaps())
    assert 0.99 * true - 1e-5 <= here.distance(there) <= true + 1e-6


def test_distance_over_other_bins_is_within_a_percent_of_the_exact_one():
    rng = np.random.default_rng(5)
    for bins in OTHERS:
        here = Palette(BINS, rng.random(BINS.count) ** 4)
        there = Palette(bins, rng.random(bins.count) ** 4)
        true = exact(here.shares, there.shares, gaps(BINS, bins))
        assert 0.99 * true <= here.distance(there) <= true + 1e-6
        assert there.distance(here) == pytest.approx(true, rel=0.01)


def test_distance_of_edited_photos_is_within_a_percent(photos):
    for palette in photos:
        for edited in (palette.shift_hue(2), palette.saturate(0.9), palette.towards("blue", 0.2)):
            true = exact(palette.shares, edited.shares, gaps())
            assert palette.distance(edited) == pytest.approx(true, rel=0.01)


@given(palettes(), palettes(), palettes())
@settings(deadline=None, max_examples=15)
def test_distance_is_symmetric_and_no_longer_than_a_detour(a, b, c):
    assert a.distance(b) == pytest.approx(b.distance(a), rel=0.01, abs=1e-5)
    assert a.distance(c) <= 1.01 * (a.distance(b) + b.distance(c)) + 1e-5


def test_earth_mover_on_a_line_as_in_scipy():
    rng = np.random.default_rng(6)
    place = np.sort(rng.uniform(0, 0.4, 30))
    gap = np.abs(place[:, None] - place)
    for _ in range(10):
        here, there = rng.dirichlet(np.full(30, 0.3), 2)
        true = wasserstein_distance(place, place, here, there)
        assert 0.99 * true <= earth_mover(here, there, gap) <= true + 1e-6


# --- names of colors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("red", "#ff0000"),
        ("Teal", "#008080"),
        ("  navy\n", "#000080"),
        ("#f00", "#ff0000"),
        ("#FF8000", "#ff8000"),
        ("#ff800080", "#ff8000"),
        ("rgb(255, 128, 0)", "#ff8000"),
        ("hue:0", "#ff0000"),
        ("hue:360", "#ff0000"),
        ("hue:-120", "#0000ff"),
        ("hue:120", "#00ff00"),
        ("hue:1e2", "hue:100"),
    ],
)
def test_names_of_colors(name, same):
    np.testing.assert_array_equal(chroma_of(name), chroma_of(same))
    assert hue_of(name) == hue_of(same)


def test_chroma_and_hue_of_primaries_as_published():
    """Ottosson's OKLab of #ff0000, #00ff00 and #0000ff, and the hues that CSS Color 4 prints."""
    np.testing.assert_allclose(chroma_of("red"), (0.22486, 0.12585), atol=1e-5)
    np.testing.assert_allclose(chroma_of("lime"), (-0.23389, 0.17950), atol=1e-5)
    np.testing.assert_allclose(chroma_of("blue"), (-0.03246, -0.31153), atol=1e-5)
    found = [hue_of(c) for c in ("red", "lime", "blue")]
    np.testing.assert_allclose(found, [29.23, 142.50, 264.05], atol=0.01)


@given(st.floats(-1e6, 1e6))
@settings(deadline=None, max_examples=40)
def test_any_hue_has_a_color(degrees):
    assert 0 <= hue_of(f"hue:{degrees}") < 360
    np.testing.assert_allclose(chroma_of(f"hue:{degrees}"), chroma_of(f"hue:{degrees % 360}"))


@pytest.mark.parametrize("name", ["", "reddish", "#12", "#gggggg", "hue:", "hue:red", "hue:inf"])
def test_no_color(name):
    for read in (chroma_of, hue_of):
        with pytest.raises(PaletteError, match=r"^expected a CSS color name.*, found .*$"):
            read(name)


@pytest.mark.parametrize("name", ["black", "gray", "white", "#808081"])
def test_grays_have_no_hue(name):
    assert np.abs(chroma_of(name)).max() < 0.01
    with pytest.raises(PaletteError, match=r"^expected a color with a hue, found .* is gray$"):
        hue_of(name)
