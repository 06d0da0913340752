"""Files of published weights are read as they were written; of all others one line says why."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tintype.errors import DataError
from tintype.research.methods.published import read_arrays, read_tensors


def test_what_was_written_is_read(tmp_path):
    given = {"a.weight": torch.rand(2, 3), "b": torch.arange(4)}
    torch.save(given, tmp_path / "weights.pth")
    save_file(given, tmp_path / "weights.safetensors")
    for suffix in ("pth", "safetensors"):
        found = read_tensors(tmp_path / f"weights.{suffix}", "AlexNet")
        assert found.keys() == given.keys()
        assert all(torch.equal(found[name], given[name]) for name in given)
    np.savez(tmp_path / "weights.npz", **{name: x.numpy() for name, x in given.items()})
    arrays = read_arrays(tmp_path / "weights.npz", "AlexNet")
    assert {name: x.tolist() for name, x in arrays.items()} == {
        name: x.tolist() for name, x in given.items()
    }


def write_cut(path):
    np.savez(path.with_suffix(".npz"), a=np.random.default_rng(0).normal(size=900))
    whole = path.with_suffix(".npz").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def write_array(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


BROKEN = {
    "missing": lambda _path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("a page\nof text"),
    "cut": write_cut,
    "one array": write_array,
    "objects": lambda path: np.savez(path, a=np.array([{}], dtype=object)),
}


@pytest.mark.parametrize("suffix", ["pth", "safetensors", "npz"])
@pytest.mark.parametrize("broken", BROKEN)
def test_all_others_are_refused_in_one_line(tmp_path, suffix, broken):
    path = tmp_path / f"weights.{suffix}"
    BROKEN[broken](path)
    read = read_arrays if suffix == "npz" else read_tensors
    with pytest.raises(DataError) as caught:
        read(path, "AlexNet")
    wanted = "an .npz of AlexNet" if suffix == "npz" else "AlexNet's weights"
    said = str(caught.value)
    assert said.startswith(f"{path}: expected {wanted}, found none: ")
    assert not said.endswith(": ")
    assert "\n" not in said
