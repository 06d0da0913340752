"""Files: written whole or not at all, never over what is read, locked, known by their hashes."""

import hashlib
import io
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

Name = str | os.PathLike[str]
Stamp = tuple[int, int]  # a file's bytes, and when it was modified, in ns
PIPE = "-"  # standard input or output
GRACE = 0.5  # seconds after which what nobody has locked was left by a killed process
PART = ".tintype-{}.part"  # a file that is not whole yet: hidden, with a random word


class _Part(io.BufferedRandom):
    """A file that tells no encoder its number: written past Python, a full disk goes unnoticed."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


@contextmanager
def open_whole(path: Name, *, overwrite: bool = True) -> Iterator[io.BufferedRandom]:
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
            with suppress(OSError):  # where there are no locks, it is not known as ours
                _lock_number(number)
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


def write_whole(path: Name, content: bytes | str) -> None:
    """Write a file, text in UTF-8; an older one is replaced. Raises as `open_whole`."""
    with open_whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def remove_unfinished(folders: Iterable[Path]) -> None:
    """Remove the hidden files that a process was writing in some folders when it was killed."""
    for folder in set(folders):
        for part in folder.glob(PART.format("*")):
            part.unlink(missing_ok=True)


def remove_abandoned(folders: Iterable[Path]) -> None:
    """Remove what `open_whole` of a killed process has left in some folders, and nobody writes."""
    for folder in set(folders):
        for part in folder.glob(PART.format("*")):
            with suppress(OSError):
                about = part.lstat()
                if not stat.S_ISREG(about.st_mode) or time.time() - about.st_mtime < GRACE:
                    continue
                with part.open("r+b") as file:
                    if lock(file):
                        part.unlink()


def check_writes(outputs: Iterable[Name], inputs: Iterable[Name]) -> None:
    """Raise ValueError where a file to be written is read, or is another that is to be written."""
    for reason in find_clashes(outputs, inputs).values():
        raise ValueError(reason)


def check_folders(outputs: Iterable[Name]) -> None:
    """Raise ValueError where a file to be written would lie in what is no folder."""
    for output in map(Path, filter(_is_file_name, outputs)):
        there = next((path for path in output.parents if os.path.lexists(path)), None)
        if there is not None and not there.is_dir():
            raise ValueError(f"{there}: expected a folder for {output.name}, found a file")


def find_clashes(outputs: Iterable[Name], inputs: Iterable[Name]) -> dict[str, str]:
    """The files that must not be written, each with the reason: it is read, or written already.

    Two names are one file if the system says so, whatever links lead there; where there is none
    yet, if they resolve to one path. Pipes and URLs are none. A folder that is read stands for all
    that is in it.
    """
    identify = _Identifier()
    read = [os.fspath(name) for name in inputs if _is_file_name(name)]
    sources = {identify(name) for name in read}
    folders = {identify(name): name for name in read if os.path.isdir(name)}
    found: dict[str, str] = {}
    written: dict[Identity, str] = {}
    for output in (os.fspath(name) for name in outputs if _is_file_name(name)):
        identity = identify(output)
        holder = identify.find_holder(output, folders) if folders else None
        if identity in sources:
            found[output] = f"{output} is an input, which is never written; name another"
        elif holder is not None:
            found[output] = (
                f"{output} is in {holder}, an input, which is never written; name another"
            )
        elif identity in written:
            found[output] = f"{written[identity]} and {output} are one file; name another"
        written.setdefault(identity, output)
    return found


def _is_file_name(name: Name) -> bool:
    name = os.fspath(name)
    return name != PIPE and ("://" not in name or os.path.exists(name))


Identity = tuple[int, int] | str


class _Identifier:
    """Tells what two names of one file have in common."""

    def __init__(self) -> None:
        self.parents: dict[str, str] = {}  # folders, resolved

    def __call__(self, path: str) -> Identity:
        try:
            about = os.stat(path)
        except OSError:  # there is none yet, or it is a link to nowhere
            if os.path.islink(path):
                return os.path.realpath(path)
            parent, name = os.path.split(path)
            if parent not in self.parents:
                self.parents[parent] = os.path.realpath(parent)
            return os.path.join(self.parents[parent], name)
        return about.st_dev, about.st_ino

    def find_holder(self, path: str, folders: dict[Identity, str]) -> str | None:
        """Of some folders, by what they are, the one that holds a file that exists."""
        if not os.path.exists(path):
            return None
        parents = map(str, Path(os.path.realpath(path)).parents)
        return next((folders[key] for key in map(self, parents) if key in folders), None)


def lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed; False where another run holds it. Raises OSError."""
    return _lock_number(file.fileno())


def _lock_number(number: int) -> bool:
    if sys.platform == "win32":  # has no fcntl: there, people must not start two runs
        return True
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sha256(path: Name) -> str:
    """The hash of a file's content, in hexadecimal digits. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: str) -> Stamp:
    """A file's bytes, and when it was modified, in ns. Raises OSError."""
    about = os.stat(path)
    return about.st_size, about.st_mtime_ns


def is_special(path: Name) -> bool:
    """Whether it is, or a link leads to, a pipe, a socket or a device, which may have no end."""
    try:
        mode = os.stat(path).st_mode
    except OSError:  # whoever reads it says why not
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
