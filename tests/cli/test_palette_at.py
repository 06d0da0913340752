"""`tintype palette --at`: swatches of what a thing may have been."""

import json
import re
from pathlib import Path

import pytest
from command import tintype
from PIL import ImageColor

import tintype as package
from tintype.bins import hue_of
from tintype.charts import draw_suggestions
from tintype.color import hue_distance
from tintype.suggestions import Suggestion

FUR = ("palette", "cat.jpg", "--at", "0.4,0.6")


def test_five_colors_and_their_shares(folder: Path) -> None:
    lines = tintype(*FUR, cwd=folder).stdout.decode().splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(r"#[0-9a-f]{6} +[0-9.]+ %  #+", line) for line in lines)
    found = json.loads(tintype(*FUR, "--json", cwd=folder).stdout)
    encoded = package.load().encode(folder / "cat.jpg")
    own = encoded.suggest(0.4, 0.6)
    assert found == [{"color": s.color, "share": pytest.approx(s.share, abs=1e-3)} for s in own]
    assert [line[:7] for line in lines] == [one["color"] for one in found]


def test_pixels_are_places_too(folder: Path) -> None:
    wide, high = package.photo.read(folder / "cat.jpg").size
    place = f"{int(0.4 * wide)}px, {int(0.6 * high)}px"
    words = ("palette", "cat.jpg", "--at", place, "--json")
    assert tintype(*words, cwd=folder).stdout == tintype(*FUR, "--json", cwd=folder).stdout


def test_edits_count(folder: Path) -> None:
    done = tintype(*FUR, "--json", "--towards", "blue:0.8", "--ban", "orange", cwd=folder)
    found = json.loads(done.stdout)
    assert hue_distance(hue_of(found[0]["color"]), hue_of("blue")) < 30
    (folder / "p.json").write_bytes(tintype("palette", "coffee.png", "--json", cwd=folder).stdout)
    given = json.loads(tintype(*FUR, "--json", "--palette", "p.json", cwd=folder).stdout)
    assert given != json.loads(tintype(*FUR, "--json", cwd=folder).stdout)


def test_swatches_in_a_terminal() -> None:
    found = [Suggestion("#2f55c8", 0.4), Suggestion("#808080", 0.1)]
    first, second = draw_suggestions(found, ansi=True, width=8).splitlines()
    assert first == "#2f55c8   40.0 %  \x1b[38;2;47;85;200m████████\x1b[0m"
    assert second.count("█") == 2
    assert str(ImageColor.getrgb("#808080"))[1:-1].replace(", ", ";") in second
    assert draw_suggestions([], ansi=True) == "no color"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("cat.jpg", "--at", "0.4"), 2, "expected X,Y, each 0..1 or pixels as 812px, found '0.4'"),
        (("cat.jpg", "--at", "1.2,0"), 2, "expected X,Y, each 0..1 or pixels"),
        (("cat.jpg", "--at", "nan,0"), 2, "expected X,Y, each 0..1 or pixels"),
        (("cat.jpg", "--at", "0,0", "--own"), 2, "expected no --own with --at"),
        (("cat.jpg", "--at", "0,0", "--plot", "p.png"), 2, "expected no --plot with --at"),
        ((".", "--at", "0,0"), 2, "expected a photo with --at, found the folder ."),
        (("cat.jpg", "--at", "9999px,0"), 1, "expected a place on the photo of"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    folder: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    done = tintype("palette", *words, cwd=folder, status=status)
    (line,) = [line for line in done.stderr.decode().splitlines() if "expected" in line]
    assert said in line
    assert not done.stdout


def test_one_place_at_a_time(folder: Path) -> None:
    done = tintype(*FUR, "--at", "0.1,0.1", cwd=folder, status=2)
    assert b"expected one place, found 2" in done.stderr
