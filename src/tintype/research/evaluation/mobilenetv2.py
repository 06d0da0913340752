"""MobileNetV2 for ImageNet (Sandler et al. 2018): the classifier that judges colored photos.

    photo ─▶ stem ─▶ inverted residual blocks ─▶ head ─▶ pooled features ─▶ logits

No model of ours learned from it. Batch norms are folded into the convolutions.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.errors import DataError
from tintype.research.methods.published import read_arrays

CLASSES = 1001  # 0 is the background, then ImageNet's order
BLOCKS = (  # t, c, n, s of the paper's Table 2
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class Layer(nn.Module):
    """A convolution, its batch norm folded in, and ReLU6 unless linear."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        stride: int = 1,
        *,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, size, size))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.stride, self.groups, self.linear = stride, groups, linear

    def forward(self, x: Tensor) -> Tensor:
        after = self.weight.shape[-1] // 2
        before = after if self.stride == 1 else 0  # TensorFlow's "same", of even sizes
        x = F.pad(x, (before, after, before, after))
        x = F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)
        return x if self.linear else F.relu6(x)


class Block(nn.Module):
    """An inverted residual: widen, convolve each channel, narrow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [] if expansion == 1 else [Layer(inputs, wide, 1)]
        layers += [Layer(wide, wide, 3, stride, groups=wide)]
        layers += [Layer(wide, outputs, 1, linear=True)]
        self.layers = nn.Sequential(*layers)
        self.carried = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.carried else out


class MobileNetV2(nn.Module):
    """MobileNetV2 at width 1."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Layer(3, 32, 3, 2)
        blocks: list[Block] = []
        width = 32
        for expansion, outputs, count, stride in BLOCKS:
            for i in range(count):
                blocks.append(Block(width, outputs, stride if i == 0 else 1, expansion))
                width = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = Layer(width, 1280, 1)
        self.classify = Layer(1280, CLASSES, 1, linear=True)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """rgb: (batch, 3, h, w), 0..1, sides multiples of 32.

        Returns pooled features (batch, 1280) and logits (batch, 1001).
        """
        deepest = self.head(self.blocks(self.stem(2 * rgb - 1)))
        pooled = deepest.mean((2, 3), keepdim=True)
        return pooled[:, :, 0, 0], self.classify(pooled)[:, :, 0, 0]


def load(path: Path) -> MobileNetV2:
    """The network from an .npz of its layers in order, kernels as TensorFlow Lite has them.

    Raises DataError where the file is another network's.
    """
    arrays = [array for _, array in sorted(read_arrays(path, "a MobileNetV2").items())]
    network = MobileNetV2().eval()
    layers = [module for module in network.modules() if isinstance(module, Layer)]
    if len(arrays) != 2 * len(layers):
        raise DataError(f"{path}: expected {2 * len(layers)} arrays, found {len(arrays)}")
    for layer, bias, kernel in zip(layers, arrays[::2], arrays[1::2], strict=True):
        outputs, inputs, *size = layer.weight.shape
        by_channel = layer.groups > 1  # its channels come last, else its inputs do
        wanted = (inputs, *size, outputs) if by_channel else (outputs, *size, inputs)
        if kernel.shape != wanted or bias.shape != layer.bias.shape:
            raise DataError(f"{path}: expected a kernel of {wanted}, found {kernel.shape}")
        weight = torch.from_numpy(kernel.transpose((3, 0, 1, 2) if by_channel else (0, 3, 1, 2)))
        layer.weight.data = weight.contiguous(memory_format=torch.channels_last)
        layer.bias.data = torch.from_numpy(bias)
    return network.requires_grad_(False)
