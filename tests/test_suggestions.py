"""Suggestions: distinct, ordered by likelihood, shown at the thing's luma, never banned."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor
from skimage import data

import tintype
from tintype import suggestions
from tintype.bins import OKLAB, chroma_of
from tintype.color import hue_degrees, hue_distance
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.suggestions import APART, pick_colors, suggest

EVEN = Palette(OKLAB, np.ones(OKLAB.count))
RED, BLUE = 1 + 3 * 24 + 2, 1 + 3 * 24 + 17  # bins of chroma 0.15 at 30 and 255 degrees


def masses(shares):
    """(count,) what is given by bin, the rest spread over all."""
    mass = np.zeros(OKLAB.count)
    mass[list(shares)] = list(shares.values())
    return mass + (1 - mass.sum()) / OKLAB.count


def chroma(suggestions):
    return np.stack([chroma_of(s.color) for s in suggestions])


def pairs(points):
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return gaps[np.triu_indices(len(points), 1)]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    sharp=st.floats(0.1, 40),
    level=st.integers(0, 255),
    bans=st.lists(
        st.sampled_from(["red", "hue:40", "green", "hue:200", "blue", "gray"]), max_size=3
    ),
    count=st.integers(1, 8),
)
def test_whatever_is_likely(seed, sharp, level, bans, count):
    mass = np.random.default_rng(seed).random(OKLAB.count) ** sharp + 1e-12
    palette = EVEN
    for color in bans:
        palette = palette.ban(color)
    mass = np.where(palette.forbidden, 0, mass)
    found = pick_colors(mass / mass.sum(), level, palette, count)
    shares = [s.share for s in found]
    assert shares == sorted(shares, reverse=True)
    assert all(share > 0 for share in shares)
    assert sum(shares) <= 1 + 1e-9
    assert len(found) <= count
    if 40 <= level <= 180:
        assert len(found) == count
    for one in found:  # Pillow's luma is Rec. 601's
        assert abs(np.dot([0.299, 0.587, 0.114], ImageColor.getrgb(one.color)) - level) < 1
    if len(found) > 1:
        assert pairs(chroma(found)).min() >= APART
    for one in found:
        ab = chroma_of(one.color)
        strong = np.hypot(*ab) > 0.01
        assert strong or not palette.bans_gray
        assert not strong or all(hue_distance(hue_degrees(ab), h) > 20 for h in palette.banned)


def test_the_likeliest_comes_first():
    found = pick_colors(masses({RED: 0.3, BLUE: 0.5}), 110, EVEN, 5)
    assert np.linalg.norm(chroma_of(found[0].color) - OKLAB.centers[BLUE]) < 0.02
    assert np.linalg.norm(chroma_of(found[1].color) - OKLAB.centers[RED]) < 0.02
    assert found[0].share == pytest.approx(0.5, abs=0.05)
    assert found[1].share == pytest.approx(0.3, abs=0.05)


def test_what_is_split_over_bins_counts_as_one():
    """Two neighbors of a quarter each are likelier than one bin of a third."""
    found = pick_colors(masses({RED: 0.25, RED + 1: 0.25, BLUE: 0.34}), 110, EVEN, 2)
    middle = OKLAB.centers[[RED, RED + 1]].mean(0)
    assert np.linalg.norm(chroma_of(found[0].color) - middle) < 0.02
    assert np.linalg.norm(chroma_of(found[1].color) - OKLAB.centers[BLUE]) < 0.02


@pytest.mark.parametrize("level", [0, 128, 255])
def test_gray_is_one_of_them(level):
    found = pick_colors(masses({0: 0.9}), level, EVEN, 5)
    assert found[0].color == "#" + 3 * f"{level:02x}"


@pytest.mark.parametrize("hue", range(10, 360, 30))
def test_gray_is_of_no_banned_hue(hue):
    """Whatever hue rounding gives it."""
    palette = replace(EVEN, banned=(float(hue),))
    assert pick_colors(masses({0: 0.9}), 99, palette, 1)[0].color == "#636363"


def test_what_the_luma_cannot_show_is_shown_as_it_can():
    """A vivid blue at a luma that is too light for it is the palest, lightest one of its hue."""
    (found,) = pick_colors(masses({BLUE: 1.0}), 215, EVEN, 1)
    ab = chroma_of(found.color)
    assert 0.03 < np.hypot(*ab) < 0.12
    assert hue_distance(hue_degrees(ab), 255) < 8


# --- of photos ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def colorizer():
    return tintype.load(threads=1)


@pytest.fixture(scope="module")
def astronaut(colorizer):
    return colorizer.encode(data.astronaut())


def true_chroma(photo, x, y, side=8):
    """Of the mean color of a small box, by Pillow alone."""
    small = Image.fromarray(photo).resize([n // side for n in photo.shape[1::-1]], Image.BOX)
    code = small.getpixel((int(x * small.width), int(y * small.height)))
    return chroma_of("#{:02x}{:02x}{:02x}".format(*code))


def nearest(points, truth):
    return np.linalg.norm(points - truth, axis=1).min()


def test_true_colors_are_among_five_much_more_often_than_among_five_random_bins(colorizer):
    rng = np.random.default_rng(16)
    found, chance = [], []
    for photo in (data.astronaut(), data.chelsea(), data.coffee(), data.rocket()):
        encoded = colorizer.encode(photo)
        for x, y in rng.random((13, 2)).tolist():
            truth = true_chroma(photo, x, y)
            found.append(nearest(chroma(encoded.suggest(x, y)), truth) < 0.06)
            some = OKLAB.centers[rng.choice(OKLAB.count, 5, replace=False)]
            chance.append(nearest(some, truth) < 0.06)
    assert np.mean(found) > 0.85
    assert np.mean(found) > np.mean(chance) + 0.2


def test_the_suit_of_the_astronaut_may_be_orange(astronaut):
    """What NASA's is, and this photo says: at its shoulder."""
    place = 0.25, 0.9
    orange = chroma_of("#e5734a")
    assert np.linalg.norm(true_chroma(data.astronaut(), *place) - orange) < 0.03
    assert nearest(chroma(astronaut.suggest(*place)), orange) < 0.05


def test_of_a_face_colors_of_skin_are_likeliest(astronaut):
    first, *_ = astronaut.suggest(0.45, 0.2)
    assert first.share > 0.3
    assert 20 < hue_degrees(chroma_of(first.color)) < 80


def test_bans_palettes_and_vividness_are_heeded(astronaut):
    place = 0.25, 0.9
    plain = astronaut.suggest(*place)
    assert plain == astronaut.suggest("128px", "460px")
    assert plain == astronaut.suggest(*place, Recipe().at(0.25, 0.9, "blue"))
    assert astronaut.suggest(*place, count=2) == plain[:2]
    allowed = chroma(astronaut.suggest(*place, Recipe().ban("red").ban("gray")))
    assert hue_distance(hue_degrees(allowed), hue_degrees(chroma_of("red"))).min() > 20
    assert np.hypot(*allowed.T).min() > 0.029
    blue = astronaut.suggest(*place, Recipe().towards("blue", 0.9))[0].color
    assert hue_distance(hue_degrees(chroma_of(blue)), hue_degrees(chroma_of("blue"))) < 25
    given = Recipe(Palette(OKLAB, np.eye(OKLAB.count)[BLUE]))
    assert astronaut.suggest(*place, given) != plain
    mean = []
    for vividness in (0, None, 1):
        found = astronaut.suggest(*place, Recipe(vividness=vividness))
        share = np.array([s.share for s in found])
        mean.append(share @ np.hypot(*chroma(found).T) / share.sum())
    assert mean[0] < mean[1] < mean[2]


def test_they_are_of_the_whole_region_at_the_places_own_luma(astronaut, monkeypatch):
    """A region of the left half, where all is red; the right half is blue."""
    encoding = replace(astronaut.encoding, luma=np.full((8, 12), 0.5, np.float32))
    encoding.luma[2, 3] = 0.3
    region = np.zeros((8, 12), np.float32)
    region[:, :6] = 1
    halves = np.zeros((OKLAB.count, 4, 6), np.float32)
    halves[RED, :, :3] = halves[BLUE, :, 3:] = 1

    class Halves:
        def find_likelihoods(self, *_):
            return halves

    monkeypatch.setattr(suggestions, "make_region", lambda *_: region)
    found = suggest(Halves(), encoding, (3.5 / 12, 2.5 / 8), EVEN, 0.5)
    assert np.linalg.norm(chroma_of(found[0].color) - OKLAB.centers[RED]) < 0.02
    assert abs(np.dot([0.299, 0.587, 0.114], ImageColor.getrgb(found[0].color)) - 76.5) < 1.5
    assert nearest(chroma(found), OKLAB.centers[BLUE]) > 0.1
