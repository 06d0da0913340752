"""VGG-16's later layers learn classes; a teacher's stay; the file is one that methods take."""

import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from research.conftest import fewer_crops, scene, scenes, seeded
from tintype.cli import cli
from tintype.errors import DataError
from tintype.research.data import packing, photo_set
from tintype.research.data.packing import Options
from tintype.research.methods import checkpoint, fenu2016, vgg16
from tintype.research.methods.tintype import efficientnet
from tintype.research.training import pretrain

WIDTHS = (4, 6, 8, 8, 8)


@pytest.fixture
def teacher(tmp_path):
    """A file of the first three stages, as they take BGR, 0..255."""
    torch.manual_seed(1)
    state = vgg16.Vgg16(WIDTHS).state_dict()
    early = {
        name: state[place].numpy()
        for name, place in vgg16.TEACHER_NAMES.items()
        if int(place.split(".")[1]) < pretrain.LATER
    }
    np.savez(tmp_path / "teacher.npz", **early)
    return tmp_path / "teacher.npz"


@pytest.fixture(scope="module")
def guide(tmp_path_factory):
    """A file of EfficientNet-Lite0's shape, in color, as it is published."""
    torch.manual_seed(2)
    backbone = efficientnet.Backbone()
    backbone._conv_stem = efficientnet.Conv(3, efficientnet.STEM, 3, 2)
    path = tmp_path_factory.mktemp("guide") / "lite0.pth"
    torch.save(backbone.state_dict(), path)
    return path


def network(teacher, **settings):
    torch.manual_seed(0)
    config = pretrain.Config(teacher=str(teacher), widths=WIDTHS, classes=4, **settings)
    made = pretrain.Network(config)
    made.count_colors([scenes(16)])
    return made.train()


def test_one_batch_is_learned_and_the_teacher_stays(teacher):
    made, rgb, labels = network(teacher), scenes(4), torch.arange(4)
    before = {name: t.clone() for name, t in made.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in made.parameters() if p.requires_grad], 0.01)
    for _ in range(150):
        loss, parts = made(rgb, labels, seeded(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert parts["right"] == 1
    for name, tensor in made.vgg.features.named_parameters():
        same = torch.equal(tensor, before[f"vgg.features.{name}"])
        assert same == (int(name.split(".")[0]) < pretrain.LATER)


def test_a_guides_views_are_learned_where_no_class_is_told(teacher, guide):
    made, rgb = network(teacher, guide=str(guide)), scenes(4)
    unknown = torch.full((4,), -1)
    before = {name: t.clone() for name, t in made.guide.backbone.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in made.parameters() if p.requires_grad], 0.01)
    errors = []
    for _ in range(40):
        loss, parts = made(rgb, unknown, seeded(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(float(parts["views"]))
    assert parts["labels"] == 0
    assert errors[-1] < 0.7 * errors[0]
    after = made.guide.backbone.state_dict()
    assert all(torch.equal(t, after[name]) for name, t in before.items())


def test_the_file_has_no_norms_and_sees_what_was_learned(teacher):
    made, gray = network(teacher), scenes(8).mean(-1)[:, None].expand(-1, 3, -1, -1)
    for _ in range(3):
        made(scenes(16), torch.arange(16) % 4, seeded(3))  # the norms count
    seen = made.eval().vgg(gray)
    plain = vgg16.Vgg16(WIDTHS)
    plain.load_state_dict(pretrain.fold(made.vgg).state_dict())
    for found, expected in zip(plain(gray), seen, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_trained_layers_learn_at_the_scale_of_one(teacher):
    """A teacher's features are in the hundreds; behind them nothing would be learned."""
    taps = network(teacher).vgg(scenes(16).mean(-1)[:, None].expand(-1, 3, -1, -1))
    assert taps[2].square().mean() > 1000
    assert 0.2 < taps[3].square().mean() < 1


def test_the_command_leaves_a_file_that_a_method_takes(teacher, guide, tmp_path, monkeypatch):
    fewer_crops(monkeypatch)
    for k, name in enumerate(("cats", "dogs")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(6):
            Image.fromarray(scene(40, 40, 6 * k + i)).save(tmp_path / "photos" / name / f"{i}.png")
    words = ["pretrain-vgg", "--data", str(tmp_path / "photos"), "--teacher", str(teacher)]
    words += ["--guide", str(guide), "-o", str(tmp_path / "run"), "--steps", "2"]
    for pair in (
        f"widths={list(WIDTHS)}",
        "crop_size=32",
        "late_crop_size=64",
        "batch=4",
        "precision=no",
    ):
        words += ["--set", pair]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    file = tmp_path / "run" / "vgg16.safetensors"
    assert result.output.splitlines()[-1] == str(file)
    assert vgg16.load(file).widths == WIDTHS
    assert re.search(r"teacher.npz, .*lite0.pth; names the class of", vgg16.describe_origin(file))
    made = fenu2016.Network(fenu2016.Config(vgg=str(file), connected=16))
    assert made.vgg.widths == WIDTHS
    tensors, about = checkpoint.load(tmp_path / "run" / "last.safetensors")
    older = {name.replace(".17.0.", ".17."): t for name, t in tensors.items()}  # without norms
    checkpoint.save(tmp_path / "run" / "last.safetensors", older, about)
    result = CliRunner().invoke(cli, [*words, "--resume"])
    assert isinstance(result.exception, DataError)
    assert "expected a run of this network, found another" in str(result.exception)


def draw_classes(folder, side=16):
    """A folder of 120 photos of each of two classes; gives their keys."""
    keys = [f"{name}/{i}" for name in ("cats", "dogs") for i in range(120)]
    for number, key in enumerate(keys):
        path = folder / f"{key}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(side, side, number)).save(path)
    return keys


def save_dog_lover(teacher, folder, **run):
    """A run whose network sees dogs everywhere."""
    made = network(teacher)
    with torch.no_grad():
        made.classify.weight.zero_()
        made.classify.bias.copy_(torch.tensor([0.0, 1.0, 0.0, 0.0]))
    about = {"method": "vgg16", "config": {"widths": WIDTHS, "classes": 4}}
    checkpoint.save(folder / "model.safetensors", made.state_dict(), about | {"run": run})


def test_what_is_measured_is_what_the_classes_are(teacher, tmp_path):
    keys = draw_classes(tmp_path / "photos")
    save_dog_lover(teacher, tmp_path, data=[str(tmp_path / "photos")], size=128)
    held = [k for k, h in zip(keys, photo_set.hold_out(keys), strict=True) if h]
    share, count = pretrain.measure(tmp_path)
    assert count == len(held) > 1
    assert share == sum(k.startswith("dogs") for k in held) / len(held)


def test_what_a_run_did_not_read_is_not_measured(teacher, tmp_path):
    """Cats come first, and alone they tell no class."""
    draw_classes(tmp_path / "photos")
    save_dog_lover(teacher, tmp_path, data=[str(tmp_path / "photos")], size=128, limit=120)
    assert pretrain.measure(tmp_path) == (0, 0)
    pretrain.extract(tmp_path)
    assert "names the class" not in vgg16.describe_origin(tmp_path / "vgg16.safetensors")


def test_of_shards_those_of_validation_are_measured(teacher, tmp_path):
    draw_classes(tmp_path / "photos", side=64)
    options = Options(size=64, per_shard=100, validation=0.2)
    packing.pack([str(tmp_path / "photos")], tmp_path / "shards", options, workers=1)
    save_dog_lover(teacher, tmp_path, data=[str(tmp_path / "shards")], size=64)
    apart = photo_set.load([str(tmp_path / "shards" / "validation-*.tar")])
    share, count = pretrain.measure(tmp_path)
    assert count == len(apart) > 10
    assert share == sum(key.startswith("dogs") for key in apart.keys) / count


def test_other_runs_hold_no_vgg(run):
    with pytest.raises(DataError, match="expected a run of pretrain-vgg"):
        pretrain.extract(run)


def test_fetching_says_what_went_wrong(monkeypatch, tmp_path):
    def refused(_target):
        raise DataError("no network")

    monkeypatch.setattr(vgg16, "fetch", refused)
    result = CliRunner().invoke(cli, ["weights", "fetch", "vgg16", "-o", str(tmp_path / "x")])
    assert isinstance(result.exception, DataError)
