"""Photos made by code, and one tiny run, exported once, that the tests of research share."""

import json
import os
import warnings
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from filelock import FileLock
from PIL import Image

from tintype.colorizer import Colorizer
from tintype.errors import DataError
from tintype.model import OnnxModel
from tintype.research import export
from tintype.research.data import batches, packing, photo_set
from tintype.research.methods import (
    METHODS,
    checkpoint,
    cheng2015,
    dahl2016,
    deshpande2015,
    fenu2016,
    gray,
    tint,
    vgg16,
    zhang2016,
)
from tintype.research.methods.tintype import Config
from tintype.research.methods.tintype.efficientnet import Backbone
from tintype.research.training import loop

SMALL = {
    "width": 0.1, "depth": 0.3, "widths": (8, 8, 16, 16), "heads": (2, 2), "vocabulary": 8,
    "embedding": 16, "keys": 4,
}  # fmt: skip
TINY = Config(**SMALL)
SETTINGS = {name: json.dumps(value) for name, value in SMALL.items()}  # as `--set` has them


def names(count: int, *, held: int = 1) -> list[str]:
    """Names of photos, the last `held` of which `photo_set.hold_out` keeps for tuning."""
    every = [f"photo-{i}" for i in range(1000)]
    kept = photo_set.hold_out(every).tolist()
    split = {side: [n for n, k in zip(every, kept, strict=True) if k == side] for side in (0, 1)}
    return split[0][: count - held] + split[1][:held]


def scene(width: int, height: int, seed: int) -> np.ndarray:
    """(height, width, 3) uint8: sky over ground in random colors, a ball, shading, grain."""
    rng = np.random.default_rng(seed)
    sky, ground, ball = rng.integers(40, 230, (3, 3))
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.where((y < height / 2)[..., None], sky, ground).astype(float)
    inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2
    rgb = np.where(inside[..., None], ball, rgb) * (0.7 + 0.3 * x / width)[..., None]
    return (rgb + rng.normal(0, 4, rgb.shape)).clip(0, 255).astype(np.uint8)


def positions(height: int, width: int, number: int) -> np.ndarray:
    """(height, width, 3) uint8 whose pixels say where they are: row, column, which photo."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([y, x, np.full_like(y, number)], axis=-1).astype(np.uint8)


def scenes(count: int, side: int = 32) -> torch.Tensor:
    """(count, side, side, 3) RGB, 0..1: a disc before two even areas, nothing to guess."""
    y, x = np.mgrid[0:side, 0:side] - side / 2
    rng = np.random.default_rng(0)
    photos = []
    for above, below, disc in rng.uniform(0.2, 0.9, (count, 3, 3)):
        rgb = np.where((y < 0)[..., None], above, below)
        photos.append(np.where((x**2 + y**2 < side**2 / 16)[..., None], disc, rgb))
    return torch.from_numpy(np.stack(photos)).float()


def seeded(seed: int = 0) -> torch.Generator:
    """A source of random numbers."""
    return torch.Generator().manual_seed(seed)


def crops(count: int, side: int = 32) -> torch.Tensor:
    """(count, side, side, 3) float, 0..1."""
    rgb = np.stack([scene(side, side, seed) for seed in range(count)])
    return torch.from_numpy(rgb).float() / 255


def save_published(backbone: Backbone, path: Path) -> dict[str, torch.Tensor]:
    """A backbone's weights as they are published: a stem over RGB, a head, a classifier."""
    state = backbone.state_dict()
    state["_conv_stem.weight"] = torch.randn(32, 3, 3, 3, generator=seeded(5)) / 5
    state |= {"_conv_head.weight": torch.zeros(4, 8, 1, 1), "_bn1.weight": torch.zeros(4)}
    state |= {"_fc.weight": torch.zeros(10, 4), "_fc.bias": torch.zeros(10)}
    torch.save(state, path)
    return state


def random_palettes(count: int) -> torch.Tensor:
    """(count, bins) palettes of nothing in particular."""
    return torch.rand(count, TINY.bins.count, generator=seeded(9)).softmax(1)


def fewer_crops(patch: pytest.MonkeyPatch) -> None:
    """Count colors on 512 crops, not on twenty thousand."""
    sample = batches.Memory.sample
    patch.setattr(batches.Memory, "sample", lambda photos, size: islice(sample(photos, size), 2))


def interrupted_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    """Let the run stop as by Ctrl-C when it begins the step after these."""
    learn = loop.Run.learn

    def stopping(run, *given):
        if run.step == steps:
            raise KeyboardInterrupt
        return learn(run, *given)

    patch.setattr(loop.Run, "learn", stopping)


def train_whole_and_interrupted(
    folder: Path, config: loop.TrainConfig, settings: dict[str, str], steps: int
) -> None:
    """A run in `folder`/whole, and in `folder`/parts the same, left after some steps."""
    loop.train(folder / "whole", config, settings, resume=False)
    with pytest.MonkeyPatch.context() as patch:
        interrupted_after(steps, patch)
        with pytest.raises(KeyboardInterrupt):
            loop.train(folder / "parts", config, settings, resume=False)


def assert_same_weights(folder: Path) -> None:
    """The files of the runs in `folder`/whole and `folder`/parts hold the same, to the bit."""
    for name in ("last.safetensors", "model.safetensors"):
        (whole, about), (parts, other) = (
            checkpoint.load(folder / run / name) for run in ("whole", "parts")
        )
        assert about["step"] == other["step"]
        assert whole.keys() == parts.keys()
        assert [n for n in whole if not torch.equal(whole[n], parts[n])] == []


def run_config(photos: Path, steps: int, **values: object) -> loop.TrainConfig:
    """A run that takes a second on one processor."""
    return loop.TrainConfig(
        data=(str(photos),), steps=steps, batch=4, crop_size=32, late_crop_size=64, size=96,
        precision="no", **values,
    )  # fmt: skip


def refused(
    folder: Path,
    config: loop.TrainConfig,
    settings: dict[str, str] = SETTINGS,
    *,
    resume: bool = False,
) -> str:
    """What a run is refused with, which is one line."""
    with pytest.raises(DataError) as caught:
        loop.train(folder, config, settings, resume=resume)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def steps_of(folder: Path) -> list[dict]:
    """The rows of a run's log that tell of steps."""
    rows = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [row for row in rows if "loss" in row]


def saved(folder, method, config):
    """A checkpoint of a network with random weights that has counted colors."""
    torch.manual_seed(0)
    network = METHODS[method].network(config)
    network.count_colors([scenes(8)])
    with torch.no_grad():
        for _ in range(20):
            network.train()(scenes(4), torch.full((4,), -1), seeded())
    about = {"method": method, "config": asdict(config), "run": asdict(loop.TrainConfig())}
    checkpoint.save(folder / "model.safetensors", network.state_dict(), about)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Sums in a fixed order, and no fight for the processors."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A folder with eight color photos of several sizes; the last two are held out."""
    folder = tmp_path_factory.mktemp("photos")
    for seed, name in enumerate(names(8, held=2)):
        width, height = 96 + 16 * (seed % 3), 128 - 16 * (seed % 2)
        Image.fromarray(scene(width, height, seed)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def shards(tmp_path_factory):
    """A pack of some 36 photos for training in shards of 5, of three classes, and a few others."""
    made = tmp_path_factory.mktemp("packed")
    for i in range(42):
        path = made / "in" / f"n{i % 3:02}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(80 + 8 * (i % 3), 96 - 8 * (i % 2), i)).save(path)
    options = packing.Options(size=96, per_shard=5, validation=0.15)
    packing.pack([str(made / "in")], made / "shards", options)
    return made / "shards"


@pytest.fixture(scope="session")
def narrow(tmp_path_factory) -> Path:
    """A file with a VGG-16 of few channels and random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "narrow.safetensors"
    vgg16.save(vgg16.Vgg16((4, 6, 8, 8, 8)), path, {})
    return path


def make_once(factory, name: str, make) -> Path:
    """The folder that `make(folder)` fills, for all workers: the first one that asks makes it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            make(part := folder.with_suffix(".part"))
            part.rename(folder)
    return folder


@pytest.fixture(scope="session")
def run(photos, tmp_path_factory) -> Path:
    """A folder with a run of 50 steps."""

    def make(folder):
        values = {"learning_rate": 0.0125, "warmup": 1.0}
        with pytest.MonkeyPatch.context() as patch:
            fewer_crops(patch)
            loop.train(folder, run_config(photos, 50, **values), SETTINGS, resume=False)

    return make_once(tmp_path_factory, "tiny", make)


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory):
    """The run's model folder, the differences found, and the float32 graphs."""
    trace = export._trace_graphs

    def make(folder):
        def keep(*given):
            graphs = trace(*given)
            for name, graph in graphs.items():
                onnx.save(graph, folder / f"{name}.float32.onnx")
            return graphs

        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("error")
            patch.setattr(export, "_trace_graphs", keep)
            found = export.export(run, folder / "model", {"side": "64"}, [])
        (folder / "found.json").write_text(json.dumps(found))

    folder = make_once(tmp_path_factory, "exported", make)
    graphs = {n: onnx.load(folder / f"{n}.float32.onnx") for n in ("encoder", "decoder")}
    return folder / "model", json.loads((folder / "found.json").read_text()), graphs


@pytest.fixture(scope="session")
def tiny(exported) -> Colorizer:
    """The exported model, loaded."""
    return Colorizer(OnnxModel(exported[0], threads=1))


@pytest.fixture(scope="session")
def config(narrow):
    """A small config of each method, by name."""
    return {
        "gray": gray.Config(),
        "tint": tint.Config(),
        "cheng2015": cheng2015.Config(vgg=str(narrow)),
        "deshpande2015": deshpande2015.Config(trees=2, samples=300, bank=16),
        "dahl2016": dahl2016.Config(vgg=str(narrow)),
        "zhang2016": zhang2016.Config(width=1 / 16),
        "fenu2016": fenu2016.Config(vgg=str(narrow), connected=16, first_steps=100),
        "tintype": TINY,
    }
