"""Tiny runs of every method with their logs, and their figures, drawn once."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner
from PIL import Image

from research.conftest import TINY, fewer_crops, run_config, scene
from research.methods.test_methods import as_settings
from tintype.cli import cli
from tintype.research.methods import dahl2016, fenu2016, zhang2016
from tintype.research.training import loop

GRAY = 0.06  # the loss of gray in the logs
SIZE = re.compile(r"\d+(?: × \d+){2}")
LOSSES = {
    "dahl2016": {100: 0.061, 200: 0.058},
    "zhang2016": {100: 0.059, 300: 0.055},
    "fenu2016": {150: 0.062, 200: 0.057},
    "tintype": {120: 0.056, 240: 0.051},
}


@pytest.fixture(scope="session")
def configs(narrow):
    return {
        "dahl2016": dahl2016.Config(vgg=str(narrow)),
        "zhang2016": zhang2016.Config(width=1 / 16),
        "fenu2016": fenu2016.Config(vgg=str(narrow), connected=16, first_steps=1),
        "tintype": TINY,
    }


@pytest.fixture(scope="session")
def config(configs):
    return configs["fenu2016"]


@pytest.fixture(scope="session")
def runs(configs, photos, tmp_path_factory):
    """Folders of tiny runs by method, with the logs that `LOSSES` says."""
    folder = tmp_path_factory.mktemp("methods")
    with pytest.MonkeyPatch.context() as patch:
        fewer_crops(patch)
        for name, config in configs.items():
            run = run_config(photos, 2, method=name)
            loop.train(folder / name, run, as_settings(config), resume=False)
            write_log(folder / name, LOSSES[name], "half" if name == "tintype" else "automatic")
    return {name: folder / name for name in configs}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Two photos in color and a gray one."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed, (name, size) in enumerate({"wide": (96, 64), "tall": (64, 80)}.items()):
        Image.fromarray(scene(*size, seed)).save(folder / f"{name}.png")
    Image.fromarray(scene(64, 64, 3)).convert("L").save(folder / "gray.png")
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def drawn(runs, pictures, tmp_path_factory):
    """All figures as the command draws them."""
    out = tmp_path_factory.mktemp("drawn") / "figures"
    words = ["plot", *map(str, runs.values()), "-o", str(out)]
    words += ["--photo", str(pictures["wide"]), "--photo", str(pictures["tall"])]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(out / name) for name in files()]
    return out


def files():
    return [f"figure-{n}.{kind}" for n in (1, 2, 3, 4, 6, 7, 8) for kind in ("png", "svg")]


def write_log(run, losses, name, gray=GRAY):
    rows = [{"step": 1, "elapsed": 1, "loss": 3.0, "photos": 50}]
    for photos, loss in losses.items():
        checked = {
            name: {"auc": 90.0, "auc_rebalanced": 60 + 100 * loss, "loss": loss},
            "gray": {"auc": 91.0, "auc_rebalanced": 60.0, "loss": gray},
        }
        rows.append({"step": photos, "elapsed": 1, "photos": photos, "validation": checked})
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def copied(run, folder):
    """A run with the weights of another and no log yet."""
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(run / "model.safetensors")
    return folder


def texts(path):
    """What is written in an SVG."""
    return [e.text or "" for e in ElementTree.parse(path).iter() if e.tag.endswith("}text")]


def shapes(figure):
    """The shapes of three numbers that are written in a figure, as they stand."""
    found = (SIZE.search(text.get_text()) for text in figure.findobj(match=is_text))
    return {match[0] for match in found if match}


def is_text(artist):
    return hasattr(artist, "get_text")


def words_of(figure):
    return [text.get_text() for text in figure.findobj(match=is_text)]
