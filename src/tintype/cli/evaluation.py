"""The commands that measure models and draw figures: they import research when they run."""

import sys
from pathlib import Path

import click

from tintype.cli.command import (
    INPUT,
    MODEL_FOLDER,
    PHOTO,
    Command,
    Output,
    extra,
    list_in,
    list_reports,
)  # fmt: skip
from tintype.cli.options import DATA, MODEL, THREADS

VGG = click.option("--vgg", type=INPUT, help="VGG-16's weights, for dahl2016 and fenu2016.")
FIGURES = [f"figure-{number}.{kind}" for number in range(1, 9) for kind in ("png", "svg")]


@click.command(cls=Command)
@click.argument("runs", nargs=-1, type=MODEL_FOLDER, metavar="[RUN]...")
@click.option("--data", "patterns", **DATA, required=True, help="Tar files or folders of photos.")
@MODEL
@click.option(
    "-o",
    "--output",
    type=Output(list_reports),
    metavar="STEM",
    help="Write STEM.json and STEM.md.",
)
@click.option("--limit", type=click.IntRange(1), help="Only the first photos.")
@click.option("--steering/--no-steering", default=True, help="Measure steering, too (slower).")
@click.option(
    "--edits",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=200,
    metavar="[N]",
    help="Let a simulated user edit the first N photos, 200 by default (slow).",
)
@click.option(
    "--hints",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=sys.maxsize,  # all
    metavar="[N]",
    help="Give the first N photos hints of their true colors, all by default (slow).",
)
@click.option(
    "--classifier",
    type=INPUT,
    metavar="FILE.npz",
    help="A MobileNetV2 for ImageNet that is to recognize the colored photos.",
)
@click.option("--luma", is_flag=True, help="Of RUNs no rows that keep HSV's V.")
@VGG
@THREADS
def evaluate(
    runs: tuple[Path, ...],
    patterns: tuple[str, ...],
    model: Path | None,
    output: Path | None,
    limit: int | None,
    steering: bool,
    edits: int | None,
    hints: int | None,
    classifier: Path | None,
    luma: bool,
    vgg: Path | None,
    threads: int | None,
) -> None:
    """Measure a model on photographs whose colors are known.

    With --model, a model folder or a run: how it colors at several vividnesses, with the true
    palette, and what it makes of edits, as far as its method takes them.

    With RUNs, folders that training left: a table of them and of gray, and beside runs of several
    methods of the bundled model and of color transfer. Those that differ in their seeds are a row.

    With --edits, also what the palette is worth to a person who knows the true colors and picks,
    up to five times for each photo, the best edit of a fixed menu; STEM.edits.png plots it.

    With --hints, also what true colors are worth that are told at 0 to 100 places: random ones,
    without a palette and with the true one, and up to 20 where a person sees the largest error;
    STEM.hints.png plots it.

    With --classifier, also how well it recognizes the colored photos, and how far they are from
    the true ones by its features.

    \b
    Examples:
      tintype evaluate --data validation.tar.gz -o docs/evaluation
      tintype evaluate --data validation.tar.gz --edits -o docs/evaluation
      tintype evaluate --data validation.tar.gz --no-steering --hints 100 -o hints
      tintype evaluate runs/dahl2016 runs/fenu2016 --data validation.tar.gz -o table
    """
    with extra("train"):
        from tintype.research.evaluation import evaluate as evaluating
        from tintype.research.evaluation import table
        from tintype.research.evaluation.recognition import Classifier
    from tintype.cli.colorize import load

    if runs:
        given: dict[str, object] = {"--model": model, "--no-steering": not steering}
        given |= {"--edits": edits, "--hints": hints, "--classifier": classifier}
        given["--threads"] = threads
        if found := [name for name, value in given.items() if value]:
            raise click.UsageError(f"expected RUNs or {found[0]}, found both")
        report = table.measure(list(runs), list(patterns), limit=limit, vgg_file=vgg, luma=luma)
        write, shown = table.write, table.format_table(report)
    else:
        if luma:
            raise click.UsageError("expected RUNs with --luma, found none; leave it out")
        colorizer = load(model, threads, vgg)
        report = evaluating.evaluate(
            colorizer,
            list(patterns),
            limit=limit,
            steer=steering,
            edits=edits or 0,
            hints=hints or 0,
            classifier=None if classifier is None else Classifier(classifier),
        )
        write, shown = evaluating.write, evaluating.format_table(report)
    if output is not None:
        write(report, output)
    click.echo(shown, nl=False)


@click.command(cls=Command)
@click.argument("runs", type=MODEL_FOLDER, nargs=-1, required=True, metavar="RUN...")
@click.option(
    "-o",
    "--output",
    type=Output(list_in("runs.json", *FIGURES)),
    required=True,
    help="The folder for PNG and SVG files.",
)
@click.option("--photo", "photos", type=PHOTO, multiple=True, help="A photo in color.")
@click.option("--gray-photo", "grays", type=PHOTO, multiple=True, help="One of unknown colors.")
@click.option(
    "--figure", "figures", type=int, multiple=True, help="A figure's number; all by default."
)
@click.option(
    "--amount",
    type=click.FloatRange(0, 1),
    default=0.81,  # plain to see, and some other colors stay
    show_default=True,
    help="The share of colors that goes towards red and blue in figures 6 to 8.",
)
@VGG
def plot(
    runs: tuple[Path, ...],
    output: Path,
    photos: tuple[Path, ...],
    grays: tuple[Path, ...],
    figures: tuple[int, ...],
    amount: float,
    vgg: Path | None,
) -> None:
    """Draw the figures of the paper from runs of `tintype train`.

    1 photos by fenu2016, 2 by all methods; 3 its network; 4 losses; 6 and 8 photos steered;
    7 palettes. Figure 6 takes the first half of the photos, figure 8 the others.

    \b
    Example:
      tintype plot runs/dahl2016 runs/fenu2016 -o figures --photo cat.jpg --photo sea.jpg
    """
    with extra("train"):
        from tintype.research.figures import plots
    if unknown := set(figures) - set(plots.FIGURES):
        known = ", ".join(map(str, plots.FIGURES))
        raise click.BadParameter(f"--figure: expected some of {known}, found {min(unknown)}")
    drawn = plots.plot(runs, output, photos, grays, figures=figures, amount=amount, vgg=vgg)
    click.echo("\n".join(map(str, drawn)))
