"""What is asked of the network, and what it loses where it errs: functions without state.

Palettes are true, turned, estimated or absent (`palettes.sample_targets`); hints reveal true colors
at random places. Turning a photo's chroma together with its palette and its hints is exact
supervision for edits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.bins import Bins
from tintype.color import rgb_to_oklab, tone_weights
from tintype.research.data.rng import Generators, uniform
from tintype.research.methods.losses import average
from tintype.research.methods.palettes import (
    Palettes,
    divergence,
    measure_by_tone,
    rotate_hues,
    sample_targets,
)
from tintype.research.methods.tintype.decoder import Hints

if TYPE_CHECKING:
    from tintype.research.methods.tintype.network import Network

Compare = Callable[[Tensor, Tensor, Tensor], Tensor]
MOST_HINTS = 16
UNHINTED = 0.6  # share of photos without hints
FREE = 0.5 * UNHINTED  # of photos as in automatic mode
PARTS = {"pixels": 1.0, "coarse": 0.15, "palette": 0.25, "tones": 0.15, "tie": 0.05}


def sample_hints(ab: Tensor, generators: Generators) -> Hints:
    """True chroma (batch, h, w, 2) at random places: none for 60 percent, then geometrically many.

    Half of them tell the mean of 3 x 3 cells (Zhang et al. 2017 reveal patches of 1 to 9 pixels).
    """
    batch, h, w, _ = ab.shape
    drawn = uniform(generators, batch, 2 + 3 * MOST_HINTS).to(ab.device)
    count = 1 + (drawn[:, 0].clamp(min=1e-9).log() / math.log(1 - 0.16)).long()
    count = torch.where(drawn[:, 1] < UNHINTED, 0, count.clamp(max=MOST_HINTS))
    place = drawn[:, 2 : 2 + 2 * MOST_HINTS].reshape(batch, MOST_HINTS, 2)
    mean = drawn[:, 2 + 2 * MOST_HINTS :, None] < 0.5
    column = (place[..., 0] * w).long().clamp(max=w - 1)
    row = (place[..., 1] * h).long().clamp(max=h - 1)
    index = (row * w + column)[:, None].expand(-1, 2, -1)
    plane = ab.permute(0, 3, 1, 2)
    around = F.avg_pool2d(plane, 3, 1, 1, count_include_pad=False)
    near, own = (p.flatten(2).gather(2, index).transpose(1, 2) for p in (around, plane))
    given = torch.arange(MOST_HINTS, device=ab.device)[None] < count[:, None]
    most = max(1, int(count.max()))
    chroma = torch.where(mean, near, own) * given[..., None]
    return Hints(place[:, :most], chroma[:, :most], given[:, :most].float())


def soft_cross_entropy(logits: Tensor, bins: Bins, ab: Tensor, weight: Tensor) -> Tensor:
    """Rebalanced cross entropy over soft bins (Zhang 2016, equation 2), less their own entropy.

    logits: (batch, count, h, w); ab: (batch, h, w, 2); weight: (count,) of each true bin
    """
    index, share = bins.encode(ab)
    found = logits.float().log_softmax(1).permute(0, 2, 3, 1).gather(-1, index)
    entropy = (share * (share.clamp(min=1e-9).log() - found)).sum(-1)
    loss: Tensor = (entropy * (share * weight[index]).sum(-1)).mean()
    return loss


def measure_true(bins: Bins, rgb: Tensor, gray: Tensor) -> tuple[Tensor, Palettes]:
    """The true OKLab a and b (batch, h/4, w/4, 2) and palettes of RGB (batch, h, w, 3), 0..1.

    gray: (batch, 1, h, w), which tells the tones apart
    """
    ab = average(rgb_to_oklab(rgb)[..., 1:], 4)
    return ab, measure_by_tone(bins, ab, F.avg_pool2d(gray, 4)[:, 0])


def measure_losses(
    network: Network,
    gray: Tensor,
    rgb: Tensor,
    views: list[Tensor],
    generators: Generators,
    compare: Compare | None = None,
) -> dict[str, Tensor]:
    """The loss and its parts, of gray (batch, 1, h, w) and its true colors (batch, h, w, 3).

    views: the backbone's of the gray. Pixels: at 1/4 of the size; coarse: at 1/8 and 1/16. Palette
    and tones: of the estimate. Tie: between the estimate and the mean of what the pixels say in
    automatic mode. compare: a further part, "seen", of gray, logits and the chroma that is asked
    for (batch, h/4, w/4, 2).
    """
    bins, weight = network.config.bins, network.rebalancing
    with torch.autocast(rgb.device.type, enabled=False):
        ab, true = measure_true(bins, rgb, gray)
        small = F.avg_pool2d(gray, 4)
    features, estimate, _ = network.encode(gray, views)
    target, degrees, free = sample_targets(bins, true, estimate.detach(), generators)
    turned = rotate_hues(ab, degrees)
    hints = sample_hints(turned, generators)
    logits, levels = network.decoder(features, small, target, estimate.detach(), hints)
    coarse = [head(level) for head, level in zip(network.coarse, levels[1:3], strict=True)]
    share = tone_weights(small[:, 0]).mean((1, 2))
    mean = (logits - weight.log()[:, None, None]).softmax(1).mean((2, 3))
    tie = divergence(estimate.whole.detach(), mean) + divergence(mean.detach(), estimate.whole)
    free = (free & (hints.reach.sum(1) == 0)).float()
    parts = {
        "pixels": soft_cross_entropy(logits, bins, turned, weight),
        "coarse": sum(
            soft_cross_entropy(found, bins, average(turned, side), weight)
            for found, side in zip(coarse, (4, 2), strict=True)
        ),
        "palette": divergence(true.whole, estimate.whole).mean(),
        "tones": (divergence(true.tones, estimate.tones) * share).sum(1).mean(),
        "tie": (tie * free).mean() / FREE,
    }
    loss = sum(PARTS[name] * part for name, part in parts.items())
    if compare is not None:
        parts["seen"] = compare(gray, logits, turned)
        loss = loss + parts["seen"]
    return {"loss": loss, **parts}
