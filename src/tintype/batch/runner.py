"""A folder from beginning to end: what is left to do, an album's palette, what became of all."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tintype.batch.album import described, mean
from tintype.batch.folder import Folder, Listing, Target
from tintype.batch.job import (
    Color,
    Job,
    as_they_end,
    make_folder,
    progress,
    reason_of,
    run,
    save_text,
)
from tintype.batch.manifest import Manifest, Outcome, Stamp, stamp
from tintype.colorizer import Colorizer
from tintype.errors import FolderError
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS

POLL = 1.5  # seconds between two looks at a watched folder
ALBUM = "album.json"  # an album's palette, in the folder of its results


@dataclass
class Tally:
    """What became of a folder's photos."""

    colored: int = 0
    before: int = 0
    colorful: int = 0
    failures: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> None:
        """Count one photo more."""
        if outcome.error is not None:
            self.failures.append(outcome.error)
            return
        self.colored += 1
        self.colorful += outcome.colorful

    def lines(self, out: str | Path) -> Iterator[str]:
        """The end of a run in words: failures, one a line, then counts."""
        yield from (" ".join(line.splitlines()) for line in sorted(self.failures))
        counts = [f"{self.colored} colored into {out}"]
        counts += [f"{self.colorful} of them had colors already"] if self.colorful else []
        counts += [f"{self.before} were done before"] if self.before else []
        counts += [f"{len(self.failures)} failed"] if self.failures else []
        if self.others:
            kinds = ", ".join(" ".join(k.splitlines()) for k, _ in self.others.most_common(4))
            counts.append(f"{self.others.total()} left alone as no photos ({kinds})")
        yield ", ".join(counts)


class Photos(Protocol):
    """Photos and where their results go: a `Folder`, or what a cluster can reach."""

    @property
    def out(self) -> str | Path: ...
    def listed(self) -> Listing: ...
    def targets(self, names: list[str]) -> list[Target]: ...


def opened(folder: Folder, asked: dict[str, Any], *, take_over: bool) -> Manifest:
    """The manifest of a folder's results. Raises FolderError where it cannot be used."""
    return Manifest(folder.out, folder.path, asked, take_over=take_over)


def run_folder(
    color: Color,
    job: Job,
    folder: Photos,
    asked: dict[str, Any],
    *,
    say: Callable[[str], None],
    workers: int = 1,
    run: Callable[..., None] = run,
    opened: Callable[..., AbstractContextManager[Manifest]] = opened,
) -> list[str]:
    """Color what is new in a folder, or changed, or asked for otherwise than before.

    asked: what decides the colors, as JSON; with the job it decides what is done already
    say: what to do with lines for people. Returns a line for each failure.
    run, opened: color photos as `batch.run` does, and open the folder's manifest
    Raises FolderError where results cannot go there.
    """
    listing = folder.listed()
    targets = folder.targets(listing.names)
    tally = Tally(others=listing.others, failures=listing.unread)
    asked = asked | job.about()
    with opened(folder, asked, take_over=job.overwrite) as manifest:
        todo = [target for target in targets if not manifest.done(target, job.files(target))]
        tally.before = len(targets) - len(todo)
        try:
            run(color, job, todo, tell=tally.count, workers=workers, manifest=manifest)
        finally:  # after Ctrl-C too
            for line in tally.lines(folder.out):
                say(line)
    return tally.failures


def watch_folder(
    color: Color,
    job: Job,
    folder: Folder,
    asked: dict[str, Any],
    *,
    say: Callable[[str], None],
    workers: int = 1,
    wait: Callable[[], None] = lambda: time.sleep(POLL),
) -> None:
    """Color what comes into a folder, or is in it and not done, until Ctrl-C.

    A photo is taken when it has not changed from one look to the next, as it may still be arriving;
    one that failed is tried again when it changes. `asked` and `say` are those of `run_folder`.
    wait: passes the time between two looks
    """
    tally, look, unread = Tally(), _Look(), set[str]()

    def tell(outcome: Outcome) -> None:
        tally.count(outcome)
        for line in outcome.lines if outcome.error is None else [outcome.error]:
            say(line)

    asked = asked | job.about()
    with opened(folder, asked, take_over=job.overwrite) as manifest:
        say(f"watching {folder.path}, coloring into {folder.out}; Ctrl-C ends it")
        try:
            while True:
                listing = folder.listed()
                for line in sorted(set(listing.unread) - unread):
                    say(line)
                unread = set(listing.unread)
                ready = look.again(folder.targets(listing.names))
                todo = [t for t in ready if not manifest.done(t, job.files(t))]
                run(color, job, todo, tell=tell, workers=workers, manifest=manifest)
                wait()
        except KeyboardInterrupt:
            say(f"{tally.colored} colored into {folder.out}, {len(tally.failures)} failed")


@dataclass
class _Look:
    """What a watched folder's photos were like when last seen, and when last taken."""

    seen: dict[str, Stamp] = field(default_factory=dict)
    taken: dict[str, Stamp] = field(default_factory=dict)

    def again(self, targets: list[Target]) -> list[Target]:
        """The photos that are as they were seen last, and not as they were taken last."""
        before = self.seen
        self.seen = {t.name: mark for t in targets if (mark := _arrived(t.source)) is not None}
        still = [t for t in targets if t.name in before and before[t.name] == self.seen.get(t.name)]
        ready = [t for t in still if before[t.name] != self.taken.get(t.name)]
        self.taken |= {t.name: before[t.name] for t in ready}
        return ready


def _arrived(path: str) -> Stamp | None:
    """What tells whether a file changes; None for one that is empty or gone."""
    try:
        mark = stamp(path)
    except OSError:
        return None
    return mark if mark[0] else None


def album_palette(colorizer: Colorizer, folder: Folder, job: Job, *, workers: int) -> Palette:
    """The palette of an album: the one in OUT/album.json, or estimated now and kept there.

    So it stays the same when more photos come, and a person can edit it. Raises PaletteError where
    that file holds no palette, and FolderError where no photo can be read.
    """
    path = folder.out / ALBUM
    if not path.exists():
        most = job.max_pixels or DEFAULT_MAX_PIXELS
        names = [target.source for target in folder.targets(folder.listed().names)]
        palettes, _ = estimated(
            lambda name: colorizer.encode(name, max_pixels=most).palette, names, workers=workers
        )
        if not palettes:
            raise FolderError(
                f"{folder.path}: expected photos for an album, found none that can be read; name "
                "another folder, or put some in first"
            )
        about = {"photos": len(palettes), "model": colorizer.fingerprint}
        make_folder(folder.out)
        save_text(path, json.dumps(described(mean(palettes)) | about, indent=1) + "\n")
    return colorizer.palette(path)  # through the file, so that a later start has the same


def estimated(
    estimate: Callable[[str], Palette], sources: list[str], *, workers: int = 1
) -> tuple[list[Palette], list[str]]:
    """The palettes of photos, in their order, and a line for each that has none.

    estimate: from a path; called by several threads
    """

    def work(source: str) -> tuple[str, Palette | str]:
        try:
            return source, estimate(source)
        except Exception as error:
            return source, reason_of(source, error)

    found: dict[str, Palette | str] = {}
    outcomes = as_they_end(work, sources, workers)
    with progress("estimating", len(sources)) as bar, closing(outcomes):
        for source, palette in outcomes:
            found[source] = palette
            bar.update()
    ordered = [found[source] for source in sources]
    palettes = [palette for palette in ordered if isinstance(palette, Palette)]
    return palettes, [line for line in ordered if isinstance(line, str)]
