"""Numbers of a set of photos: pooled or averaged, with 95 % bootstrap intervals over photos."""

from typing import Any

import numpy as np

from tintype.research.evaluation import metrics
from tintype.research.evaluation.metrics import Score

RESAMPLES = 1000


def make_row(name: str, scores: list[Score], truth: list[Score]) -> dict[str, Any]:
    """The numbers of a method, pooled or averaged over photos, and of the originals beside.

    scores: of all photos by one seed, then by the next, if there are several; truth: of all photos
    """
    share, count = metrics.cell_shares(truth), len(truth)
    pairs = zip(scores, truth * (len(scores) // count), strict=True)
    gaps = [abs(s.colorfulness - t.colorfulness) for s, t in pairs]
    return {
        "method": name,
        "auc": metrics.auc(scores),
        "auc_interval": bootstrap(scores, None, count=count),
        "auc_rebalanced": metrics.auc_rebalanced(scores, share),
        "auc_rebalanced_interval": bootstrap(scores, share, count=count),
        "psnr": mean([s.psnr for s in scores]),
        "colorfulness": mean([s.colorfulness for s in scores]),
        "colorfulness_absolute": mean([s.colorfulness_absolute for s in scores]),
        "colorfulness_gap": mean(gaps),
        "chroma": mean([s.chroma for s in scores]),
        "chroma_of_truth": mean([s.chroma for s in scores]) / mean([t.chroma for t in truth]),
    }


def bootstrap(
    scores: list[Score],
    share: np.ndarray | None,
    base: list[Score] | None = None,
    *,
    count: int | None = None,
) -> tuple[float, float]:
    """95 % bootstrap interval of the pooled raw AuC, or of the rebalanced one, over photos.

    base: another method's scores of the same photos: the interval is of the difference to it
    count: how many photos there are, if scores are of several seeds, one after the other: then it
        is over seeds, too, drawn for either method by itself
    """
    weight = 1.0 if share is None else 1 / np.maximum(share, metrics.RARE)
    count = count or len(scores)
    rng = np.random.default_rng(0)
    photos = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    pixels = photos @ np.array([(s.pixels * weight).sum() for s in scores[:count]])

    def draw_hits(scores: list[Score]) -> np.ndarray:
        hits = np.array([(s.hits * weight).sum() for s in scores]).reshape(-1, count)
        return np.asarray((_draw_seeds(rng, len(hits)) * (photos @ hits.T)).sum(1))

    hits = draw_hits(scores)
    if base is not None and base is not scores:
        hits = hits - draw_hits(base)
    elif base is not None:
        hits = 0 * hits
    low, high = np.percentile(100 * hits / pixels, [2.5, 97.5])
    return float(low), float(high)


def _draw_seeds(rng: np.random.Generator, seeds: int) -> np.ndarray:
    """(RESAMPLES, seeds) how much each seed weighs, sums of 1."""
    if seeds == 1:
        return np.ones((RESAMPLES, 1))
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds


def compare(scores: list[Score], base: list[Score], count: int | None = None) -> dict[str, Any]:
    """How much more raw AuC than another method's, on the same photos; count: as `bootstrap`."""
    return {
        "auc_difference": metrics.auc(scores) - metrics.auc(base),
        "auc_difference_interval": bootstrap(scores, None, base, count=count),
    }


def bootstrap_mean(values: list[float], seeds: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over photos; of several seeds, over them, too.

    values: of all photos by one seed, then by the next
    """
    rng = np.random.default_rng(0)
    table = np.reshape(values, (seeds, -1))
    photos = rng.integers(0, table.shape[1], (RESAMPLES, table.shape[1]))
    means = table[:, photos].mean(2)  # (seeds, RESAMPLES)
    drawn = (_draw_seeds(rng, seeds) * means.T).sum(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def mean(values: list[float]) -> float:
    """The mean, as a number that JSON takes."""
    return float(np.mean(values))
