"""Tones: palettes of shadows, midtones and highlights, as `color.tone_weights` tells them apart."""

from tintype.color import Array

TONES = ("shadows", "midtones", "highlights")
TRACE = 1e-3  # of all of a photo, in each of its tones: so no tone is what one pixel happens to be
SHARE_FLOOR = 1e-3  # smaller shares count as this much in the ratio of palettes


def spread_over_tones(target: Array, whole: Array, tones: Array) -> Array:
    """The tones (..., 3, count) of a palette (..., count) that tells none apart.

    They are those of another one, (..., count) and (..., 3, count), moved as the whole is.
    """
    moved = tones * ((target + SHARE_FLOOR) / (whole + SHARE_FLOOR))[..., None, :]
    return moved / moved.sum(-1)[..., None]
