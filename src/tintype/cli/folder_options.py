"""The options of a folder: which photos, how many at a time, and what they have in common."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tintype.cli.shell import extra

if TYPE_CHECKING:
    from tintype.batch.folder import Folder
    from tintype.batch.store import Elsewhere

MOST_WORKERS = 4  # of a folder, unless more are asked for: each holds a photo in memory


@dataclass(frozen=True)
class Many:
    """What the options of a folder say.

    workers: how many photos at a time, None for as many as suit
    album: one palette for all; cohesion: 0 each photo's own .. 1 the album's
    interpolate: files of the first photo's palette and of the last one's
    ray: the address of a cluster, None for this process alone
    """

    recursive: bool
    workers: int | None
    album: bool = False
    cohesion: float = 0.5
    interpolate: tuple[str, str] | None = None
    watch: bool = False
    ray: str | None = None

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

    def folder(self, photos: tuple[str, ...], output: str | None) -> "Folder | Elsewhere | None":
        """The folder to color, None for a list of photos; what makes no sense is a usage error."""
        from tintype.batch.folder import Folder

        if self.ray is not None:
            return self._elsewhere(photos, output, self.ray)
        found = next((photo for photo in photos if os.path.isdir(photo)), None)
        if found is None:
            for name, value in (("--recursive", self.recursive), ("--watch", self.watch)):
                if value:
                    raise click.UsageError(
                        f"expected a folder with {name}, found {photos[0]}; leave it out"
                    )
            if url := next((photo for photo in photos if "://" in photo), None):
                raise click.UsageError(f"expected --ray with a URL, found {url} alone; add it")
            return None
        out = _one_folder(photos, output)
        walk = self.interpolate is not None
        folder = Folder(Path(found), Path(out), self.recursive, walk)
        try:
            folder.check()
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return folder

    def _elsewhere(self, photos: tuple[str, ...], output: str | None, address: str) -> "Elsewhere":
        """What a cluster is to color; what makes no sense is a usage error."""
        given = [n for n, value in (("--album", self.album), ("--watch", self.watch)) if value]
        if given:
            raise click.UsageError(f"expected no {given[0]} with --ray, found it; leave one out")
        if address not in ("local", "auto") and os.path.exists(address):
            raise click.UsageError(
                f"expected an address or nothing after --ray, found the path {address}; say --ray "
                "last, or --ray=local"
            )
        out = _one_folder(photos, output)
        with extra("ray"):
            if find_spec("ray") is None:  # which is imported later
                raise ModuleNotFoundError(name="ray")
            from tintype.batch.store import Elsewhere, Shelf
        walk = self.interpolate is not None
        found = Elsewhere(Shelf.at(photos[0]), Shelf.at(out), self.recursive, walk)
        try:
            found.check()
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return found

    def hands(self, threads: int | None, *, folder: bool) -> tuple[int, int | None]:
        """How many photos at a time, and how many processors for each; None for all.

        threads: how many processors may be used, None for all
        With a cluster it is one for each photo, and 0 photos for as many as it has processors.
        """
        if self.ray is not None:
            if threads is not None:
                raise click.UsageError("expected --workers with --ray, found --threads; change it")
            return self.workers or 0, 1
        processors = threads or os.cpu_count() or 1
        workers = self.workers or (min(processors, MOST_WORKERS) if folder else 1)
        return workers, threads if workers == 1 else max(1, processors // workers)


def _one_folder(photos: tuple[str, ...], output: str | None) -> str:
    """Where the results of one folder go; several, or nowhere, is a usage error."""
    if len(photos) > 1:
        raise click.UsageError(
            f"expected one folder or a list of photos, found {' and '.join(photos[:2])}; color "
            "one after the other"
        )
    if output in (None, "-"):
        raise click.UsageError(
            f"expected -o OUT, a folder for the results of {photos[0]}; name one"
        )
    return str(output)


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
        ray: str | None,
        **options: Any,
    ) -> None:
        if cohesion is not None and not album:
            raise click.UsageError("expected --album with --cohesion, found none; add it")
        cohesion = 0.5 if cohesion is None else cohesion
        many = Many(recursive, workers, album, cohesion, interpolate, watch, ray)
        command(many=many, **options)

    for option in reversed(_MANY):
        gathered = option(gathered)
    return gathered


_MANY = [
    click.option("--recursive", is_flag=True, help="Color the folders in a folder too."),
    click.option(
        "--workers",
        type=click.IntRange(1, 10_000),
        metavar="N",
        help=f"Photos at a time: in a folder one for each processor, up to {MOST_WORKERS}, with "
        "--ray one for each of the cluster's; else 1.",
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
        "--watch", is_flag=True, help="Color what comes into a folder too, until Ctrl-C; status 0."
    ),
    click.option(
        "--ray",
        is_flag=False,
        flag_value="local",
        metavar="[ADDRESS]",
        help="Color a folder, a tar file, or a URL of one, into a folder or a URL by a Ray "
        "cluster; by default one is started here. Needs tintype[ray].",
    ),
]
