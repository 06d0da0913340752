"""What was colored into a folder, a JSON line each, so that a run can go on after a kill.

Three kinds of lines are only ever appended to OUT/manifest.jsonl; a photo's last one counts:

    {"tintype": 1, "folder": ..., "recipe": id, "asked": ...}   a run that asks for something new
    {"status": "begun", "input": ..., "files": [...]}           before a photo's files are written
    {"status": "ok" or "failed", "input": ..., ...}             after that

A file is ours if it was begun, and once it is done, as long as nobody has changed it since. So a
kill between a file and its line costs one photo more, and what others put into OUT stays.
"""

import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tintype.batch.folder import Target
from tintype.errors import FolderError
from tintype.files import Stamp, lock, remove_unfinished, sha256, stamp

NAME = "manifest.jsonl"
VERSION = 1
_HEAD = b'{"tintype": '


@dataclass
class Outcome:
    """What became of a photo.

    lines: what to tell people; notes: what of the photo, without its name
    source: the photo's stamp and the SHA-256 of its bytes, once it was found
    made: the files that were written
    reached: of each result, how much of what was asked for; None where nothing was
    error: one line that says why it failed; None where it did not
    """

    target: Target
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    source: tuple[Stamp, str] | None = None
    made: dict[str, Stamp] = field(default_factory=dict)
    reached: list[float | None] = field(default_factory=list)
    colorful: bool = False
    error: str | None = None
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    """A photo that was colored: from what, and what was asked for."""

    stamp: Stamp
    sha256: str
    recipe: str


@dataclass(slots=True)
class _Record:
    """What lines say.

    owned: our files, relative to OUT; None for a file that may be half-way from begun to done
    begun: the files of photos that were begun and not finished
    """

    folder: str | None = None
    asked: str | None = None
    done: dict[str, _Done] = field(default_factory=dict)
    owned: dict[str, Stamp | None] = field(default_factory=dict)
    begun: dict[str, list[str]] = field(default_factory=dict)

    def add(self, line: dict[str, Any]) -> None:
        """Follow a line. Raises KeyError, TypeError or ValueError where it is none of ours."""
        if "tintype" in line:
            if line["tintype"] != VERSION:
                raise ValueError(f"version {line['tintype']}")
            self.folder, self.asked = _text(line["folder"]), _text(line["recipe"])
            return
        name = _text(line["input"])
        if line["status"] == "begun":
            if not isinstance(line["files"], list):
                raise TypeError("files that are no list")
            self.begun[name] = [_text(file) for file in line["files"]]
            self.owned |= dict.fromkeys(self.begun[name])
            self.done.pop(name, None)  # its files may be another recipe's from here on
            return
        for path in self.begun.pop(name, []):
            self.owned.pop(path, None)
        files = line["files"].items()
        self.owned |= {_text(path): (_whole(size), _whole(when)) for path, (size, when) in files}
        self.done.pop(name, None)
        if line["status"] == "ok":
            made = (_whole(line["bytes"]), _whole(line["mtime_ns"]))
            self.done[name] = _Done(made, _text(line["sha256"]), _text(line["recipe"]))


def _text(value: object) -> str:
    """A text that can be a path. Raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError("no text where one was expected")
    if b"\0" in os.fsencode(value):
        raise ValueError("a path with a zero byte")
    return value


def _whole(value: object) -> int:
    """A whole number. Raises TypeError."""
    if not isinstance(value, int):
        raise TypeError("no whole number where one was expected")
    return value


class Manifest:
    """The manifest of a folder of results, open for one run; safe for several threads."""

    def __init__(
        self,
        out: str | Path,
        folder: str | Path,
        asked: dict[str, Any],
        *,
        take_over: bool = False,
        home: Path | None = None,
        known: dict[str, Stamp] | None = None,
    ) -> None:
        """Open or start it, and mend what a killed run has left.

        asked: what decides the results beside the photo, as JSON
        take_over: go on although the results are of another folder
        home: where it lies while it is open, if not in `out`, which then is on no disk of ours
        known: files that are on no disk of ours, by their targets' paths
        Raises FolderError where it cannot be used: by whom, or why, is said.
        """
        self.out = out
        self._known = {} if known is None else known
        self.model = asked.get("model")
        text = json.dumps(asked, sort_keys=True)
        self.recipe = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._lock = threading.Lock()
        self._kept: dict[str, list[str]] = {}  # of the photos in hand, those of our files
        self._broken: str | None = None
        self._name = os.path.join(out, NAME)  # to people
        path = (Path(out) if home is None else home) / NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise FolderError(
                f"{self._name}: expected to write a manifest, {error.strerror}"
            ) from None
        try:
            _lock_folder(self._file, self.out)
            self._record = self._read()
            begun = self._record.begun.values()
            remove_unfinished(Path(out, path).parent for files in begun for path in files)
            self._start(folder, asked, take_over)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def done(self, target: Target, files: list[str]) -> bool:
        """Whether a photo, unchanged since, was colored as asked, and its files exist.

        A photo of the same size and time is unchanged; one of another time is compared by its
        SHA-256, so that copying or touching an archive colors nothing twice.
        """
        was = self._record.done.get(target.name)
        if was is None or was.recipe != self._recipe_id(target) or not all(map(self.exists, files)):
            return False
        try:
            now = self._stamp(target.source)
            if now == was.stamp:
                return True
            return now[0] == was.stamp[0] and sha256(target.source) == was.sha256
        except OSError:
            return False  # it is read again, and fails with a reason

    def owns(self, path: str) -> bool:
        """Whether a file in OUT is ours to replace: made by us, and not changed since."""
        name = self._relative(path)
        if name not in self._record.owned:
            return False
        made = self._record.owned[name]
        try:
            return made is None or self._stamp(path) == made
        except OSError:  # a link to nowhere, which is not what we made
            return False

    def exists(self, path: str) -> bool:
        """Whether there is a file, or a link to nowhere."""
        return path in self._known or os.path.lexists(path)

    def _stamp(self, path: str) -> Stamp:
        return self._known.get(path) or stamp(path)

    def ours(self, target: Target, files: list[str]) -> list[str]:
        """Take a photo in hand: those of its files that exist and are ours to replace."""
        kept = [path for path in files if self.exists(path) and self.owns(path)]
        self._kept[target.name] = kept
        return kept

    def begin(self, target: Target, files: list[str], *, sync: bool = True) -> None:
        """Say that the files of a photo in hand will be written: they are new, ours or given up.

        sync: wait until the disk has it, as must be before a file is written
        """
        names = [self._relative(path) for path in files]
        self._append({"status": "begun", "input": target.name, "files": names}, sync=sync)

    def finish(self, outcome: Outcome) -> None:
        """Say what became of a photo in hand."""
        target = outcome.target
        kept = [path for path in self._kept.pop(target.name) if self.exists(path)]
        ours = {path: self._stamp(path) for path in kept} | outcome.made
        (size, when), sha = outcome.source or ((None, None), None)
        shares = [None if share is None else round(share, 3) for share in outcome.reached]
        self._append(
            {
                "status": "ok" if outcome.error is None else "failed",
                "input": target.name,
                **{"bytes": size, "mtime_ns": when, "sha256": sha},
                "output": self._relative(target.output),
                "files": {self._relative(path): made for path, made in ours.items()},
                "recipe": self._recipe_id(target),
                "model": self.model,
                "reason": outcome.error,
                "milliseconds": outcome.milliseconds,
                "reached": shares[0] if len(shares) == 1 else shares or None,
                "had_colors": outcome.colorful,
            }
        )

    def _recipe_id(self, target: Target) -> str:
        """The run's recipe, with the photo's place where that decides too."""
        return self.recipe if target.place is None else f"{self.recipe}@{target.place:.6f}"

    def _relative(self, path: str) -> str:
        return Path(os.path.relpath(path, self.out)).as_posix()

    def _read(self) -> _Record:
        """What the lines say; a last one that a kill has torn is cut off."""
        record = _Record()
        self._file.seek(0)
        *lines, torn = self._file.read().split(b"\n")
        if not lines and not torn.startswith(_HEAD[: len(torn)]):
            lines, torn = [torn], b""  # not ours to cut
        for number, line in enumerate(lines, 1):
            try:
                about = json.loads(line)
                if number == 1 and "tintype" not in about:
                    raise ValueError("no head of ours")
                record.add(about)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise FolderError(
                    f"{self._name}: expected a line of a manifest on line {number}, found "
                    f"{line[:40]!r} ({error}); mend it, or color into another folder"
                ) from None
        if torn:
            self._file.truncate(sum(len(line) + 1 for line in lines))
        return record

    def _start(self, folder: str | Path, asked: dict[str, Any], take_over: bool) -> None:
        """Begin a run: with a line, where it is not the one that was begun last."""
        name, before = self._name_folder(folder), self._record.folder
        if before not in (None, name) and not take_over:
            raise FolderError(
                f"{self.out}: expected the results of {folder}, found those of "
                f"{os.path.join(self.out, str(before))}; color into another folder, or say "
                "--overwrite if it is the same one elsewhere"
            )
        if (self._record.folder, self._record.asked) != (name, self.recipe):
            head = {"tintype": VERSION, "folder": name, "recipe": self.recipe, "asked": asked}
            self._append(head)

    def _name_folder(self, folder: str | Path) -> str:
        """The photos' folder as seen from OUT, so that both can move together; or its URL."""
        if any("://" in str(path) for path in (folder, self.out)):
            return str(folder)
        real = (os.path.realpath(folder), os.path.realpath(self.out))
        return Path(os.path.relpath(*real)).as_posix()

    def sync(self) -> None:
        """Wait until the disk has all lines."""
        self._write(b"", sync=True)

    def _append(self, line: dict[str, Any], *, sync: bool = False) -> None:
        """Add a line in one write."""
        self._write((json.dumps(line) + "\n").encode(), sync=sync)
        with self._lock:
            self._record.add(line)

    def _write(self, data: bytes, *, sync: bool) -> None:
        """Write to the file; after a write that failed, nothing can be written."""
        with self._lock:
            if self._broken is None:
                try:
                    if self._file.write(data) < len(data):
                        self._broken = "the disk is full"
                    elif sync:
                        os.fsync(self._file.fileno())
                except OSError as error:
                    self._broken = error.strerror or str(error)
            if self._broken is not None:
                raise FolderError(
                    f"{self._name}: expected to add a line, found: {self._broken}; mend that "
                    "and start again to go on"
                )


def _lock_folder(file: IO[bytes], out: str | Path) -> None:
    """Keep others from coloring into the same folder."""
    try:
        free = lock(file)
    except OSError as error:
        raise FolderError(f"{out}: expected a lockable file system, {error.strerror}") from None
    if not free:
        raise FolderError(
            f"{out}: expected no other run, found one that colors into it; wait for its end"
        )
