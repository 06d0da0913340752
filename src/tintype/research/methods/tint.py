"""The baseline that is not gray: one tint over the whole photo, such as that of old prints.

There is no network: the one weight is how strong the tint is, the best for the training photos.
What a method gains over gray, but not over this, it does not gain by knowing what things look like.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tintype.color import luma, rgb_to_lab
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators
from tintype.research.methods import fenu2016

STRENGTHS = torch.linspace(0, 0.3, 31)  # saturations that training photos choose from
STEP = 1e-3
KEEPS_LUMA = fenu2016.Config(gray="luma")


@dataclass(frozen=True)
class Config:
    """What is needed to paint the tint again."""

    hue: float = 30.0  # degrees of HSV: sepia


class Network(nn.Module):
    """The saturation of the tint, 0..1, as a network's one weight."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.saturation = nn.Parameter(torch.zeros(()))

    def paint(self, gray: Tensor, saturation: Tensor | None = None) -> Tensor:
        """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1."""
        strength = self.saturation if saturation is None else saturation
        angle = math.radians(self.config.hue)
        plane = strength.clamp(0, 1) * gray.new_tensor([math.cos(angle), math.sin(angle)])
        unit = ((plane + 1) / 2).expand(len(gray), *gray.shape[-2:], 2)
        rgb: Tensor = fenu2016.paint(unit, gray, KEEPS_LUMA).clamp(0, 1)
        return rgb

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Take the saturation that is nearest to the colors of RGB crops, of every 16th pixel."""
        sums = torch.zeros(len(STRENGTHS))
        for rgb in (batch[:, ::4, ::4] for batch in batches):
            gray = luma(rgb)[:, None]
            errors = [_measure_error(self.paint(gray, s), rgb) for s in STRENGTHS]
            sums += torch.stack(errors).cpu()
        self.saturation.copy_(STRENGTHS[sums.argmin()])

    def forward(
        self, rgb: Tensor, _labels: Tensor, _generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1.

        It is a hundredth of the mean distance in Lab's a and b, which raw AuC loses but for its
        steps. Its slope is taken from a saturation that is a little larger, because black has no
        gradient.
        """
        with torch.autocast(rgb.device.type, enabled=False), torch.no_grad():
            gray, own = luma(rgb)[:, None], self.saturation.detach()
            here, there = (
                _measure_error(self.paint(gray, s), rgb) / 100 for s in (own, own + STEP)
            )
        loss = here + (there - here) / STEP * (self.saturation - own)
        return loss, {"pixels": here}


def _measure_error(painted: Tensor, rgb: Tensor) -> Tensor:
    """Mean distance of two photos (batch, h, w, 3) in Lab's a and b, up to 150."""
    ab, true = (rgb_to_lab(photo)[..., 1:] for photo in (painted, rgb))
    distance: Tensor = torch.linalg.vector_norm(ab - true + 1e-6, dim=-1)
    return distance.clamp(max=150).mean()


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """Tinted RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1.

    Raises PaletteError for any palette, because the method takes none.
    """
    if palette is not None:
        raise PaletteError("expected no palette: tint has one color only")
    return network.paint(gray)
