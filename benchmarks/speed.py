"""How long photos take and in how much memory, beside the networks of two papers.

    python benchmarks/speed.py [--quick] [--threads N] [--runs N] [--busy]

Times are ratios to a named reference, so that they hold on a busy machine; the milliseconds stand
beside them. Peak memory is that of a whole process, libraries included.
"""

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
from networks import networks
from PIL import Image
from turns import Case, Step, Way, table, time_in_turns

import tintype
from tintype.cli import cli
from tintype.photo import read
from tintype.recipe import Recipe

PHOTO = Path(__file__).parents[1] / "examples" / "coffee.jpg"


# --- a photo --------------------------------------------------------------------------------------


def draw(path: Path, megapixels: float) -> Path:
    """A gray JPEG of 4 : 3 with the grain of a photo."""
    size = round((1e6 * megapixels * 4 / 3) ** 0.5), round((1e6 * megapixels * 3 / 4) ** 0.5)
    grain = np.random.default_rng(0).standard_normal(size[::-1], dtype=np.float32)
    pixels = np.asarray(Image.open(PHOTO).resize(size))
    noisy = (pixels + 4 * grain).clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(path, quality=90)
    return path


def pillow(paths: list[Path], out: Path) -> Step:
    """The reference: Pillow's decode, and its encode of the same gray."""

    def step() -> None:
        for path in paths:
            image = Image.open(path)
            image.load()
            image.save(out, "JPEG", quality=90)

    return step


def part(name: str, path: Path, threads: int) -> Step:
    """The encoder on a photo's luma, or what an edit does to an encoded photo."""
    colorizer = tintype.load(threads=threads)
    photo = read(path)
    if name == "encode":
        return lambda: colorizer.encode(photo)
    encoded = colorizer.encode(photo)
    recipe = Recipe().shift_hue(90)
    return lambda: colorizer.decode(encoded, recipe)


def whole(edit: bool, path: Path, out: Path, threads: int) -> Step:
    """From file to file, without an edit or with one."""
    colorizer = tintype.load(threads=threads)

    def step() -> None:
        encoded = colorizer.encode(path)
        recipe = Recipe().towards("red") if edit else None
        colorizer.decode(encoded, recipe).save(out, overwrite=True)

    return step


def photos(sizes: list[float], scratch: Path, way: Way) -> None:
    """The parts of the flow and all of it, by the photo's size."""
    rows = []
    for size in sizes:
        path = draw(scratch / f"{size:g}.jpg", size)
        out = path.with_name("out.jpg")
        cases: dict[str, Case] = {
            "Pillow": partial(pillow, [path], out),
            "encode": partial(part, "encode", path, way.threads),
            "decode": partial(part, "decode", path, way.threads),
            "file to file": partial(whole, False, path, out, way.threads),
            "with an edit": partial(whole, True, path, out, way.threads),
        }
        took = time_in_turns(cases, way)
        one = took["Pillow"]
        times = [f"{t.seconds / one.seconds:.2f} ({1e3 * t.seconds:.0f})" for t in took.values()]
        peaks = [f"{t.memory:.0f}" for t in (one, took["file to file"])]
        rows.append([f"{size:g} MP", *times, *peaks])
    table(
        "A gray JPEG: Pillow's decode + gray encode of it, in one thread, = 1; (ms); peak MiB",
        ["photo", *took, "peak, Pillow", "peak, file to file"],
        rows,
    )


# --- a folder -------------------------------------------------------------------------------------


def colorize(folder: Path, workers: int, threads: int) -> Step:
    """The command on a folder, every photo anew, without the start of Python."""
    out = folder.with_name(f"{folder.name}-{workers}")
    words = ["colorize", folder, "-o", out, "--workers", workers, "--threads", threads]

    def step() -> None:
        shutil.rmtree(out, ignore_errors=True)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                cli(list(map(str, words)))
        except SystemExit as end:
            if end.code:
                raise

    return step


def folders(count: int, scratch: Path, way: Way) -> None:
    """Photos a second in a folder, by how many are colored at a time."""
    folder = scratch / "folder"
    folder.mkdir()
    first = draw(folder / "0.jpg", 1)
    copies = [first, *(Path(shutil.copy(first, folder / f"{n}.jpg")) for n in range(1, count))]
    cases: dict[str, Case] = {"Pillow": partial(pillow, copies, scratch / "out.jpg")}
    for n in sorted({1, way.threads}):
        cases[f"tintype, {n} at a time"] = partial(colorize, folder, n, way.threads)
    took = time_in_turns(cases, way)
    one = took["Pillow"].seconds
    rows = [
        [name, f"{one / t.seconds:.2f}", f"{count / t.seconds:.1f}", f"{t.memory:.0f}"]
        for name, t in took.items()
    ]
    table(
        f"A folder of {count} gray JPEGs of 1 MP: Pillow in one thread = 1",
        ["", "rate", "photos/s", "peak MiB"],
        rows,
    )


# --- all ------------------------------------------------------------------------------------------


def start(*words: str) -> Step:
    """Another program, from its start to its end."""
    return lambda: subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def cold(turns: int) -> None:
    """From nothing to the help page, against starting Python."""
    tool = str(Path(sys.executable).with_name("tintype"))
    page, python = time_in_turns(
        {
            "page": partial(start, tool, "--help"),
            "python": partial(start, sys.executable, "-c", ""),
        },
        Way(1, 3 * turns),
    ).values()
    times = page.seconds / python.seconds
    print(f"tintype --help: {1e3 * page.seconds:.0f} ms, {times:.1f} times starting Python")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="no large photo, few runs: a minute")
    parser.add_argument("--threads", type=int, help="all processors by default")
    parser.add_argument("--runs", type=int, help="the best of so many counts; 5, or 2 if quick")
    parser.add_argument(
        "--busy", action="store_true", help="one thread, by its processor time: for a busy machine"
    )
    asked = parser.parse_args()
    if asked.busy and asked.threads not in (None, 1):
        parser.error("expected --busy with one thread, found more; leave --threads out")
    runs = asked.runs or (2 if asked.quick else 5)
    threads = 1 if asked.busy else asked.threads or os.cpu_count() or 1
    way = Way(threads, runs, time.process_time if asked.busy else time.perf_counter)
    clock = "processor time" if asked.busy else "time"
    print(f"{way.threads} threads, {clock}, best of {runs}, ONNX Runtime {ort.__version__}\n")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        photos([1, 12] if asked.quick else [1, 12, 50], place, way)
        folders(8 if asked.quick else 40, place, way)
        networks(place, way)
    if not asked.busy:  # which counts no other program's time
        cold(runs)


if __name__ == "__main__":
    main()
