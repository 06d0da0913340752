"""The commands of research: they need the extra [train], and import it when they run."""

import os
from pathlib import Path

import click

from tintype.cli.command import (
    INPUT,
    MODEL_FOLDER,
    RECIPES,
    URL,
    Command,
    Output,
    extra,
    interruptible,
    list_in,
)  # fmt: skip
from tintype.cli.evaluation import VGG, evaluate, plot
from tintype.cli.options import DATA, PHOTOS, SET, add_training_options


@click.command(cls=Command)
@click.option("--method", default="tintype", show_default=True, help="What to train.")
@click.option("--data", "patterns", **PHOTOS)
@click.option("--recipes", type=RECIPES, metavar="DIR", help="Photos with recipes, not --data.")
@click.option("--start", type=INPUT, help="A checkpoint to begin with.")
@click.option("--compile", "compiled", is_flag=True, help="Compile the network, for long runs.")
@VGG
@add_training_options
def train(
    method: str,
    patterns: tuple[str, ...],
    recipes: Path | None,
    start: Path | None,
    compiled: bool,
    vgg: Path | None,
    output: Path,
    minutes: float | None,
    steps: int | None,
    resume: bool,
    settings: tuple[str, ...],
) -> None:
    """Train a model on photographs, or its palettes on recipes.

    Photos of tar files and folders are held in memory. A folder that `tintype data pack` made is
    streamed, by --set workers=N threads. Started by torchrun, several processes learn together,
    each from --set batch=N photos at a time; --set accumulate=N such batches make a step.

    With --recipes, the automatic palettes of --start move towards what people chose: DIR holds
    photos, and beside NAME.jpg its recipe as NAME.json, or as the editor saves it. That takes
    seconds; it is seen on photos left out when to end.

    \b
    Examples:
      tintype train --data 'photos*.tar.gz' -o runs/mine --minutes 90
      torchrun --nproc-per-node 8 -m tintype train --data shards/ -o runs/large --steps 200000
      tintype train --recipes chosen/ --start runs/mine/model.safetensors -o runs/taste
    """
    with extra("train"):
        from tintype.research.methods import METHODS
        from tintype.research.training.config import TrainConfig, configure
        from tintype.research.training.loop import train as run
    if method not in METHODS:
        raise click.BadParameter(f"expected one of {', '.join(METHODS)}, found {method!r}")
    if bool(patterns) == (recipes is not None):
        found = "both" if patterns else "neither"
        raise click.UsageError(f"expected --data or --recipes, found {found}")
    values = _pairs(settings)
    for name, file in (("start", start), ("vgg", vgg)):
        if file is not None:
            if name in values:
                raise click.UsageError(f"expected --{name} or --set {name}=FILE, found both")
            values[name] = str(file)
    if recipes is not None:
        if resume or compiled:
            name = "--resume" if resume else "--compile"
            raise click.UsageError(f"{name}: fine-tuning on recipes takes seconds; leave it out")
        from tintype.research.training import fine_tuning

        steps = steps or fine_tuning.FineTuningConfig.steps
        fine = fine_tuning.FineTuningConfig(method, str(recipes), minutes=minutes, steps=steps)
        report = fine_tuning.train(output, configure(fine, values), values)
        click.echo(", ".join(f"{name} {round(value, 3)}" for name, value in report.items()))
        return
    config = TrainConfig(method, patterns, minutes, steps, compile=compiled)
    with interruptible("the same command with --resume"):
        run(output, configure(config, values), values, resume=resume)


@click.command("pretrain-vgg", cls=Command)
@click.option("--teacher", type=INPUT, help="An .npz of the first stages, which stay as they are.")
@click.option("--guide", type=INPUT, help="EfficientNet-Lite0, to learn its views, too.")
@click.option("--data", "patterns", **PHOTOS, required=True)
@add_training_options
def pretrain_vgg(
    patterns: tuple[str, ...],
    teacher: Path | None,
    guide: Path | None,
    output: Path,
    minutes: float | None,
    steps: int | None,
    resume: bool,
    settings: tuple[str, ...],
) -> None:
    """Train VGG-16 on photos by class, for cheng2015, dahl2016 and fenu2016.

    \b
    Example:
      tintype pretrain-vgg --data 'photos64*.tar.gz' --teacher vgg16.npz -o runs/vgg --minutes 20
    """
    with extra("train"):
        from tintype.research.training import pretrain
        from tintype.research.training.config import TrainConfig, configure
        from tintype.research.training.loop import train as run
    values = _pairs(settings)
    values |= {k: str(v) for k, v in {"teacher": teacher, "guide": guide}.items() if v is not None}
    config = TrainConfig(method="vgg16", data=patterns, minutes=minutes, steps=steps)
    with interruptible("the same command with --resume"):
        run(output, configure(config, values), values, resume=resume)
    click.echo(str(pretrain.extract(output)))


@click.group()
def weights() -> None:
    """Weights of other networks that research builds on."""


@weights.command(cls=Command)
@click.argument("name", type=click.Choice(["vgg16"]))
@click.option(
    "-o",
    "--output",
    type=Output(lambda values: [values["output"] or f"{values['name']}.safetensors"]),
    help="NAME.safetensors by default.",
)
def fetch(name: str, output: Path | None) -> None:
    """Download published weights, check their hash, and keep their convolutions (extra [train]).

    \b
    Example:
      tintype weights fetch vgg16
    """
    with extra("train"):
        from tintype.research.methods import vgg16
    target = output or Path(f"{name}.safetensors")
    vgg16.fetch(target)
    click.echo(str(target))


@click.group("data")
def photographs() -> None:
    """Photographs for training."""


@photographs.command(cls=Command)
@click.argument("sources", type=URL, nargs=-1, required=True, metavar="SRC...")
@click.option(
    "-o",
    "--output",
    type=Output(list_in("manifest.json", "train-*.tar", "validation-*.tar")),
    required=True,
    metavar="SHARDS",
    help="A folder.",
)
@click.option(
    "--size",
    type=click.IntRange(64),
    default=256,
    show_default=True,
    metavar="N",
    help="Shrink photos whose short side has more pixels; none is enlarged.",
)
@click.option(
    "--per-shard",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Photos in a tar file; of 256 pixels some 30 MB.",
)
@click.option(
    "--validation",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    metavar="SHARE",
    help="How many photos go to the validation shards.",
)
@click.option(
    "--subset", type=click.IntRange(1), metavar="N", help="Only N photos, drawn at random."
)
@click.option("--seed", type=int, metavar="S", help="Another subset; 0 by default.")
@click.option("--keep-gray", is_flag=True, help="Pack photos without colors, too.")
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Photos at a time; one a processor."
)
def pack(
    sources: tuple[str, ...],
    output: Path,
    size: int,
    per_shard: int,
    validation: float,
    subset: int | None,
    seed: int | None,
    keep_gray: bool,
    workers: int | None,
) -> None:
    """Shrink photos once, into shuffled tar shards (WebDataset's layout) for a large training.

    SRC is a folder (ImageNet's train/, with a folder for each class), a tar file, or a pattern.
    Shards hold CLASS/NAME.jpg, upright and sRGB. What is unreadable, of unknown colors, under 64
    pixels, or longer than 4:1 is skipped; gray photos are left out. SHARDS/manifest.json counts
    and names it all. Stopped or killed, the same command goes on and ends at the same bytes.

    \b
    Examples:
      tintype data pack imagenet/train -o shards/
      tintype data pack imagenet/train -o million/ --subset 1000000 --seed 1
      tintype train --data shards/ -o runs/mine --minutes 90
    """
    from tintype.research.data import packing

    if seed is not None and subset is None:
        raise click.UsageError("expected --subset with --seed, found none; add it")
    options = packing.Options(size, per_shard, validation, subset, seed or 0, keep_gray)
    workers = workers or os.cpu_count() or 1
    with interruptible("the same command"):
        manifest = packing.pack(list(sources), output, options, workers=workers)
    click.echo(packing.summarize(manifest))


@click.command(cls=Command)
@click.argument("run", type=MODEL_FOLDER)
@click.option(
    "-o",
    "--output",
    type=Output(list_in("model.json", "encoder.onnx", "decoder.onnx")),
    required=True,
    help="The model's folder.",
)
@click.option("--data", "patterns", **DATA, help="Photos to check on; else the run's held-out.")
@click.option(
    "--set",
    "settings",
    **SET,
    help="side, temperature, calm, vivid, shadows, vividness or vividness_given.",
)
def export(run: Path, output: Path, patterns: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Turn a run into a model folder: two ONNX files, model.json."""
    with extra("train"):
        from tintype.research import export as exporting
    found = exporting.export(run, output, _pairs(settings), list(patterns))
    click.echo(", ".join(f"{name} {value:.3g}" for name, value in found.items()))


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    """FIELD=VALUE texts as a dictionary."""
    for text in settings:
        if "=" not in text:
            raise click.UsageError(f"--set: expected FIELD=VALUE, found {text!r}")
    return dict(text.split("=", 1) for text in settings)


COMMANDS = (photographs, train, pretrain_vgg, weights, export, evaluate, plot)
