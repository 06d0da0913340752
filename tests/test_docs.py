"""The pages say what the files say that commands left."""

import json
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLES = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))


@pytest.mark.parametrize("name", TABLES["PAGES"])
def test_tables_are_those_of_the_files(name):
    page = (ROOT / name).read_text()
    assert TABLES["BLOCK"].search(page)
    assert TABLES["updated"](page) == page


def test_the_readmes_numbers_are_measured():
    """Raw and rebalanced AuC of gray and of the model, and how far hue shifts are followed."""
    rows = {r["method"]: r for r in _read("docs/evaluation.json")["rows"]}
    followed = _read("docs/evaluation.json")["steering"]["followed_median"].values()
    text = " ".join((ROOT / "README.md").read_text().split())
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


def test_what_the_page_on_the_paper_says_of_its_table():
    """Its sentences on gray, Dahl's and the paper's method, and that they come in this order."""
    rows = {
        (r["method"], r["gray"]): r
        for r in _read("results/table1.json")
        if r["run"] != "as shipped"
    }
    text = " ".join((ROOT / "docs" / "paper.md").read_text().split())
    gray, dahl, paper = (rows[name, "luma"] for name in ("gray", "dahl2016", "fenu2016"))
    assert gray["auc"] < dahl["auc"] < paper["auc"]
    low, high = dahl["auc_difference_interval"]
    assert f"{paper['auc']:.2f}, {dahl['auc']:.2f} and {gray['auc']:.2f}" in text
    assert f"{-dahl['auc_difference']:.2f} ({-high:.2f} to {-low:.2f})" in text
    value = rows["gray", "value"]
    assert f"{value['rmse_accuracy']:.1f}" in text
    assert f"{value['hsv_accuracy']:.1f}" in text
    assert f"{paper['photos_seen']:,} crops" in text


def test_links_and_pictures_are_there():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} names {target}"


def _read(name):
    return json.loads((ROOT / name).read_text())
