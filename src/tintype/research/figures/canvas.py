"""Pages measured in inches, what is drawn on them, and files that are the same every time."""

import base64
import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.textpath import TextPath
from PIL import Image

from tintype.charts import BASE, INK, QUIET
from tintype.errors import DataError
from tintype.files import write_whole
from tintype.palette import Palette

WIDTH = 10.0  # inches of every page: at 800 pixels, a point of text is a little more than one
MARGIN = 0.14
MOST = 1_450_000  # bytes of a file
# Dots per inch of a PNG and the quality of JPEGs within an SVG: the first that fits is taken.
FINENESS = (
    (160, 92), (142, 90), (126, 88), (112, 86), (100, 84), (90, 80), (80, 76), (64, 60), (48, 50),
)  # fmt: skip

STYLE: Any = {
    "font.family": "DejaVu Sans",  # which comes with matplotlib
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": BASE,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": BASE,
    "ytick.color": BASE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": QUIET,
    "svg.fonttype": "none",  # text stays text, which can be searched
    "svg.hashsalt": "tintype",
    "text.parse_math": False,  # a dollar in a folder's name is none
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save figures in one style, whatever the user's is."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def make_page(height: float) -> tuple[Figure, Axes]:
    """A white page of `WIDTH` inches, and axes over it in inches from its upper left corner."""
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def draw_photo(axes: Axes, pixels: np.ndarray, left: float, top: float, wide: float) -> None:
    """Put a photo on a page, `wide` inches across.

    pixels: (h, w, 3) uint8 or float 0..1, or gray (h, w) float 0..1
    """
    across, down = axes.get_xlim(), axes.get_ylim()
    place = (left, left + wide, top + wide * pixels.shape[0] / pixels.shape[1], top)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, extent=place, aspect="auto")
    axes.set(xlim=across, ylim=down)  # which imshow moves


def caption(figure: Figure, words: str) -> None:
    """Write below a figure what it shows."""
    high = figure.get_figheight()
    figure.text(MARGIN / WIDTH, 0.16 / high, wrap(words), color=QUIET, va="bottom")


def wrap(words: str) -> str:
    """A caption in lines that a figure is wide enough for."""
    return "\n".join(textwrap.fill(line, 128) for line in words.splitlines())


def fit_text(words: list[str], wide: float, most: float) -> float:
    """The size in points, `most` or less, at which bold words are `wide` inches or less each."""
    font = FontProperties(family=STYLE["font.family"], weight="bold")
    widths = [TextPath((0, 0), word, most, prop=font).get_extents().width for word in words]
    return min(most, most * 72 * wide / max(widths))


@dataclass(frozen=True)
class Bars:
    """A palette as a histogram of hue and saturation: one bar for each of its bins.

    places: (count,) their middles in degrees of hue: each hue's from muted to vivid, around it
    heights: (count,) the shares
    colors: the bins' own, #rrggbb
    width: of a bar, degrees
    """

    places: np.ndarray
    heights: np.ndarray
    colors: list[str]
    width: float


def make_bars(palette: Palette) -> Bars:
    """The bars of a palette; the neutral one stands to the left of the hues."""
    bins = palette.bins
    step, rings = 360 / bins.hues, len(bins.chromas)
    width = 0.84 * step / rings
    hue, ring = np.tile(np.arange(bins.hues), rings), np.repeat(np.arange(rings), bins.hues)
    places = step * hue + width * (ring - (rings - 1) / 2)
    return Bars(np.append(-step, places), palette.shares, bins.hex_colors, width)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, by the path's ending, whole or not at all.

    Photos are made coarser where the file would be large. Raises DataError if that is not enough.
    """
    for image in figure.findobj(AxesImage):  # an SVG takes the pixels as they are
        image.set_interpolation("none" if path.suffix == ".svg" else "antialiased")
    for dots, quality in FINENESS:
        content = _as_svg(figure, quality) if path.suffix == ".svg" else _as_png(figure, dots)
        if len(content) <= MOST:
            break
    else:
        found = f"found {len(content):,}; give fewer photos"
        raise DataError(f"{path}: expected at most {MOST:,} bytes, {found}")
    write_whole(path, content)


def _as_png(figure: Figure, dots: int) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots)
    return buffer.getvalue()


def _as_svg(figure: Figure, quality: int) -> bytes:
    """With its images as JPEG: matplotlib writes PNG, in which photos are four times as large."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})

    def smaller(match: re.Match[str]) -> str:
        jpeg = io.BytesIO()
        with Image.open(io.BytesIO(base64.b64decode(match[1]))) as image:
            image.convert("RGB").save(jpeg, "JPEG", quality=quality, subsampling=0)
        return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"

    svg = re.sub(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)", smaller, buffer.getvalue())
    svg = svg.replace("image-rendering:crisp-edges;image-rendering:pixelated", "")  # smooth photos
    return svg.encode()
