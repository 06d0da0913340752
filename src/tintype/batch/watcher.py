"""A watched folder: what comes into it is colored, once it has arrived."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tintype.batch.folder import Target
from tintype.batch.location import Location
from tintype.batch.manifest import Outcome, Stamp, stamp
from tintype.batch.one_photo import Method, OutputOptions
from tintype.batch.request import Local, Request
from tintype.batch.runner import choose_method, run_targets
from tintype.batch.summary import Report, Summary, ignore

POLL = 1.5  # seconds between two looks at a watched folder


def watch(
    request: Request,
    *,
    report: Report = ignore,
    wait: Callable[[], None] = lambda: time.sleep(POLL),
) -> Summary:
    """Color what comes into a folder on a disk, or is in it and not done, until Ctrl-C.

    wait: passes the time between two looks. Raises what `colorize` raises.
    """
    found = request.locate()
    if isinstance(found, list) or not found.photos.is_folder() or not found.results.on_disk:
        raise ValueError("expected a folder on a disk to watch, found another place; name one")
    if not isinstance(request.runner, Local) or request.interpolation is not None:
        raise ValueError("expected no Ray and no interpolation to watch with; leave them out")
    workers, _ = request.runner.share(many=True)
    method, asked = choose_method(request, found, report)
    return watch_folder(
        method, request.options, found, asked, workers=workers, report=report, wait=wait
    )


def watch_folder(
    method: Method,
    options: OutputOptions,
    location: Location,
    asked: dict[str, Any],
    *,
    report: Report,
    workers: int = 1,
    wait: Callable[[], None],
) -> Summary:
    """Color what comes into a folder, as `watch` says.

    A photo is taken when it has not changed from one look to the next, as it may still be arriving;
    one that failed is tried again when it changes. Tar files in it are left alone.
    """
    summary, look, unread = Summary(), _Look(), set[str]()
    path, out = location.photos.url, location.results.url

    def tell(outcome: Outcome) -> None:
        summary.count(outcome)
        for line in outcome.lines if outcome.error is None else [outcome.error]:
            report(line)

    asked = asked | options.about()
    with location.open_manifest(asked, take_over=options.overwrite) as manifest:
        report(f"watching {path}, coloring into {out}; Ctrl-C ends it")
        try:
            while True:
                listing = location.list_folder()
                for line in sorted(set(listing.unread) - unread):
                    report(line)
                unread = set(listing.unread)
                ready = look.again(location.targets(listing.names))
                todo = [t for t in ready if not manifest.done(t, options.files(t))]
                run_targets(method, options, todo, tell=tell, workers=workers, manifest=manifest)
                wait()
        except KeyboardInterrupt:
            report(f"{summary.colored} colored into {out}, {len(summary.failures)} failed")
    return summary


@dataclass
class _Look:
    """What a watched folder's photos were like at the last look, and when last in hand."""

    before: dict[str, Stamp] = field(default_factory=dict)
    in_hand: dict[str, Stamp] = field(default_factory=dict)

    def again(self, targets: list[Target]) -> list[Target]:
        """The photos that are as they were at the last look, and not as they were last in hand."""
        before = self.before
        self.before = {t.name: mark for t in targets if (mark := _arrival(t.source)) is not None}
        still = [
            t for t in targets if t.name in before and before[t.name] == self.before.get(t.name)
        ]
        ready = [t for t in still if before[t.name] != self.in_hand.get(t.name)]
        self.in_hand |= {t.name: before[t.name] for t in ready}
        return ready


def _arrival(path: str) -> Stamp | None:
    """What tells whether a file changes; None for one that is empty or gone."""
    try:
        mark = stamp(path)
    except OSError:
        return None
    return mark if mark[0] else None
