"""How long a photo takes, as ratios in one run, so that they hold on a busy machine.

python benchmarks/speed.py [--threads N] [--runs N]
"""

import argparse
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import tintype


def best(runs: int, *steps: Callable[[], object]) -> list[float]:
    """The shortest time of each step, seconds; the steps take turns, so that they share noise."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(runs):
        for step, taken in zip(steps, times, strict=True):
            start = time.perf_counter()
            step()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


def peak() -> float:
    """The process's peak memory since it was last forgotten, MiB (Linux)."""
    (line,) = (t for t in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in t)
    return int(line.split()[1]) / 1024


def models(colorizer: tintype.Colorizer, runs: int) -> None:
    """An edit against the encoder, at two working sizes."""
    own = colorizer.about["side"]
    for side in (own, 256):
        colorizer.about["side"] = side
        photo = colorizer.encode(data.camera()).photo
        encoded = colorizer.encode(photo)
        wanted = encoded.palette.shift_hue(90)
        automatic = encoded.palette
        encode, decode, edit = best(
            5 * runs,
            lambda photo=photo: colorizer.encode(photo),
            lambda e=encoded, p=automatic: colorizer._chroma(e, p, None),
            lambda e=encoded, p=wanted: colorizer.decode(e, p),
        )
        print(
            f"{side} px: encode {1000 * encode:.0f} ms, decode {1000 * decode:.0f} ms "
            f"({decode / encode:.0%} of encode), a whole edit {1000 * edit:.0f} ms"
        )
    colorizer.about["side"] = own


def large(colorizer: tintype.Colorizer, runs: int) -> None:
    """A 12-megapixel gray JPEG from file to file, against Pillow's decode and gray encode."""
    rng = np.random.default_rng(0)
    pixels = Image.fromarray(data.coffee()).convert("L").resize((4000, 3000))
    grain = rng.normal(0, 4, (3000, 4000)).astype(np.float32)
    buffer = io.BytesIO()
    noisy = (np.asarray(pixels) + grain).clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(buffer, "JPEG", quality=90)
    content = buffer.getvalue()
    del noisy, grain, pixels
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making the photo
    before = peak()

    def whole() -> None:
        colorizer.colorize(content).save(io.BytesIO(), format="JPEG")

    def steered() -> None:
        encoded = colorizer.encode(content)
        wanted = encoded.palette.towards("red")
        colorizer.decode(encoded, wanted).save(io.BytesIO(), format="JPEG")

    def pillow() -> None:
        image = Image.open(io.BytesIO(content))
        image.load()
        image.save(io.BytesIO(), "JPEG", quality=90)

    path, edited, reference = best(runs, whole, steered, pillow)
    print(f"12 MP JPEG, Pillow's decode + gray encode: {1000 * reference:.0f} ms = 1")
    print(f"  coloured, file to file: {path / reference:.2f}")
    print(f"  with an edit:           {edited / reference:.2f}")
    print(f"  peak memory: {peak():.0f} MiB, of which {peak() - before:.0f} for the photo")


def cold(runs: int) -> None:
    """From nothing to the help page, against starting Python."""
    tool = Path(sys.executable).with_name("tintype")
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    page, python = best(
        3 * runs,
        lambda: subprocess.run([tool, "--help"], **quiet),
        lambda: subprocess.run([sys.executable, "-c", "pass"], **quiet),
    )
    print(f"tintype --help: {1000 * page:.0f} ms, {page / python:.1f} times starting Python")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    colorizer = tintype.load(threads=options.threads)
    print(f"{options.threads} threads, the best of several runs")
    large(colorizer, options.runs)
    models(colorizer, options.runs)
    cold(options.runs)


if __name__ == "__main__":
    main()
