"""Recipes with a model: what they ask of it, and how much of that is reached."""

from dataclasses import replace

import numpy as np
import pytest
from palettes import BINS, PALETTE_JSON, random_palette

from tintype.colorizer import Colorizer
from tintype.errors import PaletteError
from tintype.model import Encoding
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.result import Result


class FakeModel:
    """Keeps what it is asked for, and paints gray."""

    bins, side, threads = BINS, 32, 1
    vividness = 0.4
    vividness_given = 0.2
    fingerprint = "0123456789abcdef"

    def __init__(self):
        self.asked = []

    def encode(self, gray):
        estimate, *others = (random_palette(k) for k in range(5))
        return Encoding([], gray / np.float32(255), estimate, others, estimate)

    def decode(self, encoding, palette, vividness):
        self.asked.append((palette, vividness))
        return np.zeros((*encoding.luma.shape, 2))


@pytest.fixture
def model():
    return FakeModel()


@pytest.fixture
def encoded(model):
    return Colorizer(model).encode(np.full((32, 32), 128, np.uint8))


def ask(model, encoded, recipe=None):
    """The palette and the vividness that a model is asked for."""
    Colorizer(model).decode(encoded, recipe)
    return model.asked[-1]


def test_nothing_chosen_asks_for_the_estimate(model, encoded):
    assert ask(model, encoded) == (encoded.palette, model.vividness)
    assert ask(model, encoded, Recipe()) == (encoded.palette, model.vividness)


@pytest.mark.parametrize("alternative", range(1, 5))
def test_an_alternative_is_the_start(model, encoded, alternative):
    recipe = Recipe(alternative=alternative, vividness=0.9).shift_hue(30)
    wanted, vividness = ask(model, encoded, recipe)
    start = encoded.alternatives[alternative - 1]
    np.testing.assert_array_equal(wanted.shares, start.shift_hue(30).shares)
    assert vividness == 0.9


def test_edits_start_from_the_estimate(model, encoded):
    wanted, _ = ask(model, encoded, Recipe().ban("red"))
    expected = encoded.palette.ban("red")
    np.testing.assert_array_equal(wanted.shares, expected.shares)
    assert wanted.banned == expected.banned


@pytest.mark.parametrize("given", [PALETTE_JSON, Palette.from_json(BINS, PALETTE_JSON)])
def test_a_palette_is_the_start(model, encoded, given):
    recipe = Recipe(palette=given).saturate(0.5)
    wanted, vividness = ask(model, encoded, recipe)
    assert vividness == model.vividness_given
    assert recipe.complete(model).vividness == model.vividness_given
    expected = Palette.from_json(BINS, PALETTE_JSON).saturate(0.5)
    np.testing.assert_array_equal(wanted.shares, expected.shares)


def test_a_palettes_tones_are_saved_and_edited(model, encoded):
    tones = np.random.default_rng(0).random((3, BINS.count))
    about = Palette(BINS, tones.mean(0), tones=tones).to_json()
    recipe = Recipe(palette=about).shift_hue(90)
    saved = Recipe.from_json(recipe.to_json())
    assert saved == recipe
    wanted, _ = ask(model, encoded, saved)
    expected = Palette.from_json(BINS, about).shift_hue(90)
    np.testing.assert_array_equal(wanted.tones, expected.tones)


def test_a_palette_is_saved_with_its_smallest_colors():
    palette = Palette(BINS, np.geomspace(1, 1e-4, BINS.count))
    saved = Recipe.from_json(Recipe(palette).to_json())
    assert len(saved.palette["colors"]) > len(palette.to_json()["colors"]) > 20
    assert Palette.from_json(BINS, saved.palette).distance(palette) < 0.01
    assert Recipe.from_json(saved.to_json()) == saved


def test_a_bad_palette_is_refused_when_used(model, encoded):
    with pytest.raises(PaletteError, match="version"):
        ask(model, encoded, Recipe(palette={"version": 3}))


def test_a_complete_recipe_names_its_model_and_repeats_itself(model, encoded):
    recipe = Recipe().saturate(0.5)
    full = recipe.complete(model)
    assert full == replace(recipe, vividness=model.vividness, model=model.fingerprint)
    assert Colorizer(model).decode(encoded, recipe).recipe == full
    saved = Recipe.from_json(full.to_json())
    assert saved.complete(model) == full
    (one, _), (other, _) = (ask(model, encoded, r) for r in (recipe, saved))
    np.testing.assert_array_equal(one.shares, other.shares)
    assert Recipe(vividness=0.0).complete(model).vividness == 0


# --- what was reached -----------------------------------------------------------------------------


class Answering(Colorizer):
    """What comes out is what was asked for in half of its strength."""

    def decode(self, encoded, recipe=None):
        shown = (recipe or Recipe()).apply(encoded.palette, encoded.alternatives)
        return Result(encoded.photo, np.zeros((2, 1, 1)), shown.saturate(0.5))


def reached(colorizer, encoded, recipe, shown=None):
    """What is reached of a recipe, where a palette comes out, by default what the model gives."""
    result = colorizer.decode(encoded, recipe)
    return recipe.reached(
        colorizer, encoded, result if shown is None else replace(result, palette=shown)
    )


def test_edits_are_measured_on_the_colors_that_come_out_without_them(model, encoded):
    """Not on the estimate, which is broader than any one result."""
    recipe = Recipe(alternative=2).shift_hue(30)
    seen = encoded.alternatives[1].saturate(0.5)
    colorizer = Answering(model)
    assert reached(colorizer, encoded, recipe, seen) == pytest.approx(0)
    assert reached(colorizer, encoded, recipe, seen.shift_hue(30)) == pytest.approx(1)
    far = Recipe(alternative=2).saturate(2)
    assert reached(colorizer, encoded, far, seen.saturate(2)) == pytest.approx(1)


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(alternative=2), Recipe(vividness=1)])
def test_where_no_palette_is_asked_for_none_is_reached(model, encoded, recipe):
    assert reached(Answering(model), encoded, recipe) is None


def test_a_quarter_towards_a_color_means_half_of_all_colors(model, encoded):
    """Though the model is asked for less, because it follows the first percents most."""
    recipe, colorizer = Recipe().towards("blue", 0.25), Answering(model)
    seen = encoded.palette.saturate(0.5)
    assert reached(colorizer, encoded, recipe, seen.towards("blue", 0.5)) == pytest.approx(1)
    assert reached(colorizer, encoded, recipe, seen.towards("blue", 0.25)) < 0.9
    wanted, _ = ask(model, encoded, recipe)
    np.testing.assert_array_equal(wanted.shares, encoded.palette.towards("blue", 0.25).shares)
    assert Recipe().towards("blue") == recipe


def test_a_quarter_towards_gray_means_a_quarter_of_all_colors(model, encoded):
    recipe, colorizer = Recipe().towards("gray", 0.25), Answering(model)
    seen = encoded.palette.saturate(0.5)
    assert reached(colorizer, encoded, recipe, seen) == pytest.approx(0)
    assert reached(colorizer, encoded, recipe, seen.towards("gray", 0.25)) == pytest.approx(1)
    assert reached(colorizer, encoded, recipe, seen.towards("gray", 0.5)) < 0.1  # too far
    assert reached(colorizer, encoded, Recipe().towards("black", 1)) == pytest.approx(1)


def test_a_ban_of_gray_is_reached_as_far_as_no_gray_is_left(model, encoded):
    seen = encoded.palette.saturate(0.5)
    colorizer, recipe = Answering(model), Recipe().ban("gray")
    assert reached(colorizer, encoded, recipe, seen) == pytest.approx(0)
    assert reached(colorizer, encoded, recipe, seen.ban("gray")) == pytest.approx(1)
    half = seen.blend(seen.ban("gray"), 0.5)
    assert 0.2 < reached(colorizer, encoded, recipe, half) < 0.8


def test_a_palette_that_is_given_is_itself_the_aim(model, encoded):
    recipe, colorizer = Recipe(PALETTE_JSON).saturate(0.5), Answering(model)
    aim = Palette.from_json(BINS, PALETTE_JSON).saturate(0.5)
    automatic = encoded.palette.saturate(0.5)
    assert reached(colorizer, encoded, recipe, aim) == pytest.approx(1)
    assert reached(colorizer, encoded, recipe, automatic) == pytest.approx(0)


def test_a_ban_that_is_kept_is_reached_whatever_comes_instead(model, encoded):
    instead = replace(encoded.palette.towards("blue", 0.8).ban("red"), banned=())
    assert reached(Answering(model), encoded, Recipe().ban("red"), instead) == pytest.approx(1)


def test_a_ban_that_is_not_kept_is_not_reached(model, encoded):
    seen = encoded.palette.saturate(0.5)
    assert reached(Answering(model), encoded, Recipe().ban("red"), seen) == pytest.approx(0)


def test_an_albums_palette_stands_for_the_estimate(model, encoded):
    album = replace(encoded, palette=random_palette(9))
    assert ask(model, album) == (album.palette, model.vividness)
    recipe, colorizer = Recipe().shift_hue(40), Answering(model)
    wanted, _ = ask(model, album, recipe)
    np.testing.assert_array_equal(wanted.shares, album.palette.shift_hue(40).shares)
    seen = album.palette.saturate(0.5)
    assert reached(colorizer, album, recipe, seen.shift_hue(40)) == pytest.approx(1)
