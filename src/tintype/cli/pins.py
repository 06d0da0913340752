"""Options that color things of one photo: pins at places, masks, and what stays gray."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from tintype.cli.command import TEXT
from tintype.errors import PaletteError

if TYPE_CHECKING:
    from tintype.pins import At, Pin

Place = tuple[float | str, float | str]


def parse_place(text: str) -> Place:
    """X,Y as of `pins.At`. Raises PaletteError."""
    from tintype.pins import check_place

    values = [part.strip() for part in text.split(",")]
    try:
        return check_place([v if v.endswith("px") else float(v) for v in values])
    except (PaletteError, ValueError):
        raise PaletteError(
            f"expected X,Y, each 0..1 or pixels as 812px, found {text!r:.80}"
        ) from None


@dataclass(frozen=True)
class PinOptions:
    """What the options of pins say.

    masks: files, and the colors of what is white in them; protects: files
    """

    places: "tuple[At, ...]"
    masks: tuple[tuple[str, str], ...]
    protects: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All that they name."""
        return (*(file for file, _ in self.masks), *self.protects)

    @property
    def choices(self) -> dict[str, object]:
        """What they say, by the options' names; None where nothing is."""
        values = {"--at": self.places, "--mask": self.masks, "--protect": self.protects}
        return {name: value or None for name, value in values.items()}

    def check(self, photos: tuple[str, ...], *, many: bool) -> None:
        """Refuse what is not one photo, by a usage error. many: whether one name holds several."""
        given = [name for name, value in self.choices.items() if value]
        if given and (many or len(photos) > 1):
            found = photos[0] if len(photos) == 1 else f"{len(photos)}"
            raise click.UsageError(
                f"expected one photo with {given[0]}, found {found}; color it alone, or each by "
                "its own --recipe"
            )

    def read(self) -> "tuple[Pin, ...]":
        """As edits of a recipe. Raises PaletteError and PhotoError for files that are no masks."""
        from tintype.pins import Mask, Protect, load_mask

        masks = (Mask(load_mask(file), color) for file, color in self.masks)
        return (*masks, *(Protect(load_mask(file)) for file in self.protects), *self.places)


def add_pin_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that color things of one photo, as one argument `pins`."""

    @wraps(command)
    def call(
        at: tuple[str, ...], mask: tuple[str, ...], protect: tuple[str, ...], **options: Any
    ) -> None:
        try:  # before a photo is read
            pins = PinOptions(tuple(map(_parse_pin, at)), tuple(map(_parse_mask, mask)), protect)
        except PaletteError as error:
            raise click.UsageError(str(error)) from None
        command(pins=pins, **options)

    for option in reversed(_PINS):
        call = option(call)
    return call


_PINS = [
    click.option(
        "--at",
        metavar="X,Y=COLOR[:REACH]",
        multiple=True,
        help="Color the thing there, and no other: shares of width and height, or pixels as 812px; "
        "gray, keep and auto are colors; REACH 0 is a speck, 1 all that is alike. May be repeated.",
    ),
    click.option(
        "--mask",
        metavar="FILE=COLOR",
        multiple=True,
        help="Color what is white in a picture that is laid over the photo. May be repeated.",
    ),
    click.option(
        "--protect",
        type=TEXT,
        metavar="FILE",
        multiple=True,
        help="Keep gray what is white in a picture. May be repeated.",
    ),
]


def _parse_pin(text: str) -> "At":
    """X,Y=COLOR[:REACH]; the color may be hue:DEGREES. Raises PaletteError."""
    from tintype.pins import At

    place, _, said = text.partition("=")
    color, _, reach = said.rpartition(":")
    if not said:
        raise PaletteError(f"expected --at X,Y=COLOR[:REACH], found {text!r:.80}")
    if color in ("", "hue"):
        return At(parse_place(place), said)
    try:
        number = float(reach)
    except ValueError:
        raise PaletteError(f"expected a reach between 0 and 1, found {reach!r:.80}") from None
    return At(parse_place(place), color, number)


def _parse_mask(text: str) -> tuple[str, str]:
    """FILE=COLOR; the file's name may have more of these signs. Raises PaletteError."""
    from tintype.pins import chroma_of_pin

    file, _, color = text.rpartition("=")
    if not file:
        raise PaletteError(f"expected --mask FILE=COLOR, found {text!r:.80}")
    chroma_of_pin(color)
    return file, color
