"""Groups of colors in a palette: found, moved, resized."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tintype.bins import Bins, chroma_of
from tintype.errors import PaletteError
from tintype.palette import Palette

BINS = Bins()


def of_colors(**shares):
    about = [{"color": c, "share": s} for c, s in shares.items() if c != "neutral"]
    neutral = shares.get("neutral", 0.0)
    return Palette.from_json(BINS, {"version": 1, "colors": about, "neutral": neutral})


def mean_chroma(palette):
    return complex(palette.shares @ palette.bins.centers @ np.array([1, 1j]))


def test_recolor_moves_one_color_and_leaves_the_others():
    before = of_colors(red=0.3, teal=0.3, neutral=0.4)
    still = {"from": "teal", "to": "teal", "scale": 1}
    after = before.recolor([{"from": "red", "to": "blue", "scale": 1}, still])
    expected = of_colors(blue=0.3, teal=0.3, neutral=0.4)
    assert after.shares[0] == pytest.approx(0.4)
    assert after.distance(expected) < 0.01 < before.distance(expected)


def test_recolor_turns_and_multiplies_what_is_near():
    """The pale parts of a color become the pale parts of the other one."""
    pale, deep = BINS.centers[1 + 2], BINS.centers[1 + 2 * 24 + 2]  # one hue, rings 0 and 2
    shares = np.zeros(BINS.count)
    shares[[1 + 2, 1 + 48 + 2]] = 0.5
    change = {"from": hex_at(deep), "to": hex_at(turned_by(deep, 90)), "scale": 1}
    after = Palette(BINS, shares).recolor([change])
    expected = (pale + deep) @ (1, 1j) / 2 * 1j
    assert abs(mean_chroma(after) - expected) < 0.004


def test_recolor_leaves_colors_of_other_hues_where_they_are():
    """A muted blue is near a muted red, and yet no part of it."""
    before = of_colors(**{"#a08c88": 0.5, "#8c94a0": 0.5})
    after = before.recolor([{"from": "#a08c88", "to": "#889a88", "scale": 1}])
    expected = of_colors(**{"#889a88": 0.5, "#8c94a0": 0.5})
    assert after.distance(expected) < 0.006 < before.distance(expected)


def test_recolor_resizes_shares():
    before = of_colors(red=0.25, teal=0.25, neutral=0.5)
    changes = [{"from": c, "to": c, "scale": k} for c, k in (("red", 3), ("teal", 0))]
    after = before.recolor(changes)
    expected = of_colors(red=0.75, neutral=0.5)
    assert after.distance(expected) < 0.01


def test_recolor_of_everything_to_nothing_is_refused():
    with pytest.raises(PaletteError, match="every scale"):
        of_colors(red=1.0).recolor([{"from": "red", "to": "red", "scale": 0}])


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
@settings(max_examples=30)
def test_clusters_are_few_distinct_and_complete(seed, most):
    palette = Palette(BINS, np.random.default_rng(seed).random(BINS.count) ** 8)
    found = palette.clusters(most)
    shares = [share for _, share in found]
    assert 1 <= len(found) <= most
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1 - palette.shares[0])


def test_clusters_of_distinct_colors_are_those_colors():
    found = of_colors(red=0.5, teal=0.3, neutral=0.2).clusters(2)
    for (color, share), (name, wanted) in zip(found, (("red", 0.5), ("teal", 0.3)), strict=True):
        assert np.linalg.norm(chroma_of(color) - chroma_of(name)) < 0.05
        assert share == pytest.approx(wanted)


def hex_at(ab):
    (color, _), *_ = Palette.of_chroma(BINS, ab[None]).colors()
    return color


def turned_by(ab, degrees):
    turned = ab @ (1, 1j) * np.exp(1j * np.radians(degrees))
    return np.array([turned.real, turned.imag], dtype=np.float32)
