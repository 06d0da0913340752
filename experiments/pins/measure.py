"""Whether a pin colors the thing that it lies on, and no other: cases outlined by hand.

    python experiments/pins/measure.py --photos FOLDER [--set samples] [--sheet OUT.jpg]

A case of `cases.json` is a thing of a photo: a place on it and its outline, as shares of width and
height. A pin of the color opposite to what is there is laid on it; changed is what differs by more
than 3 in CIE Lab's a and b from the photo without the pin. Set "a" is what the constants of
`regions.py` were fitted on (`fit.py`); "b", by another rater on other photos, is held out;
"samples" are photos that ship with scikit-image (folder: skimage/data).
"""

import argparse
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import tintype
from tintype.color import rgb_to_lab
from tintype.colorizer import Colorizer, Encoded
from tintype.layers import find_cell
from tintype.photo import read
from tintype.recipe import Recipe

CASES = Path(__file__).parent / "cases.json"
SIDE = 500  # longest side of the photos, pixels
VISIBLE = 3.0  # of a and b in CIE Lab
COVERED, SPILLED = 0.85, 0.05  # of the thing, at least; of the rest, at most


@dataclass(frozen=True)
class Found:
    """What a pin changed: shares of the thing's area, and of the rest's."""

    photo: str
    thing: str
    kind: str
    area: float
    covered: float
    spilled: float

    @property
    def failures(self) -> list[str]:
        """How it failed: too little of the thing, too much of the rest."""
        return ["too little"] * (self.covered < COVERED) + ["too much"] * (self.spilled > SPILLED)


def load_cases(name: str) -> list[dict[str, Any]]:
    """The cases of a set."""
    cases: list[dict[str, Any]] = json.loads(CASES.read_text())[name]
    return cases


def draw_outline(case: dict[str, Any], size: tuple[int, int]) -> np.ndarray:
    """How much of each pixel is of the thing: (h, w), 0..1."""
    wide, high = (2 * side for side in size)
    mask = Image.new("L", (wide, high))
    draw = ImageDraw.Draw(mask)
    for polygons, level in ((case["outline"], 255), (case.get("holes", []), 0)):
        for polygon in polygons:
            draw.polygon([(x * wide, y * high) for x, y in polygon], fill=level)
    return np.asarray(mask.resize(size, Image.Resampling.BOX)) / 255


def find_change(colorizer: Colorizer, encoded: Encoded, place: tuple[float, float]) -> np.ndarray:
    """Where a pin changes the photo visibly: (h, w) bool."""
    before = to_lab(colorizer.decode(encoded).image)
    own = before[find_cell(place, before.shape[:2])]
    color = "hue:240" if own[2] > -5 else "hue:30"
    after = to_lab(colorizer.decode(encoded, Recipe().at(*place, color)).image)
    return np.asarray(np.hypot(*np.moveaxis((after - before)[..., 1:], -1, 0)) > VISIBLE)


def to_lab(image: Image.Image) -> np.ndarray:
    """CIE Lab (h, w, 3)."""
    return np.asarray(rgb_to_lab(np.asarray(image.convert("RGB")) / 255))


def measure(colorizer: Colorizer, case: dict[str, Any], folder: Path) -> tuple[Found, Image.Image]:
    """What a pin does to a case, and a picture of it."""
    encoded = colorizer.encode(read(folder / case["photo"]).shrunk(SIDE))
    truth = draw_outline(case, encoded.photo.size)
    place = (case["at"][0], case["at"][1])
    changed = find_change(colorizer, encoded, place)
    covered = float((changed * truth).sum() / truth.sum())
    spilled = float((changed * (1 - truth)).sum() / (1 - truth).sum())
    names = (case["photo"], case["thing"], case["kind"])
    return Found(*names, float(truth.mean()), covered, spilled), show(
        encoded.photo.luma, truth, changed, place
    )


def show(
    luma: np.ndarray, truth: np.ndarray, changed: np.ndarray, place: tuple[float, float]
) -> Image.Image:
    """What was changed in red, the outline in green, the pin in yellow."""
    rgb = np.repeat(luma[..., None], 3, axis=2)
    rgb[changed] = (rgb[changed] // 2) + np.array([127, 0, 0], np.uint8)
    inside = truth > 0.5
    edge = inside ^ (np.roll(inside, 1, 0) & np.roll(inside, 1, 1) & inside)
    rgb[edge] = (0, 255, 0)
    y, x = find_cell(place, luma.shape)
    rgb[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4] = (255, 255, 0)
    return Image.fromarray(rgb)


def summarize(found: list[Found]) -> str:
    """Means, how many cases keep both bounds, and how the others fail, by kind of thing."""
    right = [f for f in found if not f.failures]
    lines = [
        f"{len(found)} things: {np.mean([f.covered for f in found]):.1%} of a thing is colored, "
        f"{np.mean([f.spilled for f in found]):.1%} of the rest; both bounds ({COVERED:.0%}, "
        f"{SPILLED:.0%}) are kept by {len(right)} ({len(right) / len(found):.0%})",
        "\n| kind | things | both kept | too little of it | too much of the rest |",
        "|---|---|---|---|---|",
    ]
    for kind, count in Counter(f.kind for f in found).most_common():
        own = [f for f in found if f.kind == kind]
        wrong = Counter(name for f in own for name in f.failures)
        kept = sum(not f.failures for f in own)
        lines.append(f"| {kind} | {count} | {kept} | {wrong['too little']} | {wrong['too much']} |")
    return "\n".join(lines)


def join(pictures: list[Image.Image], labels: list[str], side: int = 300) -> Image.Image:
    """A sheet of pictures, six in a row, each under its label."""
    small = [picture.copy() for picture in pictures]
    for picture in small:
        picture.thumbnail((side - 4, side))
    high = max((picture.height for picture in small), default=1) + 16
    sheet = Image.new("RGB", (6 * side, -(-len(small) // 6) * high), "white")
    for i, (picture, label) in enumerate(zip(small, labels, strict=True)):
        left, top = i % 6 * side, i // 6 * high
        ImageDraw.Draw(sheet).text((left, top), label, fill="black")
        sheet.paste(picture, (left, top + 12))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="the photos' folder")
    parser.add_argument("--set", default="b", choices=("a", "b", "samples"))
    parser.add_argument("--model", help="a folder, not the bundled one")
    parser.add_argument("--json", type=Path, help="write what each pin changed")
    parser.add_argument("--sheet", type=Path, help="draw the cases that fail")
    o = parser.parse_args()
    colorizer = tintype.load(o.model, threads=1)
    found, pictures = [], []
    for case in load_cases(o.set):
        one, picture = measure(colorizer, case, o.photos)
        found.append(one)
        if one.failures:
            pictures.append((picture, f"{one.thing[:28]} {one.covered:.0%} {one.spilled:.1%}"))
    print(summarize(found))
    if o.json:
        o.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    if o.sheet:
        join([p for p, _ in pictures], [label for _, label in pictures]).save(o.sheet)


if __name__ == "__main__":
    main()
