"""How well a photo is colored. Definitions are pinned here and stated beside every number.

Everything is measured on the final 8-bit RGB. Chroma is CIE Lab a and b.
"""

from dataclasses import dataclass

import numpy as np

from tintype.color import rgb_to_hsv, rgb_to_lab

THRESHOLDS = 151  # ab distances 0, 1, ..., 150: Zhang 2016, section 3.1
CELL = 10  # width of the ab cells whose frequencies rebalance the pixels
_SPAN = 12  # cells on either side of gray
_CELLS = (2 * _SPAN + 1) ** 2
RARE = 1e-5  # floor of a cell's share


@dataclass(frozen=True)
class Score:
    """What one colored photo contributes; sums over photos give the pooled numbers.

    hits: (cells,) per true ab cell, the sum over pixels of the share of thresholds met
    pixels: (cells,) per true ab cell, how many pixels
    psnr: of RGB, dB
    colorfulness, colorfulness_absolute: Hasler and Süsstrunk's, signed and not, from 0
    chroma: mean of Lab's
    rmse: root mean square difference of RGB, 0..1
    hsv: mean absolute difference of HSV, 0..1, hues compared around their circle
    """

    hits: np.ndarray
    pixels: np.ndarray
    psnr: float
    colorfulness: float
    colorfulness_absolute: float
    chroma: float
    rmse: float
    hsv: float


def score(rgb: np.ndarray, truth: np.ndarray) -> Score:
    """Compare a colored photo with its original, both (h, w, 3) uint8 RGB."""
    ab = rgb_to_lab(rgb.astype(np.float32) / 255)[..., 1:]
    true_ab = rgb_to_lab(truth.astype(np.float32) / 255)[..., 1:]
    distance = np.sqrt(((ab - true_ab) ** 2).sum(-1))
    met = np.clip(THRESHOLDS - np.ceil(distance), 0, None) / THRESHOLDS
    cell = _cell(true_ab)
    signed, absolute = colorfulness(rgb)
    return Score(
        hits=np.bincount(cell.ravel(), met.ravel(), _CELLS),
        pixels=np.bincount(cell.ravel(), minlength=_CELLS).astype(np.float64),
        psnr=psnr(rgb, truth),
        colorfulness=signed,
        colorfulness_absolute=absolute,
        chroma=float(np.sqrt((ab**2).sum(-1)).mean()),
        rmse=_rmse(rgb, truth),
        hsv=hsv_l1(rgb, truth),
    )


def auc(scores: list[Score]) -> float:
    """Raw accuracy, percent: area under the curve of pixels within each ab distance, pooled."""
    hits = sum(float(s.hits.sum()) for s in scores)
    return 100 * hits / sum(float(s.pixels.sum()) for s in scores)


def auc_rebalanced(scores: list[Score], share: np.ndarray) -> float:
    """The same with each pixel weighted by 1 / the share of its true ab cell, percent, pooled.

    share: (cells,) as `cell_shares` gives it, over all evaluated originals.
    """
    weight = 1 / np.maximum(share, RARE)
    hits = sum(s.hits for s in scores)
    pixels = sum(s.pixels for s in scores)
    return float(100 * (weight * hits).sum() / (weight * pixels).sum())


def cell_shares(scores: list[Score]) -> np.ndarray:
    """(cells,) share of the originals' pixels in each 10-wide ab cell."""
    pixels = np.sum([s.pixels for s in scores], axis=0)
    return np.asarray(pixels / pixels.sum())


def psnr(rgb: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio of (h, w, 3) uint8 RGB, decibels; 99 where they are equal."""
    error = _rmse(rgb, truth)
    return float(-20 * np.log10(error)) if error else 99.0


def hsv_l1(rgb: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute difference of HSV's three channels, each 0..1, of (h, w, 3) uint8 RGB.

    A reading of the "pixelwise loss" and of the 80 % of gray in Fenu & Bagwell 2016. Hues are
    compared around their circle, so they differ by 0.5 at most; gray has the hue 0.
    """
    one, other = (rgb_to_hsv(photo.astype(np.float32) / 255) for photo in (rgb, truth))
    gap = np.abs(one - other)
    gap[..., 0] = np.minimum(gap[..., 0], 1 - gap[..., 0])
    return float(gap.mean())


def _rmse(rgb: np.ndarray, truth: np.ndarray) -> float:
    error = (rgb.astype(np.float64) - truth.astype(np.float64)) / 255
    return float(np.sqrt((error**2).mean()))


def colorfulness(rgb: np.ndarray) -> tuple[float, float]:
    """Hasler & Suesstrunk 2003, of (h, w, 3) uint8 RGB: as published, and from absolute values.

    The published definition takes red-green and yellow-blue with their signs; much code of the
    field takes their absolute values first, so both are given.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    pair = np.stack([red - green, (red + green) / 2 - blue])

    def spread(opponents: np.ndarray) -> float:
        variance = opponents.var(axis=(1, 2)).sum()
        mean = (opponents.mean(axis=(1, 2)) ** 2).sum()
        return float(np.sqrt(variance) + 0.3 * np.sqrt(mean))

    return spread(pair), spread(np.abs(pair))


def _cell(ab: np.ndarray) -> np.ndarray:
    grid = np.clip(np.floor(ab / CELL + 0.5), -_SPAN, _SPAN).astype(np.int64) + _SPAN
    return grid[..., 0] * (2 * _SPAN + 1) + grid[..., 1]
