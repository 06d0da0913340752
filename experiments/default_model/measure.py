"""What weights of `train.py` are worth: gains over gray on photographs never trained on.

    python experiments/default_model/measure.py runs/default/weights.safetensors --tar poems-000.tar
    python experiments/default_model/measure.py bundled --tar poems-000.tar --working-side 128
    python experiments/default_model/measure.py ... --old scans/*.jpg --sheet sheet.png

Raw AuC, rebalanced AuC where raw AuC is 0.3 below gray's, and PSNR, as `tintype evaluate` defines
them, at the working size; with the estimated palette, the true one, and true colors at places.
"""

import argparse
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from network import Config, Hints, Network, Palettes, measure_palettes, no_hints
from objective import average
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from train import load, under

from tintype.color import luma, oklab_of_luma, oklab_to_rgb, rgb_to_oklab
from tintype.colorizer import Colorizer
from tintype.model import OnnxModel
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research.evaluation import metrics
from tintype.working_size import shrink

ADJUSTMENTS = (1.0, 0.5, 0.25, 0.0, -0.25, -0.5)  # of the rebalancing: calm to vivid
TEMPERATURE = 0.8
GIVEN = 0.5  # how much is taken back where a palette or hints are given
HINTS = (1, 5, 10, 50)
Colored = dict[str | float, np.ndarray]  # a photo in many ways, (h, w, 3) uint8
LOSS = -0.3  # raw AuC against gray at which rebalanced AuC is compared


def photographs(path: Path, side: int, count: int) -> Iterator[np.ndarray]:
    """Photographs of a tar file, evenly chosen, (h, w, 3) uint8, the short side near `side`."""
    with tarfile.open(path) as tar:
        members = [member for member in tar if member.isfile()]
        for member in members[:: max(1, len(members) // count)][:count]:
            content = tar.extractfile(member)
            assert content is not None
            image = Image.open(io.BytesIO(content.read())).convert("RGB")
            yield np.asarray(shrink(image, side))


def paint(network: Network, logits: Tensor, gray: Tensor, adjustment: float) -> np.ndarray:
    """(h, w, 3) uint8 RGB of logits for gray (1, 1, h, w)."""
    ab = network.to_chroma(logits, adjustment=adjustment, temperature=TEMPERATURE).permute(
        0, 3, 1, 2
    )
    ab = F.interpolate(ab, scale_factor=4, mode="bilinear").permute(0, 2, 3, 1)
    rgb = oklab_to_rgb(oklab_of_luma(gray[:, 0], ab)).clamp(0, 1)[0]
    return np.asarray((255 * rgb).round().byte())


class Encoded:
    """A photograph after the encoder."""

    def __init__(self, network: Network, gray: Tensor) -> None:
        self.network, self.gray, self.small = network, gray, F.avg_pool2d(gray, 4)
        self.features, self.keys, self.palettes = network.encode(gray)

    def paint(
        self, palettes: Palettes, hints: Hints | None = None, adjustment: float = GIVEN
    ) -> np.ndarray:
        hints = no_hints(1, self.gray.device) if hints is None else hints
        logits, _ = self.network.decoder(
            self.features, self.keys, self.small, palettes, self.palettes, hints
        )
        return paint(self.network, logits, self.gray, adjustment)


def color(network: Network, truth: np.ndarray, rng: np.random.Generator) -> Colored:
    """A photograph, colored in all ways that are measured; numbers: of the rebalancing undone."""
    rgb = torch.from_numpy(truth.copy())[None].float() / 255
    ab = average(rgb_to_oklab(rgb)[..., 1:], 4)
    photo = Encoded(network, luma(rgb)[:, None])
    own = photo.palettes
    true = measure_palettes(network.config.bins, ab, photo.small[:, 0])
    place = torch.from_numpy(rng.random((1, max(HINTS), 2), dtype=np.float32))
    column, row = ((place[0, :, i] * ab.shape[2 - i]).long() for i in (0, 1))
    chroma = ab[:, row, column]
    found: dict[str | float, np.ndarray] = {u: photo.paint(own, adjustment=u) for u in ADJUSTMENTS}
    for n in HINTS:
        hints = Hints(place[:, :n], chroma[:, :n], torch.ones(1, n))
        found[f"{n} hints"] = photo.paint(own, hints)
        if n == 5:
            found["true palette, 5 hints"] = photo.paint(true, hints)
    gray = np.asarray(Image.fromarray(truth).convert("L").convert("RGB"))
    return found | {"true palette": photo.paint(true), "gray": gray, "truth": truth}


def color_by_bundled(colorizer: Colorizer, truth: np.ndarray) -> Colored:
    """The same by an exported model, which takes no hints."""
    model = colorizer.model
    assert isinstance(model, OnnxModel)
    gray = Image.fromarray(truth).convert("L")
    encoded, usual = colorizer.encode(gray), model.about["undo"]

    def paint(recipe: Recipe, undo: list[float]) -> np.ndarray:
        model.about["undo"] = undo
        return np.asarray(colorizer.decode(encoded, recipe).image)

    found: Colored = {u: paint(Recipe(), [u, u]) for u in ADJUSTMENTS}
    true = Palette.measure(truth, model.bins, side=model.side)
    found["true palette"] = paint(Recipe(true), usual)
    model.about["undo"] = usual
    return found | {"gray": np.asarray(gray.convert("RGB")), "truth": truth}


@torch.no_grad()
def measure(
    color: Callable[[np.ndarray], Colored], photos: Iterator[np.ndarray]
) -> dict[str, float]:
    """Gains over gray: raw AuC, rebalanced AuC, PSNR in decibels."""
    rows: dict[str | float, list[metrics.Score]] = {}
    for truth in photos:
        for name, rgb in color(truth).items():
            rows.setdefault(name, []).append(metrics.score(rgb, truth))
    share = metrics.cell_shares(rows["truth"])
    raw = {name: metrics.auc(scores) for name, scores in rows.items()}
    rare = {name: metrics.auc_rebalanced(scores, share) for name, scores in rows.items()}
    psnr = {name: float(np.mean([s.psnr for s in scores])) for name, scores in rows.items()}
    chroma = {name: float(np.mean([s.chroma for s in scores])) for name, scores in rows.items()}
    adjustment = float(
        np.interp(LOSS, [raw[u] - raw["gray"] for u in ADJUSTMENTS[::-1]], ADJUSTMENTS[::-1])
    )

    def at(values: dict[str | float, float]) -> float:
        return float(
            np.interp(-adjustment, [-u for u in ADJUSTMENTS], [values[u] for u in ADJUSTMENTS])
        )

    found = {
        "calm, raw": max(raw[u] for u in ADJUSTMENTS) - raw["gray"],
        f"adjustment at {LOSS}": adjustment,
        f"rebalanced at {LOSS}": at(rare) - rare["gray"],
        f"chroma at {LOSS}": at(chroma) / chroma["truth"],
        "true palette, raw": raw["true palette"] - raw["gray"],
        "automatic, dB": psnr[GIVEN] - psnr["gray"],
    }
    given = ["true palette", *(f"{n} hints" for n in HINTS), "true palette, 5 hints"]
    return found | {f"{name}, dB": psnr[name] - psnr["gray"] for name in given if name in psnr}


@torch.no_grad()
def draw_sheet(network: Network, files: list[Path], side: int, adjustment: float) -> Image.Image:
    """Gray photographs, colored, five to a row."""
    cell, across = (300, 240), 5
    page = Image.new("RGB", (cell[0] * across, cell[1] * -(-len(files) // across)))
    for i, file in enumerate(files):
        gray = np.asarray(shrink(Image.open(file).convert("L"), side), dtype=np.float32) / 255
        photo = Encoded(network, torch.from_numpy(gray)[None, None])
        tile = Image.fromarray(photo.paint(photo.palettes, adjustment=adjustment))
        tile.thumbnail(cell)
        page.paste(tile, (cell[0] * (i % across), cell[1] * (i // across)))
    return page


def _format(found: dict[str, float]) -> str:
    return json.dumps({name: round(value, 2) for name, value in found.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path, help="a file, or bundled")
    parser.add_argument("--tar", type=Path, help="photographs of a source never trained on")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--working-side", type=int, default=128, help="of the bundled model")
    parser.add_argument("--old", nargs="+", type=Path, help="gray photographs to look at")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument(
        "--adjustment", type=float, default=0.0, help="of the rebalancing, for the sheet"
    )
    o = parser.parse_args()
    torch.set_num_threads(1)
    if str(o.weights) == "bundled":
        model = OnnxModel(threads=1)
        model.side = o.working_side
        by_bundled = partial(color_by_bundled, Colorizer(model))
        print(_format(measure(by_bundled, photographs(o.tar, o.side, o.limit))))
        return
    state, about = load(o.weights)
    network = Network(Config()).eval()
    network.load_state_dict(under(state, "mean.") or state)
    if o.tar:
        by_network = partial(color, network, rng=np.random.default_rng(0))
        print(json.dumps(about), _format(measure(by_network, photographs(o.tar, o.side, o.limit))))
    if o.sheet:
        draw_sheet(network, o.old, o.side, o.adjustment).save(o.sheet)


if __name__ == "__main__":
    main()
