"""The plane of chroma, cut into bins, and colors by name."""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from PIL import ImageColor

from tintype.color import (
    Array,
    hsv_to_rgb,
    hue_degrees,
    hue_distance,
    namespace,
    oklab_to_rgb,
    rgb_to_hsv,
    rgb_to_oklab,
)
from tintype.errors import PaletteError


@dataclass(frozen=True)
class Bins:
    """Color bins in a chroma plane: one neutral bin, then rings of hues.

    Bin 0 is neutral; bin 1 + ring * hues + i has chroma `chromas[ring]` and the hue
    i * 360 / hues degrees. Rotating all hues is therefore a roll within each ring. The plane is
    OKLab's a and b, or, of "hsv", the saturation in the direction of HSV's hue.
    """

    hues: int = 24
    chromas: tuple[float, ...] = (0.03, 0.06, 0.10, 0.15, 0.22)
    plane: str = "oklab"

    def __post_init__(self) -> None:
        if self.plane not in ("oklab", "hsv"):
            raise PaletteError(f"expected the plane oklab or hsv, found {self.plane!r}")

    @property
    def count(self) -> int:
        """How many bins there are."""
        return 1 + self.hues * len(self.chromas)

    @cached_property
    def centers(self) -> np.ndarray:
        """(count, 2) float32 chroma of every bin."""
        angle = np.arange(self.hues) * (2 * math.pi / self.hues)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        rings = [chroma * ring for chroma in self.chromas]
        return np.asarray(np.concatenate([np.zeros((1, 2)), *rings]).astype(np.float32))

    @cached_property
    def areas(self) -> np.ndarray:
        """(count,) float32 share of the plane's disc that is nearest to each bin; sums to 1."""
        radii = np.array([0.0, *self.chromas])
        edges = np.append((radii[1:] + radii[:-1]) / 2, 1.5 * radii[-1] - 0.5 * radii[-2])
        rings = np.diff(edges**2)
        areas = np.concatenate([[edges[0] ** 2], np.repeat(rings / self.hues, self.hues)])
        return np.asarray((areas / areas.sum()).astype(np.float32))

    @cached_property
    def hex_colors(self) -> list[str]:
        """Every bin as #rrggbb, at a lightness that can show it."""
        return [hex_at(ab, self.plane) for ab in self.centers]

    def near_hue(self, degrees: float, width: float) -> np.ndarray:
        """(count,) bool: the bins within `width` degrees of a hue; never the neutral one."""
        away = hue_distance(np.arange(self.hues) * (360 / self.hues), degrees)
        return np.append(False, np.tile(away < width, len(self.chromas)))

    def chroma(self, rgb: Array) -> Array:
        """The chroma (..., 2) in the bins' plane of RGB (..., 3), 0..1."""
        if self.plane == "oklab":
            return rgb_to_oklab(rgb)[..., 1:]
        xp, hsv = namespace(rgb), rgb_to_hsv(rgb)
        angle = 2 * math.pi * hsv[..., :1]
        return hsv[..., 1:2] * xp.concatenate([xp.cos(angle), xp.sin(angle)], axis=-1)

    def encode(self, ab: Array) -> tuple[Array, Array]:
        """Share each color among its four nearest bins, linearly in chroma and in hue.

        ab: (..., 2) chroma in the plane. Returns bin indices (..., 4) int64 and weights (..., 4)
        that sum to 1; the mean of the bins' polar coordinates under them is the color itself, up
        to the chroma of the outermost ring.
        """
        xp = namespace(ab)
        chroma = xp.sqrt((ab * ab).sum(-1))
        radii = (0.0, *self.chromas)
        ring = sum(
            xp.clip((chroma - low) / (high - low), 0.0, 1.0)
            for low, high in itertools.pairwise(radii)
        )
        inner = xp.clip(xp.floor(ring), 0, len(self.chromas) - 1)
        hue = xp.arctan2(ab[..., 1], ab[..., 0]) * (self.hues / (2 * math.pi)) % self.hues
        left = xp.floor(hue)
        outward, onward = ring - inner, hue - left
        left = left % self.hues  # float rounding can bring hue to `hues` itself
        right = (left + 1) % self.hues
        base = 1 + (inner - 1) * self.hues
        gray = inner == 0
        indices = [
            xp.where(gray, 0 * left, base + left),
            xp.where(gray, 0 * left, base + right),
            base + self.hues + left,
            base + self.hues + right,
        ]
        weights = [
            (1 - outward) * (1 - onward),
            (1 - outward) * onward,
            outward * (1 - onward),
            outward * onward,
        ]
        whole = xp.stack(indices, axis=-1)
        whole = whole.astype(np.int64) if xp is np else whole.long()
        return whole, xp.stack(weights, axis=-1)

    def rotate(self, shares: Array, degrees: Array) -> Array:
        """Turn the hues of palettes; what is neutral stays.

        shares: (..., count) palettes; degrees: (...) one angle for each, counter-clockwise.
        Angles between two bins share the color linearly between them.
        """
        xp = namespace(shares)
        rings = shares[..., 1:].reshape(*shares.shape[:-1], len(self.chromas), self.hues)
        turn = degrees / (360 / self.hues)
        whole = xp.floor(turn)
        part = (turn - whole)[..., None, None]
        source = xp.arange(self.hues, device=shares.device) - whole[..., None]
        source = (source % self.hues)[..., None, :] + 0 * rings
        source = source.astype(np.int64) if xp is np else source.long()
        near = xp.take_along_axis(rings, source, axis=-1) if xp is np else rings.gather(-1, source)
        turned = (1 - part) * near + part * xp.roll(near, 1, -1)
        return xp.concatenate(
            [shares[..., :1], turned.reshape(*shares.shape[:-1], -1)],
            axis=-1,
        )


OKLAB = Bins()


def chroma_of(color: str, bins: Bins = OKLAB) -> np.ndarray:
    """Chroma (2,) in the bins' plane of a CSS color name, #rrggbb, or hue:DEGREES.

    hue:DEGREES is as in CSS hsl: 0 is red. Raises PaletteError for anything else.
    """
    return _chroma_of_rgb(rgb_of(color), bins)


def rgb_of(color: str) -> tuple[int, ...]:
    """8-bit RGB of a color as `chroma_of` takes it. Raises PaletteError for anything else."""
    text = str(color).strip()  # what comes from JSON may be anything
    try:
        if text.startswith("hue:"):
            text = f"hsl({float(text[4:]) % 360:.3f},100%,50%)"
        rgb = ImageColor.getrgb(text)[:3]
        if min(rgb) < 0 or max(rgb) > 255:
            raise ValueError
        return rgb
    except ValueError:
        raise PaletteError(
            f"expected a CSS color name, #rrggbb or hue:DEGREES, found {color!r:.80}"
        ) from None


@lru_cache(4096)
def _chroma_of_rgb(rgb: tuple[int, ...], bins: Bins) -> np.ndarray:
    chroma = np.asarray(bins.chroma(np.array(rgb) / 255))
    chroma.setflags(write=False)
    return chroma


def hue_of(color: str, bins: Bins = OKLAB) -> float:
    """The hue angle, 0..360 degrees, of a color in the bins' plane.

    Raises PaletteError for black, gray, white.
    """
    if not has_hue(color, bins):
        raise PaletteError(f"expected a color with a hue, found {color!r:.80}, which is gray")
    return float(hue_degrees(chroma_of(color, bins)))


def has_hue(color: str, bins: Bins = OKLAB) -> bool:
    """Whether a color is neither black nor white nor a gray."""
    return float(np.hypot(*chroma_of(color, bins))) >= 0.01


def hex_at(ab: np.ndarray, plane: str) -> str:
    """The sRGB color nearest to middle lightness that has this chroma, or the most of it."""
    if plane == "hsv":
        return to_hex(hsv_to_rgb(np.array([hue_degrees(ab) / 360, np.hypot(*ab), 0.9])))
    light = np.linspace(0.3, 0.97, 68)
    for scale in np.linspace(1.0, 0.0, 41):
        chroma = np.broadcast_to(scale * ab, (len(light), 2))
        rgb = oklab_to_rgb(np.concatenate([light[:, None], chroma], axis=1))
        fits = ((rgb >= 0) & (rgb <= 1)).all(axis=1)
        if fits.any():
            best = np.flatnonzero(fits)[np.abs(light[fits] - 0.68).argmin()]
            return to_hex(rgb[best])
    raise AssertionError("gray is always in gamut")


def to_hex(rgb: np.ndarray) -> str:
    """sRGB (3,), 0..1, cut off outside, as #rrggbb."""
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in np.clip(rgb, 0, 1))
