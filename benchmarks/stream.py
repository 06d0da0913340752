"""How fast crops come from packed shards, against the same photos held in memory.

python benchmarks/stream.py [--photos 2000] [--workers 1 2]

The photos are those of benchmarks/pack.py, of 256 pixels as packed. Crops are of 64 pixels, in
batches of 48, from which nothing learns. The milliseconds of processor time that a photo takes hold
on a busy machine, too. To read photos into memory is not counted.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pack import draw

from tintype.research.data import packing, photo_set
from tintype.research.data.batches import Batch, Memory, Process
from tintype.research.data.shards import find_packs
from tintype.research.data.streaming import Stream

SIZE, CROP, BATCH = 256, 64, 48


def pace(take: Callable[[int, int, int], Callable[[int], Batch]], photos: int) -> str:
    """Photos a second, and processor time for each, of about so many photos in batches."""
    take(0, 0, BATCH)(CROP)  # the first opens files
    start, used = time.perf_counter(), time.process_time()
    steps = photos // BATCH
    for step in range(1, steps + 1):
        take(step, 0, BATCH)(CROP)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    done = steps * BATCH
    return f"{done / seconds:.0f} photos/s, {1000 * used / done:.2f} ms of processor time each"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        draw(Path(scratch) / "photos", options.photos)
        out = Path(scratch) / "shards"
        packing.pack([f"{scratch}/photos"], out, packing.Options(SIZE, per_shard=200), workers=2)
        for workers in options.workers:
            stream = Stream(
                find_packs([str(out)]),
                Process(),
                seed=0,
                size=SIZE,
                workers=workers,
                ahead=2 * BATCH,
            )
            print(f"shards, {workers} workers: {pace(stream.take, options.photos)}")
            stream.close()
        photos = photo_set.load([str(out / "train-*.tar")], size=SIZE)
        memory = Memory(photos, Process(), seed=0)
        print(f"memory: {pace(memory.take, options.photos)}")


if __name__ == "__main__":
    main()
