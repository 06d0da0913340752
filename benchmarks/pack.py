"""How fast photos are packed into shards, and in how much memory, against Pillow alone.

python benchmarks/pack.py [--photos 2000 20000] [--workers 1 2] [--places 1000000]

The photos are 40 made-up JPEG files of 500 x 375 pixels, as ImageNet's are, under many names. The
reference is Pillow in one thread: decode, shrink, encode the same files, nothing kept. The two take
turns. 20,000 photos take some minutes and 1 GB in the folder for temporary files.
"""

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from skimage import data

from tintype.research.data.ledger import Tally
from tintype.research.data.packing import QUALITY, Options, choose_photos, plan_shards
from tintype.research.data.sources import Place

KINDS = 40


def draw(folder: Path, count: int) -> list[Path]:
    """So many photos in ten classes: real ones with other grain, each under many names."""
    rng = np.random.default_rng(0)
    originals = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    drawn = []
    for number in range(count):
        path = folder / f"n{number % 10}" / f"{number}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number >= KINDS:
            path.hardlink_to(drawn[number % KINDS])
        else:
            image = Image.fromarray(originals[number % 4]).resize((500, 375), Image.Resampling.BOX)
            grain = rng.normal(0, 3, (375, 500, 3))
            noisy = (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(path, "JPEG", quality=90)
        drawn.append(path)
    return drawn


def pillow(paths: list[Path], size: int = 256) -> float:
    """Photos a second that Pillow alone decodes, shrinks and encodes in one thread."""
    start = time.perf_counter()
    for path in paths:
        with Image.open(path) as file:
            image = file.convert("RGB")
        scale = size / min(image.size)
        image = image.resize(
            (round(scale * image.width), round(scale * image.height)), Image.Resampling.BOX
        )
        image.save(io.BytesIO(), "JPEG", quality=QUALITY, subsampling=0)
    return len(paths) / (time.perf_counter() - start)


def pack_photo(folder: Path, out: Path, workers: int) -> tuple[float, float]:
    """Seconds that the command takes, its start included, and its peak memory in MiB."""
    tool = Path(sys.executable).with_name("tintype")
    start, most = time.perf_counter(), 0
    words = [tool, "data", "pack", folder, "-o", out, "--workers", str(workers)]
    with psutil.Popen(words, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):  # it ends between the question and this one
                most = max(most, process.memory_info().rss)
            time.sleep(0.02)
    assert process.returncode == 0
    return time.perf_counter() - start, most / 2**20


def plan(count: int) -> None:
    """Time and memory to choose and plan so many photos, which are held as names."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    places = [Place(f"n{i % 1000:08}/n{i % 1000:08}_{i}", "in", ".JPEG") for i in range(count)]
    shards = plan_shards(
        choose_photos(places, Options(subset=max(1, count * 3 // 4)), Tally()), Options()
    )
    taken = time.perf_counter() - start
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{count:,} places into {len(shards):,} shards: {taken:.1f} s, {more / 1024:.0f} MiB more"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[2000, 20_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[os.cpu_count() or 1])
    parser.add_argument("--places", type=int, default=1_000_000)
    options = parser.parse_args()
    plan(options.places)
    for count in options.photos:
        with tempfile.TemporaryDirectory() as scratch:
            paths = draw(Path(scratch) / "photos", count)
            for workers in options.workers:
                reference = pillow(paths[:1000])
                out = Path(scratch) / f"shards-{workers}"
                seconds, memory = pack_photo(Path(scratch) / "photos", out, workers)
                print(
                    f"{count:,} photos, {workers} workers: {count / seconds:.0f} photos/s, peak "
                    f"{memory:.0f} MiB; Pillow alone in one thread {reference:.0f} photos/s, "
                    f"ratio {count / seconds / reference:.2f}"
                )


if __name__ == "__main__":
    main()
