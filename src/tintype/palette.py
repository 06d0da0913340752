"""Bins and palettes: which colours a photo has, and how much of each."""

import itertools
import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import ImageColor

from tintype.color import (
    Array,
    hsv_to_rgb,
    hue_degrees,
    namespace,
    oklab_to_rgb,
    rgb_to_hsv,
    rgb_to_oklab,
)
from tintype.errors import PaletteError

BAN_WIDTH = 20  # degrees of hue on either side of a banned colour


@dataclass(frozen=True)
class Bins:
    """Colour bins in a chroma plane: one neutral bin, then rings of hues.

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
        return [_hex(ab, self.plane) for ab in self.centers]

    def near_hue(self, degrees: float, width: float) -> np.ndarray:
        """(count,) bool: the bins within `width` degrees of a hue; never the neutral one."""
        away = np.abs((np.arange(self.hues) * (360 / self.hues) - degrees + 180) % 360 - 180)
        return np.append(False, np.tile(away < width, len(self.chromas)))

    def chroma(self, rgb: Array) -> Array:
        """The chroma (..., 2) in the bins' plane of RGB (..., 3), 0..1."""
        if self.plane == "oklab":
            return rgb_to_oklab(rgb)[..., 1:]
        xp, hsv = namespace(rgb), rgb_to_hsv(rgb)
        angle = 2 * math.pi * hsv[..., :1]
        return hsv[..., 1:2] * xp.concatenate([xp.cos(angle), xp.sin(angle)], axis=-1)

    def encode(self, ab: Array) -> tuple[Array, Array]:
        """Share each colour among its four nearest bins, linearly in chroma and in hue.

        ab: (..., 2) chroma in the plane. Returns bin indices (..., 4) int64 and weights (..., 4)
        that sum to 1; the mean of the bins' polar coordinates under them is the colour itself, up
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
        Angles between two bins share the colour linearly between them.
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


@dataclass(frozen=True, eq=False)
class Palette:
    """How much of each colour a photo has, or should have. Edits return new palettes.

    shares: (bins.count,) float64, not negative, sums to 1
    banned: hues in degrees of the plane that must not appear, `BAN_WIDTH` degrees to either side
    """

    bins: Bins
    shares: np.ndarray
    banned: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        shares = np.asarray(self.shares, dtype=np.float64)
        if shares.shape != (self.bins.count,):
            found = "x".join(map(str, shares.shape))
            raise PaletteError(f"expected {self.bins.count} shares of bins, found {found}")
        if not np.isfinite(shares).all() or shares.min() < 0 or shares.sum() <= 0:
            raise PaletteError("expected shares that are not negative and not all 0, found others")
        object.__setattr__(self, "shares", shares / shares.sum())

    @classmethod
    def of_chroma(cls, bins: Bins, ab: np.ndarray) -> "Palette":
        """The palette of chroma (..., 2) in the bins' plane."""
        index, weight = bins.encode(np.asarray(ab, dtype=np.float32))
        return cls(bins, np.bincount(index.ravel(), weight.ravel(), bins.count))

    def shift_hue(self, degrees: float) -> "Palette":
        """Turn all hues counter-clockwise in the plane (red -> yellow -> green -> blue)."""
        if not math.isfinite(degrees):
            raise PaletteError(f"expected an angle in degrees, found {degrees:g}")
        turned = self.bins.rotate(self.shares, np.float64(degrees))
        return replace(self, shares=turned)

    def towards(self, color: str, amount: float = 0.5) -> "Palette":
        """Give a part of every colour the hue of `color`, at its own chroma.

        amount: 0 (nothing) .. 1 (everything); its square is the share that moves, because a photo
            follows the first few percent most. Half as much of what is neutral is tinted.
        Raises PaletteError for a color without a hue. The paper's "towards red", figures 6 to 8.
        """
        if not 0 <= amount <= 1:
            raise PaletteError(f"expected an amount between 0 and 1, found {amount:g}")
        hue = math.radians(hue_of(color, self.bins))
        chroma = np.linalg.norm(self.bins.centers, axis=1)
        chroma[0] = self.bins.chromas[0]
        aimed = chroma[:, None] * np.array([math.cos(hue), math.sin(hue)])
        part = np.full(self.bins.count, float(amount) ** 2)
        part[0] /= 2
        return replace(self, shares=self._moved(aimed, part))

    def saturate(self, factor: float) -> "Palette":
        """Multiply the chroma of every colour: 0 is gray, 1 changes nothing."""
        if not 0 <= factor <= 10:
            raise PaletteError(f"expected a saturation between 0 and 10, found {factor:g}")
        return replace(self, shares=self._moved(self.bins.centers * factor, 1.0))

    def ban(self, color: str) -> "Palette":
        """Forbid the hue of `color`, `BAN_WIDTH` degrees to either side; the rest fills in."""
        hue = hue_of(color, self.bins)
        near = self.bins.near_hue(hue, BAN_WIDTH + 180 / self.bins.hues)
        left = np.where(near, 0.0, self.shares)
        if left.sum() < 1e-9:
            left = np.eye(1, self.bins.count)[0]
        return replace(self, shares=left, banned=(*self.banned, hue))

    def boost(self, color: str, share: float) -> "Palette":
        """Mix in `share` (0..1) of one colour."""
        if not 0 <= share <= 1:
            raise PaletteError(f"expected a share between 0 and 1, found {share:g}")
        return self.blend(Palette.of_chroma(self.bins, chroma_of(color, self.bins)), share)

    def blend(self, other: "Palette", amount: float) -> "Palette":
        """(1 - amount) of this palette and `amount` of another one over the same bins."""
        if self.bins != other.bins:
            raise PaletteError("expected a palette over the same bins, found another model's")
        if not 0 <= amount <= 1:
            raise PaletteError(f"expected an amount between 0 and 1, found {amount:g}")
        shares = (1 - amount) * self.shares + amount * other.shares
        return replace(self, shares=shares, banned=(*self.banned, *other.banned))

    def distance(self, other: "Palette") -> float:
        """Earth mover's distance: the mean way, in OKLab chroma, that shares have to go."""
        gap = np.linalg.norm(self.bins.centers[:, None] - other.bins.centers[None], axis=-1)
        if self.bins == other.bins:  # what both have stays where it is, as the gap is a metric
            common = np.minimum(self.shares, other.shares)
            return earth_mover(self.shares - common, other.shares - common, gap)
        return earth_mover(self.shares, other.shares, gap)

    def colors(self, least: float = 0.002) -> list[tuple[str, float]]:
        """The colours as (#rrggbb, share), the largest first; shares below `least` are left out.

        A palette says nothing of lightness: each colour is shown at one that can show it.
        """
        order = [k for k in np.argsort(-self.shares) if k and self.shares[k] >= least]
        return [(self.bins.hex_colors[k], float(self.shares[k])) for k in order]

    def to_json(self) -> dict[str, Any]:
        """A description for people, which does not depend on the bins."""
        colors = [{"color": c, "share": round(share, 4)} for c, share in self.colors()]
        about = {"version": 1, "colors": colors, "neutral": round(float(self.shares[0]), 4)}
        banned = [_hex(0.1 * _direction(hue), self.bins.plane) for hue in self.banned]
        return {**about, "banned": banned} if banned else about

    @classmethod
    def from_json(cls, bins: Bins, text: str | bytes | dict[str, Any]) -> "Palette":
        """Read what `to_json` wrote or a person did; shares are scaled to sum to 1.

        Raises PaletteError for anything else.
        """
        about = text
        if not isinstance(about, dict):
            try:
                about = json.loads(about)
            except (ValueError, TypeError, RecursionError) as error:
                raise PaletteError(f"expected a palette in JSON, found {error}") from None
        if not isinstance(about, dict) or about.get("version") != 1:
            raise PaletteError('expected a palette with "version": 1, found something else')
        shares = np.zeros(bins.count)
        shares[0] = _share(about.get("neutral", 0.0), "neutral")
        for entry in _list(about, "colors"):
            if not isinstance(entry, dict) or not isinstance(entry.get("color"), str):
                raise PaletteError('expected {"color": "#rrggbb", "share": number}, found others')
            index, weight = bins.encode(chroma_of(entry["color"], bins))
            np.add.at(shares, index, weight * _share(entry.get("share"), entry["color"].strip()))
        if shares.sum() <= 0:
            raise PaletteError("expected at least one share above 0, found none")
        return cls(bins, shares, tuple(hue_of(c, bins) for c in _list(about, "banned")))

    def _moved(self, ab: np.ndarray, part: np.ndarray | float) -> np.ndarray:
        """Shares after `part` of every bin went to the colours `ab` (count, 2)."""
        going = self.shares * part
        index, weight = self.bins.encode(ab)
        arrived = np.bincount(index.ravel(), (weight * going[:, None]).ravel(), self.bins.count)
        return np.asarray(self.shares - going + arrived)


OKLAB = Bins()


def chroma_of(color: str, bins: Bins = OKLAB) -> np.ndarray:
    """Chroma (2,) in the bins' plane of a CSS colour name, #rrggbb, or hue:DEGREES.

    hue:DEGREES is as in CSS hsl: 0 is red. Raises PaletteError for anything else.
    """
    text = str(color).strip()  # what comes from JSON may be anything
    try:
        if text.startswith("hue:"):
            text = f"hsl({float(text[4:]) % 360:.3f},100%,50%)"
        rgb = ImageColor.getrgb(text)[:3]
        if min(rgb) < 0 or max(rgb) > 255:
            raise ValueError
    except ValueError:
        raise PaletteError(
            f"expected a CSS colour name, #rrggbb or hue:DEGREES, found {color!r}"
        ) from None
    return np.asarray(bins.chroma(np.array(rgb) / 255))


def hue_of(color: str, bins: Bins = OKLAB) -> float:
    """The hue angle, 0..360 degrees, of a colour in the bins' plane.

    Raises PaletteError for black, gray, white.
    """
    ab = chroma_of(color, bins)
    if np.hypot(*ab) < 0.01:
        raise PaletteError(f"expected a colour with a hue, found {color!r}, which is gray")
    return float(hue_degrees(ab))


def earth_mover(here: np.ndarray, there: np.ndarray, gap: np.ndarray) -> float:
    """Earth mover's distance (Rubner et al. 2000) of two histograms of equal mass.

    here: (n,), there: (m,), gap: (n, m) distances. Solved by Sinkhorn's iterations (Cuturi 2013)
    with a falling temperature, and made a true lower bound by a last exact step in the dual: the
    result is within about one percent below the exact one.
    """
    mine, theirs = here > 1e-6, there > 1e-6
    if not mine.any() or not theirs.any():
        return 0.0
    p, q, cost = here[mine], there[theirs], gap[np.ix_(mine, theirs)]
    q = q * (p.sum() / q.sum())
    u, v = np.zeros(len(p)), np.zeros(len(q))
    for heat in np.geomspace(0.1, 5e-4, 12):
        for _ in range(20):
            u = heat * (np.log(p) - _log_sum_exp((v - cost) / heat))
            v = heat * (np.log(q) - _log_sum_exp((u[:, None] - cost).T / heat))
    u = (cost - (cost - u[:, None]).min(axis=0)).min(axis=1)
    v = (cost - u[:, None]).min(axis=0)
    return max(0.0, float(u @ p + v @ q))


def _log_sum_exp(x: np.ndarray) -> np.ndarray:
    top = x.max(axis=1)
    return np.asarray(top + np.log(np.exp(x - top[:, None]).sum(axis=1)))


def _direction(degrees: float) -> np.ndarray:
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


def _hex(ab: np.ndarray, plane: str) -> str:
    """The sRGB colour nearest to middle lightness that has this chroma, or the most of it."""
    if plane == "hsv":
        return _code(hsv_to_rgb(np.array([hue_degrees(ab) / 360, np.hypot(*ab), 0.9])))
    light = np.linspace(0.3, 0.97, 68)
    for scale in np.linspace(1.0, 0.0, 41):
        chroma = np.broadcast_to(scale * ab, (len(light), 2))
        rgb = oklab_to_rgb(np.concatenate([light[:, None], chroma], axis=1))
        fits = ((rgb >= 0) & (rgb <= 1)).all(axis=1)
        if fits.any():
            best = np.flatnonzero(fits)[np.abs(light[fits] - 0.68).argmin()]
            return _code(rgb[best])
    raise AssertionError("gray is always in gamut")


def _code(rgb: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)


def _share(value: Any, name: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value <= 1e9:  # so that no sum of shares overflows
        raise PaletteError(f"expected a share of 0 to 1e9 for {name}, found {value!r}")
    return float(value)


def _list(about: dict[str, Any], name: str) -> list[Any]:
    value = about.get(name, [])
    if not isinstance(value, list):
        raise PaletteError(f'expected a list for "{name}", found {value!r}')
    return value
