"""Pairs of pictures for a study, a picture as it is shown, and what a file of answers says."""

import csv
import math
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations
from pathlib import Path

from PIL import Image

from tintype.errors import DataError
from tintype.photo import SUFFIXES, read_rgb

REAL = "real"
SIDE = 640  # longest side of a shown picture, pixels


@dataclass(frozen=True)
class Pair:
    """One photo by two methods, or by one and as it really was."""

    photo: str
    left: Path
    right: Path


@dataclass(frozen=True)
class Rate:
    """How often `method` was chosen against `other`, with a 95 % interval.

    seconds: for how long pairs were shown; "" for at leisure
    """

    method: str
    other: str
    seconds: str
    chosen: int
    shown: int

    @property
    def share(self) -> float:
        """0..1."""
        return self.chosen / self.shown

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 1927, for 95 %."""
        z, n, p = 1.959964, self.shown, self.share
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        what = "fooled" if self.other == REAL else f"preferred to {self.other}"
        how = f"{self.chosen} of {self.shown}, " + (
            f"{self.seconds} s" if self.seconds else "at leisure"
        )
        return f"{self.method}: {what} {self.share:.1%} (95 %: {low:.1%} to {high:.1%}; {how})"


def pairs(folder: Path) -> list[Pair]:
    """Every photo that the real folder and a method have, or two methods where none is real.

    Raises DataError where there is no pair.
    """
    methods = {p.name: p for p in sorted(folder.iterdir()) if p.is_dir()} if folder.is_dir() else {}
    found = []
    for one, other in combinations(sorted(methods, key=lambda name: (name != REAL, name)), 2):
        if REAL in methods and one != REAL:
            continue
        first, second = (_photos(methods[name]) for name in (one, other))
        found += [Pair(n, first[n], second[n]) for n in sorted(first.keys() & second.keys())]
    if not found:
        raise DataError(
            f"{folder}: expected folders {REAL}/ and METHOD/ (or two METHOD/) with photos of the "
            "same names, found no pair"
        )
    return found


def _photos(folder: Path) -> dict[str, Path]:
    """By name; NAME.color.EXT, as `colorize` writes it, counts as NAME."""
    files = (file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES)
    return {file.stem.removesuffix(".color"): file for file in files}


def encode_side(mine: Path, other: Path) -> bytes:
    """A picture as JPEG, encoded anew and as large as the other side's: its file tells nothing.

    Raises PhotoError where one of the two cannot be read.
    """
    shown, beside = (Image.fromarray(read_rgb(path, max_side=SIDE)) for path in (mine, other))
    side = min(max(shown.size), max(beside.size))
    shown.thumbnail((side, side), Image.Resampling.BOX)
    encoded = BytesIO()
    shown.save(encoded, "JPEG", quality=95, subsampling=0)
    return encoded.getvalue()


def rates(answers: Path) -> list[Rate]:
    """What a file of answers says. Raises DataError where it is none or empty."""
    try:
        with answers.open(newline="") as file:
            rows = list(csv.DictReader(file))
        counts: dict[tuple[str, str, str], list[bool]] = {}
        for row in rows:
            sides = sorted((row["left"], row["right"]), key=lambda name: (name == REAL, name))
            method, other = sides
            shown = (method, other, row["seconds"])
            counts.setdefault(shown, []).append(row[row["chosen"]] == method)
    except OSError as error:
        raise DataError(f"{answers}: expected answers, found none: {error.strerror}") from None
    except (KeyError, TypeError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{answers}: expected answers of a study, found {error!r}") from None
    return [Rate(*names, sum(chosen), len(chosen)) for names, chosen in sorted(counts.items())]
