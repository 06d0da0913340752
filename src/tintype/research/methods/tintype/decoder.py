"""The decoder: features, a palette and hints -> logits over the palette's bins.

Palette and hints act twice, alike: embedded, they are added to every level before the batch norm
(the residual connections of Fenu & Bagwell 2016, section 3), and they are a prior on the logits. A
palette's is its log-ratio to the reference, which is zero in automatic mode; a hint's favors the
bins near its color where the encoder's keys say that the same thing is seen.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import tone_weights
from tintype.research.methods.palettes import Palettes, log_ratio
from tintype.research.methods.tintype.encoder import Residual, upsample
from tintype.tones import TONES

HINT_WIDTH = 0.05  # OKLab chroma: the deviation of the prior that a hint is
NOWHERE = 1e4  # the gap of a hint without reach: nothing is left of it
CONTRAST = 4.0  # by which a cell takes the color of the hints that are its own, not all their mean


@dataclass(frozen=True)
class Hints:
    """Colors at places of a batch of photos.

    place: (batch, hints, 2) x and y, 0..1 of width and height
    chroma: (batch, hints, 2) OKLab
    reach: (batch, hints) 1 for as far as the thing seems to go; 0 for no hint
    """

    place: Tensor
    chroma: Tensor
    reach: Tensor

    @classmethod
    def none(cls, batch: int, device: torch.device | None = None) -> "Hints":
        """One hint for each photo that says nothing."""
        place = torch.full((batch, 1, 2), 0.5, device=device)
        return cls(place, torch.zeros_like(place), torch.zeros(batch, 1, device=device))


class Level(nn.Module):
    """One level: what is deeper, the encoder's feature, the palette and the hints, added."""

    def __init__(
        self, inputs: int | None, width: int, embedding: int, planes: int, *, refined: bool
    ) -> None:
        super().__init__()
        self.inward = nn.Conv2d(inputs, width, 3, 1, 1, bias=False) if inputs else None
        self.palette = nn.Linear(embedding, width)
        self.hints = nn.Conv2d(planes, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.refine = Residual(width) if refined else nn.Identity()

    def forward(
        self, deeper: Tensor | None, feature: Tensor, embedding: Tensor, planes: Tensor
    ) -> Tensor:
        """deeper: (batch, inputs, h/2, w/2), None at the deepest level; feature: (.., h, w)."""
        x = feature + self.palette(embedding)[:, :, None, None] + self.hints(planes)
        if self.inward is not None and deeper is not None:
            up = self.inward(deeper)  # at the smaller size, where it costs a quarter
            x = x + upsample(up, feature.shape[-2:])
        out: Tensor = self.refine(F.relu(self.norm(x)))
        return out


class HintField(nn.Module):
    """Where hints hold: likeness of the encoder's keys times nearness."""

    def __init__(self) -> None:
        super().__init__()
        self.likeness = nn.Parameter(torch.tensor(0.0))  # softplus of it
        self.nearness = nn.Parameter(torch.tensor(2.0))

    def _find_gaps(self, keys: Tensor, hints: Hints) -> Tensor:
        """(batch, hints, h, w), 0 at its place: how far a cell is from a hint, for its reach."""
        b, d, h, w = keys.shape
        short = min(h, w)
        column = (hints.place[..., 0] * w).floor().clamp(0, w - 1)
        row = (hints.place[..., 1] * h).floor().clamp(0, h - 1)
        flat = keys.float().flatten(2)  # (b, d, hw)
        index = (row * w + column).long()[:, None].expand(-1, d, -1)
        own = flat.gather(2, index).transpose(1, 2)  # (b, k, d)
        with torch.autocast(keys.device.type, enabled=False):  # differences of large numbers
            unlike = (flat**2).sum(1)[:, None] + (own**2).sum(2, keepdim=True) - 2 * own @ flat
        y = torch.arange(h, device=keys.device)[:, None] - row[..., None, None]
        x = torch.arange(w, device=keys.device)[None] - column[..., None, None]
        far = ((y**2 + x**2) / short**2).flatten(2)
        gap = F.softplus(self.likeness) * unlike.clamp(min=0) + F.softplus(self.nearness) * far
        reach = hints.reach[..., None]
        gap = torch.where(reach > 0, gap / reach.clamp(min=1e-3) ** 2, NOWHERE)
        return gap.reshape(b, -1, h, w)

    def forward(self, keys: Tensor, hints: Hints) -> tuple[Tensor, Tensor]:
        """The color that hints say (batch, 2, h, w) and how surely (batch, 1, h, w), 0..1."""
        gaps = self._find_gaps(keys, hints)
        share = (-CONTRAST * gaps).softmax(1)
        mixed = torch.einsum("bkhw,bkc->bchw", share, hints.chroma)
        return mixed, torch.exp(-gaps.amin(1, keepdim=True))


class Decoder(nn.Module):
    """Features, a palette and hints -> logits over the bins at 1/4 of the photo's size."""

    centers: Tensor  # (count, 2)

    def __init__(self, widths: tuple[int, ...], embedding: int, centers: np.ndarray) -> None:
        """widths: of the features, the finest first; centers: (count, 2) OKLab chroma of bins"""
        super().__init__()
        count = len(centers)
        self.embed = nn.Sequential(nn.Linear((1 + len(TONES)) * count, embedding), nn.ReLU())
        self.field = HintField()
        outward = widths[::-1]
        self.levels = nn.ModuleList(
            Level(inputs, width, embedding, 3, refined=i in (1, 3))
            for i, (inputs, width) in enumerate(zip((None, *outward), outward, strict=False))
        )
        self.classify = nn.Conv2d(widths[0], count, 1)
        self.prior = nn.Parameter(torch.ones(3))  # of the palette, its tones, the hints
        self.register_buffer("centers", torch.from_numpy(centers), persistent=False)

    def forward(
        self,
        features: list[Tensor],
        luma: Tensor,
        target: Palettes,
        reference: Palettes,
        hints: Hints,
    ) -> tuple[Tensor, list[Tensor]]:
        """features: the encoder's, its keys the last; luma: (batch, 1, h/4, w/4), 0..1.

        Returns logits (batch, count, h/4, w/4), and what left the levels, the deepest first.
        """
        *features, keys = features
        chroma, sure = self.field(keys, hints)
        levels = self.paint(features, target, chroma, sure)
        logits = self.classify(levels[-1]).float()
        with torch.autocast(luma.device.type, enabled=False):
            weight, planes = self.find_prior(luma.float(), target, reference, chroma, sure)
            prior = weight @ planes.flatten(2)
        return logits + prior.view_as(logits), levels

    def find_prior(
        self, luma: Tensor, target: Palettes, reference: Palettes, chroma: Tensor, sure: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What palettes and hints add to the logits, as (batch, count, 6) @ (batch, 6, h, w).

        Palettes by how much a pixel is shadow, midtone and highlight; nothing where there are none.
        Hints by a Gaussian around their color, less what is the same for all bins.
        """
        given = (target.whole.sum(1) > 0).float()[:, None, None]
        whole = log_ratio(target.whole, reference.whole)[:, None]
        own = log_ratio(target.tones, target.whole[:, None])
        tones = own - log_ratio(reference.tones, reference.whole[:, None])
        by_tone = given * (self.prior[0] * whole + self.prior[1] * tones)
        c = self.centers
        gaussian = torch.cat([c, -(c**2).sum(1, keepdim=True) / 2], 1) / HINT_WIDTH**2
        by_hint = (self.prior[2] * gaussian).expand(len(luma), -1, -1)
        shares = tone_weights(luma[:, 0]).permute(0, 3, 1, 2)
        planes = torch.cat([shares, chroma * sure, sure], 1)
        return torch.cat([by_tone.mT, by_hint], 2), planes.float()

    def paint(
        self, features: list[Tensor], target: Palettes, chroma: Tensor, sure: Tensor
    ) -> list[Tensor]:
        """What leaves every level, the deepest first."""
        embedding = self.embed(target.parts.flatten(1).clamp(min=0).sqrt())
        planes = torch.cat([8 * chroma * sure, sure], 1)
        pyramid = [planes]
        for _ in range(3):
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        levels: list[Tensor] = []
        for level, feature, own in zip(self.levels, features[::-1], pyramid[::-1], strict=True):
            levels.append(level(levels[-1] if levels else None, feature, embedding, own))
        return levels
