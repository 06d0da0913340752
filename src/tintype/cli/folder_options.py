"""The options of a folder: which photos, how many at a time, and what they have in common."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tintype.archive.folders import Folder

MOST_WORKERS = 4  # of a folder, unless more are asked for: each holds a photo in memory


@dataclass(frozen=True)
class Many:
    """What the options of a folder say.

    workers: how many photos at a time, None for as many as suit
    album: one palette for all; cohesion: 0 each photo's own .. 1 the album's
    interpolate: files of the first photo's palette and of the last one's
    """

    recursive: bool
    workers: int | None
    album: bool = False
    cohesion: float = 0.5
    interpolate: tuple[str, str] | None = None
    watch: bool = False

    def given(self) -> dict[str, object]:
        """What is said of an album, by the options' names; None where nothing is."""
        return {"--album": self.album or None, "--interpolate": self.interpolate}

    def check(self, folder: bool, others: dict[str, object]) -> None:
        """Refuse what does not go with an album, by a usage error.

        others: options that choose palettes otherwise, by name; false where they say nothing
        """
        given = [name for name, value in self.given().items() if value]
        if self.watch and self.interpolate:
            raise click.UsageError(
                "expected a folder that is complete with --interpolate, found --watch; leave it out"
            )
        if given and not folder:
            raise click.UsageError(f"expected a folder with {given[0]}, found photos; name one")
        given += [name for name, value in others.items() if value]
        if (self.album or self.interpolate) and len(given) > 1:
            raise click.UsageError(
                f"expected one choice of palettes, found {' and '.join(given)}; leave one out"
            )

    def folder(self, photos: tuple[str, ...], output: str | None) -> "Folder | None":
        """The folder to colour, None for a list of photos; what makes no sense is a usage error."""
        from tintype.archive.folders import Folder

        found = next((photo for photo in photos if os.path.isdir(photo)), None)
        if found is None:
            for name, value in (("--recursive", self.recursive), ("--watch", self.watch)):
                if value:
                    raise click.UsageError(
                        f"expected a folder with {name}, found {photos[0]}; leave it out"
                    )
            return None
        if len(photos) > 1:
            raise click.UsageError(
                f"expected one folder or a list of photos, found {found} and others; colour one "
                "after the other"
            )
        if output in (None, "-"):
            raise click.UsageError(
                f"expected -o OUT, a folder for the results of {found}; name one"
            )
        walk = self.interpolate is not None
        folder = Folder(Path(found), Path(str(output)), self.recursive, walk)
        try:
            folder.check()
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return folder

    def hands(self, threads: int | None, *, folder: bool) -> tuple[int, int | None]:
        """How many photos at a time, and how many processors for each; None for all.

        threads: how many processors may be used, None for all
        """
        processors = threads or os.cpu_count() or 1
        workers = self.workers or (min(processors, MOST_WORKERS) if folder else 1)
        return workers, threads if workers == 1 else max(1, processors // workers)


def many(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a folder, as one argument `many`."""

    @wraps(command)
    def gathered(
        recursive: bool,
        workers: int | None,
        album: bool,
        cohesion: float | None,
        interpolate: tuple[str, str] | None,
        watch: bool,
        **options: Any,
    ) -> None:
        if cohesion is not None and not album:
            raise click.UsageError("expected --album with --cohesion, found none; add it")
        cohesion = 0.5 if cohesion is None else cohesion
        command(many=Many(recursive, workers, album, cohesion, interpolate, watch), **options)

    for option in reversed(_MANY):
        gathered = option(gathered)
    return gathered


_MANY = [
    click.option("--recursive", is_flag=True, help="Colour the folders in a folder too."),
    click.option(
        "--workers",
        type=click.IntRange(1, 64),
        metavar="N",
        help=f"Photos at a time: in a folder one for each processor, up to {MOST_WORKERS}; else 1.",
    ),
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
        "--interpolate",
        nargs=2,
        metavar="A B",
        help="Palettes (JSON or photos) of a folder's first and last photo, by name; others go "
        "between.",
    ),
    click.option(
        "--watch", is_flag=True, help="Colour what comes into a folder too, until Ctrl-C; status 0."
    ),
]
