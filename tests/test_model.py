"""Descriptions of models: whatever stands in one, it is refused in one line, or it works."""

import copy
import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tintype
from tintype import model

WEIGHTS = resources.files("tintype") / "weights"
JUNK = [None, True, -1, 0, 3, 1e300, float("nan"), float("inf"), 10**400, "x", [], {}, [None],
        ["a"], [[]], {"a": 1}]  # fmt: skip
LEFT_OUT = object()


def mutate(about: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Descriptions with one value of another kind."""
    yield from ((f"all: {junk!r:.20}", junk) for junk in JUNK)
    paths = [[name] for name in sorted({*model.DESCRIPTION, "shadows", "vividness_given"})]
    paths += [["sha256", "encoder.onnx"], ["bins", "hues"], ["bins", "chromas"], ["undo", 0]]
    paths += [["bins", "chromas", 0], ["rebalancing", 0]]
    for path in paths:
        for junk in [*JUNK, LEFT_OUT]:
            changed = copy.deepcopy(about)
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = junk
            if junk is LEFT_OUT:
                del place[path[-1]]
            yield f"{path}: {junk!r:.20}", changed


def refusal(folder: Path) -> str:
    """Why a folder is no model; nothing where it is one, and encodes."""
    try:
        found = tintype.load(folder, threads=1).model
    except tintype.ModelError as error:
        return str(error)
    found.encode(np.zeros((found.side, found.side), np.uint8))
    return ""


def test_broken_descriptions_are_refused_in_one_line_or_work(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(str(WEIGHTS), folder)
    about = json.loads((folder / "model.json").read_text())
    refused = 0
    for name, changed in mutate(about):
        (folder / "model.json").write_text(json.dumps(changed))
        said = refusal(folder)
        assert said == "" or (said.startswith(str(folder)) and ": expected " in said), name
        assert len(said) < 400, name
        refused += said != ""
    assert refused > 150
    for text in ("", "{", "[" * 99_999, '{"format": 2', "\x00", '"' + "9" * 9999, "9" * 9999):
        (folder / "model.json").write_text(text)
        with pytest.raises(tintype.ModelError, match="expected a model's description"):
            tintype.load(folder)


def test_graphs_of_another_format_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(str(WEIGHTS), folder)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(about | {"format": 2}))
    assert "model format 2, found others in encoder.onnx and decoder.onnx; make" in refusal(folder)
    encoder, decoder = (folder / f"{name}.onnx" for name in ("encoder", "decoder"))
    decoder.write_bytes(encoder.read_bytes())
    hashes = dict.fromkeys(about["sha256"], about["sha256"]["encoder.onnx"])
    (folder / "model.json").write_text(json.dumps(about | {"sha256": hashes}))
    assert "model format 3, found others in decoder.onnx; make" in refusal(folder)
