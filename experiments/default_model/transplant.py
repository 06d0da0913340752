"""Give a trained network another backbone: all else stays, the views are fitted to what it saw.

    python experiments/default_model/transplant.py runs/lite0/last.safetensors runs/lite2 \\
        --scale 1.1 1.2 --data A.tar B.tar.gz

What the old network's sides made of the old views is fitted by least squares on the new views. The
new backbone is taken from `last.safetensors` of the second folder, where phase "distill" left it,
and the joined network is written there, to go on with phase "joint".
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from photographs import Photographs
from torch import Tensor, nn
from tqdm import tqdm
from train import LAST, under

from tintype.color import luma
from tintype.research.methods import checkpoint
from tintype.research.methods.tintype import Config, Network

RIDGE = 1e-3  # of the views' variance, which is 1


def load(path: Path, width: float, depth: float) -> tuple[Network, dict[str, object]]:
    """The averaged network of a run, and what is said of it."""
    state, about = checkpoint.load(path)
    network = Network(Config(backbone="efficientnet-lite", width=width, depth=depth))
    network.load_state_dict(under(state, "mean."))
    return network.eval(), about


def cells(view: Tensor) -> Tensor:
    """(batch, c, h, w) -> (cells, c), in double precision for the sums."""
    return view.permute(0, 2, 3, 1).flatten(0, 2).double()


class Fit:
    """Least squares of an old side's answers on a new view, as batches come."""

    def __init__(self) -> None:
        self.sums: list[Tensor] = []

    def add(self, view: Tensor, answer: Tensor) -> None:
        """view: (cells, c); answer: (cells, width)"""
        parts = [torch.tensor(float(len(view))), view.sum(0), answer.sum(0)]
        parts += [view.T @ view, view.T @ answer]
        self.sums = [a + b for a, b in zip(self.sums, parts, strict=True)] if self.sums else parts

    def write(self, side: nn.Sequential) -> float:
        """Into a batch norm and a convolution; gives how much of the variance is explained."""
        count, view, answer, square, cross = self.sums
        mean, middle = view / count, answer / count
        var = (square.diagonal() / count - mean**2).clamp(min=1e-8)
        scale = var.rsqrt()
        gram = (square / count - torch.outer(mean, mean)) * torch.outer(scale, scale)
        slope = (cross / count - torch.outer(mean, middle)) * scale[:, None]
        weight = torch.linalg.solve(gram + RIDGE * torch.eye(len(gram)), slope).T
        norm, convolution = side
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)
        norm.weight.fill_(1)
        norm.bias.copy_(torch.linalg.lstsq(weight, middle[:, None], driver="gelsd").solution[:, 0])
        convolution.weight.copy_(weight[..., None, None])
        return float((weight * slope.T).sum())


@torch.no_grad()
def transplant(old: Network, new: Network, crops: Iterator[Tensor], count: int) -> None:
    """Give `new`, whose backbone sees, all else of `old`."""
    fixed = {k: v for k, v in old.state_dict().items() if not k.startswith("backbone.")}
    own = new.state_dict()
    new.load_state_dict({k: v for k, v in fixed.items() if v.shape == own[k].shape}, strict=False)
    fits = [Fit() for _ in old.neck.sides]
    totals = [0.0] * len(fits)
    for _ in tqdm(range(count), disable=None):
        gray = luma(next(crops) / 255)[:, None]
        detail = old.neck.detail(4 * (gray - 0.5))
        for i, (seen, had) in enumerate(zip(new.backbone(gray), old.backbone(gray), strict=True)):
            views = [torch.cat([v, detail], 1) if i == 0 else v for v in (seen, had)]
            answer = cells(old.neck.sides[i](views[1]))
            fits[i].add(cells(views[0]), answer)
            totals[i] += float(answer.var(0).sum()) / count
    for fit, side, total in zip(fits, new.neck.sides, totals, strict=True):
        print(f"explained: {fit.write(side) / total:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old", type=Path, help="last.safetensors of a run on Lite0")
    parser.add_argument("new", type=Path, help="folder of a run that has learned to see")
    parser.add_argument("--scale", type=float, nargs=2, required=True, help="of the new backbone")
    parser.add_argument("--data", nargs="+", required=True, help="tar files of photographs")
    parser.add_argument("--count", type=int, default=40, help="batches of 32")
    parser.add_argument("--size", type=int, default=160)
    o = parser.parse_args()
    torch.manual_seed(0)
    (old, about), (new, _) = load(o.old, 1.0, 1.0), load(o.new / LAST, *o.scale)
    transplant(old, new, Photographs(o.data).batches(32, o.size, 0, 1), o.count)
    state = new.state_dict()
    state = {f"{kind}.{k}": v.clone() for kind in ("net", "mean") for k, v in state.items()}
    checkpoint.save(o.new / LAST, state, about | {"phases": {}})


if __name__ == "__main__":
    main()
