"""The teacher: its arithmetic, what it keeps of every photo, and that an encoder learns from it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from research.conftest import SETTINGS, fewer_crops, positions, run_config, scene, seeded
from tintype.errors import DataError
from tintype.research import export
from tintype.research.data import augmentation, photo_set
from tintype.research.methods import checkpoint, distillation
from tintype.research.training import loop


@pytest.fixture(scope="module")
def arrays():
    """Random layers as the file has them: biases first, kernels as TensorFlow Lite's."""
    rng = np.random.default_rng(0)
    layers = [m for m in distillation.Teacher().modules() if isinstance(m, distillation.Layer)]
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
    path = tmp_path_factory.mktemp("teacher") / "teacher.npz"
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
    x, seen = convolved(rgb * 2 - 1, 2), None
    plan = [16] + 2 * [24] + 3 * [32] + 4 * [64] + 3 * [96] + 3 * [160] + [320]
    halved = {1, 3, 6, 13}  # the blocks that halve the size
    for i, (inputs, outputs) in enumerate(pairwise([32, *plan])):
        y = x if i == 0 else convolved(x)
        y = convolved(convolved(y, 2 if i in halved else 1), linear=True)
        x = x + y if inputs == outputs and i not in halved else y
        seen = x if outputs == 96 else seen
    logits = convolved(convolved(x).mean((2, 3), keepdim=True), linear=True)
    features, found = distillation.load(file)(rgb)
    assert features.shape == (2, 96, 4, 4)
    torch.testing.assert_close(features, seen, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found, logits[:, :, 0, 0], rtol=1e-4, atol=1e-4)


def test_another_file_is_refused(tmp_path, arrays):
    path = tmp_path / "other.npz"
    path.write_text("no network")
    with pytest.raises(DataError, match="of a MobileNetV2"):
        distillation.load(path)
    np.savez(path, **dict(list(arrays.items())[:10]))
    with pytest.raises(DataError, match="expected 106 arrays, found 10"):
        distillation.load(path)
    np.savez(path, **(arrays | {"07.weight": arrays["01.weight"]}))
    with pytest.raises(DataError, match="expected a kernel of"):
        distillation.load(path)


def test_crops_say_where_in_the_photo_they_lie(tmp_path):
    """Pixels that name their position, against the boxes; half of the crops are mirrored."""
    for number, (high, wide) in enumerate([(100, 80), (40, 150), (20, 30)]):
        Image.fromarray(positions(high, wide, number)).save(tmp_path / f"{number}.png")
    photos = photo_set.load([str(tmp_path)])
    index = torch.arange(3).repeat(40)
    rgb, boxes = augmentation.cut_crops(photos, index, 32, seeded())
    left, top, right, bottom = boxes.T
    steps = (torch.arange(32) + 0.5) / 32
    high, wide = photos.height[index], photos.width[index]
    y = ((top[:, None] + (bottom - top)[:, None] * steps + 1) / 2 * high[:, None]) - 0.5
    x = ((left[:, None] + (right - left)[:, None] * steps + 1) / 2 * wide[:, None]) - 0.5
    assert (right < left).float().mean() == pytest.approx(0.5, abs=0.2)
    inner = slice(2, -2)  # enlarging repeats the borders
    rows, columns = 255 * rgb[:, :, 16, 0], 255 * rgb[:, 16, :, 1]
    torch.testing.assert_close(rows[:, inner], y[:, inner], rtol=0, atol=0.3)
    torch.testing.assert_close(columns[:, inner], x[:, inner], rtol=0, atol=0.3)


def test_features_are_cut_as_the_crop_is():
    """A photo whose features are their own positions, cut whole, mirrored, and to its quarter."""
    centers = (torch.arange(8) + 0.5) / 4 - 1
    features = torch.zeros(2, distillation.WIDTH, 8, 8)
    features[1, 0], features[1, 1] = centers[None, :], centers[:, None]
    outputs = distillation.TeacherOutputs(
        features.half(), torch.zeros(2, distillation.CLASSES).half()
    )
    boxes = torch.tensor([[-1.0, -1, 1, 1], [1, -1, -1, 1], [0, -1, 1, 0]])
    cut, shares = outputs.cut(torch.tensor([1, 1, 1]), boxes, 64)
    even = torch.tensor([-0.75, -0.25, 0.25, 0.75])
    torch.testing.assert_close(cut[0, 0, 0], even)
    torch.testing.assert_close(cut[1, 0, 0], -even)
    torch.testing.assert_close(cut[1, 1, :, 0], even)
    torch.testing.assert_close(cut[2, 0, 0], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    torch.testing.assert_close(cut[2, 1, :, 0], torch.tensor([-0.875, -0.625, -0.375, -0.125]))
    torch.testing.assert_close(shares, torch.full((3, 1001), 1 / 1001))


def test_its_outputs_are_kept_for_the_same_photos(photos, file, tmp_path, monkeypatch):
    cache = tmp_path / "teacher.safetensors"
    few = photo_set.load([str(photos)], limit=4)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = distillation.run_teacher(file, few, cache)
    assert outputs.features.shape == (4, 96, 8, 8)
    assert float(outputs.features.float().mean()) == pytest.approx(0, abs=0.01)
    assert float(outputs.features.float().std()) == pytest.approx(1, abs=0.02)
    with monkeypatch.context() as patch:
        patch.setattr(distillation.Teacher, "forward", None)  # which would fail if it were called
        again = distillation.run_teacher(file, few, cache)
    assert torch.equal(again.features, outputs.features)
    assert torch.equal(again.logits, outputs.logits)
    others = distillation.run_teacher(file, photo_set.load([str(photos)], limit=3), cache)
    assert len(others.logits) == 3


def test_another_teacher_s_outputs_are_not_taken(photos, file, arrays, tmp_path):
    few, cache, other = (
        photo_set.load([str(photos)], limit=2),
        tmp_path / "teacher",
        tmp_path / "other.npz",
    )
    outputs = distillation.run_teacher(file, few, cache)
    np.savez(other, **(arrays | {"52.bias": arrays["52.bias"] + 1}))
    assert not torch.equal(distillation.run_teacher(other, few, cache).logits, outputs.logits)


def test_an_encoder_learns_the_teacher_s_outputs(file, photos, tmp_path, monkeypatch):
    fewer_crops(monkeypatch)
    errors = []
    learn = loop.Run.learn

    def noting(run, batch):
        parts = learn(run, batch)
        errors.append((float(parts["teacher"]), float(parts["teacher_classes"])))
        return parts

    settings = SETTINGS | {"teacher": str(file), "label_loss": "1"}
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(loop.Run, "learn", noting)
        loop.train(
            run, run_config(photos, 60, learning_rate=0.009, warmup=1.0), settings, resume=False
        )
    first, last = (np.mean(part, axis=0) for part in (errors[:6], errors[-6:]))
    assert last[0] < 0.9 * first[0]
    assert last[1] < 0.9 * first[1]
    assert (run / "teacher.safetensors").exists()

    export.export(run, tmp_path / "model", {"side": "64"}, [])
    plain = tmp_path / "plain"
    start = str(run / "model.safetensors")
    loop.train(plain, run_config(photos, 1, start=start), SETTINGS, resume=False)
    tensors, _ = checkpoint.load(plain / "model.safetensors")
    assert not [name for name in tensors if name.startswith("distillation")]


def test_a_photo_s_views_do_not_depend_on_what_it_is_taught(file):
    """Heads for training are no part of what colors: the same weights paint the same."""
    from tintype.research.methods.tintype import Config, Network

    torch.manual_seed(0)
    small = {"widths": (4, 4, 8, 12, 16), "vocabulary": 8, "embedding": 16}
    taught = Network(Config(**small, teacher=str(file))).eval()
    plain = Network(Config(**small)).eval()
    plain.load_state_dict(
        {k: v for k, v in taught.state_dict().items() if not k.startswith("distillation.")}
    )
    luma = torch.from_numpy(scene(64, 64, 0)[..., 0]).float()[None, None] / 255
    for one, other in zip(taught.encode(luma)[0], plain.encode(luma)[0], strict=True):
        assert torch.equal(one, other)
