"""How fast and how true chroma is enlarged.

    python benchmarks/upsample.py                          time and memory for a 12-megapixel photo
    python benchmarks/upsample.py --quality [PHOTOS.tar.gz]   error against real photos
    python benchmarks/upsample.py --picture docs/edges.png    bilinear, guided, truth side by side

Times are ratios to Pillow's decode of the same JPEG plus its encode as gray, so they hold on a busy
machine; run it on a quiet one all the same.
"""

import argparse
import functools
import io
import os
import resource
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from tintype import upsample as module
from tintype.formats import halved
from tintype.upsample import Bytes, Floats, upsample

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle")


def sample(name: str) -> Image.Image:
    pixels = getattr(data, name)()
    return Image.fromarray(pixels[0] if isinstance(pixels, tuple) else pixels)


def split(photo: Image.Image, short: int) -> tuple[Floats, Bytes, Floats]:
    """Small chroma as a perfect model would give it, luma, and the true chroma."""
    luma, *true = (np.asarray(plane) for plane in photo.convert("YCbCr").split())
    truth = np.stack(true).astype(np.float32) - 128
    scale = short / min(photo.size)
    size = round(photo.height * scale), round(photo.width * scale)
    return module._resize(truth, size), luma, truth


# --- time and memory ------------------------------------------------------------------------------


def speed(runs: int) -> None:
    rng = np.random.default_rng(0)
    pixels = np.asarray(sample("coffee").resize((4000, 3000), Image.Resampling.BICUBIC))
    grain = rng.normal(0, 4, (3000, 4000, 1)).astype(np.float32)
    photo = Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))
    chroma, luma, _ = split(photo, 64)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    del pixels, grain, photo, _
    print(f"4000 x 3000 photo, JPEG {buffer.tell() / 1e6:.1f} MB, {os.cpu_count()} cores")

    # Linux: forget the peak so far.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    cb, cr = upsample(chroma, luma)
    print(f"peak memory grows by {peak() - before:.0f} MiB, 23 MiB of it the result")

    gray = Image.fromarray(luma)
    merged = Image.merge("YCbCr", [gray, *map(Image.fromarray, (cb, cr))])
    planes = halved.Halved(luma, *upsample(chroma, luma, halved=True))
    best: dict[str, float] = {}
    pools = {n: module._Pool(n) for n in (1, 2)}
    guide = module._shrink(luma, module._guide_size(chroma.shape[1:], (3000, 4000), 500_000))
    restored = module._restore(chroma, guide, pools[2])
    middle = module._upsample(restored, guide, pools[2])
    steps: dict[str, Callable[[], object]] = {
        "reference: decode JPEG": lambda: Image.open(buffer).load(),
        "reference: encode gray": lambda: gray.save(io.BytesIO(), "JPEG", quality=90),
        "encode color 4:4:4": lambda: merged.save(io.BytesIO(), "JPEG", subsampling=0, quality=90),
        "encode halved planes": lambda: halved.save(planes, io.BytesIO(), {"quality": 90}),
        "shrink luma to the guide": lambda: module._shrink(luma, guide.shape),
    }
    for n, pool in pools.items():
        steps |= {
            f"restore, threads={n}": functools.partial(module._restore, chroma, guide, pool),
            f"upsample, threads={n}": functools.partial(module._upsample, restored, guide, pool),
            f"finish, threads={n}": functools.partial(module._finish, middle, luma, pool, 1),
            f"finish, chroma x 3, threads={n}": functools.partial(
                module._finish, middle * 3, luma, pool, 1
            ),
            f"upsample, plain, threads={n}": functools.partial(
                upsample, chroma, luma, guided=False, threads=n
            ),
            f"finish, halved, threads={n}": functools.partial(
                module._finish, middle, luma, pool, 2
            ),
            f"UPSAMPLE, halved, threads={n}": functools.partial(
                upsample, chroma, luma, halved=True, threads=n
            ),
            f"UPSAMPLE, threads={n}": functools.partial(upsample, chroma, luma, threads=n),
        }
    for _ in range(runs):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
    reference = best["reference: decode JPEG"] + best["reference: encode gray"]
    print(f"\n{'step (best of ' + str(runs) + ')':36}{'ratio':>7}{'ms':>8}")
    for name, seconds in best.items():
        print(f"{name:36}{seconds / reference:7.2f}{seconds * 1e3:8.1f}")


def peak() -> float:
    """The most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- color error ---------------------------------------------------------------------------------


def photos(archive: Path, count: int = 120) -> Iterator[Image.Image]:
    """Photos spread evenly over a tar file."""
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.isfile()]
        for member in members[:: max(1, len(members) // count)]:
            file = tar.extractfile(member)
            if file is not None:
                yield Image.open(file).convert("RGB")


def near_edges(luma: Bytes, reach: int) -> np.ndarray:
    """Pixels within `reach` of a luma step of 40 levels over two smoothed pixels."""
    smooth = np.asarray(Image.fromarray(luma).filter(ImageFilter.GaussianBlur(1)), np.float32)
    strong = Image.fromarray(np.hypot(*np.gradient(smooth)) > 20).convert("L")
    return np.asarray(strong.filter(ImageFilter.MaxFilter(2 * reach + 1))) > 0


def quality(archive: Path | None) -> None:
    methods: dict[str, Callable[[Floats, Bytes], tuple[Bytes, Bytes]]] = {
        "bilinear": lambda chroma, luma: upsample(chroma, luma, guided=False),
        "guided": upsample,
    }
    for pixels in (30_000, 120_000):
        methods[f"guided to {pixels} pixels"] = functools.partial(upsample, guide_pixels=pixels)
    sets = {"samples, from 64 px": ([sample(n) for n in SAMPLES], 64, 8)}
    if archive:
        sets[f"{archive.name}, from 32 px"] = (list(photos(archive)), 32, 2)
    for title, (images, short, reach) in sets.items():
        print(f"\n{title + f', {len(images)} photos':48}{'RMSE':>8}{f'{reach} px of edges':>18}")
        for name, method in methods.items():
            errors = [score(method, *split(image, short), reach) for image in images]
            overall, edges = np.sqrt(np.nanmean(errors, axis=0))
            print(f"{name:48}{overall:8.3f}{edges:18.3f}")


def score(
    method: Callable[[Floats, Bytes], tuple[Bytes, Bytes]],
    chroma: Floats,
    luma: Bytes,
    truth: Floats,
    reach: int,
) -> tuple[float, float]:
    """Mean squared error of Cb and Cr: overall, and near strong edges (NaN without any)."""
    error = ((np.stack(method(chroma, luma)) - np.float32(128) - truth) ** 2).mean(axis=0)
    edges = near_edges(luma, reach)
    return float(error.mean()), float(error[edges].mean()) if edges.any() else np.nan


# --- picture --------------------------------------------------------------------------------------


def picture(path: Path) -> None:
    """Crops at strong edges, four times enlarged: chroma from 64 px, bilinear, guided, truth."""
    crops = (("astronaut", (30, 150, 150, 240)), ("coffee", (330, 120, 450, 210)))
    sheet = Image.new("RGB", (3 * 488 - 8, 24 + 2 * 368 - 8), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, box) in enumerate(crops):
        photo = sample(name)
        chroma, luma, _ = split(photo, 64)
        panels = {
            "bilinear": color(luma, *upsample(chroma, luma, guided=False)),
            "guided": color(luma, *upsample(chroma, luma)),
            "truth": photo,
        }
        for column, (label, image) in enumerate(panels.items()):
            crop = image.crop(box).resize((480, 360), Image.Resampling.NEAREST)
            sheet.paste(crop, (488 * column, 24 + 368 * row))
            draw.text((488 * column + 4, 6), label, fill="black")
    sheet.save(path, optimize=True)
    print(f"wrote {path}")


def color(luma: Bytes, cb: Bytes, cr: Bytes) -> Image.Image:
    return Image.merge("YCbCr", [Image.fromarray(p) for p in (luma, cb, cr)]).convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quality", nargs="?", type=Path, const=False, metavar="PHOTOS.tar.gz")
    parser.add_argument("--picture", type=Path, metavar="FILE.png")
    parser.add_argument("--runs", type=int, default=9, help="the best of this many is printed")
    args = parser.parse_args()
    if args.picture:
        picture(args.picture)
    if args.quality is not None:
        quality(args.quality or None)
    if not args.picture and args.quality is None:
        speed(args.runs)


if __name__ == "__main__":
    main()
