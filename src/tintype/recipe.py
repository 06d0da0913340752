"""A recipe: everything that was chosen for a coloring, so that it can be done again."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tintype.bins import Bins, has_hue
from tintype.edits import (
    Ban,
    Boost,
    Edit,
    Recolor,
    Saturate,
    ShiftHue,
    Towards,
    apply_edits,
    read_edit,
)
from tintype.errors import PaletteError, PhotoError, explain_json
from tintype.files import open_whole
from tintype.palette import TOWARDS, Palette
from tintype.pins import MOST_MASKS, MOST_PINS, At, Mask, Pin, Protect, write_mask

if TYPE_CHECKING:
    from tintype.model import Model
    from tintype.photo import Source

MOST_AUTOMATIC = 32  # palettes that a photo keeps; vividness has any number of values
VERSION = 2  # of recipes; in those of version 1 the square of an amount `towards` a color moves


class HasPalette(Protocol):
    """What comes out, a `Result`: with the colors that it has."""

    @property
    def palette(self) -> Palette: ...


class HasPalettes(HasPalette, Protocol):
    """A photo after the encoder, an `Encoded`: with what a recipe may start from."""

    @property
    def alternatives(self) -> list[Palette]: ...

    @property
    def automatic(self) -> dict[tuple[int, float], Palette]: ...

    def uncover(self, result: Any) -> HasPalette:
        """A result without what pins lie over."""
        ...


class Decoder(Protocol):
    """What colors by recipes, a `Colorizer`."""

    @property
    def model(self) -> Model: ...

    def decode(self, encoded: Any, recipe: Recipe) -> HasPalette:
        """An encoded photo, colored."""
        ...


@dataclass(frozen=True)
class Recipe:
    """What to do with a photo; its verbs are those of `Palette`, and return new recipes.

    palette: what to start from, a palette or the JSON of one; None for the estimated one
    alternative: 1..4 starts from that one of the photo's alternatives, 0 from the estimated one
    edits: done to the palette in this order; pins among them color things of the photo
    vividness: 0 (calm) .. 1 (vivid); None for the model's default, calmer where `palette` is given
    model: the fingerprint of the model that it was made with; None before it was used

    Nothing in the coloring is random, so there is no seed beside `alternative`. Raises
    PaletteError for what makes no sense.
    """

    palette: Palette | dict[str, Any] | None = None
    alternative: int = 0
    edits: tuple[Edit, ...] = ()
    vividness: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if self.alternative not in range(5):
            raise PaletteError(f"expected an alternative from 0 to 4, found {self.alternative!r}")
        if self.alternative and self.palette is not None:
            raise PaletteError("expected a palette or an alternative to start from, found both")
        if self.vividness is not None and not 0 <= self.vividness <= 1:
            found = f"{self.vividness!r:.80}"
            raise PaletteError(f"expected a vividness between 0 and 1, found {found}")
        places = sum(isinstance(edit, At) for edit in self.edits)
        masks = len(self.pins) - places
        if places > MOST_PINS or masks > MOST_MASKS:
            raise PaletteError(
                f"expected at most {MOST_PINS} pins and {MOST_MASKS} masks, found {places} and "
                f"{masks}; color the photo in two steps, or join masks"
            )

    def shift_hue(self, degrees: float) -> Recipe:
        """And then `Palette.shift_hue`."""
        return self._add(ShiftHue(degrees))

    def towards(self, color: str, amount: float = TOWARDS) -> Recipe:
        """And then `Palette.towards`."""
        return self._add(Towards(color, amount))

    def saturate(self, factor: float) -> Recipe:
        """And then `Palette.saturate`."""
        return self._add(Saturate(factor))

    def recolor(self, changes: list[dict[str, Any]]) -> Recipe:
        """And then `Palette.recolor`."""
        return self._add(Recolor(changes))

    def boost(self, color: str, share: float) -> Recipe:
        """And then `Palette.boost`."""
        return self._add(Boost(color, share))

    def ban(self, color: str) -> Recipe:
        """And then `Palette.ban`."""
        return self._add(Ban(color))

    def at(self, x: float | str, y: float | str, color: str, reach: float | None = None) -> Recipe:
        """And the thing at a place in a color: see `At`."""
        return self._add(At((x, y), color, reach))

    def mask(self, source: Source, color: str) -> Recipe:
        """And what is white in a picture, stretched over the photo, in a color: see `Mask`.

        source: as of `Colorizer.encode`
        """
        return self._add(Mask(write_mask(source), color))

    def protect(self, source: Source) -> Recipe:
        """And what is white in a picture, stretched over the photo, stays gray."""
        return self._add(Protect(write_mask(source)))

    @property
    def pins(self) -> tuple[Pin, ...]:
        """Those of the edits that color things of the photo and leave the palette alone."""
        return tuple(edit for edit in self.edits if isinstance(edit, Pin))

    @property
    def without_pins(self) -> Recipe:
        """The same for the palette alone."""
        return replace(self, edits=tuple(e for e in self.edits if not isinstance(e, Pin)))

    def start(self, estimate: Palette, alternatives: Sequence[Palette]) -> Palette:
        """The palette that the edits begin with, given a photo's own.

        Raises PaletteError where the recipe's own is none, or there are fewer alternatives.
        """
        if isinstance(self.palette, Palette):
            return self.palette.over(estimate.bins)
        if self.palette is not None:
            return Palette.from_json(estimate.bins, self.palette)
        if self.alternative and not alternatives:
            raise PaletteError("expected a model with alternatives, found one without; leave them")
        if self.alternative > (most := len(alternatives)):
            raise PaletteError(f"expected one of {most} alternatives, found {self.alternative}")
        return alternatives[self.alternative - 1] if self.alternative else estimate

    def apply(self, estimate: Palette, alternatives: Sequence[Palette] = ()) -> Palette:
        """The palette that is asked for, given a photo's own: `start`, and then the edits."""
        return apply_edits(self.start(estimate, alternatives), self.edits)

    def vividness_by(self, model: Model) -> float:
        """The vividness, 0..1, of what comes out."""
        if self.vividness is not None:
            return self.vividness
        return model.vividness if self.palette is None else model.vividness_given

    def locate(self, size: tuple[int, int]) -> Recipe:
        """The same with places as shares, given a photo's pixels: it means them at any size.

        Raises PaletteError for places outside the photo.
        """
        if not self.pins:
            return self
        edits = (replace(e, place=e.locate(size)) if isinstance(e, At) else e for e in self.edits)
        return replace(self, edits=tuple(edits))

    def complete(self, model: Model) -> Recipe:
        """The same with defaults spelled out, to be saved."""
        return replace(self, vividness=self.vividness_by(model), model=model.fingerprint)

    def reached(self, colorizer: Decoder, encoded: HasPalettes, result: HasPalette) -> float | None:
        """How far a result went from the automatic colors to the wanted ones: 1 is all the way.

        1 - d(result, aim) / d(automatic, aim), d the earth mover's distance of palettes; None
        where nothing was asked for.

        What edits reached is measured on the colors that come out without them, as a person sees
        those and not the estimated palette, which is broader than any one result. Bans alone
        leave open what comes instead: their aim is the palette nearest to the result that has
        none of what is banned. Pins are exact, and left out.
        """
        if self.pins:
            plain = self.without_pins
            if plain.palette is None and not plain.edits:
                return None
            return plain.reached(colorizer, encoded, encoded.uncover(result))
        if self.palette is None and not self.edits:
            return None
        automatic = self._find_automatic(colorizer, encoded)
        if self.palette is not None:
            aim = self.apply(encoded.palette)
        elif all(isinstance(edit, Ban) for edit in self.edits):
            wanted = self.apply(encoded.palette, encoded.alternatives)
            aim = result.palette.nearest_without(wanted.forbidden)
        else:
            aim = apply_edits(automatic, tuple(_mean(e, automatic.bins) for e in self.edits))
        whole = automatic.distance(aim)
        return 1 - result.palette.distance(aim) / whole if whole > 1e-6 else 1.0

    def _find_automatic(self, colorizer: Decoder, encoded: HasPalettes) -> Palette:
        """The colors that come out as vivid without palette and edits; decoded once a photo."""
        key = self.alternative, self.vividness_by(colorizer.model)
        found = encoded.automatic.get(key)
        if found is None:
            plain = Recipe(alternative=self.alternative, vividness=key[1])
            found = colorizer.decode(encoded, plain).palette
            if len(encoded.automatic) >= MOST_AUTOMATIC:
                encoded.automatic.clear()
            encoded.automatic[key] = found
        return found

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a recipe's file, whole or not at all. Raises PaletteError."""
        try:
            with open_whole(path, overwrite=overwrite) as file:
                file.write(self.to_json().encode())
        except OSError as error:
            why = error.strerror or error
            raise PaletteError(f"{path}: expected to write a recipe, could not: {why}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recipe:
        """Read a recipe's file, or the recipe in a picture that was colored by it.

        Raises PaletteError where there is none.
        """
        from tintype.formats.decode import find_recipe  # which imports Pillow
        from tintype.sandbox import read_bounded

        try:
            content = Path(path).read_bytes()
            if content.lstrip()[:1] in (b"{", b"["):
                return cls.from_json(content)
            return cls.from_json(read_bounded(content, find_recipe) or content)
        except OSError as error:
            why = error.strerror or error
            raise PaletteError(f"{path}: expected a recipe, found none: {why}") from None
        except (PaletteError, PhotoError) as error:
            raise PaletteError(f"{path}: {error}") from None

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        palette = self.palette
        if isinstance(palette, Palette):
            palette = palette.to_json(fine=True)
        about: dict[str, Any] = {"version": VERSION, "model": self.model, "palette": palette}
        about |= {"alternative": self.alternative, "edits": [e.to_json() for e in self.edits]}
        return json.dumps(about | {"vividness": self.vividness}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes | dict[str, Any]) -> Recipe:
        """Read a recipe of version 1 or 2. Raises PaletteError for anything else."""
        try:
            about = dict(text) if isinstance(text, dict) else json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise PaletteError(f"expected a recipe in JSON, found {explain_json(error)}") from None
        version = about.pop("version", None) if isinstance(about, dict) else None
        if type(version) is not int or not 1 <= version <= VERSION:
            raise PaletteError(
                f'expected a recipe with a "version" of 1 to {VERSION}, found another; a newer '
                "Tintype may read it"
            )
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
                raise PaletteError(f"expected a recipe of {fields}, found {name!r}: {value!r:.80}")
        edits = tuple(map(read_edit, about.get("edits", ())))
        return cls(**about | {"edits": tuple(map(_square, edits)) if version == 1 else edits})

    def _add(self, edit: Edit) -> Recipe:
        return replace(self, edits=(*self.edits, edit))


def _mean(edit: Edit, bins: Bins) -> Edit:
    """What a person means: `towards` asks the model for less, because a photo follows most of it.

    A quarter that moves in the palette is meant as half of the colors that come out; of those that
    become neutral, as a quarter.
    """
    if isinstance(edit, Towards) and has_hue(edit.color, bins):
        return replace(edit, amount=math.sqrt(edit.amount))
    return edit


def _square(edit: Edit) -> Edit:
    """An edit of a recipe of version 1; amounts that make no sense are refused when it is used."""
    if isinstance(edit, Towards) and isinstance(edit.amount, int | float) and 0 <= edit.amount <= 1:
        return replace(edit, amount=float(edit.amount) ** 2)
    return edit
