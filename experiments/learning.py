"""What more training of the default model is worth: a learning curve over checkpoints.

    python experiments/learning.py --data ../shared/data/validation-000.tar.gz \\
        45000=runs/short 306000=checkpoints/tintype-0.1.safetensors 1036000=runs/longer

Each checkpoint is named with the crops that its weights have seen in all, those of the runs that it
began from too. Photos are colored at 128 px. Measured: what calm colors (all of the rebalancing
taken back) gain in raw AuC over gray; what rebalanced AuC gains where raw AuC is 0.3 below gray's
(between the decodings of a sweep); what the true palette gains there. A straight line over the
logarithm of the crops says what the aims would take. Writes results/learning.json, .md and .png.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from tintype.color import luma, oklab_of_luma, oklab_to_rgb
from tintype.files import write_whole
from tintype.research import torch_model
from tintype.research.data import photo_set
from tintype.research.evaluation import metrics
from tintype.research.figures import canvas
from tintype.research.methods import checkpoint
from tintype.research.methods import tintype as method
from tintype.research.methods.palettes import measure_palettes

SIDE = 128  # short side of the photos, pixels, as the bundled model sees them
ADJUSTMENTS = (
    1.0,
    0.75,
    0.5,
    0.35,
    0.2,
    0.1,
    0.0,
    -0.15,
    -0.3,
)  # of the rebalancing: calm to vivid
TEMPERATURE = 0.8
LOSS = -0.3  # raw AuC against gray at which rebalanced AuC is compared
AIMS = {"calm": 1.2, "rebalanced": 5.5, "true palette": 5.0}
NAMES = {
    "calm": "calm: raw AuC",
    "rebalanced": f"rebalanced AuC at {LOSS} raw",
    "true palette": "true palette: raw AuC",
}


def paint_logits(
    network: method.Network, logits: Tensor, gray: Tensor, adjustment: float, temperature: float
) -> np.ndarray:
    """(h, w, 3) uint8 RGB of the decoder's logits for gray (1, 1, h, w)."""
    ab = network.to_chroma(logits, adjustment=adjustment, temperature=temperature).permute(
        0, 3, 1, 2
    )
    ab = F.interpolate(ab, scale_factor=4, mode="bilinear").permute(0, 2, 3, 1)
    rgb = oklab_to_rgb(oklab_of_luma(gray[:, 0], ab)).clamp(0, 1)[0]
    return np.asarray((255 * rgb).round().byte())


def decode_both(network: method.Network, truth: np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
    """A photo's gray (1, 1, h, w), and its logits from the estimated and from the true palette.

    truth: (h, w, 3) uint8 RGB, sides multiples of 32
    """
    rgb = torch.from_numpy(truth)[None].float() / 255
    gray, bins = luma(rgb)[:, None], network.config.bins
    features, estimate, reference = network.encode(gray)
    true = measure_palettes(*bins.encode(method.oklab_quarter(rgb)), bins.count)
    palettes = {"automatic": estimate, "true": true}
    return gray, {kind: network.decoder(features, p, reference) for kind, p in palettes.items()}


@torch.no_grad()
def measure(network: method.Network, photos: photo_set.PhotoSet) -> dict[str, float]:
    """What a network gains over gray."""
    rows: dict[Any, list[metrics.Score]] = {}
    for i in tqdm(range(len(photos)), "coloring", unit=" photos", leave=False, disable=None):
        photo = photos.photo(i)
        high, wide = (side // 32 * 32 for side in photo.shape[:2])
        truth = photo[:high, :wide]
        gray, found = decode_both(network, truth)
        flat = np.asarray(Image.fromarray(truth).convert("L").convert("RGB"))
        painted = {
            (kind, u): paint_logits(network, found[kind], gray, u, TEMPERATURE)
            for kind in found
            for u in ADJUSTMENTS
        }
        for name, own in {"gray": flat, "truth": truth, **painted}.items():
            rows.setdefault(name, []).append(metrics.score(own, truth))
    share = metrics.cell_shares(rows["truth"])
    raw = {name: metrics.auc(scores) - metrics.auc(rows["gray"]) for name, scores in rows.items()}
    rare = metrics.auc_rebalanced(rows["gray"], share)
    gain = [metrics.auc_rebalanced(rows["automatic", u], share) - rare for u in ADJUSTMENTS]
    adjustment = float(
        np.interp(LOSS, [raw["automatic", u] for u in ADJUSTMENTS[::-1]], ADJUSTMENTS[::-1])
    )
    return {
        "calm": raw["automatic", 1.0],
        "adjustment": adjustment,
        "rebalanced": float(np.interp(-adjustment, [-u for u in ADJUSTMENTS], gain)),
        "true palette": float(
            np.interp(-adjustment, [-u for u in ADJUSTMENTS], [raw["true", u] for u in ADJUSTMENTS])
        ),
    }


def line(crops: list[float], gains: list[float]) -> tuple[float, float]:
    """Slope and start of gains over the decimal logarithm of the crops, by least squares."""
    slope, start = np.polyfit(np.log10(crops), gains, 1)
    return float(slope), float(start)


def format_report(points: list[dict[str, Any]], photos: int) -> str:
    """The points, and what the aims would take, in Markdown."""
    lines = [
        f"Gains over gray on {photos} photos at {SIDE} px, by the crops that the weights saw.",
        "",
        "| checkpoint | crops | " + " | ".join(NAMES.values()) + " |",
        "|---|---|---|---|---|",
    ]
    for point in points:
        gains = " | ".join(f"{point[name]:+.2f}" for name in NAMES)
        lines.append(f"| {point['name']} | {point['crops']:,} | {gains} |")
    lines += ["", "| aim | a tenfold of crops gives | crops that the line says |", "|---|---|---|"]
    for name, aim in AIMS.items():
        slope, start = line([p["crops"] for p in points], [p[name] for p in points])
        needed = f"{10 ** ((aim - start) / slope):.1e}" if slope > 0 else "never"
        lines.append(f"| {NAMES[name]} {aim:+} | {slope:+.2f} | {needed} |")
    return "\n".join(lines) + "\n"


def draw(points: list[dict[str, Any]]) -> Figure:
    """The three gains over the crops, their lines, and the aims dotted."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    crops = [p["crops"] for p in points]
    for axes, (name, title) in zip(figure.subplots(1, 3), NAMES.items(), strict=True):
        gains = [p[name] for p in points]
        slope, start = line(crops, gains)
        ends = np.array([min(crops), 100 * max(crops)])
        axes.semilogx(ends, slope * np.log10(ends) + start, color="#999999", linewidth=1)
        axes.semilogx(crops, gains, "o", color="#c8553d")
        axes.axhline(AIMS[name], color="#3a6ea5", linestyle=":")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("crops seen")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CROPS=CHECKPOINT")
    parser.add_argument("--data", required=True, nargs="+", help="color photos, never trained on")
    parser.add_argument("--limit", type=int, help="measure on the first photos only")
    parser.add_argument("--out", type=Path, default=Path("results"))
    options = parser.parse_args()
    photos = photo_set.load(options.data, size=SIDE, limit=options.limit)
    points = []
    for text in options.checkpoints:
        crops, _, path = text.partition("=")
        network, about = torch_model.load(Path(path))
        name = f"{Path(path).stem}, step {about['step']:,}"
        points.append({"name": name, "crops": int(crops), **measure(network, photos)})
        print(points[-1], flush=True)
    points.sort(key=lambda point: math.log(point["crops"]))
    stem = options.out / "learning"
    report = {"photos": len(photos), "points": points, "where": checkpoint.describe_machine()}
    write_whole(stem.with_suffix(".json"), json.dumps(report, indent=1) + "\n")
    write_whole(stem.with_suffix(".md"), format_report(points, len(photos)))
    canvas.save(draw(points), stem.with_suffix(".png"))


if __name__ == "__main__":
    main()
