"""Tintype colors black-and-white photographs, and lets you steer the colors by a palette.

import tintype

colorizer = tintype.load()
colorizer.colorize("photo.jpg").save("photo.color.jpg")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tintype.bins import Bins
    from tintype.colorizer import Colorizer, Encoded, load
    from tintype.edits import Ban, Boost, Edit, Recolor, Saturate, ShiftHue, Towards
    from tintype.errors import (
        DataError,
        FolderError,
        ModelError,
        PaletteError,
        PhotoError,
        TintypeError,
    )
    from tintype.palette import Palette
    from tintype.photo import Photo
    from tintype.recipe import Recipe
    from tintype.result import Result
    from tintype.suggestions import Suggestion

from tintype.version import __version__ as __version__

__all__ = [
    "Ban",
    "Bins",
    "Boost",
    "Colorizer",
    "DataError",
    "Edit",
    "Encoded",
    "FolderError",
    "ModelError",
    "Palette",
    "PaletteError",
    "Photo",
    "PhotoError",
    "Recipe",
    "Recolor",
    "Result",
    "Saturate",
    "ShiftHue",
    "Suggestion",
    "TintypeError",
    "Towards",
    "load",
]

_HOMES = {
    "colorizer": ("Colorizer", "Encoded", "load"),
    "errors": (
        "DataError",
        "FolderError",
        "ModelError",
        "PaletteError",
        "PhotoError",
        "TintypeError",
    ),
    "bins": ("Bins",),
    "edits": ("Ban", "Boost", "Edit", "Recolor", "Saturate", "ShiftHue", "Towards"),
    "palette": ("Palette",),
    "photo": ("Photo",),
    "recipe": ("Recipe",),
    "result": ("Result",),
    "suggestions": ("Suggestion",),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `tintype --help` stays fast."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"tintype.{home}"), name)
    raise AttributeError(f"module 'tintype' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
