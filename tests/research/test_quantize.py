"""Convolutions of a graph in whole numbers of 8 bits."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from tintype.research.quantize import quantize
from tintype.runtime import ort


@pytest.fixture(scope="module")
def layers():
    """Weights of a large convolution, whose channels differ a thousandfold, and a small one."""
    rng = np.random.default_rng(0)
    large = rng.normal(size=(40, 64, 3, 3)) * np.geomspace(0.01, 10, 40)[:, None, None, None]
    return large.astype(np.float32), rng.normal(size=(5, 40, 1, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def graph(layers):
    tensors = [numpy_helper.from_array(w, name) for w, name in zip(layers, "ab", strict=True)]
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["mid"], "large", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["mid", "b"], ["y"], "small"),
    ]
    given, made = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, None, None])
        for name, channels in (("x", 64), ("mid", 40))
    )
    made_too = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, None, None])
    whole = helper.make_graph(nodes, "two", [given], [made, made_too], tensors)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def photos(count: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 2, (1, 64, 9, 7)).astype(np.float32) for _ in range(count)]


def test_large_convolutions_are_in_whole_numbers_and_near_what_they_were(graph, layers):
    found = quantize(graph, ({"x": photo} for photo in photos(8, 1)))
    kept = {
        t.data_type: numpy_helper.to_array(t) for t in found.graph.initializer if len(t.dims) == 4
    }
    assert kept.keys() == {TensorProto.INT8, TensorProto.FLOAT}
    assert np.array_equal(kept[TensorProto.FLOAT], layers[1])
    whole = kept[TensorProto.INT8].astype(int)
    assert whole.shape == layers[0].shape
    assert np.all(np.abs(whole).max((1, 2, 3)) == 64)  # 7 bits, and a scale for each channel
    session = ort.InferenceSession(found.SerializeToString(), providers=["CPUExecutionProvider"])
    for photo in photos(3, 2):
        (mid,) = session.run(["mid"], {"x": photo})
        true = torch.conv2d(torch.from_numpy(photo), torch.from_numpy(layers[0]), padding=1).numpy()
        spread = true.std((0, 2, 3))
        assert np.all(np.abs(mid - true).mean((0, 2, 3)) < 0.06 * spread.max())


def test_inputs_are_cut_off_where_none_was_measured(graph):
    (photo,) = photos(1, 1)
    found = quantize(graph, iter([{"x": photo}]))
    session = ort.InferenceSession(found.SerializeToString(), providers=["CPUExecutionProvider"])
    top = np.full_like(photo, photo.max())
    one, other = (session.run(["mid"], {"x": x})[0] for x in (top, 5 * top))
    np.testing.assert_array_equal(one, other)


def test_small_convolutions_are_left_alone(graph):
    small = helper.make_model(
        helper.make_graph(
            [graph.graph.node[1]],
            "one",
            [helper.make_tensor_value_info("mid", TensorProto.FLOAT, [1, 40, 4, 4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 4, 4])],
            [graph.graph.initializer[1]],
        )
    )
    assert quantize(small, iter([])) is small
