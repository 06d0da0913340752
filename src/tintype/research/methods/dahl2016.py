"""Automatic Colorization (Ryan Dahl 2016, tinyclouds.org/colorize): the residual encoder.

    gray ─▶ VGG-16, pinned ─▶ conv1_2   conv2_2   conv3_3   conv4_3
                                 │         │         │         │ batch norm, 1 x 1
                                 ▼         ▼         ▼         ▼
       U, V ◀─ 3 x 3, 3 x 3 ◀────+◀───up───+◀───up───+◀───up───┘   "+": batch norm, add, 3 x 3

U and V are those of the luma-chroma form that JPEG uses, moved to 0..1. Where the original was
trained by plain gradient descent, here the common training loop is used, and the last batch
norm begins small (`begin_faintly`, as in `fenu2016`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import rgb_to_ycbcr, ycbcr_to_rgb
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators
from tintype.research.methods import vgg16
from tintype.research.methods.losses import blurred_euclidean

FAINT = 0.1  # deviation of the first outputs, before the sigmoids: nearly gray


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    vgg: str = ""  # a file of VGG-16's weights


class Convolution(nn.Sequential):
    """A convolution whose bias is a batch norm's, and what follows it."""

    def __init__(self, inputs: int, outputs: int, side: int, last: nn.Module) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False),
            nn.BatchNorm2d(outputs),
            last,
        )


def begin_faintly(color: Convolution) -> None:
    """Let the batch norm that gives the colors begin so small that the first photos are gray.

    With a scale of 1 they are noise as strong as any color, which a short run does not unlearn.
    """
    norm = color[1]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.constant_(norm.weight, FAINT)


class Network(nn.Module):
    """VGG-16 as it was, and the residual encoder above it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.vgg = vgg16.load_pinned(config.vgg)
        first, second, third, fourth = self.vgg.widths[:4]
        self.norms = nn.ModuleList(nn.BatchNorm2d(w) for w in (fourth, third, second, first, 3))
        self.steps = nn.ModuleList(
            [
                Convolution(fourth, third, 1, nn.ReLU()),
                Convolution(third, second, 3, nn.ReLU()),
                Convolution(second, first, 3, nn.ReLU()),
                Convolution(first, 3, 3, nn.ReLU()),
                Convolution(3, 3, 3, nn.ReLU()),
            ]
        )
        self.color = Convolution(3, 2, 3, nn.Sigmoid())
        begin_faintly(self.color)

    def paint(self, gray: Tensor) -> Tensor:
        """U and V (batch, 2, h, w), 0..1, of gray photos (batch, 1, h, w), 0..1, from 8 x 8."""
        taps = self.vgg(gray, 4)
        x: Tensor | None = None
        skips = [*reversed(taps), gray.expand(-1, 3, -1, -1)]
        for skip, norm, step in zip(skips, self.norms, self.steps, strict=True):
            if x is None:
                x = norm(skip)
            else:
                x = F.interpolate(x, skip.shape[-2:], mode="bilinear") + norm(skip)
            x = step(x)
        uv: Tensor = self.color(x)
        return uv.float()

    def count_colors(self, batches: list[Tensor]) -> None:
        """Nothing is counted: every color weighs the same."""

    def forward(
        self, rgb: Tensor, _labels: Tensor, _generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1, and its parts."""
        ycbcr = rgb_to_ycbcr(rgb).permute(0, 3, 1, 2)
        uv = self.paint(ycbcr[:, :1])
        with torch.autocast(rgb.device.type, enabled=False):  # blurring is a convolution, too
            loss = blurred_euclidean(uv, ycbcr[:, 1:] + 0.5)
        return loss, {"pixels": loss.detach()}


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1, sides of 8 or more.

    Raises PaletteError for any palette, because the method takes none.
    """
    if palette is not None:
        raise PaletteError("expected no palette: dahl2016 cannot be steered")
    ycbcr = torch.cat([gray, network.paint(gray) - 0.5], 1).permute(0, 2, 3, 1)
    rgb: Tensor = ycbcr_to_rgb(ycbcr).clamp(0, 1)
    return rgb
