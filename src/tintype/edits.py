"""Edits as values, so that recipes can hold them: each is a verb of `Palette`, or a pin."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tintype.bins import Bins
from tintype.errors import PaletteError
from tintype.palette import TOWARDS, Palette
from tintype.pins import At, Mask, Pin, Protect


class _Edit:
    """What all edits have, beside `apply(palette)`, which raises PaletteError.

    `KEYS` are their fields in JSON, the first of which names the edit; `OPTIONAL` may be absent.
    """

    KEYS: ClassVar[tuple[str, ...]]
    OPTIONAL: ClassVar[tuple[str, ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """What `read_edit` reads."""
        return dict(zip(self.KEYS, vars(self).values(), strict=True))


@dataclass(frozen=True)
class Towards(_Edit):
    """As `Palette.towards`: `amount`, 0..1, of all colors gets the hue of `color`."""

    KEYS = ("towards", "amount")
    color: str
    amount: float = TOWARDS

    def apply(self, palette: Palette) -> Palette:
        return palette.towards(self.color, self.amount)


@dataclass(frozen=True)
class ShiftHue(_Edit):
    """As `Palette.shift_hue`."""

    KEYS = ("shift_hue",)
    degrees: float

    def apply(self, palette: Palette) -> Palette:
        return palette.shift_hue(self.degrees)


@dataclass(frozen=True)
class Saturate(_Edit):
    """As `Palette.saturate`."""

    KEYS = ("saturation",)
    factor: float

    def apply(self, palette: Palette) -> Palette:
        return palette.saturate(self.factor)


@dataclass(frozen=True)
class Recolor(_Edit):
    """As `Palette.recolor`."""

    KEYS = ("recolor",)
    changes: list[dict[str, Any]]

    def apply(self, palette: Palette) -> Palette:
        return palette.recolor(self.changes)


@dataclass(frozen=True)
class Boost(_Edit):
    """As `Palette.boost`."""

    KEYS = ("boost", "share")
    color: str
    share: float

    def apply(self, palette: Palette) -> Palette:
        return palette.boost(self.color, self.share)


@dataclass(frozen=True)
class Ban(_Edit):
    """As `Palette.ban`."""

    KEYS = ("ban",)
    color: str

    def apply(self, palette: Palette) -> Palette:
        return palette.ban(self.color)


Edit = Towards | ShiftHue | Saturate | Recolor | Boost | Ban | Pin
EDITS: tuple[type[Edit], ...] = (Towards, ShiftHue, Saturate, Recolor, Boost, Ban)
PINS: tuple[type[Edit], ...] = (At, Mask, Protect)


def read_edit(about: Any) -> Edit:
    """An edit from its JSON, e.g. {"towards": "red", "amount": 0.25}.

    Raises PaletteError for other fields; the values of a palette's edits are looked at when they
    are applied, those of pins at once.
    """
    fields = {*about} if isinstance(about, dict) else {None}
    for kind in (*EDITS, *PINS):
        if {*kind.KEYS} ^ fields <= {*kind.OPTIONAL} - fields:
            values: list[Any] = [about.get(key) for key in kind.KEYS]
            return kind(*values)
    forms = ", ".join(" + ".join(kind.KEYS) for kind in (*EDITS, *PINS))
    raise PaletteError(f"expected an edit ({forms}), found {about!r:.200}")


def apply_edits(palette: Palette, edits: tuple[Edit, ...]) -> Palette:
    """A palette after edits, in their order. Raises PaletteError."""
    for edit in edits:
        try:
            if any(isinstance(value, bool) for value in vars(edit).values()):
                raise TypeError  # though Python counts with them
            palette = edit.apply(palette)
        except (TypeError, OverflowError):
            found = f"{edit.to_json()!r:.200}"
            raise PaletteError(f"expected numbers and colors in an edit, found {found}") from None
    return palette


def check_edits(edits: tuple[Edit, ...], bins: Bins) -> None:
    """Try edits on a palette of all colors, before there is a photo. Raises PaletteError."""
    apply_edits(Palette.of_chroma(bins, bins.centers), edits)
