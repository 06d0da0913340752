"""What to color, how, where to, and what runs it: one value that says it all."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.batch.folder import Target, is_kept
from tintype.batch.location import ALBUM, Location
from tintype.batch.manifest import NAME as MANIFEST
from tintype.batch.storage import Storage
from tintype.errors import PaletteError, PhotoError
from tintype.files import PIPE, Name, check_writes
from tintype.formats.decode import count_pages
from tintype.recipe import Recipe

if TYPE_CHECKING:
    from tintype.colorizer import Colorizer
    from tintype.palette import Palette
    from tintype.photo import Source
    from tintype.welsh2002 import Swatch

_SLASHES = ("/", os.sep)  # which say that a folder is meant
MOST_WORKERS = 4  # of a folder, unless more are asked for: each holds a photo in memory
LOCAL = "local"  # the address of a cluster that is started for one run, on this machine


@dataclass(frozen=True)
class Local:
    """This process, by threads.

    workers: photos at a time; by default 1, and for a folder one for each processor, up to 4
    threads: processors in all; all by default
    """

    workers: int | None = None
    threads: int | None = None

    def share(self, *, many: bool) -> tuple[int, int | None]:
        """How many photos at a time, and how many processors for each; None for all."""
        processors = self.threads or os.cpu_count() or 1
        workers = self.workers or (min(processors, MOST_WORKERS) if many else 1)
        return workers, self.threads if workers == 1 else max(1, processors // workers)


@dataclass(frozen=True)
class Ray:
    """A Ray cluster, by actors of one processor each; needs the extra [ray].

    address: of a cluster that runs; by default one is started on this machine
    workers: how many actors; by default one for each of its processors
    """

    address: str = LOCAL
    workers: int | None = None


@dataclass(frozen=True)
class OutputOptions:
    """What to write for each photo.

    alternatives: 0 for one result, else how many of the photo's alternatives, NAME-1.EXT, ...
    compare: whether to write a side-by-side picture, NAME.compare.EXT
    layers: "png" or "tiff" for a file with layers beside each result, NAME.layers.png or .tif
    depth: bits a sample, 8 or 16; by default 16 where a photo has more and a format holds them
    provenance: whether files say what they are, and hold the recipe
    page: of a TIFF, from 1; its largest picture by default
    salvage: whether a JPEG that is cut is colored as far as it goes
    recipe: a file to write after the photo: the result's recipe, or this text where it has none
    """

    alternatives: int = 0
    compare: bool = False
    layers: str | None = None
    quality: int | None = None
    depth: int | None = None
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
        choices: dict[str, Any] = {"depth": self.depth, "page": self.page}
        choices |= {"salvage": self.salvage or None}
        choices["layers"] = self.layers
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
        if self.layers is not None:
            files += [layers_path(output, self.layers) for output in files]
        if self.compare:
            files.append(comparison_path(target))
        return files if self.recipe is None else [*files, str(self.recipe[0])]


@dataclass(frozen=True)
class Reference:
    """A color photo whose colors are taken, by `tintype.welsh2002`.

    swatches: boxes of the photo and of the reference that belong together
    """

    photo: "Source"
    swatches: "tuple[Swatch, ...]" = ()


@dataclass(frozen=True)
class Request:
    """Photos to color. Where they lie and what runs it are independent of each other.

    photos: a folder, a tar file, a URL of one, or a list of photos
    output: where results go: a folder or its URL; for a list a file or a folder, by default beside
        the photos
    recursive: whether the folders in a folder are colored too
    recipe: what is chosen for each photo
    reference: colors by this instead, without a model
    album: whether a folder's photos have one palette, their mean, which OUT/album.json keeps
    cohesion: of an album, 0 (each photo's own palette) .. 1 (the album's)
    interpolation: the palettes of a folder's first and last photo, by name; others go between
    options: what is written
    save_recipe: a file for what was chosen, for one photo
    runner: what runs it
    colorizer: the model; the bundled one by default, with as many threads as `threads` says
    all_pages: whether each page of a TIFF is colored; of a list of photos
    made_from: files and folders that recipe and colorizer were read from: they are never written
    """

    photos: Name | Sequence[Name]
    output: Name | None = None
    recursive: bool = False
    recipe: Recipe = field(default_factory=Recipe)
    reference: Reference | None = None
    album: bool = False
    cohesion: float = 0.5
    interpolation: "tuple[Palette | Name, Palette | Name] | None" = None
    options: OutputOptions = field(default_factory=OutputOptions)
    save_recipe: Path | None = None
    runner: Local | Ray = field(default_factory=Local)
    colorizer: "Colorizer | None" = None
    all_pages: bool = False
    made_from: tuple[Name, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The photos' paths or URLs; of a folder or a tar file its own alone."""
        one = isinstance(self.photos, (str, os.PathLike))
        return tuple(map(os.fspath, [self.photos] if one else self.photos))  # type: ignore[arg-type]

    @property
    def is_folder(self) -> bool:
        """Whether there is a folder, a tar file or a URL of one among the photos."""
        return any(map(_holds_photos, self.names))

    @property
    def _is_list(self) -> bool:
        """Whether photos are named themselves; a cluster may see a folder that is not seen here."""
        far = isinstance(self.runner, Ray) and len(self.names) == 1
        return not self.is_folder and not (far and not os.path.isfile(self.names[0]))

    @property
    def threads(self) -> int | None:
        """How many processors color one photo; None for all."""
        if isinstance(self.runner, Ray):
            return 1
        return self.runner.share(many=self.is_folder)[1]

    def check_palettes(self) -> None:
        """Raise PaletteError where an album's palettes meet a recipe that starts from its own."""
        starts = self.recipe.palette is not None or self.recipe.alternative
        if starts and (self.album or self.interpolation is not None):
            raise PaletteError(
                "expected edits alone beside an album's palettes, found a palette or an "
                "alternative to start from; leave one out"
            )

    @property
    def inputs(self) -> tuple[Name, ...]:
        """Files and folders beside the photos that are read, and never written."""
        choices = (*(self.interpolation or ()), *([self.reference.photo] if self.reference else []))
        return (*self.made_from, *(c for c in choices if isinstance(c, (str, os.PathLike))))

    def locate(self) -> "Location | list[Target]":
        """Find the photos and where their results go.

        Raises ValueError where they do not go together, and FolderError for unknown stores.
        """
        names, output = self.names, None if self.output is None else os.fspath(self.output)
        if self._is_list:
            for name, value in (
                ("recursive", self.recursive),
                ("album", self.album),
                ("interpolation", self.interpolation),
            ):
                if value:
                    raise ValueError(f"expected a folder with {name}, found photos; name one")
            targets = plan_outputs(names, output)
            targets = split_pages(targets) if self.all_pages else targets
            if isinstance(self.runner, Ray) and any(PIPE in (t.source, t.output) for t in targets):
                raise ValueError("expected files with Ray, found standard input; name a file")
            check_writes(self._list_outputs(targets), [*names, *self.inputs])
            return targets
        if self.all_pages:
            raise ValueError(
                "expected photos with all pages, found a folder; "
                "name its photos: FOLDER/*.tif -o OUT"
            )
        if len(names) > 1:
            raise ValueError(
                f"expected one folder or a list of photos, found {' and '.join(names[:2])}; color "
                "one after the other"
            )
        if output in (None, PIPE):
            raise ValueError(f"expected -o OUT, a folder for the results of {names[0]}; name one")
        far = isinstance(self.runner, Ray)  # other processes have other working folders
        photos, results = (Storage.at(str(url), absolute=far) for url in (names[0], output))
        location = Location(photos, results, self.recursive, self.interpolation is not None)
        location.check()
        if self.album and (far or not results.on_disk):
            raise ValueError(
                "expected no album with Ray or a URL of results, found it; leave it out"
            )
        if self.save_recipe is not None:
            raise ValueError("expected one photo with save_recipe, found a folder; leave it out")
        if results.on_disk:
            notes = [MANIFEST, ALBUM] if self.album else [MANIFEST]
            check_writes(map(results.join, notes), self.inputs)
        return location

    def _list_outputs(self, targets: list[Target]) -> list[str]:
        """All that is written for a list of photos."""
        files = [file for target in targets for file in self.options.files(target)]
        return files if self.save_recipe is None else [*files, str(self.save_recipe)]


def _holds_photos(name: str) -> bool:
    """Whether it is a folder, a tar file or a URL, and not a photo."""
    return "://" in name or os.path.isdir(name) or name.lower().endswith(".tar")


def plan_outputs(sources: tuple[str, ...], output: str | None) -> list[Target]:
    """Where each photo's result goes.

    output: a file; a folder, if it exists, ends with a slash, or several photos come; None for
        beside the photo.
    Raises ValueError where two photos would share an output.
    """
    folder = output is not None and (
        len(sources) > 1 or Path(output).is_dir() or output.endswith(_SLASHES)
    )
    if output == PIPE and len(sources) > 1:
        raise ValueError("expected one photo for standard output, found several")
    targets = []
    claimed: dict[str, str] = {}
    for source in sources:
        name = "photo" if source == PIPE else Path(source).name
        if output is not None and not folder:
            path = output
        elif source == PIPE and output is None:
            path = PIPE
        else:
            parent = Path(output) if output is not None else Path(source).parent
            path = str(parent / _name_beside(name))
        if path in claimed:
            raise ValueError(
                f"{claimed[path]} and {source} would both become {path}; "
                "color them into different folders"
            )
        if path != PIPE:
            claimed[path] = source
        targets.append(Target(source, path))
    return targets


def split_pages(targets: list[Target]) -> list[Target]:
    """A target for each page of photos that have several: NAME-p1.EXT, ...

    Raises ValueError for standard input and output.
    """
    pages = []
    for target in targets:
        if PIPE in (target.source, target.output):
            raise ValueError("expected files with all pages, found standard input; name a file")
        count, output = count_pages(target.source), Path(target.output)
        if count == 1:
            pages.append(target)
            continue
        for page in range(1, count + 1):
            name = output.with_name(f"{output.stem}-p{page}{output.suffix}")
            pages.append(replace(target, output=str(name), page=page))
    return pages


def _name_beside(name: str) -> str:
    """NAME.color.EXT; PNG where photos are not written in the input's format."""
    path = Path(name)
    return f"{path.stem}.color{path.suffix if is_kept(path.suffix) else '.png'}"


def _add_suffix(output: str, suffix: str) -> str:
    if output == PIPE:
        raise PhotoError("expected a file for several results, found standard output; give -o")
    path = Path(output)
    return _beside(output, path.stem + suffix + path.suffix)


def _beside(output: str, name: str) -> str:
    """Another name in the same folder, which may be a URL's."""
    return os.path.join(os.path.dirname(output), name)


def layers_path(output: str, kind: str) -> str:
    """Where a result's layers go; kind: "png" or "tiff". Raises PhotoError for a pipe."""
    if output == PIPE:
        raise PhotoError("expected a file for layers, found standard output; give -o")
    stem = Path(output).stem.removesuffix(".color")
    return _beside(output, f"{stem}.layers.{'png' if kind == 'png' else 'tif'}")


def comparison_path(target: Target) -> str:
    if target.output == PIPE:
        raise PhotoError("expected a file for --compare, found standard output; give -o")
    path = Path(target.output)
    return _beside(target.output, path.stem.removesuffix(".color") + ".compare" + path.suffix)
