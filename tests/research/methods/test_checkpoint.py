"""Checkpoints come back as they were written, whole or not at all."""

import os
import subprocess
from pathlib import Path

import pytest
import torch
from pages import ROOT
from safetensors.torch import save_file

from tintype.errors import DataError
from tintype.research.methods import checkpoint


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def one(value=1.0):
    return {"weight": torch.full((2, 3), value)}


def test_tensors_and_their_description_come_back(path):
    kernel = torch.randn(4, 3, 2, 2)
    tensors = {
        "kernel": kernel.to(memory_format=torch.channels_last),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "learned": torch.ones(2, requires_grad=True),
        "count": torch.tensor(7),
        "short": torch.tensor([0.1, 1e9], dtype=torch.bfloat16),
    }
    about = {
        "method": "tintype",
        "config": {"hues": 24, "chromas": [0.03, 0.22]},
        "text": "Überall",
    }
    checkpoint.save(path, tensors, about)
    loaded, said = checkpoint.load(path)
    assert said == about
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor.detach())


def test_former_names_of_fields_are_read(path):
    checkpoint.save(path, one(), {"run": {"rate": 0.1}, "taste": {"recipes": 5}})
    _, about = checkpoint.load(path)
    assert about == {"run": {"learning_rate": 0.1}, "fine_tuning": {"recipes": 5}}


def test_an_older_checkpoint_is_replaced_and_nothing_is_left_beside_it(path):
    checkpoint.save(path, one(1.0), {"step": 1})
    checkpoint.save(path, one(2.0), {"step": 2})
    tensors, about = checkpoint.load(path)
    assert (float(tensors["weight"][0, 0]), about) == (2.0, {"step": 2})
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_checkpoint_that_cannot_be_written_leaves_the_older_one(path, monkeypatch):
    checkpoint.save(path, one(1.0), {"step": 1})

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(path, one(2.0), {"step": 2})
    tensors, about = checkpoint.load(path)
    assert (float(tensors["weight"][0, 0]), about) == (1.0, {"step": 1})
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def text(path):
    path.write_text("a page of text\nand another\n" * 20)


def cut(path):
    checkpoint.save(path, one(), {})
    path.write_bytes(path.read_bytes()[:-8])


def of_nobody(path):
    save_file(one(), path)


def of_others(path):
    save_file(one(), path, metadata={"format": "pt"})


@pytest.mark.parametrize(("make", "found"), [
    (str, "found none"),
    (Path.mkdir, "found none"),
    (Path.touch, "found none"),
    (text, "found none"),
    (cut, "found none"),
    (of_nobody, "found another safetensors file"),
    (of_others, "found pt"),
], ids=["missing", "folder", "empty", "text", "cut", "no format", "format"])  # fmt: skip
def test_what_is_no_checkpoint_of_ours(path, make, found):
    make(path)
    with pytest.raises(DataError) as caught:
        checkpoint.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ")
    assert found in message
    assert "\n" not in message


def test_where_it_was_written():
    """The repository's commit, unless there is none, and the hardware."""
    about = checkpoint.describe_machine()
    assert about.keys() == {"commit", "device", "processors", "torch"}
    assert about["processors"] == os.cpu_count()
    assert about["torch"] == torch.__version__
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    if head.returncode == 0:
        assert head.stdout.startswith(about["commit"].removesuffix("-dirty")[:7])


def test_a_file_outside_of_a_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "__file__", str(tmp_path / "checkpoint.py"))
    assert checkpoint._read_commit() is None
