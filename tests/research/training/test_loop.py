"""Runs: what they leave behind, that they resume exactly, and what they refuse."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from research.conftest import (
    SETTINGS,
    TINY,
    names,
    refused,
    run_config,
    scene,
    steps_of,
)
from tintype.errors import DataError
from tintype.research.data import augmentation, batches, photo_set
from tintype.research.methods import METHODS, checkpoint
from tintype.research.methods.tintype import Network
from tintype.research.training import loop
from tintype.research.training.run import group_parameters


def rows(folder):
    """The log, row by row."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


# --- what a run leaves ----------------------------------------------------------------------------


def test_a_run_leaves_weights_that_load(run):
    tensors, about = checkpoint.load(run / "model.safetensors")
    assert about["method"] == "tintype"
    assert about["step"] == 50
    assert about["config"] == json.loads(json.dumps(TINY.__dict__))
    assert about["run"]["steps"] == 50
    network = Network(TINY)
    network.load_state_dict(tensors)
    assert all(t.isfinite().all() for t in tensors.values())
    assert not torch.equal(network.rebalancing, torch.ones_like(network.rebalancing))


def test_the_weights_are_the_average_of_the_last_steps(run):
    state, _ = checkpoint.load(run / "last.safetensors")
    tensors, _ = checkpoint.load(run / "model.safetensors")
    for name, tensor in tensors.items():
        assert torch.equal(tensor, state[f"average.{name}"])
    assert not torch.equal(
        tensors["decoder.classify.weight"], state["model.decoder.classify.weight"]
    )
    assert torch.equal(tensors["prototypes"], state["model.prototypes"])


def test_a_run_leaves_a_log(run):
    step, validation = rows(run)
    assert step.keys() == {
        "loss", "pixels", "coarse", "palette", "tones", "tie", "step", "photos", "elapsed",
        "photos_per_s", "waited",
    }  # fmt: skip
    assert step["step"] == 50
    assert 50 < step["photos"] < 200  # batches of 4, of 1 where crops are late
    assert 0 <= step["waited"] < 1
    assert validation["photos"] == step["photos"]
    assert validation["step"] == 50
    painted = validation["validation"]
    assert painted.keys() == {"calm", "half", "vivid", "true palette", "ten hints", "gray"}
    assert painted["gray"]["chroma"] == pytest.approx(0, abs=0.02)
    for row in painted.values():
        assert 0 < row["auc"] <= 100
        assert 0 < row["auc_rebalanced"] <= 100
        assert 0 < row["loss"] < 1


def test_a_run_leaves_curves_for_tensorboard(run):
    curves = EventAccumulator(str(run / "tensorboard")).Reload()
    step, validation = rows(run)
    for name, value in (
        ("loss", step["loss"]),
        ("validation/half/auc", validation["validation"]["half"]["auc"]),
    ):
        (point,) = curves.Scalars(name)
        assert (point.step, point.value) == (50, pytest.approx(value))


def test_a_run_leaves_a_picture_of_the_held_out_photos(run, photos):
    """Columns: gray, five colorings, the truth; as many rows as photos are held out."""
    sheet = np.asarray(Image.open(run / "step-000050.png"))
    assert sheet.shape == (2 * 64, 7 * 64, 3)
    assert np.ptp(sheet[:, :64].astype(int), axis=-1).max() == 0
    loaded = photo_set.load([str(photos)], size=96)
    held = photo_set.hold_out(loaded.keys).nonzero()[:, 0].tolist()
    truth = [loaded.photo(i)[:64, :64] for i in held]
    np.testing.assert_array_equal(sheet[:, -64:], np.concatenate(truth))


@pytest.mark.usefixtures("quick")
def test_a_run_without_large_held_out_photos_says_so(tmp_path):
    for seed, name in enumerate(names(3, held=0)):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(scene(40, 40, seed)).save(tmp_path / "photos" / f"{name}.png")
    loop.train(tmp_path / "run", run_config(tmp_path / "photos", 2), SETTINGS, resume=False)
    (row,) = rows(tmp_path / "run")
    assert (row["step"], row["validation"]) == (2, {})
    assert not list((tmp_path / "run").glob("*.png"))


@pytest.mark.usefixtures("quick")
def test_minutes_end_a_run(photos, tmp_path):
    config = replace(run_config(photos, 1), steps=None, minutes=0.2 / 60)
    loop.train(tmp_path / "run", config, SETTINGS, resume=False)
    _, about = checkpoint.load(tmp_path / "run" / "last.safetensors")
    assert about["step"] >= 1
    assert 0.2 <= about["elapsed"] < 20


@pytest.mark.usefixtures("quick")
def test_held_out_photos_are_colored_every_few_steps(photos, tmp_path):
    loop.train(tmp_path / "run", run_config(photos, 6, validate_steps=3), SETTINGS, resume=False)
    assert [row["step"] for row in rows(tmp_path / "run") if "validation" in row] == [3, 6]


def test_a_first_stage_that_lasts_to_the_end_is_refused(photos, tmp_path):
    """Before the network is built, or it would be missed that there is no such VGG-16."""
    given = {"vgg": "none.safetensors", "first_steps": "6"}
    with pytest.raises(DataError, match="first_steps: expected fewer than the run's 6 steps"):
        loop.train(tmp_path / "run", run_config(photos, 6, method="fenu2016"), given, resume=False)


# --- what is refused ------------------------------------------------------------------------------


def test_an_unknown_field_is_refused_before_anything_is_made(photos, tmp_path):
    settings = {**SETTINGS, "breadth": "3"}
    assert "found {'breadth': '3'}" in refused(tmp_path / "run", run_config(photos, 2), settings)
    assert not (tmp_path / "run").exists()


def test_a_run_needs_an_end(photos, tmp_path):
    config = replace(run_config(photos, 2), steps=None)
    assert "expected --minutes or --steps" in refused(tmp_path / "run", config)


def test_an_unknown_method_is_refused(photos, tmp_path):
    config = run_config(photos, 2, method="magic")
    said = refused(tmp_path / "run", config)
    assert f"expected a method of {', '.join(METHODS)}, found 'magic'" in said


@pytest.mark.parametrize("text", ["pets", "pets=much", "pets=1=2", "pets=-1", "pets=nan"])
def test_source_weights_that_make_no_sense_are_refused(photos, tmp_path, text):
    config = run_config(photos, 2, source_weights=text)
    assert "source_weights: expected NAME=NUMBER" in refused(tmp_path / "run", config)


def test_source_weights_of_what_is_not_there_are_refused(photos, tmp_path):
    config = run_config(photos, 2, source_weights="pets=3")
    said = refused(tmp_path / "run", config)
    assert "source_weights: expected names of" in said
    assert "found pets" in said


def test_source_weights_go_by_the_keys_first_folder():
    keys = ["pets/a", "streets/b/c", "pets", "other"]
    found = batches._weigh(keys, "pets=0.25,streets=3")
    assert found.tolist() == [0.25, 3, 0.25, 1]
    assert batches._weigh(keys, "").tolist() == [1] * 4


# --- compiled -------------------------------------------------------------------------------------


def compiled_by(backend, patch):
    """Let networks be compiled by another backend, which needs no compiler."""
    plain = torch.nn.Module.compile
    patch.setattr(torch.nn.Module, "compile", lambda network: plain(network, backend=backend))


@pytest.mark.usefixtures("quick")
def test_a_compiled_network_learns_the_same(photos, tmp_path, monkeypatch):
    graphs = []

    def noting(graph, _inputs):
        graphs.append(graph)
        return graph

    compiled_by(noting, monkeypatch)
    settings = {"width": str(1 / 16)}
    config = run_config(
        photos, 2, method="zhang2016", log_steps=1, late_share=0, learning_rate=0.0001, warmup=1.0
    )
    for compiled in (False, True):
        assert not graphs
        folder = tmp_path / str(compiled)
        loop.train(folder, replace(config, compile=compiled), settings, resume=False)
    assert graphs
    for one, other in zip(steps_of(tmp_path / "False"), steps_of(tmp_path / "True"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)
    one, other = (checkpoint.load(tmp_path / n / "last.safetensors")[0] for n in ("False", "True"))
    assert one.keys() == other.keys()


@pytest.mark.usefixtures("quick")
def test_what_cannot_be_compiled_is_told_in_a_line(photos, tmp_path, monkeypatch):
    def failing(_graph, _inputs):
        raise OSError("no compiler\nthat works")

    compiled_by(failing, monkeypatch)
    config = run_config(photos, 1, method="zhang2016", compile=True)
    said = refused(tmp_path / "run", config, {"width": str(1 / 16)})
    assert "compile: expected torch.compile to work here, found: " in said
    assert "OSError: no compiler that works; leave it out" in said


# --- schedule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "steps", "elapsed", "step", "progress"), [
    (None, 10, 1e9, 4, 0.4), (2.0, None, 30.0, 10**6, 0.25), (2.0, 10, 60.0, 4, 0.5),
    (2.0, 10, 30.0, 9, 0.9), (1.0, 10, 90.0, 4, 1.0),
])  # fmt: skip
def test_progress_is_by_what_ends_first(tmp_path, minutes, steps, elapsed, step, progress):
    config = loop.TrainConfig(minutes=minutes, steps=steps, precision="no")
    run = loop.Run(tmp_path, config, dict(SETTINGS))
    run.elapsed, run.step = elapsed, step
    assert run.progress == pytest.approx(progress)


@pytest.mark.usefixtures("quick")
def test_late_in_the_run_every_other_step_sees_large_crops(photos, tmp_path, monkeypatch):
    shapes, sums = [], set()
    learn = loop.Run.learn

    def noting(run, batch):
        assert batch.labels.tolist() == [-1] * len(batch.rgb)
        shapes.append(tuple(batch.rgb.shape[:2]))
        sums.add(float(batch.rgb.mean()))
        return learn(run, batch)

    monkeypatch.setattr(loop.Run, "learn", noting)
    config = run_config(photos, 8, late_share=0.5)
    loop.train(tmp_path / "run", replace(config, batch=6), SETTINGS, resume=False)
    small, large = (6, 32), (2, 64)
    assert shapes == [small] * 6 + [large, small]
    assert len(sums) == 8  # no step sees what another one saw


@pytest.mark.usefixtures("quick")
def test_held_out_photos_are_never_trained_on(photos, tmp_path, monkeypatch):
    drawn = set()
    crops = augmentation.cut_crops

    def noting(loaded, index, *given):
        drawn.update(loaded.keys[i] for i in index.tolist())
        return crops(loaded, index, *given)

    monkeypatch.setattr(augmentation, "cut_crops", noting)
    loop.train(tmp_path / "run", run_config(photos, 2), SETTINGS, resume=False)
    assert drawn == set(names(8, held=2)[:6])


def test_weight_decay_is_for_kernels_only():
    kernels, rest = group_parameters(Network(TINY), 0.1, {})
    assert (kernels["weight_decay"], rest["weight_decay"]) == (0.1, 0)
    assert all(p.ndim > 1 for p in kernels["params"])
    assert len(kernels["params"]) + len(rest["params"]) == len(list(Network(TINY).parameters()))


def test_a_run_can_begin_from_the_weights_of_another(run, photos, tmp_path):
    start = str(run / "model.safetensors")
    config = run_config(photos, 1, learning_rate=0.0, start=start)
    loop.train(tmp_path / "run", config, SETTINGS, resume=False)
    before, _ = checkpoint.load(run / "model.safetensors")
    after, about = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert about["step"] == 1
    kernels = [name for name, tensor in before.items() if tensor.ndim == 4]
    assert all(torch.equal(before[name], after[name]) for name in kernels)
    assert torch.equal(before["prototypes"], after["prototypes"])


def test_what_only_training_uses_may_be_absent_from_a_start(run, photos, tmp_path):
    tensors, about = checkpoint.load(run / "model.safetensors")
    bare = {name: t for name, t in tensors.items() if not name.startswith("coarse.")}
    checkpoint.save(tmp_path / "bare.safetensors", bare, about)
    config = run_config(photos, 1, start=str(tmp_path / "bare.safetensors"))
    loop.train(tmp_path / "run", config, SETTINGS, resume=False)
    checkpoint.save(tmp_path / "half.safetensors", dict(list(bare.items())[9:]), about)
    half = run_config(photos, 1, start=str(tmp_path / "half.safetensors"))
    assert "expected a checkpoint of this network" in refused(tmp_path / "other", half)


def test_a_start_of_other_sizes_is_refused(run, photos, tmp_path):
    config = run_config(photos, 1, start=str(run / "model.safetensors"))
    settings = {**SETTINGS, "embedding": "24"}
    said = refused(tmp_path / "run", config, settings)
    assert "expected a checkpoint of this network, found size mismatch" in said


def test_a_start_of_another_method_is_refused(run, photos, tmp_path):
    start = str(run / "model.safetensors")
    said = refused(tmp_path / "run", run_config(photos, 1, method="zhang2016", start=start), {})
    assert "expected a checkpoint of zhang2016, found one of tintype" in said
