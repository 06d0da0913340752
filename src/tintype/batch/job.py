"""Many photos: coloring them, some at a time, whatever becomes of each."""

import io
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from tintype.batch.folder import PIPE, Target
from tintype.batch.manifest import Manifest, Outcome, Stamp, stamp
from tintype.colorizer import Colorizer, Result
from tintype.errors import FolderError, PhotoError, TintypeError
from tintype.files import sha256, write_whole
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, read, write
from tintype.recipe import Recipe

# A method: one result of a photo, or each alternative; where it goes tells its place in an album.
Color = Callable[[Photo, Target], Iterable[Result]]
# The palette to begin with, from a photo's own estimate and its place in an album, 0..1.
Start = Callable[[Palette, float], Palette]

T = TypeVar("T")
R = TypeVar("R")


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

    def about(self) -> dict[str, Any]:
        """What decides a file's bytes, as JSON."""
        names = ("alternatives", "quality", "strip_metadata")
        return {name: getattr(self, name) for name in names}

    def results(self, target: Target) -> list[str]:
        """Where the colored photos go: one, or each alternative. Raises PhotoError for a pipe."""
        if not self.alternatives:
            return [target.output]
        return [_suffixed(target.output, f"-{i + 1}") for i in range(self.alternatives)]

    def files(self, target: Target) -> list[str]:
        """All that is written for a photo. Raises PhotoError where a pipe cannot take it."""
        files = self.results(target)
        if self.compare:
            files.append(_compared(target))
        return files if self.recipe is None else [*files, str(self.recipe[0])]


def by_recipe(
    colorizer: Colorizer, recipe: Recipe, alternatives: int = 0, *, start: Start | None = None
) -> Color:
    """The model's method: one result, or one from each of so many of the photo's alternatives.

    start: of an album; by default a photo begins with what the recipe says
    """

    def color(photo: Photo, target: Target) -> Iterator[Result]:
        encoded = colorizer.encode(photo)
        begin = None if start is None else start(encoded.palette, target.place or 0.0)
        for number in range(1, alternatives + 1) if alternatives else [recipe.alternative]:
            yield replace(recipe, alternative=number).decode(colorizer, encoded, begin)

    return color


def run(
    color: Color,
    job: Job,
    targets: list[Target],
    *,
    tell: Callable[[Outcome], None],
    workers: int = 1,
    manifest: Manifest | None = None,
) -> None:
    """Color photos, so many at a time; a bad one never stops the others.

    color: gives as many results as the job asks for; called by several threads
    tell: is called with what became of each photo, in the order in which they end
    manifest: of a folder; gets a line for each photo, from the thread that colors it
    Ctrl-C stops it: the photo in hand is given up, or those of several workers are finished.
    Raises FolderError where the manifest cannot be written.
    """

    def work(target: Target) -> Outcome:
        return _attempt(color, job, target, manifest)

    with (
        progress("coloring", len(targets)) as bar,
        closing(as_they_end(work, targets, workers)) as outcomes,
    ):
        for outcome in outcomes:
            with tqdm.external_write_mode(file=sys.stderr):
                tell(outcome)
            bar.update()


def progress(what: str, count: int) -> Any:
    """A progress bar with photos a second and the time that is left, in a terminal."""
    some = None if count > 1 else True
    return tqdm(total=count, desc=what, unit=" photos", disable=some, delay=2)


def as_they_end(
    work: Callable[[T], R], items: Iterable[T], workers: int
) -> Generator[R, None, None]:
    """What becomes of photos, as they end; no more at once than workers, as each takes memory."""
    if workers == 1:  # in this thread, where Ctrl-C reaches the photo in hand
        yield from map(work, items)
        return
    waiting = iter(items)
    with ThreadPoolExecutor(workers) as pool:  # its end waits for the photos in hand
        pending = {pool.submit(work, item) for item in islice(waiting, workers)}
        while pending:
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            pending |= {pool.submit(work, item) for item in islice(waiting, len(ended))}
            for future in ended:
                yield future.result()


def _attempt(color: Color, job: Job, target: Target, manifest: Manifest | None) -> Outcome:
    """Color one photo, whatever happens, and say so in the manifest. Raises FolderError."""
    outcome = Outcome(target)
    with judging(outcome):
        make(color, job, outcome, claim(job, target, manifest))
    if manifest is not None:
        manifest.finish(outcome)
    return outcome


@contextmanager
def judging(outcome: Outcome) -> Iterator[None]:
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
    job: Job, target: Target, manifest: Manifest | None, *, sync: bool = True
) -> Sequence[str]:
    """Take a photo in hand: those of its files that exist and are ours to replace.

    sync: as of `Manifest.begin`. Raises PhotoError where files of others are in the way.
    """
    files = job.files(target)
    ours = [] if manifest is None else manifest.ours(target, files)
    exists = os.path.lexists if manifest is None else manifest.exists
    for path in files:
        if path != PIPE and not job.overwrite and path not in ours and exists(path):
            raise PhotoError(f"{path}: expected no such file, found one; --overwrite replaces it")
    if manifest is not None:
        manifest.begin(target, files, sync=sync)
    return ours


def make(color: Color, job: Job, outcome: Outcome, ours: Sequence[str]) -> None:
    """Color one photo and write everything that was asked for.

    ours: files that may be replaced. Raises TintypeError.
    """
    target = outcome.target
    if target.name:
        outcome.source = _identified(target.source)
    source: Any = sys.stdin.buffer.read() if target.source == PIPE else target.source
    photo = read(source, max_pixels=job.max_pixels or DEFAULT_MAX_PIXELS)
    outcome.colorful = photo.colorful
    if photo.colorful:
        outcome.lines.append(f"{target.source}: already has colors; they are replaced")
    results = []
    for result, output in zip(color(photo, target), job.results(target), strict=True):
        _save(result, output, replace(job, overwrite=job.overwrite or output in ours))
        results.append(result)
        outcome.reached.append(result.reached)
        if output != PIPE:
            outcome.made[output] = stamp(output)
            outcome.lines.append(f"{target.source} -> {output}{_reached(result.reached)}")
    if job.compare:
        output = _compared(target)
        may = job.overwrite or output in ours
        _save_comparison(photo, results, output, replace(job, overwrite=may))
        outcome.made[output] = stamp(output)
        outcome.lines.append(f"{target.source} -> {output}")
    if job.recipe is not None:
        save_text(*job.recipe)


def _identified(path: str) -> tuple[Stamp, str]:
    """A photo's stamp and the SHA-256 of its bytes. Raises PhotoError where it cannot be read."""
    try:
        return stamp(path), sha256(path)
    except OSError as error:
        raise PhotoError(
            f"{path}: expected a photo, found: {error.strerror}; check the path and its rights"
        ) from None


def _save(result: Result, output: str, job: Job) -> None:
    if output != PIPE:
        make_folder(Path(output).parent)
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


def make_folder(folder: Path) -> None:
    """Make a folder where there is none. Raises PhotoError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise PhotoError(f"{folder}: expected a folder to write to, found none: {why}") from None


def _save_comparison(photo: Photo, made: list[Result], output: str, job: Job) -> None:
    from PIL import Image

    from tintype.charts import side_by_side

    after = ["after"] if len(made) == 1 else [f"{i + 1}" for i in range(len(made))]
    images = [Image.fromarray(photo.luma), *(result.image for result in made)]
    sheet = side_by_side(images, ["before", *after])
    write(sheet, output, quality=job.quality, overwrite=job.overwrite)


def save_text(path: Path, text: str) -> None:
    """Write JSON, whole or not at all. Raises PhotoError."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise PhotoError(f"{path}: expected to write JSON, could not: {error.strerror}") from None


def _suffixed(output: str, suffix: str) -> str:
    if output == PIPE:
        raise PhotoError("expected a file for several results, found standard output; give -o")
    path = Path(output)
    return _beside(output, path.stem + suffix + path.suffix)


def _beside(output: str, name: str) -> str:
    """Another name in the same folder, which may be a URL's."""
    return os.path.join(os.path.dirname(output), name)


def _compared(target: Target) -> str:
    if target.output == PIPE:
        raise PhotoError("expected a file for --compare, found standard output; give -o")
    path = Path(target.output)
    return _beside(target.output, path.stem.removesuffix(".color") + ".compare" + path.suffix)


def _reached(share: float | None) -> str:
    """How much of a wish was reached, in words; below a few percent a number says nothing."""
    if share is None:
        return ""
    return f" (reached {min(1.0, share):.0%} of the wish)" if share > 0.05 else " (hardly reached)"


def reason_of(source: str, error: Exception) -> str:
    """Why a photo failed: one line, with its name once."""
    name, reason = (" ".join(text.splitlines()) for text in (source, str(error)))
    if not isinstance(error, TintypeError):
        kind = type(error).__name__
        return f"{name}: expected to color it, found {kind}: {reason}; please report it"
    return reason if reason.startswith(f"{name}:") else f"{name}: {reason}"
