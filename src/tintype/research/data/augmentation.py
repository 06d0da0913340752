"""What photos look like in training: random crops of them, gray as old cameras made it."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.color import LUMA
from tintype.research.data import rng
from tintype.research.data.photo_set import PhotoSet
from tintype.research.data.rng import Generators


def cut_crops(
    photos: PhotoSet, index: Tensor, size: int, generators: Generators
) -> tuple[Tensor, Tensor]:
    """Random square crops, mirrored at random, and where in the photos they lie.

    index: (batch,) which photos
    Returns (batch, size, size, 3) RGB, 0..1, and (batch, 4) left, top, right and bottom in -1..1 of
    the photo; the right of a mirrored crop is the smaller.

    A photo at least twice as large as the crop is taken at half
    its scale every other time, by averaging 2 x 2 pixels; one smaller than the crop is enlarged
    to twice its size, so that what small photos show is learned at the scale of large ones too.
    """
    rgb, boxes = _cut_at_size(photos, index, size, generators)
    small = torch.minimum(photos.height, photos.width)[index] < size
    if small.any():
        cut, boxes[small] = _cut_at_size(
            photos, index[small], size // 2, rng.select(generators, small)
        )
        cut = F.interpolate(cut.permute(0, 3, 1, 2), scale_factor=2, mode="bilinear")
        rgb[small] = cut.permute(0, 2, 3, 1)
    return rgb, boxes


def _cut_at_size(
    photos: PhotoSet, index: Tensor, size: int, generators: Generators
) -> tuple[Tensor, Tensor]:
    """Crops that are pixels of the photos, or means of 2 x 2 of them, borders repeated; boxes."""
    device = photos.pixels.device

    def draw() -> Tensor:
        return rng.uniform(generators, len(index)).to(device)

    height, width = photos.height[index], photos.width[index]
    half = (torch.minimum(height, width) >= 2 * size) & (draw() < 0.5)
    scale = 1 + half.long()
    top = (draw() * (height - size * scale + 1).clamp(min=1)).long()
    left = (draw() * (width - size * scale + 1).clamp(min=1)).long()
    steps = torch.arange(size, device=device)
    plain = draw() < 0.5
    columns = torch.where(plain[:, None], steps, size - 1 - steps)

    def take(rows: Tensor, down: int, across: int) -> Tensor:
        """Pixels (rows, size, size, 3) of the photos that `rows` picks from the batch."""
        bottom, right = height[rows, None] - 1, width[rows, None] - 1
        y = torch.minimum(top[rows, None] + steps * scale[rows, None] + down, bottom)
        x = torch.minimum(left[rows, None] + columns[rows] * scale[rows, None] + across, right)
        first = photos.offset[index[rows], None] + y * width[rows, None]
        flat = (first[:, :, None] + x[:, None, :]).reshape(-1)
        return photos.pixels.index_select(0, flat).view(len(rows), size, size, 3).float() / 255

    rgb = take(torch.arange(len(index), device=device), 0, 0)
    rows = half.nonzero()[:, 0]
    rgb[rows] = (rgb[rows] + take(rows, 0, 1) + take(rows, 1, 0) + take(rows, 1, 1)) / 4
    right = left + size * scale
    ends = torch.stack(
        [left.where(plain, right), top, right.where(plain, left), top + size * scale]
    )
    return rgb, (2 * ends / torch.stack([width, height, width, height]) - 1).T


def augment_gray(rgb: Tensor, generators: Generators) -> Tensor:
    """Gray photographs as old cameras and scanners made them, from color ones.

    rgb: (batch, h, w, 3), 0..1. Returns (batch, 1, h, w), 0..1. Half of the photos are plain
    Rec. 601 luma; the others mix the channels at random (orthochromatic emulsions are blind to
    red), and some of all are faded, blurred, grainy or compressed.
    """
    batch = len(rgb)

    def draw(*shape: int) -> Tensor:
        return rng.uniform(generators, batch, *shape).to(rgb.device)

    def some(share: float, changed: Tensor, plain: Tensor) -> Tensor:
        return torch.where(draw(1, 1, 1) < share, changed, plain)

    standard = torch.tensor(LUMA, device=rgb.device)
    free = draw(3) + 0.05
    free = free / free.sum(1, keepdim=True)
    weights = torch.where(draw(1) < 0.5, standard, 0.5 * standard + 0.5 * free)
    gray = torch.einsum("bhwc,bc->bhw", rgb, weights)[:, None]
    gray = some(0.3, gray ** torch.exp(0.6 * (draw(1, 1, 1) - 0.5)), gray)
    low, span = 0.25 * draw(1, 1, 1), 0.65 + 0.35 * draw(1, 1, 1)
    gray = some(0.3, low + (1 - low) * gray * span, gray)
    blurred = F.avg_pool2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), 3, 1)
    gray = some(0.15, gray + draw(1, 1, 1) * (blurred - gray), gray)
    noise = rng.normal(generators, *gray.shape).to(rgb.device)
    gray = some(0.2, gray + 0.03 * draw(1, 1, 1) * noise, gray)
    gray = some(0.15, _compress(gray, 0.01 + 0.03 * draw(1, 1, 1)), gray)
    return gray.clamp(0, 1)


def _compress(gray: Tensor, step: Tensor) -> Tensor:
    """What JPEG does: the cosine transform of every 8 x 8 block, quantized in growing steps."""
    k = torch.arange(8, device=gray.device)
    basis = torch.cos((2 * k[None, :] + 1) * k[:, None] * torch.pi / 16) / 2
    basis[0] /= 2**0.5
    waves = torch.einsum("ui,vj->uvij", basis, basis).reshape(64, 1, 8, 8)
    steps = step * (1 + k[:, None] + k[None, :]).reshape(64, 1, 1)
    strength = torch.round(F.conv2d(gray, waves, stride=8) / steps) * steps
    return F.conv_transpose2d(strength, waves, stride=8)
