"""The distance of palettes is the earth mover's, within a percent."""

import numpy as np
import pytest
from hypothesis import given, settings
from palettes import BINS, OTHERS, palettes, single
from scipy.optimize import linprog
from scipy.sparse import kron
from scipy.stats import wasserstein_distance

from tintype.emd import earth_mover
from tintype.palette import Palette


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
@settings(max_examples=25)
def test_distance_to_itself_is_nothing(palette):
    assert palette.distance(palette) == 0
    assert palette.distance(Palette(BINS, 3 * palette.shares)) == pytest.approx(0, abs=1e-9)


@given(palettes(), palettes())
@settings(max_examples=12)
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


def test_distance_of_edited_photos_is_within_a_percent(photo_palettes):
    for palette in photo_palettes:
        for edited in (palette.shift_hue(2), palette.saturate(0.9), palette.towards("blue", 0.2)):
            true = exact(palette.shares, edited.shares, gaps())
            assert palette.distance(edited) == pytest.approx(true, rel=0.01)


@given(palettes(), palettes(), palettes())
@settings(max_examples=15)
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
