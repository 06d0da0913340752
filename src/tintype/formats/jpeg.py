"""JPEGs whose end is missing."""

import io

import numpy as np

from tintype.errors import PhotoError
from tintype.formats import pillow
from tintype.formats.pillow import Loaded, ReadOptions

_END = b"\xff\xd9"


def mend(content: bytes, options: ReadOptions) -> Loaded:
    """The picture of a JPEG that ends too early: all of it, or if salvaged what is there.

    What is missing is gray. Whether anything is, shows by what the decoder makes of noise that
    follows: where all of a picture is there, it reads none of it. Raises PhotoError.
    """
    content = content.rstrip(b"\xff")
    found = _load(content + _END, options)
    noise = np.random.default_rng(14).integers(0, 255, 1 << 16, np.uint8).tobytes()  # without 255
    try:
        whole = _load(content + noise + _END, options).image.tobytes() == found.image.tobytes()
    except OSError:
        whole = False
    if not whole and not options.salvage:
        raise PhotoError(
            "expected a whole JPEG, found one that is cut; take another copy of it, or color what "
            "is there by --salvage"
        )
    found.notes.append("its end is missing" + ("" if whole else "; what is missing is gray"))
    return found


def _load(content: bytes, options: ReadOptions) -> Loaded:
    stream = io.BytesIO(content)
    return pillow.load(pillow.open_image(stream, "JPEG"), options, stream)
