"""Charts: text without escape codes, bars in proportion, one scale, bans seen, photos kept."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor

from tintype.bins import Bins, hue_of
from tintype.charts import bars, histogram, side_by_side
from tintype.color import rgb_to_oklab
from tintype.errors import PaletteError
from tintype.palette import Palette

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LINE = re.compile(r"(#[0-9a-f]{6}|neutral) +(\d+\.\d) %(?:  )?(.*)")
BINS = Bins()
SLOT = (1200 - 68 - 28) / (BINS.hues + 1.9)  # how a chart of 1200 pixels lays its bars out


def of_shares(**hues):
    """A palette with shares of single bins, named h0, h15, ...; the rest is neutral."""
    shares = np.zeros(BINS.count)
    for name, share in hues.items():
        shares[1 + 2 * BINS.hues + int(name[1:]) // 15] = share
    shares[0] = 1 - shares.sum()
    return Palette(BINS, shares)


@pytest.fixture(scope="module")
def photo():
    """The palette of a photo with many colors."""
    data = pytest.importorskip("skimage.data")
    return Palette.of_chroma(BINS, rgb_to_oklab(data.astronaut()[::4, ::4] / 255)[..., 1:])


def parsed(text):
    """(name, percent, bar) of every line but the banned one."""
    lines = [line for line in text.splitlines() if not line.startswith("banned")]
    return [(m[1], float(m[2]), m[3]) for m in map(LINE.fullmatch, lines)]


def column(image, color):
    """Rows and columns of the pixels of one color, ((y, x) pairs)."""
    return np.argwhere((np.asarray(image) == ImageColor.getrgb(color)).all(axis=-1))


# --- bars -----------------------------------------------------------------------------------------


def test_bars_without_color_are_plain_ascii(photo):
    text = bars(photo.ban("blue").ban("hue:90"), ansi=False)
    assert text.isascii()
    assert "\x1b" not in text


def test_bars_with_color_say_the_same(photo):
    plain, colored = (bars(photo.ban("blue"), ansi=ansi) for ansi in (False, True))
    assert "\x1b[38;2;" in colored
    assert colored.count("\x1b[38;2;") == colored.count("\x1b[0m")
    numbers = [row[:2] for row in parsed(plain)]
    assert [row[:2] for row in parsed(ANSI.sub("", colored))] == numbers


def test_a_bar_has_the_color_it_names(photo):
    for line in bars(photo, ansi=True).splitlines()[:-1]:
        red, green, blue = ImageColor.getrgb(line[:7])
        assert f"\x1b[38;2;{red};{green};{blue}m" in line


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=BINS.count, max_size=BINS.count).filter(any))
def test_few_lines_whose_shares_sum_to_everything(shares):
    rows = parsed(bars(Palette(BINS, np.array(shares)), ansi=False))
    assert len(rows) <= 13
    assert [row[0] for row in rows].count("neutral") == 1
    assert sum(row[1] for row in rows) == pytest.approx(100, abs=1)


def test_bars_of_a_photo_are_ordered_and_in_proportion(photo):
    rows = parsed(bars(photo, ansi=False, width=200))
    shares = [share for _, share, _ in rows[:-1]]
    assert shares == sorted(shares, reverse=True)
    assert max(len(bar) for *_, bar in rows) == 200
    most = max(share for _, share, _ in rows)
    for _, share, bar in rows:
        assert len(bar) == pytest.approx(200 * share / most, abs=1.3)


def test_near_colors_share_a_line_and_far_ones_do_not():
    rows = parsed(bars(of_shares(h30=0.2, h45=0.2, h255=0.1), ansi=False))
    assert [row[1] for row in rows] == [40.0, 10.0, 50.0]
    assert rows[1][0] == BINS.hex_colors[1 + 2 * BINS.hues + 17]
    between = hue_of(rows[0][0])
    assert 30 < between < 45


def test_only_neutral_is_one_line():
    assert parsed(bars(of_shares(), ansi=False, width=10)) == [("neutral", 100.0, "#" * 10)]


def test_banned_hues_stand_on_the_last_line(photo):
    assert "banned" not in bars(photo, ansi=False)
    last = bars(photo.ban("blue").ban("blue").ban("#00a0a0"), ansi=False).splitlines()[-1]
    assert last == "banned  blue (hue 264 +-20 degrees), cyan (hue 195 +-20 degrees)"
    last = bars(photo.ban("white").ban("blue").ban("gray"), ansi=False).splitlines()[-1]
    assert last == "banned  blue (hue 264 +-20 degrees), gray"


def test_a_bar_needs_room(photo):
    with pytest.raises(ValueError, match="width of 1 or more"):
        bars(photo, ansi=False, width=0)


# --- histogram ------------------------------------------------------------------------------------


def test_the_tallest_bar_has_the_color_of_its_bin():
    palette = of_shares(h150=0.5, h30=0.2, h270=0.1)
    image = histogram(palette)
    heights = {}
    for hue, share in ((150, 0.5), (30, 0.2), (270, 0.1)):
        found = column(image, BINS.hex_colors[1 + 2 * BINS.hues + hue // 15])
        # the ribbon under the axis has these colors too, but only a few rows of them
        x = np.median(found[:, 1])
        heights[share] = len(np.unique(found[found[:, 1] == x, 0])) - 6
        assert x == pytest.approx(68 + SLOT * (1.9 + hue / 15), abs=2)
    assert heights[0.5] / heights[0.2] == pytest.approx(2.5, rel=0.03)
    assert heights[0.5] / heights[0.1] == pytest.approx(5, rel=0.05)


def test_a_bar_is_stacked_from_muted_to_vivid():
    shares = np.zeros(BINS.count)
    inner, outer = 1 + 2, 1 + 4 * BINS.hues + 2
    shares[[0, inner, outer]] = 0.4, 0.3, 0.3
    image = histogram(Palette(BINS, shares))
    below, above = (column(image, BINS.hex_colors[k]) for k in (inner, outer))
    assert above[:, 0].max() < below[:, 0].min()
    assert len(above) == pytest.approx(len(below), rel=0.02)
    assert above[:, 1].max() == below[:, 1].max()


def test_both_histograms_have_one_scale(photo):
    edited = photo.towards("red", 0.6)
    image = np.asarray(histogram(photo, edited))
    above, below = np.split(image, 2)
    gray = BINS.hex_colors[0]
    rows = [len(np.unique(column(half, gray)[:, 0])) for half in (above, below)]
    assert rows[0] / rows[1] == pytest.approx(photo.shares[0] / edited.shares[0], rel=0.02)
    same = np.asarray(histogram(photo, photo))
    first, second = np.split(same, 2)
    np.testing.assert_array_equal(first[80:], second[80:])  # the titles differ


def test_a_large_neutral_bar_does_not_dwarf_the_hues():
    image = histogram(of_shares(h150=0.1), size=(1200, 440))
    rows = column(image, BINS.hex_colors[1 + 2 * BINS.hues + 10])[:, 0]
    assert len(np.unique(rows)) > 100
    neutral = column(image, BINS.hex_colors[0])
    tall = np.unique(neutral[:, 0])
    assert np.diff(tall).max() > 2  # the cut


@pytest.mark.parametrize("color", ["blue", "#ff66a0"])
def test_a_ban_is_seen_where_it_is(color):
    palette = of_shares(h120=0.5)
    free, banned = (np.asarray(histogram(p)).astype(int) for p in (palette, palette.ban(color)))
    changed = np.flatnonzero((np.abs(free - banned)[100:300] > 4).any(axis=(0, 2)))
    degrees = ((changed - 68) / SLOT - 1.9) * 15
    away = np.abs((degrees - hue_of(color) + 180) % 360 - 180)
    assert away.max() == pytest.approx(20, abs=1)
    assert len(changed) * 15 / SLOT == pytest.approx(40, abs=1)  # all of it


def test_a_ban_of_gray_is_seen_where_neutral_is():
    palette = of_shares(h120=1.0).ban("gray")
    image = np.asarray(histogram(palette)).astype(int)
    left = image[100:180, 68 : 68 + round(3 * SLOT)]
    stripes = np.flatnonzero((np.abs(left - left[:, -1:]) > 8).any(axis=(0, 2)))
    assert stripes.max() < 1.2 * SLOT
    assert len(stripes) > 0.7 * SLOT


def test_bans_that_overlap_are_hatched_once():
    once = of_shares(h120=0.5).ban("blue")
    assert histogram(once) == histogram(once.ban("blue"))


def test_sizes_of_histograms(photo):
    assert histogram(photo).size == (1200, 440)
    assert histogram(photo, photo).size == (1200, 880)
    assert histogram(photo, photo, size=(633, 541)).size == (633, 541)
    with pytest.raises(ValueError, match="at least 600x480"):
        histogram(photo, photo, size=(600, 479))


@pytest.mark.parametrize("bins", [Bins(hues=6, chromas=(0.1,)), Bins(hues=36)])
def test_other_bins(bins):
    palette = Palette(bins, np.arange(bins.count))
    assert histogram(palette.ban("red")).size == (1200, 440)
    assert len(parsed(bars(palette, ansi=False))) <= 13
    with pytest.raises(PaletteError, match="same bins"):
        histogram(of_shares(), palette)


def test_no_color_at_all():
    assert len(column(histogram(of_shares()), BINS.hex_colors[0])) > 1000


# --- side by side ---------------------------------------------------------------------------------


def block(mode, size, color):
    """One color in `mode`."""
    return Image.new(mode, size, color)


def test_photos_of_mixed_sizes_and_modes_keep_their_aspect():
    images = [
        block("L", (300, 200), 0),
        block("RGB", (100, 400), (200, 30, 40)),
        block("RGBA", (50, 50), (0, 0, 250, 255)),
    ]
    sheet = side_by_side(images, ["before", "after", "blue"], max_height=300)
    assert sheet.mode == "RGB"
    for color, aspect in (("#000000", 1.5), ("#c81e28", 0.25), ("#0000fa", 1.0)):
        found = column(sheet, color)
        high, wide = np.ptp(found, axis=0) + 1
        assert high == 300
        assert wide == pytest.approx(300 * aspect, abs=1)
        assert len(found) == high * wide


def test_the_tallest_photo_gives_the_height_without_enlarging_it():
    sheet = side_by_side([block("RGB", (30, 40), "red"), block("RGB", (9, 10), "lime")], ["", ""])
    assert np.ptp(column(sheet, "red"), axis=0).tolist() == [39, 29]
    assert np.ptp(column(sheet, "lime"), axis=0).tolist() == [39, 35]


def test_what_is_transparent_becomes_paper():
    sheet = side_by_side([block("RGBA", (40, 40), (255, 0, 0, 0))], [""])
    assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) == 1


def test_captions_are_written_and_stay_under_their_photos():
    images = [block("RGB", (60, 200), "red"), block("RGB", (60, 200), "lime")]
    plain = np.asarray(side_by_side(images, ["", ""])).astype(int)
    sheet = np.asarray(side_by_side(images, ["much too long for so narrow a photo", ""]))
    changed = np.argwhere((sheet != plain).any(axis=-1))
    assert changed[:, 0].min() > column(sheet, "red")[:, 0].max()
    assert 30 < changed[:, 1].max() <= column(sheet, "red")[:, 1].max() + 1


@pytest.mark.parametrize(("count", "labels"), [(0, []), (2, ["one"])])
def test_every_photo_needs_a_label(count, labels):
    with pytest.raises(ValueError, match="one label per image"):
        side_by_side([block("L", (9, 9), 0)] * count, labels)
