"""The errors Tintype raises. Every message says what was expected, what came, and what to do.

TintypeError
├── PhotoError      a photo cannot be read or written
│   └── ProfileError    what its colors are is not known
├── PaletteError    a palette, a color or an edit makes no sense
├── FolderError     a folder of results, or its manifest, is unusable
├── ModelError      a model folder is missing, broken or of another version
└── DataError       training or evaluation data, a run or a checkpoint is unusable
"""

from typing import NoReturn


class TintypeError(Exception):
    """Base of all errors that Tintype raises on purpose; the message is one line for people."""


class PhotoError(TintypeError):
    """A photo cannot be read or written."""


class ProfileError(PhotoError):
    """A photo's colors have no known way to sRGB."""


class PaletteError(TintypeError):
    """A palette, a color or an edit is not usable."""


class FolderError(TintypeError):
    """A folder for results cannot be used; nothing more can be colored into it."""


class ModelError(TintypeError):
    """A model cannot be loaded."""


class DataError(TintypeError):
    """Training data, evaluation data, a run or a checkpoint is not usable."""


def explain(error: Exception) -> str:
    """What came and what to do, from an error of the system or of Pillow."""
    if isinstance(error, OSError) and error.strerror:
        return f"found: {error.strerror}; check the path, its rights and the free space"
    reason = str(error) or type(error).__name__
    return f"found: {reason}; check that the file is whole and of a usual size"


def fail(name: str, what: str, cause: Exception | None = None) -> NoReturn:
    """Raise a PhotoError of one line."""
    raise PhotoError(" ".join(f"{name}: {what}".splitlines())) from cause
