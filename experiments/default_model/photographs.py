"""Photographs to learn from: tar files ─▶ Photographs ─▶ random squares."""

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
