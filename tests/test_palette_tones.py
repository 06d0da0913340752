"""Palettes by tone: counted as NumPy counts, edited like palettes, kept by JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palettes import EDITS as PLAIN_EDITS
from skimage import data

from tintype.bins import Bins, chroma_of
from tintype.color import luma, rgb_to_oklab
from tintype.errors import PaletteError
from tintype.palette import TONES, TRACE, Palette

BINS = Bins()
PARTS = st.floats(0, 1)
COLORS = st.sampled_from(["red", "orange", "#ffe0c0", "green", "teal", "hue:300", "navy"])
SCALES = st.floats(0.01, 100)
EDITS = st.one_of(
    PLAIN_EDITS,
    st.tuples(
        st.just("recolor"),
        st.lists(
            st.fixed_dictionaries({"from": COLORS, "to": COLORS, "scale": SCALES}), min_size=1
        ),
    ),
)


@st.composite
def shares(draw):
    """Shares of a few bins up to all of them."""
    few = draw(st.integers(1, BINS.count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = np.zeros(BINS.count)
    found[rng.choice(BINS.count, few, replace=False)] = rng.random(few) ** 3 + 1e-6
    return found / found.sum()


TONED = st.builds(
    lambda own, tones: Palette(BINS, own, tones=np.stack(tones)),
    shares(),
    st.tuples(*[shares()] * 3),
)


def of_photo(rgb):
    return Palette.of_chroma(BINS, rgb_to_oklab(rgb / 255)[..., 1:], luma(rgb / 255))


def applied(palette, edits):
    for name, *values in edits:
        palette = getattr(palette, name)(*values)
    return palette


# --- of photos ------------------------------------------------------------------------------------


def test_tones_are_numpys_histograms():
    """Of colors that lie on the bins, each weighed by how much of a tone its luma is."""
    rng = np.random.default_rng(0)
    bin_of, y = rng.integers(0, BINS.count, (40, 50)), rng.random((40, 50))
    palette = Palette.of_chroma(BINS, BINS.centers[bin_of], y)
    edges = np.arange(BINS.count + 1) - 0.5
    whole, _ = np.histogram(bin_of, edges)
    ramps = ([1, 0, 0], [0, 1, 0], [0, 0, 1])  # over black, middle gray, white
    for tone, ramp in zip(palette.tones, ramps, strict=True):
        weights = np.interp(y, [0, 0.5, 1], ramp)
        counted, _ = np.histogram(bin_of, edges, weights=weights)
        expected = (counted + TRACE * whole) / (weights.sum() + TRACE * bin_of.size)
        np.testing.assert_allclose(tone, expected, atol=1e-6)
    np.testing.assert_allclose(palette.shares, whole / bin_of.size, atol=1e-6)


def test_luma_does_not_change_the_shares():
    rgb = data.coffee()[::4, ::4]
    palette = of_photo(rgb)
    plain = Palette.of_chroma(BINS, rgb_to_oklab(rgb / 255)[..., 1:])
    assert plain.tones is None
    np.testing.assert_array_equal(palette.shares, plain.shares)
    np.testing.assert_allclose(palette.tones.sum(1), 1)


def test_a_tone_that_a_photo_has_not_is_as_the_photo():
    ab = np.random.default_rng(1).normal(0, 0.1, (30, 30, 2))
    dark = Palette.of_chroma(BINS, ab, np.zeros((30, 30)))
    for tone in dark.tones:
        np.testing.assert_allclose(tone, dark.shares, atol=1e-9)
    given = Palette(BINS, dark.shares, tones=np.stack([np.eye(BINS.count)[5], *np.zeros((2, 121))]))
    expected = [np.eye(BINS.count)[5], dark.shares, dark.shares]
    np.testing.assert_allclose(given.tones, expected, atol=1e-12)


def test_a_bright_pixel_does_not_make_the_highlights():
    """One red one among 10,000 dark blue ones."""
    ab, y = np.tile(chroma_of("blue"), (100, 100, 1)), np.zeros((100, 100))
    ab[0, 0], y[0, 0] = chroma_of("red"), 1.0
    shadows, _, highlights = Palette.of_chroma(BINS, ab, y).tones
    red = Palette.of_chroma(BINS, chroma_of("red")).shares > 0
    assert shadows[red].sum() < 1e-3
    assert highlights[red].sum() < 0.1


# --- edits ----------------------------------------------------------------------------------------


@given(shares(), st.lists(EDITS, min_size=1, max_size=5))
@settings(max_examples=60)
def test_tones_like_the_palette_stay_like_it_under_edits(own, edits):
    palette = applied(Palette(BINS, own, tones=np.tile(own, (3, 1))), edits)
    for tone in palette.tones:
        np.testing.assert_allclose(tone, palette.shares, atol=1e-12)


@given(TONED, EDITS)
@settings(max_examples=60)
def test_a_tone_is_edited_like_a_palette(palette, edit):
    edited = applied(palette, [edit])
    plain = applied(replace(palette, tones=None), [edit])
    assert plain.tones is None
    np.testing.assert_allclose(edited.shares, plain.shares, atol=1e-12)
    assert edited.banned == plain.banned
    for tone, before in zip(edited.tones, palette.tones, strict=True):
        np.testing.assert_allclose(tone, applied(Palette(BINS, before), [edit]).shares, atol=1e-12)


def test_a_tone_whose_every_color_is_taken_away_is_as_the_rest():
    red, teal = (Palette.of_chroma(BINS, chroma_of(c)).shares for c in ("red", "teal"))
    palette = Palette(BINS, red + teal, tones=np.stack([red, teal, red + teal]))
    left = palette.recolor([{"from": "red", "to": "red", "scale": 0}])
    for tone in left.tones:
        np.testing.assert_allclose(tone, left.shares, atol=1e-9)


@given(TONED, shares(), PARTS)
@settings(max_examples=40)
def test_blending_mixes_tones(palette, other, amount):
    """Where one has none, what it has of colors at all stands for every tone."""
    plain = Palette(BINS, other)
    for pair, parts in (
        ((palette, plain), (palette.tones, plain.shares)),
        ((plain, palette), (plain.shares, palette.tones)),
        ((palette, palette.shift_hue(90)), (palette.tones, palette.shift_hue(90).tones)),
    ):
        mixed = pair[0].blend(pair[1], amount)
        expected = (1 - amount) * parts[0] + amount * parts[1]
        np.testing.assert_allclose(mixed.tones, expected, atol=1e-12)
    assert plain.blend(plain, amount).tones is None


def test_tones_are_no_part_of_a_distance():
    palette = of_photo(data.coffee()[::4, ::4])
    swapped = replace(palette, tones=palette.tones[::-1])
    assert palette.distance(swapped) == pytest.approx(0, abs=1e-9)
    assert palette.distance(replace(palette, tones=None)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "tones",
    [
        np.ones(121),
        np.ones((2, 121)),
        np.ones((3, 120)),
        -np.ones((3, 121)),
        np.full((3, 121), np.nan),
    ],
    ids=["one", "two", "few bins", "negative", "nan"],
)
def test_other_tones_are_refused(tones):
    with pytest.raises(PaletteError, match=r"^expected .*shares.*, found .*$"):
        Palette(BINS, np.ones(121), tones=tones)


# --- JSON -----------------------------------------------------------------------------------------


def again(palette):
    """A palette after a trip through a JSON file."""
    return Palette.from_json(BINS, json.dumps(palette.to_json()))


def tone(palette, number):
    return Palette(BINS, palette.tones[number])


def test_json_brings_the_tones_of_photos_back():
    for rgb in (data.astronaut(), data.coffee(), data.chelsea()):
        palette = of_photo(rgb[::4, ::4])
        back = again(palette)
        for number in range(3):
            assert tone(palette, number).distance(tone(back, number)) < 0.004
        assert tone(palette, 0).distance(tone(palette, 2)) > 0.01
        assert len(json.dumps(palette.to_json())) < 12_000


@given(TONED)
@settings(max_examples=15)
def test_json_brings_any_tones_back(palette):
    inner = np.append(np.ones(BINS.count - BINS.hues), np.zeros(BINS.hues))  # what sRGB can show
    shown = Palette(BINS, palette.shares * inner + 1e-9, tones=palette.tones * inner + 1e-9)
    back = again(shown)
    for number in range(3):
        assert tone(shown, number).distance(tone(back, number)) < 0.02


def test_tones_in_json_are_palettes_for_people():
    red, teal = (Palette.of_chroma(BINS, chroma_of(c)).shares for c in ("red", "teal"))
    palette = Palette(BINS, red + teal, tones=np.stack([red, teal, red + teal])).ban("lime")
    about = palette.to_json()
    assert set(about) == {"version", "colors", "neutral", "banned", "tones"}
    assert tuple(about["tones"]) == TONES == ("shadows", "midtones", "highlights")
    plain = replace(palette, tones=None).to_json()
    assert "tones" not in plain
    assert {k: v for k, v in about.items() if k != "tones"} == plain
    for name, number in (("shadows", 0), ("midtones", 1), ("highlights", 2)):
        alone = tone(palette, number).to_json()
        assert about["tones"][name] == {k: alone[k] for k in ("colors", "neutral")}


def test_tones_by_hand():
    """A tone that is not named, or is nothing, is as the palette itself."""
    about = {
        "version": 1, "neutral": 1, "colors": [{"color": "teal", "share": 1}],
        "tones": {"shadows": {"colors": [{"color": "hue:0", "share": 5}], "note": "velvet"},
                  "highlights": {"neutral": 0}, "contours": 3},
    }  # fmt: skip
    palette = Palette.from_json(BINS, about)
    red = Palette.of_chroma(BINS, chroma_of("red")).shares
    np.testing.assert_allclose(palette.tones, [red, palette.shares, palette.shares], atol=1e-6)
    empty = Palette.from_json(BINS, about | {"tones": {}})
    np.testing.assert_array_equal(empty.tones, empty.by_tone)
    del about["tones"]
    assert Palette.from_json(BINS, about).tones is None


@pytest.mark.parametrize(
    "tones",
    [
        "null",
        "[]",
        "1",
        '"shadows"',
        '{"shadows": null}',
        '{"shadows": []}',
        '{"midtones": [{"color": "red", "share": 1}]}',
        '{"midtones": {"colors": {}}}',
        '{"highlights": {"neutral": -1}}',
        '{"highlights": {"colors": [{"color": "reddish", "share": 1}]}}',
        '{"highlights": {"colors": [{"color": "red", "share": NaN}]}}',
    ],
)
def test_tones_of_another_kind_are_refused_in_one_line(tones):
    with pytest.raises(PaletteError, match=r"^expected [^\n]*, found [^\n]*$"):
        Palette.from_json(BINS, f'{{"version": 1, "neutral": 1, "tones": {tones}}}')


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | COLORS
NAMES = st.sampled_from(["color", "share", "colors", "neutral", *TONES])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(TONES), VALUES) | VALUES)
@settings(max_examples=60)
def test_tones_are_read_or_refused_whatever_they_hold(about):
    text = json.dumps({"version": 1, "neutral": 1, "tones": about})
    try:
        found = Palette.from_json(BINS, text).tones.sum() / 3
    except PaletteError as error:
        found = len(str(error).splitlines())
    assert found == pytest.approx(1)  # the sum of a tone's shares, or the number of lines
