"""Many photos: where results go, and colouring one after the other, whatever becomes of each."""

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tintype.colorizer import Colorizer, Result
from tintype.errors import PhotoError, TintypeError
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, format_of, read, write
from tintype.recipe import Recipe

PIPE = "-"  # standard input or output

Colour = Callable[[Photo], Iterable[Result]]  # a method: one result, or each alternative


@dataclass(frozen=True)
class Target:
    """A photo and where its result goes: a path, or `PIPE`."""

    source: str
    output: str


@dataclass(frozen=True)
class Job:
    """What to write for each photo.

    alternatives: 0 for one result, else how many of the photo's alternatives, NAME-1.EXT, ...
    compare: whether to write a side-by-side picture, NAME.compare.EXT
    recipe: a file to write after the photo, and its text
    """

    alternatives: int = 0
    compare: bool = False
    quality: int | None = None
    strip_metadata: bool = False
    overwrite: bool = False
    max_pixels: int | None = None
    recipe: tuple[Path, str] | None = None


def outputs(sources: tuple[str, ...], output: str | None) -> list[Target]:
    """Where each photo's result goes.

    output: a file; a folder, if it exists or several photos come; None for beside the photo.
    Raises ValueError where two photos would share an output, or an output is its own input.
    """
    folder = output is not None and (len(sources) > 1 or Path(output).is_dir())
    if output == PIPE and len(sources) > 1:
        raise ValueError("expected one photo for standard output, found several")
    targets = []
    for source in sources:
        name = "photo" if source == PIPE else Path(source).name
        if output is not None and not folder:
            path = output
        elif source == PIPE and output is None:
            path = PIPE
        else:
            parent = Path(output) if output is not None else Path(source).parent
            path = str(parent / _colored(name))
        targets.append(Target(source, path))
    taken: dict[str, str] = {}
    for target in targets:
        key = os.path.abspath(target.output)
        if target.output != PIPE and key in taken:
            raise ValueError(
                f"{taken[key]} and {target.source} would both become {target.output}; "
                "colour them into different folders"
            )
        taken[key] = target.source
        if target.output != PIPE and key in (os.path.abspath(s) for s in sources):
            raise ValueError(f"{target.output} is an input, which is never written; name another")
    return targets


def _colored(name: str) -> str:
    """NAME.color.EXT; PNG where photos are not written in the input's format."""
    path = Path(name)
    try:
        format_of(path)
    except PhotoError:
        return f"{path.stem}.color.png"
    return f"{path.stem}.color{path.suffix}"


def by_recipe(colorizer: Colorizer, recipe: Recipe, alternatives: int = 0) -> Colour:
    """The model's method: one result, or one from each of so many of the photo's alternatives."""

    def colour(photo: Photo) -> Iterator[Result]:
        encoded = colorizer.encode(photo)
        for start in range(1, alternatives + 1) if alternatives else [recipe.alternative]:
            yield replace(recipe, alternative=start).decode(colorizer, encoded)

    return colour


def run(
    colour: Colour,
    job: Job,
    targets: list[Target],
    *,
    say: Callable[[str], None],
) -> list[str]:
    """Colour photos one after the other; a bad one never stops the others.

    colour: gives as many results as the job asks for
    say: what to do with lines for people. Returns the photos that failed.
    """
    failures = []
    bar = tqdm(
        targets,
        desc="colouring",
        unit=" photos",
        disable=None if len(targets) > 1 else True,
        delay=2,
    )
    for target in bar:
        try:
            for line in _one(colour, job, target):
                with tqdm.external_write_mode(file=sys.stderr):
                    say(line)
        except TintypeError as error:
            failures.append(target.source)
            with tqdm.external_write_mode(file=sys.stderr):
                say(_named(target.source, str(error)))
    return failures


def _one(colour: Colour, job: Job, target: Target) -> Iterator[str]:
    """Colour one photo and write everything that was asked for; yields lines to say."""
    results = [target.output]
    if job.alternatives:
        results = [_suffixed(target.output, f"-{i + 1}") for i in range(job.alternatives)]
    extra = [_compared(target)] if job.compare else []
    files = [*results, *extra, *([str(job.recipe[0])] if job.recipe else [])]
    if not job.overwrite:
        for path in files:
            if path != PIPE and os.path.lexists(path):
                raise PhotoError(
                    f"{path}: expected no such file, found one; --overwrite replaces it"
                )
    source: Any = sys.stdin.buffer.read() if target.source == PIPE else target.source
    photo = read(source, max_pixels=job.max_pixels or DEFAULT_MAX_PIXELS)
    if photo.colorful:
        yield f"{target.source}: already has colours; they are replaced"
    made = []
    for result, output in zip(colour(photo), results, strict=True):
        _save(result, output, job)
        made.append(result)
        if output != PIPE:
            yield f"{target.source} -> {output}{_reached(result.reached)}"
    for output in extra:
        _save_comparison(photo, made, output, job)
        yield f"{target.source} -> {output}"
    if job.recipe is not None:
        _save_text(*job.recipe)


def _save(result: Result, output: str, job: Job) -> None:
    if output != PIPE:
        folder = Path(output).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror or error
            raise PhotoError(
                f"{folder}: expected a folder to write to, found none: {why}"
            ) from None
        result.save(
            output,
            quality=job.quality,
            overwrite=job.overwrite,
            strip_metadata=job.strip_metadata,
        )
        return
    whole = io.BytesIO()
    kind = result.photo.format if result.photo.format in ("JPEG", "TIFF", "WEBP", "AVIF") else "PNG"
    result.save(whole, format=kind, quality=job.quality, strip_metadata=job.strip_metadata)
    sys.stdout.buffer.write(whole.getvalue())
    sys.stdout.buffer.flush()


def _save_comparison(photo: Photo, made: list[Result], output: str, job: Job) -> None:
    from PIL import Image

    from tintype.chart import side_by_side

    after = ["after"] if len(made) == 1 else [f"{i + 1}" for i in range(len(made))]
    images = [Image.fromarray(photo.luma), *(result.image for result in made)]
    sheet = side_by_side(images, ["before", *after])
    write(sheet, output, quality=job.quality, overwrite=job.overwrite)


def _save_text(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text)
        os.replace(part, path)
    except OSError as error:
        raise PhotoError(
            f"{path}: expected to write a recipe, could not: {error.strerror}"
        ) from None


def _suffixed(output: str, suffix: str) -> str:
    if output == PIPE:
        raise PhotoError("expected a file for several results, found standard output; give -o")
    path = Path(output)
    return str(path.with_name(path.stem + suffix + path.suffix))


def _compared(target: Target) -> str:
    if target.output == PIPE:
        raise PhotoError("expected a file for --compare, found standard output; give -o")
    path = Path(target.output)
    return str(path.with_name(path.stem.removesuffix(".color") + ".compare" + path.suffix))


def _reached(share: float | None) -> str:
    """How much of a wish was reached, in words; below a few percent a number says nothing."""
    if share is None:
        return ""
    return f" (reached {min(1.0, share):.0%} of the wish)" if share > 0.05 else " (hardly reached)"


def _named(source: str, message: str) -> str:
    """The message with the photo's name, once."""
    return message if message.startswith(f"{source}:") else f"{source}: {message}"
