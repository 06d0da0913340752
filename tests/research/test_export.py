"""From a run to a model folder that the base package loads, checked before it is written."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper

from research.conftest import TINY, scene
from tintype.color import tone_weights
from tintype.errors import DataError, ModelError
from tintype.hints import NO_HINTS, Hints
from tintype.model import OnnxModel
from tintype.palette import Palette
from tintype.research import export
from tintype.research.data import photo_set
from tintype.research.methods import checkpoint
from tintype.research.methods import tintype as method
from tintype.research.methods.palettes import Palettes, expand_palette
from tintype.research.methods.tintype import Network
from tintype.research.methods.tintype.decoder import Decoder

SETTINGS = export.Settings(side=64)
VALUES = {"side": "64"}


@pytest.fixture
def graphs(exported, monkeypatch):
    """Copies of the float32 graphs, which `export` takes instead of making them once more."""
    copies = {name: onnx.ModelProto.FromString(m.SerializeToString())
              for name, m in exported[2].items()}  # fmt: skip
    monkeypatch.setattr(export, "_trace_graphs", lambda *_: copies)
    return copies


def network_of(run):
    network = Network(TINY).eval()
    network.load_state_dict(checkpoint.load(run / "model.safetensors")[0])
    return network


# --- what is written ------------------------------------------------------------------------------


def test_a_model_folder_has_two_graphs_and_a_description(exported, run):
    folder, found, _ = exported
    assert {file.name for file in folder.iterdir()} == {
        "encoder.onnx",
        "decoder.onnx",
        "model.json",
    }
    about = json.loads((folder / "model.json").read_text())
    assert about["sha256"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("encoder.onnx", "decoder.onnx")
    }
    for name in ("side", "temperature", "vividness", "vividness_given"):
        assert about[name] == getattr(SETTINGS, name)
    assert about["undo"] == [SETTINGS.calm, SETTINGS.vivid]
    assert about["shadows"] == SETTINGS.shadows > 0
    assert about["bins"] == {"hues": TINY.hues, "chromas": list(TINY.chromas)}
    used = [p for n, p in Network(TINY).named_parameters() if not n.startswith("coarse.")]
    assert about["parameters"] == sum(p.numel() for p in used)
    assert about["trained"]["steps"] == 50
    rebalancing = network_of(run).rebalancing
    np.testing.assert_allclose(about["rebalancing"], rebalancing, atol=1e-6)
    assert about["differences"] == pytest.approx(found, rel=0.01)


def test_the_graphs_are_what_torch_computes(exported):
    _, found, _ = exported
    assert found.keys() == {"logits_float32", "logits", "chroma_mean", "chroma_tail"}
    assert found["logits_float32"] < export.LOGITS
    assert found["logits_float32"] < found["logits"]
    assert 0 < found["chroma_mean"] < found["chroma_tail"] < export.TAIL


def large(model, kind):
    """How many numbers each of a graph's large tensors of a type has."""
    return [int(np.prod(t.dims)) for t in model.graph.initializer
            if t.data_type == kind and np.prod(t.dims) >= export.HALF_FROM]  # fmt: skip


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_large_weights_are_stored_in_half_precision(exported, name):
    folder, _, graphs = exported
    stored = onnx.load_from_string((folder / f"{name}.onnx").read_bytes())
    numbers = large(graphs[name], TensorProto.FLOAT)
    assert numbers
    assert large(stored, TensorProto.FLOAT16) == numbers
    assert large(stored, TensorProto.FLOAT) == []
    saved = len(graphs[name].SerializeToString()) - len(stored.SerializeToString())
    assert saved > 1.5 * sum(numbers)
    assert not any(t.external_data for t in stored.graph.initializer)


@pytest.mark.parametrize("shape", [(32, 32), (64, 160), (224, 96)])
def test_any_size_can_be_colored(exported, run, shape):
    gray = np.random.default_rng(0).random(shape, dtype=np.float32)
    found = export._compare(network_of(run), exported[2], [gray], SETTINGS)
    assert found["logits"] < export.LOGITS


# --- what it is written for -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 64), (40, 150), (333, 200)])
def test_the_colorizer_colors_with_it(tiny, shape):
    gray = scene(shape[1], shape[0], 3)[..., 1]
    result = tiny.colorize(gray)
    rgb = np.asarray(result.image)
    assert rgb.shape == (*shape, 3)
    assert (np.ptp(rgb.astype(int), axis=-1) > 2).mean() > 0.5
    again = np.asarray(result.image.convert("L")).astype(int)
    assert (np.abs(again - gray) <= 1).mean() > 0.99


def test_the_colorizer_estimates_the_palette_that_torch_does(tiny, run):
    gray = scene(96, 64, 3)[..., 1]
    encoded = tiny.encode(gray)
    luma = torch.from_numpy(gray)[None, None].float() / 255
    with torch.no_grad():
        _, estimate, _ = network_of(run).encode(luma)
    np.testing.assert_allclose(encoded.palette.shares, estimate.whole[0], atol=2e-3)
    np.testing.assert_allclose(encoded.palette.tones, estimate.tones[0], atol=2e-3)
    assert len(encoded.alternatives) == 4


def toned(count, seed=0):
    """A palette of random shares, and of others in each tone."""
    tones = np.random.default_rng(seed).random((3, count)) ** 4
    return Palette(TINY.bins, tones.mean(0), tones=tones)


def some_hints(count):
    """Hints of as many colors, the first of them vivid red, all over a photo."""
    steps = (np.arange(count, dtype=np.float32) + 0.5) / max(1, count)
    chroma = 0.15 * np.stack([np.cos(2 * steps), np.sin(3 * steps)], 1)
    reach = np.linspace(1, 0.6, count, dtype=np.float32)
    return Hints(np.stack([steps, 1 - steps], 1), chroma.astype(np.float32), reach)


@torch.no_grad()
def decode_in_torch(run, gray, palette, adjustment, hints=NO_HINTS):
    """The chroma (h, w, 2) that the network gives for a photo and a palette with tones."""
    network = network_of(run)
    logits = find_logits(network, gray, palette, hints)
    return network.to_chroma(logits, adjustment=adjustment, temperature=SETTINGS.temperature)[0]


def adjust(gray, vividness):
    """(h, w) how much of the rebalancing is taken back at each pixel: in shadows it is more."""
    calm, vivid = SETTINGS.calm, SETTINGS.vivid
    undone = calm + vividness * (vivid - calm)
    small = torch.nn.functional.avg_pool2d(torch.from_numpy(gray)[None].float() / 255, 4)[0]
    shadow = tone_weights(small)[..., 0]
    return (1 - SETTINGS.shadows * shadow) * undone + SETTINGS.shadows * shadow * calm


@torch.no_grad()
def find_logits(network, gray, palette, hints=NO_HINTS):
    luma = torch.from_numpy(gray)[None, None].float() / 255
    features, estimate, reference = network.encode(luma)
    target = expand_palette(palette, TINY.bins, estimate)
    given = method.Hints.none(1)
    if len(hints):
        arrays = (hints.place, hints.chroma, hints.reach)
        given = method.Hints(*(torch.from_numpy(a).float()[None] for a in arrays))
    small = torch.nn.functional.avg_pool2d(luma, 4)
    return network.decoder(features, small, target, reference, given)[0]


@pytest.mark.parametrize("vividness", [0.0, 0.5, 1.0])
def test_the_colorizer_calms_as_torch_does(tiny, run, vividness):
    """Vividness says how much of the rebalancing is taken back, `adjustment` in training."""
    gray = scene(96, 64, 3)[..., 1]
    encoded = tiny.encode(gray)
    found = tiny.model.decode(encoded.encoding, encoded.palette, vividness)
    adjustment = adjust(gray, vividness)
    np.testing.assert_allclose(found, decode_in_torch(run, gray, None, adjustment), atol=3e-3)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_colorizer_takes_tones_and_hints_as_torch_does(tiny, run, count):
    gray, palette, hints = scene(96, 64, 3)[..., 1], toned(TINY.bins.count), some_hints(count)
    encoding, vividness = tiny.encode(gray).encoding, tiny.model.vividness
    adjustment = adjust(gray, vividness)
    expected = decode_in_torch(run, gray, palette, adjustment, hints)
    found = tiny.model.decode(encoding, palette, vividness, hints)
    np.testing.assert_allclose(found, expected, atol=3e-3)
    plain = tiny.model.decode(encoding, replace(palette, tones=None), vividness, hints)
    assert np.abs(found - plain).max() > 0.02
    if count:
        without = tiny.model.decode(encoding, palette, vividness)
        assert np.abs(found - without).max() > 0.02


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_colorizer_tells_likelihoods_as_torch_does(tiny, run, count):
    """Torch's logits, rebalancing taken back by hand, in double precision."""
    gray, palette, hints = scene(96, 64, 3)[..., 1], toned(TINY.bins.count), some_hints(count)
    network, vividness = network_of(run), 0.25
    logits = find_logits(network, gray, palette, hints)[0].double()
    adjustment = adjust(gray, vividness).double()
    calm = logits - adjustment * network.rebalancing.double().log()[:, None, None]
    expected = (calm / SETTINGS.temperature).softmax(0)
    found = tiny.model.find_likelihoods(tiny.encode(gray).encoding, palette, vividness, hints)
    assert found.dtype == np.float32
    assert found.shape == (TINY.bins.count, 16, 24) == expected.shape
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    np.testing.assert_allclose(found, expected, atol=5e-4)


def test_the_likelihood_of_what_is_banned_is_zero(tiny):
    encoded = tiny.encode(scene(96, 64, 3)[..., 1])
    palette = encoded.palette.ban("red")
    found = tiny.model.find_likelihoods(encoded.encoding, palette, 0.5)
    assert found[palette.forbidden].max() == 0
    assert found[~palette.forbidden].min(0).max() > 0


def test_graphs_are_compared_automatically_with_turned_hues_and_by_tone():
    """And without hints, with one, and with three."""
    shares = torch.from_numpy(toned(TINY.bins.count).tones).float()[None]
    estimate = Palettes(shares.mean(1), shares)
    own, turned, apart = export._edit(TINY.bins, estimate)
    counts = [int((reach > 0).sum()) for _, (_, _, reach) in (own, turned, apart)]
    assert counts == [0, 1, 3]
    torch.testing.assert_close(own[0].parts, estimate.parts)
    third = torch.tensor([[120.0] * 4])
    torch.testing.assert_close(turned[0].parts, TINY.bins.rotate(estimate.parts, third))
    each = torch.tensor([[0.0, 120.0, 240.0]])
    torch.testing.assert_close(apart[0].tones, TINY.bins.rotate(estimate.tones, each))
    torch.testing.assert_close(apart[0].tones.mean(1), apart[0].whole)


@pytest.mark.usefixtures("graphs")
def test_a_graph_that_takes_tones_otherwise_is_not_written(run, tmp_path, monkeypatch):
    prior = Decoder.find_prior
    monkeypatch.setattr(
        Decoder, "find_prior", lambda self, luma, *given: prior(self, 1 - luma, *given)
    )
    with pytest.raises(ModelError, match="expected logits"):
        export.export(run, tmp_path / "model", VALUES, [])


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx"])
def test_a_changed_file_is_refused(exported, tmp_path, name):
    shutil.copytree(exported[0], tmp_path / "model")
    content = bytearray((tmp_path / "model" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model" / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}: expected sha256"):
        OnnxModel(tmp_path / "model")


# --- what is refused ------------------------------------------------------------------------------


def change(model, factor):
    """Multiply the largest weights of a graph, which may then be no numbers."""
    weights = max(model.graph.initializer, key=lambda t: np.prod(t.dims))
    changed = numpy_helper.to_array(weights) * np.float32(factor)
    weights.CopyFrom(numpy_helper.from_array(changed, weights.name))


@pytest.mark.parametrize("factor", [1.1, np.nan])
@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_graphs_unlike_torchs_are_not_written(run, graphs, tmp_path, name, factor):
    change(graphs[name], factor)
    with pytest.raises(ModelError, match=r"expected logits within 0\.001 of torch's, found"):
        export.export(run, tmp_path / "model", VALUES, [])
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(("limit", "what"), [
    ("LOGITS", "expected logits"), ("MEAN", "expected chroma"), ("TAIL", "expected chroma"),
])  # fmt: skip
@pytest.mark.usefixtures("graphs")
def test_every_limit_is_kept(run, tmp_path, monkeypatch, limit, what):
    monkeypatch.setattr(export, limit, 0.0)
    with pytest.raises(ModelError, match=what):
        export.export(run, tmp_path / "model", VALUES, [])
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("graphs")
def test_a_stored_graph_that_lost_too_much_is_not_written(run, tmp_path, monkeypatch):
    halved = export._halve

    def damaged(model):
        small = halved(model)
        half = next(t for t in small.graph.initializer if t.data_type == TensorProto.FLOAT16)
        zeros = np.zeros(tuple(half.dims), np.float16)
        half.CopyFrom(numpy_helper.from_array(zeros, half.name))
        return small

    monkeypatch.setattr(export, "_halve", damaged)
    monkeypatch.setattr(export, "MEAN", 0.05)  # the tiny network's colors are faint
    with pytest.raises(ModelError, match="expected chroma within"):
        export.export(run, tmp_path / "model", VALUES, [])
    assert not (tmp_path / "model").exists()


def test_a_missing_run(tmp_path):
    with pytest.raises(DataError, match="expected a checkpoint, found none"):
        export.export(tmp_path / "none", tmp_path / "model", VALUES, [])


def test_settings_are_read_as_their_types(run, tmp_path):
    with pytest.raises(DataError, match="--set side: expected a whole number, found 'large'"):
        export.export(run, tmp_path / "model", {"side": "large"}, [])
    for name, value in (("side", "-3"), ("temperature", "0"), ("vividness", "2")):
        with pytest.raises(DataError, match=f"^{name}: expected .* to .*, found {value}"):
            export.export(run, tmp_path / "model", {name: value}, [])
    with pytest.raises(DataError, match=r"found \{'breadth': '3'\}"):
        export.export(run, tmp_path / "model", {**VALUES, "breadth": "3"}, [])
    assert not (tmp_path / "model").exists()


# --- photos to check on ---------------------------------------------------------------------------


@pytest.mark.usefixtures("graphs")
def test_a_weights_file_and_other_photos_will_do(run, photos, tmp_path):
    export.export(run / "model.safetensors", tmp_path / "model", VALUES, [str(photos)])
    assert OnnxModel(tmp_path / "model").side == 64


def test_photos_to_check_on_are_held_out_ones_in_multiples_of_32(photos):
    held = int(photo_set.hold_out(photo_set.load([str(photos)]).keys).sum())
    for chosen, count in ((True, held), (False, 8)):
        grays = export._load_grays([str(photos)], 64, held=chosen)
        assert len(grays) == count
        for gray in grays:
            assert gray.dtype == np.float32
            assert min(gray.shape) == 64
            assert max(gray.shape) % 32 == 0
            assert 0 <= gray.min() < gray.max() <= 1


def test_photos_that_are_too_small_to_check_on(photos):
    with pytest.raises(DataError, match="of 128 pixels or more, found none; name some with --data"):
        export._load_grays([str(photos)], 160, held=True)
