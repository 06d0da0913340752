"""Palettes in torch: measured, turned, noised, clustered, sampled; functions without state."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype import color
from tintype.bins import Bins
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators, swap_partners, uniform
from tintype.tones import SHARE_FLOOR, TONES, TRACE, spread_over_tones


@dataclass(frozen=True)
class Palettes:
    """Palettes of a batch of photos, whole and told apart by tone.

    whole: (batch, count) shares; zeros for none
    tones: (batch, 3, count) those of shadows, midtones, highlights
    """

    whole: Tensor
    tones: Tensor

    @classmethod
    def of_shares(cls, shares: Tensor) -> "Palettes":
        """Palettes (batch, count) whose tones are all alike."""
        return cls(shares, shares[:, None].expand(-1, len(TONES), -1))

    @classmethod
    def join(cls, parts: Tensor) -> "Palettes":
        """Of whole and tones together, (batch, 4, count)."""
        return cls(parts[:, 0], parts[:, 1:])

    @property
    def parts(self) -> Tensor:
        """(batch, 4, count) whole and tones together."""
        return torch.cat([self.whole[:, None], self.tones], 1)

    def detach(self) -> "Palettes":
        """The same, through which nothing is learned."""
        return Palettes(self.whole.detach(), self.tones.detach())


def measure_palettes(index: Tensor, share: Tensor, count: int) -> Tensor:
    """Histograms (batch, count) that sum to 1, of softly binned pixels (batch, h, w, 4)."""
    flat = torch.zeros(len(index), count, device=share.device)
    flat.scatter_add_(1, index.flatten(1), share.flatten(1))
    return flat / flat.sum(1, keepdim=True)


def measure_by_tone(bins: Bins, ab: Tensor, luma: Tensor) -> Palettes:
    """The palettes of chroma (batch, h, w, 2) with luma (batch, h, w), 0..1."""
    index, share = bins.encode(ab)
    weight = torch.cat([torch.ones_like(luma)[..., None], color.tone_weights(luma)], -1)
    flat = torch.zeros(len(ab), bins.count, weight.shape[-1], device=ab.device)
    part = (share[..., :, None] * weight[..., None, :]).flatten(1, 3)  # (b, h w 4, 4 parts)
    flat.scatter_add_(1, index.flatten(1)[..., None].expand_as(part), part)
    parts = flat.mT
    whole = parts[:, 0] / parts[:, 0].sum(1, keepdim=True)
    tones = parts[:, 1:] + TRACE * parts[:, :1]
    return Palettes(whole, tones / tones.sum(2, keepdim=True))


def palette_loss(estimate: Tensor, true: Tensor) -> Tensor:
    """Cross entropy of palettes (batch, count) that sum to 1, mean of photos."""
    return -(true * (estimate + 1e-6).log()).sum(1).mean()


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Kullback-Leibler divergence (...) of shares (..., count)."""
    return (p * ((p + 1e-6).log() - (q + 1e-6).log())).sum(-1)


def log_ratio(palette: Tensor, other: Tensor) -> Tensor:
    """The logarithm of a palette's shares (..., count) over another's."""
    return torch.log((palette + SHARE_FLOOR) / (other + SHARE_FLOOR))


def offer_palettes(estimate: Palettes, bins: Bins, rgb: Tensor) -> dict[str, Palettes]:
    """What a preview gives a photo beside its estimated palette, by name.

    estimate: of one photo; rgb: (1, h, w, 3), 0..1, the same in color
    """
    guess = Palette(bins, estimate.whole[0].cpu().numpy())
    offered = {
        f"towards {name}": expand_palette(guess.towards(name), bins, estimate)
        for name in ("red", "blue")
    }
    true = measure_palettes(*bins.encode(bins.chroma(rgb)), bins.count)
    return offered | {"true palette": Palettes.of_shares(true)}


def expand_palette(palette: Palette | None, bins: Bins, estimate: Palettes) -> Palettes:
    """A palette for every photo of the estimates; None for these.

    Raises PaletteError where it is over other bins.
    """
    if palette is None:
        return estimate
    if palette.bins != bins:
        raise PaletteError("expected a palette over this network's bins, found another's")
    whole = torch.from_numpy(palette.shares).to(estimate.whole).expand_as(estimate.whole)
    if palette.tones is None:
        return Palettes(whole, spread_over_tones(whole, estimate.whole, estimate.tones))
    return Palettes(whole, torch.from_numpy(palette.tones).to(whole).expand_as(estimate.tones))


def rotate_hues(ab: Tensor, degrees: Tensor) -> Tensor:
    """Chroma (batch, h, w, 2) with its hues turned by one angle per photo."""
    angle = torch.deg2rad(degrees)[:, None, None]
    a, b = ab.unbind(-1)
    return torch.stack([angle.cos() * a - angle.sin() * b, angle.sin() * a + angle.cos() * b], -1)


def sample_targets(
    bins: Bins, true: Palettes, estimate: Palettes, generators: Generators, *, turn: bool = True
) -> tuple[Palettes, Tensor, Tensor]:
    """The palettes to train with, by how many degrees hues turn with them, and which are free.

    True ones (some noised with another photo's), true ones turned, estimated ones, estimated ones
    turned, and none: 20, 10, 50, 12, 8 percent. Half of the true ones come without tones. Free
    (batch,) bool: estimated ones that are not turned, as in automatic mode.

    turn: False leaves those that would be turned as they are
    """
    device = true.whole.device
    kind, noise, angle, told = uniform(generators, len(true.whole), 4).to(device).T
    mixture = ((kind < 0.10) * 0.3 * noise)[:, None, None]
    parts = (1 - mixture) * true.parts + mixture * swap_partners(generators, true.parts)
    own = (kind < 0.30)[:, None, None]
    parts = torch.where(own, parts, estimate.parts)
    turned = ((kind >= 0.20) & (kind < 0.30)) | ((kind >= 0.80) & (kind < 0.92))
    degrees = torch.where(turned & turn, 360 * angle, torch.zeros_like(angle))
    parts = bins.rotate(parts, degrees[:, None].expand(-1, parts.shape[1]))
    untold = spread_over_tones(parts[:, 0], estimate.whole, estimate.tones)
    tones = torch.where(own & (told < 0.5)[:, None, None], untold, parts[:, 1:])
    given = (kind < 0.92).float()[:, None]
    free = (kind >= 0.30) & (kind < 0.80)
    return Palettes(parts[:, 0] * given, tones * given[..., None]), degrees, free


def cluster(palettes: Tensor, count: int, rounds: int = 25) -> Tensor:
    """k-means of palettes by tone (photos, 4, bins) under the Hellinger distance of the whole ones.

    Returns (count, 4, bins) mean palettes.
    """
    points = palettes[:, 0].sqrt()
    first = torch.linspace(0, len(points) - 1, count, device=points.device).long()
    means = points[first]
    for _ in range(rounds):
        members = F.one_hot(torch.cdist(points, means).argmin(1), count).float()
        filled = members.sum(0)[:, None]
        means = torch.where(filled > 0, members.T @ points / filled.clamp(min=1), means)
    mixed = torch.einsum("pk,ptc->ktc", members, palettes) / filled.clamp(min=1)[..., None]
    return torch.where(filled[..., None] > 0, mixed, palettes[first])
