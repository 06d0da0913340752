"""The networks of two papers, whole and with random weights, as speed does not depend on them.

Each goes from a small gray photo of its own input size to its small chroma.
"""

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from onnx import ModelProto
from torch import Tensor, nn

from tintype.research.export import _trace
from tintype.research.methods import dahl2016, vgg16, zhang2016

SIDES = {"zhang2016": 256, "dahl2016": 224}  # pixels, as published


class Zhang(nn.Module):
    """Lightness (1, 1, 256, 256), 0..100 -> a and b at 1/4 of the size."""

    def __init__(self) -> None:
        super().__init__()
        self.network = zhang2016.Network(zhang2016.Config())

    def forward(self, lightness: Tensor) -> Tensor:
        shares = (self.network.logits(lightness) / zhang2016.TEMPERATURE).softmax(1)
        return torch.einsum("bkhw,kc->bchw", shares, self.network.centers)


class Dahl(nn.Module):
    """Gray (1, 1, 224, 224), 0..1 -> U and V at the same size."""

    def __init__(self) -> None:
        super().__init__()
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "vgg.safetensors"
            vgg16.save(vgg16.Vgg16(), path, {})
            self.network = dahl2016.Network(dahl2016.Config(vgg=str(path)))

    def forward(self, gray: Tensor) -> Tensor:
        return self.network.paint(gray)


def network(name: str) -> nn.Module:
    """One of them, ready to be run."""
    torch.manual_seed(0)
    return {"zhang2016": Zhang, "dahl2016": Dahl}[name]().eval()


def photo(name: str) -> Tensor:
    """What it takes."""
    return torch.rand(1, 1, SIDES[name], SIDES[name], generator=torch.Generator().manual_seed(0))


def onnx(name: str) -> ModelProto:
    """Its graph in float32, whose input is `gray`."""
    return _trace(network(name), (photo(name),), ["gray"], ["chroma"], None)


def weights(graph: ModelProto) -> int:
    """How many numbers a graph has learned, or would have."""
    return sum(math.prod(tensor.dims) for tensor in graph.graph.initializer)


def by_torch(name: str, threads: int) -> Callable[[], object]:
    """Its call by torch, in float32."""
    torch.set_num_threads(threads)
    ready, gray = network(name), photo(name)

    def step() -> Tensor:
        with torch.inference_mode():
            result: Tensor = ready(gray)
        return result

    return step
