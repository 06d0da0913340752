"""What a model is worth: gains over gray on photographs never trained on.

    python experiments/default_model/measure.py runs/model --tar poems-000.tar --limit 200
    python experiments/default_model/measure.py bundled --tar poems-000.tar --working-side 256

The model is a folder that `tintype export` left. Raw AuC, rebalanced AuC where raw AuC is 0.3 below
gray's, and PSNR, as `tintype evaluate` defines them, at 192 pixels; with the estimated palette, the
true one, and true colors at places.
"""

import argparse
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tintype.colorizer import Colorizer, Encoded
from tintype.hints import NO_HINTS, Hints
from tintype.model import OnnxModel
from tintype.palette import Palette
from tintype.research.evaluation import hints_curve, metrics
from tintype.working_size import shrink

ADJUSTMENTS = (1.0, 0.75, 0.5, 0.25, 0.0, -0.25, -0.5)  # of the rebalancing: calm to vivid
GIVEN = 0.5  # how much is taken back where a palette or hints are given
HINTS = (1, 5, 10, 50)
LOSS = -0.3  # raw AuC against gray at which rebalanced AuC is compared
Colored = dict[str | float, np.ndarray]  # a photo in many ways, (h, w, 3) uint8


def photographs(path: Path, side: int, count: int) -> Iterator[np.ndarray]:
    """Photographs of a tar file, evenly chosen, (h, w, 3) uint8, the short side near `side`."""
    with tarfile.open(path) as tar:
        members = [member for member in tar if member.isfile()]
        for member in members[:: max(1, len(members) // count)][:count]:
            content = tar.extractfile(member)
            assert content is not None
            image = Image.open(io.BytesIO(content.read())).convert("RGB")
            yield np.asarray(shrink(image, side))


def paint(
    model: OnnxModel, photo: Encoded, palette: Palette, adjustment: float, hints: Hints = NO_HINTS
) -> np.ndarray:
    """A photo in 8-bit RGB, with so much of the rebalancing taken back, more of it in shadows."""
    model.about["undo"] = [model.about["undo"][0], adjustment]
    model.vividness_given = 1.0
    return np.asarray(hints_curve.paint(Colorizer(model), photo, palette, hints))


def color(model: OnnxModel, truth: np.ndarray, rng: np.random.Generator) -> Colored:
    """A photograph, colored in all ways that are measured; numbers: of the rebalancing undone."""
    gray = Image.fromarray(truth).convert("L")
    photo = Colorizer(model).encode(gray)
    own, true = photo.palette, Palette.measure(truth, model.bins, side=model.side)
    found: Colored = {u: paint(model, photo, own, u) for u in ADJUSTMENTS}
    found["true palette"] = paint(model, photo, true, GIVEN)
    if model.takes_hints:
        patches = hints_curve.average(hints_curve.measure_chroma(truth), hints_curve.PATCH)
        every = hints_curve.reveal(patches, rng.random((max(HINTS), 2)))
        for n in HINTS:
            hints = hints_curve.take(every, n)
            found[f"{n} hints"] = paint(model, photo, own, GIVEN, hints)
            if n == 5:
                found["true palette, 5 hints"] = paint(model, photo, true, GIVEN, hints)
    return found | {"gray": np.asarray(gray.convert("RGB")), "truth": truth}


def measure(model: OnnxModel, photos: Iterator[np.ndarray]) -> dict[str, float]:
    """Gains over gray: raw AuC, rebalanced AuC, PSNR in decibels."""
    rows: dict[str | float, list[metrics.Score]] = {}
    rng = np.random.default_rng(0)
    for truth in photos:
        for name, rgb in color(model, truth, rng).items():
            rows.setdefault(name, []).append(metrics.score(rgb, truth))
    share = metrics.cell_shares(rows["truth"])
    raw = {name: metrics.auc(scores) for name, scores in rows.items()}
    rare = {name: metrics.auc_rebalanced(scores, share) for name, scores in rows.items()}
    psnr = {name: float(np.mean([s.psnr for s in scores])) for name, scores in rows.items()}
    chroma = {name: float(np.mean([s.chroma for s in scores])) for name, scores in rows.items()}
    gains = [raw[u] - raw["gray"] for u in ADJUSTMENTS[::-1]]
    adjustment = float(np.interp(LOSS, gains, ADJUSTMENTS[::-1]))

    def at(values: dict[str | float, float]) -> float:
        vivid = [values[u] for u in ADJUSTMENTS[::-1]]
        return float(np.interp(adjustment, ADJUSTMENTS[::-1], vivid))

    found = {
        "calm, raw": max(gains),
        f"adjustment at {LOSS}": adjustment,
        f"rebalanced at {LOSS}": at(rare) - rare["gray"],
        f"chroma at {LOSS}": at(chroma) / chroma["truth"],
        "true palette, raw": raw["true palette"] - raw["gray"],
        "automatic, dB": psnr[GIVEN] - psnr["gray"],
    }
    given = ["true palette", *(f"{n} hints" for n in HINTS), "true palette, 5 hints"]
    return found | {f"{name}, dB": psnr[name] - psnr["gray"] for name in given if name in psnr}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a folder, or bundled")
    parser.add_argument("--tar", type=Path, required=True, help="a source never trained on")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--side", type=int, default=192, help="of the photographs")
    parser.add_argument("--working-side", type=int, help="of the model, if not its own")
    parser.add_argument("--shadows", type=float, help="how near to calm, if not the model's own")
    o = parser.parse_args()
    model = OnnxModel(None if o.model == "bundled" else o.model, threads=1)
    model.side = o.working_side or model.side
    if o.shadows is not None:
        model.about["shadows"] = o.shadows
    found = measure(model, photographs(o.tar, o.side, o.limit))
    print(json.dumps({name: round(value, 2) for name, value in found.items()}))


if __name__ == "__main__":
    main()
