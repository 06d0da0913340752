"""Table 1 of Fenu & Bagwell 2016, measured: methods side by side on the same photographs.

Every method is given the same gray, the photos' luma, and its chroma joins that luma as it does in
use. The paper's method has a second row, as it was meant: HSV's V goes in and is kept; methods that
take palettes have rows with the true one given. Runs that differ in their seeds alone are one row.
"""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tintype.files import write_whole
from tintype.research.data import photo_set
from tintype.research.evaluation import metrics
from tintype.research.evaluation.entries import (
    Entry,
    Paint,
    make_entries,
    make_grays,
    make_untrained,
)
from tintype.research.evaluation.evaluate import SIDE, resize
from tintype.research.evaluation.metrics import Score
from tintype.research.evaluation.summary import bootstrap_mean, compare, make_row
from tintype.research.methods import checkpoint

ORDER = (
    "gray", "tint", "welsh2002", "cheng2015", "deshpande2015", "dahl2016", "fenu2016", "zhang2016",
    "tintype",
)  # fmt: skip
NAMED = ("cheng2015", "deshpande2015")  # which the paper names, and compares with neither
PUBLISHED = {"gray": 88.1, "dahl2016": 90.0, "fenu2016": 90.6, "zhang2016": 91.1}  # its Table 1
TIMED = 9  # photos that are colored one by one, to be timed


def measure(
    runs: list[Path],
    patterns: list[str],
    *,
    limit: int | None = None,
    vgg_file: Path | None = None,
    luma: bool = False,
) -> dict[str, Any]:
    """Rows of the table, and what they were measured with.

    runs: folders of runs or checkpoints. Beside runs of several methods stand those that need
        no run; runs of one method are compared with each other and with gray
    patterns: color photos, whose short side is brought to 256 pixels
    vgg_file: where the runs' VGG-16 is now, if not where it was in training
    luma: leave out the rows that keep HSV's V, which the paper's method and gray have, too
    Raises DataError for two runs of one name, or of one seed that differ in nothing.
    """
    entries = [*make_grays(), *make_entries(runs, vgg_file)]
    entries = [entry for entry in entries if entry.gray == "luma" or not luma]
    photos = photo_set.load(patterns, size=SIDE, limit=limit)
    truths = [resize(photos.photo(i)) for i in range(len(photos))]
    if len({entry.method for entry in entries if entry.method != "gray"}) > 1:
        entries += make_untrained(truths)
    entries.sort(key=lambda e: ORDER.index(e.method))
    truth = [metrics.score(t, t) for t in truths]
    count = sum(len(entry.paints) for entry in entries)
    bar = tqdm(desc="evaluating", total=count * len(truths), unit=" photos", disable=None)
    timed = [_time(entry.paints[0], truths[:TIMED]) for entry in entries]
    scores = [[s for p in entry.paints for s in _scores(p, truths, bar)] for entry in entries]
    bar.close()
    paper, bases = _find_bases(entries, scores)
    rows = [
        _describe(entry)
        | make_row(entry.method, own, truth)
        | _average_readings(own, len(entry.paints))
        | compare(own, bases[entry.gray], len(truths))
        | {"auc_by_seed": _pool_by_seed(own, len(entry.paints))}
        | {"milliseconds": milliseconds}
        for entry, own, milliseconds in zip(entries, scores, timed, strict=True)
    ]
    return {
        "photos": len(truths),
        "data": [Path(p).name for p in patterns],
        "where": checkpoint.describe_machine(),
        "compared_with": paper or "gray",
        "runs": {e.run: e.about for e in entries if e.about},
        "rows": rows,
    }


def _find_bases(
    entries: list[Entry], scores: list[list[Score]]
) -> tuple[str | None, dict[str, list[Score]]]:
    """The first run of the paper's method, and by gray the scores that others are compared with.

    These are of that run, or of the gray photos where there is none.
    """
    paper = next((e.run for e in entries if e.method == "fenu2016"), None)
    bases: dict[str, list[Score]] = {}
    for entry, own in zip(entries, scores, strict=True):
        is_paper = entry.method == "fenu2016" and entry.run == paper and entry.palette == "own"
        if entry.gray not in bases or is_paper:
            bases[entry.gray] = own
    return paper, bases


def _pool_by_seed(scores: list[Score], seeds: int) -> list[float]:
    """The raw AuC of each seed's scores, which follow each other."""
    count = len(scores) // seeds
    return [metrics.auc(scores[i : i + count]) for i in range(0, len(scores), count)]


def _time(paint: Paint, truths: list[np.ndarray]) -> float:
    """The median photo's; the first one only warms up."""
    times = []
    for truth in truths:
        began = time.perf_counter()
        paint(truth)
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times[1:] or times))


def _scores(paint: Paint, truths: list[np.ndarray], bar: Any) -> Iterator[Score]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for score in pool.map(lambda truth: metrics.score(paint(truth), truth), truths):
            bar.update()
            yield score


def _describe(entry: Entry) -> dict[str, Any]:
    return {
        "method": entry.method,
        "run": entry.run,
        "gray": entry.gray,
        "palette": entry.palette,
        "seeds": len(entry.paints),
        "published": _find_published(entry),
        "parameters": entry.about.get("parameters", 0),
        "pinned": entry.about.get("pinned", 0),
        "photos_seen": entry.about.get("photos"),
    }


def _find_published(entry: Entry) -> float | None:
    """The paper's figure for a row, if it can stand beside it: colors that nobody chose.

    With rebalancing Zhang's method is less accurate than Dahl's in its own paper.
    """
    rebalanced = entry.about.get("config", {}).get("rebalance") != 1
    if entry.palette == "true" or (entry.method == "zhang2016" and rebalanced):
        return None
    return PUBLISHED.get(entry.method)


def _average_readings(scores: list[Score], seeds: int) -> dict[str, Any]:
    """Means over photos and their intervals.

    The two other readings of the paper's pixelwise accuracy in percent, PSNR in dB, colorfulness.
    """
    readings: dict[str, Any] = {}
    for name, values in {
        "rmse_accuracy": [100 * (1 - s.rmse) for s in scores],
        "hsv_accuracy": [100 * (1 - s.hsv) for s in scores],
        "psnr": [s.psnr for s in scores],
        "colorfulness": [s.colorfulness for s in scores],
    }.items():
        readings |= {
            name: float(np.mean(values)),
            f"{name}_interval": bootstrap_mean(values, seeds),
        }
    return readings


def format_table(report: dict[str, Any]) -> str:
    """The report in Markdown."""
    lines = [
        f"| method | gray | raw AuC | to {report['compared_with']} | 1 - RMSE | 1 - HSV L1 "
        "| rebalanced AuC | PSNR | colorfulness | weights | ms | paper |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_format_row(row) for row in report["rows"]]
    if any(row["method"] == "welsh2002" for row in report["rows"]):
        known = {row["method"] for row in report["rows"]}
        missing = [name for name in NAMED if name not in known]
        lines += [f"| {name} | | no run | | | | | | | | | |" for name in missing]
    sources = sorted({about["vgg"] for about in report["runs"].values() if "vgg" in about})
    where = report["where"]
    lines.append(
        f"\n{report['photos']} photos of {', '.join(report['data'])}, short side {SIDE} px; 95 % "
        f"bootstrap intervals over photos{_say_seeds(report)}, those of differences paired by "
        "photo. 1 - RMSE of RGB "
        "and 1 - L1 of HSV, means over photos, are the other two readings of the paper's pixelwise "
        "accuracy; its own figures, of ImageNet, stand last. Colorfulness: signed, as published. "
        "Weights: trained + pinned. Milliseconds: such a photo, on "
        f"{where['processors']} processors ({where['device']}), "
        f"commit {where['commit']}."
    )
    lines += [f"\nVGG-16, pinned: {source}." for source in sources]
    every = [about.get("unfinished", {}) for about in report["runs"].values()]
    lines += [
        f"\nStopped before its end: {name}, at {share:.0%} of its run."
        for unfinished in every
        for name, share in unfinished.items()
    ]
    return "\n".join(lines) + "\n"


def _say_seeds(report: dict[str, Any]) -> str:
    """What intervals are over beside photos."""
    most = max(row["seeds"] for row in report["rows"])
    if most == 1:
        return ""
    return f" and over the {most} seeds of trained rows, which so few do not make wide enough"


def _format_row(row: dict[str, Any]) -> str:
    low, high = row["auc_difference_interval"]
    run = "" if row["run"] in ("", row["method"]) else f", {row['run']}"
    run += ", true palette" if row["palette"] == "true" else ""
    pinned = f" + {row['pinned'] / 1e6:.1f}" if row["pinned"] else ""
    cells = [
        row["method"] + run,
        "V" if row["gray"] == "value" else "luma",
        _format_interval(row, "auc"),
        f"{row['auc_difference']:+.2f} ({low:+.2f} to {high:+.2f})",
        _format_interval(row, "rmse_accuracy"),
        _format_interval(row, "hsv_accuracy"),
        _format_interval(row, "auc_rebalanced"),
        _format_interval(row, "psnr"),
        _format_interval(row, "colorfulness"),
        f"{row['parameters'] / 1e6:.1f}{pinned} M",
        f"{row['milliseconds']:.0f}",
        "" if row["published"] is None else str(row["published"]),
    ]
    return f"| {' | '.join(cells)} |"


def _format_interval(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.2f} ({low:.2f}-{high:.2f})"


def write(report: dict[str, Any], stem: Path) -> None:
    """`STEM.md`; `STEM.runs.json`, how each row came about; and `STEM.json`, the list of rows."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    about = {name: value for name, value in report.items() if name != "rows"}
    for suffix, text in (
        (".md", format_table(report)),
        (".runs.json", json.dumps(about, indent=1) + "\n"),
        (".json", json.dumps(report["rows"], indent=1) + "\n"),  # last: it says that all is done
    ):
        write_whole(stem.with_name(stem.name + suffix), text)
