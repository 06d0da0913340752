"""Palettes in torch: measured, turned, noised, clustered, sampled; functions without state."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype import color
from tintype.bins import Bins
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators, swap_partners, uniform

SHARE_FLOOR = 1e-3  # smaller shares count as this much in the ratio of palettes


def measure_palettes(index: Tensor, share: Tensor, count: int) -> Tensor:
    """Histograms (batch, count) that sum to 1, of softly binned pixels (batch, h, w, 4)."""
    flat = torch.zeros(len(index), count, device=share.device)
    flat.scatter_add_(1, index.flatten(1), share.flatten(1))
    return flat / flat.sum(1, keepdim=True)


def palette_loss(estimate: Tensor, true: Tensor) -> Tensor:
    """Cross entropy of palettes (batch, count) that sum to 1, mean of photos."""
    return -(true * (estimate + 1e-6).log()).sum(1).mean()


def log_ratio(palette: Tensor, other: Tensor) -> Tensor:
    """The logarithm of a palette's shares (..., count) over another's."""
    return torch.log((palette + SHARE_FLOOR) / (other + SHARE_FLOOR))


def mix_tones(tones: Tensor, luma: Tensor) -> Tensor:
    """What holds for shadows, midtones and highlights, mixed for each pixel as its luma says.

    tones: (batch, 3, count); luma: (batch, 1, h, w), 0..1. Returns (batch, count, h, w).
    """
    weight: Tensor = color.tone_weights(luma[:, 0]).flatten(1, 2)
    return (tones.mT @ weight.mT).reshape(-1, tones.shape[2], *luma.shape[2:])


def expand_palette(palette: Palette | None, bins: Bins, estimate: Tensor) -> tuple[Tensor, Tensor]:
    """A palette's shares for every photo of the estimates (batch, count); None for these.

    Returns also those of its tones (batch, 3, count). Raises PaletteError where it is over other
    bins.
    """
    if palette is None:
        return estimate, estimate[:, None].expand(-1, 3, -1)
    if palette.bins != bins:
        raise PaletteError("expected a palette over this network's bins, found another's")
    shares, tones = (torch.from_numpy(s).to(estimate) for s in (palette.shares, palette.by_tone))
    return shares.expand_as(estimate), tones.expand(len(estimate), -1, -1)


def rotate_hues(ab: Tensor, degrees: Tensor) -> Tensor:
    """Chroma (batch, h, w, 2) with its hues turned by one angle per photo."""
    angle = torch.deg2rad(degrees)[:, None, None]
    a, b = ab.unbind(-1)
    return torch.stack([angle.cos() * a - angle.sin() * b, angle.sin() * a + angle.cos() * b], -1)


def sample_targets(
    bins: Bins, true: Tensor, estimate: Tensor, generators: Generators
) -> tuple[Tensor, Tensor]:
    """The palettes to train with, and by how many degrees the photos' hues are turned with them.

    True ones (some noised with another photo's), true ones turned, estimated ones, estimated
    ones turned, and none at all (zeros): 25, 15, 38, 14 and 8 percent. Turning a photo's chroma
    together with its palette is exact supervision for edits.
    """
    kind, noise, angle = (uniform(generators, len(true)).to(true.device) for _ in range(3))
    noised = (kind < 0.12)[:, None] * 0.3 * noise[:, None]
    palette = (1 - noised) * true + noised * swap_partners(generators, true)
    palette = torch.where((kind < 0.40)[:, None], palette, estimate)
    turn = ((kind >= 0.25) & (kind < 0.40)) | ((kind >= 0.78) & (kind < 0.92))
    degrees = torch.where(turn, 360 * angle, 0)
    return bins.rotate(palette, degrees) * (kind < 0.92)[:, None], degrees


def cluster(palettes: Tensor, count: int, rounds: int = 20) -> Tensor:
    """k-means of palettes under the Hellinger distance: (count, bins) mean palettes."""
    points = palettes.sqrt()
    spread = torch.linspace(0, len(points) - 1, count, device=points.device).long()
    means = points[spread]
    for _ in range(rounds):
        nearest = torch.cdist(points, means).argmin(1)
        members = F.one_hot(nearest, count).float()
        filled = members.sum(0)[:, None]
        means = torch.where(filled > 0, members.T @ points / filled.clamp(min=1), means)
    chosen = (members.T @ palettes) / filled.clamp(min=1)
    return torch.where(filled > 0, chosen, palettes[spread])
