"""How the command line colors: what the options of a method, a folder and a list come to."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.cli.folder_options import Many
from tintype.cli.options import Choice
from tintype.cli.shell import complain, extra

if TYPE_CHECKING:
    from tintype.batch.album import Album, Walk
    from tintype.batch.folder import Folder, Target
    from tintype.batch.job import Color, Job
    from tintype.batch.store import Elsewhere
    from tintype.colorizer import Colorizer
    from tintype.palette import Palette
    from tintype.welsh2002 import Swatch


def load(choice: Choice) -> "Colorizer":
    """The bundled model, a model folder, or a run of `tintype train`."""
    from tintype.colorizer import load

    if choice.model is None or not (choice.model / "model.safetensors").exists():
        return load(choice.model, threads=choice.threads)
    with extra("train"):
        from tintype.research.torch_model import Trained
    return Trained(choice.model, threads=choice.threads)


def by_model(
    colorizer: "Colorizer",
    choice: Choice,
    vividness: float | None,
    recipe_in: Path | None,
    alternatives: int,
    plan: "Album | Walk | None",
) -> tuple["Color", dict[str, Any]]:
    """The model, asked by the options or by a saved recipe, and all that decides it as JSON."""
    from tintype.batch.job import by_recipe
    from tintype.errors import PaletteError
    from tintype.recipe import Recipe

    if recipe_in is None:
        # Through JSON, so that a saved recipe holds just what is asked for here.
        wanted = choice.palette
        start = None if wanted is None else colorizer.palette(wanted).to_json()
        recipe = Recipe(palette=start, edits=choice.edits, vividness=vividness)
    else:
        recipe = Recipe.read(recipe_in)
        if recipe.model not in (None, colorizer.fingerprint):
            complain(f"{recipe_in}: made with another model; the colors will differ")
    if plan is not None and (recipe.palette or recipe.alternative):
        raise PaletteError(
            f"{recipe_in}: expected edits alone beside an album's palettes, found a palette or an "
            "alternative to start from; leave one out"
        )
    asked = json.loads(recipe.complete(colorizer).to_json())
    if plan is None:
        return by_recipe(colorizer, recipe, alternatives), asked
    return by_recipe(colorizer, recipe, start=plan.start), asked | plan.about()


def by_reference(
    path: str, swatches: "tuple[Swatch, ...]", threads: int | None
) -> tuple["Color", dict[str, Any]]:
    """The method that takes colors from a reference photo, which is read once; and it as JSON."""
    import hashlib
    from dataclasses import asdict

    from tintype.welsh2002 import colorize, read_reference

    reference = read_reference(path)
    asked = {
        "method": "welsh2002",
        "reference": hashlib.sha256(reference.tobytes()).hexdigest(),
        "swatches": [asdict(swatch) for swatch in swatches],
    }
    return lambda photo, _: [colorize(photo, reference, swatches, threads=threads)], asked


def plan(
    colorizer: "Colorizer",
    many: Many,
    folder: "Folder | Elsewhere | None",
    job: "Job",
    workers: int,
) -> "Album | Walk | None":
    """What an album's photos have in common; None for photos that have nothing."""
    from tintype.batch.album import Album, Walk
    from tintype.batch.folder import Folder
    from tintype.batch.runner import album_palette

    if folder is None:
        return None
    if many.interpolate is not None:
        first, last = (colorizer.palette(path) for path in many.interpolate)
        return Walk(first, last)
    if not isinstance(folder, Folder) or not many.album:
        return None
    return Album(album_palette(colorizer, folder, job, workers=workers), many.cohesion)


def palette_of_folder(
    colorizer: "Colorizer", folder: Path, *, own: bool, recursive: bool
) -> "tuple[Palette, list[str]]":
    """The mean of a folder's photos' palettes, estimated or own, and a line for each failure."""
    from tintype.batch.album import mean
    from tintype.batch.folder import listed
    from tintype.batch.runner import estimated
    from tintype.errors import FolderError

    listing = listed(folder, recursive=recursive)
    names = [str(folder / name) for name in listing.names]
    palettes, failures = estimated(
        colorizer.palette_of if own else lambda name: colorizer.encode(name).palette, names
    )
    if not palettes:
        raise FolderError(f"{folder}: expected photos, found none that can be read; name another")
    return mean(palettes), listing.unread + failures


def colored(
    color: "Color",
    job: "Job",
    what: "Folder | Elsewhere | list[Target]",
    asked: dict[str, Any],
    many: Many,
    workers: int,
) -> int:
    """Color a folder or a list of photos; returns the exit status."""
    from tintype.batch.folder import Folder
    from tintype.batch.job import run
    from tintype.batch.manifest import Outcome
    from tintype.batch.runner import run_folder, watch_folder

    failures = []

    def tell(outcome: Outcome) -> None:
        for line in outcome.lines:
            complain(line)
        if outcome.error is not None:
            failures.append(outcome.error)
            complain(outcome.error)

    if isinstance(what, list):
        run(color, job, what, tell=tell, workers=workers)
    elif not isinstance(what, Folder):
        from tintype.batch.ray_runner import run_cluster

        address = str(many.ray)
        failures = run_cluster(
            color, job, what, asked, say=complain, address=address, workers=workers
        )
    elif many.watch:
        watch_folder(color, job, what, asked, say=complain, workers=workers)
    else:
        failures = run_folder(color, job, what, asked, say=complain, workers=workers)
    return 1 if failures else 0
