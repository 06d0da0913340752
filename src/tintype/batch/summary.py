"""What became of many photos, in numbers and in words."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tintype.batch.manifest import Outcome
from tintype.formats.extras import EXTRAS

MOST_NOTES = 50  # that are told at the end of a folder
Report = Callable[[str], None]  # what to do with a line for people


def ignore(_: str) -> None:
    """Tell nobody."""


@dataclass
class Summary:
    """What became of photos.

    colored: how many were colored now; unchanged: how many were done before
    colorful: how many of them had colors already
    failures: a line for each photo that could not be colored, and what could not be looked into
    notes: what people should know of photos that were colored, a line each
    others: how many files of each extension were left alone as no photos
    """

    colored: int = 0
    unchanged: int = 0
    colorful: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> None:
        """Count one photo more."""
        if outcome.error is not None:
            self.failures.append(outcome.error)
            return
        self.colored += 1
        self.notes += outcome.name_notes()
        self.colorful += outcome.colorful

    def lines(self, out: str | Path) -> Iterator[str]:
        """The end of a run in words: failures and notes, one a line, then counts."""
        yield from (" ".join(line.splitlines()) for line in sorted(self.failures))
        yield from sorted(self.notes)[:MOST_NOTES]
        if len(self.notes) > MOST_NOTES:
            yield f"and {len(self.notes) - MOST_NOTES} more notes on photos"
        counts = [f"{self.colored} colored into {out}"]
        counts += [f"{self.colorful} of them had colors already"] if self.colorful else []
        counts += [f"{self.unchanged} were done before"] if self.unchanged else []
        counts += [f"{len(self.failures)} failed"] if self.failures else []
        if self.others:
            few = self.others.most_common(4)
            kinds = ", ".join(f"{count} {' '.join(kind.splitlines())}" for kind, count in few)
            counts.append(f"{self.others.total()} others skipped ({kinds})")
        for extra in sorted({EXTRAS[kind] for kind in self.others if kind in EXTRAS}):
            names = ", ".join(kind for kind in self.others if EXTRAS.get(kind) == extra)
            yield f"{names}: pip install 'tintype[{extra}]' to have such photos colored"
        yield ", ".join(counts)
