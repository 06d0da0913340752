"""MobileNetV2: its arithmetic, and the files that it is read from."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from research.conftest import seeded
from tintype.errors import DataError
from tintype.research.evaluation import mobilenetv2


@pytest.fixture(scope="module")
def arrays():
    """Random layers as the file has them: biases first, kernels as TensorFlow Lite's."""
    rng = np.random.default_rng(0)
    layers = [m for m in mobilenetv2.MobileNetV2().modules() if isinstance(m, mobilenetv2.Layer)]
    found = {}
    for i, layer in enumerate(layers):
        outputs, inputs, high, wide = layer.weight.shape
        shape = (1, high, wide, outputs) if layer.groups > 1 else (outputs, high, wide, inputs)
        scale = (2 / (inputs * high * wide)) ** 0.5
        found[f"{i:02}.weight"] = rng.normal(0, scale, shape).astype(np.float32)
        found[f"{i:02}.bias"] = rng.normal(0, 0.1, outputs).astype(np.float32)
    return found


@pytest.fixture(scope="module")
def file(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("classifier") / "classifier.npz"
    np.savez(path, **arrays)
    return path


def same_padding(x, kernel, bias, stride, groups):
    """TensorFlow's "same", from its definition: the padding splits evenly, the rest goes after."""
    size, k = x.shape[-1], kernel.shape[-1]
    whole = max((-(-size // stride) - 1) * stride + k - size, 0)
    before, after = whole // 2, whole - whole // 2
    return F.conv2d(F.pad(x, (before, after, before, after)), kernel, bias, stride, 0, 1, groups)


def test_the_network_computes_what_its_paper_says(file, arrays):
    """Written out once more: widen, convolve each channel, narrow, carry where sizes allow."""
    layers = iter(range(53))

    def convolved(x, stride=1, linear=False):
        i = next(layers)
        kernel, groups = torch.from_numpy(arrays[f"{i:02}.weight"]), 1
        if kernel.shape[0] == 1 and kernel.shape[1] == 3:
            kernel, groups = kernel.permute(3, 0, 1, 2), x.shape[1]
        else:
            kernel = kernel.permute(0, 3, 1, 2)
        y = same_padding(x, kernel, torch.from_numpy(arrays[f"{i:02}.bias"]), stride, groups)
        return y if linear else y.clamp(0, 6)

    rgb = torch.rand(2, 3, 64, 64, generator=seeded())
    x = convolved(rgb * 2 - 1, 2)
    plan = [16] + 2 * [24] + 3 * [32] + 4 * [64] + 3 * [96] + 3 * [160] + [320]
    halved = {1, 3, 6, 13}  # the blocks that halve the size
    for i, (inputs, outputs) in enumerate(pairwise([32, *plan])):
        y = x if i == 0 else convolved(x)
        y = convolved(convolved(y, 2 if i in halved else 1), linear=True)
        x = x + y if inputs == outputs and i not in halved else y
    pooled = convolved(x).mean((2, 3), keepdim=True)
    logits = convolved(pooled, linear=True)
    features, found = mobilenetv2.load(file)(rgb)
    torch.testing.assert_close(features, pooled[:, :, 0, 0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found, logits[:, :, 0, 0], rtol=1e-4, atol=1e-4)


def test_another_file_is_refused(tmp_path, arrays):
    path = tmp_path / "other.npz"
    path.write_text("no network")
    with pytest.raises(DataError, match="of a MobileNetV2"):
        mobilenetv2.load(path)
    np.savez(path, **dict(list(arrays.items())[:10]))
    with pytest.raises(DataError, match="expected 106 arrays, found 10"):
        mobilenetv2.load(path)
    np.savez(path, **(arrays | {"07.weight": arrays["01.weight"]}))
    with pytest.raises(DataError, match="expected a kernel of"):
        mobilenetv2.load(path)
    np.savez(path, **(arrays | {"07.weight": np.ones(3)}))
    with pytest.raises(DataError, match="expected a kernel of"):
        mobilenetv2.load(path)
