"""Recipes: read back as written, refused in one line, edits done in their order."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palettes import PALETTE_JSON, random_palette

from tintype.edits import EDITS, Towards, apply_edits, read_edit
from tintype.errors import PaletteError
from tintype.recipe import Recipe

PARTS = st.floats(0, 1)
COLORS = st.sampled_from(["red", "#ffe0c0", "hue:200", "navy", "gray", "#fff"])
ONE_EDIT = st.one_of(
    st.fixed_dictionaries({"towards": COLORS, "amount": PARTS}),
    st.fixed_dictionaries({"shift_hue": st.floats(-360, 360)}),
    st.fixed_dictionaries({"saturation": st.floats(0, 3)}),
    st.fixed_dictionaries({"boost": COLORS, "share": PARTS}),
    st.fixed_dictionaries({"ban": COLORS}),
    st.fixed_dictionaries(
        {
            "recolor": st.lists(
                st.fixed_dictionaries({"from": COLORS, "to": COLORS, "scale": PARTS}), min_size=1
            )
        }
    ),
).map(read_edit)
SOME_EDITS = st.lists(ONE_EDIT, max_size=5).map(tuple)
START = st.one_of(
    st.fixed_dictionaries({}, optional={"palette": st.just(PALETTE_JSON)}),
    st.fixed_dictionaries({"alternative": st.integers(0, 4)}),
)


# --- JSON -----------------------------------------------------------------------------------------


@given(START, SOME_EDITS, st.none() | PARTS, st.none() | st.text())
@settings(max_examples=40)
def test_json_brings_a_recipe_back(start, edits, vividness, model):
    recipe = Recipe(**start, edits=edits, vividness=vividness, model=model)
    text = recipe.to_json()
    assert json.loads(text)["version"] == 2
    assert Recipe.from_json(text) == Recipe.from_json(text.encode()) == recipe
    assert Recipe.from_json(json.loads(text)) == recipe


@given(SOME_EDITS)
@settings(max_examples=40)
def test_in_version_1_the_square_of_an_amount_moves(edits):
    about = [edit.to_json() for edit in edits]
    squared = [one | {"amount": one["amount"] ** 2} if "towards" in one else one for one in about]
    old = Recipe.from_json({"version": 1, "edits": about})
    assert old == Recipe.from_json({"version": 2, "edits": squared})
    assert Recipe.from_json(old.to_json()) == old


def test_a_short_recipe_has_defaults():
    assert Recipe.from_json('{"version": 1}') == Recipe()
    short = Recipe.from_json('{"version": 1, "edits": [{"ban": "red"}], "vividness": 1}')
    assert short == Recipe(vividness=1).ban("red")


def test_a_file_is_read(tmp_path):
    recipe = Recipe(alternative=2).saturate(0.5)
    recipe.save(tmp_path / "blau ü.json")
    assert Recipe.load(tmp_path / "blau ü.json") == recipe
    with pytest.raises(PaletteError, match=r"blau ü\.json: expected to write a recipe"):
        Recipe().save(tmp_path / "blau ü.json")
    assert Recipe.load(tmp_path / "blau ü.json") == recipe
    Recipe().save(tmp_path / "blau ü.json", overwrite=True)
    assert Recipe.load(tmp_path / "blau ü.json") == Recipe()


def test_files_that_are_no_recipes_are_named_in_one_line(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    for name in ("bad.json", "missing.json", "."):
        with pytest.raises(PaletteError) as error:
            Recipe.load(tmp_path / name)
        assert str(error.value).startswith(f"{tmp_path / name}: expected a recipe")
        assert len(str(error.value).splitlines()) == 1


def of_edit(edit):
    return '{"version": 1, "edits": [' + edit + "]}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "red",
        b"\xff",
        "[" * 100_000,
        of_edit("[" * 5000 + "]" * 5000),
        "null",
        "[]",
        "{}",
        '{"edits": []}',
        '{"version": 3}',
        '{"version": 0}',
        '{"version": true}',
        '{"version": 2.0}',
        '{"version": null}',
        '{"version": 1, "seed": 5}',
        '{"version": 1, "two\\nlines": 5}',
        '{"version": 1, "palette": "red"}',
        '{"version": 1, "palette": []}',
        '{"version": 1, "palette": {}, "alternative": 1}',
        *[
            f'{{"version": 1, "alternative": {value}}}'
            for value in ("-1", "5", "1.0", '"1"', "null", "true", "[]")
        ],
        *[
            f'{{"version": 1, "vividness": {value}}}'
            for value in ('"1"', "true", "[]", "{}", "2", "-0.1", "NaN", "1" * 400)
        ],
        '{"version": 1, "model": 5}',
        '{"version": 1, "edits": null}',
        '{"version": 1, "edits": {}}',
        '{"version": 1, "edits": "ban"}',
        *map(
            of_edit,
            [
                "null",
                "1",
                '"ban"',
                "[]",
                "{}",
                '{"paint": "red"}',
                '{"towards": "red"}',
                '{"amount": 0.5}',
                '{"boost": "red"}',
                '{"boost": "red", "amount": 0.5}',
                '{"ban": "red", "boost": "blue"}',
                '{"ban": "red", "two\\nlines": 1}',
                '{"shift_hue": 5, "amount": 1}',
            ],
        ),
    ],
    ids=lambda text: repr(text[:70]),
)
def test_json_of_another_kind_is_refused_in_one_line(text):
    with pytest.raises(PaletteError) as error:
        Recipe.from_json(text)
    assert str(error.value).startswith("expected ")
    assert ", found " in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("alternative", range(5))
def test_alternatives_from_0_to_4(alternative):
    assert Recipe(alternative=alternative).alternative == alternative


@pytest.mark.parametrize("alternative", [-1, 5, 2.5, None, "1"])
def test_no_other_alternative(alternative):
    with pytest.raises(PaletteError, match=r"^expected an alternative from 0 to 4, found .*$"):
        Recipe(alternative=alternative)


def test_a_recipe_starts_from_one_palette():
    with pytest.raises(PaletteError, match="found both"):
        Recipe(palette=PALETTE_JSON, alternative=1)


# --- edits ----------------------------------------------------------------------------------------


def test_edits_are_the_methods_of_a_palette_in_their_order():
    changes, start = [{"from": "red", "to": "blue", "scale": 2}], random_palette(0)

    def edit(value):
        value = value.towards("red", 0.3).shift_hue(40).saturate(1.5).recolor(changes)
        return value.boost("teal", 0.2).ban("lime")

    recipe, expected = edit(Recipe()), edit(start)
    assert [type(edit) for edit in recipe.edits] == list(EDITS)
    got = recipe.apply(start)
    np.testing.assert_array_equal(got.shares, expected.shares)
    assert got.banned == expected.banned
    backwards = apply_edits(start, recipe.edits[::-1])
    assert backwards.distance(expected) > 0.01


def test_fields_of_an_edit_may_stand_in_any_order():
    for about in ({"towards": "red", "amount": 0.3}, {"amount": 0.3, "towards": "red"}):
        assert read_edit(about) == Towards("red", 0.3)


@given(SOME_EDITS, SOME_EDITS)
@settings(max_examples=40)
def test_edits_can_be_done_in_two_parts(first, second):
    whole = apply_edits(random_palette(0), first + second)
    parts = apply_edits(apply_edits(random_palette(0), first), second)
    np.testing.assert_array_equal(whole.shares, parts.shares)
    assert whole.banned == parts.banned


def test_pixels_are_shares_of_a_photo_and_mean_their_middle():
    recipe = Recipe().at("0px", 0.3, "tan").ban("red").at("7px", "2px", "gray", 0.5)
    expected = Recipe().at(0.05, 0.3, "tan").ban("red").at(0.75, 0.625, "gray", 0.5)
    assert recipe.locate((10, 4)) == expected
    assert expected.locate((300, 200)) == expected
    with pytest.raises(PaletteError, match="a place on the photo of 7 x 4 pixels, found 7px,2px"):
        recipe.locate((7, 4))


def test_no_edits_are_no_change():
    start = random_palette(0)
    assert apply_edits(start, ()) is start


@pytest.mark.parametrize(
    "edit",
    [
        *[
            f'{{"{name}": {value}}}'
            for name in ("shift_hue", "saturation")
            for value in ('"90"', '"x\\n"', "null", "NaN", "Infinity", "[1]", "[1, 2]", "{}")
        ],
        '{"saturation": ' + "1" * 400 + "}",
        '{"shift_hue": ' + "1" * 400 + "}",
        '{"saturation": -1}',
        *[
            f'{{"towards": "red", "amount": {value}}}'
            for value in ('"1"', "null", "NaN", "[1]", "2", "-1", "1" * 400)
        ],
        *[
            f'{{"boost": "red", "share": {value}}}'
            for value in ('"1"', "null", "NaN", "{}", "2", "-1", "1" * 400)
        ],
        '{"towards": "reddish", "amount": 0.5}',
        '{"towards": 5, "amount": 0.5}',
        '{"boost": null, "share": 0.5}',
        '{"boost": "red\\nblue", "share": 0.5}',
        '{"ban": 5}',
        '{"ban": null}',
        '{"ban": ["red"]}',
        *[
            f'{{"recolor": {value}}}'
            for value in (
                "5",
                "null",
                "[]",
                "[1]",
                "{}",
                '[{"from": "red", "to": "blue"}]',
                '[{"from": "red", "to": 5, "scale": 1}]',
                '[{"from": "red", "to": "blue", "scale": -1}]',
                '[{"from": "red", "to": "blue", "scale": 101}]',
                '[{"from": "red", "to": "blue", "scale": "1"}]',
            )
        ],
    ],
    ids=lambda edit: edit[:50],
)
def test_edits_with_other_values_are_refused_in_one_line(edit):
    recipe = Recipe.from_json(of_edit(edit))  # of both versions alike
    with pytest.raises(PaletteError) as error:
        apply_edits(random_palette(0), recipe.edits)
    assert str(error.value).startswith("expected ")
    assert len(str(error.value).splitlines()) == 1
