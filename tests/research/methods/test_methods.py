"""What all methods have in common: names, shapes, ranges, repeatable results, checkpoints."""

import inspect
import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from research.conftest import fewer_crops, interrupted_after, run_config, scenes, seeded
from tintype.bins import Bins
from tintype.errors import DataError, PaletteError
from tintype.palette import Palette
from tintype.research.methods import METHODS, checkpoint
from tintype.research.training import loop

TRAINABLE = [name for name in METHODS if name != "gray"]
STEERED = ["deshpande2015", "fenu2016", "tintype"]
SIZES = [(1, 32, 32), (2, 40, 56), (1, 33, 71)]


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


def made(name, config):
    """A network that has counted colors, and whose batch norms have seen a photo."""
    torch.manual_seed(0)
    network = METHODS[name].network(config[name])
    network.count_colors([scenes(8)])
    with torch.no_grad():
        network.train()(scenes(4), torch.full((4,), -1), seeded())
    return network.eval()


def grays(batch, high, wide):
    return torch.rand(batch, 1, high, wide, generator=seeded(5))


# --- coloring ------------------------------------------------------------------------------------


def test_every_method_has_the_same_names(method):
    module = METHODS[method]
    for name in ("colorize", "preview"):
        first = inspect.signature(getattr(METHODS["tintype"], name)).parameters
        own = inspect.signature(getattr(module, name)).parameters
        assert [n.strip("_") for n in own] == [n.strip("_") for n in first]
        assert [p.default for p in own.values()] == [p.default for p in first.values()]


@pytest.mark.parametrize("size", SIZES)
def test_colors_are_rgb_of_the_photos_size(method, config, size):
    rgb = METHODS[method].colorize(made(method, config), grays(*size))
    assert rgb.shape == (*size, 3)
    assert rgb.dtype == torch.float32
    assert rgb.isfinite().all()
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert not rgb.requires_grad


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white_photos_are_colored_too(method, config, value):
    rgb = METHODS[method].colorize(made(method, config), torch.full((1, 1, 32, 32), value))
    assert rgb.isfinite().all()
    assert (rgb >= 0).all()
    assert (rgb <= 1).all()


def test_colors_are_the_same_every_time_and_whatever_is_beside(method, config):
    network, colorize = made(method, config), METHODS[method].colorize
    photos = grays(3, 32, 48)
    first = colorize(network, photos)
    assert torch.equal(first, colorize(network, photos))
    alone = torch.cat([colorize(network, photos[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(first, alone, atol=1e-4, rtol=1e-4)


def test_a_checkpoint_colors_like_its_network(method, config, tmp_path):
    module, network = METHODS[method], made(method, config)
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, network.state_dict(), {"config": asdict(config[method])})
    tensors, about = checkpoint.load(path)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in about["config"].items()}
    torch.manual_seed(7)
    again = module.network(module.config(**values)).eval()
    again.load_state_dict(tensors)
    photo = grays(1, 32, 32)
    assert torch.equal(module.colorize(network, photo), module.colorize(again, photo))


def test_pinned_weights_are_not_in_checkpoints(method, config):
    stored = [name for name in made(method, config).state_dict() if name.startswith("vgg.")]
    assert stored == (["vgg.fingerprint"] if METHODS[method].pins_vgg else [])


def test_previews_are_photos(method, config):
    rgb = scenes(1, 64)
    painted = METHODS[method].preview(made(method, config), rgb, rgb.mean(-1)[:, None])
    assert painted
    for photo in painted.values():
        assert photo.shape == (64, 64, 3)
        assert photo.min() >= 0
        assert photo.max() <= 1


# --- palettes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", STEERED)
def test_a_palette_changes_the_colors_and_the_own_one_does_not(method, config):
    network, colorize = made(method, config), METHODS[method].colorize
    photo = grays(1, 32, 32)
    _, estimate, _ = network.encode(photo)
    own = Palette(config[method].bins, estimate.whole[0].detach().numpy())
    automatic = colorize(network, photo)
    torch.testing.assert_close(colorize(network, photo, own), automatic, atol=1e-4, rtol=1e-4)
    red = colorize(network, photo, own.towards("red", 1.0))
    assert (red - automatic).abs().max() > 1e-4


@pytest.mark.parametrize("method", STEERED)
def test_a_palette_of_other_bins_is_refused(method, config):
    other = Palette.of_chroma(Bins(5, (0.1, 0.2)), np.zeros((1, 2)))
    with pytest.raises(PaletteError, match="over this network's bins, found another's"):
        METHODS[method].colorize(made(method, config), grays(1, 32, 32), other)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in STEERED])
def test_a_palette_is_refused_where_there_is_no_steering(method, config):
    palette = Palette.of_chroma(Bins(), np.zeros((1, 2)))
    with pytest.raises(PaletteError, match="expected no palette"):
        METHODS[method].colorize(made(method, config), grays(1, 32, 32), palette)


# --- training -------------------------------------------------------------------------------------


def test_losses_are_numbers_that_go_by_the_generator_alone(method, config):
    network = made(method, config)
    with torch.no_grad():
        one, same = (network(scenes(4), torch.full((4,), -1), seeded(1)) for _ in range(2))
    assert one[0].shape == ()
    assert one[0].isfinite()
    assert one[0] == same[0]
    assert all(part.isfinite() and part.shape == () for part in one[1].values())


@pytest.mark.parametrize("method", TRAINABLE)
def test_losses_in_half_precision_are_nearly_the_same(method, config):
    network = made(method, config).train()
    with torch.no_grad():
        exact, _ = network(scenes(4), torch.full((4,), -1), seeded(1))
        with torch.autocast("cpu", torch.bfloat16):
            half, _ = network(scenes(4), torch.full((4,), -1), seeded(1))
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=0.05)


@pytest.mark.parametrize(
    ("method", "steps", "part", "least"),
    [
        ("cheng2015", 150, "pixels", 0.01),
        ("dahl2016", 300, "pixels", 0.03),
        ("zhang2016", 100, "pixels", 0.02),
        ("fenu2016", 250, "l1", 0.1),
        ("fenu2016", 250, "palette", 0.05),
        ("tintype", 200, "pixels", 0.1),
    ],
)
def test_one_batch_is_learned_by_heart(method, steps, part, least, config):
    torch.manual_seed(3)  # Dahl's last layers have three channels: other draws may lose one
    network = METHODS[method].network(config[method]).train()
    rgb, labels = scenes(2), torch.full((2,), -1)
    network.count_colors([rgb])
    optimizer = torch.optim.Adam(network.parameters())
    parts = []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / steps)
        loss, now = network(rgb, labels, seeded(3))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        parts.append(now[part].item())
    assert parts[-1] < least < parts[0] / 4


def as_settings(config):
    """A config's fields as `--set` gives them."""
    values = asdict(config).items()
    return {name: v if isinstance(v, str) else json.dumps(v) for name, v in values}


@pytest.mark.parametrize("method", TRAINABLE)
def test_every_method_trains_by_name_and_resumes(method, config, photos, tmp_path, monkeypatch):
    fewer_crops(monkeypatch)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    given = as_settings(config[method])
    if method == "fenu2016":
        given["first_steps"] = "1"
    run = run_config(photos, 4, method=method, checkpoint_seconds=0.0)
    loop.train(whole, run, given, resume=False)
    with monkeypatch.context() as patch:
        interrupted_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            loop.train(parts, run, given, resume=False)
    loop.train(parts, run, given, resume=True)
    tensors, about = checkpoint.load(whole / "model.safetensors")
    assert about["method"] == method
    METHODS[method].network(config[method]).load_state_dict(tensors)
    resumed, _ = checkpoint.load(parts / "model.safetensors")
    assert [name for name in tensors if not torch.equal(tensors[name], resumed[name])] == []


def test_gray_has_nothing_to_train(photos, tmp_path):
    with pytest.raises(DataError, match="expected a method that can be trained, found 'gray'"):
        loop.train(tmp_path / "run", run_config(photos, 2, method="gray"), {}, resume=False)


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].pins_vgg])
def test_a_method_over_vgg_says_that_it_needs_one(method, photos, tmp_path):
    with pytest.raises(DataError, match="vgg: expected a file of VGG-16's weights"):
        loop.train(tmp_path / "run", run_config(photos, 600, method=method), {}, resume=False)
