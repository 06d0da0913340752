"""Whatever reads a user's file has one that may be costly read in a process that can be ended."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bombs import save
from click.testing import CliRunner
from PIL import Image
from skimage import data

import tintype.photo
from tintype import welsh2002
from tintype.batch import measure_folder
from tintype.cli import cli
from tintype.colorizer import Colorizer
from tintype.formats import decode
from tintype.formats.pillow import ReadOptions
from tintype.palette import Palette
from tintype.recipe import Recipe


@pytest.fixture
def costly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with gray.png, and a color photo with many comments, which must not be read here."""
    photo = save(Image.fromarray(data.coffee()[::4, ::4]), "JPEG")
    content = photo[:2] + b"\xff\xfe\x00\x02" * 3000 + photo[2:]
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "costly.jpg").write_bytes(content)
    Image.fromarray(data.chelsea()[::4, ::4]).convert("L").save(tmp_path / "gray.png")

    def refuse(source: decode.Source, options: ReadOptions) -> decode.Decoded:
        here = isinstance(source, (bytes, str, Path)) and source != "gray.png"
        assert not here, "read here"
        return decode.decode(source, options)

    monkeypatch.setattr(tintype.photo, "decode", refuse)  # not in the child
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scans" / "costly.jpg"


READERS: dict[str, Callable[[Path, Colorizer], object]] = {
    "a palette's photo": lambda path, _: Palette.load(path),
    "a photo's bytes": lambda path, _: Palette.measure(path.read_bytes()),
    "a reference": lambda path, _: welsh2002.read_reference(path),
    "a folder's own colors": lambda path, c: measure_folder(c, path.parent, own=True),
    "a folder": lambda path, c: measure_folder(c, path.parent),
}


@pytest.mark.parametrize("name", READERS)
def test_it_is_not_read_here(costly: Path, colorizer: Colorizer, name: str) -> None:
    found = READERS[name](costly, colorizer)
    assert not isinstance(found, tuple) or found[1] == []  # a folder's failures


COMMANDS = {
    "palette": ["palette", "COSTLY"],
    "palette --own": ["palette", "COSTLY", "--own"],
    "palette --palette": ["palette", "gray.png", "--palette", "COSTLY"],
    "palette -": ["palette", "-"],
    "colorize": ["colorize", "COSTLY", "-o", "out.png"],
    "colorize -": ["colorize", "-", "-o", "out.png"],
    "colorize --palette": ["colorize", "gray.png", "-o", "out.png", "--palette", "COSTLY"],
    "colorize --like": ["colorize", "gray.png", "-o", "out.png", "--like", "COSTLY"],
    "welsh2002": [
        *["colorize", "gray.png", "-o", "out.png", "--like", "COSTLY"],
        *["--method", "welsh2002"],
    ],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_reads_it_here(costly: Path, name: str) -> None:
    words = [str(costly) if word == "COSTLY" else word for word in COMMANDS[name]]
    done = CliRunner().invoke(cli, words, input=costly.read_bytes(), catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_the_recipe_in_a_picture_is_not_looked_for_here(
    tmp_path: Path, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "result.jpg"
    colorizer.colorize(data.camera(), Recipe(vividness=0.25)).save(path)
    photo = path.read_bytes()
    path.write_bytes(photo[:2] + b"\xff\xfe\x00\x02" * 3000 + photo[2:])
    assert Recipe.load(path).vividness == 0.25
    monkeypatch.setattr(decode, "pillow", None)  # not in the child
    assert Recipe.load(path).vividness == 0.25
