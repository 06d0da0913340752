"""Options that belong together: a model and its palette, a reference, a folder, a training."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tintype.cli.command import MODEL_FOLDER, TEXT, URL, Output, list_in
from tintype.errors import PaletteError

if TYPE_CHECKING:
    from tintype.batch import Local, Ray
    from tintype.edits import Edit
    from tintype.welsh2002 import Swatch

DATA: dict[str, Any] = {"type": URL, "multiple": True, "metavar": "PATTERN"}
SET: dict[str, Any] = {"multiple": True, "metavar": "FIELD=VALUE"}


@dataclass(frozen=True)
class SteeringOptions:
    """What the steering options say."""

    palette: str | None
    edits: "tuple[Edit, ...]"
    model: Path | None
    threads: int | None


def add_steering_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose and edit a palette, as one argument `steering`."""

    @wraps(command)
    def call(palette: str | None, model: Path | None, threads: int | None, **options: Any) -> None:
        names = ("towards", "shift_hue", "saturation", "ban")
        edits = _edits(*(options.pop(name) for name in names))
        command(steering=SteeringOptions(palette, edits, model, threads), **options)

    for option in reversed(_STEERING):
        call = option(call)
    return call


MODEL = click.option("--model", type=MODEL_FOLDER, help="A model folder, not the bundled one.")
THREADS = click.option("--threads", type=click.IntRange(1), metavar="N", help="Processors to use.")
_STEERING = [
    click.option(
        "--palette",
        type=TEXT,
        metavar="FILE_OR_PHOTO",
        help="Start from a palette's JSON or a photo's colors.",
    ),
    click.option(
        "--towards",
        metavar="COLOR[:AMOUNT]",
        multiple=True,
        help="Turn the colors towards one, or gray; AMOUNT 0..1 is the share that turns, 0.25 by "
        "default.",
    ),
    click.option(
        "--shift-hue",
        type=float,
        metavar="DEGREES",
        help="Turn all hues, red to yellow.",
    ),
    click.option(
        "--saturation",
        type=click.FloatRange(0, 10),
        metavar="X",
        help="Multiply the colors' strength; 0 is gray, 1 no change.",
    ),
    click.option(
        "--ban",
        metavar="COLOR",
        multiple=True,
        help="Allow no hue within 20 degrees of this color's (in OKLab); of gray, nothing neutral.",
    ),
    click.option("--model", type=MODEL_FOLDER, help="A model folder, or a run that `train` left."),
    THREADS,
]


def _edits(
    towards: tuple[str, ...],
    shift_hue: float | None,
    saturation: float | None,
    ban: tuple[str, ...],
) -> "tuple[Edit, ...]":
    """Edits in the order in which they are done; what makes no sense is a usage error."""
    from tintype.bins import OKLAB
    from tintype.edits import Ban, Saturate, ShiftHue, check_edits

    edits: list[Edit] = [_towards(text) for text in towards]
    if shift_hue is not None:
        edits.append(ShiftHue(shift_hue))
    if saturation is not None:
        edits.append(Saturate(saturation))
    edits += [Ban(color) for color in ban]
    try:  # before a photo is read
        check_edits(tuple(edits), OKLAB)
    except PaletteError as error:
        raise click.UsageError(str(error)) from None
    return tuple(edits)


def _towards(text: str) -> "Edit":
    """COLOR[:AMOUNT]; the color may be hue:DEGREES."""
    from tintype.edits import Towards

    color, _, amount = text.rpartition(":")
    if color in ("", "hue"):
        return Towards(text)
    try:
        return Towards(color, float(amount))
    except ValueError:
        raise click.UsageError(f"expected COLOR[:AMOUNT], found {text!r}") from None


@dataclass(frozen=True)
class ReferenceOptions:
    """What the options of a reference photo say.

    photo: its path; None where none is named
    swatches: boxes of the photo and of the reference that belong together
    """

    photo: str | None
    method: str
    swatches: "tuple[Swatch, ...]"

    def check(self, steering: SteeringOptions, others: dict[str, object]) -> None:
        """Refuse what does not go together, by a usage error that names the options.

        others: what the other options of the model say, by name; None where they say nothing
        """
        if self.photo is not None and steering.palette is not None:
            raise click.UsageError("expected --like or --palette, found both; leave one out")
        if self.method == "tintype":
            if self.swatches:
                raise click.UsageError(
                    "expected --method welsh2002 with --swatch, found --method tintype; change it"
                )
            return
        if self.photo is None:
            raise click.UsageError(
                f"expected --like REFERENCE with --method {self.method}, found none; name a photo"
            )
        given = [f"--{edit.KEYS[0].replace('_', '-')}" for edit in steering.edits]
        others = {"--model": steering.model, **others}
        given += [name for name, value in others.items() if value is not None]
        if given:
            raise click.UsageError(
                f"expected no choices of the model with --method {self.method}, "
                f"found {', '.join(dict.fromkeys(given))}; leave them out"
            )


def add_reference_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a reference photo, as one argument `reference`."""

    @wraps(command)
    def call(like: str | None, method: str, swatch: tuple[str, ...], **options: Any) -> None:
        swatches = tuple(_swatch(text) for text in swatch)
        command(reference=ReferenceOptions(like, method, swatches), **options)

    for option in reversed(_REFERENCE):
        call = option(call)
    return call


_REFERENCE = [
    click.option(
        "--like",
        type=TEXT,
        metavar="REFERENCE",
        help="Color like a color photo: by its palette, as --palette does, or as --method says.",
    ),
    click.option(
        "--method",
        type=click.Choice(["tintype", "welsh2002"]),
        default="tintype",
        show_default=True,
        help="The model, or colors from where REFERENCE has the same lightness and texture.",
    ),
    click.option(
        "--swatch",
        metavar="L,T,R,B=L,T,R,B",
        multiple=True,
        help="Take this box of PHOTO from this box of REFERENCE: left, top, right, bottom, 0..1; "
        "or give it a color, such as gray. For welsh2002; may be repeated.",
    ),
]


def _swatch(text: str) -> "Swatch":
    """Two boxes, or a box and a color; anything else is a usage error."""
    from tintype.welsh2002 import Box, Swatch

    def box(words: str) -> Box:
        left, top, right, bottom = map(float, words.split(","))
        return left, top, right, bottom

    try:
        photo, reference = text.split("=")
        named = reference.strip()[:1].isalpha() or reference.strip().startswith("#")
        return Swatch(box(photo), reference.strip() if named else box(reference))
    except (ValueError, PaletteError):
        raise click.UsageError(
            "expected a --swatch LEFT,TOP,RIGHT,BOTTOM=LEFT,TOP,RIGHT,BOTTOM in shares of the "
            "photos, 0..1, left before right, top before bottom, or a color for the second box, "
            f"found {text!r}; correct it"
        ) from None


@dataclass(frozen=True)
class FolderOptions:
    """What the options of a folder say.

    workers: how many photos at a time, None for as many as suit
    album: one palette for all; cohesion: 0 each photo's own .. 1 the album's
    interpolate: files of the first photo's palette and of the last one's
    ray: the address of a cluster, None for this process alone
    """

    recursive: bool
    workers: int | None
    album: bool
    cohesion: float
    interpolate: tuple[str, str] | None
    watch: bool
    ray: str | None

    def album_choices(self) -> dict[str, object]:
        """What is said of an album, by the options' names; None where nothing is."""
        return {"--album": self.album or None, "--interpolate": self.interpolate}

    def check(self, photos: tuple[str, ...], folder: bool, palettes: dict[str, object]) -> None:
        """Refuse what does not go together, by a usage error.

        folder: whether a folder, a tar file or a URL is among the photos
        palettes: options that choose palettes otherwise, by name; false where they say nothing
        """
        if self.ray is not None:
            self._check_ray(self.ray)
        elif not folder:
            for name, value in (("--recursive", self.recursive), ("--watch", self.watch)):
                if value:
                    raise click.UsageError(
                        f"expected a folder with {name}, found {photos[0]}; leave it out"
                    )
        given = [name for name, value in self.album_choices().items() if value]
        if self.watch and self.interpolate:
            raise click.UsageError(
                "expected a folder that is complete with --interpolate, found --watch; leave it out"
            )
        if given and not folder and self.ray is None:
            raise click.UsageError(f"expected a folder with {given[0]}, found photos; name one")
        given += [name for name, value in palettes.items() if value]
        if (self.album or self.interpolate) and len(given) > 1:
            raise click.UsageError(
                f"expected one choice of palettes, found {' and '.join(given)}; leave one out"
            )

    def _check_ray(self, address: str) -> None:
        """Refuse what a cluster cannot do, by a usage error."""
        given = [n for n, value in (("--album", self.album), ("--watch", self.watch)) if value]
        if given:
            raise click.UsageError(f"expected no {given[0]} with --ray, found it; leave one out")
        if address not in ("local", "auto") and os.path.exists(address):
            raise click.UsageError(
                f"expected an address or nothing after --ray, found the path {address}; say --ray "
                "last, or --ray=local"
            )

    def runner(self, threads: int | None) -> "Local | Ray":
        """What runs it. threads: how many processors may be used, None for all."""
        from tintype.batch import Local, Ray

        if self.ray is None:
            return Local(self.workers, threads)
        if threads is not None:
            raise click.UsageError("expected --workers with --ray, found --threads; change it")
        return Ray(self.ray, self.workers)


def add_folder_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a folder, as one argument `folder`."""

    @wraps(command)
    def call(
        recursive: bool,
        workers: int | None,
        album: bool,
        cohesion: float | None,
        interpolate: tuple[str, str] | None,
        watch: bool,
        ray: str | None,
        **options: Any,
    ) -> None:
        if cohesion is not None and not album:
            raise click.UsageError("expected --album with --cohesion, found none; add it")
        cohesion = 0.5 if cohesion is None else cohesion
        folder = FolderOptions(recursive, workers, album, cohesion, interpolate, watch, ray)
        command(folder=folder, **options)

    for option in reversed(_FOLDER):
        call = option(call)
    return call


_FOLDER = [
    click.option("--recursive", is_flag=True, help="Color the folders in a folder too."),
    click.option(
        "--album",
        is_flag=True,
        help="Make a folder's photos look as of one roll: by their mean palette, OUT/album.json.",
    ),
    click.option(
        "--cohesion",
        type=click.FloatRange(0, 1),
        metavar="X",
        help="Of an album: 0 each photo's own palette .. 1 the album's; 0.5 by default.",
    ),
    click.option(
        "--watch", is_flag=True, help="Color what comes into a folder too, until Ctrl-C; status 0."
    ),
    click.option(
        "--interpolate",
        type=TEXT,
        nargs=2,
        metavar="A B",
        help="Palettes (JSON or photos) of a folder's first and last photo, by name; others go "
        "between.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 10_000),
        metavar="N",
        help="Photos at a time: in a folder one for each processor, up to 4, with --ray one for "
        "each of the cluster's; else 1.",
    ),
    click.option(
        "--ray",
        is_flag=False,
        flag_value="local",
        metavar="[ADDRESS]",
        help="Color by a Ray cluster; by default one is started here. Needs tintype[ray].",
    ),
]


def add_training_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run: output, minutes, steps, resume, settings."""
    for option in reversed(_TRAINING):
        command = option(command)
    return command


PHOTOS = DATA | {"help": "Tar files or folders of photos, or a folder of `data pack`."}
RUN = Output(
    list_in(
        "model.safetensors",
        "last.safetensors",
        "vgg16.safetensors",
        "log.jsonl",
        "step-*.png",
    )
)
_TRAINING = [
    click.option("-o", "--output", type=RUN, required=True, help="The run's folder."),
    click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long to train."),
    click.option("--steps", type=click.IntRange(1), help="How many steps to train."),
    click.option("--resume", is_flag=True, help="Go on with the run in the folder."),
    click.option("--set", "settings", **SET, help="Any field of the run or the network."),
]
