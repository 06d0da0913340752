"""The command that shows palettes, and suggests colors: it parses, calls the library and prints."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tintype.cli.colorize import load, load_palette, make_recipe, put_rare_options_last
from tintype.cli.command import OUTPUT, URL, Command, complain
from tintype.cli.options import SteeringOptions, add_steering_options
from tintype.cli.pins import Place, parse_place
from tintype.errors import PaletteError

if TYPE_CHECKING:
    from tintype.suggestions import Suggestion


def _parse_place(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> Place | None:
    """X,Y as of `pins.At`, once or not at all; anything else is a usage error."""
    if len(texts) > 1:
        raise click.BadParameter(f"expected one place, found {len(texts)}; ask for each by itself")
    try:
        return parse_place(texts[0]) if texts else None
    except PaletteError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    cls=Command, short_help="Show the palette that is estimated for a photo, and edit it."
)
@click.argument("photo", type=URL)
@add_steering_options
@click.option(
    "--at",
    "place",
    metavar="X,Y",
    multiple=True,
    callback=_parse_place,
    help="Suggest five colors of the thing there: shares of width and height, or pixels as 812px.",
)
@click.option("--recursive", is_flag=True, help="Of a folder, the folders in it too.")
@click.option("--own", is_flag=True, help="The colors that the photo has, not the estimated ones.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON; a palette, as --palette accepts it."
)
@click.option(
    "--plot",
    type=OUTPUT,
    metavar="FILE.png",
    help="Draw the histogram, before and after the edits.",
)
@click.option("--overwrite", is_flag=True, help="Replace the plot if it exists.")
def palette(
    photo: str,
    steering: SteeringOptions,
    place: Place | None,
    recursive: bool,
    own: bool,
    as_json: bool,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Show the palette that is estimated for PHOTO, and what edits make of it.

    Of a folder, it is the mean of its photos' palettes. With --at, it is the likeliest colors of
    one thing, given the palette, and how likely each is.

    \b
    Examples:
      tintype palette photo.jpg
      tintype palette photo.jpg --json > palette.json
      tintype palette scans/
      tintype palette photo.jpg --towards red --plot palette.png
      tintype palette photo.jpg --at 0.42,0.61
    """
    from tintype import charts
    from tintype.batch import measure_folder
    from tintype.edits import apply_edits
    from tintype.model import check_palette
    from tintype.palette import Palette
    from tintype.photo import read, write
    from tintype.sandbox import read_bounded

    if place is not None:
        _check_place_alone(photo, {"--own": own, "--plot": plot, "--recursive": recursive})
    colorizer = load(steering.model, steering.threads)
    check_palette(colorizer.model, bool(steering.palette or steering.edits))
    failures: list[str] = []
    source: Any = sys.stdin.buffer.read() if photo == "-" else photo
    if place is not None:
        encoded = colorizer.encode(read_bounded(source, read))
        found = encoded.suggest(*place, make_recipe(colorizer, steering, None, None))
        click.echo(_tell(found, as_json=as_json))
        return
    if steering.palette is not None:
        before = load_palette(steering.palette, colorizer)
    elif os.path.isdir(photo):
        before, failures = measure_folder(colorizer, Path(photo), own=own, recursive=recursive)
    elif own:
        before = Palette.measure(source, colorizer.bins, side=colorizer.model.side)
    else:
        before = colorizer.encode(read_bounded(source, read)).palette
    after = apply_edits(before, steering.edits) if steering.edits else None
    if plot is not None:
        write(charts.histogram(before, after), plot, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps((after or before).to_json(), indent=1))
    elif plot is None:
        click.echo(charts.bars(after or before, ansi=sys.stdout.isatty()))
    for failure in failures:
        complain(failure)
    sys.exit(1 if failures else 0)


def _check_place_alone(photo: str, others: dict[str, object]) -> None:
    """Refuse what does not go with a place on a photo, by a usage error."""
    if os.path.isdir(photo):
        raise click.UsageError(f"expected a photo with --at, found the folder {photo}; name one")
    given = [name for name, value in others.items() if value]
    if given:
        raise click.UsageError(f"expected no {given[0]} with --at, found it; leave one out")


def _tell(found: "list[Suggestion]", *, as_json: bool) -> str:
    from tintype import charts

    if as_json:
        return json.dumps([{"color": s.color, "share": round(s.share, 4)} for s in found], indent=1)
    return charts.draw_suggestions(found, ansi=sys.stdout.isatty())


put_rare_options_last(palette)
