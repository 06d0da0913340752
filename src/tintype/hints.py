"""Hints: colors at places of a photo, which a model takes beside a palette."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Hints:
    """Colors at places; arrays of as many rows as there are hints.

    place: (n, 2) float32 x and y, 0..1 of the photo's width and height
    chroma: (n, 2) float32 OKLab chroma that each place shall have
    reach: (n,) float32, above 0: how far from it that holds; 1 as far as the thing seems to go
    """

    place: np.ndarray
    chroma: np.ndarray
    reach: np.ndarray

    def __len__(self) -> int:
        return len(self.place)


NO_HINTS = Hints(
    np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
)
