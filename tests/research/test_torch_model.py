"""A run used like a model folder: what `Colorizer` promises holds for every method."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from research.conftest import saved, scene
from tintype.cli import cli
from tintype.color import luma, rgb_to_hsv, rgb_to_oklab
from tintype.colorizer import Colorizer
from tintype.errors import DataError, PaletteError
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research.methods import METHODS, checkpoint, fenu2016
from tintype.research.torch_model import TorchModel, load
from tintype.result import in_gamut

STEERED = ["deshpande2015", "fenu2016", "tintype"]


@pytest.fixture(params=METHODS)
def trained(request, config, tmp_path):
    return Colorizer(TorchModel(saved(tmp_path, request.param, config[request.param]), threads=1))


@pytest.fixture(params=STEERED)
def steered(request, config, tmp_path):
    return Colorizer(TorchModel(saved(tmp_path, request.param, config[request.param]), threads=1))


def photo(width=200, height=150):
    return Image.fromarray(scene(width, height, 3)).convert("L")


def test_luma_is_kept_at_full_size(trained):
    result = trained.colorize(photo())
    rgb = np.asarray(result.image, dtype=np.float64)
    assert rgb.shape == (150, 200, 3)
    gap = np.abs(luma(rgb) - np.asarray(photo(), dtype=np.float64))
    assert (gap <= 1).mean() >= 0.999


def test_colors_are_those_of_the_method(trained):
    """The small chroma is the network's own, joined to the luma and brought into its gamut."""
    encoded = trained.encode(photo())
    luma_, model = encoded.encoding.luma, trained.model
    own = model.paint(luma_, model.joining)
    expected, palette = in_gamut(luma_, rgb_to_oklab(own)[..., 1:], trained.bins)
    result = trained.decode(encoded)
    np.testing.assert_allclose(result.chroma, expected, atol=0.05)
    np.testing.assert_allclose(result.palette.shares, palette.shares, atol=1e-3)
    assert model.method == "gray" or np.abs(result.chroma).max() > 0.1


def test_a_luma_is_not_taken_for_v(config, tmp_path, monkeypatch):
    """What is red at full saturation stays so, where V's place would halve its chroma."""
    fenu = Colorizer(TorchModel(saved(tmp_path, "fenu2016", config["fenu2016"]), threads=1))

    def red(_network, _taps, gray, *_):
        unit = torch.zeros(*gray.shape[-2:], 2) + torch.tensor([0.9, 0.5])  # S 0.8, H 0
        return fenu2016.paint(unit[None], gray, _network.config)

    functions = replace(fenu.model.functions, decode=red)
    monkeypatch.setattr(fenu.model, "functions", functions)
    result = fenu.decode(fenu.encode(Image.new("L", (64, 64), 90)))
    hue, saturation, _ = rgb_to_hsv(np.asarray(result.image)[32, 32] / 255)
    assert min(hue, 1 - hue) < 0.02
    assert saturation == pytest.approx(0.8, abs=0.05)


def test_vgg_can_have_moved(config, tmp_path, narrow):
    run = saved(tmp_path, "dahl2016", config["dahl2016"])
    tensors, about = checkpoint.load(run / "model.safetensors")
    about["config"]["vgg"] = "elsewhere.safetensors"
    checkpoint.save(run / "model.safetensors", tensors, about)
    with pytest.raises(DataError, match=r"elsewhere\.safetensors"):
        TorchModel(run)
    assert TorchModel(run, vgg=narrow).method == "dahl2016"
    deep = tmp_path / "runs" / "deep"
    deep.mkdir(parents=True)
    shutil.copy(run / "model.safetensors", deep)
    shutil.copy(narrow, tmp_path / "elsewhere.safetensors")
    assert TorchModel(deep).method == "dahl2016"  # above the run, wherever we are


def test_weights_of_nan_are_refused(config, tmp_path):
    run = saved(tmp_path, "zhang2016", config["zhang2016"])
    tensors, about = checkpoint.load(run / "model.safetensors")
    tensors["classify.bias"][3] = torch.nan
    checkpoint.save(run / "model.safetensors", tensors, about)
    with pytest.raises(DataError, match=r"weights that are numbers, found classify\.bias without"):
        load(run)


def test_a_run_of_another_version_is_refused(tmp_path):
    about = {"method": "zhang2016", "config": {"width": 0.1, "depth": 3}}
    checkpoint.save(tmp_path / "model.safetensors", {}, about)
    with pytest.raises(DataError, match=r"expected a run of this version, found another: .*depth"):
        load(tmp_path)


def test_the_same_photo_gets_the_same_colors(trained):
    first, second = (np.asarray(trained.colorize(photo()).image) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_an_edit_changes_colors_and_runs_no_encoder(steered, monkeypatch):
    encoded = steered.encode(photo())
    automatic = steered.decode(encoded)
    monkeypatch.setattr(steered.model.network, "encode", None)
    own = steered.decode(encoded, Recipe(encoded.palette))
    np.testing.assert_allclose(own.chroma, automatic.chroma, atol=1e-3)
    recipe = Recipe().towards("red", 1.0)
    red = steered.decode(encoded, recipe)
    assert np.abs(red.chroma - automatic.chroma).max() > 0.1
    assert recipe.reached(steered, encoded, red) is not None


def test_tones_matter_where_the_method_takes_them(steered):
    encoded = steered.encode(photo())
    tones = np.eye(steered.bins.count)[[1, 2, 1 + steered.bins.hues // 2]] + encoded.palette.shares
    palette = Palette(steered.bins, tones.mean(0), tones=tones)
    plain = steered.decode(encoded, Recipe(replace(palette, tones=None))).chroma
    gap = np.abs(steered.decode(encoded, Recipe(palette)).chroma - plain).max()
    assert gap > 1 if steered.model.method == "tintype" else gap == 0


def test_a_photos_own_palette_can_be_given(steered):
    palette = Palette.measure(scene(200, 150, 3), steered.bins)
    assert palette.tones is not None
    result = steered.decode(steered.encode(photo()), Recipe(palette))
    assert np.isfinite(result.chroma).all()


def test_a_recipe_works_on_a_run(steered):
    encoded = steered.encode(photo())
    recipe = Recipe().shift_hue(120)
    assert np.isfinite(recipe.reached(steered, encoded, steered.decode(encoded, recipe)))


def test_a_run_has_no_alternatives(steered):
    with pytest.raises(PaletteError, match="expected a model with alternatives, found one without"):
        steered.colorize(photo(), Recipe(alternative=1))


def test_a_banned_hue_does_not_come_out(config, tmp_path):
    model = TorchModel(saved(tmp_path, "fenu2016", config["fenu2016"]), threads=1)
    torch.nn.init.ones_(model.network.color[1].weight)  # all colors: it begins nearly gray
    fenu = Colorizer(model)
    encoded = fenu.encode(photo())
    plain = np.asarray(fenu.decode(encoded).image) / 255
    hue, saturation, _ = np.moveaxis(rgb_to_hsv(plain), -1, 0)
    most = np.median(hue[saturation > 0.1])
    banned = plain[(np.abs(hue - most) < 5 / 360) & (saturation > 0.1)].mean(0)
    color = "#" + bytes(np.rint(255 * banned).astype(np.uint8)).hex()
    result = np.asarray(fenu.decode(encoded, Recipe().ban(color)).image) / 255
    shares = []
    for image in (plain, result):
        hue, saturation, _ = np.moveaxis(rgb_to_hsv(image), -1, 0)
        shares.append(((np.abs(hue - most) < 10 / 360) & (saturation > 0.1)).mean())
    assert shares[0] > 0.02
    assert shares[1] < 0.005


def test_a_palette_is_refused_where_there_is_no_steering(trained):
    palette = Palette.of_chroma(trained.bins, np.zeros((1, 2)))
    encoded = trained.encode(photo())
    if trained.model.method in STEERED:
        trained.decode(encoded, Recipe(palette))
    else:
        refusal = f"expected no palette: {trained.model.method} cannot be"
        for recipe in (Recipe(palette), Recipe().ban("red"), Recipe().saturate(1)):
            with pytest.raises(PaletteError, match=refusal):
                trained.decode(encoded, recipe)
        with pytest.raises(PaletteError, match=refusal):  # as an album does
            trained.decode(replace(encoded, palette=palette))


def test_fenu_without_its_palette_is_not_steered(tmp_path, narrow):
    plain = fenu2016.Config(vgg=str(narrow), connected=16, palette="none")
    fenu = Colorizer(TorchModel(saved(tmp_path, "fenu2016", plain), threads=1))
    assert not fenu.model.takes_palettes
    assert fenu.colorize(photo()).image.size == (200, 150)


def test_another_vividness_is_refused(trained):
    with pytest.raises(PaletteError, match=r"expected no vividness: a run has one, found 0\.9"):
        trained.colorize(photo(), Recipe(vividness=0.9))


def test_likelihoods_are_those_of_the_colors(config, tmp_path):
    """Their mean color, enlarged, is what decoding joins to the luma; nothing banned is likely."""
    model = TorchModel(saved(tmp_path, "tintype", config["tintype"]), threads=1)
    encoding = model.encode(scene(96, 64, 3)[..., 1])
    found = model.find_likelihoods(encoding, encoding.palette, model.vividness)
    assert found.shape == (model.bins.count, 16, 24)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    mean = torch.from_numpy(np.tensordot(found, model.bins.centers, (0, 0)))
    mean = (
        torch.nn.functional.interpolate(
            mean.permute(2, 0, 1)[None], scale_factor=4, mode="bilinear"
        )[0]
        .permute(1, 2, 0)
        .numpy()
    )
    decoded = model.decode(encoding, encoding.palette, model.vividness)
    inside = ((encoding.luma > 0.2) & (encoding.luma < 0.8))[..., None]
    np.testing.assert_allclose(decoded * inside, mean * inside, atol=3e-3)
    palette = encoding.palette.ban("red")
    banned = model.find_likelihoods(encoding, palette, model.vividness)
    assert banned[palette.forbidden].max() == 0
    np.testing.assert_allclose(banned.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"tintype"}))
def test_likelihoods_are_refused_where_a_method_has_none(config, tmp_path, method):
    model = TorchModel(saved(tmp_path, method, config[method]), threads=1)
    encoding = model.encode(np.asarray(photo()))
    with pytest.raises(PaletteError, match=f"expected a method that tells likely .* {method}"):
        model.find_likelihoods(encoding, encoding.palette, model.vividness)


def test_a_checkpoint_without_a_method_is_refused(tmp_path):
    checkpoint.save(tmp_path / "model.safetensors", {}, {"method": "vgg16"})
    with pytest.raises(DataError, match=r"expected a method of gray, .*, found 'vgg16'"):
        load(tmp_path)


def test_commands_take_a_run(config, tmp_path):
    """`--model` names a run as well; a method that takes no palette says so."""
    photo().save(tmp_path / "photo.png")
    for name in ("fenu2016", "zhang2016"):
        (tmp_path / name).mkdir()
        saved(tmp_path / name, name, config[name])
    given = ["colorize", str(tmp_path / "photo.png"), "--model", str(tmp_path / "fenu2016")]
    plain, red = (str(tmp_path / name) for name in ("plain.png", "red.png"))
    for arguments in ([*given, "-o", plain], [*given, "-o", red, "--towards", "red:1"]):
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
    assert np.abs(np.asarray(Image.open(plain), int) - np.asarray(Image.open(red), int)).max() > 0
    done = CliRunner().invoke(cli, ["palette", *given[1:], "--json"])
    assert json.loads(done.output)["colors"]
    given[-1] = str(tmp_path / "zhang2016")
    done = CliRunner().invoke(cli, [*given, "--towards", "red"])
    assert done.exit_code == 1
    assert "expected no palette: zhang2016 cannot be steered" in done.output
    done = CliRunner().invoke(cli, [*given, "--alternatives", "2"])
    assert "expected a model with alternatives, found one without" in done.output
    for steering in (["--towards", "red"], ["--palette", red]):
        done = CliRunner().invoke(cli, ["palette", *given[1:], *steering])
        assert done.exit_code == 1
        assert "expected no palette: this model cannot be steered" in str(done.exception)


def test_loading_a_run_does_not_import_the_trainer(config, tmp_path):
    folder = saved(tmp_path, "tintype", config["tintype"])
    code = (
        "import sys; from pathlib import Path; from tintype.research.torch_model import load; "
        f"load(Path({str(folder)!r})); "
        "names = ['accelerate', 'tintype.research.training.loop']; "
        "sys.exit(', '.join(name for name in names if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
