"""The pages say what the files say that commands left."""

import json
import re
import runpy
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import opened, tintype
from scipy import stats

from tintype.cli import colorize

ROOT = Path(__file__).parents[1]
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


def test_the_readmes_gains_by_hints_are_measured():
    """Ours and iDeepColor's, at random places without the true palette."""
    rows = _read("docs/evaluation.json")["hints"]["rows"]
    own = {row["hints"]: row for row in rows if row["method"] == "random"}
    text = " ".join((ROOT / "README.md").read_text().split())
    for words, name in (("gain", "psnr_gain"), ("published", "published_gain")):
        few, five, ten, many = (f"{own[count][name]:.1f}" for count in (1, 5, 10, 50))
        assert f"{words} {few}, {five}, {ten} and {many} dB" in text


def test_the_readmes_share_of_the_way_to_a_taste_is_measured():
    """What is painted after 60 recipes, on the median photo, of both tastes."""
    rows = [row for row in _read("results/taste.json")["rows"] if row["recipes"] == 60]
    low, high = sorted(100 * row["photos"]["quartiles"][1] for row in rows)
    assert f"{low:.0f} to {high:.0f} % of the way" in (ROOT / "README.md").read_text()


def read_page(name):
    """A page's text in one line."""
    return " ".join((ROOT / name).read_text().split())


def read_rows(name="table1"):
    """Rows of a table of the paper's on the luma, by run (or method) and palette."""
    rows = _read(f"results/{name}.json")
    return {(r["run"] or r["method"], r["palette"]): r for r in rows if r["gray"] == "luma"}


def lead(one, other):
    """By how much raw AuC is higher, with 95 % by Student's t over seeds."""
    leads = [a - b for a, b in zip(one["auc_by_seed"], other["auc_by_seed"], strict=True)]
    half = stats.t.ppf(0.975, len(leads) - 1) * np.std(leads, ddof=1) / len(leads) ** 0.5
    return np.mean(leads) + np.array([0, -half, half])


def say_lead(one, other):
    """`lead` as the pages say it."""
    return "{:.2f} ({:.2f} to {:.2f})".format(*lead(one, other))


def test_what_the_page_on_the_paper_answers_is_what_was_measured():
    """Who is ahead, by itself and with the palette given, whoever that is."""
    rows, text = read_rows(), read_page("docs/paper.md")
    gray, dahl, paper = (rows[name, "own"] for name in ("gray", "dahl2016", "fenu2016"))
    given = rows["fenu2016", "true"]
    assert paper["seeds"] == dahl["seeds"] == 3
    low, high = dahl["auc_difference_interval"]
    ours, theirs, none = (f"{row['auc']:.2f}" for row in (paper, dahl, gray))
    assert f"{ours}, {theirs} and {none} have the paper's, Dahl's and gray" in text
    ahead = f"{dahl['auc_difference']:.2f} ({low:.2f} to {high:.2f} over photos and seeds)"
    each = [a - b for a, b in zip(dahl["auc_by_seed"], paper["auc_by_seed"], strict=True)]
    first, second, third = (f"{value:.2f}" for value in each)
    assert f"{ahead}, in each of the three seeds ({first}, {second} and {third})" in text
    assert f"it gains {given['auc'] - paper['auc']:.2f}" in text
    assert f"{given['auc']:.2f} with each photo's true palette" in text
    mean, least, most = lead(given, dahl)
    assert f"{mean:.2f} more than Dahl's ({least:.2f} to {most:.2f}" in text
    mean, least, most = lead(given, rows["deshpande2015", "true"])
    assert f"{mean:.2f} more ({least:.2f} to {most:.2f}) than Deshpande's" in text
    assert f"{lead(given, rows['cheng2015', 'own'])[0]:.2f} more than Cheng's" in text
    assert f"makes more of them: {rows['tintype', 'true']['auc']:.2f}" in text
    rare = [f"{rows[name, 'own']['auc_rebalanced']:.2f}" for name in ("dahl2016", "cheng2015")]
    rare.append(f"and {rows['deshpande2015', 'true']['auc_rebalanced']:.2f}")
    rivals = ", ".join(rare).replace(", and", " and")
    assert f"it is {given['auc_rebalanced']:.2f} against {rivals}" in text
    zhang = rows["zhang2016-class", "own"]
    low, high = zhang["auc_difference_interval"]
    assert (low < 0 < high) == ("with an interval that holds 0" in text)
    assert f"{ours} against {zhang['auc']:.2f}" in text
    assert f"a run sees {paper['photos_seen']:,} crops" in text


def test_what_the_page_on_the_paper_says_of_gains_over_gray_is_what_was_measured():
    rows, text = read_rows(), read_page("docs/paper.md")
    gray, tint = rows["gray", "own"], rows["tint", "own"]
    over, colored = (tint[name] - gray[name] for name in ("auc", "hsv_accuracy"))
    assert f"gains {over:.2f} over gray, and {colored:.2f} in the reading 1 - HSV L1" in text
    value = next(r for r in _read("results/table1.json") if r["gray"] == "value")
    rmse, hsv = value["rmse_accuracy"], value["hsv_accuracy"]
    assert f"Gray from V has {rmse:.1f} by 1 - RMSE and {hsv:.1f} by 1 - HSV L1" in text
    for words, name in (
        ("Cheng's gains", "cheng2015"),
        ("Dahl's", "dahl2016"),
        ("the paper's", "fenu2016"),
        ("the default model's network", "tintype"),
        ("Zhang's without rebalancing", "zhang2016-class"),
        ("Zhang's with it loses", "zhang2016"),
        ("Deshpande's", "deshpande2015"),
    ):
        assert f"{words} {abs(rows[name, 'own']['auc'] - gray['auc']):.2f}" in text


def test_what_the_page_on_the_paper_says_of_steering_is_what_was_measured():
    text = read_page("docs/paper.md")
    shipped = "docs/evaluation.json"
    for name, file in (
        *((f"seed {i}", f"results/steering-fenu2016-{i}.json") for i in range(3)),
        ("as shipped (480 photos)", shipped),
    ):
        report = _read(file)
        steering = report["steering"]
        followed = ", ".join(f"{100 * v:.0f}" for v in steering["followed_median"].values())
        hues = [f"{100 * v:.0f} %" for v in steering["one_hue_median"].values()]
        strengths = [f"{v:.1f} x" for v in steering["strength_median"].values()]
        raw = {row["method"]: row["auc"] for row in report["rows"]}
        gain = f"+{raw['true palette'] - raw['automatic']:.2f}"
        row = " | ".join((name, f"{followed} %", *hues, *strengths, gain))
        assert f"| {row} |" in text


def test_what_the_page_on_the_paper_says_of_its_residual_connections_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    cells = ("fenu2016", "no-palette", "nothing-carried", "neither", "not-turned")
    assert [rows[name, "own"]["seeds"] for name in cells] == [3] * 5
    both, palette, carried, neither, turned = (f"{rows[name, 'own']['auc']:.2f}" for name in cells)
    assert f"with both {both}, without the palette's {palette}, without carried" in text
    assert f"colors {carried}, with neither {neither}" in text
    for low, high in (rows[name, "own"]["auc_difference_interval"] for name in cells[1:]):
        assert low < 0 < high
    given, uncarried, unturned = (rows[name, "true"] for name in (cells[0], cells[2], cells[4]))
    assert f"carried colors are worth {say_lead(given, uncarried)}, from" in text
    assert f"from {uncarried['auc']:.2f} to {given['auc']:.2f}" in text
    rare, unturned_rare = given["auc_rebalanced"], unturned["auc_rebalanced"]
    assert f"in rebalanced AuC {rare - uncarried['auc_rebalanced']:.2f}" in text
    assert f"({turned} without, {unturned['auc']:.2f} with the true palette)" in text
    assert f"rebalanced AuC of {rare:.2f} against {unturned_rare:.2f}" in text


def test_what_the_page_on_the_paper_says_of_its_losses_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")
    cells = ("l1", "l1-variation", "l1-palettewise", "l1-both")
    plain, variation, palettewise, both = (rows[name, "own"] for name in cells)
    gray = rows["gray", "own"]
    assert f"have a colorfulness of {gray['colorfulness_gap']:.1f}; with L1 alone" in text
    first, *others = (row["colorfulness"] for row in (plain, variation, palettewise, both))
    added = "(`l1`) it is {:.1f}, with total variation added {:.1f}, with the palettewise loss"
    assert f"{added} added {{:.1f}}, with both {{:.1f}}".format(first, *others) in text
    fall = f"from {plain['auc']:.2f} to {palettewise['auc']:.2f}, by "
    assert f"{fall}{say_lead(plain, palettewise)}, which is hardly more than gray's" in text
    assert 0 < palettewise["auc"] - gray["auc"] < 0.1
    rare = f"{plain['auc_rebalanced']:.2f} and {palettewise['auc_rebalanced']:.2f}"
    assert f"gray's {gray['auc']:.2f}, and rebalanced AuC is the same, {rare}" in text
    assert f"Total variation takes {say_lead(both, palettewise)} of that back" in text
    low, high = lead(plain, variation)[1:]
    assert (low < 0 < high) == (f"alone changes nothing ({variation['auc']:.2f})" in text)
    plain, palettewise = (rows[name, "true"] for name in ("l1", "l1-palettewise"))
    lost = plain["auc_rebalanced"] - palettewise["auc_rebalanced"]
    costs = f"costs {say_lead(plain, palettewise)} and {lost:.2f} of rebalanced AuC"
    assert f"With the true palette the palettewise loss {costs}" in text


def test_what_the_page_on_the_paper_says_of_its_weights_and_layers_is_what_was_measured():
    rows, text = read_rows("ablations"), read_page("docs/paper.md")

    def say(cells, palette, name="auc"):
        first, second, third = (f"{rows[cell, palette][name]:.2f}" for cell in cells)
        return f"{first}, {second} and {third}"

    weights = ("l1", "fenu2016", "alpha-1")
    assert f"have {say(weights, 'own')}, and {say(weights, 'true')} with the true palette" in text
    none, _, most = (rows[cell, "own"] for cell in weights)
    seeds = zip(*(rows[cell, "own"]["auc_by_seed"] for cell in weights), strict=True)
    best = all(max(seed) == seed[-1] for seed in seeds)
    assert best == (f"the best in each seed, by {say_lead(most, none)} over none" in text)
    powers, gray = ("rebalance-0", "fenu2016", "rebalance-1"), rows["gray", "own"]
    assert f"Powers of 0, 0.25 and 1 have {say(powers, 'own')}, where gray has " in text
    assert f"gray has {gray['auc']:.2f}, and with the true palette {say(powers, 'true')}" in text
    assert f"rebalanced AuC is then {say(powers, 'true', 'auc_rebalanced')}" in text
    strong, usual = (f"{100 * rows[c, 'true']['chroma_of_truth']:.0f} %" for c in powers[:0:-1])
    assert f"({strong} of their chroma with the true palette, {usual} with 0.25)" in text
    assert rows["rebalance-1", "own"]["auc"] < gray["auc"]
    with_it, without = ([rows[c, p] for p in ("own", "true")] for c in ("fenu2016", "no-conv5"))
    (own, given), (own_without, given_without) = with_it, without
    assert f"conv5_3 is worth {say_lead(own, own_without)} where the palette is estimated" in text
    assert f"{own_without['auc']:.2f} without it, and {say_lead(given, given_without)} with" in text


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


def _read(name):
    return json.loads((ROOT / name).read_text())
