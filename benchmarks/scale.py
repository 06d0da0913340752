"""How fast a folder is colored, by one process and by Ray's actors, and in how much memory.

python benchmarks/scale.py [--photos 300] [--megapixels 2] [--folder PHOTOS] [--workers 1 2]
    [--memory 1000]

The photos are real ones with other grain, scaled to the size asked for, or those of a folder. Rates
are of the time between the first result and the last one; starting is printed apart. One thread
colors a photo, so that a worker or an actor takes a core. The reference is the plain run with one.
Core seconds hold on a busy machine too; Ray's actors are other processes, and are not counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
from PIL import Image
from skimage import data

import tintype
from tintype.batch.folder import list_photos
from tintype.batch.location import Location
from tintype.batch.one_photo import make_method
from tintype.batch.request import OutputOptions
from tintype.batch.runner import run_here, run_location
from tintype.batch.storage import Storage
from tintype.recipe import Recipe

TOOL = Path(sys.executable).with_name("tintype")
KINDS = 20


def draw(folder: Path, count: int, megapixels: float) -> Path:
    """So many gray JPEG photos of 4:3, twenty of them under many names."""
    rng = np.random.default_rng(0)
    originals = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    size = round(height * 4 / 3), height
    folder.mkdir(parents=True)
    for number in range(count):
        path = folder / f"{number:06}.jpg"
        if number >= KINDS:
            path.hardlink_to(folder / f"{number % KINDS:06}.jpg")
            continue
        image = Image.fromarray(originals[number % 4]).convert("L").resize(size)
        grain = rng.normal(0, 4, size[::-1]).astype(np.float32)
        noisy = (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(path, "JPEG", quality=90)
    return folder


def time_command(photos: Path, *options: str) -> tuple[float, float, float]:
    """Photos a second, seconds to the first result, and core seconds of the process for each."""
    with tempfile.TemporaryDirectory() as out:
        start = time.time()
        words = [TOOL, "colorize", photos, "-o", out, *options]
        process = subprocess.Popen(words)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        when = sorted(path.stat().st_mtime for path in Path(out).glob("*.color.*"))
    used = (usage.ru_utime + usage.ru_stime) / len(when)
    return (len(when) - 1) / (when[-1] - when[0]), when[0] - start, used


def print_rates(photos: Path, workers: list[int]) -> None:
    """Print the rates of the plain run and of Ray, and their ratios to the first."""
    plain = [("plain", n, ("--workers", str(n), "--threads", str(n))) for n in workers]
    ray = [("Ray", n, ("--workers", str(n), "--ray")) for n in workers]
    reference = 0.0
    for name, n, options in plain + ray:
        rate, first, used = time_command(photos, *options)
        reference = reference or rate
        core = f", {used:.2f} core seconds a photo" if name == "plain" else ""
        print(
            f"{name}, {n} at a time: {rate:.2f} photos/s, ratio {rate / reference:.2f}; first "
            f"result after {first:.1f} s{core}"
        )


def print_memory(photos: Path) -> None:
    """Print a run's memory during its first hundred photos and its last hundred."""
    process, used = psutil.Process(), list[float]()

    def run_watched(*what: Any, tell: Any, **options: Any) -> None:
        def note(outcome: Any) -> None:
            tell(outcome)
            used.append(process.memory_info().rss / 2**20)

        run_here(*what, tell=note, **options)

    with tempfile.TemporaryDirectory() as out:
        method = make_method(tintype.load(threads=1), Recipe())
        where = Location(Storage.at(photos), Storage.at(out))
        run_location(method, OutputOptions(), where, {}, report=print, run=run_watched)
    some = min(100, len(used) // 2)
    first, last = median(used[:some]), median(used[-some:])
    print(
        f"{len(used):,} photos in one process: {first:.0f} MiB during the first {some}, "
        f"{last:.0f} MiB during the last {some} ({last - first:+.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[2.0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--memory", type=int, default=1000, help="photos for it; 0 for none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.memory:
            print_memory(draw(Path(scratch, "memory"), options.memory, 0.2))
        if options.folder:
            print(f"{len(list_photos(options.folder).names):,} photos of {options.folder}")
            print_rates(options.folder, options.workers)
            return
        for megapixels in options.megapixels:
            print(f"{options.photos:,} photos of {megapixels:g} megapixels")
            folder = draw(Path(scratch, f"{megapixels:g}"), options.photos, megapixels)
            print_rates(folder, options.workers)


if __name__ == "__main__":
    main()
