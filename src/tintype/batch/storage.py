"""Where photos and results lie: a folder or a tar file, on a disk or in a store by its URL.

    PATH or URL ──Storage.at──▶ Storage ──index_tar──▶ byte ranges ──fetch──▶ a file here

Only a URL needs fsspec, which is the extra [store] with what a store of its own needs.
"""

import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from tintype.batch.folder import PHOTOS
from tintype.errors import FolderError
from tintype.files import Stamp, stamp

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# What file systems call the time when a file was modified.
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


@dataclass(frozen=True)
class Storage:
    """A folder or a tar file, on a disk or in a store.

    url: what people call it, without a slash at its end
    root: its absolute path, or what the store's file system calls it
    files: the store's file system; None on a disk, of this machine or shared
    """

    url: str
    root: str
    files: "AbstractFileSystem | None" = None

    @classmethod
    def at(cls, url: str | os.PathLike[str], *, absolute: bool = False) -> "Storage":
        """Find it. Raises FolderError for URLs that fsspec does not know or reach.

        absolute: call what is on a disk by its absolute path, as other processes must
        """
        url = os.fspath(url)
        if "://" in url and not os.path.exists(url):
            files, root = _connect(url)
            storage = cls(url.rstrip("/"), root.rstrip("/"), files)
            if files is None:
                storage = cls(storage.root, storage.root)
        else:
            root = os.path.abspath(url)
            storage = cls(root if absolute else str(Path(url)), root)
        if root and not root.strip("/"):
            raise FolderError(f"{url}: expected a folder, found the root of all; name one in it")
        return storage

    @property
    def on_disk(self) -> bool:
        """Whether it is on a disk, of this machine or shared."""
        return self.files is None

    def join(self, name: str) -> str:
        """What people call a file of it, given its name in it, with slashes."""
        return str(Path(self.url, name)) if self.on_disk else f"{self.url}/{name}"

    def label(self, path: str) -> str:
        """What people call a file of it, given its absolute path or what the store calls it."""
        return self.url + path.removeprefix(self.root)

    def is_folder(self) -> bool:
        """Whether it is a folder, not a tar file."""
        return os.path.isdir(self.root) if self.files is None else bool(self.files.isdir(self.root))

    def exists(self) -> bool:
        """Whether there is anything."""
        return (
            os.path.exists(self.root) if self.files is None else bool(self.files.exists(self.root))
        )

    def open(self, path: str) -> BinaryIO:
        """Open one of its files to read."""
        if self.files is None:
            return open(path, "rb")
        file: BinaryIO = self.files.open(path, "rb")
        return file

    def stamp(self, path: str) -> Stamp:
        """A file's bytes and when it was modified."""
        return stamp(path) if self.files is None else _read_stamp(self.files.info(path))

    def list_files(self, *, recursive: bool) -> dict[str, Stamp]:
        """The files of a store, by what it calls them; `recursive` for those in its folders too."""
        assert self.files is not None
        depth = None if recursive else 1
        every = self.files.find(self.root, maxdepth=depth, detail=True)
        return {path: _read_stamp(about) for path, about in every.items()}

    def download(self, path: str, to: Path) -> None:
        """Copy one of a store's files to a disk."""
        assert self.files is not None
        self.files.get_file(path, str(to))

    def upload(self, file: Path, url: str) -> str:
        """Copy a file into a store, under what people call it; returns what the store calls it."""
        assert self.files is not None
        path = self.root + url.removeprefix(self.url)
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.put_file(str(file), path)
        return path

    def upload_result(self, file: Path, url: str) -> Stamp:
        """As `upload`; removed again where there is no stamp, by which it is known as ours."""
        path = self.upload(file, url)
        try:
            return self.stamp(path)
        except Exception:
            assert self.files is not None
            self.files.rm_file(path)
            raise


def _connect(url: str) -> "tuple[AbstractFileSystem | None, str]":
    """A store's file system, None for a disk's, and what it calls the URL. Raises FolderError."""
    try:
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem
    except ModuleNotFoundError:
        raise FolderError(
            f"{url}: expected the extra [store] to be installed, found no fsspec; "
            "run: pip install 'tintype[store]'"
        ) from None
    try:
        files, root = url_to_fs(url)
    except Exception as error:  # whatever a store raises
        why = f"expected a path or a known URL, found: {reason_of_store(error)}"
        raise FolderError(f"{url}: {why}") from None
    return (None if isinstance(files, LocalFileSystem) else files), root


def _read_stamp(about: dict[str, Any]) -> Stamp:
    """A file's bytes and when it was modified, as its file system says; 0 where it does not."""
    when = next((about[name] for name in _TIMES if about.get(name)), 0.0)
    seconds = when.timestamp() if isinstance(when, datetime) else float(when)
    return int(about.get("size") or 0), 1000 * round(1e6 * seconds)


def reason_of_store(error: Exception) -> str:
    """What a store says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Where the bytes of a photo are: in a file, or from an offset on in a tar file.

    offset: -1 for a whole file
    """

    path: str
    stamp: Stamp
    offset: int = -1

    def fetch(self, storage: Storage, to: Path) -> None:
        """Copy them to a disk."""
        if self.offset < 0:
            storage.download(self.path, to)
        elif storage.files is None:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                to.write_bytes(file.read(self.stamp[0]))
        else:
            end = self.offset + self.stamp[0]
            to.write_bytes(storage.files.cat_file(self.path, start=self.offset, end=end))


@dataclass(frozen=True)
class TarIndex:
    """What a tar file holds, by the members' names; error: one line for what cannot be read."""

    tar: str
    byte_ranges: dict[str, ByteRange] = field(default_factory=dict)
    error: str | None = None


def index_tar(storage: Storage, tar: str) -> TarIndex:
    """The files in a tar file; of those with one name the last, as when unpacked."""
    found, lost = TarIndex(tar), list[str]()
    ranges = found.byte_ranges
    try:
        _, packed = storage.stamp(tar)
        with storage.open(tar) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # else it keeps each
                name = str(PurePosixPath(member.name))
                first = str(PurePosixPath(member.linkname))
                if member.isfile():
                    about = (member.size, round(1e9 * member.mtime) or packed)
                    ranges[name] = ByteRange(tar, about, member.offset_data)
                elif member.islnk() and first in ranges:
                    ranges[name] = ranges[first]
                elif not member.isdir() and PurePosixPath(name).suffix.lower() in PHOTOS:
                    lost.append(name)
    except Exception as error:  # whatever broken bytes and stores provoke
        expected = "expected a tar file, whole and not compressed"
        why = reason_of_store(error)
        return replace(found, error=f"{storage.label(tar)}: {expected}, found: {why}")
    if lost:
        names = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
        expected = f"expected photos themselves, found {len(lost)} as links or devices ({names}); "
        expected += "pack what these lead to"
        return replace(found, error=f"{storage.label(tar)}: {expected}")
    return found


Index = Callable[[Storage, list[str]], Iterable[TarIndex]]


def index_one_by_one(storage: Storage, tars: list[str]) -> Iterator[TarIndex]:
    """What tar files hold."""
    return (index_tar(storage, tar) for tar in tars)
