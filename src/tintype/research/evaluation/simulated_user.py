"""A simulated person who edits a photo's palette, and knows its true colors.

    automatic ──▶ all edits of a menu, tried small ──▶ the best, at full size ──▶ and on from there
                                                        no nearer to the truth? left as it was

What 1, 2, 3, ... edits are worth is for palettes what PSNR against the number of hints is for
points (Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors").
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from tintype.bins import hex_at
from tintype.colorizer import Colorizer, Encoded
from tintype.edits import Ban, Edit, Saturate, Towards
from tintype.photo import read
from tintype.recipe import Recipe
from tintype.research.evaluation import metrics
from tintype.research.evaluation.metrics import Score

MOST = 5  # edits of a photo
ANGLES = [math.radians(degrees) for degrees in range(0, 360, 30)]  # in OKLab: bans reach all hues
HUES = [hex_at(0.1 * np.array([math.cos(angle), math.sin(angle)]), "oklab") for angle in ANGLES]
MENU: tuple[Edit, ...] = (
    *(Towards(hue, amount) for amount in (0.0625, 0.25) for hue in HUES),
    *(Ban(hue) for hue in HUES),
    *(Saturate(factor) for factor in (0.5, 1.5)),
)
"""What the person may do in a step: 38 edits of a recipe."""


@dataclass(frozen=True)
class Step:
    """A photo after some edits of its estimated palette, and how near to the truth it is."""

    edits: tuple[Edit, ...]
    score: Score

    @property
    def auc(self) -> float:
        """Raw accuracy of this photo alone, percent: what the person goes by."""
        return metrics.auc([self.score])


def edit(colorizer: Colorizer, encoded: Encoded, truth: np.ndarray) -> list[Step]:
    """Edit a photo greedily, by at most `MOST` edits: the steps, of which the first has none.

    truth: (h, w, 3) uint8 RGB, the photo in color

    The edit of the menu after which the raw AuC is highest, judged at the size of the decoder's
    chroma, is kept if the AuC rises at full size, too; else the person leaves the photo as it is.
    The encoder is not run again.
    """
    size = encoded.encoding.luma.shape[::-1]
    images = (Image.fromarray(pixels) for pixels in (encoded.photo.luma, truth))
    luma, small = (image.resize(size, Image.Resampling.BOX) for image in images)
    look = replace(encoded, photo=read(luma))
    steps = [_step(colorizer, encoded, truth, ())]
    while len(steps) <= MOST:
        tried = [
            _step(colorizer, look, np.asarray(small), (*steps[-1].edits, choice)) for choice in MENU
        ]
        best = max(tried, key=lambda step: step.auc)
        step = _step(colorizer, encoded, truth, best.edits)
        if step.auc <= steps[-1].auc:
            break
        steps.append(step)
    return steps


def _step(
    colorizer: Colorizer, encoded: Encoded, truth: np.ndarray, edits: tuple[Edit, ...]
) -> Step:
    image = colorizer.decode(encoded, Recipe(edits=edits)).image
    return Step(edits, metrics.score(np.asarray(image.convert("RGB")), truth))
