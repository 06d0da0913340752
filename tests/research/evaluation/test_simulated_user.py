"""The simulated user: finds the edit that was made, and stops where there is nothing to gain."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from research.conftest import scene
from tintype.bins import hue_of
from tintype.edits import Ban, Saturate, Towards
from tintype.palette import BAN_WIDTH
from tintype.photo import read
from tintype.recipe import Recipe
from tintype.research.evaluation import evaluate, metrics, simulated_user


class Counting:
    """A session that counts its runs."""

    def __init__(self, session):
        self.session, self.runs = session, 0

    def __getattr__(self, name):
        return getattr(self.session, name)

    def run(self, *given):
        self.runs += 1
        return self.session.run(*given)


@pytest.fixture(scope="module")
def truth():
    return evaluate.resize(scene(48, 40, 1))


@pytest.fixture(scope="module")
def encoded(tiny, truth):
    return tiny.encode(evaluate.make_gray(truth))


@pytest.fixture(scope="module")
def steps(tiny, encoded, truth):
    return simulated_user.edit(tiny, encoded, truth)


def painted(tiny, encoded, edits):
    """The photo after edits, uint8 RGB."""
    return np.asarray(tiny.decode(encoded, Recipe(edits=tuple(edits))).image)


def test_the_menu_has_38_edits():
    """Towards 12 hues at two strengths, a ban of each, more or less saturation."""
    kinds = [type(edit) for edit in simulated_user.MENU]
    assert [kinds.count(kind) for kind in (Towards, Ban, Saturate)] == [24, 12, 2]
    assert len(kinds) == 38
    for hue in simulated_user.HUES:
        towards = [edit for edit in simulated_user.MENU if isinstance(edit, Towards)]
        strengths = {edit.amount for edit in towards if edit.color == hue}
        assert len(strengths) == 2
        assert Ban(hue) in simulated_user.MENU


def test_bans_reach_every_hue():
    hues = np.array([hue_of(color) for color in simulated_user.HUES])
    away = np.abs((np.arange(360)[:, None] - hues + 180) % 360 - 180)
    assert away.min(axis=1).max() < BAN_WIDTH


def test_every_edit_comes_nearer(steps):
    auc = [step.auc for step in steps]
    assert 2 <= len(steps) <= 1 + simulated_user.MOST
    assert auc == sorted(set(auc))
    for before, after in itertools.pairwise(steps):
        assert after.edits[:-1] == before.edits
        assert after.edits[-1] in simulated_user.MENU


def test_steps_are_what_their_recipes_give(tiny, encoded, truth, steps):
    for step in steps:
        score = metrics.score(painted(tiny, encoded, step.edits), truth)
        assert step.auc == pytest.approx(metrics.auc([score]))
        assert step.score.psnr == pytest.approx(score.psnr)


def test_every_edit_is_the_best_of_the_menu(tiny, encoded, truth, steps):
    size = encoded.encoding.luma.shape[::-1]
    luma = Image.fromarray(encoded.photo.luma).resize(size, Image.Resampling.BOX)
    small = np.asarray(Image.fromarray(truth).resize(size, Image.Resampling.BOX))
    look = replace(encoded, photo=read(luma))
    for before, after in itertools.pairwise(steps):
        found = {}
        for i, edit in enumerate(simulated_user.MENU):
            rgb = painted(tiny, look, (*before.edits, edit))
            found[i] = metrics.auc([metrics.score(rgb, small)])
        assert after.edits[-1] == simulated_user.MENU[max(found, key=found.__getitem__)]


@pytest.mark.parametrize("number", [3, 20, 30, 36, 37])
def test_an_edit_that_was_made_is_found(tiny, encoded, number):
    wanted = painted(tiny, encoded, [simulated_user.MENU[number]])
    steps = simulated_user.edit(tiny, encoded, wanted)
    assert [step.edits for step in steps] == [(), (simulated_user.MENU[number],)]
    assert steps[-1].auc == 100


def test_what_is_true_already_is_not_edited(tiny, encoded):
    (step,) = simulated_user.edit(tiny, encoded, painted(tiny, encoded, []))
    assert step.edits == ()
    assert step.auc == 100


def test_an_edit_that_only_helps_small_is_left(tiny, encoded, truth, monkeypatch):
    """Small, everything seems true; at full size everything is as far from the truth."""
    score = metrics.score

    def blind(rgb, truth):
        return score(truth if rgb.shape[0] < evaluate.SIDE else 0 * rgb, truth)

    monkeypatch.setattr(metrics, "score", blind)
    assert [step.edits for step in simulated_user.edit(tiny, encoded, truth)] == [()]


def test_there_are_no_more_edits_than_allowed(tiny, encoded, truth, monkeypatch):
    monkeypatch.setattr(simulated_user, "MOST", 1)
    assert [len(step.edits) for step in simulated_user.edit(tiny, encoded, truth)] == [0, 1]


def test_editing_is_decoding_only(tiny, truth, monkeypatch):
    encoder, decoder = Counting(tiny.model._encoder), Counting(tiny.model._decoder)
    monkeypatch.setattr(tiny.model, "_encoder", encoder)
    monkeypatch.setattr(tiny.model, "_decoder", decoder)
    steps = simulated_user.edit(tiny, tiny.encode(evaluate.make_gray(truth)), truth)
    assert encoder.runs == 1
    tries = min(len(steps), simulated_user.MOST)
    assert decoder.runs == 1 + tries * (len(simulated_user.MENU) + 1)
