"""Weights of `train.py` as a `Model`, so that all of Tintype runs with them before an export.

python experiments/default_model/model.py WEIGHTS --photos old/*.jpg -o colored/
python experiments/default_model/model.py WEIGHTS --data poems-000.tar --limit 100
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from network import Config, Network, Palettes, no_hints, spread_over_tones
from torch import Tensor
from torch.nn import functional as F
from train import load, under

from tintype.bans import apply_bans
from tintype.colorizer import Colorizer
from tintype.model import SEVERE, Encoding, find_alternatives
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research.evaluation import evaluate

TEMPERATURE = 0.8
CALM, VIVID = 0.9, -0.3  # how much of the rebalancing is taken back at vividness 0 and 1


class DefaultModel:
    """A trained network in torch, as `tintype.model.Model`."""

    def __init__(
        self, weights: Path, *, side: int, vividness: float, given: float, threads: int = 1
    ) -> None:
        """side: pixels, the working size; vividness, given: the defaults, 0..1"""
        state, about = load(weights)
        self.network = Network(Config()).eval().requires_grad_(False)
        self.network.load_state_dict(under(state, "mean.") or state)
        self.bins, self.side, self.threads = self.network.config.bins, side, threads
        self.vividness, self.vividness_given = vividness, given
        self.fingerprint = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
        torch.set_num_threads(threads)

    def encode(self, gray: np.ndarray) -> Encoding:
        """As `Model.encode`."""
        luma = torch.from_numpy(gray.astype(np.float32) / 255)[None, None]
        features, keys, deep = self.network.neck(luma, self.network.backbone(luma))
        shares = self.network.palette(deep)
        found = self.network.estimate(deep)
        palette = Palette(self.bins, found.whole[0].numpy(), tones=found.tones[0].numpy())
        prototypes = self.network.prototypes[:, 0].numpy()
        return Encoding(
            features=[f.numpy() for f in (*features, keys)],
            luma=F.avg_pool2d(luma, 4)[0, 0].numpy(),
            palette=palette,
            alternatives=find_alternatives(palette, shares[0].numpy(), prototypes),
            reference=palette,
        )

    def decode(self, encoding: Encoding, palette: Palette, vividness: float) -> np.ndarray:
        """As `Model.decode`; the chroma has 1/4 of the working size."""
        *features, keys = (torch.from_numpy(f) for f in encoding.features)
        luma = torch.from_numpy(encoding.luma)[None, None]
        reference = self._palettes(encoding.reference)
        target = self._palettes(palette)
        if palette.tones is None:
            target = spread_over_tones(target.whole, reference)
        hints = no_hints(1, luma.device)
        logits, _ = self.network.decoder(features, keys, luma, target, reference, hints)
        forbidden = torch.from_numpy(palette.forbidden)[:, None, None]
        logits = torch.where(forbidden, logits + SEVERE, logits)
        undo = CALM + vividness * (VIVID - CALM)
        ab = self.network.to_chroma(logits, adjustment=undo, temperature=TEMPERATURE)[0].numpy()
        return apply_bans(ab, ab, palette)

    def _palettes(self, palette: Palette) -> Palettes:
        def tensor(shares: np.ndarray) -> Tensor:
            return torch.from_numpy(shares.astype(np.float32))[None]

        return Palettes(tensor(palette.shares), tensor(palette.by_tone))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--vividness", type=float, default=0.75)
    parser.add_argument("--given", type=float, default=0.35)
    parser.add_argument("--photos", type=Path, nargs="+", default=[], help="to be colored")
    parser.add_argument("-o", "--output", type=Path, default=Path("colored"))
    parser.add_argument("--data", help="tar file of photographs to evaluate on")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--edits", type=int, default=0)
    parser.add_argument("--classifier", type=Path)
    o = parser.parse_args()
    model = DefaultModel(o.weights, side=o.side, vividness=o.vividness, given=o.given)
    colorizer = Colorizer(model)
    for photo in o.photos:
        o.output.mkdir(parents=True, exist_ok=True)
        colorizer.colorize(photo, Recipe()).save(o.output / photo.name, overwrite=True)
    if o.data:
        from tintype.research.evaluation.recognition import Classifier

        classifier = None if o.classifier is None else Classifier(o.classifier)
        report = evaluate.evaluate(
            colorizer, [o.data], limit=o.limit, edits=o.edits, classifier=classifier
        )
        print(evaluate.format_table(report))


if __name__ == "__main__":
    main()
