"""Model folders of format 2, as 0.3 exported them, are read and used as they were meant."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tintype.bins import OKLAB
from tintype.errors import PaletteError
from tintype.hints import Hints
from tintype.model import OnnxModel
from tintype.palette import Palette

COUNT = OKLAB.count
ESTIMATE = np.random.default_rng(0).dirichlet(np.ones(COUNT)).astype(np.float32)
BEFORE = np.roll(ESTIMATE, 5)  # what the estimate was before it learned from recipes
GRAY = np.full((32, 64), 102, dtype=np.uint8)


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array, dtype=np.float32), name)


def graph(nodes, inputs, outputs, constants):
    made = helper.make_graph(nodes, "graph", inputs, outputs, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def make_encoder():
    """The luma averaged over 4 x 4 pixels, and palettes that are the same for all photos."""
    pool = helper.make_node(
        "AveragePool", ["luma"], ["feature0"], kernel_shape=[4, 4], strides=[4, 4]
    )
    named = {"palette": ESTIMATE[None], "estimate": BEFORE[None], "shares": [[0.5, 0.5]]}
    named["prototypes"] = np.stack([ESTIMATE, BEFORE])
    nodes = [pool, *(helper.make_node("Identity", [f"{n}_"], [n]) for n in named)]
    shapes = [value(name, *np.shape(array)) for name, array in named.items()]
    return graph(
        nodes,
        [value("luma", 1, 1, "h", "w")],
        [value("feature0", 1, 1, "a", "b"), *shapes],
        [constant(f"{name}_", array) for name, array in named.items()],
    )


def make_decoder():
    """Chroma that is the feature times bin 3 of the palette, and times what else is given."""
    parts = {"palette": 3, "estimate": 7, "shadows": 9}
    nodes = [
        helper.make_node("Gather", ["tones", "first"], ["shadows"], axis=1),
        *(helper.make_node("Gather", [n, f"at_{n}"], [f"{n}_share"], axis=1) for n in parts),
        helper.make_node("Sum", ["estimate_share", "shadows_share"], ["other"]),
        helper.make_node("Mul", ["feature0", "palette_share"], ["a"]),
        helper.make_node("Mul", ["feature0", "other"], ["b"]),
        helper.make_node("Concat", ["a", "b"], ["chroma"], axis=1),
    ]
    index = [numpy_helper.from_array(np.array([k]), f"at_{n}") for n, k in parts.items()]
    inputs = [value("palette", 1, COUNT), value("estimate", 1, COUNT), value("tones", 1, 3, COUNT)]
    inputs += [value("bias", 1, COUNT), value("luma", 1, 1, "h", "w")]
    return graph(
        nodes,
        [*inputs, value("feature0", 1, 1, "h", "w")],
        [value("chroma", 1, 2, "h", "w")],
        [*index, numpy_helper.from_array(np.array(0), "first")],
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("format-2")
    graphs = {"encoder.onnx": make_encoder(), "decoder.onnx": make_decoder()}
    for name, content in graphs.items():
        (folder / name).write_bytes(content)
    about = {
        "format": 2,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in graphs.items()},
        "side": 32,
        "bins": {"hues": OKLAB.hues, "chromas": list(OKLAB.chromas)},
        "rebalancing": [1.0] * COUNT,
        "undo": [1, 0],
        "vividness": 0.5,
    }
    (folder / "model.json").write_text(json.dumps(about))
    return OnnxModel(folder, threads=1)


def test_estimate_and_reference_have_other_names(model):
    encoding = model.encode(GRAY)
    np.testing.assert_allclose(encoding.palette.shares, ESTIMATE / ESTIMATE.sum(), rtol=1e-5)
    np.testing.assert_allclose(encoding.reference.shares, BEFORE / BEFORE.sum(), rtol=1e-5)
    assert encoding.palette.tones is None
    assert len(encoding.alternatives) == 4


def test_the_decoder_is_given_what_it_was(model):
    """Hand-worked: luma 0.4, times shares of the palette, and of reference and shadows."""
    encoding = model.encode(GRAY)
    shadows = np.eye(COUNT)[9]
    tones = np.stack([0.5 * shadows + 0.5 * np.eye(COUNT)[0], shadows, shadows])
    palette = replace(encoding.palette, tones=tones)
    chroma = model.decode(encoding, palette, 0.5)
    expected = 0.4 * np.array([ESTIMATE[3], BEFORE[7] + 0.5])
    np.testing.assert_allclose(chroma, np.broadcast_to(expected, (8, 16, 2)), rtol=1e-4)


def test_it_takes_no_hints(model):
    hints = Hints(np.zeros((1, 2)), np.zeros((1, 2)), np.ones(1))
    encoding = model.encode(GRAY)
    assert not model.takes_hints
    with pytest.raises(PaletteError, match="expected no hints: this model takes none, found 1"):
        model.decode(encoding, Palette(OKLAB, ESTIMATE), 0.5, hints)


def test_it_tells_no_likelihoods(model):
    encoding = model.encode(GRAY)
    with pytest.raises(PaletteError, match="expected a model that tells how likely colors are"):
        model.find_likelihoods(encoding, encoding.palette, 0.5)
