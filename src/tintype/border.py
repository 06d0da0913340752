"""Borders around photos: paper, album pages, stereo cards and film edges, which stay neutral.

    small luma ──find_border──▶ where it is ──fade──▶ chroma, 0 there

A border is made of uniform lines from the edges inwards, of one level on opposite sides. Inside it,
what lines of that level part is looked at again, as in Nagy & Seth 1984 (recursive X-Y cuts): so
the gaps between the photos of a page are found, too.
"""

import numpy as np
from PIL import Image

SPREAD = 12  # of 255, between the 3rd and the 97th percentile of a uniform line's luma
STEP = 10  # between the medians of lines of one level
DARK, LIGHT, PAPER = 80, 150, 225  # a level in between may be a photo's own
DEEP = 2  # lines of opposite sides, at least; one where all four sides have one
CAPTION = 1 / 12  # of the short side: what is narrower on a page is no photo

Lines = np.ndarray  # (count, length) float32 luma, 0..255


def find_neutral(luma: np.ndarray, missing: np.ndarray | None) -> np.ndarray | None:
    """What stays neutral: a photo's border, and what is missing of it: (h, w) bool, or None.

    luma: (h, w) uint8, small; missing: (rows, columns) bool, of any size, as of `Photo`
    """
    border = find_border(luma)
    if missing is None:
        return border
    gone = np.asarray(Image.fromarray(missing).resize(luma.shape[::-1], Image.Resampling.NEAREST))
    return gone if border is None else border | gone


def find_border(luma: np.ndarray) -> np.ndarray | None:
    """Where a photo's border is: (h, w) bool; None without one.

    luma: (h, w) uint8, small, so that grain is averaged
    In 1,826 photos it found 46, all of them borders, or white or black around a cut-out thing.
    """
    lines: Lines = luma.astype(np.float32)
    level = _find_level(lines)
    if level is None:
        return None
    found = np.zeros(lines.shape, bool)
    _cut(lines, found, level, narrow=CAPTION * min(lines.shape))
    return None if bool(np.all(found)) else found


def keep_neutral(chroma: np.ndarray, border: np.ndarray | None) -> np.ndarray:
    """Small chroma (h, w, 2), 0 where all is border; what is partly border is left to `fade`."""
    if border is None:
        return chroma
    high, wide = border.shape[0] // chroma.shape[0], border.shape[1] // chroma.shape[1]
    blocks = border.reshape(chroma.shape[0], high, chroma.shape[1], wide)
    whole = np.asarray(np.all(blocks, axis=(1, 3)))
    return np.where(whole[..., None], np.float32(0), chroma)


def fade(plane: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Cb or Cr of any size (H, W), uint8 centered on 128, 128 in the border."""
    size = plane.shape[1], plane.shape[0]
    mask = Image.fromarray(np.where(border, 255, 0).astype(np.uint8))
    mask = mask.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(Image.composite(Image.new("L", size, 128), Image.fromarray(plane), mask))


def _find_level(lines: Lines) -> float | None:
    """The luma of the border; None without one."""
    sides = [_measure_side(side) for side in (lines, lines[::-1], lines.T, lines.T[::-1])]
    depths, levels = [depth for depth, _ in sides], [level for _, level in sides]
    level = None
    around = min(depths) > 0 and max(levels) - min(levels) <= STEP
    for first, length in ((0, lines.shape[0]), (2, lines.shape[1])):
        one, other = sides[first], sides[first + 1]
        deep = min(one[0], other[0]) >= (1 if around else DEEP)
        some = one[0] + other[0] < 0.9 * length
        if deep and some and abs(one[1] - other[1]) <= STEP:
            level = (one[1] + other[1]) / 2
    if level is None or DARK < level < LIGHT or (DARK < level < PAPER and not around):
        return None
    return level


def _measure_side(lines: Lines) -> tuple[int, float]:
    """How many lines from the first on are uniform and of its level, and this level."""
    uniform, levels = _measure_lines(lines[:1])
    if not uniform[0]:
        return 0, 0.0
    uniform, levels = _measure_lines(lines)
    same = uniform & (np.abs(levels - levels[0]) <= STEP)
    return int(len(same) if same.all() else same.argmin()), float(levels[0])


def _measure_lines(lines: Lines) -> tuple[np.ndarray, np.ndarray]:
    """Which lines (count, length) are uniform, and their levels."""
    ranks = [round(part * (lines.shape[1] - 1)) for part in (0.03, 0.5, 0.97)]
    low, middle, high = np.sort(lines, axis=1)[:, ranks].T.astype(float)  # as np.percentile, but
    return high - low <= SPREAD, middle  # that imports a part of NumPy for 9 ms


def _cut(lines: Lines, found: np.ndarray, level: float, *, narrow: float) -> None:
    """Mark uniform lines of the level in `found`, a view of the same part, and in what they part.

    narrow: what is narrower than this between them is marked, too: captions
    """
    for part, mark in ((lines, found), (lines.T, found.T)):
        uniform, levels = _measure_lines(part)
        border = uniform & (np.abs(levels - level) <= STEP)
        if border.any():
            mark[border] = True
            changes = np.flatnonzero(np.diff(border, prepend=True, append=True))
            for start, end in zip(changes[::2], changes[1::2], strict=True):
                _cut(part[start:end], mark[start:end], level, narrow=narrow)
            return
    if min(lines.shape) < narrow:
        found[:] = True
