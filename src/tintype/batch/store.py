"""Photos in tar files and in stores that fsspec knows, and results that go into such a store.

    PATH or URL ──listed──▶ pieces ──fetch──▶ a file here ──make──▶ results here ──keep──▶ OUT

What is on no disk is copied to one photo by photo, colored as anywhere, and copied back. The
manifest is written on a disk and copied too, as such stores cannot append.
"""

import os
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from tintype.batch.album import places
from tintype.batch.folder import PHOTOS, Folder, Listing, Target, apart, is_shown, listed
from tintype.batch.job import Color, Job, judging, make
from tintype.batch.manifest import NAME, Manifest, Outcome, Stamp
from tintype.errors import FolderError, PhotoError

EVERY = 30.0  # seconds between two copies of a manifest, at least,
COST = 0.05  # and the share of the time that they may take
# What file systems call the time when a file was modified.
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


@dataclass(frozen=True)
class Shelf:
    """A folder or a tar file, on a disk or by a URL.

    url: what people call it, without a slash at its end; on a disk its absolute path
    files, root: its file system, and what that calls it
    """

    url: str
    files: AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> "Shelf":
        """Find it. Raises FolderError for URLs that fsspec does not know or reach."""
        try:
            there = "://" not in url and os.path.exists(url)  # whatever else it reads as
            files, root = (LocalFileSystem(), os.path.abspath(url)) if there else url_to_fs(url)
        except Exception as error:  # whatever a store raises
            why = f"expected a path or a known URL, found: {_why(error)}"
            raise FolderError(f"{url}: {why}") from None
        if root and not root.strip("/"):
            raise FolderError(f"{url}: expected a folder, found the root of all; name one in it")
        url = root if isinstance(files, LocalFileSystem) else url
        return cls(url.rstrip("/"), files, root.rstrip("/"))

    @property
    def on_disk(self) -> bool:
        """Whether it is on a disk, of this machine or shared."""
        return isinstance(self.files, LocalFileSystem)

    def called(self, path: str) -> str:
        """What people call a file of it, given what its file system calls that."""
        return self.url + path.removeprefix(self.root)

    def found(self, *, deep: bool) -> dict[str, Stamp]:
        """Its files, by what its file system calls them; `deep` for those in its folders too."""
        every = self.files.find(self.root, maxdepth=None if deep else 1, detail=True)
        return {path: _stamp(about) for path, about in every.items()}

    def put(self, file: Path, url: str) -> str:
        """Copy a file into it, under what people call it: what its file system calls that."""
        path = self.root + url.removeprefix(self.url)
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.put_file(str(file), path)
        return path

    def keep(self, file: Path, url: str) -> Stamp:
        """As `put`; removed again where its stamp cannot be had, by which it is known as ours."""
        path = self.put(file, url)
        try:
            return _stamp(self.files.info(path))
        except Exception:
            self.files.rm_file(path)
            raise


def _stamp(about: dict[str, Any]) -> Stamp:
    """A file's bytes and when it was modified, as its file system says; 0 where it does not."""
    when = next((about[name] for name in _TIMES if about.get(name)), 0.0)
    seconds = when.timestamp() if isinstance(when, datetime) else float(when)
    return int(about.get("size") or 0), 1000 * round(1e6 * seconds)


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the bytes of a photo are: in a file, or from an offset on in a tar file.

    offset: -1 for a whole file
    """

    path: str
    stamp: Stamp
    offset: int = -1

    def fetch(self, files: AbstractFileSystem, to: Path) -> None:
        """Copy them to a disk."""
        if self.offset < 0:
            files.get_file(self.path, str(to))
            return
        end = self.offset + self.stamp[0]
        to.write_bytes(files.cat_file(self.path, start=self.offset, end=end))


@dataclass(frozen=True)
class Members:
    """What a tar file holds, by the members' names; error: one line for what cannot be read."""

    tar: str
    pieces: dict[str, Piece] = field(default_factory=dict)
    error: str | None = None


def members(shelf: Shelf, tar: str) -> Members:
    """The files in a tar file of a shelf; of those with one name the last, as when unpacked."""
    found, lost = Members(tar), 0
    try:
        _, packed = _stamp(shelf.files.info(tar))
        with shelf.files.open(tar, "rb") as file, tarfile.open(fileobj=file, mode="r:") as opened:
            for member in opened:
                opened.members = []  # type: ignore[attr-defined]  # else it keeps each
                name = str(PurePosixPath(member.name))
                first = str(PurePosixPath(member.linkname))
                if member.isfile():
                    about = (member.size, round(1e9 * member.mtime) or packed)
                    found.pieces[name] = Piece(tar, about, member.offset_data)
                elif member.islnk() and first in found.pieces:
                    found.pieces[name] = found.pieces[first]
                elif not member.isdir() and PurePosixPath(name).suffix.lower() in PHOTOS:
                    lost += 1
    except Exception as error:  # whatever broken bytes and stores provoke
        expected = "expected a tar file, whole and not compressed"
        return replace(found, error=f"{shelf.called(tar)}: {expected}, found: {_why(error)}")
    if lost:
        expected = f"expected photos themselves, found {lost} as links; pack what these lead to"
        return replace(found, error=f"{shelf.called(tar)}: {expected}")
    return found


Index = Callable[[Shelf, list[str]], Iterable[Members]]


def one_by_one(shelf: Shelf, tars: list[str]) -> Iterator[Members]:
    """What tar files hold."""
    return (members(shelf, tar) for tar in tars)


@dataclass
class Elsewhere:
    """Photos and where their results go, as `Folder`, with tar files and with URLs.

    index: lists tar files
    pieces: of what is not simply a file on a disk, by the targets' sources
    known: what is on no disk, as `Manifest` asks for it
    """

    source: Shelf
    shelf: Shelf
    recursive: bool = False
    walk: bool = False
    index: Index = one_by_one
    pieces: dict[str, Piece] = field(default_factory=dict)
    known: dict[str, Stamp] = field(default_factory=dict)
    _home: Path | None = None  # of a manifest that is copied
    _due: float = 0.0  # when it is copied again

    @property
    def path(self) -> str:
        """What people call the photos' place."""
        return self.source.url

    @property
    def out(self) -> str:
        """What people call the results' place."""
        return self.shelf.url

    def listed(self) -> Listing:
        """What there is beside results; where it is, is kept. Raises FolderError for nothing."""
        root = self.source.root
        self.pieces.clear()
        with self._reached():
            folder, there = self.source.files.isdir(root), self.source.files.exists(root)
            if not there:
                raise FolderError(
                    f"{self.path}: expected a folder or a tar file, found nothing; check the path"
                )
            found = self._folder() if folder else Listing()
            tars = {f"{root}/{name}": f"{name}/" for name in found.tars} if folder else {root: ""}
            del found.others[".tar"]
            for tar in self.index(self.source, list(tars)) if tars else ():
                found.unread.extend([tar.error] if tar.error else [])
                for name, piece in tar.pieces.items():
                    self._take(found, name, piece, tars[tar.tar])
            if not self.shelf.on_disk:
                results = self.shelf.found(deep=True)
                self.known |= {self.shelf.called(path): mark for path, mark in results.items()}
        found.names.sort()
        self.known |= {name: piece.stamp for name, piece in self.pieces.items()}
        return found

    def _folder(self) -> Listing:
        """What a folder holds; tar files are not looked into."""
        if self.source.on_disk:
            out = Path(self.out) if self.shelf.on_disk else None
            return listed(Path(self.path), recursive=self.recursive, without=out)
        found = Listing()
        results = f"{self.shelf.root}/" if self._together and self.recursive else None
        for path, mark in self.source.found(deep=self.recursive).items():
            if results is None or not path.startswith(results):
                name = path.removeprefix(self.source.root).lstrip("/")
                self._take(found, name, Piece(path, mark))
        return found

    def _take(self, found: Listing, name: str, piece: Piece, tar: str = "") -> None:
        """Take up a file, unless it is hidden, leads out of the folder of results, or is there.

        tar: what comes before the name of a member
        """
        path, place = PurePosixPath(tar + name), self.source.called(piece.path)
        if name.startswith("/") or ".." in path.parts:
            found.unread.append(
                f"{place}: expected names in it, found {tar}{name}, which leads out; rename it"
            )
        elif f"{self.path}/{path}" in self.pieces:
            found.unread.append(f"{place}: expected one {path}, found another; rename it")
        elif all(map(is_shown, path.parts[:-1])):
            found.add(str(path))
            if path.suffix.lower() in PHOTOS:
                self.pieces[f"{self.path}/{path}"] = piece

    @property
    def _together(self) -> bool:
        """Whether photos and results are in one file system."""
        return bool(self.source.files == self.shelf.files)

    def check(self) -> None:
        """Raise ValueError where results would lie among the photos."""
        inner, outer = self.source.root, self.shelf.root
        if self.source.on_disk and self.shelf.on_disk:
            Folder(Path(self.path), Path(self.out), self.recursive).check()
        elif self._together and inner == outer:
            raise ValueError(f"expected results elsewhere, found {self.path} itself; name another")
        elif self._together and self.recursive and inner.startswith(f"{outer}/"):
            raise ValueError(
                f"expected results outside of what holds {self.path}, found {self.out}, where they "
                "could come to lie among the photos; name another"
            )

    def targets(self, names: list[str]) -> list[Target]:
        """Where the results of photos go, which are named as `listed` does."""
        targets = []
        for name, place in zip(names, places(len(names)), strict=True):
            parent, slash, last = name.rpartition("/")
            output = f"{self.out}/{parent}{slash}{apart(last)}"
            targets.append(
                Target(f"{self.path}/{name}", output, name, place if self.walk else None)
            )
        return targets

    @contextmanager
    def manifest(self, asked: dict[str, Any], *, take_over: bool) -> Iterator[Manifest]:
        """The results' manifest, open. Raises FolderError where it cannot be used."""
        options: dict[str, Any] = {"take_over": take_over, "known": self.known}
        if self.shelf.on_disk:
            with Manifest(self.out, self.path, asked, **options) as manifest:
                yield manifest
            return
        with self._reached():
            folder = TemporaryDirectory(prefix="tintype-")
        with folder as home:
            self._home = Path(home)
            if f"{self.out}/{NAME}" in self.known:
                with self._reached():
                    self.shelf.files.get_file(f"{self.shelf.root}/{NAME}", f"{home}/{NAME}")
            with Manifest(self.out, self.path, asked, home=self._home, **options) as manifest:
                try:
                    yield manifest
                except BaseException:
                    with suppress(FolderError):  # of a store that is gone: the first one counts
                        self.save()
                    raise
                self.save()

    def save(self, *, due: bool = False) -> None:
        """Copy the manifest to a store that it cannot be written in; `due` for only if due."""
        start = time.monotonic()
        if self._home is None or (due and start < self._due):
            return
        with self._reached():
            self.shelf.put(self._home / NAME, f"{self.out}/{NAME}")
        now = time.monotonic()
        self._due = now + max(EVERY, (now - start) / COST)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Whatever a store raises is a FolderError of one line."""
        try:
            yield
        except FolderError:
            raise
        except Exception as error:
            raise FolderError(
                f"{self.path} -> {self.out}: expected to reach both, found: {_why(error)}"
            ) from None


def colored(
    color: Color, job: Job, target: Target, piece: Piece | None, source: Shelf, shelf: Shelf
) -> Outcome:
    """Color one photo, whatever happens, from and to wherever; files of its own are replaced.

    piece: where its bytes are, None for a file on a disk
    """
    outcome = Outcome(target)
    with judging(outcome), _scratch(piece is not None or not shelf.on_disk) as scratch:
        if piece is not None:
            outcome.target = replace(
                outcome.target, source=f"{scratch}/{PurePosixPath(target.name).name}"
            )
            with _told("to read it"):
                piece.fetch(source.files, Path(outcome.target.source))
        if not shelf.on_disk:
            outcome.target = replace(
                outcome.target, output=f"{scratch}/out/{PurePosixPath(target.output).name}"
            )
        try:
            make(color, replace(job, overwrite=True), outcome, ())
        finally:
            staged = [] if shelf.on_disk else [Path(file) for file in outcome.made]
            outcome.made = outcome.made if shelf.on_disk else {}
        for file in staged:
            url = f"{target.output.rpartition('/')[0]}/{file.name}"
            with _told(f"to write {url}"):
                outcome.made[url] = shelf.keep(file, url)
    error = outcome.error and outcome.error.replace(outcome.target.source, target.source)
    identity = outcome.source
    if piece is not None and identity is not None:
        identity = piece.stamp, identity[1]
    return replace(outcome, target=target, source=identity, error=error)


@contextmanager
def _scratch(needed: bool) -> Iterator[str]:
    """A temporary folder, where one is needed. Raises PhotoError where none can be made."""
    if not needed:
        yield ""
        return
    with _told("a temporary folder"):
        folder = TemporaryDirectory(prefix="tintype-")
    with folder:
        yield folder.name


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Whatever a store raises is a PhotoError."""
    try:
        yield
    except Exception as error:
        raise PhotoError(f"expected {what}, found: {_why(error)}") from None


def _why(error: Exception) -> str:
    """What a store says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
