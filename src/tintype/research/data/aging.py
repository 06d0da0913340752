"""What cameras and time did to photographs: true colors -> the gray photo that is left of them.

rgb ─▶ balance ─▶ mount ─▶ true colors
                    └────▶ age ─▶ the gray that a network sees
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.color import LUMA
from tintype.research.data import rng
from tintype.research.data.rng import Generators

ORTHOCHROMATIC = (0.04, 0.42, 0.54)  # of red, green, blue: plates that are nearly blind to red
MOUNTED = 0.08  # share of photos on an album's page


def balance(rgb: Tensor, generators: Generators) -> Tensor:
    """Photos (batch, h, w, 3), 0..1, of a jittered white balance: a network learns no casts."""
    gain = 1 + 0.04 * rng.normal(generators, len(rgb), 1, 1, 3).to(rgb.device)
    return (rgb * gain / gain.mean(3, keepdim=True)).clamp(0, 1)


def mount(rgb: Tensor, generators: Generators) -> Tensor:
    """Photos (batch, size, size, 3), 0..1, some of them on an album's page, dark or light.

    The page is neutral: frames and borders shall stay gray.
    """
    mounted = rng.uniform(generators, len(rgb)) < MOUNTED
    if not mounted.any():
        return rgb
    own, count, size = rng.select(generators, mounted), int(mounted.sum()), rgb.shape[1]
    *edges, kind, light = rng.uniform(own, count, 6, 1).unbind(1)  # (count, 1) each
    page = torch.where(kind < 0.4, 0.03 + 0.1 * light, 0.7 + 0.3 * light)[..., None, None]
    frame = (page + 0.02 * rng.normal(own, count, size, size, 1)).clamp(0, 1)
    top, bottom, left, right = ((0.18 * size * edge**2).floor() for edge in edges)
    steps = torch.arange(size)
    high = (steps >= top) & (steps < size - bottom)
    wide = (steps >= left) & (steps < size - right)
    inside = (high[:, :, None] & wide[:, None, :])[..., None].to(rgb.device)
    whole, rows = rgb.clone(), mounted.to(rgb.device)
    whole[rows] = torch.where(inside, rgb[rows], frame.to(rgb))
    return whole


def age(rgb: Tensor, generators: Generators) -> Tensor:
    """Gray photographs as old cameras and scanners made them, from color ones.

    rgb: (batch, size, size, 3), 0..1. Returns (batch, 1, size, size), 0..1. 45 percent are plain
    Rec. 601 luma, 15 percent orthochromatic, the others mix the channels at random; some of all are
    faded, stained, blurred, grainy, compressed or specked.
    """
    batch, size, device = len(rgb), rgb.shape[1], rgb.device

    def draw(*shape: int) -> Tensor:
        return rng.uniform(generators, batch, *shape).to(device)

    def some(share: float, changed: Tensor, plain: Tensor) -> Tensor:
        return torch.where(draw(1, 1, 1) < share, changed, plain)

    gray = torch.einsum("bhwc,bc->bhw", rgb, _mix(draw(1), draw(3)))[:, None]
    gray = some(0.3, gray.clamp(min=1e-4) ** torch.exp(0.7 * (draw(1, 1, 1) - 0.5)), gray)
    low, span = 0.25 * draw(1, 1, 1), 0.6 + 0.4 * draw(1, 1, 1)
    gray = some(0.3, low + (1 - low) * gray * span, gray)
    stain = F.interpolate(draw(1, 4, 4), (size, size), mode="bicubic") - 0.5
    stained = gray * (1 + 0.4 * draw(1, 1, 1) * stain) + 0.1 * draw(1, 1, 1) * stain
    gray = some(0.15, stained, gray)
    blurred = F.avg_pool2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), 3, 1)
    gray = some(0.2, gray + 1.2 * draw(1, 1, 1) * (blurred - gray), gray)
    grain = rng.normal(generators, *gray.shape).to(device)
    gray = some(0.2, gray + 0.04 * draw(1, 1, 1) * grain, gray)
    gray = some(0.12, compress(gray, 0.01 + 0.03 * draw(1, 1, 1)), gray)
    specks = F.max_pool2d((draw(1, size, size) < 0.001).float(), 3, 1, 1)
    gray = some(0.06, gray + 0.5 * specks * torch.sign(draw(1, 1, 1) - 0.5), gray)
    return gray.clamp(0, 1)


def _mix(kind: Tensor, free: Tensor) -> Tensor:
    """How much of red, green and blue (batch, 3) gray photos are of.

    kind, free: (batch, 1) and (batch, 3) at random, 0..1
    """
    standard, blind = (torch.tensor(w, device=free.device) for w in (LUMA, ORTHOCHROMATIC))
    free = (free + 0.05) / (free + 0.05).sum(1, keepdim=True)
    mixed = 0.5 * standard + 0.5 * free
    return torch.where(kind < 0.45, standard, torch.where(kind < 0.6, blind, mixed))


def compress(gray: Tensor, step: Tensor) -> Tensor:
    """What JPEG does: the cosine transform of every 8 x 8 block, quantized in growing steps.

    gray: (batch, 1, h, w), sides multiples of 8; step: (batch, 1, 1, 1), of the first wave
    """
    k = torch.arange(8, device=gray.device)
    basis = torch.cos((2 * k[None, :] + 1) * k[:, None] * torch.pi / 16) / 2
    basis[0] /= 2**0.5
    waves = torch.einsum("ui,vj->uvij", basis, basis).reshape(64, 1, 8, 8)
    steps = step * (1 + k[:, None] + k[None, :]).reshape(64, 1, 1)
    strength = torch.round(F.conv2d(gray, waves, stride=8) / steps) * steps
    return F.conv_transpose2d(strength, waves, stride=8)
