"""Give the default model more residual blocks in its encoder, which change nothing at first.

    python experiments/deepen.py runs/third --blocks 0 1 1 4 3 --seed 4 --out runs/grown.safetensors

The last norm of each new block begins at zero, so that the block passes on what it gets. To train
on with `tintype train --start OUT --set 'blocks=[0,1,1,4,3]'`.
"""

import argparse
from pathlib import Path

import torch

from tintype.research import torch_model
from tintype.research.methods import checkpoint
from tintype.research.methods import tintype as method


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--blocks", type=int, nargs=5, required=True, help="the finest level first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    network, about = torch_model.load(options.run)
    about["config"]["blocks"] = options.blocks
    torch.manual_seed(options.seed)
    deeper = method.Network(checkpoint.make_config(method.Config, about["config"])).state_dict()
    for name in deeper.keys() - network.state_dict().keys():
        if name.endswith(("norm.weight", "norm.bias")):
            deeper[name].zero_()
    checkpoint.save(options.out, deeper | network.state_dict(), about)


if __name__ == "__main__":
    main()
