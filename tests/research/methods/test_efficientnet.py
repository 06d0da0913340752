"""The backbone: its arithmetic, TensorFlow's padding, published layouts, and files of weights."""

import pytest
import torch
from torch.nn import functional as F

from research.conftest import save_published, seeded
from tintype.errors import DataError
from tintype.research.methods.tintype import efficientnet
from tintype.research.methods.tintype.efficientnet import Backbone, Conv

LITE0 = {  # of the published file
    "_conv_stem.weight": (32, 3, 3, 3),
    "_blocks.0._depthwise_conv.weight": (32, 1, 3, 3),
    "_blocks.0._project_conv.weight": (16, 32, 1, 1),
    "_blocks.1._expand_conv.weight": (96, 16, 1, 1),
    "_blocks.3._depthwise_conv.weight": (144, 1, 5, 5),
    "_blocks.5._depthwise_conv.weight": (240, 1, 3, 3),
    "_blocks.8._depthwise_conv.weight": (480, 1, 5, 5),
    "_blocks.11._expand_conv.weight": (672, 112, 1, 1),
    "_blocks.15._depthwise_conv.weight": (1152, 1, 3, 3),
    "_blocks.15._project_conv.weight": (320, 1152, 1, 1),
    "_blocks.15._bn2.running_mean": (320,),
}
PARAMETERS = 4_652_008  # of the published Lite0, its head and its classifier among them
HEAD = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000


@pytest.fixture
def backbone():
    """A small one whose norms have counted something."""
    torch.manual_seed(0)
    made = Backbone(0.25, 0.6)
    for name, values in made.state_dict().items():
        if "running_mean" in name or "running_var" in name or ("bn" in name and "weight" in name):
            values.copy_(0.5 + torch.rand(values.shape, generator=seeded(len(name))))
    return made.eval()


@pytest.mark.parametrize(
    ("kernel", "stride", "windows"),
    [
        (3, 1, [(0, 2), (0, 3), (1, 4), (2, 4)]),
        (5, 1, [(0, 3), (0, 4), (0, 4), (1, 4)]),
        (3, 2, [(0, 3), (2, 4)]),  # nothing before, one after
        (5, 2, [(0, 4), (1, 4)]),  # one before, two after
    ],
)
def test_convolutions_pad_as_tensorflow_does(kernel, stride, windows):
    """Rows that each sum takes in of four, by hand from TensorFlow's definition of "same"."""
    conv = Conv(1, 1, kernel, stride)
    conv.weight.data.fill_(1)
    x = torch.arange(16.0).reshape(4, 4) ** 2
    expected = [[x[a:b, c:d].sum() for c, d in windows] for a, b in windows]
    torch.testing.assert_close(conv(x[None, None])[0, 0], torch.tensor(expected))


def test_the_network_computes_what_its_paper_says(backbone):
    """Written out once more, from the names of the published file."""
    state = backbone.state_dict()

    def convolved(x, name, norm, stride=1):
        kernel = state[f"{name}.weight"]
        size, k = x.shape[-1], kernel.shape[-1]
        whole = max((-(-size // stride) - 1) * stride + k - size, 0)
        x = F.pad(x, 2 * (whole // 2, whole - whole // 2))
        groups = x.shape[1] if kernel.shape[1] == 1 and x.shape[1] > 1 else 1
        y = F.conv2d(x, kernel, None, stride, 0, 1, groups)
        parts = (state[f"{norm}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        mean, var, weight, bias = (p[:, None, None] for p in parts)
        return (y - mean) / (var + 1e-3).sqrt() * weight + bias

    luma = torch.rand(2, 1, 64, 64, generator=seeded())
    x = convolved((255 * luma - 127) / 128, "_conv_stem", "_bn0", 2).clamp(0, 6)
    counts, strides = [1, 2, 2, 2, 2, 3, 1], [1, 2, 2, 2, 1, 2, 1]  # 0.6 times as deep
    views, number = [], 0
    for stage, (count, stride) in enumerate(zip(counts, strides, strict=True)):
        for i in range(count):
            start = f"_blocks.{number}."
            y = x
            if stage:
                y = convolved(x, start + "_expand_conv", start + "_bn0").clamp(0, 6)
            y = convolved(y, start + "_depthwise_conv", start + "_bn1", 1 if i else stride)
            y = convolved(y.clamp(0, 6), start + "_project_conv", start + "_bn2")
            x = x + y if i else y
            number += 1
        views.append(x)
    with torch.no_grad():
        found = backbone(luma)
    assert len(backbone._blocks) == number
    assert backbone.widths == tuple(view.shape[1] for view in found)
    for view, expected in zip(found, [views[i] for i in (1, 2, 4, 6)], strict=True):
        torch.testing.assert_close(view, expected, atol=1e-3, rtol=1e-3)


def test_lite0_has_the_published_layout():
    state = Backbone().state_dict()
    for name, shape in LITE0.items():
        wanted = (32, 1, 3, 3) if name == "_conv_stem.weight" else shape  # gray is all it sees
        assert tuple(state[name].shape) == wanted, name
    count = sum(p.numel() for p in Backbone().parameters())
    assert count == PARAMETERS - HEAD - 2 * 32 * 9


def test_lite2_has_the_published_layout():
    blocks = Backbone(1.1, 1.2)._blocks
    widths = [block._project_conv.out_channels for block in blocks]
    counts = [1, 3, 3, 4, 4, 5, 1]
    table = [16, 24, 48, 88, 120, 208, 352]
    assert widths == [w for w, count in zip(table, counts, strict=True) for _ in range(count)]


def test_published_weights_see_of_gray_what_they_see_of_its_colors(backbone, tmp_path):
    state = save_published(backbone, tmp_path / "weights.pth")
    luma = torch.rand(1, 1, 32, 32, generator=seeded())
    rgb = F.pad((255 * luma.expand(-1, 3, -1, -1) - 127) / 128, (0, 1, 0, 1))
    expected = F.conv2d(rgb, state["_conv_stem.weight"], None, 2)
    other = Backbone(0.25, 0.6).eval()
    efficientnet.load(other, tmp_path / "weights.pth")
    torch.testing.assert_close(other._conv_stem((255 * luma - 127) / 128), expected)
    name = "_blocks.3._project_conv.weight"
    assert torch.equal(other.state_dict()[name], state[name])


def test_other_files_are_refused(backbone, tmp_path):
    path = tmp_path / "weights.pth"
    state = save_published(backbone, path)

    def refused():
        with pytest.raises(DataError, match=r"EfficientNet-Lite's .*, found") as caught:
            efficientnet.load(Backbone(0.25, 0.6), path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    torch.save({k: v for k, v in state.items() if "_blocks.1._bn2" not in k}, path)
    assert "_blocks.1._bn2.weight" in refused()
    torch.save(state | {"_blocks.99._bn2.weight": torch.zeros(3)}, path)
    assert "_blocks.99._bn2.weight" in refused()
    save_published(Backbone(0.5, 0.6), path)
    refused()
    torch.save([1, 2], path)
    refused()
    path.write_text("no weights")
    refused()
    path.unlink()
    refused()
