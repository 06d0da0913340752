"""Curves of losses, edits and hints, and a palette's bars: figures 4 and 7, and evaluation's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tintype.bins import hue_of
from tintype.charts import GRID, INK, NAMES, QUIET
from tintype.errors import DataError
from tintype.palette import Palette
from tintype.research.figures.canvas import WIDTH, caption, make_bars

COLORS = (
    "#c8553d", "#3a6ea5", "#3f8f6b", "#8a63b0", "#b8860b", "#4b8f99", "#9c5d3b", "#d06fa4",
)  # fmt: skip
MARKERS = "os^"  # the next for each time that colors begin again
TICKS = (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1)  # shares


@dataclass(frozen=True)
class Curve:
    """A run on held-out photos after so many photos seen, and gray.

    loss: pixelwise, 0..1; rebalanced: AuC, percent
    """

    photos: list[int]
    loss: list[float]
    gray: float
    rebalanced: list[float]
    gray_rebalanced: float


def read_curve(run: Path) -> Curve:
    """Read a run's log. Raises DataError where it is missing, or older than what is read here."""
    path = run / "log.jsonl"
    points: dict[int, list[float]] = {}
    try:
        for row in map(json.loads, path.read_text().splitlines()):
            if checked := row.get("validation"):
                own = checked["half" if "half" in checked else "automatic"]
                points[int(row["photos"])] = [
                    float(one[name])
                    for name in ("loss", "auc_rebalanced")
                    for one in (own, checked["gray"])
                ]
    except OSError as error:
        raise DataError(f"{path}: expected a run's log, found none: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        points = {}
    if not points:
        raise DataError(
            f'{path}: expected rows of validation with "photos" and "loss", found others; '
            "train the run with this version"
        )
    order = sorted(points)  # a resumed run repeats what it had logged after its last checkpoint
    loss, grays, rebalanced, rebalanced_grays = zip(*(points[n] for n in order), strict=True)
    return Curve(order, list(loss), grays[-1], list(rebalanced), rebalanced_grays[-1])


def draw_losses(curves: dict[str, Curve]) -> Figure:
    """Figure 4: curves by name, and gray, by the paper's loss and by one that knows rare colors.

    Raises DataError where their photos are not the same.
    """
    grays = {name: one.gray for name, one in curves.items()}
    gray = min(grays.values())
    if max(grays.values()) > 1.01 * gray:
        found = ", ".join(f"{value:g} ({name})" for name, value in grays.items())
        raise DataError(
            f"expected runs that were checked on the same photos, found a loss of gray of {found}; "
            "give runs with the same data and late_crop_size, or choose other figures by --figure"
        )
    figure = Figure(figsize=(WIDTH, 8.6), facecolor="white")
    rebalanced = next(iter(curves.values())).gray_rebalanced
    for bottom, label, level, lines in (
        (0.57, "pixelwise loss", gray, {n: c.loss for n, c in curves.items()}),
        (0.11, "rebalanced AuC, %", rebalanced, {n: c.rebalanced for n, c in curves.items()}),
    ):
        axes = figure.add_axes((0.075, bottom, 0.77, 0.40))
        axes.axhline(level, color=QUIET, lw=1.3, ls=(0, (5, 3)))
        ends = [(level, "gray", QUIET)]
        for i, (name, values) in enumerate(lines.items()):
            color, photos = COLORS[i % len(COLORS)], curves[name].photos
            marker = MARKERS[i // len(COLORS) % len(MARKERS)]
            axes.plot(photos, values, color=color, lw=1.8, marker=marker, ms=4, label=name)
            ends.append((values[-1], name, color))
        axes.set(xlabel="photos seen in training", ylabel=label, xlim=(0, None))
        axes.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        _finish(axes, ends)
    words = (
        "Figure 4. Held-out photographs in training, colored from their luma by every method: mean"
    )
    words += (
        "\nL1 of H, S and V above, the lower the better; accuracy that rare colors weigh in below."
    )
    caption(figure, words)
    return figure


def _label(axes: Axes, ends: list[tuple[float, str, str]], least: float = 0.058) -> None:
    """Name lines to the right of the axes, as near to their ends as leaves room for all.

    ends: of each line, its last value, its name and its color
    """
    low, high = axes.get_ylim()
    ends = sorted(ends)
    places = spread([(value - low) / (high - low) for value, _, _ in ends], least)
    for (_, name, color), y in zip(ends, places, strict=True):
        axes.text(1.015, y, name, color=color, va="center", weight="bold", transform=axes.transAxes)


def spread(places: list[float], least: float) -> list[float]:
    """The nearest places, by squares, that lie at least `least` apart, none above 1; sorted."""
    groups: list[tuple[float, int]] = []  # a mean, and of how many: isotonic regression
    for i, place in enumerate(places):
        groups.append((place - i * least, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (lower, many), (upper, more) = groups[-2:]
            mean = (many * lower + more * upper) / (many + more)
            groups[-2:] = [(mean, many + more)]
    means = np.repeat([mean for mean, _ in groups], [count for _, count in groups])
    steps = least * np.arange(len(places))
    return list(means.clip(max=1 - steps[-1]) + steps)


def _draw_curve(
    axes: Axes,
    count: list[int],
    middle: list[float],
    intervals: list[tuple[float, float]],
    color: str,
    label: str,
) -> None:
    """A line over its shaded intervals."""
    low, high = np.transpose(intervals)
    axes.fill_between(count, low, high, color=color, alpha=0.15, lw=0)
    axes.plot(count, middle, color=color, lw=1.8, marker="o", ms=4, label=label)


def _finish(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Draw the grid, and name lines at their ends, as `_label` takes them."""
    axes.grid(axis="y", color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    _label(axes, ends)


def draw_histograms(estimate: Palette, edited: Palette) -> Figure:
    """Figure 7: a palette, and below it at the same scale what became of it."""
    figure = Figure(figsize=(WIDTH, 6.6), facecolor="white")
    most = max(float(one.shares.max()) for one in (estimate, edited))
    for bottom, title, one in ((0.61, "estimated", estimate), (0.16, "towards red", edited)):
        axes = figure.add_axes((0.075, bottom, 0.91, 0.33))
        axes.set_title(title, loc="left", size=10, weight="bold", pad=8)
        _draw_histogram(axes, one, most)
    words = "Figure 7. The estimated histogram of hue and saturation, pale to full, above; the same"
    caption(figure, f"{words} shifted\ntowards red below. Square-root scale.")
    return figure


def _draw_histogram(axes: Axes, palette: Palette, most: float) -> None:
    """Bars in their own colors; `most` is the largest share that is shown."""
    shown, hues = make_bars(palette), palette.bins.hues
    axes.bar(shown.places, np.sqrt(shown.heights), shown.width, color=shown.colors)
    ticks = [share for share in TICKS if share <= most]
    axes.set_yticks(np.sqrt(ticks), [f"{100 * share:g} %" for share in ticks])
    step = 360 / hues
    axes.set_xticks(np.arange(hues) * step, [f"{step * i:g}°" for i in range(hues)])
    names = {round(hue_of(name, palette.bins) / step) % hues: name for name in NAMES}
    for i, name in {-1: "neutral", **names}.items():
        place = axes.get_xaxis_transform()
        axes.text(step * i, -0.16, name, ha="center", transform=place)
    axes.set(xlim=(-1.5 * step, 360 - step / 2), ylim=(0, 1.06 * most**0.5))
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=GRID, lw=0.8)
    axes.set_axisbelow(True)


def draw_edits(report: dict[str, Any]) -> Figure:
    """Raw AuC and PSNR against the number of edits, beside gray and the true palette.

    report: the part `edits` of what `evaluate` returns
    """
    figure = Figure(figsize=(WIDTH, 4.6), facecolor="white")
    panels = (("auc", "raw AuC, percent"), ("psnr", "PSNR, decibels"))
    for left, (name, label) in zip((0.07, 0.57), panels, strict=True):
        axes = figure.add_axes((left, 0.26, 0.325, 0.7))
        edited = [row for row in report["rows"] if "edits" in row]
        count, middle = [row["edits"] for row in edited], [row[name] for row in edited]
        intervals = [row[f"{name}_interval"] for row in edited]
        _draw_curve(axes, count, middle, intervals, COLORS[0], "edited")
        ends = [(middle[-1], "edited", COLORS[0])]
        others = (row for row in report["rows"] if "edits" not in row)
        for row, color in zip(others, (QUIET, COLORS[1]), strict=True):
            axes.axhline(row[name], color=color, lw=1.3, ls=(0, (5, 3)))
            ends.append((row[name], row["method"], color))
        axes.set(xlabel="edits of a photo, at most", ylabel=label, xticks=count)
        _finish(axes, ends)
    words = f"How near {report['photos']} photographs come to their truth by edits of their "
    words += "palettes, which a simulated user who knows it picks greedily from a fixed menu. "
    caption(figure, words + "Shaded: 95 % bootstrap intervals over photographs.")
    return figure


def draw_hints(report: dict[str, Any]) -> Figure:
    """PSNR and raw AuC above gray against the number of hints, without a palette and with the true.

    report: the part `hints` of what `evaluate` returns
    """
    figure = Figure(figsize=(WIDTH, 5.1), facecolor="white")
    panels = (("psnr", "PSNR above gray, decibels"), ("auc", "raw AuC above gray, percent"))
    for left, (name, label) in zip((0.06, 0.565), panels, strict=True):
        axes = figure.add_axes((left, 0.25, 0.275, 0.72))
        _draw_hints(axes, [row for row in report["rows"] if "hints" in row], name)
        axes.set_ylabel(label)
    words = f"How near {report['photos']} photographs come to their truth by hints of it: at random"
    words += " places, there beside the true palette, and where the largest error is left. Dashed:"
    words += " gray, and the true palette without hints. Crosses: gains over no hint that Zhang et"
    words += " al. 2017 published (iDeepColor, ImageNet), on top of what no hint reaches here."
    caption(figure, words + " Shaded: 95 % bootstrap intervals, paired with gray.")
    return figure


def _draw_hints(axes: Axes, rows: list[dict[str, Any]], name: str) -> None:
    """Curves of rows by their method; name: psnr or auc, whose difference to gray is drawn."""
    axes.axhline(0, color=QUIET, lw=1.3, ls=(0, (5, 3)))
    ends = [(0.0, "gray", QUIET)]
    for method, color in zip(dict.fromkeys(row["method"] for row in rows), COLORS, strict=False):
        own = [row for row in rows if row["method"] == method]
        count, middle = [row["hints"] for row in own], [row[f"{name}_difference"] for row in own]
        intervals = [row[f"{name}_difference_interval"] for row in own]
        _draw_curve(axes, count, middle, intervals, color, method)
        ends.append((middle[-1], method, color))
        if "palette" in method:
            axes.axhline(middle[0], color=color, lw=1.3, ls=(0, (5, 3)))
            ends.append((middle[0], "true palette alone", color))
    published = [row for row in rows if "published_gain" in row]
    ticks = [row["hints"] for row in published]
    if name == "psnr":
        base = published[0]["psnr_difference"]
        heights = [base + row["published_gain"] for row in published]
        axes.plot(ticks, heights, color=INK, lw=0.8, marker="x", ms=6, label="iDeepColor")
        ends.append((heights[-1], "iDeepColor", INK))
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_xticks(ticks, [str(count) for count in ticks])
    axes.set_xticks([], minor=True)
    axes.set(xlabel="hints of a photo", xlim=(-0.15, 1.1 * ticks[-1]))
    _finish(axes, ends)
