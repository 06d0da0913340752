"""A watched folder: what comes into it is colored, once it has arrived."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tintype.batch.folder import Target
from tintype.batch.location import Location
from tintype.batch.manifest import Outcome
from tintype.batch.one_photo import Method, Report, Summary, run_targets
from tintype.batch.request import OutputOptions
from tintype.batch.runner import color_into_folder, leave_out_clashes
from tintype.files import Name, Stamp, stamp


def watch_folder(
    method: Method,
    options: OutputOptions,
    location: Location,
    asked: dict[str, Any],
    *,
    report: Report,
    workers: int = 1,
    inputs: Sequence[Name] = (),
    wait: Callable[[], None],
) -> Summary:
    """Color what comes into a folder, until Ctrl-C.

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

        def work(target: Target) -> Outcome:
            return color_into_folder(method, options, target, location, manifest)

        report(f"watching {path}, coloring into {out}; Ctrl-C ends it")
        try:
            while True:
                listing = location.list_folder()
                told = {*listing.unread, *listing.skipped}
                for line in sorted(told - unread):
                    report(line)
                unread = told
                targets = location.targets(listing.names)
                ready = look.again(targets)
                todo = [t for t in ready if not manifest.done(t, options.files(t))]
                todo = leave_out_clashes(options, location, targets, todo, inputs, tell=tell)
                run_targets(work, todo, tell=tell, workers=workers)
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
