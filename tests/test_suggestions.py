"""Suggestions: distinct, ordered by likelihood, shown at the thing's luma, never banned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageColor

from tintype.bins import OKLAB, chroma_of
from tintype.color import hue_degrees, hue_distance
from tintype.palette import Palette
from tintype.suggestions import APART, pick_colors

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


@settings(deadline=None, max_examples=60)
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


def test_what_the_luma_cannot_show_is_shown_as_it_can():
    """A vivid blue at a luma that is too light for it is the palest, lightest one of its hue."""
    (found,) = pick_colors(masses({BLUE: 1.0}), 215, EVEN, 1)
    ab = chroma_of(found.color)
    assert 0.03 < np.hypot(*ab) < 0.12
    assert hue_distance(hue_degrees(ab), 255) < 8
