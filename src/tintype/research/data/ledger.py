"""What a pack keeps in its folder to go on after a kill: what was asked, each shard's note.

OUT/.pack/plan.json says what was asked for, OUT/.pack/SHARD.json what a shard holds. A shard's note
is written before the shard gets its name, so a shard that has both is done. OUT/manifest.json comes
last of all.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tintype.errors import DataError
from tintype.files import lock, remove_unfinished, write_whole

MANIFEST, WORK, PLAN = "manifest.json", ".pack", "plan.json"
EXAMPLES = 5  # of photos that are skipped, for each reason


@dataclass
class Tally:
    """Counts of photos.

    classes: those that are packed, by their key's folder
    gray: those without colors, packed or not
    skipped, examples: by reason
    """

    classes: Counter[str] = field(default_factory=Counter)
    gray: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, example: str) -> None:
        """Count a photo that is left out."""
        self.skipped[reason] += 1
        if self.skipped[reason] <= EXAMPLES:
            self.examples.setdefault(reason, []).append(example)

    def add(self, other: "Tally") -> None:
        """Count what another has counted."""
        self.classes.update(other.classes)
        self.gray += other.gray
        self.skipped.update(other.skipped)
        for reason, examples in other.examples.items():
            kept = self.examples.setdefault(reason, [])
            kept += examples[: EXAMPLES - len(kept)]


def read_note(out: Path, name: str) -> dict[str, Any] | None:
    """What a shard holds; None if it has to be made."""
    note = _load(out / WORK / f"{name}.json")
    return note if note is not None and _is_there(out, note) else None


def _is_there(out: Path, note: dict[str, Any]) -> bool:
    path = out / str(note["name"])
    return path.is_file() and path.stat().st_size == int(note["bytes"])


def check(out: Path, asked: dict[str, Any]) -> None:
    """Refuse a folder with other things in it, or with a pack that something else was asked of."""
    begun = _load(out / WORK / PLAN)
    if begun is None and (others := [p.name for p in out.iterdir() if not p.name.startswith(".")]):
        raise DataError(
            f"{out}: expected a new or empty folder, found {min(others)} in it; name another"
        )
    for name, value in (begun or {}).items():
        if asked.get(name, value) != value:
            raise DataError(
                f"{out}: expected to go on with {name} {json.dumps(value)}, "
                f"found {json.dumps(asked[name])}; pack into another folder"
            )


def begin(out: Path, asked: dict[str, Any]) -> None:
    """Keep what is asked of a pack; refuses what `check` does."""
    check(out, asked)
    save(out / WORK / PLAN, asked)


def _load(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None if there is none."""
    try:
        loaded = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        loaded = None
    if not isinstance(loaded, dict):
        raise DataError(f"{path}: expected JSON that a pack has left, found other data; remove it")
    return loaded


def save(path: Path, about: dict[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    write_whole(path, json.dumps(about, indent=1) + "\n")


@contextmanager
def explain_errors(out: Path) -> Iterator[None]:
    """A full disk or missing rights in one line."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{out}: expected to write shards, found: {error.strerror or error}; "
            "mend that and start again to go on"
        ) from None


@contextmanager
def lock_folder(out: Path) -> Iterator[None]:
    """Keep other packs out of the folder; a kill ends that too, and what it left is removed."""
    with (out / WORK / "lock").open("wb") as file:
        if not lock(file):
            raise DataError(f"{out}: expected no other pack, found one at work; wait for its end")
        remove_unfinished((out, out / WORK))
        yield
