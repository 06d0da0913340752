"""What is asked of the network, and what it loses where it errs: functions without state.

Palettes are true, turned, estimated or absent; hints reveal true colors at random places. Turning a
photo's chroma together with its palette and its hints is exact supervision for edits.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from network import Hints, Network, Palettes, measure_palettes, spread_over_tones
from torch import Tensor
from torch.nn import functional as F

from tintype.bins import Bins
from tintype.color import rgb_to_oklab, tone_weights

MOST_HINTS = 16
PARTS = {"pixels": 1.0, "coarse": 0.15, "palette": 0.25, "tones": 0.15, "tie": 0.05}


def rotate(ab: Tensor, degrees: Tensor) -> Tensor:
    """Chroma (batch, h, w, 2) with its hues turned by one angle per photo."""
    angle = torch.deg2rad(degrees)[:, None, None]
    a, b = ab.unbind(-1)
    return torch.stack([angle.cos() * a - angle.sin() * b, angle.sin() * a + angle.cos() * b], -1)


def draw_targets(bins: Bins, true: Palettes, estimate: Palettes) -> tuple[Palettes, Tensor, Tensor]:
    """The palettes to train with, by how many degrees hues turn with them, and which are free.

    True ones (some noised with another photo's), true ones turned, estimated ones, estimated ones
    turned, and none: 20, 10, 50, 12, 8 percent. Half of the true ones come without tones. Free
    (batch,) bool: estimated ones that are not turned, as in automatic mode.
    """
    kind, noise, angle, told = torch.rand(4, len(true.whole), device=true.whole.device)
    mixture = ((kind < 0.10) * 0.3 * noise)[:, None, None]
    whole = torch.cat([true.whole[:, None], true.tones], 1)
    whole = (1 - mixture) * whole + mixture * whole.roll(1, 0)
    own = (kind < 0.30)[:, None, None]
    whole = torch.where(own, whole, torch.cat([estimate.whole[:, None], estimate.tones], 1))
    turn = ((kind >= 0.20) & (kind < 0.30)) | ((kind >= 0.80) & (kind < 0.92))
    degrees = torch.where(turn, 360 * angle, torch.zeros_like(angle))
    whole = bins.rotate(whole, degrees[:, None].expand(-1, whole.shape[1]))
    untold = spread_over_tones(whole[:, 0], estimate).tones
    tones = torch.where(own & (told < 0.5)[:, None, None], untold, whole[:, 1:])
    given = (kind < 0.92).float()[:, None]
    free = (kind >= 0.30) & (kind < 0.80)
    return Palettes(whole[:, 0] * given, tones * given[..., None]), degrees, free


def draw_hints(ab: Tensor) -> Hints:
    """True chroma (batch, h, w, 2) at random places: none for 60 percent, then geometrically many.

    Half of them tell the mean of 3 x 3 cells (Zhang et al. 2017 reveal patches of 1 to 9 pixels).
    """
    batch, h, w, _ = ab.shape
    count = 1 + torch.distributions.Geometric(torch.tensor(0.16)).sample((batch,)).long()
    count = torch.where(torch.rand(batch) < 0.60, 0, count.clamp(max=MOST_HINTS)).to(ab.device)
    most = max(1, int(count.max()))
    place = torch.rand(batch, most, 2, device=ab.device)
    column = (place[..., 0] * w).long().clamp(max=w - 1)
    row = (place[..., 1] * h).long().clamp(max=h - 1)
    index = (row * w + column)[:, None].expand(-1, 2, -1)
    plane = ab.permute(0, 3, 1, 2)
    mean = F.avg_pool2d(plane, 3, 1, 1, count_include_pad=False)
    near, own = (p.flatten(2).gather(2, index).transpose(1, 2) for p in (mean, plane))
    chroma = torch.where(torch.rand(batch, most, 1, device=ab.device) < 0.5, near, own)
    given = torch.arange(most, device=ab.device)[None] < count[:, None]
    return Hints(place, chroma * given[..., None], given.float())


def average(plane: Tensor, side: int) -> Tensor:
    """Means (batch, h/side, w/side, channels) of side x side pixels."""
    return F.avg_pool2d(plane.permute(0, 3, 1, 2), side).permute(0, 2, 3, 1)


def soft_cross_entropy(logits: Tensor, bins: Bins, ab: Tensor, weight: Tensor) -> Tensor:
    """Rebalanced cross entropy over soft bins (Zhang 2016, equation 2), less their own entropy.

    logits: (batch, count, h, w); ab: (batch, h, w, 2); weight: (count,) of each true bin
    """
    index, share = bins.encode(ab)
    found = logits.float().log_softmax(1).permute(0, 2, 3, 1).gather(-1, index)
    entropy = (share * (share.clamp(min=1e-9).log() - found)).sum(-1)
    return (entropy * (share * weight[index]).sum(-1)).mean()


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Kullback-Leibler divergence (...) of shares (..., count)."""
    return (p * ((p + 1e-6).log() - (q + 1e-6).log())).sum(-1)


def measure_losses(
    network: Network,
    gray: Tensor,
    rgb: Tensor,
    views: list[Tensor],
    autocast: Callable[[], AbstractContextManager[None]],
) -> dict[str, Tensor]:
    """The loss and its parts, of gray (batch, 1, h, w) and its true colors (batch, h, w, 3).

    Pixels: at 1/4 of the size; coarse: at 1/8 and 1/16. Palette and tones: of the estimate. Tie:
    between the estimate and the mean of what the pixels say in automatic mode.
    """
    bins, weight = network.config.bins, network.rebalancing
    ab = average(rgb_to_oklab(rgb)[..., 1:], 4)
    small = F.avg_pool2d(gray, 4)
    true = measure_palettes(bins, ab, small[:, 0])
    with autocast():
        features, keys, estimate = network.encode(gray, views)
        target, degrees, free = draw_targets(bins, true, estimate.detach())
        turned = rotate(ab, degrees)
        hints = draw_hints(turned)
        logits, levels = network.decoder(features, keys, small, target, estimate.detach(), hints)
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
        "tie": (tie * free).sum() / free.sum().clamp(min=1),
    }
    return {"loss": sum(PARTS[name] * part for name, part in parts.items()), **parts}
