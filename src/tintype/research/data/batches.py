"""Batches of crops to learn from, here of photos that are all held in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from tintype.errors import DataError
from tintype.research.data import photo_set
from tintype.research.data.rng import Generators
from tintype.research.methods import distillation
from tintype.research.training.config import TrainConfig
from tintype.research.training.log import Validation


@dataclass(frozen=True)
class Batch:
    """What goes through the network at once.

    rgb: (batch, size, size, 3) crops, 0..1; labels: (batch,) int64 their classes, -1 for none
    generators: of the random numbers that are drawn for them
    taught: what a teacher sees of them, for a method that has one
    """

    rgb: Tensor
    labels: Tensor
    generators: Generators
    taught: dict[str, Any] = field(default_factory=dict)


class Memory:
    """The whole set on the device, so that it never waits for a decoder.

    Each process draws from its own share of the photos, again and again, by their sources' weights.
    """

    def __init__(self, config: TrainConfig, accelerator: Accelerator) -> None:
        """Read the photos. Raises DataError where there are too few."""
        self.config = config
        self.rank, self.processes = accelerator.process_index, accelerator.num_processes
        photos = photo_set.load(list(config.data), size=config.size, limit=config.limit)
        self.held = photo_set.held_out(photos.keys)
        self.photos = photos.to(accelerator.device)
        self.labels = photos.labels.to(accelerator.device)
        self.index = (~self.held).nonzero()[:, 0]
        if not len(self.index):
            raise DataError(f"{config.data}: expected photos to train on, found only held-out ones")
        if len(self.index) < self.processes:
            found = f"{len(self.index)} photos for {self.processes} processes"
            raise DataError(f"{config.data}: expected one for each at least, found {found}")
        self.weights = _weights(photos.keys, config.source_weights)[self.index]
        self.order = f"in memory of {self.processes} processes"
        self.seen: distillation.Seen | None = None

    def ask(self, path: Path, cache: Path, accelerator: Accelerator) -> None:
        """Let a teacher look at the photos; the main process does, and the others read."""
        with accelerator.main_process_first(), accelerator.autocast():
            self.seen = distillation.look(path, self.photos, cache)

    def sample(self) -> Iterator[Tensor]:
        """RGB crops for counting colors: about twenty thousand of them."""
        for batch in range(80):
            generator = _generator(self.config.seed, -1 - batch, 0)
            chosen = _draw(self.index, self.weights, 256, generator).to(self.labels.device)
            yield photo_set.crops(self.photos, chosen, min(self.config.crop_size, 64), generator)[0]

    def take(self, step: int, part: int, count: int) -> Callable[[int], Batch]:
        """Choose photos; gives what makes random crops of them, of a size in pixels.

        They come from the seed, the step, its part and the process alone.
        """
        mine = slice(self.rank, None, self.processes)
        generator = _generator(self.config.seed, step, self.rank + self.processes * part)
        chosen = _draw(self.index[mine], self.weights[mine], count, generator)
        return partial(self._batch, chosen.to(self.labels.device), generator)

    def _batch(self, chosen: Tensor, generator: torch.Generator, size: int) -> Batch:
        rgb, boxes = photo_set.crops(self.photos, chosen, size, generator)
        seen = self.seen
        taught = {} if seen is None else {"taught": seen.of(chosen, boxes, size // 16)}
        return Batch(rgb, self.labels[chosen], generator, taught)

    def validation(self) -> Validation:
        """What colors the photos that are held out."""
        return Validation(
            self.photos, self.held, self.config.late_crop_size, self.config.validation_photos
        )


def _draw(index: Tensor, weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return index[torch.multinomial(weights, count, replacement=True, generator=generator)]


def _weights(keys: list[str], text: str) -> Tensor:
    try:
        parts = (part.split("=") for part in text.split(",") if part)
        wanted = {name: float(weight) for name, weight in parts}
    except ValueError:
        raise DataError(f"source_weights: expected NAME=NUMBER,..., found {text!r}") from None
    return torch.tensor([wanted.get(key.split("/")[0], 1.0) for key in keys])


def _generator(seed: int, step: int, part: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 4099 + part)
