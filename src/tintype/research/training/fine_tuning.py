"""Fine-tuning on recipes: the automatic palette moves towards what people chose.

    photo ─▶ the network as it is ─▶ pooled features ─▶ palette network ─▶ palette
                      │                                                      │ loss
                      └─▶ its estimate, edited as the recipe says ─▶ target ─┘

Only the two linear layers of the palette network learn. What they see of a photo does not change,
so photos are encoded once and the rest takes seconds.
"""

import copy
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from tintype.errors import DataError, PaletteError
from tintype.model import find_alternatives
from tintype.palette import Palette
from tintype.photo import read
from tintype.recipe import Recipe
from tintype.research.data import photo_set
from tintype.research.methods import METHODS, checkpoint, tintype
from tintype.research.training.config import configure
from tintype.sandbox import read_bounded
from tintype.working_size import shrink

LAYERS = {  # of the methods that estimate a palette: what is fine-tuned
    "tintype": ("palette.mix.0.", "palette.mix.2."),
    "fenu2016": ("palette.connected.", "palette.classify."),
}
FOLDS = 5
EVERY = 5  # steps between two looks at what is left out
FEW = 30  # steps where there is one photo, so that none can be left out


@dataclass(frozen=True)
class FineTuningConfig:
    """How a fine-tuning goes; `minutes` and `steps` are the most it takes."""

    method: str = "tintype"
    recipes: str = ""  # a folder of photos with recipes
    start: str = ""  # the checkpoint that is fine-tuned
    minutes: float | None = None
    steps: int = 300
    seed: int = 0
    batch: int = 512  # views
    learning_rate: float = 3e-4
    pull: float = 0.01  # of the weights towards those of the start
    size: int = 192  # short side, pixels, at which the network looks at a photo, and at 5/4 of it


@dataclass(frozen=True)
class Examples:
    """Views of photos, as the palette network sees them, and the palettes that recipes ask for.

    pooled: (views, inputs); targets: (views, count) shares that sum to 1; photo: (views,) which
    """

    pooled: Tensor
    targets: Tensor
    photo: Tensor


def train(folder: Path, config: FineTuningConfig, settings: dict[str, str]) -> dict[str, float]:
    """Fine-tune a checkpoint on recipes and leave `model.safetensors` in a new folder.

    settings: fields of the network's config that differ from the start's: where its VGG-16 is now
    Returns the number of `recipes` and of `steps`, and `reached`: by how much the divergence
    (Kullback and Leibler's) from the target palettes fell on photos that were left out; 1 is all
    of it, and of a single photo it is not told. Raises TintypeError.
    """
    if any((folder / name).exists() for name in ("model.safetensors", "last.safetensors")):
        raise DataError(f"{folder}: expected a new folder, found a run; give another")
    network, tensors, about = _start(config, settings)
    found = photo_set.find_recipes(Path(config.recipes))
    examples = encode_photos(network, found, config.size)
    steps, reached = choose_steps(network, examples, config)
    every = torch.arange(len(examples.photo))
    next(step for step in learn(network, examples, every, config) if step >= steps)
    learned = network.state_dict().items()
    changed = {name: value for name, value in learned if name.startswith(LAYERS[config.method])}
    report = {"recipes": len(found), "steps": steps, **reached}
    about |= {"config": asdict(network.config), "fine_tuning": asdict(config) | report}
    if config.method == "tintype":
        tensors = _keep_reference(tensors) | tensors
        about["config"]["tuned"] = True
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(folder / "model.safetensors", tensors | changed, about)
    return report


def _start(
    config: FineTuningConfig, settings: dict[str, str]
) -> tuple[Any, dict[str, Tensor], dict[str, Any]]:
    """The network to fine-tune, and its checkpoint. Raises DataError where it is none."""
    if config.method not in LAYERS:
        known = " or ".join(LAYERS)
        raise DataError(f"expected a method with a palette, {known}, found {config.method!r}")
    if not config.start:
        raise DataError("expected a checkpoint to fine-tune, found none; add --start FILE")
    tensors, about = checkpoint.load_of(Path(config.start), config.method)
    method = METHODS[config.method]
    kept = configure(checkpoint.make_config(method.config, about["config"]), left := dict(settings))
    if left:
        raise DataError(f"--set: expected fields of the fine-tuning or the method, found {left}")
    network = method.network(kept).eval()
    checkpoint.load_start(network, Path(config.start))
    return network, tensors, about


def _keep_reference(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The palette network under the names that a network has for what it was before recipes."""
    inner = "palette.mix."
    return {k.replace(inner, "reference."): v for k, v in tensors.items() if k.startswith(inner)}


@torch.no_grad()
def encode_photos(network: Any, found: list[tuple[Path, Path]], size: int) -> Examples:
    """Four views of the photo of every pair: at two sizes, as it is and mirrored."""
    number = {photo: i for i, photo in enumerate(dict.fromkeys(photo for photo, _ in found))}
    recipes = [Recipe.load(path) for _, path in found]  # what is wrong with one is told at once
    pooled, targets, which = [], [], []
    bar = tqdm(found, "reading photos", unit=" photos", disable=None, delay=2)
    for (photo, path), recipe in zip(bar, recipes, strict=True):
        luma = Image.fromarray(read_bounded(str(photo), read).luma)
        views = torch.cat([network.pool(_make_views(luma, side)) for side in (size, size * 5 // 4)])
        try:
            targets.append(_make_targets(network, views, recipe))
        except PaletteError as error:
            raise PaletteError(f"{path}: {error}") from None
        pooled.append(views)
        which += [number[photo]] * len(views)
    return Examples(torch.cat(pooled), torch.cat(targets), torch.tensor(which))


def _make_views(luma: Image.Image, side: int) -> Tensor:
    """A photo at the working size, and its mirror image: (2, 1, h, w), 0..1."""
    plane = torch.from_numpy(np.asarray(shrink(luma, side), dtype=np.float32) / 255)
    return torch.stack([plane, plane.flip(1)])[:, None]


def _make_targets(network: Any, views: Tensor, recipe: Recipe) -> Tensor:
    """The palettes (views, count) that a recipe asks for. Raises PaletteError."""
    bins = network.config.bins
    begin = [Palette(bins, shares) for shares in network.estimate_palettes(views).numpy()]
    others: list[Palette] = []
    if recipe.alternative:  # of the first view: those of the others may come in another order
        others = _find_alternatives(network, views[0], begin[0], recipe.alternative)
        begin = begin[:1] * len(views)
    shares = [recipe.apply(palette, others).shares for palette in begin]
    return torch.from_numpy(np.stack(shares)).float()


def _find_alternatives(network: Any, view: Tensor, estimate: Palette, number: int) -> list[Palette]:
    """The alternatives to an estimate, as a `Colorizer` offers them, of which `number` is meant."""
    if not isinstance(network, tintype.Network):
        raise PaletteError(
            f"expected a recipe that starts from the estimate or a palette, found alternative "
            f"{number}, and this method has none; take the recipe out"
        )
    shares = network.estimate_shares(view[None])[0].numpy()
    return find_alternatives(estimate, shares, network.prototypes.numpy())


def learn(
    network: Any, examples: Examples, index: Tensor, config: FineTuningConfig
) -> Iterator[int]:
    """Fine-tune on the views that `index` names, for ever; gives the steps done, from 0 on."""
    named = network.named_parameters()
    layers = [value for name, value in named if name.startswith(LAYERS[config.method])]
    first = [layer.detach().clone() for layer in layers]
    optimizer = torch.optim.Adam(layers, lr=config.learning_rate)
    generator = torch.Generator().manual_seed(config.seed)
    for step in itertools.count():
        yield step
        some = index[torch.randperm(len(index), generator=generator)[: config.batch]]
        loss = network.palette_loss(examples.pooled[some], examples.targets[some])
        away = sum((now - then).square().sum() for now, then in zip(layers, first, strict=True))
        optimizer.zero_grad()
        (loss + config.pull * away).backward()
        optimizer.step()


def choose_steps(
    network: Any, examples: Examples, config: FineTuningConfig
) -> tuple[int, dict[str, float]]:
    """How many steps serve photos best that were left out, and what they reach there.

    Five times another fifth of the photos is left out. A few people's recipes are soon learned by
    heart, which wrecks the palettes of all other photos: it shows here, and ends the fine-tuning
    early, or before it begins where the recipes have nothing in common.
    """
    folds = min(FOLDS, int(examples.photo.max()) + 1)
    if folds == 1:
        return min(FEW, config.steps), {}
    seconds = 60 * (config.minutes or math.inf) / (folds + 1)
    curves = []
    bar = tqdm(total=folds * config.steps, desc="fine-tuning", disable=None, delay=2)
    for fold in range(folds):
        out = examples.photo % folds == fold
        index, left, pupil = (~out).nonzero()[:, 0], out.nonzero()[:, 0], copy.deepcopy(network)
        began, curve = time.monotonic(), []
        for step in learn(pupil, examples, index, config):
            if step % EVERY == 0:
                curve.append(_measure(pupil, examples.pooled[left], examples.targets[left]))
            if step >= config.steps or time.monotonic() - began > seconds:
                break
            bar.update()
        curves.append(curve)
    bar.close()
    shortest = min(map(len, curves))
    loss, gap = np.mean([curve[:shortest] for curve in curves], axis=0).T
    best = int(loss.argmin())
    reached = 1 - gap[best] / gap[0] if gap[0] > 1e-6 else 0.0
    return EVERY * best, {"reached": float(reached)}


@torch.no_grad()
def _measure(network: Any, pooled: Tensor, targets: Tensor) -> tuple[float, float]:
    """The loss of a network, and the divergence of the target palettes from its own."""
    ratio = (targets + 1e-6).log() - (network.estimate_palettes(pooled) + 1e-6).log()
    return float(network.palette_loss(pooled, targets)), float((targets * ratio).sum(1).mean())
