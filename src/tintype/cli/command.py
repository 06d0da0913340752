"""What all commands do: write nothing that they read, tell people, end on Ctrl-C, name extras.

words ──click──▶ values ──Command──▶ files of `Output` options are none of the `Input` options'
"""

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tintype.errors import TintypeError, escape
from tintype.files import check_folders, check_writes

Values = dict[str, Any]  # what click has parsed, by the parameters' names


class Input(click.Path):
    """What a command reads: a file, a pattern of files, or a folder with some that it reads.

    endings: gives the ends of the names of files that are read in a folder
    path_type: Path, or str for what may be a URL or a pipe too
    """

    def __init__(
        self,
        endings: Callable[[], tuple[str, ...]] = tuple,
        path_type: type[str] | type[Path] = Path,
    ) -> None:
        super().__init__(path_type=path_type)
        self.endings = endings

    def list_files(self, value: str | Path, outputs: list[str]) -> Iterator[str]:
        """Files that are read; of a folder those alone that are also among the outputs."""
        for name in {str(value), *glob.glob(str(value))}:
            if not os.path.isdir(name):
                yield name
                continue
            root = Path(os.path.realpath(name))
            for output in outputs:
                path = Path(os.path.realpath(output))
                inside = root in path.parents and path.name.lower().endswith(self.endings())
                if inside and path.is_file():
                    yield output


class Output(click.Path):
    """What a command writes: a file, or what `names` says of the command's values.

    path_type: as of `Input`
    """

    def __init__(
        self,
        names: Callable[[Values], Iterable[str | Path]] | None = None,
        path_type: type[str] | type[Path] = Path,
    ) -> None:
        super().__init__(path_type=path_type)
        self.names = names

    def list_files(self, value: str | Path | None, values: Values) -> list[str]:
        """All that is written."""
        if self.names is not None:
            return [str(name) for name in self.names(values)]
        return [] if value is None else [str(value)]


class Command(click.Command):
    """A command that is refused where it would write what it reads, or one file twice."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; Ctrl-C ends it with the status 130. Raises click.UsageError."""
        self.check_paths(ctx.params)
        with interruptible():
            return super().invoke(ctx)

    def check_paths(self, values: Values) -> None:
        """Raise click.UsageError where a file would be written that is read, or one twice.

        And where it would lie in what is no folder.
        """
        outputs: list[str] = []
        for option in self.params:
            if isinstance(option.type, Output):
                outputs += option.type.list_files(values[str(option.name)], values)
        try:
            check_writes(outputs, self._list_inputs(values, outputs))
            check_folders(outputs)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    def _list_inputs(self, values: Values, outputs: list[str]) -> Iterator[str]:
        """The files that the command reads."""
        for option in self.params:
            value = values[str(option.name)]
            if isinstance(option.type, Input) and value is not None and outputs:
                several = value if isinstance(value, tuple) else (value,)
                for one in several:
                    yield from option.type.list_files(one, outputs)


def list_in(*names: str) -> Callable[[Values], Iterator[Path]]:
    """Says that the folder `--output` gets these files, and others of those patterns."""

    def list_files(values: Values) -> Iterator[Path]:
        folder: Path = values["output"]
        for name in names:
            yield from folder.glob(name) if "*" in name else [folder / name]

    return list_files


def list_reports(values: Values) -> list[str]:
    """What `evaluate` writes, of a model or of runs."""
    stem = values["output"]
    kinds = ("json", "md", "runs.json", "edits.png", "hints.png")
    return [] if stem is None else [f"{stem}.{kind}" for kind in kinds]


def _name_photos() -> tuple[str, ...]:
    from tintype.batch.folder import PHOTOS

    return (*PHOTOS, ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


def _name_recipes() -> tuple[str, ...]:
    return (*_name_photos(), ".json")


def _name_models() -> tuple[str, ...]:
    return ("model.json", ".onnx", ".safetensors", "log.jsonl")


INPUT = Input()
PHOTO = Input(_name_photos)
URL = Input(_name_photos, str)  # of photos, or a path
TEXT = Input(path_type=str)  # a file's path
RECIPES = Input(_name_recipes)
MODEL_FOLDER = Input(_name_models)
OUTPUT = Output()
BY_REQUEST = Output(lambda _: (), str)  # which `batch.Request` checks


def complain(message: str) -> None:
    """A line for people, on standard error."""
    click.echo(f"tintype: {escape(message)}", err=True)


@contextmanager
def interruptible(goes_on: str = "") -> Iterator[None]:
    """Ctrl-C ends with a line and the status 130, as after the signal itself.

    goes_on: the command that goes on with the rest, if any does
    """
    try:
        yield
    except KeyboardInterrupt:
        rest = f", and {goes_on} goes on with the rest" if goes_on else ""
        complain(f"stopped; what is written is whole{rest}")
        sys.exit(130)


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Say which extra to install where an import needs one."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise TintypeError(
            f"expected the extra [{name}] to be installed, found no {error.name}; "
            f"run: pip install 'tintype[{name}]'"
        ) from None
