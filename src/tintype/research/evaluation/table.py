"""Table 1 of Fenu & Bagwell 2016, measured: methods side by side on the same photographs.

Every method is given the same gray, the photos' luma, and its chroma joins that luma as it does in
use. The paper's method has a second row, as it was meant: HSV's V goes in and is kept.
"""

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from tqdm import tqdm

from tintype import welsh2002
from tintype.colorizer import Colorizer
from tintype.errors import DataError
from tintype.files import write_whole
from tintype.model import OnnxModel
from tintype.research.data import photo_set
from tintype.research.evaluation import metrics
from tintype.research.evaluation.evaluate import SIDE, make_gray, resize
from tintype.research.evaluation.metrics import Score
from tintype.research.evaluation.summary import bootstrap_mean, compare, make_row
from tintype.research.methods import checkpoint, fenu2016, vgg16
from tintype.research.torch_model import TorchModel
from tintype.working_size import shrink

ORDER = ("gray", "welsh2002", "dahl2016", "fenu2016", "zhang2016", "tintype")  # the paper's, ours
NOT_BUILT = ("cheng2015", "deshpande2015")  # which the paper names, and compares with neither
PUBLISHED = {"gray": 88.1, "dahl2016": 90.0, "fenu2016": 90.6, "zhang2016": 91.1}  # its Table 1
TIMED = 9  # photos that are colored one by one, to be timed
Paint = Callable[[np.ndarray], np.ndarray]  # a color photo -> it, colored from its gray


@dataclass(frozen=True)
class Entry:
    """A row to be measured: both photos are (h, w, 3) uint8 RGB."""

    method: str
    run: str
    paint: Paint
    gray: str = "luma"  # or value
    about: dict[str, Any] = field(default_factory=dict)


def measure(
    runs: list[Path],
    patterns: list[str],
    *,
    limit: int | None = None,
    vgg_file: Path | None = None,
) -> dict[str, Any]:
    """Rows of the table, and what they were measured with.

    runs: folders of runs or checkpoints. Beside runs of several methods stand those that need
        no run; runs of one method are compared with each other and with gray
    patterns: color photos, whose short side is brought to 256 pixels
    vgg_file: where the runs' VGG-16 is now, if not where it was in training
    Raises DataError for two runs of one name.
    """
    entries = list(_make_entries(runs, vgg_file))
    photos = photo_set.load(patterns, size=SIDE, limit=limit)
    truths = [resize(photos.photo(i)) for i in range(len(photos))]
    if len({entry.method for entry in entries if entry.method != "gray"}) > 1:
        entries += [
            _make_shipped(),
            Entry("welsh2002", "from a random photo", _transfer_colors(truths)),
        ]
    entries.sort(key=lambda e: ORDER.index(e.method))
    truth = [metrics.score(t, t) for t in truths]
    bar = tqdm(desc="evaluating", total=len(entries) * len(truths), unit=" photos", disable=None)
    timed = [_time(entry.paint, truths[:TIMED]) for entry in entries]
    scores = [list(_scores(entry.paint, truths, bar)) for entry in entries]
    bar.close()
    paper, bases = _find_bases(entries, scores)
    rows = [
        _describe(entry)
        | make_row(entry.method, own, truth)
        | _average_readings(own)
        | compare(own, bases[entry.gray])
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
        if entry.gray not in bases or (entry.method == "fenu2016" and entry.run == paper):
            bases[entry.gray] = own
    return paper, bases


def _make_entries(runs: list[Path], vgg_file: Path | None) -> Iterator[Entry]:
    yield Entry("gray", "", lambda truth: _repeat(make_gray(truth).luma))
    yield Entry("gray", "", lambda truth: _repeat(truth.max(-1)), "value")
    names = [run.name if run.is_dir() else run.stem for run in runs]
    if len(set(names)) < len(names):
        raise DataError(f"expected runs of different names, found {', '.join(names)}; rename one")
    for run, name in zip(runs, names, strict=True):
        trained = TorchModel(run, vgg=vgg_file)
        config = trained.network.config
        about = trained.about | _count_parameters(trained) | _describe_vgg(trained)
        yield Entry(trained.method, name, _keep_luma(Colorizer(trained)), about=about)
        keeps_value = trained.functions.keeps_value
        if keeps_value is not None and keeps_value(config):
            yield Entry(trained.method, name, _keep_value(trained), "value", about)


def _make_shipped() -> Entry:
    shipped = OnnxModel()
    known = ("trained", "side", "temperature", "undo", "vividness", "sha256")
    about = {name: shipped.about[name] for name in known}
    about |= {"parameters": shipped.about["parameters"], "pinned": 0}
    return Entry("tintype", "as shipped", _keep_luma(Colorizer(shipped)), about=about)


def _transfer_colors(truths: list[np.ndarray]) -> Paint:
    """Colors from another of the photos, which its content picks."""

    def paint(truth: np.ndarray) -> np.ndarray:
        others = [t for t in truths if t is not truth] or truths
        other = others[zlib.crc32(truth.tobytes()) % len(others)]
        return np.asarray(welsh2002.colorize(make_gray(truth), other).image.convert("RGB"))

    return paint


def _repeat(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[..., None], 3, axis=-1)


def _keep_luma(colorizer: Colorizer) -> Paint:
    """Color by the photo's luma, which is kept."""
    return lambda truth: np.asarray(colorizer.colorize(make_gray(truth)).image.convert("RGB"))


def _keep_value(trained: TorchModel) -> Paint:
    """Color by HSV's V, which is kept: the saturation and its hue are enlarged."""
    config = replace(trained.network.config, space="vector")

    def paint(truth: np.ndarray) -> np.ndarray:
        value = truth.max(-1)
        small = np.asarray(shrink(Image.fromarray(value), trained.side), dtype=np.float32) / 255
        plane = config.bins.chroma(torch.from_numpy(trained.paint(small)))
        large = F.interpolate(plane.permute(2, 0, 1)[None], value.shape, mode="bilinear")
        unit = (large.permute(0, 2, 3, 1) + 1) / 2
        gray = torch.from_numpy(value).float()[None, None] / 255
        rgb = fenu2016.paint(unit, gray, config)[0].clamp(0, 1).numpy()
        return np.asarray(np.round(255 * rgb), dtype=np.uint8)

    return paint


def _count_parameters(trained: TorchModel) -> dict[str, int]:
    """How many weights were trained, and how many are pinned."""
    network = trained.network
    pinned = network.vgg if trained.functions.pins_vgg else None
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pinned": 0 if pinned is None else sum(b.numel() for b in pinned.vgg.features.buffers()),
    }


def _describe_vgg(trained: TorchModel) -> dict[str, str]:
    file = trained.network.config.vgg if trained.functions.pins_vgg else ""
    return {"vgg": vgg16.describe_origin(Path(file))} if file else {}


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
        "parameters": entry.about.get("parameters", 0),
        "pinned": entry.about.get("pinned", 0),
        "photos_seen": entry.about.get("photos"),
    }


def _average_readings(scores: list[Score]) -> dict[str, Any]:
    """The two other readings of the paper's pixelwise accuracy, percent, and means' intervals."""
    readings: dict[str, Any] = {}
    for name, values in {
        "rmse_accuracy": [100 * (1 - s.rmse) for s in scores],
        "hsv_accuracy": [100 * (1 - s.hsv) for s in scores],
        "psnr": [s.psnr for s in scores],
        "colorfulness": [s.colorfulness for s in scores],
    }.items():
        readings |= {name: float(np.mean(values)), f"{name}_interval": bootstrap_mean(values)}
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
        lines += [f"| {name} | | not built | | | | | | | | | |" for name in NOT_BUILT]
    sources = sorted({about["vgg"] for about in report["runs"].values() if "vgg" in about})
    where = report["where"]
    lines.append(
        f"\n{report['photos']} photos of {', '.join(report['data'])}, short side {SIDE} px; 95 % "
        "bootstrap intervals over photos, those of differences paired. 1 - RMSE of RGB "
        "and 1 - L1 of HSV, means over photos, are the other two readings of the paper's pixelwise "
        "accuracy; its own figures, of ImageNet, stand last. Colorfulness: signed, as published. "
        "Weights: trained + pinned. Milliseconds: such a photo, on "
        f"{where['processors']} processors ({where['device']}), "
        f"commit {where['commit']}."
    )
    lines += [f"\nVGG-16, pinned: {source}." for source in sources]
    return "\n".join(lines) + "\n"


def _format_row(row: dict[str, Any]) -> str:
    low, high = row["auc_difference_interval"]
    run = "" if row["run"] in ("", row["method"]) else f", {row['run']}"
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
        str(PUBLISHED.get(row["method"], "")),
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
