"""No file that is read is ever written, and none twice, whatever links lead there."""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from command import tintype
from PIL import Image
from skimage import data
from tiny import color, draw, files

from tintype.batch import OutputOptions, Reference, Request, colorize


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with photos, links to it and in it, and files that decide colors."""
    real = tmp_path / "real"
    for number, name in enumerate(("a.jpg", "b.jpg", "c.png")):
        draw(real / name, 20 * number)
    (tmp_path / "alias").symlink_to(real)
    (tmp_path / "link.jpg").symlink_to(real / "a.jpg")
    os.link(real / "b.jpg", tmp_path / "hard.jpg")
    (tmp_path / "recipe.json").write_text('{"version": 1, "vividness": 0.5}')
    (tmp_path / "palette.json").write_text(
        '{"version": 1, "colors": [{"color": "red", "share": 1}]}'
    )
    return tmp_path


LISTS = {
    "an input by another way": "real/a.jpg -o alias/a.jpg",
    "an input by a link": "real/a.jpg -o link.jpg",
    "an input by a hard link": "real/b.jpg -o hard.jpg",
    "an input under another name": "link.jpg -o real/a.jpg",
    "another photo's": "real/a.jpg real/a.color.jpg -o alias",
    "the recipe over the photo": "real/a.jpg -o o.jpg --save-recipe real/a.jpg",
    "the recipe over the photo, by a link": "real/a.jpg -o o.jpg --save-recipe link.jpg",
    "the recipe over the result": "real/a.jpg -o o.jpg --save-recipe o.jpg",
    "the recipe over the comparison": "real/a.jpg -o o.jpg --compare --save-recipe ./o.compare.jpg",
    "the recipe over an alternative": "real/a.jpg --compare --save-recipe alias/a.color.jpg",
    "the recipe that is used": "real/a.jpg -o recipe.json --recipe recipe.json",
    "the palette that is used": "real/a.jpg -o palette.json --palette palette.json",
    "the reference": "real/a.jpg -o real/b.jpg --like hard.jpg",
    "the reference of transfer": "real/a.jpg -o hard.jpg --like real/b.jpg --method welsh2002",
    "the model": "real/a.jpg -o alias/c.png --model real",
    "the comparison over an input": "real/a.jpg cc/x.compare.jpg --compare",
}


@pytest.mark.parametrize("words", LISTS.values(), ids=LISTS.keys())
def test_what_is_read_is_not_written_by_a_list(album: Path, words: str) -> None:
    draw(album / "cc" / "x.jpg")
    draw(album / "cc" / "x.compare.jpg")
    words = words.replace("real/a.jpg cc/", "cc/x.jpg cc/")
    before = files(album)
    done = tintype("colorize", *words.split(), "--overwrite", cwd=album, status=2)
    assert b"name another" in done.stderr or b"would both become" in done.stderr
    assert files(album) == before


def test_what_is_read_is_not_written_by_a_folder(album: Path) -> None:
    """`symlink_input`: a link in OUT leads back to a photo; the others are colored."""
    (album / "out").mkdir()
    (album / "out" / "a.color.jpg").symlink_to("../real/a.jpg")
    before = files(album / "real")
    calls, (failure,) = color(album / "real", album / "out", overwrite=True)
    assert "a.color.jpg is an input" in failure
    assert calls == 2
    assert files(album / "real") == before
    calls, failures = color(album / "real", album / "out", overwrite=True)  # nor later on
    assert (calls, len(failures)) == (0, 1)
    assert files(album / "real") == before


def test_a_photo_that_is_done_is_read_too(album: Path) -> None:
    color(album / "real", album / "out")
    (album / "out" / "a.color.jpg").unlink()
    draw(album / "real" / "a.jpg", 99)  # and only this one is colored again
    (album / "out" / "a.color.jpg").symlink_to("../real/b.jpg")
    before = files(album / "real")
    color(album / "real", album / "out", overwrite=True)
    assert files(album / "real") == before


def test_a_folder_that_links_to_another_gets_each_result_once(album: Path) -> None:
    for name in ("one", "two"):
        draw(album / "tree" / name / "x.png", len(name))
    (album / "out" / "one").mkdir(parents=True)
    (album / "out" / "two").symlink_to("one")
    calls, (failure,) = color(album / "tree", album / "out", overwrite=True)
    assert calls == 1
    assert "are one file" in failure


@pytest.mark.parametrize("name", ["manifest.jsonl", "album.json"])
def test_the_notes_of_a_folder_replace_nothing(album: Path, name: str) -> None:
    (album / "out").mkdir()
    (album / "out" / name).symlink_to("../recipe.json")
    request = Request(album / "real", album / "out", album=True, made_from=(album / "recipe.json",))
    with pytest.raises(ValueError, match="is an input"):
        colorize(request)


@pytest.mark.parametrize("choice", ["interpolation", "reference", "made_from"])
def test_what_decides_the_colors_of_a_folder_is_not_written(album: Path, choice: str) -> None:
    like = draw(album / "like.jpg")
    Image.fromarray(data.coffee()).save(like)
    (album / "out").mkdir()
    (album / "out" / "a.color.jpg").symlink_to("../like.jpg")
    request = {
        "interpolation": Request("real", "out", interpolation=("like.jpg", "palette.json")),
        "reference": Request("real", "out", reference=Reference("like.jpg")),
        "made_from": Request("real", "out", made_from=("like.jpg",)),
    }[choice]
    before = like.read_bytes()
    with contextlib.chdir(album):
        summary = colorize(replace(request, options=OutputOptions(overwrite=True)))
    assert like.read_bytes() == before
    assert (summary.colored, len(summary.failures)) == (2, 1)
    assert "is an input" in summary.failures[0]
