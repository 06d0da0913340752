"""Figure 3: the network of fenu2016, drawn from what forward hooks see in the model itself.

    photo ───▶ gray, 3 x ────────▶ norm ─▶ + ─▶ step ─▶ colors ─▶ + ─▶ painted
                  ▼                        ▲ deeper                ▲ carried
               a stage ─▶ + ─────▶ norm ─▶ + ─▶ step ─▶ carried colors
                  ▼       ▲ palette
               palette network

What the model knows is not written here: how many stages, how wide, whether a palette enters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from torch import Tensor, nn

from tintype.charts import BASE
from tintype.palette import Palette
from tintype.research.figures.canvas import caption, draw_photo, make_bars, make_page
from tintype.research.methods import fenu2016

SIDE = 224  # pixels of the gray photo that is run through the network
PLANES = {"vector": "S cos H, S sin H", "raw": "H, S", "lab": "a, b"}
LAYERS = {nn.BatchNorm2d: "batch norm", nn.ReLU: "ReLU"}

# Inches: the middles of the columns. The palette's line, its sum and the batch norm stand side by
# side in the order of the network.
STAGE, SUM, STEP, CARRIED, CHAIN, RESULT = 0.98, 4.3, 5.62, 7.56, 8.42, 9.3
BEFORE, AFTER = (2.02, 2.26, 3.38), (3.32, 3.53, 2.78)
TOP, PITCH, GAP, HALF = 0.62, 0.88, 1.3, 0.25  # the first row, the next, the last, half a card

STEEL, BLUE, AMBER, GREEN = "#7d858f", "#4878a8", "#c76a22", "#3d8756"
PALE = {STEEL: "#f3f4f6", BLUE: "#f0f5fa", AMBER: "#fdf5ec"}

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Observation:
    """What one pass through a network showed.

    shapes: of what enters and what leaves each layer, by its name, in the order of the pass
    estimate: the estimated palette
    gray, rgb: (h, w) and (h, w, 3), 0..1: what went in and what came out
    """

    shapes: dict[str, tuple[Shape, Shape]]
    estimate: Palette
    gray: np.ndarray
    rgb: np.ndarray

    @property
    def stages(self) -> list[list[str]]:
        """The convolutions of VGG-16's stages: those of one size."""
        layers = [name for name in self.shapes if name.startswith("vgg.")]
        return [list(s) for _, s in groupby(layers, lambda name: self.shapes[name][1][1:])]

    @property
    def steered(self) -> bool:
        """Whether a palette enters the residual encoder."""
        return "levels.0.palette" in self.shapes


@torch.no_grad()
def observe(network: Any, gray: Tensor) -> Observation:
    """Run gray (1, 1, h, w), 0..1, through the network and note every layer's shapes."""
    gray = gray.to(network.rarity.device)
    shapes: dict[str, tuple[Shape, Shape]] = {}

    def make_note(name: str) -> Callable[..., None]:
        def note(_: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            if isinstance(given[0], Tensor) and isinstance(out, Tensor):
                shapes[name] = (tuple(given[0].shape[1:]), tuple(out.shape[1:]))

        return note

    hooks = [m.register_forward_hook(make_note(name)) for name, m in network.named_modules()]
    try:
        taps, estimate, _ = network.encode(gray)
        logits = network.decode(taps, estimate.whole)[-1]
    finally:
        for hook in hooks:
            hook.remove()
    rgb = fenu2016.paint(logits.sigmoid(), gray, network.config).clamp(0, 1)
    palette = Palette(network.config.bins, estimate.whole[0].cpu().numpy())
    return Observation(shapes, palette, gray[0, 0].cpu().numpy(), rgb[0].cpu().numpy())


def draw(network: Any, gray: Tensor) -> Figure:
    """The diagram of a network of fenu2016, with gray (1, 1, h, w), 0..1, run through it."""
    observed = observe(network, gray)
    last = len(observed.stages) + 1
    floor = _y(last) + GAP
    figure, axes = make_page(floor + 1.2)
    _draw_bands(axes, network, last, floor)
    _draw_vgg(axes, observed)
    for number, level in enumerate(network.levels):
        _draw_level(axes, level, observed, number, last - number)
        _draw_carried(axes, network, observed, number, last - number)
    _draw_output(axes, network, observed)
    _draw_palette(axes, network, observed, floor)
    _draw_bus(axes, network, observed, floor)
    words = "Figure 3. The network of fenu2016, drawn from the trained model while a gray photo of"
    words += f" {format_shape(observed.gray.shape)} passes;\nshapes are channels × height × width."
    caption(figure, words)
    return figure


# --- parts ----------------------------------------------------------------------------------------


def _draw_bands(axes: Axes, network: Any, last: int, floor: float) -> None:
    """What belongs together, with its name."""
    under = _y(last) + 0.56
    _draw_box(axes, (0.14, _y(2) - 0.36, 1.82, under), 0.1, fc=PALE[STEEL], ec="none")
    _draw_box(axes, (2.14, _y(1) - 0.36, 6.82, under), 0.1, fc=PALE[BLUE], ec="none")
    _draw_box(axes, (0.14, floor - 0.36, 7.96, floor + 0.56), 0.1, fc=PALE[AMBER], ec="none")
    pinned = "" if list(network.vgg.parameters()) else "pinned"
    _draw_name(axes, STAGE - 0.1, under, "VGG-16", STEEL, "right")
    _draw_name(axes, STAGE + 0.1, under, pinned, STEEL)
    _draw_name(axes, STEP + 1.06, under, "residual encoder", BLUE, "right")
    _draw_name(axes, 0.28, floor + 0.56, "palette network", AMBER)


def _draw_vgg(axes: Axes, observed: Observation) -> None:
    """From the photo down through the stages to the palette network."""
    draw_photo(axes, observed.gray, STAGE - 0.32, _y(0) - 0.32, 0.64)
    axes.text(STAGE + 0.42, _y(0) - 0.1, "gray", weight="bold", va="center")
    axes.text(STAGE + 0.42, _y(0) + 0.1, format_shape((1, *observed.gray.shape)), va="center")
    _draw_arrow(axes, [(STAGE, _y(0) + 0.32), (STAGE, _y(1) - HALF)], STEEL)
    size = observed.shapes[observed.stages[0][0]][0]
    _draw_card(axes, STAGE, _y(1), "three channels", size, STEEL)
    for number, layers in enumerate(observed.stages, start=1):
        top, taken = _y(number), observed.shapes[layers[0]][0]
        _draw_arrow(axes, [(STAGE, top + HALF), (STAGE, top + PITCH - HALF)], STEEL)
        pool = "max-pool,\n" if taken[1] < size[1] else ""
        _draw_note(axes, STAGE + 0.08, top + PITCH / 2, f"{pool}{len(layers)} conv", STEEL)
        size = observed.shapes[layers[-1]][1]
        _draw_card(axes, STAGE, top + PITCH, f"conv{number}_{len(layers)}", size, STEEL)


def _draw_level(axes: Axes, level: Any, observed: Observation, number: int, row: int) -> None:
    """A row of the residual encoder: the tap, the palette, the batch norm, what is deeper."""
    y, name = _y(row), f"levels.{number}"
    line, plus, norm = BEFORE if level.before else AFTER
    _draw_arrow(axes, [(STAGE + 0.7, y), (norm - 0.46, y)], STEEL)
    _draw_arrow(axes, [(norm + 0.46, y), (STEP - 1.06, y)], BLUE)
    _draw_card(
        axes,
        norm,
        y,
        describe_layers(level.norm),
        observed.shapes[f"{name}.norm"][1][:1],
        BLUE,
        0.46,
    )
    size = observed.shapes[f"{name}.step"][1]
    _draw_card(axes, STEP, y, describe_layers(level.step), size, BLUE, 1.06)
    if observed.steered:
        given, made = observed.shapes[f"{name}.palette"]
        _draw_arrow(axes, [(line, y + 0.3), (plus, y + 0.3), (plus, y + 0.1)], AMBER)
        _draw_note(axes, plus + 0.07, y + 0.2, f"{given[0]} → {made[0]}", AMBER)
        _draw_plus(axes, plus, y, AMBER)
    if number:
        deeper, x, turn = observed.shapes[f"levels.{number - 1}.step"][1], STEP - 0.7, y + PITCH / 2
        _draw_arrow(
            axes, [(x, turn + PITCH / 2 - HALF), (x, turn), (SUM, turn), (SUM, y + 0.1)], BLUE
        )
        _draw_note(axes, SUM + 0.08, turn - 0.09, format_factor(deeper, size), BLUE)
        _draw_plus(axes, SUM, y, BLUE)


def _draw_carried(axes: Axes, network: Any, observed: Observation, number: int, row: int) -> None:
    """The colors of a low level, added to those of the deeper ones, on their way up."""
    name, following = f"carried.{number}", f"carried.{number + 1}"
    if name not in observed.shapes:
        return
    above, end = ("color", _y(0)) if following not in observed.shapes else (following, _y(row - 1))
    y, size = _y(row), observed.shapes[name][1]
    _draw_arrow(axes, [(STEP + 1.06, y), (CARRIED - 0.55, y)], GREEN)
    _draw_card(axes, CARRIED, y, describe_layers(network.carried[number]), size, GREEN, 0.55)
    _draw_arrow(axes, [(CARRIED + 0.55, y), (CHAIN, y), (CHAIN, end + 0.1)], GREEN)
    _draw_note(
        axes, CHAIN + 0.08, end + 0.35, format_factor(size, observed.shapes[above][1]), GREEN
    )
    if number:
        _draw_plus(axes, CHAIN, y, GREEN)
    if above == "color":
        words = "colors of\nlow resolution,\ncarried to\nthe output"
        axes.text(CHAIN + 0.2, (y + end) / 2 + 0.3, words, color=GREEN, va="center")


def _draw_output(axes: Axes, network: Any, observed: Observation) -> None:
    """The planes of color, and the photo painted with them."""
    y, size = _y(0), observed.shapes["color"][1]
    _draw_arrow(axes, [(STEP, _y(1) - HALF), (STEP, y + HALF)], BLUE)
    _draw_arrow(axes, [(STEP + 1.06, y), (RESULT - 0.34, y)], BLUE)
    _draw_card(axes, STEP, y, describe_layers(network.color), size, BLUE, 1.06)
    if "carried.0" in observed.shapes:
        _draw_plus(axes, CHAIN, y, GREEN)
    draw_photo(axes, observed.rgb, RESULT - 0.32, y - 0.32, 0.64)
    axes.text(RESULT, y + 0.46, PLANES[network.config.space], weight="bold", ha="center")
    axes.text(RESULT, y + 0.63, format_shape(size), ha="center")


def _draw_palette(axes: Axes, network: Any, observed: Observation, floor: float) -> None:
    """The palette network, and what it estimates for this photo."""
    pooled, connected = observed.shapes["palette.connected"]
    mean = f"{describe_layers(network.palette.norm)}, mean"
    _draw_arrow(axes, [(STAGE, _y(len(observed.stages) + 1) + HALF), (STAGE, floor - HALF)], STEEL)
    cards = [(STAGE, mean, pooled), (2.95, "fully connected", connected)]
    cards += [(4.92, "classification", observed.shapes["palette.classify"][1])]
    for (x, title, shape), end in zip(cards, (2.95 - 0.7, 4.92 - 0.7, 6.08), strict=True):
        _draw_card(axes, x, floor, title, shape, AMBER)
        _draw_arrow(axes, [(x + 0.7, floor), (end, floor)], AMBER)
    shown, left, right, foot = make_bars(observed.estimate), 6.2, 7.8, floor + HALF
    places = np.interp(shown.places, (shown.places[0], shown.places[-1]), (left, right))
    high, wide = -2 * HALF * shown.heights / shown.heights.max(), shown.width * 1.6 / 360
    axes.bar(places, high, wide, foot, color=shown.colors)
    axes.plot([left - 0.06, right + 0.06], [foot, foot], color=BASE, lw=0.8)


def _draw_bus(axes: Axes, network: Any, observed: Observation, floor: float) -> None:
    """The palette's way up to where it enters the levels."""
    words = "estimated palette,\nnot fed to the encoder"
    if observed.steered:
        words = "estimated palette,\nwhich a person\nmay edit"
        line, turn = (BEFORE if network.levels[0].before else AFTER)[0], floor - 0.52
        points = [(7, floor - 0.28), (7, turn), (line, turn), (line, _y(1) + 0.3)]
        _draw_arrow(axes, points, AMBER, "-")
    axes.text(8.1, floor + 0.05, words, color=AMBER, va="center")


# --- words ----------------------------------------------------------------------------------------


def format_shape(shape: Shape) -> str:
    """A shape as it is read: channels, height, width."""
    return " × ".join(map(str, shape))


def format_factor(small: Shape, large: Shape) -> str:
    """How much planes are enlarged to be added to others; nothing if they are not."""
    factor = large[1] / small[1]
    return f"× {factor:g}" if factor > 1 else ""


def describe_layers(module: nn.Module) -> str:
    """What a layer, or a sequence of them, does."""
    names = []
    for layer in module.children() if isinstance(module, nn.Sequential) else [module]:
        if isinstance(layer, nn.Conv2d):
            names.append(f"conv {format_shape(layer.kernel_size)}")
        elif not isinstance(layer, nn.Identity):
            names.append(LAYERS[type(layer)])
    return ", ".join(names)


# --- pencils --------------------------------------------------------------------------------------


def _y(number: int) -> float:
    """The height of a row: 0 is the photo's, 1 the gray's, then VGG-16's stages."""
    return TOP + PITCH * number


def _draw_card(
    axes: Axes, x: float, y: float, title: str, shape: Shape, color: str, half: float = 0.7
) -> None:
    _draw_box(axes, (x - half, y - HALF, x + half, y + HALF), 0.06, fc="white", ec=color, zorder=3)
    axes.text(x, y - 0.1, title, weight="bold", size=8.5, ha="center", va="center", zorder=4)
    axes.text(x, y + 0.1, format_shape(shape), ha="center", va="center", zorder=4)


def _draw_box(
    axes: Axes, box: tuple[float, float, float, float], radius: float, **look: Any
) -> None:
    left, top, right, bottom = box
    shape = f"round,pad=0,rounding_size={radius}"
    axes.add_patch(FancyBboxPatch((left, top), right - left, bottom - top, shape, **look))


def _draw_name(
    axes: Axes, x: float, bottom: float, name: str, color: str, side: str = "left"
) -> None:
    axes.text(x, bottom - 0.15, name, color=color, weight="bold", ha=side, va="center")


def _draw_arrow(
    axes: Axes, points: list[tuple[float, float]], color: str, head: str = "-|>"
) -> None:
    style = f"{head},head_length=0.4,head_width=0.18" if head == "-|>" else head
    line = FancyArrowPatch(
        path=Path(points), arrowstyle=style, mutation_scale=10, color=color, linewidth=1.2,
        joinstyle="round", fill=False, zorder=2,
    )  # fmt: skip
    axes.add_patch(line)


def _draw_plus(axes: Axes, x: float, y: float, color: str) -> None:
    axes.add_patch(Circle((x, y), 0.1, facecolor="white", edgecolor=color, lw=1.2, zorder=5))
    for dx, dy in ((0.05, 0), (0, 0.05)):
        axes.plot([x - dx, x + dx], [y - dy, y + dy], color=color, lw=1.2, zorder=6)


def _draw_note(axes: Axes, x: float, y: float, words: str, color: str) -> None:
    axes.text(x, y, words, color=color, fontsize=8, va="center")
