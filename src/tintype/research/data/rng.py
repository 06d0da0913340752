"""Random numbers for batches of photos.

They come from one generator for the whole batch, or from one for each photo, which is seeded by the
photo and the epoch. The latter do not depend on who else is in the batch, so that two processes
learn from the same numbers as one.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

Generators = torch.Generator | list[torch.Generator]  # the batch's, or one for each photo


def make_generators(seed: int, photos: Iterable[tuple[int, int]]) -> list[torch.Generator]:
    """A generator for each photo, by the seed, its epoch and its number.

    photos: (epoch, number) of each, both from 0
    """
    keys = (np.random.SeedSequence([seed % 2**32, *photo]) for photo in photos)
    return [torch.Generator().manual_seed(int(key.generate_state(1)[0])) for key in keys]


def uniform(generators: Generators, *shape: int) -> Tensor:
    """Numbers (batch, ...), 0..1, for a batch of `shape[0]` photos."""
    if isinstance(generators, torch.Generator):
        return torch.rand(shape, generator=generators)
    return torch.stack([torch.rand(shape[1:], generator=own) for own in generators])


def normal(generators: Generators, *shape: int) -> Tensor:
    """Normally distributed numbers (batch, ...)."""
    if isinstance(generators, torch.Generator):
        return torch.randn(shape, generator=generators)
    return torch.stack([torch.randn(shape[1:], generator=own) for own in generators])


def select(generators: Generators, rows: Tensor) -> Generators:
    """The generators of the photos that `rows`, (batch,) bool, picks."""
    if isinstance(generators, torch.Generator):
        return generators
    return [own for own, picked in zip(generators, rows.tolist(), strict=True) if picked]


def swap_partners(generators: Generators, values: Tensor) -> Tensor:
    """What another photo of the batch has instead: values (batch, ...) in another order.

    With generators of their own, photos are partners in pairs, which processes never part.
    """
    if isinstance(generators, torch.Generator):
        return values.roll(1, 0)
    partners = [min(i ^ 1, len(values) - 1) for i in range(len(values))]
    return values[partners]
