"""Photos, one by one: reading, coloring, writing all that was asked for, saying how it went.

target ──claim──▶ its files are ours ──make──▶ method(photo) ──▶ results, comparison, recipe
"""

import io
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tintype.batch.folder import Target
from tintype.batch.manifest import Manifest, Outcome
from tintype.batch.request import OutputOptions, comparison_path, layers_path
from tintype.colorizer import Colorizer
from tintype.errors import FolderError, PhotoError, TintypeError
from tintype.files import PIPE, Stamp, is_special, sha256, stamp, write_whole
from tintype.formats.extras import EXTRAS
from tintype.palette import Palette
from tintype.parallel import map_unordered, progress_bar
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, check_depth, format_of, read, write
from tintype.pins import find_conflicts
from tintype.recipe import Recipe
from tintype.result import Result
from tintype.sandbox import read_bounded

# A method: one result of a photo, or each alternative, and how much was reached of what was asked
# for, None for nothing; where it goes tells its place in an album.
Method = Callable[[Photo, Target], Iterable[tuple[Result, float | None]]]
# The palette to begin with, from a photo's own estimate and its place in an album, 0..1.
Start = Callable[[Palette, float], Palette]


def make_method(
    colorizer: Colorizer, recipe: Recipe, alternatives: int = 0, *, start: Start | None = None
) -> Method:
    """The model's method: one result, or one from each of so many of the photo's alternatives.

    start: of an album; by default a photo begins with what the recipe says
    """

    def color(photo: Photo, target: Target) -> Iterator[tuple[Result, float | None]]:
        encoded = colorizer.encode(photo)
        given: dict[str, Any] | None = None  # so that a result's own recipe makes it again
        begun = None if start is None else start(encoded.palette, target.place or 0.0)
        if begun is not None and begun is not encoded.palette:
            given = begun.to_json(fine=True)
            encoded = replace(encoded, palette=Palette.from_json(colorizer.bins, given))
        for number in range(1, alternatives + 1) if alternatives else [recipe.alternative]:
            one = replace(recipe, alternative=number)
            result = colorizer.decode(encoded, one)
            reached = one.reached(colorizer, encoded, result)
            if given is not None and result.recipe is not None:  # which says all of it by itself
                result = replace(result, recipe=replace(result.recipe, palette=given))
            yield result, reached

    return color


MOST_NOTES = 50  # that are told at the end of a folder
Report = Callable[[str], None]  # what to do with a line for people


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
    if target.source != PIPE and is_special(target.source):
        raise PhotoError("expected a file, found a pipe or a device; send it to PHOTO -, by | or <")
    if target.name:
        outcome.source = _identify(target.source)
    for output in options.results(target):
        if output != PIPE:
            check_depth(output, format_of(output), options.depth)
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
        if options.layers is not None:
            beside = layers_path(output, options.layers)
            may = options.overwrite or beside in ours
            outcome.notes += _save_layers(result, beside, replace(options, overwrite=may))
            outcome.made[beside] = stamp(beside)
            outcome.lines.append(f"{target.source} -> {beside}")
    if options.compare:
        output = comparison_path(target)
        may = options.overwrite or output in ours
        _save_comparison(photo, results, output, replace(options, overwrite=may))
        outcome.made[output] = stamp(output)
        outcome.lines.append(f"{target.source} -> {output}")
    recipe = results[0].recipe
    if recipe is not None:
        outcome.notes += find_conflicts(recipe.pins, photo.size)
    if options.recipe is not None:
        path, text = options.recipe
        save_text(path, text if recipe is None else recipe.to_json())


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
            depth=options.depth,
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
        depth=options.depth,
        strip_metadata=options.strip_metadata,
        provenance=options.provenance,
    )
    _print(whole.getvalue())
    return notes


def _save_layers(result: Result, output: str, options: OutputOptions) -> tuple[str, ...]:
    """Write a result's layers; notes on what could not be kept."""
    return result.save_layers(
        output,
        overwrite=options.overwrite,
        strip_metadata=options.strip_metadata,
        provenance=options.provenance,
    )


def _print(content: bytes) -> None:
    """Write to standard output. Raises PhotoError where nobody reads it to its end."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # for what Python flushes at its end
        os.close(nowhere)
        raise PhotoError("expected a reader of standard output, found that it has ended") from None


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


def _describe_reached(share: float | None) -> str:
    """How much of a recipe was reached, in words; below a few percent a number says nothing."""
    if share is None:
        return ""
    if share < -0.05:
        return " (reached none of it: went past it, or elsewhere)"
    return f" (reached {min(1.0, share):.0%})" if share > 0.05 else " (hardly reached)"


def reason_of(source: str, error: Exception) -> str:
    """Why a photo failed: one line, with its name once."""
    name, reason = (" ".join(text.splitlines()) for text in (source, str(error)))
    if not isinstance(error, TintypeError):
        kind = type(error).__name__
        return f"{name}: expected to color it, found {kind}: {reason}; please report it"
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"


def name_notes(outcome: Outcome) -> list[str]:
    """The notes, each after the photo's name."""
    return [f"{outcome.target.source}: {note}" for note in outcome.notes]


def ignore(_: str) -> None:
    """Tell nobody."""


@dataclass
class Summary:
    """What became of photos.

    colored: how many were colored now; unchanged: how many were done before
    colorful: how many of them had colors already
    failures: a line for each photo that could not be colored, and what could not be looked into
    notes: what people should know of photos that were colored, a line each
    others: how many files of each extension were left alone as no photos
    """

    colored: int = 0
    unchanged: int = 0
    colorful: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> None:
        """Count one photo more."""
        if outcome.error is not None:
            self.failures.append(outcome.error)
            return
        self.colored += 1
        self.notes += name_notes(outcome)
        self.colorful += outcome.colorful

    def lines(self, out: str | Path) -> Iterator[str]:
        """The end of a run in words: failures and notes, one a line, then counts."""
        yield from (" ".join(line.splitlines()) for line in sorted(self.failures))
        yield from sorted(self.notes)[:MOST_NOTES]
        if len(self.notes) > MOST_NOTES:
            yield f"and {len(self.notes) - MOST_NOTES} more notes on photos"
        counts = [f"{self.colored} colored into {out}"]
        counts += [f"{self.colorful} of them had colors already"] if self.colorful else []
        counts += [f"{self.unchanged} were done before"] if self.unchanged else []
        counts += [f"{len(self.failures)} failed"] if self.failures else []
        if self.others:
            few = self.others.most_common(4)
            kinds = ", ".join(f"{count} {' '.join(kind.splitlines())}" for kind, count in few)
            counts.append(f"{self.others.total()} others skipped ({kinds})")
        for extra in sorted({EXTRAS[kind] for kind in self.others if kind in EXTRAS}):
            names = ", ".join(kind for kind in self.others if EXTRAS.get(kind) == extra)
            yield f"{names}: pip install 'tintype[{extra}]' to have such photos colored"
        yield ", ".join(counts)


def run_targets(
    work: Callable[[Target], Outcome],
    targets: list[Target],
    *,
    tell: Callable[[Outcome], None],
    workers: int = 1,
) -> None:
    """Color photos, so many at a time; a bad one never stops the others.

    work: colors one, whatever happens; called by several threads
    tell: is called with what became of each photo, in the order in which they end
    Ctrl-C stops it: the photo in hand is given up, or those of several workers are finished.
    """
    with (
        progress_bar("coloring", len(targets)) as bar,
        closing(map_unordered(work, targets, workers)) as outcomes,
    ):
        for outcome in outcomes:
            with tqdm.external_write_mode(file=sys.stderr):
                tell(outcome)
            bar.update()
