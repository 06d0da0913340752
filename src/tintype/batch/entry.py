"""The two calls that color many photos: what a request asks for is found, chosen and run.

Request ──locate──▶ a list, or a Location ──▶ the method and what they share ──▶ Local or Ray
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tintype.batch.album import Album, Interpolation, measure_album
from tintype.batch.folder import Target
from tintype.batch.location import Location
from tintype.batch.manifest import Outcome
from tintype.batch.one_photo import (
    Method,
    Report,
    Summary,
    claim,
    colorize_photo,
    ignore,
    judge,
    make_method,
    name_notes,
    run_targets,
)
from tintype.batch.request import Local, OutputOptions, Ray, Reference, Request
from tintype.batch.runner import run_location
from tintype.batch.watcher import watch_folder
from tintype.colorizer import Colorizer, load
from tintype.files import PIPE, Name, remove_abandoned
from tintype.palette import Palette
from tintype.photo import Photo
from tintype.result import Result

POLL = 1.5  # seconds between two looks at a watched folder


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
    method, asked = _choose_method(request, found, report)
    options = request.options
    if isinstance(found, list):
        if request.save_recipe is not None:
            text = json.dumps(asked, indent=1) + "\n"
            options = replace(options, recipe=(request.save_recipe, text))
        return _run_list(method, options, found, request, report)
    if isinstance(request.runner, Ray):
        from tintype.batch.ray_runner import run_cluster

        return run_cluster(
            method, options, found, asked, request.runner, inputs=request.inputs, report=report
        )
    workers, _ = request.runner.share(many=True)
    return run_location(
        method, options, found, asked, workers=workers, inputs=request.inputs, report=report
    )


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
    method, asked = _choose_method(request, found, report)
    return watch_folder(
        method,
        request.options,
        found,
        asked,
        inputs=request.inputs,
        workers=workers,
        report=report,
        wait=wait,
    )


def _choose_method(
    request: Request, found: Location | list[Target], report: Report
) -> tuple[Method, dict[str, Any]]:
    """The method that a request asks for, and all that decides its colors, as JSON."""
    if request.reference is not None:
        return _transfer_colors(request.reference, request.threads)
    colorizer = request.colorizer or load(threads=request.threads)
    recipe = request.recipe
    request.check_palettes()
    if recipe.model not in (None, colorizer.model.fingerprint):
        report("the recipe: made with another model; the colors will differ")
    common: Album | Interpolation | None = None
    if request.album or request.interpolation is not None:
        common = _plan(request, found, colorizer)
    asked = json.loads(recipe.complete(colorizer.model).to_json())
    if common is None:
        return make_method(colorizer, recipe, request.options.alternatives), asked
    return make_method(colorizer, recipe, start=common.start), asked | common.about()


def _plan(
    request: Request, found: Location | list[Target], colorizer: Colorizer
) -> Album | Interpolation:
    """What an album's photos have in common."""
    if request.interpolation is not None:
        ends = (_read_palette(palette, colorizer) for palette in request.interpolation)
        return Interpolation(*ends)
    assert isinstance(found, Location)
    assert isinstance(request.runner, Local)
    workers, _ = request.runner.share(many=True)
    palette = measure_album(colorizer, found, request.options.max_pixels, workers=workers)
    return Album(palette, request.cohesion)


def _read_palette(palette: Palette | Name, colorizer: Colorizer) -> Palette:
    """A palette over the model's bins, if need be from its file or a photo."""
    if isinstance(palette, Palette):
        return palette.over(colorizer.bins)
    return Palette.load(palette, colorizer.bins, side=colorizer.model.side)


def _transfer_colors(reference: Reference, threads: int | None) -> tuple[Method, dict[str, Any]]:
    """The method that takes colors from a reference photo, which is read once; and it as JSON."""
    from tintype import welsh2002

    colors = welsh2002.read_reference(reference.photo)
    asked = {
        "method": "welsh2002",
        "reference": hashlib.sha256(colors.tobytes()).hexdigest(),
        "swatches": [asdict(swatch) for swatch in reference.swatches],
    }

    def color(photo: Photo, _: Target) -> list[tuple[Result, None]]:
        result = welsh2002.colorize(photo, colors, reference.swatches, threads=threads)
        return [(result, None)]

    return color, asked


def _run_list(
    method: Method, options: OutputOptions, targets: list[Target], request: Request, report: Report
) -> Summary:
    """Color a list of photos."""
    summary = Summary()

    def tell(outcome: Outcome) -> None:
        summary.count(outcome)
        for line in [*name_notes(outcome), *outcome.lines, *filter(None, [outcome.error])]:
            report(line)

    def work(target: Target) -> Outcome:
        outcome = Outcome(target)
        with judge(outcome):
            colorize_photo(method, options, outcome, claim(options, target, None))
        return outcome

    files = [file for target in targets for file in options.files(target) if file != PIPE]
    remove_abandoned({Path(file).parent for file in files})
    if isinstance(request.runner, Ray):
        from tintype.batch.ray_runner import run_list

        run_list(method, options, targets, request.runner, tell=tell)
        return summary
    workers, _ = request.runner.share(many=False)
    run_targets(work, targets, tell=tell, workers=workers)
    return summary
