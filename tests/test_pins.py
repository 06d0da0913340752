"""Pins as values: what they take, and how recipes hold them."""

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from palettes import random_palette
from PIL import Image

from tintype.errors import PaletteError
from tintype.pins import KEEP, MASK_PIXELS, At, Mask, Protect, chroma_of_pin, read_mask, write_mask
from tintype.recipe import Recipe

SHARES = st.floats(0, 1)


@given(SHARES, SHARES, st.sampled_from(["navy", "#2f55c8", "gray", KEEP]), st.none() | SHARES)
def test_a_recipe_holds_pins(x, y, color, reach):
    recipe = Recipe().towards("red").at(x, y, color, reach).ban("blue")
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.pins == (At((x, y), color, reach),)
    assert [edit.KEYS[0] for edit in again.without_pins.edits] == ["towards", "ban"]


def test_a_pin_in_json_is_as_people_write_it():
    text = '{"version": 2, "edits": [{"at": [0.25, "640px"], "color": "#2f55c8"}]}'
    (pin,) = Recipe.from_json(text).pins
    assert pin == At((0.25, "640px"), "#2f55c8")
    written = json.loads(Recipe().at(0.25, "640px", "#2f55c8").to_json())
    assert written["edits"] == [{"at": [0.25, "640px"], "color": "#2f55c8"}]
    assert json.loads(Recipe().at(0, 1, "red", 0.5).to_json())["edits"][0]["reach"] == 0.5


def test_pins_leave_the_palette_alone():
    palette = random_palette(1)
    assert Recipe().at(0.5, 0.5, "red").apply(palette) is palette


@pytest.mark.parametrize(
    "place",
    [(1.1, 0.5), (-0.1, 0), (0.5,), (0.5, 0.5, 0.5), "0.5", ("5", 0.5), ("-5px", 0), None,
     (True, 0.5), (float("nan"), 0.5), ("1e3px", 0), (10**400, 0.5)],
)  # fmt: skip
def test_places_off_the_photo_are_refused(place):
    with pytest.raises(PaletteError, match="expected a place X,Y on the photo"):
        At(place, "red")


@pytest.mark.parametrize("reach", [-0.1, 1.1, "far", True, float("nan"), 10**400])
def test_reach_is_a_share(reach):
    with pytest.raises(PaletteError, match="expected a reach between 0 and 1"):
        At((0.5, 0.5), "red", reach)


def test_colors_are_those_of_elsewhere():
    with pytest.raises(PaletteError, match="expected a CSS color name"):
        At((0.5, 0.5), "bleu")
    with pytest.raises(PaletteError, match="expected an edit"):
        Recipe.from_json({"version": 2, "edits": [{"at": [0.5, 0.5]}]})
    with pytest.raises(PaletteError, match="expected an edit"):
        Recipe.from_json({"version": 2, "edits": [{"at": [0, 0], "color": "red", "far": 1}]})


def test_gray_and_keep_have_no_chroma_and_a_hue_a_moderate_one():
    assert not chroma_of_pin("gray").any()
    assert not chroma_of_pin("#7f8080").any()
    assert not chroma_of_pin(KEEP).any()
    assert np.hypot(*chroma_of_pin("hue:240")) == pytest.approx(0.1)
    red, hue = chroma_of_pin("red"), chroma_of_pin("hue:0")
    assert np.hypot(*red) == pytest.approx(0.2577, abs=1e-3)  # Ottosson's value for sRGB red
    assert red / np.hypot(*red) == pytest.approx(hue / 0.1)


@pytest.mark.parametrize(
    ("place", "found"),
    [((0.25, 1), (0.25, 1)), (("0px", "99px"), (0.5 / 200, 99.5 / 100)), ((0, "50px"), (0, 0.505))],
)
def test_pixels_are_places(place, found):
    assert At(place, "red").locate((200, 100)) == pytest.approx(found)


def test_pixels_outside_are_refused_when_the_photo_is_known():
    with pytest.raises(PaletteError, match="on the photo of 200 x 100 pixels, found 200px,0px"):
        At(("200px", "0px"), "red").locate((200, 100))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_masks_come_back_as_they_went(wide, high, seed):
    plane = np.random.default_rng(seed).integers(0, 256, (high, wide), np.uint8)
    plane[0, 0] = 255
    assert (read_mask(write_mask(Image.fromarray(plane))) * 255 == plane).all()


def test_large_masks_are_made_smaller_by_means():
    plane = np.zeros((1000, 2000), np.uint8)
    plane[:, 1000:] = 255
    small = read_mask(write_mask(Image.fromarray(plane)))
    assert small.size <= MASK_PIXELS
    assert small.shape[1] / small.shape[0] == pytest.approx(2, abs=0.01)
    assert small.mean() == pytest.approx(0.5, abs=0.01)


def test_what_is_no_mask_is_refused():
    def png(image: Image.Image) -> str:
        file = io.BytesIO()
        image.save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()

    whole = png(Image.new("L", (8, 8), 255))
    wrong = ["", "?", whole[:40], png(Image.new("RGB", (8, 8))), png(Image.new("L", (513, 513)))]
    for text in [*wrong, 5]:
        with pytest.raises(PaletteError, match="expected a mask as a gray PNG"):
            Mask(text, "red")
        with pytest.raises(PaletteError, match="expected a mask as a gray PNG"):
            Protect(text)
    with pytest.raises(PaletteError, match="found all black"):
        write_mask(Image.new("L", (8, 8)))


def test_masks_travel_in_recipes():
    white = Image.new("L", (8, 8), 255)
    recipe = Recipe().mask(white, "teal").protect(white)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert [type(pin) for pin in recipe.pins] == [Mask, Protect]


def test_a_mask_is_a_picture_of_any_kind():
    """What is transparent is black, and 16 bits are as wide as 8."""
    plane = np.zeros((8, 8), np.uint8)
    plane[2:5, 3:6] = 255
    white = Image.new("L", (8, 8), 255)
    shape = Image.merge("RGBA", [white, white, white, Image.fromarray(plane)])
    deep = Image.fromarray(plane.astype(np.uint16) * 257)
    own = write_mask(Image.fromarray(plane))
    assert write_mask(shape) == write_mask(deep) == write_mask(plane) == own


def test_a_recipe_has_so_many_pins_and_masks():
    many = Recipe()
    for k in range(64):
        many = many.at(k / 64, 0.5, "red")
    with pytest.raises(PaletteError, match="at most 64 pins and 16 masks, found 65 and 0"):
        many.at(1, 1, "red")
    white = Image.new("L", (8, 8), 255)
    few = Recipe()
    for _ in range(16):
        few = few.protect(white)
    with pytest.raises(PaletteError, match="found 0 and 17"):
        few.mask(white, "red")
