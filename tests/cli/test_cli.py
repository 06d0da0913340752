"""The command line as a person or a script uses it: the installed program, in a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import opened, tintype
from PIL import Image
from skimage import data

from tintype.photo import read


def is_colored(path: Path) -> bool:
    rgb = np.asarray(opened(path).convert("RGB")).astype(int)
    return bool(np.abs(rgb[..., 0] - rgb[..., 2]).mean() > 1)


def test_one_photo_lands_beside_the_input_which_is_not_touched(folder: Path) -> None:
    before = (folder / "coffee.png").read_bytes()
    tintype("colorize", "coffee.png", cwd=folder)
    assert sorted(p.name for p in folder.iterdir()) == ["cat.jpg", "coffee.color.png", "coffee.png"]
    assert (folder / "coffee.png").read_bytes() == before
    assert is_colored(folder / "coffee.color.png")
    same = read(folder / "coffee.color.png").luma.astype(int) - read(folder / "coffee.png").luma
    assert (np.abs(same) <= 1).mean() >= 0.999


def test_several_photos_go_into_a_folder_and_a_bad_one_stops_none(folder: Path) -> None:
    (folder / "broken.jpg").write_bytes((folder / "cat.jpg").read_bytes()[:2000])
    (folder / "empty.png").write_bytes(b"")
    done = tintype(
        "colorize", "broken.jpg", "cat.jpg", "empty.png", "gone.jpg", "coffee.png",
        "-o", "out", cwd=folder, status=1,
    )  # fmt: skip
    made = sorted(p.name for p in (folder / "out").iterdir())
    assert made == ["cat.color.jpg", "coffee.color.png"]
    lines = done.stderr.decode().splitlines()
    for name in ("broken.jpg", "empty.png", "gone.jpg"):
        (line,) = [line for line in lines if name in line]
        assert line.startswith(f"tintype: {name}: expected")


def test_an_existing_output_is_an_error_unless_overwritten(folder: Path) -> None:
    (folder / "cat.color.jpg").write_bytes(b"mine")
    done = tintype("colorize", "cat.jpg", cwd=folder, status=1)
    assert b"--overwrite" in done.stderr
    assert (folder / "cat.color.jpg").read_bytes() == b"mine"
    tintype("colorize", "cat.jpg", "--overwrite", cwd=folder)
    assert is_colored(folder / "cat.color.jpg")


def test_the_input_is_never_written(folder: Path) -> None:
    before = (folder / "cat.jpg").read_bytes()
    done = tintype("colorize", "cat.jpg", "-o", "cat.jpg", "--overwrite", cwd=folder, status=2)
    assert b"never written" in done.stderr
    assert (folder / "cat.jpg").read_bytes() == before


def test_two_photos_may_not_share_an_output(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "cat.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    done = tintype("colorize", "cat.jpg", "more/cat.jpg", "-o", "out", cwd=folder, status=2)
    assert b"would both become" in done.stderr


def test_pipes(folder: Path) -> None:
    done = tintype("colorize", "-", cwd=folder, input=(folder / "cat.jpg").read_bytes())
    assert done.stdout.startswith(b"\xff\xd8")
    done = tintype(
        "colorize", "-", "-o", "x.png", cwd=folder, input=(folder / "cat.jpg").read_bytes()
    )
    assert done.stdout == b""
    assert is_colored(folder / "x.png")
    done = tintype("colorize", "coffee.png", "-o", "-", cwd=folder)
    assert done.stdout.startswith(b"\x89PNG")


def test_formats_go_by_extension(folder: Path) -> None:
    for extension in ("jpg", "png", "tif", "webp", "avif"):
        tintype("colorize", "cat.jpg", "-o", f"out.{extension}", cwd=folder)
        assert is_colored(folder / f"out.{extension}")
    done = tintype("colorize", "cat.jpg", "-o", "out.psd", cwd=folder, status=1)
    assert b".avif" in done.stderr


def test_edits_change_the_colors_and_report_what_was_reached(folder: Path) -> None:
    pictures = set()
    for i, edit in enumerate(
        [
            [],
            ["--towards", "red"],
            ["--towards", "gray:0.5"],
            ["--towards", "hue:240:0.9"],
            ["--shift-hue", "120"],
            ["--saturation", "0"],
            ["--ban", "#a05030"],
            ["--ban", "#808080"],
            ["--vividness", "1"],
            ["--palette", "colors.png"],
        ]
    ):
        Image.fromarray(data.astronaut()).save(folder / "colors.png")
        done = tintype("colorize", "coffee.png", "-o", f"{i}.png", *edit, cwd=folder)
        pictures.add((folder / f"{i}.png").read_bytes())
        assert (b"reached" in done.stderr) == bool(edit and edit[0] != "--vividness")
    assert len(pictures) == 10


@pytest.mark.parametrize(
    "wrong",
    [
        ["--towards", "reddish"],
        ["--towards", "red:2"],
        ["--ban", "grayish"],
        ["--ban", "gray", *(part for hue in range(0, 360, 10) for part in ("--ban", f"hue:{hue}"))],
        ["--vividness", "2"],
        ["--quality", "0"],
        ["--alternatives", "9"],
        ["--nonsense"],
        ["--save-recipe", "r.json", "--alternatives", "2"],
        ["--recipe", "r.json", "--towards", "red"],
    ],
)
def test_usage_errors_are_status_2_and_write_nothing(folder: Path, wrong: list[str]) -> None:
    tintype("colorize", "cat.jpg", *wrong, cwd=folder, status=2)
    assert not (folder / "cat.color.jpg").exists()


def test_alternatives_and_comparison(folder: Path) -> None:
    tintype("colorize", "coffee.png", "--alternatives", 3, "--compare", cwd=folder)
    files = [folder / f"coffee.color-{i}.png" for i in (1, 2, 3)]
    assert len({file.read_bytes() for file in files}) == 3
    sheet = opened(folder / "coffee.compare.png")
    assert sheet.width > 2 * sheet.height


def test_a_recipe_gives_the_same_bytes(folder: Path) -> None:
    Image.fromarray(data.astronaut()).save(folder / "colors.png")
    edits = ["--towards", "blue:0.3", "--ban", "green", "--saturation", "1.2", "--vividness", "0.7"]
    for palette in ([], ["--palette", "colors.png"]):
        tintype(
            "colorize", "cat.jpg", "-o", "first.jpg", *palette, *edits,
            "--save-recipe", "r.json", "--overwrite", cwd=folder,
        )  # fmt: skip
        recipe = json.loads((folder / "r.json").read_text())
        assert {"model", "palette", "edits", "vividness"} <= set(recipe)
        assert (recipe["palette"] is None) == (not palette)
        arguments = ["-o", "second.jpg", "--recipe", "r.json", "--overwrite"]
        tintype("colorize", "cat.jpg", *arguments, cwd=folder)
        assert (folder / "first.jpg").read_bytes() == (folder / "second.jpg").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 3}',
        '{"version": 1, "edits": [{"melt": 1}]}',
        '{"version": 1, "x": 1}',
    ],
)
def test_broken_recipes_are_refused(folder: Path, text: str) -> None:
    (folder / "r.json").write_text(text)
    done = tintype("colorize", "cat.jpg", "--recipe", "r.json", cwd=folder, status=1)
    assert done.stderr.decode().startswith("tintype: r.json: expected")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "about",
    [
        {"version": 1, "colors": [{"color": "#a05030", "share": -1}]},
        {"version": 1, "colors": [{"color": "nothing", "share": 1}]},
        {"version": 1, "bins": [0.1, 0.9]},
        {"version": 3, "colors": []},
        [0.2, 0.8],
    ],
)
def test_broken_palettes_are_refused(folder: Path, about: object) -> None:
    (folder / "p.json").write_text(json.dumps(about))
    done = tintype("colorize", "cat.jpg", "--palette", "p.json", cwd=folder, status=1)
    assert done.stderr.decode().startswith("tintype: p.json: expected")
    assert done.stderr.count(b"\n") == 1
    assert not (folder / "cat.color.jpg").exists()


def test_a_broken_model_is_refused(folder: Path) -> None:
    done = tintype("colorize", "cat.jpg", "--model", "nowhere", cwd=folder, status=1)
    assert done.stderr.startswith(b"tintype: nowhere/model.json: expected")


def test_an_unwritable_folder_is_one_line(folder: Path) -> None:
    (folder / "file").write_text("")
    done = tintype("colorize", "cat.jpg", "-o", "file/x.jpg", cwd=folder, status=1)
    assert done.stderr.count(b"\n") == 1


def test_a_photo_with_colors_is_noted(folder: Path) -> None:
    Image.fromarray(data.coffee()).save(folder / "color.png")
    done = tintype("colorize", "color.png", cwd=folder)
    assert b"already has colors" in done.stderr
    assert b"already has colors" not in tintype("colorize", "cat.jpg", cwd=folder).stderr


def test_metadata_is_kept_or_stripped(folder: Path) -> None:
    image = opened(folder / "cat.jpg")
    exif = image.getexif()
    exif[0x0110] = "Kodak Brownie"
    exif[0x0112] = 6
    image.save(folder / "dated.jpg", exif=exif)
    tintype("colorize", "dated.jpg", cwd=folder)
    kept = opened(folder / "dated.color.jpg")
    assert kept.size == image.size[::-1]
    assert kept.getexif()[0x0110] == "Kodak Brownie"
    assert kept.getexif().get(0x0112, 1) == 1
    tintype("colorize", "dated.jpg", "--strip-metadata", "-o", "bare.jpg", cwd=folder)
    assert not opened(folder / "bare.jpg").getexif()


def test_the_palette_is_shown_saved_and_used(folder: Path) -> None:
    text = tintype("palette", "cat.jpg", cwd=folder).stdout.decode()
    assert "neutral" in text
    assert "\x1b" not in text
    about = json.loads(tintype("palette", "cat.jpg", "--json", cwd=folder).stdout)
    assert about["version"] == 1
    total = about["neutral"] + sum(color["share"] for color in about["colors"])
    assert total == pytest.approx(1, abs=0.05)
    (folder / "p.json").write_text(json.dumps(about))
    tintype("colorize", "coffee.png", "--palette", "p.json", cwd=folder)
    assert is_colored(folder / "coffee.color.png")
    tintype("palette", "cat.jpg", "--towards", "red", "--plot", "p.png", cwd=folder)
    assert opened(folder / "p.png").width >= 800
    tintype("palette", "cat.jpg", "--plot", "p.png", cwd=folder, status=1)


def test_the_own_palette_of_a_color_photo(folder: Path) -> None:
    Image.fromarray(data.coffee()).save(folder / "color.png")
    about = json.loads(tintype("palette", "color.png", "--own", "--json", cwd=folder).stdout)
    red = [int(c["color"][1:3], 16) > int(c["color"][5:7], 16) for c in about["colors"][:3]]
    assert all(red)


def test_help_loads_no_heavy_library(folder: Path) -> None:
    code = (
        "import sys, tintype.cli\n"
        "try: tintype.cli.cli(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'PIL', 'onnxruntime', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, check=True)
    assert b"colorize" in done.stdout


def test_interrupted_output_leaves_nothing_behind(folder: Path) -> None:
    tintype("colorize", "cat.jpg", cwd=folder)
    assert not [name for name in os.listdir(folder) if "part" in name or name.startswith(".")]
