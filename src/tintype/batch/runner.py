"""A folder from beginning to end: what is left to do, who does it, what became of all.

Location ──list──▶ manifest: what is left ──▶ run_targets or run_begun ──▶ Summary
"""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from tintype.batch.folder import Target
from tintype.batch.location import Location, explain_store, make_scratch
from tintype.batch.manifest import Manifest, Outcome
from tintype.batch.one_photo import (
    Method,
    Report,
    Summary,
    claim,
    colorize_photo,
    ignore,
    judge,
    run_targets,
)
from tintype.batch.request import OutputOptions
from tintype.batch.storage import ByteRange, Storage
from tintype.files import Name, find_clashes, remove_unfinished
from tintype.parallel import map_unordered, progress_bar

Run = Callable[..., None]  # colors a location's targets, as `run_here` does


def run_location(
    method: Method,
    options: OutputOptions,
    location: Location,
    asked: dict[str, Any],
    *,
    report: Report = ignore,
    workers: int = 1,
    inputs: Sequence[Name] = (),
    run: "Run | None" = None,
) -> Summary:
    """Color what is new in a folder, or changed, or asked for otherwise than before.

    asked: what decides the colors, as JSON; with the options it decides what is done already
    inputs: what is read beside the photos, and never written
    run: colors photos, as `run_here` does, which is the default
    Raises FolderError where results cannot go there.
    """
    run = run or run_here
    listing = location.find_photos()
    targets = location.targets(listing.names)
    summary = Summary(others=listing.others, failures=listing.unread, notes=listing.skipped)
    asked = asked | options.about()
    with location.open_manifest(asked, take_over=options.overwrite) as manifest:
        todo = [target for target in targets if not manifest.done(target, options.files(target))]
        summary.unchanged = len(targets) - len(todo)
        todo = leave_out_clashes(options, location, targets, todo, inputs, tell=summary.count)
        try:
            run(method, options, location, todo, manifest, tell=summary.count, workers=workers)
        finally:  # after Ctrl-C too
            for line in summary.lines(location.results.url):
                report(line)
    return summary


def leave_out_clashes(
    options: OutputOptions,
    location: Location,
    targets: list[Target],
    todo: list[Target],
    inputs: Sequence[Name],
    *,
    tell: Callable[[Outcome], None],
) -> list[Target]:
    """Of the photos to color those whose results replace nothing that is read; tell of the others.

    targets: all photos of the folder, which are read
    inputs: what else is read
    """
    if not location.results.on_disk:
        return todo
    files = [file for target in todo for file in options.files(target)]
    some = any(map(os.path.lexists, files))  # else nothing that is read can be replaced
    clashes = find_clashes(files, [*location.list_files(targets), *inputs] if some else [])
    ready = []
    for target in todo:
        reasons = [clashes[file] for file in options.files(target) if file in clashes]
        if reasons:
            tell(Outcome(target, error=f"{target.source}: {reasons[0]}"))
        else:
            ready.append(target)
    return ready


def run_here(
    method: Method,
    options: OutputOptions,
    location: Location,
    targets: list[Target],
    manifest: Manifest,
    *,
    tell: Callable[[Outcome], None],
    workers: int,
) -> None:
    """Color a location's photos in this process, so many at a time."""
    if location.results.on_disk:

        def work(target: Target) -> Outcome:
            return color_into_folder(method, options, target, location, manifest)

        run_targets(work, targets, tell=tell, workers=workers)
        return
    run_begun(
        _color_begun, method, options, location, targets, manifest, tell=tell, workers=workers
    )


def color_into_folder(
    method: Method,
    options: OutputOptions,
    target: Target,
    location: Location,
    manifest: Manifest,
) -> Outcome:
    """Color one photo, whatever happens, and say so in the manifest. Raises FolderError."""
    outcome = Outcome(target)
    where = location.byte_ranges.get(target.source)
    with judge(outcome):
        ours = claim(options, target, manifest)
        if where is None:
            colorize_photo(method, options, outcome, ours)
        else:
            outcome = colorize_stored(
                method, options, target, where, location.photos, location.results
            )
    manifest.finish(outcome)
    return outcome


# What becomes of photos that were begun, as they end, with so many workers; the set gets, after an
# early end, the names of those that nobody has had or will have in hand.
ColorBegun = Callable[
    [Method, OutputOptions, Location, int, list[Target], set[str]], Generator[Outcome, None, None]
]


def run_begun(
    color: ColorBegun,
    method: Method,
    options: OutputOptions,
    location: Location,
    targets: list[Target],
    manifest: Manifest,
    *,
    tell: Callable[[Outcome], None],
    workers: int,
) -> None:
    """Color photos as `run_targets` does; all are begun at once, before the first is in hand."""
    begun: dict[str, Target] = {}  # and not ended
    idle: set[str] = set()
    with progress_bar("coloring", len(targets)) as bar:

        def end(outcome: Outcome) -> None:
            begun.pop(outcome.target.name, None)
            manifest.finish(outcome)
            location.save_manifest(due=True)
            tell(outcome)
            bar.update()

        for target in targets:
            outcome = Outcome(target)
            with judge(outcome):
                claim(options, target, manifest, sync=False)
                begun[target.name] = target
            if outcome.error is not None:
                end(outcome)
        manifest.sync()
        location.save_manifest()
        try:  # closed, so that after Ctrl-C no actor goes on
            todo = list(begun.values())
            with closing(color(method, options, location, workers, todo, idle)) as every:
                for outcome in every:
                    end(outcome)
        finally:
            for name, target in begun.items():  # else any file of its name would count as ours
                if name in idle:
                    manifest.finish(Outcome(target, error="stopped before its turn"))
            if location.results.on_disk:
                remove_unfinished(Path(target.output).parent for target in targets)


def _color_begun(
    method: Method,
    options: OutputOptions,
    location: Location,
    workers: int,
    targets: list[Target],
    idle: set[str],
) -> Generator[Outcome, None, None]:
    """What becomes of photos that were begun, colored in this process."""
    had = set[str]()

    def work(target: Target) -> Outcome:
        had.add(target.name)
        where = location.byte_ranges.get(target.source)
        return colorize_stored(method, options, target, where, location.photos, location.results)

    try:
        with closing(map_unordered(work, targets, workers)) as outcomes:
            yield from outcomes
    except BaseException:
        idle.update(target.name for target in targets if target.name not in had)
        raise


def colorize_stored(
    method: Method,
    options: OutputOptions,
    target: Target,
    where: ByteRange | None,
    photos: Storage,
    results: Storage,
) -> Outcome:
    """Color one photo, whatever happens, from and to wherever; files of its own are replaced.

    where: where its bytes are, None for a file on a disk
    """
    outcome = Outcome(target)
    with judge(outcome), make_scratch(where is not None or not results.on_disk) as scratch:
        if where is not None:
            outcome.target = replace(
                outcome.target, source=f"{scratch}/{PurePosixPath(target.name).name}"
            )
            with explain_store("to read it"):
                where.fetch(photos, Path(outcome.target.source))
        if not results.on_disk:
            outcome.target = replace(
                outcome.target, output=f"{scratch}/out/{PurePosixPath(target.output).name}"
            )
        try:
            colorize_photo(method, replace(options, overwrite=True), outcome, ())
        finally:
            staged = [] if results.on_disk else [Path(file) for file in outcome.made]
            outcome.made = outcome.made if results.on_disk else {}
        for file in staged:
            url = f"{target.output.rpartition('/')[0]}/{file.name}"
            with explain_store(f"to write {url}"):
                outcome.made[url] = results.upload_result(file, url)
    error = outcome.error and outcome.error.replace(outcome.target.source, target.source)
    identity = outcome.source
    if where is not None and identity is not None:
        identity = where.stamp, identity[1]
    return replace(outcome, target=target, source=identity, error=error)
