"""The command line: thin, and quick to start, so commands import what they need."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tintype import __version__, cli_research
from tintype.errors import TintypeError
from tintype.options import (
    FILE,
    MODEL,
    THREADS,
    Choice,
    Likeness,
    Many,
    Server,
    likeness,
    listening,
    many,
    steering,
)

if TYPE_CHECKING:
    from tintype.batch import Colour, Job
    from tintype.colorizer import Colorizer
    from tintype.folders import Folder, Target
    from tintype.reference import Swatch


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: tintype colorize photo.jpg --towards red",
)
@click.version_option(__version__, prog_name="tintype")
def cli() -> None:
    """Colour black-and-white photographs, and steer the colours through a palette."""


def main() -> None:
    """Run the command line; errors that Tintype raises on purpose are one line, status 1."""
    try:
        cli()
    except TintypeError as error:
        _complain(str(error))
        sys.exit(1)


def _complain(message: str) -> None:
    click.echo(f"tintype: {message}", err=True)


@cli.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="A file, or a folder if it exists or several photos come; - for stdout.",
)
@many
@likeness
@steering
@click.option(
    "--vividness",
    type=click.FloatRange(0, 1),
    metavar="X",
    help="0 calm .. 1 vivid; the model's choice by default.",
)
@click.option(
    "--alternatives",
    type=click.IntRange(0, 4),
    default=0,
    metavar="N",
    help="Write N (up to 4) distinct plausible colourings.",
)
@click.option(
    "--compare", is_flag=True, help="Write a side-by-side picture, NAME.compare.EXT, too."
)
@click.option("--recipe", type=FILE, metavar="FILE", help="Save what was chosen, to do it again.")
@click.option("--recipe-in", type=FILE, metavar="FILE", help="Do what a saved recipe says.")
@click.option("--strip-metadata", is_flag=True, help="Leave out EXIF (camera, date, place).")
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Of JPEG, WebP and AVIF. Lossless formats keep the luma to the bit.",
)
@click.option(
    "--max-megapixels",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Refuse larger photos.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace outputs that exist; the input is never written."
)
def colorize(
    photos: tuple[str, ...],
    output: str | None,
    many: Many,
    like: Likeness,
    choice: Choice,
    vividness: float | None,
    recipe: Path | None,
    recipe_in: Path | None,
    alternatives: int,
    max_megapixels: float | None,
    **options: Any,
) -> None:
    """Colour photographs. The result of PHOTO goes to NAME.color.EXT beside it.

    COLOUR is a CSS name, #rrggbb, or hue:DEGREES (0 red, 120 green, 240 blue). PHOTO - reads
    standard input. A folder is coloured into the folder OUT; started again, that goes on where it
    was (see OUT/manifest.jsonl). The exit status is 1 if any photo failed, 130 after Ctrl-C.

    \b
    Examples:
      tintype colorize photo.jpg
      tintype colorize photo.jpg --towards red --ban blue --compare
      tintype colorize *.jpg -o coloured/ --palette holiday.jpg
      tintype colorize scans/ -o coloured/ --recursive
      tintype colorize photo.jpg --like holiday.jpg --method welsh2002
      tintype colorize - < photo.jpg > coloured.jpg
    """
    from tintype.batch import Job
    from tintype.folders import outputs

    folder = many.folder(photos, output)
    others = {"--vividness": vividness, "--alternatives": alternatives or None}
    like.check(choice, {**others, "--recipe": recipe, "--recipe-in": recipe_in})
    if like.reference is not None and like.method == "tintype":
        choice = replace(choice, palette=like.reference)
    chosen = bool(choice.palette or choice.edits or vividness is not None or alternatives)
    _check_recipes(recipe, recipe_in, chosen, single=len(photos) == 1 and not folder)
    if alternatives and (recipe or choice.palette is not None):
        raise click.UsageError("--alternatives start from the photo, and are no single recipe's.")
    try:
        targets = [] if folder else outputs(photos, output)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    workers, threads = many.hands(choice.threads, folder=folder is not None)
    choice = replace(choice, threads=threads)
    if like.reference is not None and like.method == "welsh2002":
        colour, asked = _by_reference(like.reference, like.swatches, threads)
    else:
        colour, asked = _by_model(choice, vividness, recipe_in, alternatives)
    pixels = None if max_megapixels is None else round(1e6 * max_megapixels)
    saved = None if recipe is None else (recipe, json.dumps(asked, indent=1) + "\n")
    job = Job(alternatives=alternatives, max_pixels=pixels, recipe=saved, **options)
    sys.exit(_coloured(colour, job, folder or targets, asked, workers))


def _check_recipes(
    recipe: Path | None, recipe_in: Path | None, chosen: bool, *, single: bool
) -> None:
    """Refuse recipes that go with nothing else, by a usage error."""
    if recipe_in and chosen:
        raise click.UsageError("--recipe-in already says what to do: leave the other choices out.")
    if recipe and not single:
        raise click.UsageError("--recipe saves one result: give one photo.")


def _coloured(
    colour: "Colour",
    job: "Job",
    what: "Folder | list[Target]",
    asked: dict[str, Any],
    workers: int,
) -> int:
    """Colour a folder or a list of photos; returns the exit status."""
    from tintype.batch import Outcome, run, run_folder

    failures = []

    def tell(outcome: Outcome) -> None:
        for line in outcome.lines:
            _complain(line)
        if outcome.error is not None:
            failures.append(outcome.error)
            _complain(outcome.error)

    try:
        if isinstance(what, list):
            run(colour, job, what, tell=tell, workers=workers)
        else:
            failures = run_folder(colour, job, what, asked, say=_complain, workers=workers)
    except KeyboardInterrupt:
        _complain("stopped; what is done is whole, and the same command goes on with the rest")
        return 130
    return 1 if failures else 0


def _by_model(
    choice: Choice, vividness: float | None, recipe_in: Path | None, alternatives: int
) -> tuple["Colour", dict[str, Any]]:
    """The model, asked by the options or by a saved recipe, and the recipe as JSON."""
    from tintype.batch import by_recipe
    from tintype.recipe import Recipe

    colorizer = _load(choice)
    if recipe_in is None:
        # Through JSON, so that a saved recipe holds just what is asked for here.
        wanted = choice.palette
        start = None if wanted is None else colorizer.palette(wanted).to_json()
        recipe = Recipe(palette=start, edits=choice.edits, vividness=vividness)
    else:
        recipe = Recipe.read(recipe_in)
        if recipe.model not in (None, colorizer.fingerprint):
            _complain(f"{recipe_in}: made with another model; the colours will differ")
    asked = json.loads(recipe.complete(colorizer).to_json())
    return by_recipe(colorizer, recipe, alternatives), asked


def _load(choice: Choice) -> "Colorizer":
    """The bundled model, a model folder, or a run of `tintype train`."""
    from tintype.colorizer import load

    if choice.model is None or not (choice.model / "model.safetensors").exists():
        return load(choice.model, threads=choice.threads)
    with cli_research.extra("train"):
        from tintype.research.trained import Trained
    return Trained(choice.model, threads=choice.threads)


def _by_reference(
    path: str, swatches: "tuple[Swatch, ...]", threads: int | None
) -> tuple["Colour", dict[str, Any]]:
    """The method that takes colours from a reference photo, which is read once; and it as JSON."""
    import hashlib
    from dataclasses import asdict

    from tintype.reference import colorize, read_reference

    reference = read_reference(path)
    asked = {
        "method": "welsh2002",
        "reference": hashlib.sha256(reference.tobytes()).hexdigest(),
        "swatches": [asdict(swatch) for swatch in swatches],
    }
    return lambda photo: [colorize(photo, reference, swatches, threads=threads)], asked


@cli.command()
@click.argument("photo")
@steering
@click.option("--own", is_flag=True, help="The colours that the photo has, not the estimated ones.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the palette as JSON, which --palette accepts."
)
@click.option(
    "--plot",
    type=FILE,
    metavar="FILE.png",
    help="Draw the histogram, before and after the edits.",
)
@click.option("--overwrite", is_flag=True, help="Replace the plot if it exists.")
def palette(
    photo: str, choice: Choice, own: bool, as_json: bool, plot: Path | None, overwrite: bool
) -> None:
    """Show the palette that is estimated for PHOTO, and what edits make of it.

    \b
    Examples:
      tintype palette photo.jpg
      tintype palette photo.jpg --json > palette.json
      tintype palette photo.jpg --towards red --plot palette.png
    """
    from tintype import chart
    from tintype.photo import write
    from tintype.recipe import edited

    colorizer = _load(choice)
    source: Any = sys.stdin.buffer.read() if photo == "-" else photo
    if choice.palette is not None:
        before = colorizer.palette(choice.palette)
    elif own:
        before = colorizer.palette_of(source)
    else:
        before = colorizer.encode(source).palette
    after = edited(before, choice.edits) if choice.edits else None
    if plot is not None:
        write(chart.histogram(before, after), plot, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps((after or before).to_json(), indent=1))
    elif plot is None:
        click.echo(chart.bars(after or before, colour=sys.stdout.isatty()))


@cli.command()
@listening
@MODEL
@THREADS
def serve(server: Server, model: Path | None, threads: int | None) -> None:
    """Open the palette editor in the browser; it is the REST API too (see /docs.html).

    \b
    Examples:
      tintype serve
      tintype serve --port 9000 --no-browser
    """
    from tintype.colorizer import load
    from tintype.server.app import create_app
    from tintype.server.run import run

    app = create_app(
        load(model, threads=threads),
        host=server.host,
        token=server.token,
        model=None if model is None else str(model),
    )
    run(app, server, say=click.echo)


@cli.command()
@click.argument("folder", type=FILE)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Show each pair for so long; at leisure by default.",
)
@click.option("--answers", type=FILE, help="Where answers go; FOLDER/answers.csv by default.")
@click.option("--results", is_flag=True, help="Only print what the answers so far say.")
@listening
def study(
    folder: Path, seconds: float | None, answers: Path | None, results: bool, server: Server
) -> None:
    """Let people tell real photos from coloured ones, blind, and print how often they are fooled.

    FOLDER holds folders with photos of the same names: real/ and one for each method; without
    real/, methods are compared with each other.

    \b
    Example:
      tintype colorize gray/*.jpg -o study/tintype/
      tintype study study/ --seconds 1
    """
    from tintype.server.run import run
    from tintype.server.study import Study, create_app, rates

    answers = answers or folder / "answers.csv"
    if not results:
        app = create_app(Study(folder, answers, seconds), host=server.host, token=server.token)
        run(app, server, say=click.echo)
        if not answers.exists():
            return
    for rate in rates(answers):
        click.echo(str(rate))


for command in cli_research.COMMANDS:
    cli.add_command(command)
