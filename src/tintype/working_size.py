"""The size at which networks look at photos."""

import numpy as np
from PIL import Image

from tintype.photo import DEFAULT_MAX_PIXELS, Source, read_rgb


def shrink(image: Image.Image, side: int) -> Image.Image:
    """To a working size: sides multiples of 32, near the photo's shape, the shorter near `side`."""
    scale = side / min(image.size)
    wide, high = (min(4 * side, max(32, 32 * round(s * scale / 32))) for s in image.size)
    gap = 2.0 if max(image.size) > 2 * max(wide, high) else None
    return image.resize((wide, high), Image.Resampling.BICUBIC, reducing_gap=gap)


def read_small(photo: Source, side: int, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> np.ndarray:
    """The colors of a photo at a working size: (h, w, 3) uint8 sRGB. Raises PhotoError."""
    rgb = read_rgb(photo, max_pixels=max_pixels, max_side=2048)
    return np.asarray(shrink(Image.fromarray(rgb), side))
