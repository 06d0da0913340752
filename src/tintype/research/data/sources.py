"""Where photographs for training are: folders, ImageNet's layout, tar files. Needs no torch."""

import bz2
import errno
import glob
import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from PIL import Image

from tintype.errors import DataError
from tintype.files import open_whole
from tintype.photo import SUFFIXES

BROKEN_TAR = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError)

# A photo's file is held whole while it is decoded, and some file may be none.
MAX_BYTES = 256 << 20

_COMPRESSED: dict[bytes, Callable[[str], BinaryIO]] = {
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,  # type: ignore[dict-item]
    b"\xfd7zXZ": lzma.open,  # type: ignore[dict-item]
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo's file is; small, as there may be millions.

    key: its path in the source without the suffix, with slashes
    source: the folder or the tar file
    suffix: what ends the file's name, with the dot
    offset, size: where the file lies in a tar file, in bytes; -1 in a folder
    """

    key: str
    source: str
    suffix: str
    offset: int = -1
    size: int = -1

    def read(self) -> bytes:
        """The file's content. Raises OSError, and ValueError for more than MAX_BYTES."""
        path = self.source if self.offset >= 0 else os.path.join(self.source, self.key)
        with open(path if self.offset >= 0 else path + self.suffix, "rb") as file:
            size = self.size if self.offset >= 0 else os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise ValueError(f"expected at most {MAX_BYTES:,} bytes, found {size:,}")
            file.seek(max(self.offset, 0))
            return file.read(size)


def expand(pattern: str) -> list[str]:
    """The paths that a glob pattern stands for, in order; the pattern itself if there are none."""
    return sorted(glob.glob(pattern)) or [pattern]


def shrink(image: Image.Image, size: int) -> Image.Image:
    """An image whose short side has at most `size` pixels, by area means; none is enlarged."""
    short = min(image.size)
    if short <= size:
        return image
    width, height = (max(size, round(side * size / short)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def find_photos(patterns: Iterable[str], unpacked: Path) -> Iterator[Place]:
    """Every photo of folders, tar files or glob patterns, one at a time, in no certain order.

    unpacked: a folder where compressed tar files are unpacked to, as photos are read in any order
    Keys are those of `photo_set.load`. Raises DataError where a source is missing or broken.
    """
    for pattern in patterns:
        for path in expand(pattern):
            if os.path.isdir(path):
                yield from _in_folder(path)
            elif os.path.splitext(path)[1].lower() in SUFFIXES:
                raise DataError(
                    f"{path}: expected a folder or a tar file, found a photo; name its folder"
                )
            elif os.path.exists(path):
                yield from _in_tar(path, unpacked)
            else:
                raise DataError(
                    f"{path}: expected a tar file or a folder of photos, found nothing; "
                    "check the path"
                )


def _in_folder(folder: str, below: str = "") -> Iterator[Place]:
    """The photos of a folder and of those in it; links to folders may lead back, and are left."""
    try:
        with os.scandir(os.path.join(folder, below)) as entries:
            for entry in entries:
                name = below + entry.name
                if entry.is_dir(follow_symlinks=False):
                    yield from _in_folder(folder, f"{name}/")
                    continue
                key, suffix = os.path.splitext(name)
                if suffix.lower() in SUFFIXES and entry.is_file():
                    yield Place(key, folder, suffix)
    except OSError as error:
        raise DataError(
            f"{os.path.join(folder, below)}: expected a folder to look into, "
            f"found: {error.strerror}; check its rights"
        ) from None


def _in_tar(path: str, unpacked: Path) -> Iterator[Place]:
    try:
        plain = _unpack(path, unpacked)
        with tarfile.open(plain, "r:") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # else it keeps each, of a kilobyte
                name = PurePosixPath(member.name)
                if member.isfile() and name.suffix.lower() in SUFFIXES:
                    key = str(name.with_suffix(""))
                    yield Place(key, plain, name.suffix, member.offset_data, member.size)
    except BROKEN_TAR as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise  # where it is unpacked, which is no fault of its own
        raise broken_tar(path, error) from None


def _unpack(path: str, unpacked: Path) -> str:
    """A tar file that can be read at any place: itself, or what it was compressed from."""
    with open(path, "rb") as file:
        begin = file.read(6)
    opened = next((o for magic, o in _COMPRESSED.items() if begin.startswith(magic)), None)
    if opened is None:
        return path
    about = os.stat(path)
    source = f"{os.path.abspath(path)} {about.st_size} {about.st_mtime_ns}"
    name = hashlib.sha256(source.encode(errors="surrogateescape")).hexdigest()[:16]
    plain = unpacked / f"{name}.tar"
    if not plain.exists():
        with opened(path) as packed, open_whole(plain) as file:
            shutil.copyfileobj(packed, file, 1 << 20)
    return str(plain)


def broken_tar(path: str | Path, error: BaseException) -> DataError:
    """One line for whatever a broken tar file provokes."""
    why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
    return DataError(f"{path}: expected a tar file of photos, found a broken one: {why}")
