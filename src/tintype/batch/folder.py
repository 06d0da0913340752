"""What a folder on a disk holds, and what results are called."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tintype.errors import PhotoError
from tintype.files import is_special
from tintype.formats.extras import list_suffixes
from tintype.photo import SUFFIXES, format_of

# What a folder's photos are called. Those of an extra that is missing are counted among the others.
PHOTOS = SUFFIXES | list_suffixes() | {
    ".gif", ".bmp", ".jp2", ".j2k", ".jpx", ".pbm", ".pgm", ".ppm", ".pnm", ".dng", ".nef",
}  # fmt: skip
# Folders of thumbnails and leftovers that NAS boxes, macOS and Windows make.
_JUNK = frozenset(("@eaDir", "__MACOSX", "$RECYCLE.BIN"))


@dataclass(frozen=True)
class Target:
    """A photo and where its result goes: a path, or `PIPE`.

    name: the photo's path in the folder that is colored, with slashes; "" in a list of photos
    place: in an ordered folder, 0 for the folder's first photo .. 1 for its last; None without one
    page: of a TIFF, from 1; None for what is asked for of all
    """

    source: str
    output: str
    name: str = ""
    place: float | None = None
    page: int | None = None


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    names: the photos' paths in it, with slashes, sorted
    others: how many files of each extension are no photos
    unread: a line for each folder in it that could not be looked into
    tars: the paths of those of the others that are tar files
    skipped: a line for each pipe or device that is called as a photo is
    """

    names: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    tars: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Take up a file: as a photo or as one of the others; not where its name is hidden."""
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        if path.name.startswith("."):
            return
        if suffix in PHOTOS:
            self.names.append(name)
            return
        self.others[suffix or path.name] += 1
        if suffix == ".tar":
            self.tars.append(name)


def list_photos(folder: Path, *, recursive: bool = False, without: Path | None = None) -> Listing:
    """The photos of a folder, by their names; `recursive` for those of the folders in it too.

    without: a folder that is left out, as results go there. Dot files, junk, and folders behind
    links are left out too, because a link may lead back.
    """
    listing = Listing()
    skipped = None if without is None else os.path.realpath(without)

    def note(error: OSError) -> None:
        listing.unread.append(f"{error.filename}: expected a folder to look into, {error.strerror}")

    for parent, folders, files in os.walk(folder, onerror=note):
        folders[:] = [
            name
            for name in folders
            if recursive
            and is_shown(name)
            and os.path.realpath(os.path.join(parent, name)) != skipped
        ]
        for name in files:
            path = Path(parent, name)
            if not is_special(path):
                listing.add(path.relative_to(folder).as_posix())
            elif path.suffix.lower() in PHOTOS:
                listing.skipped.append(f"{path}: skipped, as it is a pipe or a device")
    listing.names.sort()
    return listing


def is_shown(folder: str) -> bool:
    """Whether what lies in a folder of this name is colored: it is no dot folder and no junk."""
    return not folder.startswith(".") and folder not in _JUNK


def result_name(name: str) -> str:
    """NAME.color.EXT, which no other photo of a folder has, whatever else comes into it.

    NAME is the photo's name without its extension; or with it where the extension is not kept
    (a.bmp becomes a.bmp.color.png, as a.png becomes a.color.png), or is not the only one of a
    photo's (a.bmp.png becomes a.bmp.png.color.png, for a.bmp).
    """
    path = Path(name)
    kept = is_kept(path.suffix)
    whole = not kept or Path(path.stem).suffix.lower() in PHOTOS
    return f"{name if whole else path.stem}.color{path.suffix if kept else '.png'}"


def is_kept(suffix: str) -> bool:
    """Whether results are written with this extension."""
    try:
        format_of(f"photo{suffix}")
    except PhotoError:
        return False
    return True
