"""A folder of tiny photos, and a quick method that colors them, for tests of folders.

As a program it colors a folder: python tests/tiny.py FOLDER OUT WORKERS [FUNCTION WHEN COUNT]
"""

import hashlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tintype.batch.folder import Target
from tintype.batch.location import Location
from tintype.batch.request import OutputOptions
from tintype.batch.runner import run_location
from tintype.batch.storage import Storage
from tintype.bins import OKLAB
from tintype.palette import Palette
from tintype.photo import Photo
from tintype.result import Result

ASKED: dict[str, Any] = {"model": "fake", "edits": []}


def draw(path: Path, number: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    """A gray photo, of another brightness for each number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[: size[1], : size[0]]
    Image.fromarray(((3 * x + 2 * y + number) % 250).astype(np.uint8)).save(path)
    return path


class Quick:
    """A method that paints photos in one color, and counts them."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, photo: Photo, _: Target) -> Iterator[tuple[Result, float | None]]:
        self.calls += 1
        chroma = np.full((2, 4, 4), 12, dtype=np.float32)
        palette = Palette.of_chroma(OKLAB, np.full((4, 2), 0.05))
        yield Result(photo, chroma, palette, threads=1), None


def color(
    folder: Path,
    out: Path,
    method: Any = None,
    *,
    asked: dict[str, Any] = ASKED,
    recursive: bool = True,
    workers: int = 1,
    **options: Any,
) -> tuple[int, list[str]]:
    """Color a folder by a quick method: how many photos it was called for, and the failures."""
    method = method or Quick()
    where = locate(folder, out, recursive=recursive)
    summary = run_location(method, OutputOptions(**options), where, asked, workers=workers)
    return method.calls, summary.failures


def locate(source: object, out: object, *, recursive: bool = True) -> Location:
    """Photos and where their results go, each a path or a URL."""
    return Location(Storage.at(str(source)), Storage.at(str(out)), recursive)


def lines(out: Path, status: str | None = None) -> list[dict[str, Any]]:
    """The manifest's lines, or those of a status."""
    every = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return [line for line in every if status is None or line.get("status") == status]


def files(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a tree, by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def die_at(function: str, when: str, count: int) -> None:
    """Kill this process before or after so many calls of a function of `os`."""
    real, calls = getattr(os, function), itertools.count(1)

    def call(*arguments: Any) -> Any:
        last = next(calls) == count
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, function, call)


if __name__ == "__main__":
    if len(sys.argv) > 4:
        die_at(sys.argv[4], sys.argv[5], int(sys.argv[6]))
    print("ready", flush=True)
    _, failed = color(Path(sys.argv[1]), Path(sys.argv[2]), workers=int(sys.argv[3]))
    sys.exit(1 if failed else 0)
