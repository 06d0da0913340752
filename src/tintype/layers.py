"""Layers: colors of one hue over parts of a photo, laid over what the palette gives.

    color ──tint──▶ chroma by luma ─┐
    region, 0..1 ───────────────────┴──▶ Layer ──lay──▶ chroma

Where a layer's shares are 0, nothing changes. The hue is the same everywhere, to the end of the
gamut; the chroma, too, but for shadows, which have less, as of shaded things.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from tintype.color import luma as measure_luma
from tintype.color import oklab_of_luma, oklab_to_rgb, rgb_to_ycbcr, srgb_to_linear

SHADE = 0.7  # share of the lightness under which chroma falls with it
HALVINGS = 12  # of the chroma that is looked for: to 1/4096
CUBE = 1e-4  # how far colors may be outside the RGB cube


@dataclass(frozen=True, eq=False)
class Layer:
    """Colors over parts of a photo.

    shares: (n, h, w) float32, 0..1, how much of the photo has each color; sums of at most 1
    tints: (n, 256, 2) float32 Cb and Cr of each color, by 8-bit luma; centered on 0, 0..255 units
    places: x and y, 0..1, of n pins, each of which has its color alone; none for masks
    levels: the luma, 0..255, of the photo's pixels there
    fine: the shares have edges of their own; False for those that the luma's edges shall guide
    """

    shares: np.ndarray
    tints: np.ndarray
    places: tuple[tuple[float, float], ...] = ()
    levels: tuple[int, ...] = ()
    fine: bool = False

    def pin_down(self, shares: np.ndarray) -> np.ndarray:
        """Larger shares (n, h, w), its own, in which every place has its own color alone."""
        for number, spot in enumerate(self._spots(shares.shape[1:])):
            shares[:, *spot] = 0
            shares[number, *spot] = 1
        return shares

    def lay(self, chroma: np.ndarray, shares: np.ndarray, luma: np.ndarray) -> np.ndarray:
        """It over larger chroma (2, h, w), where its places have exactly their colors.

        shares: (n, h, w), what `pin_down` gives, as large; luma: (h, w) uint8
        """
        luma = luma.copy()
        for spot, level in zip(self._spots(luma.shape), self.levels, strict=True):
            luma[spot] = level
        return lay(chroma, shares, self.tints, luma)

    def _spots(self, size: tuple[int, ...]) -> list[tuple[slice, slice]]:
        """The 3 x 3 pixels at each place, of which a pixel of the photo may be mixed."""
        cells = (find_cell(place, size) for place in self.places)
        return [(slice(max(0, y - 1), y + 2), slice(max(0, x - 1), x + 2)) for y, x in cells]

    def cover(self, chroma: np.ndarray, luma: np.ndarray) -> np.ndarray:
        """`lay` it over small chroma, as it is shown small."""
        size = luma.shape[::-1]
        images = (
            Image.fromarray(share).resize(size, Image.Resampling.BOX) for share in self.shares
        )
        return lay(chroma, np.stack([np.asarray(i) for i in images]), self.tints, luma)


def find_cell(place: tuple[float, float], size: tuple[int, ...]) -> tuple[int, int]:
    """The row and the column, in a plane (h, w), of a place's x and y, 0..1."""
    (x, y), (high, wide) = place, size
    return min(high - 1, int(y * high)), min(wide - 1, int(x * wide))


def lay(chroma: np.ndarray, shares: np.ndarray, tints: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """Chroma (2, h, w) under a layer's shares (n, h, w), of the same size; luma: (h, w) uint8."""
    result = np.asarray(chroma * (1 - shares.sum(0)), np.float32)
    for share, tint in zip(shares, tints, strict=True):
        box = _find_box(share)
        for plane, shade in zip(result, np.ascontiguousarray(tint.T), strict=True):
            plane[box] += share[box] * shade.take(luma[box], mode="clip")
    return result


def _find_box(share: np.ndarray) -> tuple[slice, slice]:
    """The rows and the columns of a plane (h, w) outside of which there is nothing."""
    used = (np.flatnonzero(share.any(axis)) for axis in (1, 0))
    rows, columns = (slice(i[0], i[-1] + 1) if len(i) else slice(0) for i in used)
    return rows, columns


def tint(ab: np.ndarray, level: float) -> np.ndarray:
    """One color at every luma: (256, 2) float32 Cb and Cr, centered on 0, 0..255 units, in gamut.

    ab: (2,) OKLab chroma, of which it has as much as the gamut holds of the hue
    level: the luma, 0..255, of the thing in light; in shadow OKLab's a and b of a matte thing fall
        with L, and so they do here
    """
    return _tint(float(ab[0]), float(ab[1]), float(level))


@lru_cache(256)
def _tint(a: float, b: float, level: float) -> np.ndarray:
    ab = np.array([a, b])
    if not ab.any():
        return np.zeros((256, 2), np.float32)
    y = np.arange(256) / 255
    light = np.cbrt(srgb_to_linear(y))
    own = np.cbrt(srgb_to_linear(np.array(max(level, 1.0) / 255)))
    wanted = ab * np.clip(light / (SHADE * own), 0, 1)[:, None]
    rgb = fit_chroma(y, wanted)
    planes = 255 * rgb_to_ycbcr(rgb)[:, 1:].astype(np.float32)
    planes.setflags(write=False)
    return np.asarray(planes)


def fit_chroma(y: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """RGB (n, 3), 0..1, of luma (n,) and as much of OKLab chroma (n, 2) as the cube holds."""
    low, high = np.zeros(len(y)), np.ones(len(y))
    for scale in (high, *[None] * HALVINGS):
        middle = (low + high) / 2 if scale is None else scale
        rgb = oklab_to_rgb(oklab_of_luma(y, middle[:, None] * ab))
        fits = ((rgb >= -CUBE) & (rgb <= 1 + CUBE)).all(1) & (np.abs(measure_luma(rgb) - y) < 1e-3)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.asarray(oklab_to_rgb(oklab_of_luma(y, low[:, None] * ab)).clip(0, 1))
