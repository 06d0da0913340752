"""The palette's arithmetic in JavaScript is Python's, on thousands of random palettes and edits."""

import json
from itertools import pairwise

import numpy as np
import pytest

from server.engine.conftest import load, pack
from tintype.bins import chroma_of, has_hue, hex_at, hue_of, rgb_of
from tintype.edits import apply_edits, read_edit
from tintype.errors import PaletteError
from tintype.outcomes import measure_outcomes
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.server.service import _groups

CLOSE = 1e-4


def attempt(do):
    """What comes out, or in which words it is refused."""
    try:
        return do()
    except PaletteError as error:
        return str(error)


def check_palettes(found, right, task):
    assert np.abs(np.subtract(found["shares"], right.shares)).max() < CLOSE, task
    assert found["bansGray"] == right.bans_gray, task
    assert np.allclose(found["banned"], right.banned, atol=CLOSE), task
    assert (found["tones"] is None) == (right.tones is None), task
    if right.tones is not None:
        assert np.abs(np.subtract(found["tones"], right.tones)).max() < CLOSE, task


def check_lists(found, right, task):
    """Colors that differ by a last bit may change places, so they are looked up by name."""
    shares = {one["color"]: one["share"] for one in right["colors"]}
    assert {one["color"] for one in found["colors"]} == shares.keys(), task
    assert all(abs(one["share"] - shares[one["color"]]) < 2 * CLOSE for one in found["colors"])
    assert abs(found["neutral"] - right["neutral"]) < 2 * CLOSE, task


def test_colors_are_the_same(ask, make):
    words = ["Rebecca", "", "#12", "hue:x", "rgb(300,0,0)", "rgb(10%,20%,30%)", "rgb(1,2,3)"]
    colors = [make.color() for _ in range(800)] + words
    angles = [make.random.normal(0, 0.15, 2).tolist() for _ in range(100)]
    answers = ask([["color", c] for c in colors] + [["hex", ab] for ab in angles])
    for color, answer in zip(colors, answers, strict=False):
        right = attempt(lambda color=color: rgb_of(color))
        if isinstance(right, str):
            assert answer == {"refused": right}
            continue
        assert answer["rgb"] == list(right), color
        assert np.allclose(answer["chroma"], chroma_of(color), atol=1e-9), color
        if has_hue(color):
            assert answer["hue"] == pytest.approx(hue_of(color), abs=1e-6), color
    assert answers[len(colors) :] == [hex_at(np.array(ab), "oklab") for ab in angles]


def test_palettes_are_the_same(ask, make):
    palettes = []
    while len(palettes) < 150:
        try:
            palettes.append(make.palette())
        except PaletteError:
            continue
    for one, answer in zip(palettes, ask([["palette", pack(p)] for p in palettes]), strict=True):
        check_palettes(answer["own"], one, one)
        assert answer["forbidden"] == one.forbidden.tolist()
        for name, right in (("json", one.to_json()), ("fine", one.to_json(fine=True))):
            check_lists(answer[name], right, right)
            assert answer[name].get("banned") == right.get("banned")
            assert answer[name].get("tones", {}).keys() == right.get("tones", {}).keys()
        again = attempt(lambda one=one: Palette.from_json(one.bins, one.to_json(fine=True)))
        if isinstance(again, str):
            assert answer["again"] == {"refused": again}
        else:
            check_palettes(answer["again"], again, one)
        groups = {group.color: group.share for group in _groups(one)}
        assert {group["color"] for group in answer["groups"]} == groups.keys()
        assert all(abs(g["share"] - groups[g["color"]]) < CLOSE for g in answer["groups"])


def test_edits_are_the_same(ask, make):
    tasks, right = [], []
    while len(tasks) < 1200:
        try:
            one = make.palette()
        except PaletteError:
            continue
        edits = make.edits()
        tasks.append(["edits", {"palette": pack(one), "list": edits}])
        right.append(attempt(lambda p=one, e=edits: apply_edits(p, tuple(map(read_edit, e)))))
    for (_, task), answer, one in zip(tasks, ask(tasks), right, strict=True):
        if isinstance(one, str):
            assert answer == {"refused": one}, task["list"]
        else:
            check_palettes(answer, one, task["list"])


def test_distances_and_counts_are_the_same(ask, make):
    plain = [Palette(make.bins, make.shares()) for _ in range(21)]
    pairs = list(pairwise(plain))
    ab = make.random.normal(0, 0.1, (50, 2))
    luma = make.random.random(50)
    tasks = [["distance", [pack(a), pack(b)]] for a, b in pairs]
    *far, counted = ask([*tasks, ["chroma", {"ab": ab.ravel().tolist(), "luma": luma.tolist()}]])
    assert np.abs(np.subtract(far, [a.distance(b) for a, b in pairs])).max() < CLOSE
    check_palettes(counted, Palette.of_chroma(make.bins, ab, luma), ab)


class Photo:
    """What a recipe asks of an encoded photo and of a colorizer."""

    def __init__(self, alternatives, automatic, model):
        self.palette, self.alternatives, self.model = alternatives[0], alternatives[1:], model
        self.automatic = {}
        self.out = automatic

    def decode(self, _encoded, _recipe):
        return type("Result", (), {"palette": self.out})()

    def uncover(self, result):
        return result


def test_recipes_are_the_same(ask, make):
    model = load().model
    tasks, right = [], []
    for _ in range(40):
        palettes = [Palette(make.bins, make.shares()) for _ in range(7)]
        own, result = palettes[:6], palettes[6]
        recipe = {"version": int(make.random.integers(1, 4)), "edits": make.edits(3)}
        if make.flip():
            recipe["vividness"] = float(make.random.uniform(0, 1.1))
        if make.flip():
            recipe["palette"] = palettes[5].to_json()
        else:
            recipe["alternative"] = int(make.random.integers(0, 6))
        keys = ("estimate", "automatic", "result")
        named = dict(zip(keys, map(pack, (own[0], own[5], result)), strict=True))
        named |= {"recipe": recipe, "alternatives": list(map(pack, own[1:5]))}
        tasks.append(["recipe", named])
        photo = Photo(own[:5], own[5], model)
        try:
            read = Recipe.from_json(recipe)
            reached = read.reached(photo, photo, type("Result", (), {"palette": result})())
            right.append((read, read.apply(own[0], own[1:5]), reached))
        except PaletteError as error:
            right.append(str(error))
    refused = 0
    for (_, task), answer, one in zip(tasks, ask(tasks), right, strict=True):
        if isinstance(one, str):
            assert answer == {"refused": one}, task["recipe"]
            refused += 1
            continue
        recipe, wanted, reached = one
        check_palettes(answer["wanted"], wanted, task["recipe"])
        complete = json.loads(recipe.complete(model).to_json())
        edits = answer["complete"].pop("edits")
        assert [read_edit(e) for e in edits] == [read_edit(e) for e in complete.pop("edits")]
        assert answer["complete"] == complete
        if reached is None:
            assert answer["reached"] is None
        else:
            assert answer["reached"] == pytest.approx(reached, abs=1e-3), task["recipe"]
    assert 4 < refused < 32


def test_outcomes_are_the_same(ask, make):
    tasks, right = [], []
    for _ in range(60):
        edits = make.edits(5)
        luma = make.random.random((6, 8)).astype(np.float32)
        chroma = make.random.normal(0, 20, (2, 6, 8)).astype(np.float32)
        task = {"list": edits, "luma": luma.ravel().tolist(), "chroma": chroma.ravel().tolist()}
        tasks.append(["outcomes", task])
        right.append(measure_outcomes([read_edit(e) for e in edits], luma, chroma))
    for answer, ones, (_, task) in zip(ask(tasks), right, tasks, strict=True):
        assert [a["color"] for a in answer] == [one.color for one in ones], task["list"]
        for found, one in zip(answer, ones, strict=True):
            assert (found["asked"], found["got"]) == (one.asked, one.got)
            assert found["share"] == pytest.approx(one.share, abs=CLOSE)
