"""Colorful Image Colorization (Zhang, Isola & Efros 2016): classification over ab bins, rebalanced.

    L ─▶ conv1 ─▶ ... ─▶ conv8 ─▶ logits over the bins at 1/4 size ─▶ annealed mean ─▶ a, b
         1/2  1/4  1/8 .. (conv5 and conv6 dilated)  1/4

The bins are the cells of a grid of 10 in CIE Lab's a and b that some color of sRGB falls into. The
paper counts 313 of them and does not say how; counting only the cells whose center is a color of
sRGB gives about 226, and counting all cells that are touched, as here, about 261.
"""

import itertools
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import lab_to_rgb, rgb_to_lab
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators
from tintype.research.methods import ranges
from tintype.research.methods.losses import average

GRID = 10  # width of a bin
NEIGHBORS = 5  # bins that share a pixel's color: section 2.2
SIGMA = 5.0  # of the Gaussian that shares it, and that smooths the prior
COLORFUL = 5.0  # photos in which no a or b exceeds it teach nothing
TEMPERATURE = 0.38  # of the annealed mean: section 2.3


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    width: float = 1.0  # of all layers: 1 is the paper's 32 million weights
    rebalance: float = 0.5  # lambda of equation 4: 1 forgets how frequent a color is


@cache
def gamut() -> np.ndarray:
    """(count, 2) float32 a and b of the bins: the cells' centers, by a and then by b.

    A line of constant a and b leaves the solid of sRGB's colors through its surface, so the
    cells of the solid are those of the surface: six faces of 256 x 256 colors.
    """
    level = np.linspace(0, 1, 256)
    square = np.stack(np.meshgrid(level, level, indexing="ij"), axis=-1)
    faces = [np.insert(square, axis, end, axis=-1) for axis in range(3) for end in (0.0, 1.0)]
    ab = rgb_to_lab(np.stack(faces).reshape(-1, 3))[:, 1:]
    return np.asarray(GRID * np.unique(np.floor(ab / GRID + 0.5), axis=0), dtype=np.float32)


def encode(ab: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Soft encoding: each color shared among its nearest bins by a Gaussian (section 2.2).

    ab: (..., 2); centers: (count, 2). Returns bin indices (..., 5), the nearest first, and
    shares (..., 5) that sum to 1.
    """
    distance, index = torch.cdist(ab.reshape(-1, 2), centers).topk(NEIGHBORS, largest=False)
    share = (-(distance**2) / (2 * SIGMA**2)).softmax(-1)
    shape = (*ab.shape[:-1], NEIGHBORS)
    return index.reshape(shape), share.reshape(shape)


def weigh_rarity(share: Tensor, centers: Tensor, rebalance: float) -> Tensor:
    """The weights (count,) of pixels by their colors' bins (equation 4), with a mean of 1.

    share: (count,) of all pixels; it is smoothed over the ab plane first, and the mean is by it
    """
    near = (-(torch.cdist(centers, centers) ** 2) / (2 * SIGMA**2)).exp()
    smooth = near / near.sum(0) @ share
    weight = 1 / ((1 - rebalance) * smooth + rebalance / len(share))
    return weight / (smooth * weight).sum()


def make_block(
    widths: tuple[int, ...], *, stride: int = 1, dilation: int = 1, norm: bool = True
) -> nn.Sequential:
    """3 x 3 convolutions from width to width with ReLU, the last one strided, then a batch norm."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        step = stride if i == len(widths) - 2 else 1
        layers += [nn.Conv2d(inputs, outputs, 3, step, dilation, dilation), nn.ReLU()]
    if norm:
        layers.append(nn.BatchNorm2d(widths[-1], affine=False))
    return nn.Sequential(*layers)


class Network(nn.Module):
    """The eight blocks. Its buffers are the bins and what was counted on the training photos."""

    centers: Tensor  # (count, 2)
    rarity: Tensor  # (count,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        ranges.check(config, {"width": (1 / 64, math.inf), "rebalance": ranges.SHARE})
        self.config = config
        one, two, three, four = (max(1, round(config.width * w)) for w in (64, 128, 256, 512))
        self.register_buffer("centers", torch.tensor(gamut()))
        self.register_buffer("rarity", torch.ones(len(self.centers)))
        self.blocks = nn.Sequential(
            make_block((1, one, one), stride=2),
            make_block((one, two, two), stride=2),
            make_block((two, three, three, three), stride=2),
            make_block((three, four, four, four)),
            make_block((four, four, four, four), dilation=2),
            make_block((four, four, four, four), dilation=2),
            make_block((four, four, four, four)),
            nn.ConvTranspose2d(four, three, 4, 2, 1),
            nn.ReLU(),
            make_block((three, three, three), norm=False),
        )
        self.classify = nn.Conv2d(three, len(self.centers), 1)

    def logits(self, lightness: Tensor) -> Tensor:
        """Lab's L (batch, 1, h, w), sides multiples of 8 -> (batch, count, h/4, w/4) logits.

        The network sees L - 50, over 50 to suit the first weights.
        """
        x: Tensor = self.classify(self.blocks((lightness - 50) / 50))
        return x.float()

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Set the rebalancing weights from RGB crops."""
        share = torch.zeros_like(self.rarity)
        for rgb in batches:
            index, part = encode(average(rgb_to_lab(rgb)[..., 1:], 4), self.centers)
            share.index_add_(0, index.flatten(), part.flatten())
        self.rarity.copy_(weigh_rarity(share / share.sum(), self.centers, self.config.rebalance))

    def forward(
        self, rgb: Tensor, _labels: Tensor, _generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1, and its parts.

        Equation 2, less the entropy of the soft encoding, so that 0 is perfect. Each pixel weighs
        by the rarity of its nearest bin.
        """
        with torch.autocast(rgb.device.type, enabled=False):
            lab = rgb_to_lab(rgb)
            ab = average(lab[..., 1:], 4)
            index, share = encode(ab, self.centers)
        log_shares = self.logits(lab[..., :1].permute(0, 3, 1, 2)).log_softmax(1)
        found = log_shares.permute(0, 2, 3, 1).gather(-1, index)
        entropy = (share * (share.clamp(min=1e-9).log() - found)).sum(-1)
        colorful = (ab.abs() > COLORFUL).any(-1).any(-1).any(-1)[:, None, None]
        loss = (entropy * self.rarity[index[..., 0]] * colorful).mean()
        return loss, {"pixels": loss.detach()}


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1.

    Colors are the annealed mean (equation 5). Raises PaletteError for any palette, because the
    method takes none.
    """
    if palette is not None:
        raise PaletteError("expected no palette: zhang2016 cannot be steered")
    high, wide = gray.shape[-2:]
    lightness = rgb_to_lab(gray[:, 0, :, :, None].expand(-1, -1, -1, 3))[..., 0]
    whole = F.pad(lightness[:, None], (0, -wide % 8, 0, -high % 8), mode="replicate")
    shares = (network.logits(whole) / TEMPERATURE).softmax(1)
    ab = torch.einsum("bkhw,kc->bchw", shares, network.centers)
    ab = F.interpolate(ab, scale_factor=4, mode="bilinear")[..., :high, :wide]
    lab = torch.cat([lightness[:, None], ab], 1).permute(0, 2, 3, 1)
    rgb: Tensor = lab_to_rgb(lab).clamp(0, 1)
    return rgb
