"""Recipes and palettes of version 1 mean what they meant at the commit which wrote them.

`same_as_before/` holds recipes and palettes as commit 8451702 wrote them, and
`same_as_before.json` the palettes that its model estimated for three photos, and what each recipe
made of them there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.bins import OKLAB, Bins
from tintype.palette import Palette
from tintype.recipe import Recipe

HERE = Path(__file__).parent
STORED = HERE / "same_as_before"
BEFORE: dict[str, Any] = json.loads((HERE / "same_as_before.json").read_text())
PHOTOS = sorted(BEFORE["photos"])
RECIPES = sorted(path.stem for path in (STORED / "recipes").glob("*.json"))
PALETTES = sorted(path.stem for path in (STORED / "palettes").glob("*.json"))
HSV = Bins(16, (0.1, 0.3, 0.6, 1.0), "hsv")  # a plane of another model than the bundled one


def moments_of(palette: Palette) -> list[float]:
    """What is neutral, the mean chroma (2,) and the mean of its squares, of a palette."""
    centers = palette.bins.centers.astype(np.float64)
    mean = palette.shares @ centers
    spread = palette.shares @ (centers**2).sum(axis=1)
    return [float(value) for value in (palette.shares[0], *mean, spread)]


def test_everything_stored_is_compared() -> None:
    assert sorted(BEFORE["recipes"]) == RECIPES
    assert sorted(BEFORE["palettes"]) == PALETTES
    assert len(RECIPES) >= 14


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_asks_for_the_same_palette(name: str, photo: str) -> None:
    estimate, *others = (Palette(OKLAB, np.array(shares)) for shares in BEFORE["photos"][photo])
    target = Recipe.load(STORED / f"recipes/{name}.json").apply(estimate, others)
    expected = BEFORE["recipes"][name][photo]
    np.testing.assert_allclose(moments_of(target), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("bins", [OKLAB, HSV], ids=["model", "hsv"])
@pytest.mark.parametrize("name", PALETTES)
def test_a_palette_means_the_same(name: str, bins: Bins) -> None:
    before = BEFORE["palettes"][name]["hsv" if bins == HSV else "model"]
    palette = Palette.from_json(bins, (STORED / f"palettes/{name}.json").read_bytes())
    np.testing.assert_allclose(moments_of(palette), before["moments"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(palette.banned, before["banned"], rtol=0, atol=1e-3)
    assert (palette.tones is not None) == before["tones"]
