"""The command that colors photographs: it parses, calls the library and prints."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tintype.cli.command import (
    BY_REQUEST,
    INPUT,
    URL,
    Command,
    complain,
    extra,
    interruptible,
)
from tintype.cli.options import (
    FolderOptions,
    ReferenceOptions,
    SteeringOptions,
    add_folder_options,
    add_reference_options,
    add_steering_options,
)
from tintype.cli.pins import PinOptions, add_pin_options

if TYPE_CHECKING:
    from tintype.batch import Reference
    from tintype.colorizer import Colorizer
    from tintype.palette import Palette
    from tintype.pins import Pin
    from tintype.recipe import Recipe

# Options that few people need, which the help names last.
RARE = (
    "depth", "strip_metadata", "no_provenance", "max_megapixels", "page", "salvage", "method",
    "swatch", "watch", "interpolate", "workers", "threads", "model", "ray",
)  # fmt: skip


_ALL_PAGES = 0


def _parse_page(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """A page's number, from 1, or `_ALL_PAGES`; anything else is a usage error."""
    if text is None or text == "all":
        return None if text is None else _ALL_PAGES
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise click.BadParameter(f"expected a page's number, from 1, or all, found {text!r}")
    return int(text)


@click.command(cls=Command, short_help="Color photographs, folders, tar files and stores.")
@click.argument("photos", type=URL, nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    type=BY_REQUEST,
    metavar="OUT",
    help="A file; a folder if it exists, ends with /, or several photos come; - for stdout.",
)
@add_steering_options
@add_pin_options
@add_reference_options
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
    "--recipe", type=INPUT, metavar="FILE", help="Do what a saved recipe, or a result's own, says."
)
@click.option("--save-recipe", type=BY_REQUEST, metavar="FILE", help="Save what was chosen here.")
@click.option(
    "--compare", is_flag=True, help="Write a side-by-side picture, NAME.compare.EXT, too."
)
@click.option(
    "--layers",
    type=click.Choice(["png", "tiff"]),
    help="Write layers for image editors, too: png the colors alone, tiff photo and colors.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Of JPEG, WebP and AVIF. Lossless formats keep the luma to the bit.",
)
@click.option(
    "--depth",
    type=click.Choice(["8", "16", "auto"]),
    default="auto",
    show_default=True,
    help="Bits of a sample: auto is 16 where a photo has more than 8, in TIFF and PNG, else 8.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace outputs that exist; the input is never written."
)
@add_folder_options
@click.option("--strip-metadata", is_flag=True, help="Leave out EXIF, XMP, IPTC and comments.")
@click.option(
    "--no-provenance",
    is_flag=True,
    help="Do not write that the colors are computed, nor the recipe, into the results.",
)
@click.option(
    "--max-megapixels",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Refuse larger photos.",
)
@click.option(
    "--page",
    metavar="N",
    callback=_parse_page,
    help="Of a TIFF, instead of its largest picture; `all` for each page, to NAME-p1.EXT, ...",
)
@click.option("--salvage", is_flag=True, help="Color what is left of JPEGs that are cut.")
def colorize(
    photos: tuple[str, ...],
    output: str | None,
    steering: SteeringOptions,
    pins: PinOptions,
    reference: ReferenceOptions,
    folder: FolderOptions,
    vividness: float | None,
    recipe: Path | None,
    save_recipe: str | None,
    alternatives: int,
    compare: bool,
    layers: str | None,
    quality: int | None,
    depth: str,
    strip_metadata: bool,
    no_provenance: bool,
    max_megapixels: float | None,
    page: int | None,
    salvage: bool,
    overwrite: bool,
) -> None:
    """Color photographs. The result of PHOTO goes to NAME.color.EXT beside it.

    COLOR is a CSS name, #rrggbb, or hue:DEGREES (0 red, 120 green, 240 blue). PHOTO - reads
    standard input. A folder, a tar file, or a URL of one is colored into the folder or URL OUT;
    started again, that goes on where it was (see OUT/manifest.jsonl). The exit status is 1 if any
    photo failed, 130 after Ctrl-C.

    \b
    Examples:
      tintype colorize photo.jpg
      tintype colorize photo.jpg --towards red --ban blue --compare
      tintype colorize photo.jpg --at 0.42,0.61=navy --at 0.3,0.2=gray
      tintype colorize *.jpg -o colored/ --palette holiday.jpg
      tintype colorize scans/ -o colored/ --recursive
      tintype colorize s3://bucket/scans -o s3://bucket/colored --recursive --ray auto
      tintype colorize photo.jpg --like holiday.jpg --method welsh2002
      tintype colorize - < photo.jpg > colored.jpg
    """
    from tintype import batch
    from tintype.batch import OutputOptions, Request

    options = OutputOptions(
        alternatives=alternatives,
        compare=compare,
        layers=layers,
        quality=quality,
        depth=None if depth == "auto" else int(depth),
        strip_metadata=strip_metadata,
        provenance=not no_provenance,
        overwrite=overwrite,
        max_pixels=None if max_megapixels is None else round(1e6 * max_megapixels),
        page=page or None,
        salvage=salvage,
    )
    read = (recipe, steering.palette, reference.photo, steering.model, *pins.files)
    request = Request(
        photos,
        output,
        recursive=folder.recursive,
        album=folder.album,
        cohesion=folder.cohesion,
        interpolation=folder.interpolate,
        options=options,
        save_recipe=None if save_recipe is None else Path(save_recipe),
        runner=folder.runner(steering.threads),
        reference=_reference(reference),
        all_pages=page == _ALL_PAGES,
        made_from=tuple(file for file in read if file is not None),
    )
    others: dict[str, object] = {"--vividness": vividness, "--alternatives": alternatives or None}
    others |= folder.album_choices() | {"--save-recipe": save_recipe, "--recipe": recipe}
    reference.check(steering, others | pins.choices)
    pins.check(photos, many=request.is_folder or request.all_pages)
    palettes = {"--palette": steering.palette, "--like": reference.photo}
    folder.check(photos, request.is_folder, {"--alternatives": alternatives, **palettes})
    start = reference.photo if reference.method == "tintype" else None
    steering = replace(steering, palette=start or steering.palette)
    chosen = bool(steering.palette or steering.edits or vividness is not None or alternatives)
    if recipe and (chosen or any(pins.choices.values())):
        raise click.UsageError("--recipe already says what to do: leave the other choices out.")
    if save_recipe and (len(photos) > 1 or request.is_folder):
        raise click.UsageError("--save-recipe saves one result: give one photo.")
    if alternatives and (save_recipe or steering.palette is not None):
        raise click.UsageError("--alternatives start from the photo, and are no single recipe's.")
    try:
        request.locate()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with interruptible("the same command" if request.is_folder else ""):
        if request.reference is None:
            edits = pins.read()
            colorizer = load(steering.model, request.threads)
            wanted = make_recipe(colorizer, steering, vividness, recipe, edits)
            request = replace(request, colorizer=colorizer, recipe=wanted)
            with _name_file(recipe):
                request.check_palettes()
        if folder.watch:
            batch.watch(request, report=complain)
            sys.exit(0)
        sys.exit(1 if batch.colorize(request, report=complain).failures else 0)


def load(model: Path | None, threads: int | None, vgg: Path | None = None) -> "Colorizer":
    """The bundled model, a model folder, or a run of `tintype train`.

    vgg: where the VGG-16 of a run is now, if not where it was in training
    """
    from tintype.colorizer import load

    if model is None or not (model / "model.safetensors").exists():
        return load(model, threads=threads)
    with extra("train"):
        from tintype.colorizer import Colorizer
        from tintype.research.torch_model import TorchModel
    return Colorizer(TorchModel(model, vgg=vgg, threads=threads))


def _reference(options: ReferenceOptions) -> "Reference | None":
    """What is colored by without a model; None with one."""
    from tintype.batch import Reference

    if options.photo is None or options.method == "tintype":
        return None
    return Reference(options.photo, options.swatches)


def make_recipe(
    colorizer: "Colorizer",
    steering: SteeringOptions,
    vividness: float | None,
    file: Path | None,
    pins: "tuple[Pin, ...]" = (),
) -> "Recipe":
    """What the options say, or a saved recipe."""
    from tintype.recipe import Recipe

    if file is not None:
        return Recipe.load(file)
    # Through JSON, so that a saved recipe holds just what is asked for here.
    palette = steering.palette
    start = None if palette is None else load_palette(palette, colorizer).to_json()
    return Recipe(palette=start, edits=(*steering.edits, *pins), vividness=vividness)


def load_palette(name: str, colorizer: "Colorizer") -> "Palette":
    """A palette's file, or a photo's colors, over the model's bins."""
    from tintype.palette import Palette

    return Palette.load(name, colorizer.bins, side=colorizer.model.side)


@contextmanager
def _name_file(file: Path | None) -> Iterator[None]:
    """Say of an error in which recipe it is."""
    from tintype.errors import PaletteError

    try:
        yield
    except PaletteError as error:
        raise PaletteError(f"{file}: {error}") from None


def put_rare_options_last(command: click.Command) -> click.Command:
    """The same command, whose help names rare options after the common ones."""
    command.params.sort(key=lambda option: option.name in RARE)
    return command


put_rare_options_last(colorize)
