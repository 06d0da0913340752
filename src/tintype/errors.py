"""The errors Tintype raises. Every message says what was expected, what came, and what to do.

TintypeError
├── PhotoError      a photo cannot be read or written
│   └── ProfileError    what its colors are is not known
├── PaletteError    a palette, a color or an edit makes no sense
├── FolderError     a folder of results, or its manifest, is unusable
├── ModelError      a model folder is missing, broken or of another version
└── DataError       training or evaluation data, a run or a checkpoint is unusable
"""

import errno
import json
import unicodedata
from typing import Any, NoReturn

_ADVICE = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.ENAMETOOLONG: "shorten the name",
    errno.EISDIR: "name a photo",
    errno.EACCES: "check its rights",
    errno.EPERM: "check its rights",
    errno.EROFS: "write to another place",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "free some space, or raise the limit",
    errno.EMFILE: "raise the limit on open files",
}


class TintypeError(Exception):
    """Base of all errors that Tintype raises on purpose; the message is one line for people.

    kind, values: what programs tell it by, and the numbers and words in it, by their names
    """

    kind = "refused"

    def __init__(self, message: str = "", *, kind: str | None = None, **values: Any) -> None:
        super().__init__(message)
        self.kind, self.values = kind or type(self).kind, values

    def __str__(self) -> str:
        return escape(super().__str__())


class PhotoError(TintypeError):
    """A photo cannot be read or written."""

    kind = "photo"


class ProfileError(PhotoError):
    """A photo's colors have no known way to sRGB."""


class PaletteError(TintypeError):
    """A palette, a color or an edit is not usable."""

    kind = "palette"


class FolderError(TintypeError):
    """A folder for results cannot be used; nothing more can be colored into it."""


class ModelError(TintypeError):
    """A model cannot be loaded."""


class DataError(TintypeError):
    """Training data, evaluation data, a run or a checkpoint is not usable."""


def explain(error: Exception, otherwise: str) -> str:
    """What came and what to do, from an error of the system or of an image library.

    otherwise: the same for what those libraries say, which is not for people
    """
    if isinstance(error, OSError) and error.errno is not None:
        advice = _ADVICE.get(error.errno, "check the path and the device")
        return f"found: {escape(error.strerror or '')}; {advice}"
    if isinstance(error, MemoryError):
        return "found too little memory; color fewer at a time, or shrink it"
    return f"found {otherwise}"


def explain_json(error: Exception) -> str:
    """What is wrong with JSON, from an error of `json.loads`."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()} in line {error.lineno}, column {error.colno}"
    if isinstance(error, RecursionError):
        return "too many levels"
    if isinstance(error, UnicodeDecodeError):
        return "text that is not UTF-8"
    return "a number of too many digits" if isinstance(error, ValueError) else "no text"


def escape(text: str) -> str:
    """One line for a terminal: what would steer it, or hide or turn what is printed, is spelled."""
    line = " ".join(text.splitlines())
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs")
        else letter
        for letter in line
    )


def fail(name: str, what: str, cause: Exception | None = None) -> NoReturn:
    """Raise a PhotoError of one line."""
    raise PhotoError(f"{name}: {what}") from cause
