"""What people read when something is wrong: one line, which says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import TINTYPE

from tintype import PaletteError, Recipe
from tintype.errors import explain_json


def run(*arguments: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run([TINTYPE, *arguments], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there, a folder in use cannot be deleted")
def test_a_deleted_working_folder_is_said(folder: Path) -> None:
    (folder / "gone").mkdir()
    code = f"import os; os.chdir('gone'); os.rmdir('../gone'); os.execv({str(TINTYPE)!r}, "
    code += f"[{str(TINTYPE)!r}, 'colorize', 'a.jpg', '-o', 'b.jpg'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "tintype: expected a working folder, found that it was deleted; cd to another one"
    ]


def test_usage_errors_do_not_steer_the_terminal(folder: Path) -> None:
    for arguments in (
        ("colorize", "a\x1b[2J.jpg", "-o", "a\x1b[2J.jpg", "--overwrite"),
        ("colorize", "cat.jpg", "--towards", "\x1b[2J"),
        ("colorize", "cat.jpg", "--page", "\x1b[2J"),
        ("\x1b[2J",),
        ("colorize", "no\x1b[2J.jpg"),
    ):
        status, said = run(*arguments, cwd=folder)
        assert status in (1, 2), said
        assert "\x1b" not in said
        assert r"\x1b[2J" in said or "page" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"version": 2, "vividness": ' + "1" * 400 + "}", "vividness"),
        ('{"version": 2, "edits": [{"shift_hue": ' + "1" * 400 + "}]}", "edit"),
        ('{"version": 2, "edits": [{"shift_hue": ' + "1" * 9000 + "}]}", "too many digits"),
        ('{"version": ' + "1" * 400 + "}", "another"),
        ('{"version": 2, "alternative": ' + "1" * 400 + "}", "alternative"),
        ('{"version": 2, "edits": [{"' + "x" * 9000 + '": 1}]}', "edit"),
        ("[" * 99_999, "too many levels"),
        ("{", "line 1, column 2"),
    ],
)
def test_odd_recipes_are_refused_in_a_short_line(text: str, found: str, folder: Path) -> None:
    (folder / "recipe.json").write_text(text)
    status, said = run("colorize", "cat.jpg", "--recipe", "recipe.json", cwd=folder)
    assert status == 1
    assert len(said.splitlines()) == 1
    assert len(said) < 600
    assert found in said
    if "version" in text and found != "edit":
        with pytest.raises(PaletteError):
            Recipe.from_json(text)


def test_json_s_own_words_are_translated() -> None:
    for text, wanted in ((b"\xff\xfe{", "UTF-8"), (b"[1,]", "line 1"), (b"9" * 9999, "digits")):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            json.loads(text)
        assert wanted in explain_json(caught.value)
    assert os.linesep not in explain_json(TypeError("x"))
