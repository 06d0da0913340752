"""`tintype colorize --at, --mask, --protect`: colors of one thing, by the real command."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from command import opened, tintype
from PIL import Image, ImageDraw, ImageOps

from tintype.bins import hue_of
from tintype.cli import cli
from tintype.cli.pins import parse_place
from tintype.color import hue_distance, rgb_to_oklab
from tintype.errors import PaletteError, TintypeError
from tintype.pins import load_mask, read_mask

RUG = "0.9,0.95"


@pytest.fixture
def cat(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the photo of the cat, 451 x 300, and a mask of its left half."""
    monkeypatch.chdir(folder)
    mask = Image.new("L", (451, 300))
    ImageDraw.Draw(mask).rectangle((0, 0, 224, 299), fill=255)
    mask.save(folder / "left.png")
    return folder


def colored(cat: Path, *words: object, name: str = "out.png") -> np.ndarray:
    """The cat by these options: (300, 451, 3) uint8."""
    tintype("colorize", "cat.jpg", *words, "-o", name, "--overwrite", cwd=cat)
    return np.asarray(opened(cat / name).convert("RGB"))


def refuse(*words: str) -> str:
    """The one line that says what is wrong with options, without a process of its own."""
    done = CliRunner().invoke(cli, ["colorize", *words])
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert done.exit_code == 2
    return line


def spread(rgb: np.ndarray) -> np.ndarray:
    """How far each pixel is from gray."""
    return np.asarray(np.ptp(rgb.astype(int), axis=-1))


def test_a_pin_colors_its_pixel_and_not_what_is_far(cat: Path) -> None:
    plain = colored(cat)
    pinned = colored(cat, "--at", "0.4,0.6=navy:0.1", "--at", f"{RUG}=gray:0")
    a, b = rgb_to_oklab(pinned[180, 180] / 255)[1:]
    assert hue_distance(float(np.degrees(np.arctan2(b, a))), hue_of("navy")) < 5
    assert spread(pinned)[285, 405] <= 1 < spread(plain)[285, 405]
    assert np.abs(pinned.astype(int) - plain)[:50, 420:].max() <= 1


def test_pixels_are_places_and_are_saved_as_shares(cat: Path) -> None:
    """The middle of pixel 180 of 451 is at (180 + 1/2) / 451."""
    one = colored(cat, "--at", "180px,170px=teal:0.3", "--save-recipe", "r.json")
    assert (one == colored(cat, "--at", f"180px, {170.5 / 300!r}=teal:0.3")).all()
    (edit,) = json.loads((cat / "r.json").read_text())["edits"]
    assert edit == {"at": [180.5 / 451, 170.5 / 300], "color": "teal", "reach": 0.3}


def test_replay_gives_the_same_bytes(cat: Path) -> None:
    """By the saved recipe, and by the one in the result; edits, then masks, then pins."""
    start = tintype("palette", "coffee.png", "--json", cwd=cat).stdout
    (cat / "p.json").write_bytes(start)
    pins = ("--at", "312px,0.5=keep", "--at", "0.4,0.6=hue:240:0.4")
    masks = ("--protect", "left.png", "--mask", "left.png=olive")
    edits = ("--palette", "p.json", "--ban", "green", "--towards", "red", "--vividness", "0.6")
    colored(cat, *pins, *masks, *edits, "--save-recipe", "r.json", name="first.jpg")
    colored(cat, "--recipe", "r.json", name="second.jpg")
    colored(cat, "--recipe", "first.jpg", name="third.jpg")
    first = (cat / "first.jpg").read_bytes()
    assert first == (cat / "second.jpg").read_bytes() == (cat / "third.jpg").read_bytes()
    kinds = [next(iter(edit)) for edit in json.loads((cat / "r.json").read_text())["edits"]]
    assert kinds == ["towards", "ban", "mask", "protect", "at", "at"]


def test_masks_color_and_protect_what_is_white(cat: Path) -> None:
    ImageOps.invert(opened(cat / "left.png")).save(cat / "a=b.png")
    made = colored(cat, "--mask", "a=b.png=blue", "--protect", "left.png", "--towards", "red")
    assert spread(made)[:, :210].max() <= 1
    assert np.median(rgb_to_oklab(made[:, 240:] / 255)[..., 2]) < -0.03


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "I;16", "RGBA"])
def test_a_mask_may_be_any_picture(cat: Path, mode: str) -> None:
    """What is transparent is black, even where its color is white."""
    white = np.asarray(opened(cat / "left.png"))
    other = Image.fromarray(white)
    if mode == "RGBA":
        other = Image.new("RGBA", other.size, "white")
        other.putalpha(Image.fromarray(white))
    elif mode == "I;16":
        other = Image.fromarray(white.astype(np.uint16) * 257)
    else:
        other = other.convert(mode)
    other.save(cat / "other.png")
    np.testing.assert_array_equal(read_mask(load_mask(str(cat / "other.png"))), white / 255)


def test_like_and_alternatives_take_pins(cat: Path) -> None:
    pin = ("--at", f"{RUG}=gray:0.2")
    assert spread(colored(cat, "--like", "coffee.png", *pin))[285, 405] <= 1
    tintype("colorize", "cat.jpg", "--alternatives", "2", *pin, "-o", "v.png", cwd=cat)
    one, two = (np.asarray(opened(cat / f"v-{i}.png").convert("RGB")) for i in (1, 2))
    assert spread(one)[285, 405] <= 1 >= spread(two)[285, 405]
    assert (one != two).any()


def test_notes_are_lines_on_the_photo(cat: Path) -> None:
    Image.new("L", (300, 300), 255).save(cat / "square.png")
    Image.new("L", (457, 300), 255).save(cat / "near.png")  # 1.3 % wider
    words = ("--at", "0.5,0.5=navy", "--at", "225px,150px=red", "--at", "225px,150px=red:0.1")
    words = (*words, "--protect", "near.png", "--protect", "square.png", "--mask", "square.png=tan")
    done = tintype("colorize", "cat.jpg", *words, "-o", "x.png", cwd=cat)
    lines = done.stderr.decode().splitlines()
    assert lines == [
        "tintype: cat.jpg: the pin of navy is on one pixel with a later one of red, which counts",
        "tintype: cat.jpg: the mask for tan is stretched: its width is 1.00 of its height, the "
        "photo's 1.50",
        "tintype: cat.jpg: what is protected is stretched: its width is 1.00 of its height, the "
        "photo's 1.50",
        "tintype: cat.jpg -> x.png",
    ]
    pin = tuple(opened(cat / "x.png").convert("RGB").getpixel((225, 150)))
    assert len(set(pin)) == 1  # protected, whatever pins say


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "0.4,0.6"), "expected --at X,Y=COLOR[:REACH], found '0.4,0.6'"),
        (("--at", "0.4,0.6="), "expected --at X,Y=COLOR[:REACH]"),
        (("--at", "0.4=navy"), "expected X,Y, each 0..1 or pixels as 812px, found '0.4'"),
        (("--at", "1.4,0=navy"), "expected X,Y, each 0..1 or pixels as 812px, found '1.4,0'"),
        (("--at", "nan,0=navy"), "expected X,Y"),
        (("--at", "-3px,0=navy"), "expected X,Y"),
        (("--at", "0,0=navyish"), "expected a CSS color name, #rrggbb or hue:DEGREES"),
        (("--at", "0,0=hue:x"), "expected a CSS color name, #rrggbb or hue:DEGREES"),
        (("--at", "0,0=navy:1.5"), "expected a reach between 0 and 1, found 1.5"),
        (("--at", "0,0=navy:nan"), "expected a reach between 0 and 1, found nan"),
        (("--at", "0,0=navy:far"), "expected a reach between 0 and 1, found 'far'"),
        (("--at", "0,0=navy:"), "expected a reach between 0 and 1, found ''"),
        (("--mask", "left.png"), "expected --mask FILE=COLOR, found 'left.png'"),
        (("--mask", "left.png=navyish"), "expected a CSS color name"),
        (("--mask", "left.png=tan", "-o", "left.png", "--overwrite"), "is an input"),
        (("--mask", "left.png=tan", "--save-recipe", "link.json"), "is an input"),
        (("--protect", "left.png", "-o", "left.png", "--overwrite"), "is an input"),
        (("coffee.png", "--at", "0,0=tan"), "expected one photo with --at, found 2; color it"),
        (("--page", "all", "--mask", "left.png=tan"), "expected one photo with --mask, found"),
        (("--recipe", "r.json", "--at", "0,0=tan"), "--recipe already says what to do"),
        (
            ("--like", "coffee.png", "--method", "welsh2002", "--protect", "left.png"),
            "expected no choices of the model with --method welsh2002, found --protect",
        ),
    ],
)
def test_what_options_say_wrongly_is_a_usage_error(
    cat: Path, words: tuple[str, ...], said: str
) -> None:
    (cat / "link.json").symlink_to("left.png")
    before = {path: path.read_bytes() for path in cat.iterdir()}
    assert said in refuse("cat.jpg", *words)
    assert {path: path.read_bytes() for path in cat.iterdir()} == before


@pytest.mark.parametrize("folder_or_tar", ["scans/", "scans.tar", "s3://bucket/scans"])
def test_a_pin_belongs_to_its_photo(cat: Path, folder_or_tar: str) -> None:
    (cat / "scans").mkdir()
    said = refuse(folder_or_tar, "-o", "out", "--at", "0,0=tan")
    assert f"expected one photo with --at, found {folder_or_tar}" in said
    assert "--recipe" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "451px,0=navy"), "cat.jpg: expected a place on the photo of 451 x 300 pixels"),
        (("--mask", "notes.png=tan"), "notes.png: expected an image"),
    ],
)
def test_what_files_say_wrongly_is_one_line(cat: Path, words: tuple[str, ...], said: str) -> None:
    (cat / "notes.png").write_text("no picture")
    done = tintype("colorize", "cat.jpg", *words, "-o", "x.png", cwd=cat, status=1)
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"tintype: {said}")
    assert not (cat / "x.png").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.png", "expected an image"),
        ("", "expected an image"),
        ("black.png", "expected a mask, white where it holds, found all black"),
        ("pipe", "expected a mask's file, found a pipe or a device"),
    ],
)
def test_what_is_no_mask(cat: Path, name: str, said: str) -> None:
    os.mkfifo(cat / "pipe")
    Image.new("L", (9, 9)).save(cat / "black.png")
    with pytest.raises(TintypeError, match=f"^{re.escape(str(cat / name))}: {said}"):
        load_mask(str(cat / name))


@pytest.mark.parametrize("text", ["", "0.4", "0,0,0", "a,b", "1.1,0", "3 px,0", "px,0", "0.5px,0"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(PaletteError, match="expected X,Y"):
        parse_place(text)
