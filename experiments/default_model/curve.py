"""Draw what the default model gained as it saw more: python experiments/default_model/curve.py

results/pretrained.json has a row for each checkpoint: its network, the crops it has seen, and what
`measure.py` found. It leaves results/pretrained.png.
"""

import json
from pathlib import Path

from matplotlib.figure import Figure

from tintype.research.figures import canvas

RESULTS = Path(__file__).parents[2] / "results"
GAINS = {  # by the names of `measure.py`
    "calm, raw": "calm: raw AuC",
    "true palette, raw": "true palette: raw AuC",
    "true palette, dB": "true palette: PSNR, dB",
    "5 hints, dB": "5 hints: PSNR, dB",
    "50 hints, dB": "50 hints: PSNR, dB",
}


def main() -> None:
    """Draw a line for each gain, a dotted one for that of 0.3, and names where networks begin."""
    found = json.loads((RESULTS / "pretrained.json").read_text())
    rows = found["rows"]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    crops = [row["crops"] / 1000 for row in rows]
    for name, words in GAINS.items():
        axes.plot(crops, [row["gains"][name] for row in rows], "o-", label=words)
    for i, row in enumerate(rows):
        if i == 0 or row["network"] != rows[i - 1]["network"]:
            axes.axvline(crops[i], color="0.8", zorder=0)
            axes.text(crops[i], 0.1, f" {row['network']}", rotation=90, va="bottom", color="0.4")
    for gain in found["from random values, 0.3, 1,774,000 crops"].values():
        axes.axhline(gain, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    axes.set(xlabel="crops seen, thousands", ylabel="gain over gray", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(RESULTS / "pretrained.png", dpi=120)


if __name__ == "__main__":
    with canvas.style():
        main()
