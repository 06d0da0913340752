"""Random crops of photos held in memory."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype.research.data import rng
from tintype.research.data.photo_set import PhotoSet
from tintype.research.data.rng import Generators


def cut_crops(photos: PhotoSet, index: Tensor, size: int, generators: Generators) -> Tensor:
    """Random square crops, mirrored at random: RGB (batch, size, size, 3), 0..1.

    index: (batch,) which photos

    A photo at least twice as large as the crop is taken at half
    its scale every other time, by averaging 2 x 2 pixels; one smaller than the crop is enlarged
    to twice its size, so that what small photos show is learned at the scale of large ones too.
    """
    rgb = _cut_at_size(photos, index, size, generators)
    small = torch.minimum(photos.height, photos.width)[index] < size
    if small.any():
        cut = _cut_at_size(photos, index[small], size // 2, rng.select(generators, small))
        cut = F.interpolate(cut.permute(0, 3, 1, 2), scale_factor=2, mode="bilinear")
        rgb[small] = cut.permute(0, 2, 3, 1)
    return rgb


def _cut_at_size(photos: PhotoSet, index: Tensor, size: int, generators: Generators) -> Tensor:
    """Crops that are pixels of the photos, or means of 2 x 2 of them, borders repeated."""
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
    return rgb
