"""Fine-tuning on recipes: what it reaches on unseen photos, leaves as it was, and refuses."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from research.conftest import TINY, fewer_crops, run_config, saved, scene
from tintype.bins import chroma_of
from tintype.cli import cli
from tintype.colorizer import Colorizer
from tintype.errors import DataError, PaletteError, PhotoError
from tintype.palette import Palette
from tintype.recipe import Recipe, edited
from tintype.research import export, torch_model
from tintype.research.methods import fenu2016
from tintype.research.torch_model import Trained
from tintype.research.training import checkpoint, fine_tuning, loop

TINTYPE = Path(sys.executable).with_name("tintype")
ORANGE = Recipe(edits=({"towards": "orange", "amount": 0.6},))
METHODS = ["tintype", "fenu2016"]


def save(folder: Path, number: int, text: str, name: str = "{}.json") -> None:
    """A photo and its recipe."""
    folder.mkdir(exist_ok=True)
    Image.fromarray(scene(96, 64, number)).save(folder / f"{number:02}.png")
    (folder / name.format(f"{number:02}")).write_text(text)


@pytest.fixture(scope="session")
def chosen(tmp_path_factory) -> Path:
    """A folder with twelve photos by whose recipes all colors go towards orange."""
    folder = tmp_path_factory.mktemp("chosen")
    for i in range(12):
        save(folder, i, ORANGE.to_json())
    return folder


@pytest.fixture(scope="session")
def starts(run, narrow, tmp_path_factory) -> dict[str, Path]:
    """A checkpoint of each method that has a palette.

    The tiny run's few prototypes are replaced by ones from all around the wheel, so that a taste
    can be reached, and some of its kernels are in half precision.
    """
    tensors, about = checkpoint.load(run / "model.safetensors")
    hues = [f"hue:{45 * k}" for k in range(8)]
    even = Palette.of_chroma(TINY.bins, np.zeros((1, 2)))
    wheel = [even.boost(hue, 0.3).towards(hue, 0.5).shares for hue in hues]
    tensors["prototypes"] = torch.tensor(np.stack(wheel)).float()
    folder = tmp_path_factory.mktemp("starts")
    halved = {k: v.half() if v.ndim == 4 else v for k, v in tensors.items()}
    checkpoint.save(folder / "tintype.safetensors", halved, about)
    saved(folder, "fenu2016", fenu2016.Config(vgg=str(narrow), connected=16))
    return {
        "tintype": folder / "tintype.safetensors",
        "fenu2016": folder / "model.safetensors",
    }


def config(chosen, starts, method="tintype", **values) -> fine_tuning.TasteConfig:
    given = {"steps": 100, "rate": 3e-3, "pull": 0.0, "size": 64} | values
    return fine_tuning.TasteConfig(method, str(chosen), str(starts[method]), **given)


@pytest.fixture(scope="session")
def tuned(chosen, starts, tmp_path_factory):
    """What each method became on the recipes, and what was reported."""
    made = {}
    for method in METHODS:
        folder = tmp_path_factory.mktemp("tuned") / method
        report = fine_tuning.train(folder, config(chosen, starts, method), {})
        made[method] = folder / "model.safetensors", report
    return made


def network_of(path):
    return torch_model.load(path)[0]


@torch.no_grad()
def palettes(path, seeds=range(100, 108)) -> list[Palette]:
    """The automatic palettes of photos that are not among those with recipes."""
    network = network_of(path)
    grays = [Image.fromarray(scene(96, 64, i)).convert("L") for i in seeds]
    views = [torch.from_numpy(np.array(gray))[None, None] / 255 for gray in grays]
    return [Palette(network.config.bins, network.encode(v)[1][0].numpy()) for v in views]


# --- what it reaches, and what it leaves ----------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_automatic_palettes_of_unseen_photos_move_towards_the_taste(method, starts, tuned):
    old, new = palettes(starts[method]), palettes(tuned[method][0])
    wanted = [edited(palette, ORANGE.edits) for palette in old]
    before = [one.distance(wish) for one, wish in zip(old, wanted, strict=True)]
    after = [one.distance(wish) for one, wish in zip(new, wanted, strict=True)]
    ways = 1 - np.array(after) / before
    assert np.median(ways) > 0.4
    assert sum(after) < 0.8 * sum(before)
    report = tuned[method][1]
    assert report["recipes"] == 12
    assert 0 < report["steps"] <= 100
    assert 0.2 < report["reached"] <= 1


@pytest.mark.parametrize("method", METHODS)
def test_everything_else_stays_bit_for_bit_as_it_was(method, starts, tuned):
    before, was = checkpoint.load(starts[method])
    after, about = checkpoint.load(tuned[method][0])
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    layers = fine_tuning.LAYERS[method]
    assert changed == {n + part for n in layers for part in ("weight", "bias")}
    rest = before.keys() - changed
    assert {n: before[n].dtype for n in rest} == {n: after[n].dtype for n in rest}
    kept = {n for n in after if n not in before}
    assert all(n.startswith("encoder.untuned.") for n in kept)
    for name in kept:
        assert torch.equal(after[name], before[name.replace("untuned", "palette")])
    assert len(kept) == (4 if method == "tintype" else 0)
    assert about["taste"]["recipes"] == 12
    assert about["taste"]["start"] == str(starts[method])
    assert about["run"] == was["run"]


def test_photos_that_are_liked_as_they_are_change_nothing(starts, tmp_path):
    for i in range(6):
        save(tmp_path / "liked", i, Recipe(vividness=0.5).to_json())
    report = fine_tuning.train(tmp_path / "run", config(tmp_path / "liked", starts), {})
    assert report["steps"] == 0
    before, _ = checkpoint.load(starts["tintype"])
    after, _ = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_one_photo_is_enough_for_a_few_steps(starts, tmp_path):
    save(tmp_path / "chosen", 0, ORANGE.to_json())
    (tmp_path / "chosen" / "00.0a1b2c3d.recipe.json").write_text(ORANGE.to_json())
    report = fine_tuning.train(tmp_path / "run", config(tmp_path / "chosen", starts), {})
    assert report == {"recipes": 2, "steps": fine_tuning.FEW}


def test_time_ends_it_too(chosen, starts, tmp_path):
    settings = config(chosen, starts, steps=10**6, minutes=0.5 / 60)
    report = fine_tuning.train(tmp_path / "run", settings, {})
    assert report["steps"] < 10**5


def test_more_views_than_fit_are_drawn_by_the_seed(chosen, starts, tmp_path):
    made = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        settings = config(chosen, starts, batch=16, steps=20, seed=seed)
        fine_tuning.train(tmp_path / folder, settings, {})
        tensors, _ = checkpoint.load(tmp_path / folder / "model.safetensors")
        made.append(tensors["encoder.palette.0.weight"])
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


# --- what recipes ask for -------------------------------------------------------------------------


def asked(start, folder, recipe: Recipe):
    """The estimates and the wanted palettes of the four views of one photo."""
    save(folder, 0, recipe.to_json())
    network = network_of(start)
    examples = fine_tuning.encoded(network, [(folder / "00.png", folder / "00.json")], 64)
    assert examples.photo.tolist() == [0] * 4
    with torch.no_grad():
        return network.estimates(examples.pooled), examples.wanted


@pytest.mark.parametrize("method", METHODS)
def test_edits_are_done_to_the_estimate_of_every_view(method, starts, tmp_path):
    edits = ({"towards": "orange", "amount": 0.3}, {"saturation": 1.3}, {"ban": "blue"})
    estimates, wanted = asked(starts[method], tmp_path, Recipe(edits=edits))
    bins = network_of(starts[method]).config.bins
    for estimate, wish in zip(estimates, wanted, strict=True):
        expected = edited(Palette(bins, estimate.numpy()), edits).shares
        np.testing.assert_allclose(wish, expected, atol=1e-6)
    assert not torch.equal(wanted[0], wanted[2])


@pytest.mark.parametrize("method", METHODS)
def test_a_recipe_may_bring_its_own_palette(method, starts, tmp_path):
    palette = {"version": 1, "neutral": 0.5, "colors": [{"color": "teal", "share": 0.5}]}
    recipe = Recipe(palette=palette, edits=({"saturation": 0.5},))
    _, wanted = asked(starts[method], tmp_path, recipe)
    bins = network_of(starts[method]).config.bins
    expected = Palette.from_json(bins, palette).saturate(0.5).shares
    for wish in wanted:
        np.testing.assert_allclose(wish, expected, atol=1e-6)


@pytest.mark.parametrize("number", [1, 4])
def test_alternatives_are_those_that_the_colorizer_offers(number, run, tiny, tmp_path):
    """The model folder is in half precision and its side is 64."""
    start = run / "model.safetensors"
    _, wanted = asked(start, tmp_path, Recipe(alternative=number))
    offered = tiny.encode(tmp_path / "00.png").alternatives[number - 1]
    for wish in wanted:
        np.testing.assert_allclose(wish, offered.shares, atol=3e-3)


# --- where it goes on from ------------------------------------------------------------------------


def test_the_exported_model_paints_what_people_chose(starts, tuned, tiny, photos, tmp_path):
    """As the start's decoder, which is that of `tiny`, does by hand: palettes and photos alike."""
    export.export(tuned["tintype"][0], tmp_path / "model", {"side": "64"}, [str(photos)])
    model = Colorizer(tmp_path / "model", threads=1)
    assert model.about["trained"]["recipes"] == 12
    assert tiny.about["trained"]["recipes"] == 0
    gray = scene(96, 64, 200)[..., 1]
    encoded = model.encode(gray)
    luma = torch.from_numpy(gray)[None, None].float() / 255
    with torch.no_grad():
        _, estimate, first = network_of(tuned["tintype"][0]).sight(luma)
        _, before = network_of(starts["tintype"]).encode(luma)
    torch.testing.assert_close(first, before)
    np.testing.assert_allclose(encoded.prior.shares, first[0], atol=2e-3)
    np.testing.assert_allclose(encoded.palette.shares, estimate[0], atol=2e-3)
    assert encoded.palette.distance(encoded.prior) > 0.003
    start = replace(encoded, palette=encoded.prior)
    painted, by_hand = model.decode(encoded).chroma, tiny.decode(start, encoded.palette).chroma
    np.testing.assert_allclose(painted, by_hand, atol=1)
    assert np.abs(painted - tiny.decode(start).chroma).mean() > 3


def test_a_run_colors_photos_by_it_without_an_export(starts, tuned):
    """As the start does by hand, in torch."""
    old, new = Trained(starts["tintype"], threads=1), Trained(tuned["tintype"][0], threads=1)
    gray = scene(96, 64, 200)[..., 1]
    before, after = old.encode(gray), new.encode(gray)
    assert after.prior.distance(before.palette) < 1e-6
    painted, by_hand = new.decode(after).chroma, old.decode(before, after.palette).chroma
    np.testing.assert_allclose(painted, by_hand, atol=1e-2)
    assert np.abs(painted - old.decode(before).chroma).mean() > 1


@torch.no_grad()
def test_previews_and_colors_in_torch_follow_it_too(starts, tuned):
    """More of what is seen is orange than before."""
    module, gray = loop.METHODS["tintype"], torch.from_numpy(scene(96, 64, 200)[..., 1] / 255)
    luma = gray[None, None].float()
    chroma = []
    for path in (starts["tintype"], tuned["tintype"][0]):
        network = network_of(path)
        automatic = module.colorize(network, luma)
        half = dict(module.previews(network, automatic, luma))["half"]
        np.testing.assert_allclose(half / 255, automatic[0], atol=0.01)
        chroma.append(TINY.bins.chroma(automatic.numpy()).mean((0, 1, 2)))
    assert (chroma[1] - chroma[0]) @ chroma_of("orange") > 0.001


def test_recipes_may_come_after_recipes(chosen, starts, tuned, tmp_path):
    """What its palettes are compared with stays what the decoder was trained with."""
    again = replace(config(chosen, starts), start=str(tuned["tintype"][0]))
    fine_tuning.train(tmp_path / "run", again, {})
    first, _ = checkpoint.load(tuned["tintype"][0])
    second, _ = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert first.keys() == second.keys()
    changed = {name for name in first if not torch.equal(first[name], second[name])}
    assert changed == {
        n + part for n in fine_tuning.LAYERS["tintype"] for part in ("weight", "bias")
    }


def test_training_on_photos_goes_on_from_it(tuned, photos, tmp_path, monkeypatch):
    fewer_crops(monkeypatch)
    given = {"widths": "[4, 4, 8, 12, 16]", "vocabulary": "8", "embedding": "16"}
    settings = run_config(photos, 1, rate=0.0, start=str(tuned["tintype"][0]))
    loop.train(tmp_path / "run", settings, given, resume=False)
    before, _ = checkpoint.load(tuned["tintype"][0])
    after, _ = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert torch.equal(before["encoder.palette.0.weight"], after["encoder.palette.0.weight"])
    assert not [name for name in after if "untuned" in name]


# --- photos and recipes ---------------------------------------------------------------------------


def test_recipes_are_found_by_their_photos_names(tmp_path, capfd):
    (tmp_path / "album").mkdir()
    for name in (
        "a.jpg", "a.json", "b.PNG", "b.recipe.json", "album/c.webp", "album/c.0a1b2c3d.recipe.json",
        "album/c.ffffffff.recipe.json", "d.e.tif", "d.e.json", "a.0a1b2c3d.palette.json",
        "f.jpg", "a.color.jpg", "g.json", "album/a.json", ".h.jpg", ".h.json", "notes.txt",
    ):  # fmt: skip
        (tmp_path / name).write_text("")
    found = fine_tuning.photo_set.with_recipes(tmp_path)
    names = [tuple(str(path.relative_to(tmp_path)) for path in pair) for pair in found]
    assert names == [
        ("a.jpg", "a.json"),
        ("album/c.webp", "album/c.0a1b2c3d.recipe.json"),
        ("album/c.webp", "album/c.ffffffff.recipe.json"),
        ("b.PNG", "b.recipe.json"),
        ("d.e.tif", "d.e.json"),
    ]
    said = "skipped 2 recipes without a photo, 2 photos without a recipe\n"
    assert capfd.readouterr().err == said


def test_a_folder_without_pairs_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.json").write_bytes(b"")
    for folder, found in (
        (tmp_path, "1 photos, 1 recipes"),
        (tmp_path / "gone", "0 photos, 0 rec"),
    ):
        with pytest.raises(DataError, match=f"expected photos with recipes .* found {found}"):
            fine_tuning.photo_set.with_recipes(folder)


# --- what is refused ------------------------------------------------------------------------------


def refused(kind, folder, settings, values=None):
    """The message, which is one line; nothing is made."""
    with pytest.raises(kind) as caught:
        fine_tuning.train(folder, settings, values or {})
    assert "\n" not in str(caught.value)
    assert not (folder / "model.safetensors").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{", "expected a recipe in JSON"),
        ('{"version": 1, "colors": []}', "expected a recipe of palette, alternative"),
        ('{"version": 1, "edits": [{"glow": 1}]}', "expected an edit"),
        ('{"version": 1, "edits": [{"towards": "gray", "amount": 1}]}', "expected a color with"),
        ('{"version": 1, "palette": {"version": 1}}', "expected at least one share above 0"),
    ],
)
def test_recipes_that_cannot_be_done_are_named(text, wanted, starts, tmp_path):
    save(tmp_path / "chosen", 0, ORANGE.to_json())
    save(tmp_path / "chosen", 1, text)
    said = refused(PaletteError, tmp_path / "run", config(tmp_path / "chosen", starts))
    assert said.startswith(f"{tmp_path / 'chosen' / '01.json'}: {wanted}")


def test_alternatives_need_prototypes(starts, tmp_path):
    save(tmp_path / "chosen", 0, Recipe(alternative=2).to_json())
    settings = config(tmp_path / "chosen", starts, "fenu2016")
    said = refused(PaletteError, tmp_path / "run", settings)
    assert "00.json: expected a recipe that starts from the estimate or a palette" in said
    assert "found alternative 2" in said


def test_a_broken_photo_is_named(starts, tmp_path):
    save(tmp_path / "chosen", 0, ORANGE.to_json())
    (tmp_path / "chosen" / "00.png").write_bytes(b"broken")
    settings = config(tmp_path / "chosen", starts)
    assert "00.png: expected" in refused(PhotoError, tmp_path / "run", settings)


@pytest.mark.parametrize(
    ("changes", "values", "wanted"),
    [
        ({"start": ""}, {}, "expected a checkpoint to fine-tune, found none; add --start FILE"),
        ({"start": "gone.safetensors"}, {}, "gone.safetensors: expected a checkpoint, found none"),
        ({"method": "fenu2016"}, {}, "expected a checkpoint of fenu2016, found one of tintype"),
        ({"method": "zhang2016"}, {}, "with a palette, tintype or fenu2016, found 'zhang2016'"),
        ({}, {"crop": "32"}, "expected fields of the fine-tuning or the method, found {'crop'"),
        ({}, {"embedding": "8"}, "expected a checkpoint of this network, found size mismatch"),
    ],
)
def test_starts_that_make_no_sense_are_refused(changes, values, wanted, chosen, starts, tmp_path):
    settings = replace(config(chosen, starts), **changes)
    assert wanted in refused(DataError, tmp_path / "run", settings, values)


@pytest.mark.parametrize("name", ["model.safetensors", "last.safetensors"])
def test_a_folder_with_a_run_is_refused(name, chosen, starts, tmp_path):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(DataError, match="expected a new folder, found a run"):
        fine_tuning.train(tmp_path, config(chosen, starts), {})
    assert (tmp_path / name).read_bytes() == b"mine"


# --- the command ----------------------------------------------------------------------------------


def test_the_command_takes_recipes_that_the_command_saved(starts, tmp_path):
    """The photo and the recipe are saved as a person does it, with the bundled model."""
    for i in range(3):
        Image.fromarray(scene(96, 64, i)).save(tmp_path / f"{i}.png")
        words = [f"{i}.png", "--towards", "orange:0.6", "--recipe", f"{i}.json"]
        subprocess.run([TINTYPE, "colorize", *words], cwd=tmp_path, check=True, capture_output=True)
    words = ["--recipes", ".", "--start", starts["tintype"], "--out", "run", "--steps", "20"]
    done = subprocess.run(
        [TINTYPE, "train", *words, "--set", "size=64"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("recipes 3, steps 20, reached 0.")
    assert done.stderr == "skipped 0 recipes without a photo, 3 photos without a recipe\n"
    _, about = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert about["taste"]["start"] == str(starts["tintype"])
    assert about["taste"]["size"] == 64


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], "expected --data or --recipes, found neither"),
        (["--data", "x", "--recipes", "y"], "expected --data or --recipes, found both"),
        (["--recipes", "y", "--resume"], "--resume: fine-tuning on recipes takes seconds"),
        (["--recipes", "y", "--compile"], "--compile: fine-tuning on recipes takes seconds"),
        (["--recipes", "y", "--start", "a", "--set", "start=b"], "expected --start or --set start"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words, wanted, tmp_path):
    result = CliRunner().invoke(cli, ["train", *words, "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert wanted in result.output


def test_start_is_where_a_training_on_photos_begins(run, photos, tmp_path, monkeypatch):
    fewer_crops(monkeypatch)
    words = ["train", "--data", str(photos), "--start", str(run / "model.safetensors")]
    words += ["--out", str(tmp_path / "run"), "--steps", "1", "--set", "rate=0.0"]
    given = {"batch": 4, "crop": 32, "late_crop": 64, "size": 96, "precision": "no"}
    given |= {"widths": [4, 4, 8, 12, 16], "vocabulary": 8, "embedding": 16}
    for name, value in given.items():
        words += ["--set", f"{name}={json.dumps(value) if name != 'precision' else value}"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    before, _ = checkpoint.load(run / "model.safetensors")
    after, about = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert torch.equal(before["prototypes"], after["prototypes"])
    assert about["run"]["start"] == str(run / "model.safetensors")
