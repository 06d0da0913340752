"""JPEGs whose end is missing."""

import io

import numpy as np
from PIL import Image

from tintype.errors import PhotoError
from tintype.formats import pillow
from tintype.formats.pillow import Loaded, ReadOptions

_END = b"\xff\xd9"
_BLOCK, _EMPTY = 8, 128  # pixels of a side; luma where there is none


def mend(content: bytes, options: ReadOptions) -> Loaded:
    """The picture of a JPEG that ends too early: all of it, or if salvaged what is there.

    What is missing is gray, and `missing` of what is returned. Whether anything is, shows by what
    the decoder makes of noise that follows: where all of a picture is there, it reads none of it.
    Raises PhotoError.
    """
    content = content.rstrip(b"\xff")
    found = _load(content + _END, options)
    noise = np.random.default_rng(14).integers(0, 255, 1 << 16, np.uint8)  # without 255
    pixels = found.image.tobytes()
    tails = (
        one.tobytes() + _END for one in (noise, 254 - noise)
    )  # one may look like what is there
    try:
        whole = all(_load(content + tail, options).image.tobytes() == pixels for tail in tails)
    except OSError:
        whole = False
    if not whole and not options.salvage:
        raise PhotoError(
            "expected a whole JPEG, found one that is cut; take another copy of it, or color what "
            "is there by tintype colorize --salvage",
            kind="cut",
        )
    found.notes.append("its end is missing" + ("" if whole else "; what is missing is gray"))
    found.missing = None if whole else _find_missing(found.image)
    return found


def _find_missing(image: Image.Image) -> np.ndarray:
    """Where no block of a JPEG is there: (H, W) bool. The decoder leaves 128 in all of such."""
    gray = np.asarray(image.convert("L"))
    high, wide = gray.shape
    whole = np.pad(gray, ((0, -high % _BLOCK), (0, -wide % _BLOCK)), mode="edge")
    blocks = whole.reshape(whole.shape[0] // _BLOCK, _BLOCK, -1, _BLOCK)
    empty = (blocks == _EMPTY).all(axis=(1, 3))
    return np.kron(empty, np.ones((_BLOCK, _BLOCK), bool))[:high, :wide]


def _load(content: bytes, options: ReadOptions) -> Loaded:
    stream = io.BytesIO(content)
    return pillow.load(pillow.open_image(stream, "JPEG"), options, stream)
