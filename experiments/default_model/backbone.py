"""EfficientNet-Lite0, the pretrained backbone of the default model (Tan & Le 2019).

    gray ─▶ stem ─▶ 16 inverted residual blocks ─▶ views at 1/4, 1/8, 1/16 and 1/32 of the size

No squeeze and excitation, ReLU6 for swish, stem and head not scaled, "same" padding of TensorFlow.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STAGES = (  # expansion, outputs, blocks, stride, kernel: Table 1 of the paper
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
VIEWS = {2: 24, 4: 40, 10: 112, 15: 320}  # the last block of each view, and its width
EARLY = 8  # blocks 0 to 7 stay as they were learned on ImageNet


def same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad (batch, c, h, w) of sides that are multiples of the stride as TensorFlow does."""
    total = kernel - stride
    before = total // 2
    return F.pad(x, (before, total - before, before, total - before))


class Conv(nn.Conv2d):
    """A convolution without bias, with "same" padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(
            inputs,
            outputs,
            kernel,
            stride,
            0 if stride > 1 else kernel // 2,
            groups=groups,
            bias=False,
        )
        self.strided = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        if self.strided:
            x = same(x, self.kernel_size[0], self.stride[0])
        return super().forward(x)


def norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3)


class Block(nn.Module):
    """Widen, convolve each channel, narrow; carried around where the sizes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.carried = stride == 1 and inputs == outputs
        if expansion > 1:
            self._expand_conv, self._bn0 = Conv(inputs, wide, 1), norm(wide)
        self._depthwise_conv, self._bn1 = Conv(wide, wide, kernel, stride, wide), norm(wide)
        self._project_conv, self._bn2 = Conv(wide, outputs, 1), norm(outputs)
        self.expansion = expansion

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expansion > 1 else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.carried else y


class Backbone(nn.Module):
    """Gray photo -> views at 1/4, 1/8, 1/16 and 1/32 of its size, 24, 40, 112 and 320 wide."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Conv(1, 32, 3, 2), norm(32)
        blocks, width = [], 32
        for expansion, outputs, count, stride, kernel in STAGES:
            for i in range(count):
                blocks.append(Block(width, outputs, expansion, stride if i == 0 else 1, kernel))
                width = outputs
        self._blocks = nn.ModuleList(blocks)

    def forward(self, luma: Tensor) -> list[Tensor]:
        """luma: (batch, 1, h, w), 0..1, sides multiples of 32"""
        *views, x = self.early(luma)
        return [*views, *self.late(x)]

    def early(self, luma: Tensor) -> list[Tensor]:
        """The views at 1/4 and 1/8, and what enters `late`: (batch, 80, h/16, w/16)."""
        x = F.relu6(self._bn0(self._conv_stem((255 * luma - 127) / 128)))
        views = []
        for i, block in enumerate(self._blocks[:EARLY]):
            x = block(x)
            if i in VIEWS:
                views.append(x)
        return [*views, x]

    def late(self, x: Tensor) -> list[Tensor]:
        """The views at 1/16 and 1/32."""
        views = []
        for i, block in enumerate(self._blocks[EARLY:], EARLY):
            x = block(x)
            if i in VIEWS:
                views.append(x)
        return views


def load(path: Path) -> Backbone:
    """The backbone from the published state dict; its stem summed over RGB, as gray is all."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    state["_conv_stem.weight"] = state["_conv_stem.weight"].sum(1, keepdim=True)
    backbone = Backbone().eval()
    missing, unknown = backbone.load_state_dict(state, strict=False)
    left = [k for k in unknown if not k.startswith(("_conv_head", "_bn1", "_fc"))]
    assert not missing, missing
    assert not left, left
    return backbone
