"""What a pixel's luma tells of its colour, beside what the network sees: functions of tensors."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype import color

REACH = 8.0  # pixels of the logits, about a 16th of a photo's short side,
ALIKE = 0.1  # and luma, within which neighbours agree
AGREEMENT = 0.5  # how much of what a pixel's neighbours say it takes over


def by_luma(tones: Tensor, luma: Tensor) -> Tensor:
    """What holds for shadows, midtones and highlights, mixed for each pixel as its luma says.

    tones: (batch, 3, count); luma: (batch, 1, h, w), 0..1. Returns (batch, count, h, w).
    """
    weight: Tensor = color.tone_weights(luma[:, 0]).flatten(1, 2)
    return (tones.mT @ weight.mT).reshape(-1, tones.shape[2], *luma.shape[2:])


def agreed(logits: Tensor, luma: Tensor) -> Tensor:
    """Logits moved towards the mean of what is near in place and luma: no spots in even areas.

    logits: (batch, count, h, w); luma: (batch, 1, h, w), 0..1; sides even

    The mean of logits is the consensus of colours, where the mean of colours would be gray. It is
    that of a bilateral filter (Tomasi & Manduchi 1998), over means of 2 x 2 pixels.
    """
    coarse = F.avg_pool2d(logits, 2).flatten(2).mT
    here, there = _places(luma, 1), _places(F.avg_pool2d(luma, 2), 2)
    near = here @ there.mT - there.square().sum(2)[:, None] / 2  # less what a softmax cancels
    said = (near.softmax(2) @ coarse).mT.reshape(logits.shape)
    return logits + AGREEMENT * (said - logits)


def _places(luma: Tensor, step: int) -> Tensor:
    """Row, column and luma (batch, h * w, 3) of pixels that are `step` apart, over their reach."""
    down, across = (
        (torch.arange(size, device=luma.device, dtype=luma.dtype) + 0.5) * step / REACH
        for size in luma.shape[2:]
    )
    y, x = torch.meshgrid(down, across, indexing="ij")
    return torch.stack(
        [y.expand_as(luma[:, 0]), x.expand_as(luma[:, 0]), luma[:, 0] / ALIKE], 3
    ).flatten(1, 2)
