"""Many photos from beginning to end: what is left to do, who does it, what became of all.

Request ──locate──▶ list of photos ─────────────────────────────▶ run_targets ──▶ Summary
            └─────▶ Location ──list──▶ manifest: what is left ──▶ run_targets or run_begun
"""

import hashlib
import json
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tintype.batch.album import Album, Interpolation, measure_album
from tintype.batch.folder import Target
from tintype.batch.location import Location, colorize_stored
from tintype.batch.manifest import Manifest, Outcome, sweep
from tintype.batch.one_photo import (
    Method,
    OutputOptions,
    claim,
    colorize_photo,
    judging,
    make_method,
)
from tintype.batch.parallel import map_unordered, progress_bar
from tintype.batch.request import Local, Ray, Reference, Request
from tintype.batch.summary import Report, Summary, ignore
from tintype.colorizer import Colorizer, load


def colorize(request: Request, *, report: Report = ignore) -> Summary:
    """Color photos: a list, a folder, a tar file or a store; a bad one never stops the others.

    What is new in a folder is colored, or changed, or asked for otherwise than before; so the same
    request goes on with one that was stopped. Ctrl-C leaves whole files.

    report: gets lines for people: of a list for each photo, of a folder at the end
    Raises ValueError where the request makes no sense, PaletteError and PhotoError where what it
    names cannot be used, FolderError where results cannot go there, ModelError.

        from tintype.batch import Ray, Request, colorize

        colorize(Request("scans", "colored", recursive=True), report=print)
        colorize(Request("roll", "colored", album=True))
        colorize(Request("s3://bucket/scans.tar", "s3://bucket/colored", runner=Ray("auto")))
        colorize(Request(["a.jpg", "b.jpg"], "colored", recipe=Recipe(vividness=0.8)))
    """
    found = request.locate()
    method, asked = choose_method(request, found, report)
    options = request.options
    if isinstance(found, list):
        if request.save_recipe is not None:
            text = json.dumps(asked, indent=1) + "\n"
            options = replace(options, recipe=(request.save_recipe, text))
        return _run_list(method, options, found, request, report)
    if isinstance(request.runner, Ray):
        from tintype.batch.ray_runner import run_cluster

        return run_cluster(method, options, found, asked, request.runner, report=report)
    workers, _ = request.runner.share(many=True)
    return run_location(method, options, found, asked, workers=workers, report=report)


def choose_method(
    request: Request, found: Location | list[Target], report: Report
) -> tuple[Method, dict[str, Any]]:
    """The method that a request asks for, and all that decides its colors, as JSON."""
    if request.reference is not None:
        return _transfer_colors(request.reference, request.threads)
    colorizer = request.colorizer or load(threads=request.threads)
    recipe = request.recipe
    request.check_palettes()
    if recipe.model not in (None, colorizer.fingerprint):
        report("the recipe: made with another model; the colors will differ")
    common: Album | Interpolation | None = None
    if request.album or request.interpolation is not None:
        common = _plan(request, found, colorizer)
    asked = json.loads(recipe.complete(colorizer).to_json())
    if common is None:
        return make_method(colorizer, recipe, request.options.alternatives), asked
    return make_method(colorizer, recipe, start=common.start), asked | common.about()


def _plan(
    request: Request, found: Location | list[Target], colorizer: Colorizer
) -> Album | Interpolation:
    """What an album's photos have in common."""
    if request.interpolation is not None:
        first, last = (colorizer.palette(palette) for palette in request.interpolation)
        return Interpolation(first, last)
    assert isinstance(found, Location)
    assert isinstance(request.runner, Local)
    workers, _ = request.runner.share(many=True)
    palette = measure_album(colorizer, found, request.options.max_pixels, workers=workers)
    return Album(palette, request.cohesion)


def _transfer_colors(reference: Reference, threads: int | None) -> tuple[Method, dict[str, Any]]:
    """The method that takes colors from a reference photo, which is read once; and it as JSON."""
    from tintype import welsh2002

    colors = welsh2002.read_reference(reference.photo)
    asked = {
        "method": "welsh2002",
        "reference": hashlib.sha256(colors.tobytes()).hexdigest(),
        "swatches": [asdict(swatch) for swatch in reference.swatches],
    }
    swatches = reference.swatches
    return lambda photo, _: [welsh2002.colorize(photo, colors, swatches, threads=threads)], asked


def _run_list(
    method: Method, options: OutputOptions, targets: list[Target], request: Request, report: Report
) -> Summary:
    """Color a list of photos."""
    summary = Summary()

    def tell(outcome: Outcome) -> None:
        summary.count(outcome)
        for line in [*outcome.lines, *filter(None, [outcome.error])]:
            report(line)

    assert isinstance(request.runner, Local)
    workers, _ = request.runner.share(many=False)
    run_targets(method, options, targets, tell=tell, workers=workers)
    return summary


Run = Callable[..., None]  # colors a location's targets, as `run_here` does


def run_location(
    method: Method,
    options: OutputOptions,
    location: Location,
    asked: dict[str, Any],
    *,
    report: Report = ignore,
    workers: int = 1,
    run: "Run | None" = None,
) -> Summary:
    """Color what is new in a folder, or changed, or asked for otherwise than before.

    asked: what decides the colors, as JSON; with the options it decides what is done already
    run: colors photos, as `run_here` does, which is the default
    Raises FolderError where results cannot go there.
    """
    run = run or run_here
    listing = location.find_photos()
    targets = location.targets(listing.names)
    summary = Summary(others=listing.others, failures=listing.unread)
    asked = asked | options.about()
    with location.open_manifest(asked, take_over=options.overwrite) as manifest:
        todo = [target for target in targets if not manifest.done(target, options.files(target))]
        summary.unchanged = len(targets) - len(todo)
        try:
            run(method, options, location, todo, manifest, tell=summary.count, workers=workers)
        finally:  # after Ctrl-C too
            for line in summary.lines(location.results.url):
                report(line)
    return summary


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
        run_targets(
            method,
            options,
            targets,
            tell=tell,
            workers=workers,
            manifest=manifest,
            location=location,
        )
        return
    outcomes = partial(_color_begun, method, options, location, workers)
    run_begun(options, location, targets, manifest, tell=tell, outcomes=outcomes)


def run_targets(
    method: Method,
    options: OutputOptions,
    targets: list[Target],
    *,
    tell: Callable[[Outcome], None],
    workers: int = 1,
    manifest: Manifest | None = None,
    location: Location | None = None,
) -> None:
    """Color photos into files on a disk, so many at a time; a bad one never stops the others.

    method: gives as many results as the options ask for; called by several threads
    tell: is called with what became of each photo, in the order in which they end
    manifest: of a folder; gets a line for each photo, from the thread that colors it
    Ctrl-C stops it: the photo in hand is given up, or those of several workers are finished.
    Raises FolderError where the manifest cannot be written.
    """

    def work(target: Target) -> Outcome:
        return _attempt(method, options, target, manifest, location)

    with (
        progress_bar("coloring", len(targets)) as bar,
        closing(map_unordered(work, targets, workers)) as outcomes,
    ):
        for outcome in outcomes:
            with tqdm.external_write_mode(file=sys.stderr):
                tell(outcome)
            bar.update()


def _attempt(
    method: Method,
    options: OutputOptions,
    target: Target,
    manifest: Manifest | None,
    location: Location | None,
) -> Outcome:
    """Color one photo, whatever happens, and say so in the manifest. Raises FolderError."""
    outcome = Outcome(target)
    where = None if location is None else location.byte_ranges.get(target.source)
    with judging(outcome):
        ours = claim(options, target, manifest)
        if location is None or where is None:
            colorize_photo(method, options, outcome, ours)
        else:
            outcome = colorize_stored(
                method, options, target, where, location.photos, location.results
            )
    if manifest is not None:
        manifest.finish(outcome)
    return outcome


# What becomes of photos that were begun, as they end; the set gets, after an early end, the names
# of those that nobody has had or will have in hand.
Outcomes = Callable[[list[Target], set[str]], Generator[Outcome, None, None]]


def run_begun(
    options: OutputOptions,
    location: Location,
    targets: list[Target],
    manifest: Manifest,
    *,
    tell: Callable[[Outcome], None],
    outcomes: Outcomes,
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
            with judging(outcome):
                claim(options, target, manifest, sync=False)
                begun[target.name] = target
            if outcome.error is not None:
                end(outcome)
        manifest.sync()
        location.save_manifest()
        try:  # closed, so that after Ctrl-C no actor goes on
            with closing(outcomes(list(begun.values()), idle)) as every:
                for outcome in every:
                    end(outcome)
        finally:
            for name, target in begun.items():  # else any file of its name would count as ours
                if name in idle:
                    manifest.finish(Outcome(target, error="stopped before its turn"))
            if location.results.on_disk:
                sweep(Path(target.output).parent for target in targets)


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
