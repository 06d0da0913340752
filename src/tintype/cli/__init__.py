"""The command line: thin, and quick to start, so commands import what they need."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tintype import __version__
from tintype.cli import research
from tintype.cli.colorize import by_model, by_reference, colored, load, palette_of_folder, plan
from tintype.cli.folder_options import Many, many
from tintype.cli.options import (
    FILE,
    MODEL,
    THREADS,
    Choice,
    Likeness,
    likeness,
    listening,
    steering,
)
from tintype.cli.shell import complain, interruptible
from tintype.errors import TintypeError
from tintype.server.address import Server


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: tintype colorize photo.jpg --towards red",
)
@click.version_option(__version__, prog_name="tintype")
def cli() -> None:
    """Color black-and-white photographs, and steer the colors through a palette."""


def main() -> None:
    """Run the command line; errors that Tintype raises on purpose are one line, status 1."""
    try:
        cli()
    except TintypeError as error:
        complain(str(error))
        sys.exit(1)


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
    help="0 calm .. 1 vivid; the model's choice by default, calmer with --palette.",
)
@click.option(
    "--alternatives",
    type=click.IntRange(0, 4),
    default=0,
    metavar="N",
    help="Write N (up to 4) distinct plausible colorings.",
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
    """Color photographs. The result of PHOTO goes to NAME.color.EXT beside it.

    COLOR is a CSS name, #rrggbb, or hue:DEGREES (0 red, 120 green, 240 blue). PHOTO - reads
    standard input. A folder is colored into the folder OUT; started again, that goes on where it
    was (see OUT/manifest.jsonl). The exit status is 1 if any photo failed, 130 after Ctrl-C.
    With --ray, tar files and URLs are colored as folders are.

    \b
    Examples:
      tintype colorize photo.jpg
      tintype colorize photo.jpg --towards red --ban blue --compare
      tintype colorize *.jpg -o colored/ --palette holiday.jpg
      tintype colorize scans/ -o colored/ --recursive
      tintype colorize s3://bucket/scans -o s3://bucket/colored --recursive --ray auto
      tintype colorize photo.jpg --like holiday.jpg --method welsh2002
      tintype colorize - < photo.jpg > colored.jpg
    """
    from tintype.batch.folder import outputs
    from tintype.batch.job import Job

    folder = many.folder(photos, output)
    others = {"--vividness": vividness, "--alternatives": alternatives or None, **many.given()}
    like.check(choice, {**others, "--recipe": recipe, "--recipe-in": recipe_in})
    many.check(
        folder is not None,
        {"--alternatives": alternatives, "--palette": choice.palette, "--like": like.reference},
    )
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
    pixels = None if max_megapixels is None else round(1e6 * max_megapixels)
    job = Job(alternatives=alternatives, max_pixels=pixels, **options)
    with interruptible(folder=folder is not None):
        if like.reference is not None and like.method == "welsh2002":
            color, asked = by_reference(like.reference, like.swatches, threads)
        else:
            colorizer = load(choice)
            common = plan(colorizer, many, folder, job, workers)
            color, asked = by_model(colorizer, choice, vividness, recipe_in, alternatives, common)
        if recipe is not None:
            job = replace(job, recipe=(recipe, json.dumps(asked, indent=1) + "\n"))
        sys.exit(colored(color, job, folder or targets, asked, many, workers))


def _check_recipes(
    recipe: Path | None, recipe_in: Path | None, chosen: bool, *, single: bool
) -> None:
    """Refuse recipes that go with nothing else, by a usage error."""
    if recipe_in and chosen:
        raise click.UsageError("--recipe-in already says what to do: leave the other choices out.")
    if recipe and not single:
        raise click.UsageError("--recipe saves one result: give one photo.")


@cli.command()
@click.argument("photo")
@steering
@click.option("--recursive", is_flag=True, help="Of a folder, the folders in it too.")
@click.option("--own", is_flag=True, help="The colors that the photo has, not the estimated ones.")
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
    photo: str,
    choice: Choice,
    recursive: bool,
    own: bool,
    as_json: bool,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Show the palette that is estimated for PHOTO, and what edits make of it.

    Of a folder, it is the mean of its photos' palettes.

    \b
    Examples:
      tintype palette photo.jpg
      tintype palette photo.jpg --json > palette.json
      tintype palette scans/
      tintype palette photo.jpg --towards red --plot palette.png
    """
    from tintype import charts
    from tintype.photo import write
    from tintype.recipe import edited

    colorizer = load(choice)
    failures: list[str] = []
    source: Any = sys.stdin.buffer.read() if photo == "-" else photo
    if choice.palette is not None:
        before = colorizer.palette(choice.palette)
    elif os.path.isdir(photo):
        before, failures = palette_of_folder(colorizer, Path(photo), own=own, recursive=recursive)
    elif own:
        before = colorizer.palette_of(source)
    else:
        before = colorizer.encode(source).palette
    after = edited(before, choice.edits) if choice.edits else None
    if plot is not None:
        write(charts.histogram(before, after), plot, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps((after or before).to_json(), indent=1))
    elif plot is None:
        click.echo(charts.bars(after or before, ansi=sys.stdout.isatty()))
    for failure in failures:
        complain(failure)
    sys.exit(1 if failures else 0)


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
    """Let people tell real photos from colored ones, blind, and print how often they are fooled.

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


for command in research.COMMANDS:
    cli.add_command(command)
