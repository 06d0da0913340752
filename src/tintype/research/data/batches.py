"""Batches of crops to learn from, here of photos that are all held in memory."""

import hashlib
import math
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tintype.errors import DataError
from tintype.research.data import augmentation, photo_set
from tintype.research.data.rng import Generators

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Process:
    """One of several processes that learn together, and where it computes."""

    rank: int = 0
    count: int = 1
    device: torch.device = CPU


@dataclass(frozen=True)
class Batch:
    """What goes through the network at once.

    rgb: (batch, size, size, 3) crops, 0..1; labels: (batch,) int64 their classes, -1 for none
    generators: of the random numbers that are drawn for them
    """

    rgb: Tensor
    labels: Tensor
    generators: Generators


class Memory:
    """The whole set on the device, so that it never waits for a decoder.

    Each process draws from its own share of the photos, again and again, by their sources' weights.
    """

    def __init__(
        self,
        photos: photo_set.PhotoSet,
        process: Process,
        *,
        seed: int,
        source_weights: str = "",
    ) -> None:
        """Hold out some of the photos, and share the others among the processes.

        source_weights: NAME=NUMBER,... by the keys' first folders; 1 for those that are not named
        Raises DataError where there are too few photos, and for weights of what is not there.
        """
        self.process, self.seed = process, seed
        self.held = photo_set.hold_out(photos.keys)
        self.photos = photos.to(process.device)
        self.labels = photos.labels.to(process.device)
        self.index = (~self.held).nonzero()[:, 0]
        if not len(self.index):
            raise DataError("data: expected photos to train on, found only held-out ones")
        if len(self.index) < process.count:
            found = f"{len(self.index)} photos for {process.count} processes"
            raise DataError(f"data: expected one for each at least, found {found}")
        self.weights = _weigh(photos.keys, source_weights)[self.index]
        names = hashlib.sha256("\0".join(photos.keys).encode(errors="surrogateescape"))
        found = f"{len(photos)} photos {names.hexdigest()[:12]}"
        self.order = f"in memory of {process.count} processes, {found}"

    def sample(self, size: int) -> Iterator[Tensor]:
        """RGB crops for counting colors: about twenty thousand of them."""
        for batch in range(80):
            generator = _generator(self.seed, -1 - batch, 0)
            chosen = _draw(self.index, self.weights, 256, generator).to(self.labels.device)
            yield augmentation.cut_crops(self.photos, chosen, size, generator)

    def take(self, step: int, part: int, count: int) -> Callable[[int], Batch]:
        """Choose photos; gives what makes random crops of them, of a size in pixels.

        They come from the seed, the step, its part and the process alone.
        """
        rank, processes = self.process.rank, self.process.count
        mine = slice(rank, None, processes)
        generator = _generator(self.seed, step, rank + processes * part)
        chosen = _draw(self.index[mine], self.weights[mine], count, generator)
        return partial(self._cut, chosen.to(self.labels.device), generator)

    def _cut(self, chosen: Tensor, generator: torch.Generator, size: int) -> Batch:
        rgb = augmentation.cut_crops(self.photos, chosen, size, generator)
        return Batch(rgb, self.labels[chosen], generator)

    def cut_validation(self, side: int, count: int) -> list[np.ndarray]:
        """Squares (side, side, 3) uint8 of photos that are held out, `count` at most."""
        return photo_set.cut_squares(self.photos, self.held, side, count)


def _draw(index: Tensor, weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return index[torch.multinomial(weights, count, replacement=True, generator=generator)]


def _weigh(keys: list[str], text: str) -> Tensor:
    try:
        parts = (part.split("=") for part in text.split(",") if part)
        wanted = {name: float(weight) for name, weight in parts}
        if not all(0 < weight < math.inf for weight in wanted.values()):
            raise ValueError
    except ValueError:
        wish = "NAME=NUMBER,..., above 0"
        raise DataError(f"source_weights: expected {wish}, found {text!r}") from None
    sources = [key.split("/")[0] for key in keys]
    if unknown := sorted(wanted.keys() - sources):
        wish = textwrap.shorten(", ".join(sorted({*sources})), 100, placeholder=" ...")
        raise DataError(f"source_weights: expected names of {wish}, found {', '.join(unknown)}")
    return torch.tensor([wanted.get(source, 1.0) for source in sources])


def _generator(seed: int, step: int, part: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 4099 + part)
