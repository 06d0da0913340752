"""One photo of many: reading it, coloring it, writing all that was asked for, saying how it went.

target ──claim──▶ its files are ours ──make──▶ method(photo) ──▶ results, comparison, recipe
"""

import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tintype.batch.folder import Target
from tintype.batch.manifest import Manifest, Outcome, Stamp, stamp
from tintype.colorizer import Colorizer
from tintype.errors import FolderError, PhotoError, TintypeError
from tintype.files import PIPE, sha256, write_whole
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, read, write
from tintype.recipe import Recipe
from tintype.result import Result
from tintype.sandbox import read_bounded

# A method: one result of a photo, or each alternative, and how much was reached of what was asked
# for, None for nothing; where it goes tells its place in an album.
Method = Callable[[Photo, Target], Iterable[tuple[Result, float | None]]]
# The palette to begin with, from a photo's own estimate and its place in an album, 0..1.
Start = Callable[[Palette, float], Palette]


@dataclass(frozen=True)
class OutputOptions:
    """What to write for each photo.

    alternatives: 0 for one result, else how many of the photo's alternatives, NAME-1.EXT, ...
    compare: whether to write a side-by-side picture, NAME.compare.EXT
    provenance: whether files say what they are, and hold the recipe
    page: of a TIFF, from 1; its largest picture by default
    salvage: whether a JPEG that is cut is colored as far as it goes
    recipe: a file to write after the photo, and its text
    """

    alternatives: int = 0
    compare: bool = False
    quality: int | None = None
    strip_metadata: bool = False
    provenance: bool = True
    overwrite: bool = False
    max_pixels: int | None = None
    page: int | None = None
    salvage: bool = False
    recipe: tuple[Path, str] | None = None

    def about(self) -> dict[str, Any]:
        """What decides a file's bytes, as JSON."""
        about: dict[str, Any] = {
            "alternatives": self.alternatives,
            "quality": self.quality,
            "strip_metadata": self.strip_metadata,
        }
        choices = {"page": self.page, "salvage": self.salvage or None}
        choices |= {} if self.provenance else {"provenance": False}
        return about | {name: value for name, value in choices.items() if value is not None}

    def results(self, target: Target) -> list[str]:
        """Where the colored photos go: one, or each alternative. Raises PhotoError for a pipe."""
        if not self.alternatives:
            return [target.output]
        return [_add_suffix(target.output, f"-{i + 1}") for i in range(self.alternatives)]

    def files(self, target: Target) -> list[str]:
        """All that is written for a photo. Raises PhotoError where a pipe cannot take it."""
        files = self.results(target)
        if self.compare:
            files.append(_comparison_path(target))
        return files if self.recipe is None else [*files, str(self.recipe[0])]


def make_method(
    colorizer: Colorizer, recipe: Recipe, alternatives: int = 0, *, start: Start | None = None
) -> Method:
    """The model's method: one result, or one from each of so many of the photo's alternatives.

    start: of an album; by default a photo begins with what the recipe says
    """

    def color(photo: Photo, target: Target) -> Iterator[tuple[Result, float | None]]:
        encoded = colorizer.encode(photo)
        if start is not None:
            encoded = replace(encoded, palette=start(encoded.palette, target.place or 0.0))
        for number in range(1, alternatives + 1) if alternatives else [recipe.alternative]:
            one = replace(recipe, alternative=number)
            result = colorizer.decode(encoded, one)
            reached = one.reached(colorizer, encoded, result)
            if start is not None and result.recipe is not None:  # which says all of it by itself
                result = replace(result, recipe=replace(result.recipe, palette=encoded.palette))
            yield result, reached

    return color


@contextmanager
def judge(outcome: Outcome) -> Iterator[None]:
    """Put into an outcome what becomes of a photo, and how long it takes. Raises FolderError."""
    start = time.perf_counter()
    try:
        yield
    except FolderError:
        raise
    except Exception as error:  # a photo that is odd in a new way must not end a night's work
        outcome.error = reason_of(outcome.target.source, error)
    outcome.milliseconds = round(1000 * (time.perf_counter() - start))


def claim(
    options: OutputOptions, target: Target, manifest: Manifest | None, *, sync: bool = True
) -> Sequence[str]:
    """Take a photo in hand: those of its files that exist and are ours to replace.

    sync: as of `Manifest.begin`. Raises PhotoError where files of others are in the way.
    """
    files = options.files(target)
    ours = [] if manifest is None else manifest.ours(target, files)
    exists = os.path.lexists if manifest is None else manifest.exists
    for path in files:
        if path != PIPE and not options.overwrite and path not in ours and exists(path):
            raise PhotoError(f"{path}: expected no such file, found one; --overwrite replaces it")
    if manifest is not None:
        manifest.begin(target, files, sync=sync)
    return ours


def colorize_photo(
    method: Method, options: OutputOptions, outcome: Outcome, ours: Sequence[str]
) -> None:
    """Color one photo and write everything that was asked for.

    ours: files that may be replaced. Raises TintypeError.
    """
    target = outcome.target
    if target.name:
        outcome.source = _identify(target.source)
    source: Any = sys.stdin.buffer.read() if target.source == PIPE else target.source
    wanted = partial(
        read,
        max_pixels=options.max_pixels or DEFAULT_MAX_PIXELS,
        page=target.page or options.page,
        salvage=options.salvage,
    )
    photo = read_bounded(source, wanted)
    outcome.colorful = photo.colorful
    if photo.colorful:
        outcome.lines.append(f"{target.source}: already has colors; they are replaced")
    outcome.notes += photo.notes
    results = []
    made = zip(method(photo, target), options.results(target), strict=True)
    for (result, reached), output in made:
        may = options.overwrite or output in ours
        notes = _save(result, output, replace(options, overwrite=may))
        outcome.notes += notes
        results.append(result)
        outcome.reached.append(reached)
        if output != PIPE:
            outcome.made[output] = stamp(output)
            outcome.lines.append(f"{target.source} -> {output}{_describe_reached(reached)}")
    if options.compare:
        output = _comparison_path(target)
        may = options.overwrite or output in ours
        _save_comparison(photo, results, output, replace(options, overwrite=may))
        outcome.made[output] = stamp(output)
        outcome.lines.append(f"{target.source} -> {output}")
    if options.recipe is not None:
        save_text(*options.recipe)


def _identify(path: str) -> tuple[Stamp, str]:
    """A photo's stamp and the SHA-256 of its bytes. Raises PhotoError where it cannot be read."""
    try:
        return stamp(path), sha256(path)
    except OSError as error:
        raise PhotoError(
            f"{path}: expected a photo, found: {error.strerror}; check the path and its rights"
        ) from None


def _save(result: Result, output: str, options: OutputOptions) -> tuple[str, ...]:
    """Write a result, or print it; notes on what could not be kept."""
    if output != PIPE:
        make_folder(Path(output).parent)
        return result.save(
            output,
            quality=options.quality,
            overwrite=options.overwrite,
            strip_metadata=options.strip_metadata,
            provenance=options.provenance,
        )
    whole = io.BytesIO()
    kind = result.photo.format if result.photo.format in ("JPEG", "TIFF", "WEBP", "AVIF") else "PNG"
    notes = result.save(
        whole,
        format=kind,
        quality=options.quality,
        strip_metadata=options.strip_metadata,
        provenance=options.provenance,
    )
    sys.stdout.buffer.write(whole.getvalue())
    sys.stdout.buffer.flush()
    return notes


def make_folder(folder: Path) -> None:
    """Make a folder where there is none. Raises PhotoError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise PhotoError(f"{folder}: expected a folder to write to, found none: {why}") from None


def _save_comparison(photo: Photo, made: list[Result], output: str, options: OutputOptions) -> None:
    from PIL import Image

    from tintype.charts import side_by_side

    after = ["after"] if len(made) == 1 else [f"{i + 1}" for i in range(len(made))]
    images = [Image.fromarray(photo.luma), *(result.image for result in made)]
    sheet = side_by_side(images, ["before", *after])
    write(sheet, output, quality=options.quality, overwrite=options.overwrite)


def save_text(path: Path, text: str) -> None:
    """Write JSON, whole or not at all. Raises PhotoError."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise PhotoError(f"{path}: expected to write JSON, could not: {error.strerror}") from None


def _add_suffix(output: str, suffix: str) -> str:
    if output == PIPE:
        raise PhotoError("expected a file for several results, found standard output; give -o")
    path = Path(output)
    return _beside(output, path.stem + suffix + path.suffix)


def _beside(output: str, name: str) -> str:
    """Another name in the same folder, which may be a URL's."""
    return os.path.join(os.path.dirname(output), name)


def _comparison_path(target: Target) -> str:
    if target.output == PIPE:
        raise PhotoError("expected a file for --compare, found standard output; give -o")
    path = Path(target.output)
    return _beside(target.output, path.stem.removesuffix(".color") + ".compare" + path.suffix)


def _describe_reached(share: float | None) -> str:
    """How much of a recipe was reached, in words; below a few percent a number says nothing."""
    if share is None:
        return ""
    return f" (reached {min(1.0, share):.0%})" if share > 0.05 else " (hardly reached)"


def reason_of(source: str, error: Exception) -> str:
    """Why a photo failed: one line, with its name once."""
    name, reason = (" ".join(text.splitlines()) for text in (source, str(error)))
    if not isinstance(error, TintypeError):
        kind = type(error).__name__
        return f"{name}: expected to color it, found {kind}: {reason}; please report it"
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"
