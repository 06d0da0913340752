"""The size at which networks look at photos."""

import os
from functools import partial

import numpy as np
from PIL import Image

from tintype.photo import DEFAULT_MAX_PIXELS, Source, read_rgb
from tintype.sandbox import read_bounded


def shrink(image: Image.Image, side: int) -> Image.Image:
    """To a working size: sides multiples of 32, near the photo's shape, the shorter near `side`."""
    scale = side / min(image.size)
    wide, high = (min(4 * side, max(32, 32 * round(s * scale / 32))) for s in image.size)
    gap = 2.0 if max(image.size) > 2 * max(wide, high) else None
    return image.resize((wide, high), Image.Resampling.BICUBIC, reducing_gap=gap)


def read_small(photo: Source, side: int, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> np.ndarray:
    """The colors of a photo at a working size: (h, w, 3) uint8 sRGB.

    A file is read as by `read_bounded`. Raises PhotoError.
    """
    read = partial(read_rgb, max_pixels=max_pixels, max_side=2048)
    name = os.fspath(photo) if isinstance(photo, os.PathLike) else photo
    rgb = read_bounded(name, read) if isinstance(name, (str, bytes)) else read(name)
    return np.asarray(shrink(Image.fromarray(rgb), side))
