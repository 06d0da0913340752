"""A recipe: everything that was chosen for a coloring, so that it can be done again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.bins import Bins
from tintype.errors import PaletteError
from tintype.palette import Palette

if TYPE_CHECKING:
    from tintype.colorizer import Colorizer, Encoded
    from tintype.result import Result

EDITS: dict[str, tuple[str, ...]] = {
    "towards": ("towards", "amount"),
    "shift_hue": ("shift_hue",),
    "saturation": ("saturation",),
    "recolor": ("recolor",),
    "boost": ("boost", "share"),
    "ban": ("ban",),
}  # each edit is an object with just these fields, the first of which names it

_APPLY: dict[str, Callable[..., Palette]] = {
    "towards": Palette.towards,
    "shift_hue": Palette.shift_hue,
    "saturation": Palette.saturate,
    "recolor": Palette.recolor,
    "boost": Palette.boost,
    "ban": Palette.ban,
}


@dataclass(frozen=True)
class Recipe:
    """What to do with a photo.

    palette: a palette's JSON to start from; None for the estimated one
    alternative: 1..4 starts from that one of the photo's alternatives, 0 from the estimated one
    edits: done to the palette in this order, e.g. {"towards": "red", "amount": 0.5}
    vividness: 0..1; None for the model's default, which is calmer where `palette` is given
    model: the fingerprint of the model that it was made with; None before it was used

    Nothing in the coloring is random, so there is no seed beside `alternative`. Raises
    PaletteError for edits that are none.
    """

    palette: dict[str, Any] | None = None
    alternative: int = 0
    edits: tuple[dict[str, Any], ...] = ()
    vividness: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        for edit in self.edits:
            _known(edit)
        if self.alternative not in range(5):
            raise PaletteError(f"expected an alternative from 0 to 4, found {self.alternative!r}")
        if self.alternative and self.palette is not None:
            raise PaletteError("expected a palette or an alternative to start from, found both")

    def start(self, colorizer: Colorizer, encoded: Encoded) -> Palette:
        """The palette that the edits begin with. Raises PaletteError where there is none such."""
        if self.palette is not None:
            return colorizer.palette(self.palette)
        if self.alternative > (most := len(encoded.alternatives)):
            raise PaletteError(f"expected one of {most} alternatives, found {self.alternative}")
        return encoded.alternatives[self.alternative - 1] if self.alternative else encoded.palette

    def decode(
        self, colorizer: Colorizer, encoded: Encoded, start: Palette | None = None
    ) -> Result:
        """Color an encoded photo by this recipe.

        start: what the edits begin with; by default what the recipe says

        What its edits reached is measured on the colors that come out without them, as a person
        sees those and not the estimated palette, which is broader than any one result. Bans alone
        leave open what comes instead: their aim is the palette nearest to the result that has
        none of what is banned.
        """
        begin = self.start(colorizer, encoded) if start is None else start
        vividness = self.vividness_by(colorizer)
        if start is None and not (self.palette or self.alternative or self.edits):
            return colorizer.decode(encoded, vividness=vividness)
        wanted = edited(begin, self.edits)
        result = colorizer.decode(encoded, wanted, vividness=vividness)
        if self.palette is not None:
            return result

        @cache
        def automatic() -> Palette:
            return colorizer.decode(encoded, begin, vividness=vividness).palette

        def aim() -> Palette | None:
            if not self.edits:
                return None
            if all("ban" in edit for edit in self.edits):
                return result.palette.nearest_without(wanted.forbidden)
            return edited(automatic(), _meant(self.edits))

        return replace(result, aim=aim, automatic=automatic)

    def vividness_by(self, colorizer: Colorizer) -> float:
        """The vividness, 0..1, of what `decode` gives."""
        if self.vividness is not None:
            return self.vividness
        return colorizer.vividness if self.palette is None else colorizer.vividness_given

    def complete(self, colorizer: Colorizer) -> Recipe:
        """The same with defaults spelled out, to be saved."""
        vividness = self.vividness_by(colorizer)
        return replace(self, vividness=vividness, model=colorizer.fingerprint)

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        about: dict[str, Any] = {"version": 1, "model": self.model, "palette": self.palette}
        about |= {"alternative": self.alternative, "edits": list(self.edits)}
        return json.dumps(about | {"vividness": self.vividness}, indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe's file. Raises PaletteError where it is none."""
        try:
            return cls.from_json(path.read_bytes())
        except OSError as error:
            why = error.strerror or error
            raise PaletteError(f"{path}: expected a recipe, found none: {why}") from None
        except PaletteError as error:
            raise PaletteError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read a recipe. Raises PaletteError for anything else."""
        try:
            about = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise PaletteError(f"expected a recipe in JSON, found {error}") from None
        if not isinstance(about, dict) or about.pop("version", None) != 1:
            raise PaletteError('expected a recipe with "version": 1, found something else')
        kinds = {
            "palette": (dict, type(None)),
            "alternative": (int,),
            "edits": (list,),
            "vividness": (int, float, type(None)),
            "model": (str, type(None)),
        }
        for name, value in about.items():
            if not isinstance(value, kinds.get(name, ())) or isinstance(value, bool):
                fields = ", ".join(kinds)
                raise PaletteError(f"expected a recipe of {fields}, found {name!r}: {value!r}")
        return cls(**about | {"edits": tuple(about.get("edits", ()))})


def edited(palette: Palette, edits: tuple[dict[str, Any], ...]) -> Palette:
    """A palette after edits, in their order. Raises PaletteError."""
    for edit in edits:
        name = _known(edit)
        try:
            palette = _APPLY[name](palette, *(edit[field] for field in EDITS[name]))
        except (TypeError, OverflowError):
            raise PaletteError(f"expected numbers and colors in an edit, found {edit}") from None
    return palette


def check(edits: tuple[dict[str, Any], ...], bins: Bins) -> None:
    """Try edits on a palette of all colors, before there is a photo. Raises PaletteError."""
    edited(Palette.of_chroma(bins, bins.centers), edits)


def _meant(edits: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """What a person means: `towards` asks the model for less, the square of its amount."""
    return tuple(
        edit | {"amount": edit["amount"] ** 0.5} if "towards" in edit else edit for edit in edits
    )


def _known(edit: Any) -> str:
    for name, fields in EDITS.items():
        if isinstance(edit, dict) and tuple(sorted(edit)) == tuple(sorted(fields)):
            return name
    forms = ", ".join(" + ".join(fields) for fields in EDITS.values())
    raise PaletteError(f"expected an edit ({forms}), found {edit!r}")
