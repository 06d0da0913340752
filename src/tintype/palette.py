"""Palettes: which colors a photo has, how much of each, and their edits."""

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ImageColor

from tintype.bins import OKLAB, Bins, chroma_of, has_hue, hex_at, hue_of, to_hex
from tintype.color import oklab_to_rgb, rgb_to_oklab, rgb_to_ycbcr, tone_weights
from tintype.emd import earth_mover
from tintype.errors import PaletteError, explain_json
from tintype.palette_json import read_changes, read_colors, read_list, read_tones
from tintype.tones import TONES, TRACE

if TYPE_CHECKING:
    from tintype.photo import Source

TOWARDS = 0.25  # of all colors moves towards one, unless another amount is asked for
SIDE = 128  # pixels, the short side at which a model looks at photos that does not say so
BAN_WIDTH = 20  # degrees of hue on either side of a banned color
ALIKE = 0.03  # OKLab distance under which two colors are one to the eye of a person


@dataclass(frozen=True, eq=False)
class Palette:
    """How much of each color a photo has, or should have. Edits return new palettes.

    shares: (bins.count,) float64, not negative, sums to 1
    banned: hues in degrees of the plane that must not appear, `BAN_WIDTH` degrees to either side
    tones: (3, bins.count) the shares of the shadows, midtones and highlights, each as `shares`; a
        tone that has none, all 0, takes the palette's own; None where they are not told apart
    bans_gray: nothing may be neutral
    """

    bins: Bins
    shares: np.ndarray
    banned: tuple[float, ...] = ()
    tones: np.ndarray | None = None
    bans_gray: bool = False

    def __post_init__(self) -> None:
        shares = _check(self.shares, (self.bins.count,))
        if shares.sum() <= 0:
            raise PaletteError("expected some shares above 0, found none")
        shares = shares / shares.sum()
        object.__setattr__(self, "shares", shares)
        if self.tones is not None:
            parts = _check(self.tones, (len(TONES), self.bins.count))
            whole = parts.sum(axis=1, keepdims=True)
            parts = np.where(whole > 0, parts / np.where(whole > 0, whole, 1), shares)
            object.__setattr__(self, "tones", parts)
        if self.bans_gray and self.forbidden.all():
            raise PaletteError(
                "expected some color to be left, found all banned, and gray; allow one"
            )

    @classmethod
    def of_chroma(cls, bins: Bins, ab: np.ndarray, luma: np.ndarray | None = None) -> "Palette":
        """The palette of chroma (..., 2) in the bins' plane, by tone if luma (...), 0..1, comes."""
        index, weight = bins.encode(np.asarray(ab, dtype=np.float32))

        def count(part: np.ndarray) -> np.ndarray:
            return np.bincount(index.ravel(), (weight * part[..., None]).ravel(), bins.count)

        shares = count(np.ones(weight.shape[:-1]))
        if luma is None:
            return cls(bins, shares)
        parts = [count(part) + TRACE * shares for part in np.moveaxis(tone_weights(luma), -1, 0)]
        return cls(bins, shares, tones=np.stack(parts))

    @classmethod
    def measure(
        cls,
        photo: "Source",
        bins: Bins = OKLAB,
        *,
        side: int = SIDE,
        max_pixels: int | None = None,
    ) -> "Palette":
        """The palette that a color photo has, by tone, over means of 4 x 4 pixels.

        side: pixels, the short side of the model's working size; max_pixels: as of `read`, whose
            default is this one's. Raises PhotoError.
        """
        from tintype.photo import DEFAULT_MAX_PIXELS  # not needed to edit a palette
        from tintype.working_size import read_small

        most = max_pixels or DEFAULT_MAX_PIXELS
        rgb = read_small(photo, side, max_pixels=most).astype(np.float32) / 255
        planes = np.concatenate([bins.chroma(rgb), rgb_to_ycbcr(rgb)[..., :1]], axis=-1)
        high, wide = planes.shape[0] // 4, planes.shape[1] // 4
        planes = planes.reshape(high, 4, wide, 4, 3).mean((1, 3))
        return cls.of_chroma(bins, planes[..., :2], planes[..., 2])

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], bins: Bins = OKLAB, *, side: int = SIDE
    ) -> "Palette":
        """The palette of a palette's file (.json), or of a color photo, as `measure` gives it.

        Raises PaletteError or PhotoError.
        """
        path = Path(path)
        if path.suffix.lower() != ".json":
            return cls.measure(path, bins, side=side)
        try:
            return cls.from_json(bins, path.read_bytes())
        except OSError as error:
            why = error.strerror or error
            raise PaletteError(f"{path}: expected a palette file, found none: {why}") from None
        except PaletteError as error:
            raise PaletteError(f"{path}: {error}") from None

    def over(self, bins: Bins) -> "Palette":
        """The same colors over other bins."""
        return self if self.bins == bins else Palette.from_json(bins, self.to_json(fine=True))

    @property
    def by_tone(self) -> np.ndarray:
        """(3, bins.count) the shares of each tone: the palette's own if they are not told apart."""
        return np.tile(self.shares, (len(TONES), 1)) if self.tones is None else self.tones

    def shift_hue(self, degrees: float) -> "Palette":
        """Turn all hues counter-clockwise in the plane (red -> yellow -> green -> blue)."""
        if not math.isfinite(degrees):
            raise PaletteError(f"expected an angle in degrees, found {degrees:g}")
        return self._each(lambda shares: self.bins.rotate(shares, np.float64(degrees)))

    def towards(self, color: str, amount: float = TOWARDS) -> "Palette":
        """Give a part of every color the hue of `color`, at its own chroma; towards gray, none.

        amount: 0 (nothing) .. 1 (everything), the share that moves; a photo follows the first few
            percent most. Half as much of what is neutral is tinted.
        The paper's "towards red", figures 6 to 8.
        """
        if not 0 <= amount <= 1:
            raise PaletteError(f"expected an amount between 0 and 1, found {amount:g}")
        if not has_hue(color, self.bins):
            gray = np.zeros_like(self.bins.centers)
            return self._each(_make_move(self.bins, gray, float(amount)))
        hue = math.radians(hue_of(color, self.bins))
        chroma = np.linalg.norm(self.bins.centers, axis=1)
        chroma[0] = self.bins.chromas[0]
        aimed = chroma[:, None] * np.array([math.cos(hue), math.sin(hue)])
        part = np.full(self.bins.count, float(amount))
        part[0] /= 2
        return self._each(_make_move(self.bins, aimed, part))

    def saturate(self, factor: float) -> "Palette":
        """Multiply the chroma of every color: 0 is gray, 1 changes nothing."""
        if not 0 <= factor <= 10:
            raise PaletteError(f"expected a saturation between 0 and 10, found {factor:g}")
        scaled = self.bins.centers * factor
        return self._each(_make_move(self.bins, scaled, 1.0))

    def ban(self, color: str) -> "Palette":
        """Forbid gray, or a color's hue, `BAN_WIDTH` degrees to either side; the rest fills in.

        Where there is no rest, all becomes neutral, or, if gray is banned, as pale as can be.
        Raises PaletteError where that leaves no color at all.
        """
        if has_hue(color, self.bins):
            palette = replace(self, banned=(*self.banned, hue_of(color, self.bins)))
        else:
            palette = replace(self, bans_gray=True)
        forbidden = palette.forbidden
        ring = np.arange(self.bins.count) <= (self.bins.hues if forbidden[0] else 0)
        spare = np.where(ring & ~forbidden, 1.0, 0.0)

        def left(shares: np.ndarray) -> np.ndarray:
            rest = np.where(forbidden, 0.0, shares)
            return rest if rest.sum() >= 1e-9 else spare

        return palette._each(left)

    @property
    def is_neutral(self) -> bool:
        """Whether it has no color but neutral, and that is not banned."""
        return not self.bans_gray and bool(self.shares[1:].sum() < 1e-6)

    @property
    def forbidden(self) -> np.ndarray:
        """(bins.count,) bool: the bins that have, in part, a banned hue, and a banned gray's."""
        forbidden = np.zeros(self.bins.count, dtype=bool)
        forbidden[0] = self.bans_gray
        for hue in self.banned:
            forbidden |= self.bins.near_hue(hue, BAN_WIDTH + 180 / self.bins.hues)
        return forbidden

    def nearest_without(self, forbidden: np.ndarray) -> "Palette":
        """The nearest palette that has nothing in some bins (bins.count,) bool."""
        gap = np.linalg.norm(self.bins.centers[:, None] - self.bins.centers[None], axis=-1)
        nearest = np.where(forbidden, np.inf, gap).argmin(axis=1)  # to what is allowed: itself
        return Palette(self.bins, np.bincount(nearest, self.shares, self.bins.count))

    def boost(self, color: str, share: float) -> "Palette":
        """Mix in `share` (0..1) of one color."""
        if not 0 <= share <= 1:
            raise PaletteError(f"expected a share between 0 and 1, found {share:g}")
        return self.blend(Palette.of_chroma(self.bins, chroma_of(color, self.bins)), share)

    def recolor(self, changes: list[dict[str, Any]]) -> "Palette":
        """Move, strengthen and resize groups of colors, all at once.

        changes: {"from": color, "to": color, "scale": number} each. Every color belongs to the
            nearest `from` within 60 degrees of its hue, if any; its hue is turned and its chroma
            multiplied as leads from `from` to `to`, and its share multiplied by `scale`, 0..100.
            From gray goes what is neutral, and becomes `to` itself.
        Raises PaletteError for anything else.
        """
        sources, targets, scales = read_changes(changes, self.bins)
        ab = self.bins.centers @ np.array([1, 1j])
        alike = (ab[:, None] * sources.conj()).real > 0.5 * np.abs(ab[:, None] * sources)
        alike[0] = sources == 0
        gap = np.where(alike, np.abs(ab[:, None] - sources), np.inf)
        nearest, free = gap.argmin(axis=1), ~alike.any(axis=1)
        ratio = np.divide(targets, sources, out=np.zeros_like(sources), where=sources != 0)
        moved = ab * np.where(free, 1.0, ratio[nearest])
        moved[0] = 0 if free[0] else targets[nearest[0]]
        scale = np.where(free, 1.0, scales[nearest])
        if (self.shares * scale).sum() <= 0:
            raise PaletteError("expected some color to be left, found every scale to be 0")
        plane = np.stack([moved.real, moved.imag], axis=-1)
        move = _make_move(self.bins, plane, 1.0)
        return self._each(lambda shares: move(shares * scale))

    def blend(self, other: "Palette", amount: float) -> "Palette":
        """(1 - amount) of this palette and `amount` of another one over the same bins.

        Where only one of them tells tones apart, the other's shares stand for every tone.
        """
        if self.bins != other.bins:
            raise PaletteError("expected a palette over the same bins, found another model's")
        if not 0 <= amount <= 1:
            raise PaletteError(f"expected an amount between 0 and 1, found {amount:g}")

        def mix(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
            return (1 - amount) * mine + amount * theirs

        plain = self.tones is None and other.tones is None
        parts = None if plain else mix(self.by_tone, other.by_tone)
        banned, gray = (*self.banned, *other.banned), self.bans_gray or other.bans_gray
        return Palette(self.bins, mix(self.shares, other.shares), banned, parts, gray)

    def distance(self, other: "Palette") -> float:
        """Earth mover's distance: the mean way, in OKLab chroma, that shares have to go."""
        gap = np.linalg.norm(self.bins.centers[:, None] - other.bins.centers[None], axis=-1)
        if self.bins == other.bins:  # what both have stays where it is, as the gap is a metric
            common = np.minimum(self.shares, other.shares)
            return earth_mover(self.shares - common, other.shares - common, gap)
        return earth_mover(self.shares, other.shares, gap)

    def colors(self, least: float = 0.002) -> list[tuple[str, float]]:
        """The colors as (#rrggbb, share), the largest first; shares below `least` are left out.

        A palette says nothing of lightness: each color is shown at one that can show it.
        """
        order = [k for k in np.argsort(-self.shares) if k and self.shares[k] >= least]
        return [(self.bins.hex_colors[k], float(self.shares[k])) for k in order]

    def clusters(self, most: int = 8) -> list[tuple[str, float]]:
        """The colors that are not neutral, alike ones joined, as (#rrggbb, share), largest first.

        The two whose union blurs least (Ward 1963) become their mean, until at most `most` are
        left and no two are alike: so a small vivid color stays where many pale ones are joined.
        """
        used = np.flatnonzero(self.shares[1:] > 0) + 1
        codes = [ImageColor.getrgb(self.bins.hex_colors[k])[:3] for k in used]
        lab = rgb_to_oklab(np.array(codes, dtype=np.float64).reshape(-1, 3) / 255)
        share = self.shares[used]
        while len(share) > 1:
            gap = np.linalg.norm(lab[:, None, 1:] - lab[None, :, 1:], axis=-1)
            blur = gap**2 * (share[:, None] * share / (share[:, None] + share))
            blur[np.tri(len(share), dtype=bool)] = np.inf  # each pair once, none with itself
            if len(share) <= most:
                blur[gap > ALIKE] = np.inf
            one, other = np.unravel_index(blur.argmin(), blur.shape)
            if not np.isfinite(blur[one, other]):
                break
            both = share[one] + share[other]
            lab[one] = (share[one] * lab[one] + share[other] * lab[other]) / both
            share[one] = both
            lab, share = np.delete(lab, other, axis=0), np.delete(share, other)
        order = np.argsort(-share, kind="stable")
        return [(to_hex(oklab_to_rgb(lab[k])), float(share[k])) for k in order]

    def to_json(self, *, fine: bool = False) -> dict[str, Any]:
        """A description for people, which does not depend on the bins.

        fine: with shares below 0.002, too, down to 0.00005, of which a mean of palettes has many
        """
        least, digits = (0.00005, 6) if fine else (0.002, 4)

        def list_colors(palette: Palette) -> dict[str, Any]:
            colors = [{"color": c, "share": round(s, digits)} for c, s in palette.colors(least)]
            return {"colors": colors, "neutral": round(float(palette.shares[0]), digits)}

        about = {"version": 1, **list_colors(self)}
        if self.tones is not None:
            parts = zip(TONES, self.tones, strict=True)
            about["tones"] = {name: list_colors(Palette(self.bins, part)) for name, part in parts}
        banned = [hex_at(0.1 * _direction(hue), self.bins.plane) for hue in self.banned]
        banned += [self.bins.hex_colors[0]] if self.bans_gray else []
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
                raise PaletteError(
                    f"expected a palette in JSON, found {explain_json(error)}"
                ) from None
        if not isinstance(about, dict) or about.get("version") != 1:
            raise PaletteError('expected a palette with "version": 1, found something else')
        shares = read_colors(about, bins)
        if shares.sum() <= 0:
            raise PaletteError("expected at least one share above 0, found none")
        banned = read_list(about, "banned")
        hues = tuple(hue_of(c, bins) for c in banned if has_hue(c, bins))
        return cls(bins, shares, hues, read_tones(about, bins, TONES), len(hues) < len(banned))

    def _each(self, edit: Callable[[np.ndarray], np.ndarray]) -> "Palette":
        """The same edit done to the shares (count,) and to those of each tone."""
        parts = None if self.tones is None else np.stack([edit(part) for part in self.tones])
        return replace(self, shares=edit(self.shares), tones=parts)


def _check(shares: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Shares as float64. Raises PaletteError for another shape and for what is no share."""
    counted = np.asarray(shares, dtype=np.float64)
    if counted.shape != shape:
        wanted, found = ("x".join(map(str, size)) for size in (shape, counted.shape))
        raise PaletteError(f"expected {wanted} shares of bins, found {found}")
    if not np.isfinite(counted).all() or counted.min() < 0:
        raise PaletteError("expected shares that are finite and not negative, found others")
    return counted


def _make_move(
    bins: Bins, ab: np.ndarray, part: np.ndarray | float
) -> Callable[[np.ndarray], np.ndarray]:
    """What sends `part` of every bin of shares (count,) to the colors `ab` (count, 2)."""
    index, weight = bins.encode(ab)

    def move(shares: np.ndarray) -> np.ndarray:
        going = shares * part
        arrived = np.bincount(index.ravel(), (weight * going[:, None]).ravel(), bins.count)
        return np.asarray(shares - going + arrived)

    return move


def _direction(degrees: float) -> np.ndarray:
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
