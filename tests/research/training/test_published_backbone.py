"""A run from published weights: fixed stages and norms, a lower rate for the rest, exact resume."""

import pytest
import torch

from research.conftest import (
    SETTINGS,
    TINY,
    assert_same_weights,
    fewer_crops,
    run_config,
    save_published,
    train_whole_and_interrupted,
)
from tintype.research.methods import METHODS, checkpoint
from tintype.research.methods.tintype import LATE_RATE
from tintype.research.methods.tintype.efficientnet import Backbone
from tintype.research.training import loop


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """As given by `--set`; the file is a tiny backbone's."""
    fewer_crops(monkeypatch)
    torch.manual_seed(1)
    save_published(Backbone(TINY.width, TINY.depth), tmp_path / "weights.pth")
    return SETTINGS | {"backbone": str(tmp_path / "weights.pth")}


def read(folder, name="model.safetensors"):
    return checkpoint.load(folder / name)[0]


def is_early(name):
    """Whether a tensor of the backbone is of its first stages."""
    _, part, number = f"{name}.".split(".")[:3]
    blocks = Backbone(TINY.width, TINY.depth).early_blocks
    return part != "_blocks" or int(number) < blocks


def test_first_stages_and_norms_stay_and_the_others_learn(settings, photos, tmp_path):
    """The first step of Adam is as long as the rate."""
    config = run_config(photos, 1, recalibrate=2, weight_decay=0.5, warmup=0.0, learning_rate=0.01)
    loop.train(tmp_path / "run", config, settings, resume=False)
    published = torch.load(tmp_path / "weights.pth", weights_only=True)
    published["_conv_stem.weight"] = published["_conv_stem.weight"].sum(1, keepdim=True)
    state = read(tmp_path / "run", "last.safetensors")
    after = {n: v for n, v in state.items() if n.startswith("model.backbone.") and v.ndim}
    moved = {
        name.removeprefix("model."): float((v - published[name.split(".", 2)[2]]).abs().max())
        for name, v in after.items()
    }
    norms = {name for name in moved if "running" in name}
    assert all(moved[name] > 0 for name in norms if "mean" in name)  # counted on gray crops
    for name in moved.keys() - norms:
        step = 0 if is_early(name) else 0.01 * LATE_RATE
        assert moved[name] <= 1.01 * step, name
        assert moved[name] > 0.95 * step or "bn" in name or not step, name
    average = read(tmp_path / "run")
    for name in norms:  # and nowhere after
        assert torch.equal(average[name], state[f"model.{name}"]), name
    own = "neck.detail.0.1.running_mean"
    assert not torch.equal(average[own], state[f"model.{own}"])  # which was counted anew


def test_the_backbone_learns_slower_and_does_not_decay(settings, photos, tmp_path):
    made = loop.Run(tmp_path / "run", run_config(photos, 2, weight_decay=0.1), dict(settings))
    given = made.optimizer.param_groups
    assert [g["share"] for g in given] == [1, 1, LATE_RATE]
    assert [g["weight_decay"] for g in given] == [0.1, 0, 0]
    network = made.unwrapped
    assert {id(p) for p in given[2]["params"]} == {id(p) for p in network.backbone.parameters()}
    every = [id(p) for g in given for p in g["params"]]
    assert sorted(every) == sorted(id(p) for p in network.parameters())
    assert METHODS["tintype"].learning_rates(TINY) == {}  # from random values all learn alike


def test_a_resumed_run_is_the_run_that_was_interrupted(settings, photos, tmp_path):
    config = run_config(photos, 4, checkpoint_seconds=0.0, learning_rate=0.01)
    train_whole_and_interrupted(tmp_path, config, settings, 2)
    (tmp_path / "weights.pth").unlink()  # which only the beginning needs
    loop.train(tmp_path / "parts", config, settings, resume=True)
    assert_same_weights(tmp_path)
