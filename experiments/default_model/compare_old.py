"""Two models on old photographs side by side, to be judged blind, and what was judged, counted.

    python experiments/default_model/compare_old.py draw bundled MODEL --photos old -o sheets
    python experiments/default_model/compare_old.py count sheets/key.json verdicts.json

A model is `bundled` or a model folder. Sheets begin with the photographs on
which the two disagree most; which model is on the left is drawn anew for each, and only the key
tells. Verdicts are JSON: {"photo.jpg": {"left": ["green"], "right": [], "better": "right"}}, with
any words for faults, and "left", "right" or "same".
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

import numpy as np
from PIL import Image, ImageDraw

import tintype
from tintype.color import rgb_to_oklab

CAPTION = 16  # pixels above each photograph
SMALL = 64  # pixels, the sides at which colors are compared
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
Model = Literal["old", "new"]


class Entry(TypedDict):
    """What the key tells of a photograph; the distance is that of `measure_distance`."""

    left: Model
    sheet: str
    distance: float


class Verdict(TypedDict):
    """What was seen: the faults of each side, and the better side."""

    left: list[str]
    right: list[str]
    better: Literal["left", "right", "same"]


class Pair(NamedTuple):
    """A photograph, colored by the old and the new model, as large as it is drawn."""

    name: str
    images: list[Image.Image]
    distance: float


def load(name: str) -> tintype.Colorizer:
    """A model by its name."""
    return tintype.load(None if name == "bundled" else name, threads=1)


def measure_distance(images: list[Image.Image]) -> float:
    """How far two colorings disagree: the mean distance of OKLab's chroma, at a small size."""
    small = [image.resize((SMALL, SMALL), Image.Resampling.BOX) for image in images]
    one, other = (rgb_to_oklab(np.asarray(image) / 255)[..., 1:] for image in small)
    return float(np.linalg.norm(one - other, axis=-1).mean())


def color(file: Path, models: list[tintype.Colorizer], cell: int) -> Pair:
    """A photograph by both models, at most `cell` pixels wide and high."""
    images = [model.colorize(file).image.convert("RGB") for model in models]
    for image in images:
        image.thumbnail((cell, cell))
    return Pair(file.name, images, measure_distance(images))


def draw_sheet(pairs: list[Pair], key: dict[str, Entry], cell: int) -> Image.Image:
    """Pairs below each other, the sides of each as the key has them."""
    page = Image.new("RGB", (2 * cell, sum(CAPTION + p.images[0].height for p in pairs)), "white")
    pen, top = ImageDraw.Draw(page), 0
    for name, images, _ in pairs:
        pen.text((4, top + 2), name, fill="black")
        for i, image in enumerate(images if key[name]["left"] == "old" else images[::-1]):
            page.paste(image, (i * cell, top + CAPTION))
        top += CAPTION + images[0].height
    return page


def draw(o: argparse.Namespace) -> None:
    """Write the sheets and their key."""
    models = [load(name) for name in (o.old, o.new)]
    files = [file for file in sorted(o.photos.iterdir()) if file.suffix.lower() in SUFFIXES]
    pairs = sorted((color(file, models, o.cell) for file in files), key=lambda p: -p.distance)
    rng, key = np.random.default_rng(), dict[str, Entry]()
    o.output.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(pairs), o.per_sheet):
        some, sheet = pairs[start : start + o.per_sheet], f"sheet-{start // o.per_sheet:02}.png"
        for pair in some:
            left: Model = "old" if rng.random() < 0.5 else "new"
            key[pair.name] = Entry(left=left, sheet=sheet, distance=round(pair.distance, 4))
        draw_sheet(some, key, o.cell).save(o.output / sheet)
    (o.output / "key.json").write_text(json.dumps(key, indent=1) + "\n")


def count(o: argparse.Namespace) -> None:
    """Print, as tables, the faults of both models and which is better where they disagree most."""
    key: dict[str, Entry] = json.loads(o.key.read_text())
    verdicts: dict[str, Verdict] = json.loads(o.verdicts.read_text())
    faults = {"old": Counter[str](), "new": Counter[str]()}
    better = Counter[str]()
    for place, (name, entry) in enumerate(key.items()):  # in the order of their distance
        right: Model = "new" if entry["left"] == "old" else "old"
        model = {"left": entry["left"], "right": right, "same": "same"}
        faults[model["left"]].update(verdicts[name]["left"])
        faults[model["right"]].update(verdicts[name]["right"])
        if place < o.most:
            better[model[verdicts[name]["better"]]] += 1
    print("| photographs with | old | new |\n|---|---|---|")
    for fault in sorted(faults["old"] | faults["new"]):
        print(f"| {fault} | {faults['old'][fault]} | {faults['new'][fault]} |")
    print(f"\nnew: better {better['new']}, same {better['same']}, worse {better['old']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parsers = parser.add_subparsers(required=True)
    drawing = parsers.add_parser("draw", help="color, and write contact sheets and their key")
    drawing.add_argument("old", help="bundled, a model folder, or weights")
    drawing.add_argument("new", help="the same")
    drawing.add_argument("--photos", type=Path, required=True, help="a folder")
    drawing.add_argument("-o", "--output", type=Path, default=Path("sheets"))
    drawing.add_argument("--cell", type=int, default=420, help="pixels, of a photograph")
    drawing.add_argument("--per-sheet", type=int, default=3)
    drawing.set_defaults(run=draw)
    counting = parsers.add_parser("count", help="faults of both models, better, same and worse")
    counting.add_argument("key", type=Path)
    counting.add_argument("verdicts", type=Path)
    counting.add_argument("--most", type=int, default=50, help="largest disagreements to judge")
    counting.set_defaults(run=count)
    o = parser.parse_args()
    o.run(o)


if __name__ == "__main__":
    main()
