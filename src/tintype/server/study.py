"""The visual Turing test that the paper misses (section 5): blind pairs, answers, fooling rates.

    FOLDER/real/NAME.jpg, FOLDER/METHOD/NAME.png, ... ──▶ pairs ──▶ answers.csv ──▶ rates

A person sees two pictures of one photo and says which one is real, or, between two methods, which
is more plausible. Neither addresses nor files tell them apart: names are random and every picture
is encoded anew.
"""

import csv
import logging
import random
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field

from tintype.errors import DataError, PhotoError
from tintype.sandbox import Sandbox
from tintype.server.pairs import REAL, Pair, encode_side, pairs
from tintype.server.problems import answer_problems
from tintype.server.schemas import Body
from tintype.server.security import Client, Guard
from tintype.server.work_queue import WorkQueue

STATIC = Path(__file__).parent / "static"
WAITING = 128  # pictures that are waited for, at most; each participant waits for two
SHOWN = 256  # pictures kept as they are shown, of about 0.2 MB
OPEN = 100_000  # trials that wait for an answer, at most
FIELDS = ("time", "participant", "photo", "left", "right", "chosen", "seconds", "milliseconds")


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


class Answer(Body):
    """What was chosen; other fields, of pages that were open before, are not looked at."""

    model_config = ConfigDict(extra="ignore")

    trial: str
    choice: Literal["left", "right"]
    milliseconds: Annotated[float, Field(ge=0, le=1e9)]


class Study:
    """The pairs of a folder, and the answers to them."""

    def __init__(self, folder: Path, answers: Path, seconds: float | None) -> None:
        """seconds: for how long a pair is shown; None for at leisure.

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

    def sides(self, name: str) -> tuple[Path, Path]:
        """The file of a picture, and the other side's. Raises KeyError."""
        return self._pictures[name]

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
                shown = "" if self.seconds is None else self.seconds
                last = (answer.choice, shown, round(answer.milliseconds))
                rows.writerow((now, participant, pair.photo, *sides, *last))


def create_app(study: Study, *, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """The study's page and its routes; pictures are read one at a time, and kept as shown."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        queue, reader = WorkQueue(1, waiting=WAITING, seconds=60), Sandbox()

        @lru_cache(SHOWN)
        def show(mine: Path, other: Path) -> bytes:
            return reader.do(partial(encode_side, mine, other))

        app.state.show = lambda sides, who: queue.do(lambda: show(*sides), who)
        yield
        reader.close()
        queue.close()

    app = FastAPI(title="Tintype study", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(Guard, host=host, token=token)
    answer_problems(app)

    @app.post("/v1/study", status_code=201)
    def begin() -> Session:
        """Begin as a new participant."""
        return study.begin()

    @app.get("/v1/study/pictures/{name}")
    async def picture(name: str, who: Client) -> Response:
        """One side of a trial."""
        try:
            return Response(await app.state.show(study.sides(name), who), media_type="image/jpeg")
        except KeyError:
            raise HTTPException(404, "expected a picture of a trial, found none") from None
        except PhotoError as error:  # which has the path, and so says which of the two is real
            logging.getLogger(__name__).warning("%s", error)
            raise HTTPException(
                422, "expected a pair that can be read, found a broken one"
            ) from None

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
