"""Numbers of a set of photos: pooled or averaged, with 95 % bootstrap intervals over photos."""

from typing import Any

import numpy as np

from tintype.research.evaluation import metrics
from tintype.research.evaluation.metrics import Score

RESAMPLES = 1000


def make_row(name: str, scores: list[Score], truth: list[Score]) -> dict[str, Any]:
    """The numbers of a method, pooled or averaged over photos, and of the originals beside."""
    share = metrics.cell_shares(truth)
    gaps = [abs(s.colorfulness - t.colorfulness) for s, t in zip(scores, truth, strict=True)]
    return {
        "method": name,
        "auc": metrics.auc(scores),
        "auc_interval": bootstrap(scores, None),
        "auc_rebalanced": metrics.auc_rebalanced(scores, share),
        "auc_rebalanced_interval": bootstrap(scores, share),
        "psnr": mean([s.psnr for s in scores]),
        "colorfulness": mean([s.colorfulness for s in scores]),
        "colorfulness_absolute": mean([s.colorfulness_absolute for s in scores]),
        "colorfulness_gap": mean(gaps),
        "chroma": mean([s.chroma for s in scores]),
        "chroma_of_truth": mean([s.chroma for s in scores]) / mean([t.chroma for t in truth]),
    }


def bootstrap(
    scores: list[Score], share: np.ndarray | None, base: list[Score] | None = None
) -> tuple[float, float]:
    """95 % bootstrap interval over photos of the pooled raw AuC, or of the rebalanced one.

    base: another method's scores of the same photos: the interval is of the difference to it
    """
    weight = 1.0 if share is None else 1 / np.maximum(share, metrics.RARE)
    hits = np.array([(s.hits * weight).sum() for s in scores])
    if base is not None:
        hits -= np.array([(s.hits * weight).sum() for s in base])
    pixels = np.array([(s.pixels * weight).sum() for s in scores])
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(scores), np.full(len(scores), 1 / len(scores)), RESAMPLES)
    low, high = np.percentile(100 * (drawn @ hits) / (drawn @ pixels), [2.5, 97.5])
    return float(low), float(high)


def compare(scores: list[Score], base: list[Score]) -> dict[str, Any]:
    """How much more raw AuC than another method's, on the same photos."""
    return {
        "auc_difference": metrics.auc(scores) - metrics.auc(base),
        "auc_difference_interval": bootstrap(scores, None, base),
    }


def bootstrap_mean(values: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over photos."""
    rng = np.random.default_rng(0)
    drawn = rng.choice(np.array(values), (RESAMPLES, len(values))).mean(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def mean(values: list[float]) -> float:
    return float(np.mean(values))
