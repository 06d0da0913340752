"""Tintype's own method: what is asked of every method, of the network in `network`."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.color import luma as measure_luma
from tintype.color import oklab_of_luma, oklab_to_rgb
from tintype.palette import Palette
from tintype.research.methods.palettes import Palettes, expand_palette
from tintype.research.methods.tintype.decoder import Hints
from tintype.research.methods.tintype.network import Config, Network
from tintype.research.methods.tintype.objective import measure_true

__all__ = [
    "LATE_RATE",
    "Config",
    "Hints",
    "Network",
    "colorize",
    "decode",
    "find_likelihoods",
    "preview",
]

TEMPERATURE = 0.5  # of the annealed mean in training's previews and of runs in torch
HALF = 0.5  # of the rebalancing is taken back there
LATE_RATE = 0.15  # share of the learning rate for the later stages of a published backbone


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1.

    palette: the target, over the network's bins; the estimated ones by default. Raises
    PaletteError for another method's.
    """
    high, wide = gray.shape[-2:]
    whole = F.pad(gray, (0, -wide % 32, 0, -high % 32), mode="replicate")
    features, estimate, reference = network.encode(whole)
    target = expand_palette(palette, network.config.bins, estimate)
    return decode(network, features, whole, target, reference)[:, :high, :wide]


def decode(
    network: Network,
    features: list[Tensor],
    luma: Tensor,
    target: Palettes,
    reference: Palettes,
    hints: Hints | None = None,
    *,
    adjustment: float = HALF,
) -> Tensor:
    """What `colorize` gives, for an encoded photo (sides of 32 n), palettes and hints.

    adjustment: how much of the rebalancing is taken back, 0 (vivid) .. 1 (calm)
    """
    logits = _find_logits(network, features, luma, target, reference, hints)
    ab = network.to_chroma(logits, adjustment=adjustment, temperature=TEMPERATURE)
    ab = F.interpolate(ab.permute(0, 3, 1, 2), scale_factor=4, mode="bilinear")
    rgb: Tensor = oklab_to_rgb(oklab_of_luma(luma[:, 0], ab.permute(0, 2, 3, 1)))
    return rgb.clamp(0, 1)


def find_likelihoods(
    network: Network,
    features: list[Tensor],
    luma: Tensor,
    target: Palettes,
    reference: Palettes,
    hints: Hints | None = None,
    *,
    adjustment: float = HALF,
) -> Tensor:
    """How much `decode` weighs each bin: (batch, bins, h/4, w/4), sums of 1 over the bins."""
    logits = _find_logits(network, features, luma, target, reference, hints)
    return network.weigh(logits, adjustment=adjustment, temperature=TEMPERATURE)


def _find_logits(
    network: Network,
    features: list[Tensor],
    luma: Tensor,
    target: Palettes,
    reference: Palettes,
    hints: Hints | None,
) -> Tensor:
    if hints is None or not hints.reach.numel():
        hints = Hints.none(len(luma), luma.device)
    logits: Tensor
    logits, _ = network.decoder(features, F.avg_pool2d(luma, 4), target, reference, hints)
    return logits


def preview(network: Network, rgb: Tensor, luma: Tensor) -> dict[str, Tensor]:
    """A photo (1, h, w, 3) colored as it would be used: calm, default, vivid, steered.

    Its own palette, and ten of its own colors at places.
    """
    features, estimate, reference = network.encode(luma)
    ab, true = measure_true(network.config.bins, rgb, measure_luma(rgb)[:, None])
    steps = (torch.arange(10) + 0.5) / 10
    place = torch.stack([steps, (7 * steps) % 1], -1)[None]
    high, wide = ab.shape[1:3]
    cells = ab[0, (place[0, :, 1] * high).long(), (place[0, :, 0] * wide).long()]
    hints = Hints(place.to(ab), cells[None], torch.ones(1, len(steps)).to(ab))
    shown = {
        "calm": decode(network, features, luma, estimate, reference, adjustment=1.0),
        "half": decode(network, features, luma, estimate, reference),
        "vivid": decode(network, features, luma, estimate, reference, adjustment=0.0),
        "true palette": decode(network, features, luma, true, reference),
        "ten hints": decode(network, features, luma, estimate, reference, hints),
    }
    return {name: painted[0] for name, painted in shown.items()}
