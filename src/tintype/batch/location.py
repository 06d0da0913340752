"""Photos and where their results go: folders, tar files and stores, in any pairing.

    PATH or URL ──list──▶ byte ranges ──fetch──▶ a file here ──make──▶ results here ──upload──▶ OUT

What is on no disk is copied to one photo by photo, colored as anywhere, and copied back. A store's
manifest is written on a disk and copied too, as such stores cannot append.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from tintype.batch.folder import PHOTOS, Listing, Target, is_shown, list_photos, result_name
from tintype.batch.manifest import NAME, Manifest
from tintype.batch.storage import ByteRange, Index, Storage, index_one_by_one, reason_of_store
from tintype.errors import FolderError, PhotoError
from tintype.files import Stamp

ALBUM = "album.json"  # an album's palette, in the folder of its results
EVERY = 30.0  # seconds between two copies of a manifest, at least,
COST = 0.05  # and the share of the time that they may take


@dataclass
class Location:
    """A folder or a tar file of photos, and the folder where their results go, as the same tree.

    recursive: whether the folders in it are colored too
    ordered: whether a photo's place decides its colors
    index: lists tar files
    byte_ranges: of what is not simply a file on a disk, by the targets' sources
    known: what is on no disk, as `Manifest` asks for it
    """

    photos: Storage
    results: Storage
    recursive: bool = False
    ordered: bool = False
    index: Index = index_one_by_one
    byte_ranges: dict[str, ByteRange] = field(default_factory=dict)
    known: dict[str, Stamp] = field(default_factory=dict)
    _home: Path | None = None  # of a manifest that is copied
    _due: float = 0.0  # when it is copied again

    def check(self) -> None:
        """Raise ValueError where results would lie among the photos, or go into a file."""
        path, out = self.photos.url, self.results.url
        inner, outer = self.photos.root, self.results.root
        if self.photos.on_disk and self.results.on_disk:
            if os.path.exists(outer) and not os.path.isdir(outer):
                raise ValueError(
                    f"expected a folder for the results, found the file {out}; name another"
                )
            inner, outer = os.path.realpath(inner), os.path.realpath(outer)
        elif not self._share_files:
            return
        elif inner == outer:
            raise ValueError(f"expected results elsewhere, found {path} itself; name another")
        if inner == outer:
            raise ValueError(f"expected results beside or in {path}, found it itself; name another")
        if self.recursive and PurePosixPath(outer) in PurePosixPath(inner).parents:
            raise ValueError(
                f"expected results outside of what holds {path}, found {out}, where they could "
                "come to lie among the photos; name another"
            )

    @property
    def _share_files(self) -> bool:
        """Whether photos and results are in one file system."""
        return bool(self.photos.files == self.results.files)

    def find_photos(self) -> Listing:
        """What there is beside results; where it is, is kept. Raises FolderError for nothing."""
        root = self.photos.root
        self.byte_ranges.clear()
        with self._reach():
            folder = self.photos.is_folder()
            if not folder and not self.photos.exists():
                raise FolderError(
                    f"{self.photos.url}: expected a folder or a tar file, found nothing; check the "
                    "path"
                )
            listing = self.list_folder() if folder else Listing()
            tars = {f"{root}/{name}": f"{name}/" for name in listing.tars} if folder else {root: ""}
            del listing.others[".tar"]
            for tar in self.index(self.photos, list(tars)) if tars else ():
                listing.unread.extend([tar.error] if tar.error else [])
                for name, byte_range in tar.byte_ranges.items():
                    self._add(listing, name, byte_range, tars[tar.tar])
            if not self.results.on_disk:
                results = self.results.list_files(recursive=True)
                self.known |= {self.results.label(path): mark for path, mark in results.items()}
        listing.names.sort()
        self.known |= {name: where.stamp for name, where in self.byte_ranges.items()}
        return listing

    def list_folder(self) -> Listing:
        """What a folder holds; tar files are not looked into."""
        if self.photos.on_disk:
            out = Path(self.results.url) if self.results.on_disk else None
            return list_photos(Path(self.photos.url), recursive=self.recursive, without=out)
        listing = Listing()
        results = f"{self.results.root}/" if self._share_files and self.recursive else None
        for path, mark in self.photos.list_files(recursive=self.recursive).items():
            if results is None or not path.startswith(results):
                name = path.removeprefix(self.photos.root).lstrip("/")
                self._add(listing, name, ByteRange(path, mark))
        return listing

    def _add(self, listing: Listing, name: str, where: ByteRange, tar: str = "") -> None:
        """Take up a file, unless it is hidden, leads out of the folder of results, or is there.

        tar: what comes before the name of a member
        """
        path, place = PurePosixPath(tar + name), self.photos.label(where.path)
        source = self.photos.join(str(path))
        if name.startswith("/") or ".." in path.parts:
            listing.unread.append(
                f"{place}: expected names in it, found {tar}{name}, which leads out; rename it"
            )
        elif source in self.byte_ranges:
            listing.unread.append(f"{place}: expected one {path}, found another; rename it")
        elif all(map(is_shown, path.parts[:-1])):
            listing.add(str(path))
            if path.suffix.lower() in PHOTOS:
                self.byte_ranges[source] = where

    def targets(self, names: list[str]) -> list[Target]:
        """Where the results of photos go, which are named as `find_photos` does."""
        targets = []
        for name, place in zip(names, spread_places(len(names)), strict=True):
            path = PurePosixPath(name)
            output = self.results.join(str(path.parent / result_name(path.name)))
            source = self.photos.join(name)
            targets.append(Target(source, output, name, place if self.ordered else None))
        return targets

    def list_files(self, targets: list[Target]) -> set[str]:
        """The files on a disk that photos are read from: their own, or tar files."""
        if not self.photos.on_disk:
            return set()
        parts = ((target, self.byte_ranges.get(target.source)) for target in targets)
        return {target.source if part is None else part.path for target, part in parts}

    @contextmanager
    def open_manifest(self, asked: dict[str, Any], *, take_over: bool) -> Iterator[Manifest]:
        """The results' manifest, open. Raises FolderError where it cannot be used."""
        out, path = self.results.url, self.photos.url
        options: dict[str, Any] = {"take_over": take_over, "known": self.known}
        if self.results.on_disk:
            with Manifest(out, path, asked, **options) as manifest:
                yield manifest
            return
        with self._reach():
            folder = TemporaryDirectory(prefix="tintype-")
        with folder as home:
            self._home = Path(home)
            if f"{out}/{NAME}" in self.known:
                with self._reach():
                    self.results.download(f"{self.results.root}/{NAME}", self._home / NAME)
            with Manifest(out, path, asked, home=self._home, **options) as manifest:
                try:
                    yield manifest
                except BaseException:
                    with suppress(FolderError):  # of a store that is gone: the first one counts
                        self.save_manifest()
                    raise
                self.save_manifest()

    def save_manifest(self, *, due: bool = False) -> None:
        """Copy the manifest to a store that it cannot be written in; `due` for only if due."""
        start = time.monotonic()
        if self._home is None or (due and start < self._due):
            return
        with self._reach():
            self.results.upload(self._home / NAME, f"{self.results.url}/{NAME}")
        now = time.monotonic()
        self._due = now + max(EVERY, (now - start) / COST)

    @contextmanager
    def _reach(self) -> Iterator[None]:
        """Whatever a store raises is a FolderError of one line."""
        try:
            yield
        except FolderError:
            raise
        except Exception as error:
            raise FolderError(
                f"{self.photos.url} -> {self.results.url}: expected to reach both, found: "
                f"{reason_of_store(error)}"
            ) from None

    @contextmanager
    def fetch(self, source: str) -> Iterator[str]:
        """A photo as a file on a disk, for a while. Raises PhotoError where it cannot be had."""
        where = self.byte_ranges.get(source)
        with make_scratch(where is not None) as scratch:
            if where is None:
                yield source
                return
            path = f"{scratch}/{PurePosixPath(source).name}"
            with explain_store("to read it"):
                where.fetch(self.photos, Path(path))
            yield path


def spread_places(count: int) -> list[float]:
    """Where each of so many photos is, from 0 for the first to 1 for the last."""
    return [number / max(1, count - 1) for number in range(count)]


@contextmanager
def make_scratch(needed: bool) -> Iterator[str]:
    """A temporary folder, where one is needed. Raises PhotoError where none can be made."""
    if not needed:
        yield ""
        return
    with explain_store("a temporary folder"):
        folder = TemporaryDirectory(prefix="tintype-")
    with folder:
        yield folder.name


@contextmanager
def explain_store(what: str) -> Iterator[None]:
    """Whatever a store raises is a PhotoError."""
    try:
        yield
    except Exception as error:
        raise PhotoError(f"expected {what}, found: {reason_of_store(error)}") from None
