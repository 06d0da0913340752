"""The pages say what the files say that commands left."""

import re
import runpy
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import opened, tintype
from pages import ROOT, read_page, read_results

from tintype.cli import colorize

METHOD = "src/tintype/research/methods/NAME.py"  # of whoever adds one
TABLES = runpy.run_path(str(ROOT / "tools" / "make_tables.py"))


@pytest.fixture
def gallery(monkeypatch):
    """What `tools/make_gallery.py` defines, and the commands of each picture in the page."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    names = runpy.run_path(str(ROOT / "tools" / "make_gallery.py"))
    return names, names["strips"](names["PAGE"].read_text())


@pytest.mark.parametrize("name", TABLES["PAGES"])
def test_tables_are_those_of_the_files(name):
    page = (ROOT / name).read_text()
    assert TABLES["BLOCK"].search(page)
    assert TABLES["update"](page) == page


def test_the_readmes_numbers_are_measured():
    """Raw and rebalanced AuC of gray and of the model, and how far hue shifts are followed."""
    rows = {r["method"]: r for r in read_results("docs/evaluation.json")["rows"]}
    followed = read_results("docs/evaluation.json")["steering"]["followed_median"].values()
    text = read_page("README.md")
    for name, values in {
        "raw accuracy (AuC) is ": ("automatic", "auc"),
        "for gray (": ("automatic, calm", "auc"),
        "rebalanced accuracy ": ("automatic", "auc_rebalanced"),
    }.items():
        assert f"{name}{rows[values[0]][values[1]]:.1f}" in text
    assert f"against {rows['gray']['auc']:.1f} for gray" in text
    assert f"against {rows['gray']['auc_rebalanced']:.1f}" in text
    true = rows["true palette"]
    assert f"{true['auc']:.1f} and {true['auc_rebalanced']:.1f}" in text
    assert f"{100 * min(followed):.0f} to {100 * max(followed):.0f} %" in text


def test_the_readmes_gains_by_hints_are_measured():
    """Ours and iDeepColor's, at random places without the true palette."""
    rows = read_results("docs/evaluation.json")["hints"]["rows"]
    own = {row["hints"]: row for row in rows if row["method"] == "random"}
    text = read_page("README.md")
    for words, name in (("gain", "psnr_gain"), ("published", "published_gain")):
        few, five, ten, many = (f"{own[count][name]:.1f}" for count in (1, 5, 10, 50))
        assert f"{words} {few}, {five}, {ten} and {many} dB" in text


def test_the_readmes_share_of_the_way_to_a_taste_is_measured():
    """What is painted after 60 recipes, on the median photo, of both tastes."""
    rows = [row for row in read_results("results/taste.json")["rows"] if row["recipes"] == 60]
    low, high = sorted(100 * row["photos"]["quartiles"][1] for row in rows)
    assert f"{low:.0f} to {high:.0f} % of the way" in read_page("README.md")


def test_links_and_pictures_are_there():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} names {target}"


def test_files_that_contributors_are_sent_to_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    names = set(re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", text)) - {METHOD}
    assert len(names) > 15
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []


def test_each_command_of_the_gallery_is_one_that_tintype_takes(gallery):
    """Each on its picture's photo, into a file of its own, and of files that are there."""
    _, strips = gallery
    outputs = []
    for name, groups in strips.items():
        for command in (command for group in groups for command in group):
            program, verb, *words = shlex.split(command)
            options = colorize.make_context(verb, list(words)).params
            assert (program, verb) == ("tintype", "colorize")
            assert options["photos"] == (f"examples/{name}.jpg",)
            assert Path(options["output"]).parts[0] == name
            assert all((ROOT / w).exists() for w in words if w.startswith("examples/"))
            outputs.append(options["output"])
    assert len(set(outputs)) == len(outputs) > 10 * len(strips)


def test_all_pictures_of_the_gallery_are_those_of_commands(gallery):
    names, strips = gallery
    pictures = re.findall(r"!\[.*\]\((.*)\)", names["PAGE"].read_text())
    assert pictures == [f"gallery/{name}.jpg" for name in strips]
    files = list((ROOT / "docs" / "gallery").iterdir())
    assert {f"gallery/{path.name}" for path in files} == set(pictures)
    assert sum(path.stat().st_size for path in files) < 1_500_000


def test_a_picture_of_the_gallery_is_what_its_commands_make(gallery, tmp_path):
    """Two rows of it: beside the gray photo one coloring; two of them, and the original."""
    names, strips = gallery
    command = strips["chelsea"][0][0]
    two = "tintype colorize examples/chelsea.jpg -o chelsea/two.jpg --alternatives 2"
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    picture = names["strip"]("chelsea", [[command], [two]], tmp_path)
    made = tmp_path / "chelsea"
    assert {path.name for path in made.iterdir()} == {"calm.jpg", "two-1.jpg", "two-2.jpg"}
    assert 3 * names["WIDTH"] < picture.width < 3.2 * names["WIDTH"]
    assert 2 * 200 < picture.height < 2 * 250

    by_hand = tmp_path / "by hand"
    shutil.copytree(ROOT / "examples", by_hand / "examples")
    tintype(*shlex.split(command)[1:], cwd=by_hand)
    assert (by_hand / "chelsea" / "calm.jpg").read_bytes() == (made / "calm.jpg").read_bytes()


def test_every_example_is_free_and_the_gray_of_its_original():
    table = (ROOT / "examples" / "README.md").read_text()
    for path in (ROOT / "examples").rglob("*.jpg"):
        (row,) = re.findall(rf"\| `{path.name}` .*", table)
        assert row.endswith(("; CC0 |", "; public domain |"))
    for path in (ROOT / "examples" / "originals").iterdir():
        gray = np.asarray(opened(path.parents[1] / path.name), dtype=float)
        own = np.asarray(opened(path).convert("L"), dtype=float)
        assert np.abs(gray - own).mean() < 3
