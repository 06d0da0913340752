"""A result says what it is, by XMP that others read, and holds the recipe that makes it again."""

import io
import json
from pathlib import Path

import numpy as np
import pyexiv2
import pytest
from click.testing import CliRunner
from PIL import Image
from skimage import data

import tintype
from tintype import photo, welsh2002
from tintype.cli import cli
from tintype.formats.decode import find_recipe
from tintype.metadata import Provenance
from tintype.recipe import Recipe

from . import rich

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ALGORITHMIC = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
TYPE, TOOL = "Xmp.iptcExt.DigitalSourceType", "Xmp.xmp.CreatorTool"
CAT = Image.fromarray(data.chelsea()[:96, :128]).convert("L")
RECIPE = Recipe().shift_hue(60).ban("green")


@pytest.fixture(scope="module")
def result(colorizer: tintype.Colorizer) -> tintype.Result:
    return colorizer.colorize(CAT, RECIPE)


def save(result: tintype.Result, format: str, **options: bool) -> bytes:
    buffer = io.BytesIO()
    result.save(buffer, format=format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", rich.FORMATS)
def test_a_result_says_what_it_is_in_every_format(result: tintype.Result, format: str) -> None:
    found = rich.list_tags(save(result, format))
    assert found[TYPE] == TRAINED
    assert found[TOOL] == f"Tintype {tintype.__version__}"
    recipe = find_recipe(save(result, format))
    assert recipe is not None
    assert Recipe.from_json(recipe) == result.recipe
    assert json.loads(recipe)["model"]


@pytest.mark.parametrize("format", rich.FORMATS)
def test_it_says_nothing_where_that_is_not_wanted(result: tintype.Result, format: str) -> None:
    for options in ({"provenance": False}, {"strip_metadata": True}):
        written = save(result, format, **options)
        assert not any(name.startswith("Xmp") for name in rich.list_tags(written))
        assert b"intype" not in written
        assert find_recipe(written) is None


def test_pixels_are_the_same_with_and_without(result: tintype.Result) -> None:
    with_, without = (save(result, "JPEG", provenance=choice) for choice in (True, False))
    np.testing.assert_array_equal(photo.read_rgb(with_), photo.read_rgb(without))


def test_what_has_no_model_claims_none(astronaut: np.ndarray) -> None:
    result = welsh2002.colorize(astronaut[:64, :64], data.coffee()[:64, :64])
    found = rich.list_tags(save(result, "JPEG"))
    assert found[TYPE] == ALGORITHMIC
    assert find_recipe(save(result, "JPEG")) is None


@pytest.mark.parametrize("format", rich.FORMATS)
def test_what_others_said_is_kept_beside(format: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    CAT.save(path)
    with pyexiv2.Image(str(path)) as image:
        negative = "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm"
        image.modify_xmp({TOOL: "SilverFast", TYPE: negative, "Xmp.photoshop.City": "Paris"})
    stamp = Provenance(RECIPE.to_json())
    like = photo.read(path)
    for _ in range(2):  # colored again, the first words are still there
        buffer = io.BytesIO()
        photo.write(CAT.convert("RGB"), buffer, like=like, format=format, provenance=stamp)
        like = photo.read(buffer)
        found = rich.list_tags(buffer.getvalue())
        assert (found["Xmp.photoshop.City"], found[TYPE]) == ("Paris", TRAINED)
        assert b"SilverFast" in buffer.getvalue()
        assert negative.encode() in buffer.getvalue()


def test_a_recipe_that_outgrows_a_segment_is_found() -> None:
    like = photo.read(CAT)
    long = Recipe(edits=tuple(Recipe().ban(f"hue:{i / 100}").edits[0] for i in range(6000)))
    buffer = io.BytesIO()
    photo.write(
        CAT.convert("RGB"), buffer, like=like, format="JPEG", provenance=Provenance(long.to_json())
    )
    found = find_recipe(buffer.getvalue())
    assert found is not None
    assert Recipe.from_json(found) == long


def colorize(*arguments: object) -> int:
    return CliRunner().invoke(cli, ["colorize", *map(str, arguments)]).exit_code


@pytest.mark.parametrize("suffix", rich.FORMATS.values())
def test_a_picture_replays_itself(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / "cat.png"
    CAT.save(source)
    first, again, plain = (tmp_path / f"{name}{suffix}" for name in ("first", "again", "plain"))
    assert colorize(source, "-o", first, "--towards", "red") == 0
    assert colorize(source, "-o", again, "--recipe", first) == 0
    assert again.read_bytes() == first.read_bytes()
    assert colorize(source, "-o", plain, "--no-provenance") == 0
    assert find_recipe(plain.read_bytes()) is None
    assert colorize(source, "-o", tmp_path / f"other{suffix}", "--recipe", plain) == 1


def test_a_recipe_in_a_picture_is_not_overwritten(tmp_path: Path) -> None:
    source, first = tmp_path / "cat.png", tmp_path / "first.jpg"
    CAT.save(source)
    assert colorize(source, "-o", first) == 0
    before = first.read_bytes()
    assert colorize(source, "-o", first, "--recipe", first, "--overwrite") == 2
    assert first.read_bytes() == before


ODD = [b"", b"\x00nothing", b"\xff\xd8\xff\xe1\x00\x04ab", b"[]", b"II*\0"]


@pytest.mark.parametrize("content", ODD)
def test_other_files_are_refused_as_recipes_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(tintype.PaletteError, match="odd: expected a recipe") as caught:
        Recipe.load(path)
    assert "\n" not in str(caught.value)
