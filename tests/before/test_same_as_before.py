"""Recipes and palettes of version 1 give the bytes that the commit which wrote them gave.

`same_as_before/` holds recipes and palettes as commit 8451702 wrote them, and
`same_as_before.json` what came out there. On a machine that computes the same floats as the one of
that day, every pixel and every share must be the same; on another one the colors may differ by a
rounding, and are compared as means, within a tenth of a step of 255.
"""

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

import tintype
from tintype.bins import Bins
from tintype.palette import Palette
from tintype.recipe import Recipe

HERE = Path(__file__).parent
STORED = HERE / "same_as_before"
BEFORE: dict[str, Any] = json.loads((HERE / "same_as_before.json").read_text())
PHOTOS = ("coffee", "chelsea", "camera")
RECIPES = sorted(path.stem for path in (STORED / "recipes").glob("*.json"))
PALETTES = sorted(path.stem for path in (STORED / "palettes").glob("*.json"))
HSV = Bins(16, (0.1, 0.3, 0.6, 1.0), "hsv")  # a plane of another model than the bundled one
GRID = 16  # colors are compared as means over GRID x GRID fields
TOLERANCE = 0.1  # of Cb and Cr, 0..255 units; other floats were seen to move a mean by 0.008


# --- the public API, in one place -----------------------------------------------------------------


def photo_of(name: str) -> Path:
    root = next(p for p in (HERE, *HERE.parents) if (p / "examples").is_dir())
    return root / "examples" / f"{name}.jpg"


def read_recipe(path: Path) -> Recipe:
    return Recipe.load(path)


def read_palette(bins: Bins, path: Path) -> Palette:
    return Palette.from_json(bins, path.read_bytes())


def decode(
    colorizer: tintype.Colorizer, encoded: tintype.Encoded, recipe: Recipe
) -> tintype.Result:
    return colorizer.decode(encoded, recipe)


def target_of(encoded: tintype.Encoded, recipe: Recipe) -> Palette:
    """The palette that a photo was colored from: the estimate where none was asked for."""
    return recipe.apply(encoded.palette, encoded.alternatives)


def reached_by(
    colorizer: tintype.Colorizer, encoded: tintype.Encoded, recipe: Recipe, result: tintype.Result
) -> float | None:
    return recipe.reached(colorizer, encoded, result)


# --- what is compared -----------------------------------------------------------------------------


def hash_of(array: np.ndarray) -> str:
    """The SHA-256 of an array's values and shape."""
    about = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(about + np.ascontiguousarray(array).tobytes()).hexdigest()


def hash_of_shares(palette: Palette) -> str:
    """The SHA-256 of a palette's shares and those of its tones, each rounded to 1e-9."""
    shares = np.concatenate([palette.shares[None], palette.by_tone])
    return hash_of(np.rint(1e9 * shares).astype("<i8"))


def means_of(image: Image.Image) -> np.ndarray:
    """(2, GRID, GRID) mean Cb and Cr, 0..255 units, of an image in RGB."""
    planes = image.convert("RGB").convert("YCbCr").split()[1:]
    box = Image.Resampling.BOX
    return np.stack(
        [np.asarray(p.convert("F").resize((GRID, GRID), box), dtype=np.float64) for p in planes]
    )


def pack(values: np.ndarray) -> str:
    """Values as text, in hundredths."""
    return base64.b64encode(np.rint(100 * values).astype("<i2").tobytes()).decode()


def unpack(text: str) -> np.ndarray:
    """(2, GRID, GRID) what `pack` was given."""
    hundredths = np.frombuffer(base64.b64decode(text), dtype="<i2").reshape(2, GRID, GRID)
    return hundredths.astype(np.float64) / 100


def moments_of(palette: Palette) -> list[float]:
    """What is neutral, the mean chroma (2,) and the mean of its squares, of a palette."""
    centers = palette.bins.centers.astype(np.float64)
    mean = palette.shares @ centers
    spread = palette.shares @ (centers**2).sum(axis=1)
    return [round(float(value), 6) for value in (palette.shares[0], *mean, spread)]


@cache
def fingerprint() -> str:
    """How this machine computes, by the libraries alone and none of Tintype's code."""
    image = Image.open(photo_of("coffee")).convert("L")
    small = image.resize((384, 256), Image.Resampling.BICUBIC)
    luma = (np.asarray(small, dtype=np.float32) / 255)[None, None]
    folder = resources.files("tintype") / "weights"
    encoder, decoder = (
        ort.InferenceSession((folder / name).read_bytes(), providers=["CPUExecutionProvider"])
        for name in ("encoder.onnx", "decoder.onnx")
    )
    names = [output.name for output in encoder.get_outputs()]
    outputs = dict(zip(names, encoder.run(None, {"luma": luma}), strict=True))
    palette = outputs["palette"]
    feed = {i.name: outputs[i.name] for i in decoder.get_inputs() if i.name in outputs}
    feed |= {"palette": palette, "estimate": palette, "tones": np.stack([palette] * 3, axis=1)}
    feed |= {"luma": luma[..., ::4, ::4], "bias": np.zeros_like(palette)}
    ramp = np.linspace(0.001, 1, 1000)
    shapes = (np.cbrt, np.sqrt, np.cos, np.sin, np.log, np.exp, lambda x: x**2.4)
    floats = [shape(ramp.astype(kind)) for kind in ("f4", "f8") for shape in shapes]
    values = [np.asarray(image), np.asarray(small), *floats]
    values += [outputs[name] for name in names] + decoder.run(["chroma"], feed)
    return hashlib.sha256("".join(map(hash_of, values)).encode()).hexdigest()


@pytest.fixture(scope="module")
def colorizer() -> tintype.Colorizer:
    return tintype.load()


@pytest.fixture(scope="module")
def photos(colorizer: tintype.Colorizer) -> dict[str, tintype.Encoded]:
    return {name: colorizer.encode(photo_of(name)) for name in PHOTOS}


@pytest.fixture(scope="module")
def exact(colorizer: tintype.Colorizer, photos: dict[str, tintype.Encoded]) -> bool:
    """Whether this machine computes as that one did, so that all must be equal to the last bit."""
    control = decode(colorizer, photos["coffee"], read_recipe(STORED / "recipes/automatic.json"))
    pixels = hash_of(np.asarray(control.image))
    before = BEFORE["recipes"]["automatic"]["coffee"]["pixels"]
    return bool(fingerprint() == BEFORE["fingerprint"] or pixels == before)


# --- the tests ------------------------------------------------------------------------------------


def test_everything_stored_is_compared() -> None:
    assert sorted(BEFORE["recipes"]) == RECIPES
    assert sorted(BEFORE["palettes"]) == PALETTES
    assert len(RECIPES) >= 14


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_the_same_pixels(
    colorizer: tintype.Colorizer,
    photos: dict[str, tintype.Encoded],
    exact: bool,
    name: str,
    photo: str,
) -> None:
    encoded, before = photos[photo], BEFORE["recipes"][name][photo]
    recipe = read_recipe(STORED / f"recipes/{name}.json")
    result = decode(colorizer, encoded, recipe)
    target, image = target_of(encoded, recipe), result.image
    np.testing.assert_allclose(moments_of(target), before["target"], rtol=0, atol=1e-3)
    luma = np.asarray(image.convert("L")).astype(int)
    assert (np.abs(luma - encoded.photo.luma) <= 1).mean() >= 0.999
    np.testing.assert_allclose(means_of(image), unpack(before["means"]), rtol=0, atol=TOLERANCE)
    assert reached_by(colorizer, encoded, recipe, result) == (
        None if before["reached"] is None else pytest.approx(before["reached"], abs=0.01)
    )
    if exact:
        assert hash_of_shares(target) == before["shares"]
        assert hash_of(np.asarray(image)) == before["pixels"]


@pytest.mark.parametrize("plane", ["model", "hsv"])
@pytest.mark.parametrize("name", PALETTES)
def test_a_palette_means_the_same(
    colorizer: tintype.Colorizer, exact: bool, name: str, plane: str
) -> None:
    before = BEFORE["palettes"][name][plane]
    bins = HSV if plane == "hsv" else colorizer.bins
    palette = read_palette(bins, STORED / f"palettes/{name}.json")
    np.testing.assert_allclose(moments_of(palette), before["moments"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(palette.banned, before["banned"], rtol=0, atol=1e-3)
    assert (palette.tones is not None) == before["tones"]
    if exact:
        assert hash_of_shares(palette) == before["shares"]
