"""The rows of Table 1: what colors the photos of each, and how that came about."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from tintype import welsh2002
from tintype.colorizer import Colorizer
from tintype.errors import DataError
from tintype.model import OnnxModel
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research.evaluation.evaluate import make_gray
from tintype.research.methods import fenu2016, vgg16
from tintype.research.torch_model import TorchModel
from tintype.working_size import shrink

Paint = Callable[[np.ndarray], np.ndarray]  # a color photo -> it, colored from its gray; uint8 RGB


@dataclass(frozen=True)
class Entry:
    """A row to be measured.

    paints: one, or one for each seed that the method was trained with
    gray: luma, or value: HSV's V, which is kept then
    palette: own: what the method estimates, if it does; true: the photo's, which it is given
    about: of the first seed's run, by its name; seeds: of all
    """

    method: str
    run: str
    paints: tuple[Paint, ...]
    gray: str = "luma"
    palette: str = "own"
    about: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()


def make_grays() -> Iterator[Entry]:
    """The gray photo as it is: its luma, and its V."""
    yield Entry("gray", "", (lambda truth: _repeat(make_gray(truth).luma),))
    yield Entry("gray", "", (lambda truth: _repeat(truth.max(-1)),), "value")


def make_entries(runs: Sequence[Path], vgg_file: Path | None) -> Iterator[Entry]:
    """Up to four rows of each run, or of runs that differ in their seeds alone.

    vgg_file: where the runs' VGG-16 is now, if not where it was in training
    Raises DataError for two runs of one name, or of one seed that differ in nothing, and where no
    run has a VGG-16 and one is given.
    """
    names = [run.name if run.is_dir() else run.stem for run in runs]
    if len(set(names)) < len(names):
        raise DataError(f"expected runs of different names, found {', '.join(names)}; rename one")
    groups: dict[str, list[tuple[str, TorchModel]]] = {}
    every = [TorchModel(run, vgg=vgg_file) for run in runs]
    if vgg_file is not None and not any(one.functions.pins_vgg for one in every):
        raise DataError(f"--vgg: expected a run over VGG-16, found none but {', '.join(names)}")
    for trained, name in zip(every, names, strict=True):
        groups.setdefault(_identify(trained), []).append((name, trained))
    for group in groups.values():
        yield from _make_rows(dict(group))


def _identify(trained: TorchModel) -> str:
    """What runs have in common that differ in their seeds alone."""
    about = trained.about
    how = {name: value for name, value in about.get("run", {}).items() if name != "seed"}
    return repr((trained.method, about["config"], how, about.get("fine_tuning")))


def _make_rows(group: dict[str, TorchModel]) -> Iterator[Entry]:
    """group: runs by name, of different seeds"""
    name, first = next(iter(group.items()))
    seeds = tuple(one.seed for one in group.values())
    if len(set(seeds)) < len(seeds):
        raise DataError(f"expected runs of different seeds, found {', '.join(group)}; leave one")
    about = first.about | _count_parameters(first) | _describe_vgg(first)
    done = {name: _measure_progress(one.about) for name, one in group.items()}
    about |= {"unfinished": {name: share for name, share in done.items() if share < 1}}
    rest: dict[str, Any] = {"about": about, "seeds": seeds}
    if len(group) > 1:
        name = name.removesuffix(f"-{seeds[0]}")
    keeps_value = first.functions.keeps_value
    with_value = keeps_value is not None and keeps_value(first.network.config)
    for palette in ("own", "true") if first.takes_palettes else ("own",):
        rest["palette"], given = palette, palette == "true"
        paints = tuple(keep_luma(Colorizer(one), given) for one in group.values())
        yield Entry(first.method, name, paints, **rest)
        if with_value:
            paints = tuple(keep_value(one, given) for one in group.values())
            yield Entry(first.method, name, paints, "value", **rest)


def _measure_progress(about: dict[str, Any]) -> float:
    """How much of its run a network has seen, 0..1; 1 where that is not known."""
    run = about.get("run", {})
    wholes = {"step": run.get("steps"), "elapsed": 60 * (run.get("minutes") or 0)}
    shares = [about[part] / whole for part, whole in wholes.items() if whole and part in about]
    return min(1.0, max(shares, default=1.0))


def make_untrained(truths: list[np.ndarray]) -> Iterator[Entry]:
    """Rows that need no run: color transfer, and the bundled model."""
    yield Entry("welsh2002", "from a random photo", (_transfer_colors(truths),))
    shipped = OnnxModel()
    known = ("trained", "side", "temperature", "undo", "vividness", "sha256")
    about = {name: shipped.about[name] for name in known}
    about |= {"parameters": shipped.about["parameters"], "pinned": 0}
    for palette in ("own", "true"):
        paints = (keep_luma(Colorizer(shipped), palette == "true"),)
        yield Entry("tintype", "as shipped", paints, palette=palette, about=about)


def keep_luma(colorizer: Colorizer, given: bool = False) -> Paint:
    """Color by the photo's luma, which is kept; given: by its true palette, which tells no tones.

    It is the palette at the working size, at the vividness that is usual where one is given.
    """
    model = colorizer.model

    def paint(truth: np.ndarray) -> np.ndarray:
        true = Palette.measure(truth, model.bins, side=model.side) if given else None
        recipe = Recipe(None if true is None else replace(true, tones=None))
        return np.asarray(colorizer.colorize(make_gray(truth), recipe).image.convert("RGB"))

    return paint


def keep_value(trained: TorchModel, given: bool = False) -> Paint:
    """Color by HSV's V, which is kept: the saturation and its hue are enlarged.

    given: by the true palette, as `keep_luma`
    """
    config = replace(trained.network.config, space="vector")

    def paint(truth: np.ndarray) -> np.ndarray:
        value = truth.max(-1)
        small = np.asarray(shrink(Image.fromarray(value), trained.side), dtype=np.float32) / 255
        true = Palette.measure(truth, trained.bins, side=trained.side) if given else None
        plane = config.bins.chroma(torch.from_numpy(trained.paint(small, palette=true)))
        large = F.interpolate(plane.permute(2, 0, 1)[None], value.shape, mode="bilinear")
        unit = (large.permute(0, 2, 3, 1) + 1) / 2
        gray = torch.from_numpy(value).float()[None, None] / 255
        rgb = fenu2016.paint(unit, gray, config)[0].clamp(0, 1).numpy()
        return np.asarray(np.round(255 * rgb), dtype=np.uint8)

    return paint


def _transfer_colors(truths: list[np.ndarray]) -> Paint:
    """Colors from another of the photos, which its content picks."""

    def paint(truth: np.ndarray) -> np.ndarray:
        others = [t for t in truths if t is not truth] or truths
        other = others[zlib.crc32(truth.tobytes()) % len(others)]
        return np.asarray(welsh2002.colorize(make_gray(truth), other).image.convert("RGB"))

    return paint


def _repeat(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[..., None], 3, axis=-1)


def _count_parameters(trained: TorchModel) -> dict[str, int]:
    """How many weights were trained, and how many are pinned."""
    network = trained.network
    pinned = network.vgg if trained.functions.pins_vgg else None
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pinned": 0 if pinned is None else sum(b.numel() for b in pinned.vgg.features.buffers()),
    }


def _describe_vgg(trained: TorchModel) -> dict[str, str]:
    file = trained.network.config.vgg if trained.functions.pins_vgg else ""
    return {"vgg": vgg16.describe_origin(Path(file))} if file else {}
