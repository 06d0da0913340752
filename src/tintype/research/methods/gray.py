"""The baseline: the gray photograph itself. There is nothing to train."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators


@dataclass(frozen=True)
class Config:
    """There is nothing to choose."""


class Network(nn.Module):
    """A network without weights."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    def count_colors(self, batches: list[Tensor]) -> None:
        """Nothing is counted."""

    def forward(
        self, rgb: Tensor, _labels: Tensor, _generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """A loss of 0, whatever the RGB crops."""
        return rgb.new_zeros(()), {}


@torch.no_grad()
def colorize(_network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """Gray photos (batch, 1, h, w), 0..1, as RGB (batch, h, w, 3). Raises PaletteError for any."""
    if palette is not None:
        raise PaletteError("expected no palette: gray has no colors to choose")
    return gray[:, 0, :, :, None].repeat(1, 1, 1, 3)
