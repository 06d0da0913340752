"""The errors Tintype raises. Every message says what was expected, what came, and what to do.

TintypeError
├── PhotoError      a photo cannot be read or written
│   └── ProfileError    what its colors are is not known
├── PaletteError    a palette, a color or an edit makes no sense
├── FolderError     a folder of results, or its manifest, is unusable
├── ModelError      a model folder is missing, broken or of another version
└── DataError       training or evaluation data, a run or a checkpoint is unusable
"""


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
