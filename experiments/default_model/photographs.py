"""Photographs to learn from, and what age and cameras did to them.

tar files ─▶ Photographs ─▶ random squares ─▶ balanced, mounted ─▶ true colors
                                                            └────▶ aged: the gray that is seen
"""

import io
import math
import random
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from tintype.color import LUMA

WEIGHTS = {  # of a source, beside the root of its size; 1 for the others
    "animals": 0.3,
    "camvid": 0.3,
    "captions-bcg": 1.5,
    "cars": 0.3,
    "clothing-small": 0.3,
    "faces-small": 0.3,
    "faces-utk": 0.5,
    "flickr8k-quantumnaan": 1.5,
    "flickr8k-rlnzler": 1.5,
    "grocery": 0.7,
    "miniplaces": 1.2,
    "mosaic": 0.5,
    "people-facemask": 0.5,
    "pets-chanakya": 0.5,
    "scenes-ndb796": 0.3,
    "tiny-imagenet-200": 0.5,
    "vehicles": 0.3,
    "weather-ndb796": 0.3,
}
HELD_OUT = "poems"  # a source that is never trained on
ORTHOCHROMATIC = (0.04, 0.42, 0.54)  # plates that are nearly blind to red


class Photographs:
    """Files of photographs in memory, drawn by source: the root of its size times its weight."""

    def __init__(self, paths: list[str], limit: int | None = None) -> None:
        """paths: tar files of SOURCE/.../NAME.webp; limit: photographs of each source at most"""
        self.sources: dict[str, list[bytes]] = {}
        for path in paths:
            with tarfile.open(path) as tar:
                for member in tar:
                    source = self.sources.setdefault(member.name.split("/")[0], [])
                    wanted = member.isfile() and member.name.endswith((".webp", ".jpg"))
                    if wanted and (limit is None or len(source) < limit):
                        content = tar.extractfile(member)
                        assert content is not None
                        source.append(content.read())
        self.sources.pop(HELD_OUT, None)
        self.names = sorted(self.sources)
        self.weights = [WEIGHTS.get(n, 1.0) * math.sqrt(len(self.sources[n])) for n in self.names]

    def draw(self, rng: random.Random) -> bytes:
        """A photograph's file."""
        return rng.choice(self.sources[rng.choices(self.names, self.weights)[0]])

    def batches(self, count: int, size: int, seed: int, workers: int) -> Iterator[Tensor]:
        """(count, size, size, 3) uint8 RGB, for ever; the next ones are decoded meanwhile."""

        def square(i: int) -> np.ndarray:
            rng = random.Random(seed * 1_000_003 + i)
            while True:
                try:
                    return crop(self.draw(rng), size, rng)
                except OSError:  # a broken file: another one
                    continue

        with ThreadPoolExecutor(workers) as pool:
            begun, waiting = 0, []
            while True:
                while len(waiting) < 3:
                    waiting.append([pool.submit(square, begun + i) for i in range(count)])
                    begun += count
                yield torch.from_numpy(np.stack([f.result() for f in waiting.pop(0)]))


def crop(content: bytes, size: int, rng: random.Random) -> np.ndarray:
    """A random square of a photograph, (size, size, 3) uint8: most of it, mirrored at random."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    wide, high = image.size
    short = min(wide, high)
    if rng.random() < 0.25:  # as much as a square can hold, squeezed a little
        across, down = min(wide, 1.25 * short), min(high, 1.25 * short)
    else:
        side = short * rng.uniform(0.6, 1.0)
        across, down = side * rng.uniform(0.93, 1.0), side * rng.uniform(0.93, 1.0)
    left, top = rng.uniform(0, wide - across), rng.uniform(0, high - down)
    box = (left, top, left + across, top + down)
    array = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box))
    return array[:, ::-1] if rng.random() < 0.5 else array


def balance(rgb: Tensor) -> Tensor:
    """Jitter the white balance a little, so that casts are not learned; (batch, h, w, 3), 0..1."""
    gain = 1 + 0.04 * torch.randn(len(rgb), 1, 1, 3, device=rgb.device)
    return (rgb * gain / gain.mean(3, keepdim=True)).clamp(0, 1)


def mount(rgb: Tensor) -> Tensor:
    """Put some photographs on an album's page: a frame of neutral, even light around them."""
    rgb, size = rgb.clone(), rgb.shape[1]
    for i in (torch.rand(len(rgb)) < 0.08).nonzero()[:, 0].tolist():
        top, bottom, left, right = (int(x) for x in torch.rand(4) ** 2 * 0.18 * size)
        dark, light = torch.rand(2).tolist()
        page = 0.03 + 0.1 * light if dark < 0.4 else 0.7 + 0.3 * light
        frame = page + 0.02 * torch.randn(size, size, 1, device=rgb.device).expand(-1, -1, 3)
        inner = slice(top, size - bottom), slice(left, size - right)
        photo = rgb[i][inner].clone()
        rgb[i] = frame.clamp(0, 1)
        rgb[i][inner] = photo
    return rgb


def age(rgb: Tensor) -> Tensor:
    """Gray photographs (batch, 1, h, w), 0..1, as old cameras and scanners made them.

    45 percent are plain Rec. 601 luma, 15 percent orthochromatic, the others mix the channels at
    random; some of all are faded, stained, blurred, grainy, compressed or specked.
    """
    batch, size, device = len(rgb), rgb.shape[1], rgb.device

    def draw() -> Tensor:
        return torch.rand(batch, 1, 1, 1, device=device)

    def some(share: float, changed: Tensor) -> Tensor:
        return torch.where(draw() < share, changed, gray)

    gray = torch.einsum("bhwc,bc->bhw", rgb, _mixtures(batch, device))[:, None]
    gray = some(0.3, gray.clamp(min=1e-4) ** torch.exp(0.7 * (draw() - 0.5)))
    low, span = 0.25 * draw(), 0.6 + 0.4 * draw()
    gray = some(0.3, low + (1 - low) * gray * span)
    coarse = torch.rand(batch, 1, 4, 4, device=device)
    stain = F.interpolate(coarse, (size, size), mode="bicubic") - 0.5
    gray = some(0.15, gray * (1 + 0.4 * draw() * stain) + 0.1 * draw() * stain)
    blurred = F.avg_pool2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), 3, 1)
    gray = some(0.2, gray + 1.2 * draw() * (blurred - gray))
    gray = some(0.2, gray + 0.04 * draw() * torch.randn_like(gray))
    gray = some(0.12, compress(gray, 0.01 + 0.03 * draw()))
    specks = F.max_pool2d((torch.rand_like(gray) < 0.001).float(), 3, 1, 1)
    gray = some(0.06, gray + 0.5 * specks * torch.sign(draw() - 0.5))
    return gray.clamp(0, 1)


def _mixtures(batch: int, device: torch.device) -> Tensor:
    """(batch, 3) how much of red, green and blue each gray photograph is of."""
    standard, blind = (torch.tensor(w, device=device) for w in (LUMA, ORTHOCHROMATIC))
    free = torch.rand(batch, 3, device=device) + 0.05
    free = 0.5 * standard + 0.5 * free / free.sum(1, keepdim=True)
    kind = torch.rand(batch, 1, device=device)
    return torch.where(kind < 0.45, standard, torch.where(kind < 0.6, blind, free))


def compress(gray: Tensor, step: Tensor) -> Tensor:
    """What JPEG does: the cosine transform of every 8 x 8 block, quantized in growing steps."""
    k = torch.arange(8, device=gray.device)
    basis = torch.cos((2 * k[None, :] + 1) * k[:, None] * torch.pi / 16) / 2
    basis[0] /= 2**0.5
    waves = torch.einsum("ui,vj->uvij", basis, basis).reshape(64, 1, 8, 8)
    steps = step * (1 + k[:, None] + k[None, :]).reshape(64, 1, 1)
    strength = torch.round(F.conv2d(gray, waves, stride=8) / steps) * steps
    return F.conv_transpose2d(strength, waves, stride=8)
