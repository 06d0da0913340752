"""Files: written whole or not at all, locked, and known by their hashes."""

import hashlib
import io
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

PART = ".tintype-{}.part"  # a file that is not whole yet: hidden, with a random word


class _Part(io.BufferedRandom):
    """A file that tells no encoder its number: written past Python, a full disk goes unnoticed."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


@contextmanager
def open_whole(
    path: str | os.PathLike[str], *, overwrite: bool = True
) -> Iterator[io.BufferedRandom]:
    """A new binary file, which gets its name when the block ends without an error.

    Until then it lies beside `path` under a name of its own, and an error removes it. What a link
    points to is replaced, not the link; a file that is replaced hands down its rights. Raises
    FileExistsError where there is one and it may not be replaced, IsADirectoryError where `path` is
    no file, and OSError, also where the disk is full.
    """
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(f"{os.fspath(path)} exists")
    path = Path(os.path.realpath(path))
    mode = path.stat().st_mode if path.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        raise IsADirectoryError(f"{path} is a folder or a device")
    part = path.with_name(PART.format(secrets.token_hex(8)))
    binary = getattr(os, "O_BINARY", 0)
    number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | binary, 0o666)
    try:
        with _Part(io.FileIO(number, "r+b")) as file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(part, stat.S_IMODE(mode))
            os.fsync(number)
        if overwrite:
            part.replace(path)
        else:
            _move_to_new(part, path)
    finally:
        part.unlink(missing_ok=True)


def _move_to_new(part: Path, path: Path) -> None:
    """Rename without overwriting a file that has appeared meanwhile."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the check is then not atomic
        if path.exists():
            raise FileExistsError(f"{path} exists") from None
        part.rename(path)


def write_whole(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file, text in UTF-8; an older one is replaced. Raises as `open_whole`."""
    with open_whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def remove_unfinished(folders: Iterable[Path]) -> None:
    """Remove the hidden files that a process was writing in some folders when it was killed."""
    for folder in set(folders):
        for part in folder.glob(PART.format("*")):
            part.unlink(missing_ok=True)


def lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; False where another run holds it. Raises OSError."""
    if sys.platform == "win32":  # has no fcntl: there, people must not start two runs
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sha256(path: str | os.PathLike[str]) -> str:
    """The hash of a file's content, in hexadecimal digits. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
