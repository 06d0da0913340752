"""Palettes come back from JSON, and what is none is refused in one line."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palettes import BINS, COLORS, OTHERS, away, chromas, hues, palettes

from tintype.bins import chroma_of, hue_of
from tintype.errors import PaletteError
from tintype.palette import BAN_WIDTH, Palette


def again(palette, bins=BINS):
    """A palette after a trip through a JSON file."""
    return Palette.from_json(bins, json.dumps(palette.to_json()))


def test_json_brings_photos_back(photo_palettes):
    for palette in photo_palettes:
        assert palette.distance(again(palette)) < 0.002
        assert again(palette).shares[0] == pytest.approx(palette.shares[0], abs=0.01)


@given(palettes())
@settings(max_examples=25)
def test_json_brings_any_palette_back(palette):
    # the outermost ring holds colors that sRGB has not: brought in, they can be shown
    shown = Palette(BINS, np.append(palette.shares[: -BINS.hues], np.zeros(BINS.hues)) + 1e-9)
    assert shown.distance(again(shown)) < 0.02


@pytest.mark.parametrize("bins", OTHERS, ids=lambda b: f"{b.hues}x{len(b.chromas)}")
def test_json_survives_a_change_of_model(photo_palettes, bins):
    for palette in photo_palettes:
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
@settings(max_examples=40)
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
@settings(max_examples=80)
def test_json_is_read_or_refused_whatever_it_holds(about):
    try:
        found = Palette.from_json(BINS, json.dumps(about)).shares.sum()
    except PaletteError as error:
        found = len(str(error).splitlines())
    assert found == pytest.approx(1)  # the sum of the shares, or the number of lines


def test_what_is_neutral_alone_is_read_as_it_is():
    about = {"version": 1, "neutral": 0.5, "tones": {"shadows": {"colors": [], "neutral": 0.9}}}
    palette = Palette.from_json(BINS, about | {"colors": [{"color": "red", "share": 0.5}]})
    assert palette.tones[0, 0] == 1
    assert Palette.from_json(BINS, {"version": 1, "neutral": 0.5}).shares[0] == 1
