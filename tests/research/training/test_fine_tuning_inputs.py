"""Fine-tuning on recipes: which files it takes, what it refuses, and the command."""

import json
import subprocess
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from research.conftest import fewer_crops, scene
from research.training.conftest import ORANGE, TINTYPE, config, save
from tintype.cli import cli
from tintype.errors import DataError, PaletteError, PhotoError
from tintype.recipe import Recipe
from tintype.research.methods import checkpoint
from tintype.research.training import fine_tuning

# --- photos and recipes ---------------------------------------------------------------------------


def test_recipes_are_found_by_their_photos_names(tmp_path, capfd):
    (tmp_path / "album").mkdir()
    for name in (
        "a.jpg", "a.json", "b.PNG", "b.recipe.json", "album/c.webp", "album/c.0a1b2c3d.recipe.json",
        "album/c.ffffffff.recipe.json", "d.e.tif", "d.e.json", "a.0a1b2c3d.palette.json",
        "f.jpg", "a.color.jpg", "g.json", "album/a.json", ".h.jpg", ".h.json", "notes.txt",
    ):  # fmt: skip
        (tmp_path / name).write_text("")
    found = fine_tuning.photo_set.find_recipes(tmp_path)
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
            fine_tuning.photo_set.find_recipes(folder)


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
        (
            '{"version": 1, "edits": [{"towards": "grayish", "amount": 1}]}',
            "expected a CSS color name",
        ),
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
        (
            {},
            {"crop_size": "32"},
            "expected fields of the fine-tuning or the method, found {'crop_size'",
        ),
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
        words = [f"{i}.png", "--towards", "orange:0.36", "--save-recipe", f"{i}.json"]
        subprocess.run([TINTYPE, "colorize", *words], cwd=tmp_path, check=True, capture_output=True)
    words = ["--recipes", ".", "--start", starts["tintype"], "-o", "run", "--steps", "20"]
    done = subprocess.run(
        [TINTYPE, "train", *words, "--set", "size=64"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("recipes 3, steps 20, reached 0.")
    assert done.stderr == "skipped 0 recipes without a photo, 3 photos without a recipe\n"
    _, about = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert about["fine_tuning"]["start"] == str(starts["tintype"])
    assert about["fine_tuning"]["size"] == 64


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
    result = CliRunner().invoke(cli, ["train", *words, "-o", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert wanted in result.output


def test_start_is_where_a_training_on_photos_begins_and_gives_its_sizes(
    run, photos, tmp_path, monkeypatch
):
    fewer_crops(monkeypatch)
    words = ["train", "--data", str(photos), "--start", str(run / "model.safetensors")]
    words += ["-o", str(tmp_path / "run"), "--steps", "1", "--set", "learning_rate=0.0"]
    given = {"batch": 4, "crop_size": 32, "late_crop_size": 64, "size": 96, "precision": "no"}
    for name, value in given.items():
        words += ["--set", f"{name}={json.dumps(value) if name != 'precision' else value}"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    before, _ = checkpoint.load(run / "model.safetensors")
    after, about = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert torch.equal(before["prototypes"], after["prototypes"])
    assert about["run"]["start"] == str(run / "model.safetensors")
    assert about["config"] == checkpoint.load(run / "model.safetensors")[1]["config"]
