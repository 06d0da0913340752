"""What a classifier sees in colored photos: a judge of models that it was no teacher of.

Recognition asks whether colors help it (Zhang et al. 2016, section 3.2: "semantic
interpretability"); the Fréchet distance (Heusel et al. 2017, equation 6) how far the colored photos
as a set are from the true ones. Neither rewards gray, as accuracy does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tintype.errors import DataError
from tintype.research.evaluation import mobilenetv2

SIDE = 224  # pixels, at which the classifier was trained
RESAMPLES = 1000
GROUPS = 20  # of photos, each left out once for the interval of the distance


@dataclass(frozen=True)
class View:
    """What the classifier sees in one photo: its class, and pooled features (1280,)."""

    label: int
    features: np.ndarray


class Classifier:
    """A MobileNetV2 for ImageNet."""

    def __init__(self, path: Path) -> None:
        """path: the .npz that `mobilenetv2.load` reads. Raises DataError."""
        self.network = mobilenetv2.load(path)

    @torch.no_grad()
    def view(self, rgb: np.ndarray) -> View:
        """Look at the middle square of (h, w, 3) uint8 RGB."""
        image = Image.fromarray(rgb)
        short = min(image.size)
        left, top = ((length - short) // 2 for length in image.size)
        square = image.crop((left, top, left + short, top + short)).resize((SIDE, SIDE))
        unit = torch.from_numpy(np.asarray(square, dtype=np.float32) / 255)
        pooled, logits = self.network(unit.permute(2, 0, 1)[None])
        return View(int(logits.argmax()), pooled[0].numpy())


def compare(views: list[View], gray: list[View], truth: list[View]) -> dict[str, Any]:
    """How well a method's photos are recognized, and how far they are from the true ones.

    views, gray, truth: of the same photos, colored, gray and true
    Returns `recognized`, percent of the photos that get the class of the true photo; `closed`, the
    share of the gap between gray and true photos that colors close, percent, negative where they
    mislead; `frechet`; and their 95 % intervals.
    """
    labels = np.array([[v.label for v in row] for row in (views, gray, truth)])
    hits = labels[:2] == labels[2]
    rng = np.random.default_rng(0)
    count = len(truth)
    drawn = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
    own, plain = 100 * hits.mean(1)
    spread = 100 * drawn @ hits.T  # (resamples, 2)
    distance, low, high = _frechet_interval(*(_stack(row) for row in (views, truth)))
    return {
        "recognized": float(own),
        "recognized_interval": _middle(spread[:, 0]),
        "closed": _closed(own, plain),
        "closed_interval": _middle(np.array([_closed(*row) for row in spread if row[1] < 100])),
        "frechet": distance,
        "frechet_interval": (low, high),
    }


def check(photos: int) -> None:
    """Raise DataError where there are too few photos to tell how views differ."""
    if photos < 2:
        raise DataError(
            f"--classifier: expected two photos or more, found {photos}; raise --limit or leave "
            "it out"
        )


def frechet(one: np.ndarray, other: np.ndarray) -> float:
    """The squared Fréchet distance of Gaussians with the moments of features (photos, width).

    The trace of the root of a product of covariances is the nuclear norm of the product of the
    centered features, which takes a decomposition of photos x photos alone.
    """
    means = one.mean(0), other.mean(0)
    centered = [(x - m) / np.sqrt(len(x) - 1) for x, m in zip((one, other), means, strict=True)]
    shared = np.linalg.svd(centered[0] @ centered[1].T, compute_uv=False).sum()
    spread = sum(float((x**2).sum()) for x in centered)
    return float(((means[0] - means[1]) ** 2).sum() + spread - 2 * shared)


def format_table(report: dict[str, dict[str, Any]]) -> list[str]:
    """What `compare` gives of every row, by its name, as lines of Markdown."""
    lines = [
        "\nWhat a classifier that taught no bundled model (MobileNetV2, ImageNet) sees:",
        "\n| | recognized, % | gap closed, % | Fréchet distance |",
        "|---|---|---|---|",
    ]
    for name, row in report.items():
        intervals = [row[f"{key}_interval"] for key in ("recognized", "closed", "frechet")]
        recognized, closed, frechet = (f"{low:.1f} to {high:.1f}" for low, high in intervals)
        lines.append(
            f"| {name} | {row['recognized']:.1f} ({recognized}) | {row['closed']:+.1f} ({closed}) "
            f"| {row['frechet']:.1f} ({frechet}) |"
        )
    lines.append(
        "\nRecognized: photos that get the class of the true photo. Gap closed: how far colors "
        "bring that from gray's to the true photos'. Fréchet: of the classifier's pooled features, "
        "to the true photos'; it depends on how many photos there are. 95 % intervals."
    )
    return lines


def _frechet_interval(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """The distance and its 95 % interval, by the jackknife over groups of photos (Efron 1982).

    A bootstrap would not do: photos that are drawn twice bring the covariances nearer.
    """
    whole = frechet(one, other)
    groups = min(GROUPS, len(one) // 2)
    if groups < 2:
        return whole, whole, whole
    group = np.arange(len(one)) % groups
    left = np.array([frechet(one[group != g], other[group != g]) for g in range(groups)])
    error = 1.96 * np.sqrt((groups - 1) / groups * ((left - left.mean()) ** 2).sum())
    return whole, float(whole - error), float(whole + error)


def _closed(own: float, plain: float) -> float:
    """Percent of the way from gray's recognition to 100 %, that of the true photos."""
    return float(100 * (own - plain) / (100 - plain)) if plain < 100 else 0.0


def _middle(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5]) if len(values) else (0.0, 0.0)
    return float(low), float(high)


def _stack(views: list[View]) -> np.ndarray:
    return np.stack([view.features for view in views]).astype(np.float64)
