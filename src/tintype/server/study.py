"""The visual Turing test that the paper misses (section 5): blind pairs, answers, fooling rates.

    FOLDER/real/NAME.jpg, FOLDER/METHOD/NAME.png, ... ──▶ pairs ──▶ answers.csv ──▶ rates

A person sees two pictures of one photo and says which one is real, or, between two methods, which
is more plausible. Neither addresses nor files tell them apart: names are random and every picture
is encoded anew.
"""

import csv
import math
import random
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image
from pydantic import BaseModel, Field

from tintype.errors import DataError
from tintype.photo import SUFFIXES, read_rgb
from tintype.server.problems import answer_problems
from tintype.server.security import Guard

STATIC = Path(__file__).parent / "static"
REAL = "real"
SIDE = 640  # longest side of a shown picture, pixels
OPEN = 100_000  # trials that wait for an answer, at most
FIELDS = ("time", "participant", "photo", "left", "right", "chosen", "seconds", "milliseconds")


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


class Trial(BaseModel):
    """Two pictures to choose from, under names that tell nothing."""

    id: str
    left: str
    right: str
    question: Literal["real", "plausible"]


class Session(BaseModel):
    """One person's trials, in an order of their own."""

    participant: str
    seconds: float | None = Field(description="For how long a pair is shown; null at leisure.")
    trials: list[Trial]


class Answer(BaseModel):
    """What was chosen."""

    trial: str
    choice: Literal["left", "right"]
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None
    milliseconds: Annotated[float, Field(ge=0, le=1e9)]


class Study:
    """The pairs of a folder, and the answers to them."""

    def __init__(self, folder: Path, answers: Path, seconds: float | None) -> None:
        """seconds: for how long a pair is shown by default; None for at leisure.

        Raises DataError where there is no pair, or answers cannot be written.
        """
        self.pairs, self.answers, self.seconds = pairs(folder), answers, seconds
        if not answers.parent.is_dir():
            raise DataError(f"{answers.parent}: expected a folder for the answers, found none")
        self._pictures: dict[str, tuple[Path, Path]] = {}  # each with the other side's
        self._trials: dict[str, tuple[str, Pair, Trial]] = {}  # not answered yet
        self._lock = threading.Lock()

    def begin(self) -> Session:
        """A new person: all pairs, in a random order, each side by chance."""
        rng, participant = random.SystemRandom(), secrets.token_hex(4)
        trials = []
        for pair in rng.sample(self.pairs, len(self.pairs)):
            if rng.random() < 0.5:
                pair = Pair(pair.photo, pair.right, pair.left)
            name, left, right = (secrets.token_urlsafe(12) for _ in range(3))
            real = REAL in (pair.left.parent.name, pair.right.parent.name)
            question: Literal["real", "plausible"] = "real" if real else "plausible"
            trial = Trial(id=name, left=left, right=right, question=question)
            with self._lock:
                self._pictures |= {left: (pair.left, pair.right), right: (pair.right, pair.left)}
                self._trials[name] = (participant, pair, trial)
                while len(self._trials) > max(OPEN, len(self.pairs)):
                    self._end(next(iter(self._trials)))  # the oldest
            trials.append(trial)
        return Session(participant=participant, seconds=self.seconds, trials=trials)

    def _end(self, name: str) -> tuple[str, Pair]:
        """Take a trial away with its pictures. Raises KeyError."""
        participant, pair, trial = self._trials.pop(name)
        for picture in (trial.left, trial.right):
            del self._pictures[picture]
        return participant, pair

    def picture(self, name: str) -> bytes:
        """A picture, encoded anew and as large as the other side's, so that its file tells nothing.

        Raises KeyError, and PhotoError where it cannot be read.
        """
        mine, other = (Image.fromarray(read_rgb(p, max_side=SIDE)) for p in self._pictures[name])
        side = min(max(mine.size), max(other.size))
        mine.thumbnail((side, side), Image.Resampling.BOX)
        encoded = BytesIO()
        mine.save(encoded, "JPEG", quality=95, subsampling=0)
        return encoded.getvalue()

    def answer(self, answer: Answer) -> None:
        """Append to the file. Raises KeyError for a trial that is none or was answered."""
        with self._lock:
            participant, pair = self._end(answer.trial)
            new = not self.answers.exists()
            with self.answers.open("a", newline="") as file:
                rows = csv.writer(file)
                if new:
                    rows.writerow(FIELDS)
                now = datetime.now(UTC).isoformat(timespec="seconds")
                sides = (pair.left.parent.name, pair.right.parent.name)
                shown = "" if answer.seconds is None else answer.seconds
                last = (answer.choice, shown, round(answer.milliseconds))
                rows.writerow((now, participant, pair.photo, *sides, *last))


def create_app(study: Study, *, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """The study's page and its routes."""
    app = FastAPI(title="Tintype study", docs_url=None, redoc_url=None)
    app.add_middleware(Guard, host=host, token=token)
    answer_problems(app)

    @app.post("/v1/study", status_code=201)
    def begin() -> Session:
        """Begin as a new participant."""
        return study.begin()

    @app.get("/v1/study/pictures/{name}")
    def picture(name: str) -> Response:
        """One side of a trial."""
        try:
            return Response(study.picture(name), media_type="image/jpeg")
        except KeyError:
            raise HTTPException(404, "expected a picture of a trial, found none") from None

    @app.post("/v1/study/answers", status_code=204)
    def answer(answer: Answer) -> None:
        """Say which of the two was chosen."""
        try:
            study.answer(answer)
        except KeyError:
            raise HTTPException(404, "expected a trial without an answer, found none") from None

    @app.get("/")
    def page() -> FileResponse:
        """The page."""
        return FileResponse(STATIC / "study.html")

    app.mount("/", StaticFiles(directory=STATIC))
    return app
