"""Photos with recipes of one taste, and checkpoints that were tuned on them."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from research.conftest import TINY, fewer_crops, saved, scene
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research import torch_model
from tintype.research.methods import checkpoint, fenu2016
from tintype.research.training import fine_tuning

TINTYPE = Path(sys.executable).with_name("tintype")
ORANGE = Recipe().towards("orange", 0.36)
METHODS = ["tintype", "fenu2016"]


def save(folder: Path, number: int, text: str, name: str = "{}.json") -> None:
    """A photo and its recipe."""
    folder.mkdir(exist_ok=True)
    Image.fromarray(scene(96, 64, number)).save(folder / f"{number:02}.png")
    (folder / name.format(f"{number:02}")).write_text(text)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer_crops(monkeypatch)


@pytest.fixture(scope="session")
def chosen(tmp_path_factory) -> Path:
    """A folder with twelve photos by whose recipes all colors go towards orange."""
    folder = tmp_path_factory.mktemp("chosen")
    for i in range(12):
        save(folder, i, ORANGE.to_json())
    return folder


@pytest.fixture(scope="session")
def starts(run, narrow, tmp_path_factory) -> dict[str, Path]:
    """A checkpoint of each method that has a palette.

    The tiny run's few prototypes are replaced by ones from all around the wheel, so that a taste
    can be reached, and some of its kernels are in half precision.
    """
    tensors, about = checkpoint.load(run / "model.safetensors")
    hues = [f"hue:{45 * k}" for k in range(8)]
    even = Palette.of_chroma(TINY.bins, np.zeros((1, 2)))
    wheel = [even.boost(hue, 0.3).towards(hue, 0.25).shares for hue in hues]
    tensors["prototypes"] = torch.tensor(np.stack(wheel)).float()[:, None].repeat(1, 4, 1)
    folder = tmp_path_factory.mktemp("starts")
    halved = {k: v.half() if k.startswith("backbone") and v.ndim == 4 else v
              for k, v in tensors.items()}  # fmt: skip
    checkpoint.save(folder / "tintype.safetensors", halved, about)
    saved(folder, "fenu2016", fenu2016.Config(vgg=str(narrow), connected=16))
    return {
        "tintype": folder / "tintype.safetensors",
        "fenu2016": folder / "model.safetensors",
    }


def config(chosen, starts, method="tintype", **values) -> fine_tuning.FineTuningConfig:
    given = {"steps": 100, "learning_rate": 3e-3, "pull": 0.0, "size": 64} | values
    return fine_tuning.FineTuningConfig(method, str(chosen), str(starts[method]), **given)


@pytest.fixture(scope="session")
def tuned(chosen, starts, tmp_path_factory):
    """What each method became on the recipes, and what was reported."""
    made = {}
    for method in METHODS:
        folder = tmp_path_factory.mktemp("tuned") / method
        report = fine_tuning.train(folder, config(chosen, starts, method), {})
        made[method] = folder / "model.safetensors", report
    return made


def network_of(path):
    return torch_model.load(path)[0]


@torch.no_grad()
def palettes(path, seeds=range(100, 108)) -> list[Palette]:
    """The automatic palettes of photos that are not among those with recipes."""
    network = network_of(path)
    grays = [Image.fromarray(scene(96, 64, i)).convert("L") for i in seeds]
    views = [torch.from_numpy(np.array(gray))[None, None] / 255 for gray in grays]
    return [Palette(network.config.bins, network.encode(v)[1].whole[0].numpy()) for v in views]
