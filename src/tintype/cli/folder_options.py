"""The options of a folder: which photos, how many at a time, and what they have in common."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from tintype.cli.paths import TEXT

if TYPE_CHECKING:
    from tintype.batch import Local, Ray


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
        help="Color a folder, a tar file, or a URL of one by a Ray cluster; by default one is "
        "started here. Needs tintype[ray].",
    ),
]
