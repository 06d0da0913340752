"""Bins, colors and palettes that several tests share."""

import numpy as np
from hypothesis import strategies as st

from tintype.bins import Bins
from tintype.palette import Palette

BINS = Bins()
STEP = 360 / BINS.hues
OTHERS = [
    Bins(16, (0.02, 0.05, 0.1, 0.2, 0.3)),
    Bins(36, (0.02, 0.04, 0.08, 0.12, 0.16, 0.3)),
    Bins(12, (0.05, 0.12, 0.25)),
]
NAMES = ["red", "orange", "#ffe0c0", "green", "teal", "hue:300", "navy", "#ff00ff"]

PALETTE_JSON = {"version": 1, "neutral": 0.5, "colors": [{"color": "teal", "share": 0.5}]}

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


def random_palette(seed):
    return Palette(BINS, np.random.default_rng(seed).random(BINS.count))


@st.composite
def palettes(draw):
    """Palettes of a few colors up to all of them."""
    few = draw(st.integers(1, BINS.count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = np.zeros(BINS.count)
    shares[rng.choice(BINS.count, few, replace=False)] = rng.random(few) ** 3 + 1e-6
    return Palette(BINS, shares)


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
