"""How the default model's logits become colors: what each setting gains over gray.

    python experiments/decoding.py runs/mine --data '../shared/data/photos128-*.tar.gz'

Photos that a hash keeps from training, at 128 px, are colored with several temperatures of the
annealed mean and shares of the rebalancing taken back, by themselves and from the palette that they
truly have. The settings of `tintype export` are chosen by this table, not on the validation photos.
Writes results/decoding.md.
"""

import argparse
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from learning import ADJUSTMENTS, decode_both, paint_logits
from PIL import Image
from tqdm import tqdm

from tintype.files import write_whole
from tintype.research import torch_model
from tintype.research.data import photo_set
from tintype.research.evaluation import metrics
from tintype.research.methods import tintype as method

SIDE = 128  # pixels
TEMPERATURES = (0.8, 1.0)


@torch.no_grad()
def paint(network: method.Network, truth: np.ndarray) -> dict[tuple[str, float, float], np.ndarray]:
    """A photo (h, w, 3) uint8 in all settings: which palette, temperature, adjustment."""
    gray, found = decode_both(network, truth)
    return {
        (kind, heat, adjustment): paint_logits(network, found[kind], gray, adjustment, heat)
        for kind, heat, adjustment in itertools.product(found, TEMPERATURES, ADJUSTMENTS)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", required=True, nargs="+", help="the photos it was trained on")
    parser.add_argument("--limit", type=int, default=160, help="held-out photos to color")
    parser.add_argument("--out", type=Path, default=Path("results/decoding.md"))
    options = parser.parse_args()
    network, _ = torch_model.load(options.run)
    photos = photo_set.load(options.data, size=SIDE)
    held = photo_set.hold_out(photos.keys) & (torch.minimum(photos.height, photos.width) >= SIDE)
    chosen = held.nonzero()[:, 0][: options.limit].tolist()
    rows: dict[Any, list[metrics.Score]] = {}
    for i in tqdm(chosen, "coloring", unit=" photos", disable=None):
        high, wide = (side // 32 * 32 for side in photos.photo(i).shape[:2])
        truth = photos.photo(i)[:high, :wide]
        flat = np.asarray(Image.fromarray(truth).convert("L").convert("RGB"))
        for name, own in {"gray": flat, "truth": truth, **paint(network, truth)}.items():
            rows.setdefault(name, []).append(metrics.score(own, truth))
    write_whole(options.out, format_report(rows))
    print(options.out.read_text())


def format_report(rows: dict[Any, list[metrics.Score]]) -> str:
    """The table in Markdown."""
    gray, truth = rows["gray"], rows["truth"]
    share = metrics.cell_shares(truth)
    rare = metrics.auc_rebalanced(gray, share)
    lines = [
        f"Gains over gray ({metrics.auc(gray):.2f} raw, {rare:.2f} rebalanced) on {len(gray)} "
        f"held-out photos at {SIDE} px.",
        "",
        "| temperature | taken back | raw AuC | rebalanced | PSNR | chroma / truth | gap "
        "| true palette: raw AuC | PSNR |",
        "|---|---|---|---|---|---|---|---|---|",
    ]

    def measure_gain(scores: list[metrics.Score]) -> tuple[float, float]:
        return metrics.auc(scores) - metrics.auc(gray), _mean(scores, "psnr") - _mean(gray, "psnr")

    for setting in itertools.product(TEMPERATURES, ADJUSTMENTS):
        scores = rows["automatic", *setting]
        (raw, psnr), (given, heard) = measure_gain(scores), measure_gain(rows["true", *setting])
        chroma = _mean(scores, "chroma") / _mean(truth, "chroma")
        pairs = zip(scores, truth, strict=True)
        gap = float(np.mean([abs(s.colorfulness - t.colorfulness) for s, t in pairs]))
        lines.append(
            "| " + " | ".join(f"{value:g}" for value in setting) + f" | {raw:+.2f} "
            f"| {metrics.auc_rebalanced(scores, share) - rare:+.2f} "
            f"| {psnr:+.2f} | {chroma:.2f} | {gap:.1f} | {given:+.2f} | {heard:+.2f} |"
        )
    return "\n".join(lines) + "\n"


def _mean(scores: list[metrics.Score], name: str) -> float:
    return float(np.mean([getattr(score, name) for score in scores]))


if __name__ == "__main__":
    main()
