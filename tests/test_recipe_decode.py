"""Recipes with a model: what they ask of it, and how much of that is reached."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from palettes import BINS, PALETTE_JSON, random_palette

from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.result import Result


@dataclass(frozen=True)
class Answer:
    """What was asked for; it comes out in half of its strength."""

    encoded: object
    wanted: Palette | None
    vividness: float | None
    aim: Callable[[], Palette | None] | None = None
    automatic: Callable[[], Palette] | None = None

    @property
    def palette(self):
        return (self.wanted or self.encoded.palette).saturate(0.5)


class FakeColorizer:
    """Reads palettes, and answers a decoding with what was asked for."""

    vividness = 0.4
    vividness_given = 0.2
    fingerprint = "0123456789abcdef"

    def palette(self, about):
        return Palette.from_json(BINS, about)

    def decode(self, encoded, palette=None, *, vividness):
        return Answer(encoded, palette, vividness)


@pytest.fixture(scope="module")
def encoded():
    """What a recipe needs of an encoded photo."""
    return SimpleNamespace(
        palette=random_palette(0), alternatives=[random_palette(k) for k in range(1, 5)]
    )


def test_nothing_chosen_asks_for_nothing(encoded):
    result = Recipe().decode(FakeColorizer(), encoded)
    assert result.wanted is None
    assert result.vividness == FakeColorizer.vividness
    assert result.encoded is encoded


@pytest.mark.parametrize("alternative", range(1, 5))
def test_an_alternative_is_the_start(encoded, alternative):
    recipe = Recipe(alternative=alternative, edits=({"shift_hue": 30},), vividness=0.9)
    result = recipe.decode(FakeColorizer(), encoded)
    start = encoded.alternatives[alternative - 1]
    np.testing.assert_array_equal(result.wanted.shares, start.shift_hue(30).shares)
    assert result.vividness == 0.9


def test_edits_start_from_the_estimate(encoded):
    wanted = Recipe(edits=({"ban": "red"},)).decode(FakeColorizer(), encoded).wanted
    expected = encoded.palette.ban("red")
    np.testing.assert_array_equal(wanted.shares, expected.shares)
    assert wanted.banned == expected.banned


def test_a_palette_is_the_start(encoded):
    recipe = Recipe(palette=PALETTE_JSON, edits=({"saturation": 0.5},))
    result = recipe.decode(FakeColorizer(), encoded)
    wanted = result.wanted
    assert result.aim is None  # the palette that was asked for
    assert result.vividness == FakeColorizer.vividness_given
    assert recipe.complete(FakeColorizer()).vividness == FakeColorizer.vividness_given
    expected = Palette.from_json(BINS, PALETTE_JSON).saturate(0.5)
    np.testing.assert_array_equal(wanted.shares, expected.shares)


def test_a_palettes_tones_are_saved_and_edited(encoded):
    tones = np.random.default_rng(0).random((3, BINS.count))
    about = Palette(BINS, tones.mean(0), tones=tones).to_json()
    recipe = Recipe(palette=about, edits=({"shift_hue": 90},))
    saved = Recipe.from_json(recipe.to_json())
    assert saved == recipe
    wanted = saved.decode(FakeColorizer(), encoded).wanted
    expected = Palette.from_json(BINS, about).shift_hue(90)
    np.testing.assert_array_equal(wanted.tones, expected.tones)


def test_a_bad_palette_is_refused_when_used(encoded):
    with pytest.raises(PaletteError, match="version"):
        Recipe(palette={"version": 3}).decode(FakeColorizer(), encoded)


def test_a_complete_recipe_names_its_model_and_repeats_itself(encoded):
    recipe = Recipe(edits=({"saturation": 0.5},))
    full = recipe.complete(FakeColorizer())
    assert full == Recipe(
        edits=recipe.edits, vividness=FakeColorizer.vividness, model=FakeColorizer.fingerprint
    )
    saved = Recipe.from_json(full.to_json())
    assert saved.complete(FakeColorizer()) == full
    one, other = (r.decode(FakeColorizer(), encoded).wanted for r in (recipe, saved))
    np.testing.assert_array_equal(one.shares, other.shares)
    assert Recipe(vividness=0.0).complete(FakeColorizer()).vividness == 0


def test_edits_are_measured_on_the_colors_that_come_out_without_them(encoded):
    """Not on the estimate, which is broader than any one result."""
    recipe = Recipe(alternative=2, edits=({"shift_hue": 30},))
    result = recipe.decode(FakeColorizer(), encoded)
    seen = encoded.alternatives[1].saturate(0.5)
    np.testing.assert_allclose(result.automatic().shares, seen.shares)
    np.testing.assert_allclose(result.aim().shares, seen.shift_hue(30).shares)


def test_an_alternative_alone_is_no_wish(encoded):
    assert Recipe(alternative=2).decode(FakeColorizer(), encoded).aim() is None


def test_half_towards_a_color_means_half_of_all_colors(encoded):
    """Though the model is asked for less, because it follows the first percents most."""
    half = Recipe(edits=({"towards": "blue", "amount": 0.5},)).decode(FakeColorizer(), encoded)
    expected = encoded.palette.saturate(0.5).towards("blue", 0.5**0.5)
    np.testing.assert_allclose(half.aim().shares, expected.shares)
    asked = encoded.palette.towards("blue", 0.5)
    np.testing.assert_array_equal(half.wanted.shares, asked.shares)


class Obedient(FakeColorizer):
    """Bans are kept; what comes instead is not what the rest of the palette would say."""

    def decode(self, encoded, palette=None, **_):
        start = encoded.palette if palette is None else palette
        instead = encoded.palette.towards("blue", 0.9).ban("red")
        shown = replace(instead if start.banned else start, banned=())
        return Result(None, None, shown, palette, lambda: encoded.palette)


def test_a_ban_that_is_kept_is_reached_whatever_comes_instead(encoded):
    assert Recipe(edits=({"ban": "red"},)).decode(Obedient(), encoded).reached == pytest.approx(1)


def test_a_ban_that_is_not_kept_is_not_reached(encoded):
    class Deaf(FakeColorizer):
        def decode(self, encoded, palette=None, **_):
            return Result(None, None, encoded.palette, palette, lambda: encoded.palette)

    assert Recipe(edits=({"ban": "red"},)).decode(Deaf(), encoded).reached == pytest.approx(0)
