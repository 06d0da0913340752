"""Runs that go on: exactly as if they had not been interrupted, and as nothing else."""

import shutil
from dataclasses import replace

import pytest
import torch

from research.conftest import (
    SETTINGS,
    assert_same_weights,
    refused,
    run_config,
    train_whole_and_interrupted,
)
from tintype.errors import DataError
from tintype.research.methods import checkpoint
from tintype.research.training import loop


@pytest.mark.usefixtures("quick")
def test_a_resumed_run_is_the_run_that_was_interrupted(photos, tmp_path):
    config = run_config(photos, 6, checkpoint_seconds=0.0, learning_rate=0.05)
    train_whole_and_interrupted(tmp_path, config, SETTINGS, 3)
    _, about = checkpoint.load(tmp_path / "parts" / "last.safetensors")
    assert about["step"] == 3
    loop.train(tmp_path / "parts", config, SETTINGS, resume=True)
    _, about = checkpoint.load(tmp_path / "parts" / "model.safetensors")
    assert about["step"] == 6
    assert_same_weights(tmp_path)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("name", "value"), [
    ("seed", 1), ("batch", 5), ("method", "zhang2016"), ("learning_rate", 0.1), ("size", 64),
])  # fmt: skip
def test_a_run_is_not_resumed_as_another(photos, tmp_path, name, value):
    config = run_config(photos, 1)
    loop.train(tmp_path / "run", config, SETTINGS, resume=False)
    settings = {} if name == "method" else SETTINGS
    with pytest.raises(DataError, match=f"expected the run's {name} .*, found {value!r}; give"):
        loop.train(tmp_path / "run", replace(config, **{name: value}), settings, resume=True)


@pytest.mark.usefixtures("quick")
def test_the_seed_makes_the_run(photos, tmp_path):
    found = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        loop.train(tmp_path / folder, run_config(photos, 2, seed=seed), SETTINGS, resume=False)
        tensors, _ = checkpoint.load(tmp_path / folder / "model.safetensors")
        found.append(tensors["decoder.classify.weight"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_resuming_a_finished_run_changes_nothing(run, photos, tmp_path):
    for name in ("last.safetensors", "model.safetensors"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    loop.train(
        tmp_path, run_config(photos, 50, learning_rate=0.0125, warmup=1.0), SETTINGS, resume=True
    )
    before, after = (checkpoint.load(f / "model.safetensors")[0] for f in (run, tmp_path))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_run_from_before_a_field_was_resumes(run, photos, tmp_path):
    state, about = checkpoint.load(run / "last.safetensors")
    del about["config"]["tuned"]
    checkpoint.save(tmp_path / "last.safetensors", state, about)
    loop.train(
        tmp_path, run_config(photos, 50, learning_rate=0.0125, warmup=1.0), SETTINGS, resume=True
    )
    _, about = checkpoint.load(tmp_path / "model.safetensors")
    assert about["config"]["tuned"] is False


def test_a_folder_with_a_run_is_refused_without_resume(run, photos):
    before = (run / "last.safetensors").read_bytes()
    assert "add --resume to go on" in refused(run, run_config(photos, 51))
    assert (run / "last.safetensors").read_bytes() == before


def test_a_run_of_another_network_is_not_resumed(run, photos):
    settings = {**SETTINGS, "embedding": "24"}
    config = run_config(photos, 51, learning_rate=0.0125, warmup=1.0)
    said = refused(run, config, settings, resume=True)
    assert "expected the run's embedding 16, found 24; " in said


@pytest.mark.usefixtures("quick")
def test_a_run_whose_weights_are_no_numbers_any_more_ends(photos, tmp_path):
    """What was written before stays."""
    config = run_config(photos, 2)
    loop.train(tmp_path / "run", config, SETTINGS, resume=False)
    before = (tmp_path / "run" / "last.safetensors").read_bytes()
    wild = replace(config, steps=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Run, "learn", spoil)
        said = refused(tmp_path / "run", wild, resume=True)
    assert "expected weights that are numbers, found others after step " in said
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == before


def spoil(run, _batch):
    """A step that ends in NaN."""
    with torch.no_grad():
        next(run.unwrapped.parameters()).fill_(torch.nan)
    run.step += 1
    return {"loss": torch.tensor(torch.nan)}


def test_a_run_is_not_made_shorter_nor_of_other_photos(run, photos, tmp_path):
    config = run_config(photos, 50, learning_rate=0.0125, warmup=1.0)
    shorter = refused(run, replace(config, steps=49), resume=True)
    assert "expected 50 steps or more, which it has made, found 49" in shorter
    shutil.copytree(photos, tmp_path / "fewer")
    next((tmp_path / "fewer").iterdir()).unlink()
    others = replace(config, steps=51, data=(str(tmp_path / "fewer"),))
    assert "expected photos in memory of 1 processes, " in refused(run, others, resume=True)
