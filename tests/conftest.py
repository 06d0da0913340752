"""What several tests share: the bundled model, loaded once, and photos that others may use."""

from pathlib import Path

import hypothesis
import numpy as np
import pytest
from palettes import BINS
from PIL import Image
from skimage import data
from tiny import draw

import tintype
from tintype.color import rgb_to_oklab
from tintype.palette import Palette

hypothesis.settings.register_profile("busy", deadline=None)  # machines are shared
hypothesis.settings.load_profile("busy")


@pytest.fixture(scope="session")
def colorizer() -> tintype.Colorizer:
    return tintype.load()


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """(512, 512) uint8: a public-domain portrait in gray."""
    return np.asarray(Image.fromarray(data.astronaut()).convert("L"))


@pytest.fixture(scope="session")
def photo_palettes() -> list[Palette]:
    """The palettes of a portrait, a still life and a cat."""
    images = [data.astronaut(), data.coffee(), data.chelsea()]
    return [Palette.of_chroma(BINS, rgb_to_oklab(i[::4, ::4] / 255)[..., 1:]) for i in images]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two gray photos: cat.jpg and coffee.png."""
    Image.fromarray(data.chelsea()).convert("L").save(tmp_path / "cat.jpg", quality=90)
    Image.fromarray(data.coffee()).convert("L").save(tmp_path / "coffee.png")
    return tmp_path


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with three tiny photos, one of them in a folder in it."""
    for number, name in enumerate(("a.jpg", "b.png", "roll/c.jpg")):
        draw(tmp_path / "scans" / name, 20 * number)
    return tmp_path / "scans"
