"""Batches from tar shards, for sets that no memory holds.

    packs ──order──▶ lanes: shards, read whole ──▶ photos, a pair of each lane in turn
                                                       │ decoded by threads, ahead of the device
                                                       ▼
                                                   batch ──▶ crops on the device

Each process reads `workers` lanes at once. What a lane reads follows from the seed and the epoch,
so that a resumed run goes on at the same photo without reading what came before.
"""

import hashlib
import itertools
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tintype.errors import DataError
from tintype.parallel import map_in_order
from tintype.research.data import augmentation, photo_set, rng
from tintype.research.data.batches import Batch, Process
from tintype.research.data.shards import Pack

PAIR = 2  # photos that are never parted, see `rng.swap_partners`
SAMPLE = 20_000  # photos whose colors are counted


@dataclass(frozen=True, slots=True)
class File:
    """A photo's file: its key, its content, and what its random numbers come from."""

    key: str
    content: bytes
    epoch: int
    number: int


Decoded = tuple[File, np.ndarray]  # and its pixels, (height, width, 3) uint8
Photos = Generator[Decoded, None, None]


def order_lanes(counts: list[int], seed: int, epoch: int, count: int) -> np.ndarray:
    """The order of an epoch, by lanes: (count, photos, 2) int64, a shard and a number in it.

    counts: photos of each shard

    Shards are in random order, and photos within each. Lanes are of one length, so that processes
    take equally many steps; the last photos, fewer than `2 * count`, are left out, other ones in
    each epoch. A shard that lies across an end is read by both lanes, a part by each.
    """
    rng = np.random.default_rng([seed % 2**32, epoch])
    shards = rng.permutation(len(counts))
    numbers = [rng.permutation(counts[shard]) for shard in shards]
    rows = np.stack([shards.repeat([len(n) for n in numbers]), np.concatenate(numbers)], axis=1)
    each = lane_length(counts, count)
    return rows[: count * each].reshape(count, each, 2)


def lane_length(counts: list[int], count: int) -> int:
    """Photos of a lane in an epoch."""
    return sum(counts) // count // PAIR * PAIR


class Stream:
    """Photos of packs, each seen once an epoch by one process, with random numbers of its own."""

    def __init__(
        self,
        packs: list[Pack],
        process: Process,
        *,
        seed: int,
        size: int,
        workers: int,
        ahead: int,
        begin: int = 0,
    ) -> None:
        """size: of the short side that larger photos are shrunk to, pixels

        workers: threads that decode; ahead: photos that are decoded before they are asked for
        begin: photos that all processes had before. Raises DataError for too few shards.
        """
        self.packs, self.device, self.seed, self.size = packs, process.device, seed, size
        self.workers, self.ahead = workers, max(8 * workers, ahead)
        self.shards = [shard for pack in packs for shard in pack.train]
        self.counts = [shard.photos for shard in self.shards]
        self.lane_count = process.count * workers
        found = f"{process.count} processes x {workers} workers"
        self._check(f"{self.lane_count} ({found})")
        hashes = hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode())
        self.order = f"of shards {hashes.hexdigest()[:12]} for {found}"
        self.classes = photo_set.number_classes(set().union(*(pack.classes for pack in packs)))
        mine = range(process.rank, self.lane_count, process.count)
        self.photos = self._photos(self.lane_count, mine, begin // process.count)

    def _check(self, found: str) -> None:
        if len(self.shards) < self.lane_count:
            raise DataError(
                f"expected at least {found} shards, found {len(self.shards)}; take fewer workers "
                "(--set workers=N), or pack with a smaller --per-shard"
            )
        if not lane_length(self.counts, self.lane_count):
            raise DataError(
                f"expected at least {PAIR} photos for each of {found}, found {sum(self.counts)}"
            )

    def sample(self, size: int) -> Iterator[Tensor]:
        """RGB crops for counting colors; the same, however many processes there are."""
        left = min(SAMPLE, lane_length(self.counts, 1))
        with closing(self._photos(1, range(1), 0)) as photos:
            for start in range(0, left, 256):
                some = list(itertools.islice(photos, min(256, left - start)))
                yield self._cut(some, size).rgb

    def take(self, _step: int, _part: int, count: int) -> Callable[[int], Batch]:
        """Wait for the next photos; gives what makes random crops of them, of a size in pixels."""
        return partial(self._cut, list(itertools.islice(self.photos, count)))

    def cut_validation(self, side: int, count: int) -> list[np.ndarray]:
        """Squares (side, side, 3) uint8 of photos of the validation shards, `count` at most."""
        paths = [str(shard.path) for pack in self.packs for shard in pack.validation]
        if not paths:
            return []
        photos = photo_set.load(paths, size=self.size, limit=2 * count)  # some are too small
        return photo_set.cut_squares(photos, torch.ones(len(photos), dtype=torch.bool), side, count)

    def close(self) -> None:
        """Stop reading."""
        self.photos.close()

    def _cut(self, photos: list[Decoded], size: int) -> Batch:
        held = photo_set.PhotoSet.from_arrays(
            [rgb for _, rgb in photos], [file.key for file, _ in photos]
        )
        keys = ((file.epoch, file.number) for file, _ in photos)
        generators = rng.make_generators(self.seed, keys)
        index = torch.arange(len(photos), device=self.device)
        rgb = augmentation.cut_crops(held.to(self.device), index, size, generators)
        return Batch(rgb, held.label(self.classes).to(self.device), generators)

    def _photos(self, count: int, mine: range, begin: int) -> Photos:
        """Decoded photos of some of `count` lanes, for ever, from the photo `begin` on."""
        files = self._files(count, mine, begin)
        return map_in_order(self._decode, files, self.workers, self.ahead)

    def _files(self, count: int, mine: range, begin: int) -> Iterator[File]:
        turns, rest = divmod(begin, PAIR * len(mine))
        starts = [PAIR * turns + min(max(rest - PAIR * i, 0), PAIR) for i in range(len(mine))]
        read = [self._lane(count, lane, start) for lane, start in zip(mine, starts, strict=True)]
        for position in itertools.count(begin):
            yield next(read[position // PAIR % len(read)])

    def _lane(self, count: int, lane: int, begin: int) -> Iterator[File]:
        """The files of a lane; the next shard is read while those of one are taken."""
        spans = self._spans(count, lane, begin)
        with closing(map_in_order(self._read, spans, 1, ahead=2)) as read:
            for files in read:
                yield from files

    def _spans(self, count: int, lane: int, begin: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Epochs, shards and numbers of photos in them, (photos,)."""
        first, begin = divmod(begin, lane_length(self.counts, count))
        for epoch in itertools.count(first):
            shards, numbers = order_lanes(self.counts, self.seed, epoch, count)[lane, begin:].T
            ends = np.flatnonzero(np.diff(shards)) + 1
            for at, part in zip((0, *ends), np.split(numbers, ends), strict=True):
                yield epoch, int(shards[at]), part
            begin = 0

    def _read(self, span: tuple[int, int, np.ndarray]) -> list[File]:
        epoch, number, rows = span
        shard, before = self.shards[number], sum(self.counts[:number])
        members = list(photo_set.read_tar(shard.path))
        if len(members) != shard.photos:
            raise DataError(
                f"{shard.path}: expected {shard.photos} photos, found {len(members)}; "
                "copy or pack it again"
            )
        taken = ((members[row], before + row) for row in rows.tolist())
        return [File(key, content, epoch, i) for (key, content), i in taken]

    def _decode(self, file: File) -> Decoded:
        rgb = photo_set.decode(file.content, self.size)
        if rgb is None:
            raise DataError(f"{file.key}: expected a photo, found a broken file; pack it again")
        return file, rgb
