"""The paper's figures, drawn from runs: PNG and SVG, the same bytes from the same runs.

runs ──▶ TorchModel ──▶ photos colored ──▶ figures 1, 2, 6, 8
  │         ├──────▶ the network ──────▶ figure 3, in `diagram`
  │         └──────▶ palettes ─────────▶ figure 7, in `curves`
  └── log.jsonl ───────────────────────▶ figure 4, in `curves`
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from tintype.charts import QUIET
from tintype.colorizer import Colorizer
from tintype.errors import DataError, PhotoError
from tintype.files import write_whole
from tintype.photo import Photo, read, read_rgb
from tintype.recipe import Recipe
from tintype.research.figures import curves, diagram
from tintype.research.figures.canvas import (
    MARGIN,
    WIDTH,
    caption,
    draw_photo,
    fit_text,
    make_page,
    save,
    style,
    wrap,
)
from tintype.research.methods.vgg16 import describe_origin
from tintype.research.torch_model import TorchModel
from tintype.sandbox import read_bounded

METHOD = "fenu2016"  # the paper's own
SIDE = 256  # short side of photos, pixels


@dataclass(frozen=True, eq=False)
class Example:
    """A photo to show.

    photo: gray
    truth: (h, w, 3) uint8 RGB of the same size, or None where nobody knows
    """

    photo: Photo
    truth: np.ndarray | None

    @property
    def gray(self) -> np.ndarray:
        """The photo as (h, w, 3) uint8 RGB."""
        return np.repeat(self.photo.luma[..., None], 3, axis=-1)


@dataclass(frozen=True, eq=False)
class Material:
    """What figures are made of.

    runs, folders: by the runs' names, in the order in which they were given
    amount: 0..1, how much of palettes is moved towards red and blue
    """

    runs: dict[str, TorchModel]
    folders: dict[str, Path]
    examples: list[Example]
    amount: float

    def find_run(self, *, steered: bool = False) -> TorchModel:
        """The first run of the paper's method, or the first that takes palettes.

        Raises DataError where there is none.
        """
        for run in self.runs.values():
            if run.method == METHOD and (run.takes_palettes or not steered):
                return run
        wanted = f"{METHOD} that takes palettes" if steered else METHOD
        raise DataError(
            f"expected a run of {wanted}, found {', '.join(self.runs)}; "
            "add one, or choose other figures by --figure"
        )

    def choose(self, start: float, end: float) -> list[Example]:
        """The photos from one share of them, 0..1, to another, halves rounded up.

        Raises DataError where there is none.
        """
        count = len(self.examples)
        found = self.examples[math.ceil(start * count) : math.ceil(end * count)]
        if not found:
            wanted = "two photos" if count else "a photo"
            raise DataError(
                f"expected {wanted} or more, found {count}; add some by --photo or --gray-photo, "
                "or choose other figures by --figure"
            )
        return found


def plot(
    runs: Sequence[Path],
    out: Path,
    photos: Sequence[Path] = (),
    grays: Sequence[Path] = (),
    *,
    figures: Sequence[int] = (),
    amount: float,
    vgg: Path | None = None,
) -> list[Path]:
    """Draw the paper's figures into a folder; gives the files.

    runs: folders that `train` left; photos: in color; grays: those whose colors nobody knows
    figures: their numbers in the paper, all by default
    amount: 0..1, how much of the palettes of figures 6 to 8 goes towards red and blue
    vgg: where the runs' VGG-16 is now, if not where it was in training
    `runs.json` beside the figures says how each run came about. Raises DataError where a run, its
    log or a photo that a figure needs is missing.
    """
    examples = [read_example(path, known=True) for path in photos]
    examples += [read_example(path, known=False) for path in grays]
    trained = [TorchModel(run, vgg=vgg) for run in runs]
    names = _name_runs(runs, trained)
    by_name = dict(zip(names, trained, strict=True))
    material = Material(by_name, dict(zip(names, runs, strict=True)), examples, amount)
    files = []
    with style():
        drawn = {n: FIGURES[n](material) for n in sorted(set(figures)) or FIGURES}
        out.mkdir(parents=True, exist_ok=True)
        for number, figure in drawn.items():
            for kind in ("png", "svg"):
                files.append(out / f"figure-{number}.{kind}")
                save(figure, files[-1])
    about = {name: run.about for name, run in by_name.items()}
    write_whole(out / "runs.json", json.dumps(about, indent=1) + "\n")
    return files


def read_example(path: Path, *, known: bool) -> Example:
    """Read a photo at the size at which it is shown; known: whether its colors are the truth.

    Raises PhotoError where they should be and the photo is gray.
    """
    rgb = read_bounded(str(path), read_rgb)
    if known and np.ptp(rgb, axis=-1).mean() < 1:  # JPEG brings grays a little out of balance
        raise PhotoError(f"{path}: expected a color photo, found a gray one; use --gray-photo")
    image = Image.fromarray(rgb)
    wide, high = (max(1, round(SIDE * side / min(image.size))) for side in image.size)
    small = image.resize((wide, high), Image.Resampling.LANCZOS)
    return Example(read(small.convert("L")), np.asarray(small) if known else None)


def _name_runs(runs: Sequence[Path], trained: list[TorchModel]) -> list[str]:
    """The runs' methods; where two are of the same, their folders, whose one seed is left out."""
    count = Counter(run.method for run in trained)
    seeds = {run.seed for run in trained}
    end = f"-{min(seeds)}" if len(seeds) == 1 else ""
    names = []
    for run, folder in zip(trained, runs, strict=True):
        own = folder.name.removesuffix(end)
        told = own if own.startswith(run.method) else f"{run.method} {own}"
        names.append(run.method if count[run.method] == 1 else told)
    if len(set(names)) < len(names):
        raise DataError(f"expected runs in folders of different names, found {', '.join(names)}")
    return names


# --- the figures ----------------------------------------------------------------------------------


def draw_automatic(material: Material) -> Figure:
    """Figure 1: photos in gray, colored by the paper's method, and as they were."""
    run = material.find_run()
    rows = [[e.gray, *colorize_towards(run, e.photo), e.truth] for e in material.choose(0, 1)]
    words = f"Figure 1. Photographs colored automatically by {METHOD}.\n{describe_training([run])}"
    return draw_sheet(["gray", "automatic", "truth"], rows, words)


def draw_rivals(material: Material) -> Figure:
    """Figure 2: photos colored by all methods."""
    rows: list[list[np.ndarray | None]] = []
    for shown in material.choose(0, 1):
        images = [
            image for run in material.runs.values() for image in colorize_towards(run, shown.photo)
        ]
        rows.append([shown.gray, *images, shown.truth])
    words = "Figure 2. The same photographs colored automatically by different methods.\n"
    words += describe_training(list(material.runs.values()))
    return draw_sheet(["gray", *material.runs, "truth"], rows, words)


def draw_network(material: Material) -> Figure:
    """Figure 3: the network, while the middle of the first photo, or an even gray, passes."""
    run, side = material.find_run(), diagram.SIDE
    gray = torch.full((1, 1, side, side), 0.5)
    if material.examples:
        image = Image.fromarray(material.examples[0].photo.luma)
        left, top = ((length - min(image.size)) / 2 for length in image.size)
        box = (left, top, image.width - left, image.height - top)
        square = image.resize((side, side), Image.Resampling.LANCZOS, box)
        gray[0, 0] = torch.from_numpy(np.asarray(square, dtype=np.float32) / 255)
    return diagram.draw(run.network, gray)


def draw_losses(material: Material) -> Figure:
    """Figure 4: the pixelwise loss of every run at stages of its training."""
    return curves.draw_losses(
        {name: curves.read_curve(run) for name, run in material.folders.items()}
    )


def make_steered(number: int, start: float, end: float) -> Callable[[Material], Figure]:
    """Figures 6 and 8: a part of the photos, steered."""

    def draw(material: Material) -> Figure:
        run, colors = material.find_run(steered=True), ("red", "blue")
        rows = [
            [e.gray, *colorize_towards(run, e.photo, colors, material.amount), e.truth]
            for e in material.choose(start, end)
        ]
        titles = ["gray", "automatic", *(f"towards {color}" for color in colors), "truth"]
        words = f"Figure {number}. Photographs colored by {METHOD} from the estimated palette"
        words += f", and with it shifted towards red and blue.\n{describe_training([run])}"
        return draw_sheet(titles, rows, words)

    return draw


def draw_histograms(material: Material) -> Figure:
    """Figure 7: the palette estimated for the first photo, and the same moved towards red."""
    run, first = material.find_run(steered=True), material.choose(0, 1)[0]
    estimate = Colorizer(run).encode(first.photo).palette
    return curves.draw_histograms(estimate, estimate.towards("red", material.amount))


FIGURES: dict[int, Callable[[Material], Figure]] = {
    1: draw_automatic,
    2: draw_rivals,
    3: draw_network,
    4: draw_losses,
    6: make_steered(6, 0, 0.5),
    7: draw_histograms,
    8: make_steered(8, 0.5, 1),
}


# --- photos ---------------------------------------------------------------------------------------


def colorize_towards(
    run: TorchModel, gray: Photo, colors: Sequence[str] = (), amount: float = 0.0
) -> list[np.ndarray]:
    """A photo colored automatically, then with its palette moved towards each color, uint8 RGB."""
    colorizer = Colorizer(run)
    encoded = colorizer.encode(gray)
    recipes = [Recipe(), *(Recipe().towards(color, amount) for color in colors)]
    return [np.asarray(colorizer.decode(encoded, recipe).image) for recipe in recipes]


def describe_training(runs: list[TorchModel]) -> str:
    """What the colors of runs come from, in words."""
    counts = sorted({run.about.get("photos", 0) for run in runs})
    files = sorted({run.network.config.vgg for run in runs if run.functions.pins_vgg} - {""})
    crops = f"After {' and '.join(f'{count:,}' for count in counts)} crops of photographs."
    return " ".join([crops, *(f"VGG-16: {describe_origin(Path(file))}." for file in files)])


def draw_sheet(titles: list[str], rows: Sequence[list[np.ndarray | None]], words: str) -> Figure:
    """Photos in rows and columns of one width, with the columns' titles and a caption.

    rows: (h, w, 3) uint8, all of a row of one size; a column of which all are None is left out
    """
    kept = [i for i in range(len(titles)) if any(row[i] is not None for row in rows)]
    gap, head = 0.08, 0.36
    wide = (WIDTH - 2 * MARGIN + gap) / len(kept) - gap
    sizes = [next(image.shape for image in row if image is not None) for row in rows]
    heights = [wide * size[0] / size[1] for size in sizes]
    foot = 0.24 + 0.18 * len(wrap(words).splitlines())
    figure, axes = make_page(head + sum(heights) + gap * len(rows) + foot)
    size = fit_text([titles[i] for i in kept], wide, 10)
    for column, i in enumerate(kept):
        left, top = MARGIN + column * (wide + gap), head
        middle = left + wide / 2
        axes.text(middle, head - 0.12, titles[i], ha="center", weight="bold", size=size)
        for row, high in zip(rows, heights, strict=True):
            image = row[i]
            if image is not None:
                draw_photo(axes, image, left, top, wide)
            else:
                axes.text(middle, top + high / 2, "not known", color=QUIET, ha="center")
            top += high + gap
    caption(figure, words)
    return figure
