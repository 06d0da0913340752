"""A simulated user who edits a photo's palette, and knows its true colors.

    automatic ──▶ all edits of a menu, tried small ──▶ the best, at full size ──▶ and on from there
                                                        no nearer to the truth? left as it was

What 1, 2, 3, ... edits are worth is for palettes what PSNR against the number of hints is for
points (Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors").
"""

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from tintype.bins import hex_at
from tintype.colorizer import Colorizer, Encoded
from tintype.edits import Ban, Edit, Saturate, Towards
from tintype.errors import ModelError
from tintype.model import Model
from tintype.photo import read
from tintype.recipe import Recipe
from tintype.research.evaluation import metrics
from tintype.research.evaluation.metrics import Score
from tintype.research.evaluation.summary import bootstrap_mean, compare, make_row

MOST = 5  # edits of a photo
ANGLES = [math.radians(degrees) for degrees in range(0, 360, 30)]  # in OKLab: bans reach all hues
HUES = [hex_at(0.1 * np.array([math.cos(angle), math.sin(angle)]), "oklab") for angle in ANGLES]
MENU: tuple[Edit, ...] = (
    *(Towards(hue, amount) for amount in (0.0625, 0.25) for hue in HUES),
    *(Ban(hue) for hue in HUES),
    *(Saturate(factor) for factor in (0.5, 1.5)),
)
"""What the user may do in a step: 38 edits of a recipe."""


@dataclass(frozen=True)
class Step:
    """A photo after some edits of its estimated palette, and how near to the truth it is."""

    edits: tuple[Edit, ...]
    score: Score

    @property
    def auc(self) -> float:
        """Raw accuracy of this photo alone, percent: what the user goes by."""
        return metrics.auc([self.score])


def check(model: Model) -> None:
    """Raise ModelError where a model takes no palettes to edit."""
    if not model.takes_palettes:
        raise ModelError(
            "expected a model that takes palettes, found one without; leave out --edits"
        )


def edit(colorizer: Colorizer, encoded: Encoded, truth: np.ndarray) -> list[Step]:
    """Edit a photo greedily, by at most `MOST` edits: the steps, of which the first has none.

    truth: (h, w, 3) uint8 RGB, the photo in color

    The edit of the menu after which the raw AuC is highest, judged at the size of the decoder's
    chroma, is kept if the AuC rises at full size, too; else the user leaves the photo as it is.
    The encoder is not run again.
    """
    look, small = shrink_to_chroma(encoded, truth)
    steps = [_step(colorizer, encoded, truth, ())]
    while len(steps) <= MOST:
        tried = [_step(colorizer, look, small, (*steps[-1].edits, choice)) for choice in MENU]
        best = max(tried, key=lambda step: step.auc)
        step = _step(colorizer, encoded, truth, best.edits)
        if step.auc <= steps[-1].auc:
            break
        steps.append(step)
    return steps


def shrink_to_chroma(encoded: Encoded, truth: np.ndarray) -> tuple[Encoded, np.ndarray]:
    """A photo and its truth (h, w, 3) uint8 at the size of the decoder's chroma, to be judged."""
    size = encoded.encoding.luma.shape[::-1]
    images = (Image.fromarray(pixels) for pixels in (encoded.photo.luma, truth))
    luma, small = (image.resize(size, Image.Resampling.BOX) for image in images)
    return replace(encoded, photo=read(luma)), np.asarray(small)


def summarize(edited: list[list[Step]], rows: dict[str, list[Score]]) -> dict[str, Any]:
    """The edits curve: gray, after 0, 1, 2, ... edits of each photo at most, true palette."""
    count = len(edited)
    gray, true, truth = (rows[name][:count] for name in ("gray", "true palette", "truth"))
    after = [
        [steps[min(most, len(steps) - 1)].score for steps in edited] for most in range(MOST + 1)
    ]

    def row(name: str, scores: list[Score], **about: int) -> dict[str, Any]:
        spread = {"psnr_interval": bootstrap_mean([s.psnr for s in scores])}
        return about | make_row(name, scores, truth) | compare(scores, gray) | spread

    edits = [edit for steps in edited for edit in steps[-1].edits]
    return {
        "photos": count,
        "rows": [
            row("gray", gray),
            *(
                row("edited", scores, edits=k, photos=sum(len(steps) > k for steps in edited))
                for k, scores in enumerate(after)
            ),
            row("true palette", true),
        ],
        "menu": Counter(edit.KEYS[0] for edit in MENU),
        "taken": Counter(edit.KEYS[0] for edit in edits),
    }


def format_table(report: dict[str, Any]) -> list[str]:
    """What `summarize` gives, as lines of Markdown."""
    lines = [
        f"\nThe first {report['photos']} photos, edited by a simulated user who knows the truth:",
        "\n| edits | photos | raw AuC | above gray | PSNR | chroma/truth |",
        "|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        low, high = row["auc_interval"]
        less, more = row["auc_difference_interval"]
        least, most = row["psnr_interval"]
        lines.append(
            f"| {row.get('edits', row['method'])} | {row.get('photos', '')} "
            f"| {row['auc']:.2f} ({low:.2f}-{high:.2f}) "
            f"| {row['auc_difference']:+.2f} ({less:+.2f} to {more:+.2f}) "
            f"| {row['psnr']:.2f} ({least:.2f}-{most:.2f}) | {row['chroma_of_truth']:.2f} |"
        )
    menu, taken = (
        ", ".join(f"{kind} {count}" for kind, count in report[name].items())
        for name in ("menu", "taken")
    )
    lines.append(
        f"\nFrom the automatic colors at the default vividness. Each edit is the one of a fixed "
        f"menu ({menu}) after which the raw AuC of this photo, seen small, is highest; where it "
        "does not rise at full size, the photo stays as it is. Photos: how many took as many "
        f"edits. Taken in all: {taken or 'none'}."
    )
    return lines


def _step(
    colorizer: Colorizer, encoded: Encoded, truth: np.ndarray, edits: tuple[Edit, ...]
) -> Step:
    image = colorizer.decode(encoded, Recipe(edits=edits)).image
    return Step(edits, metrics.score(np.asarray(image.convert("RGB")), truth))
