"""Several processes that learn together, started by torchrun on one processor."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator

from research.conftest import SETTINGS, run_config, steps_of
from tintype.errors import DataError
from tintype.research.methods import checkpoint
from tintype.research.training import loop

FEWER = """
from itertools import islice
from tintype.cli import main
from tintype.research.data.batches import Memory

sample = Memory.sample
Memory.sample = lambda photos, size: islice(sample(photos, size), 2)
main()
"""


def torchrun(folder, data, settings, steps, command=("-m", "tintype")):
    """Let two processes train on photos into a folder."""
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words += [*command, "train", "--data", str(data), "-o", str(folder)]
    words += ["--steps", str(steps)]
    for name, value in settings.items():
        words += ["--set", f"{name}={value}"]
    done = subprocess.run(
        words,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


COMMON = {
    "crop_size": 32, "late_crop_size": 32, "size": 96, "precision": "no", "freeze_norms": "true",
    "log_steps": 1, "learning_rate": 0.0015, "warmup": 1.0,
}  # fmt: skip


def test_two_processes_learn_as_one_with_the_doubled_batch(shards, tmp_path):
    """The same photos, the same random numbers, the same weights."""
    given = SETTINGS | COMMON | {"batch": 4, "workers": 1, "checkpoint_seconds": 0}
    torchrun(tmp_path / "two", shards, given, 30)
    config = run_config(
        shards, 30, workers=2, freeze_norms=True, log_steps=1, learning_rate=0.0015, warmup=1.0
    )
    config = replace(config, batch=8, late_crop_size=32)
    loop.train(tmp_path / "one", config, SETTINGS, resume=False)
    two, one = (steps_of(tmp_path / name) for name in ("two", "one"))
    assert [row["step"] for row in two] == list(range(1, 31))  # of one process, each once
    assert [row["photos"] for row in two] == [row["photos"] for row in one]
    for row, other in zip(two, one, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], abs=1e-3)
    assert sum(row["loss"] for row in one[-10:]) < sum(row["loss"] for row in one[:10])
    assert all(0 <= row["waited"] <= 1 for row in two)
    (state, about), (other, _) = (
        checkpoint.load(tmp_path / name / "last.safetensors") for name in ("two", "one")
    )
    assert about["order"].endswith("for 2 processes x 1 workers")
    for name, tensor in state.items():
        # Keys count by their differences, so that their bias learns from rounding alone.
        if name.startswith("model.") and name != "model.neck.keys.bias":
            torch.testing.assert_close(tensor, other[name], atol=1e-3, rtol=0)
    assert not list((tmp_path / "two").glob("*.part"))
    assert len(list((tmp_path / "two").glob("step-*.png"))) == 1


def test_two_processes_share_what_is_in_memory_and_end_by_the_clock_together(shards, tmp_path):
    given = SETTINGS | COMMON | {"batch": 2, "minutes": 0.01}
    script = tmp_path / "fewer_crops.py"  # of the twenty thousand that colors are counted on
    script.write_text(FEWER)
    torchrun(tmp_path / "run", shards / "train-*.tar", given, 10**6, [str(script)])
    _, about = checkpoint.load(tmp_path / "run" / "last.safetensors")
    assert about["photos"] == 4 * about["step"]
    assert 0.6 <= about["elapsed"] < 60


def test_processes_that_do_not_find_each_other_are_refused(shards, tmp_path, monkeypatch):
    Accelerator()  # which is kept for the process
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DataError) as caught:
        loop.train(tmp_path / "run", run_config(shards, 1), SETTINGS, resume=False)
    assert str(caught.value) == (
        "expected 2 processes that learn together, as WORLD_SIZE says, found 1; "
        "start them by torchrun"
    )


def test_processes_that_begin_at_different_steps_are_refused(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "gather_object", lambda own: [*own, own[0].replace("0", "7")])
    with pytest.raises(
        DataError, match=r"expected every process at step 0 .*, found one at step 7"
    ):
        loop.train(tmp_path / "run", run_config(shards, 1, workers=1), SETTINGS, resume=False)
