"""Table 1: every row from the photos, and the files that it is printed from."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from research.conftest import saved, scene
from tintype.cli import cli
from tintype.colorizer import Colorizer
from tintype.errors import DataError
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research.evaluation import entries, metrics, summary, table
from tintype.research.methods import checkpoint
from tintype.research.torch_model import TorchModel


@pytest.fixture(scope="module")
def runs(config, tmp_path_factory):
    """Folders of runs, not in the table's order."""
    tmp_path = tmp_path_factory.mktemp("trained")
    names = ["tintype", "zhang2016", "fenu2016", "dahl2016", "tint"]
    for name in names:
        (tmp_path / name).mkdir()
    return [saved(tmp_path / name, name, config[name]) for name in names]


@pytest.fixture(scope="module")
def truths(tmp_path_factory):
    """A folder of two color photos that need no resizing."""
    folder = tmp_path_factory.mktemp("truths")
    for seed in range(2):
        Image.fromarray(scene(256, 256, seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def report(runs, truths):
    return table.measure(runs, [str(truths)])


def row(report, method, gray="luma", run=None, palette="own"):
    (found,) = [
        r for r in report["rows"]
        if (r["method"], r["gray"], r["palette"]) == (method, gray, palette)
        and run in (None, r["run"])
    ]  # fmt: skip
    return found


def test_rows_are_in_the_papers_order(report):
    found = [(r["method"], r["gray"], r["palette"], r["run"]) for r in report["rows"]]
    assert found == [
        ("gray", "luma", "own", ""),
        ("gray", "value", "own", ""),
        ("tint", "luma", "own", "tint"),
        ("welsh2002", "luma", "own", "from a random photo"),
        ("dahl2016", "luma", "own", "dahl2016"),
        ("fenu2016", "luma", "own", "fenu2016"),
        ("fenu2016", "value", "own", "fenu2016"),
        ("fenu2016", "luma", "true", "fenu2016"),
        ("fenu2016", "value", "true", "fenu2016"),
        ("zhang2016", "luma", "own", "zhang2016"),
        ("tintype", "luma", "own", "tintype"),
        ("tintype", "luma", "true", "tintype"),
        ("tintype", "luma", "own", "as shipped"),
        ("tintype", "luma", "true", "as shipped"),
    ]


def test_gray_is_measured_as_by_hand(report):
    photos = [scene(256, 256, seed) for seed in range(2)]
    for gray, planes in (
        ("luma", [np.asarray(Image.fromarray(p).convert("L")) for p in photos]),
        ("value", [p.max(-1) for p in photos]),
    ):
        scores = [
            metrics.score(np.repeat(g[..., None], 3, -1), p)
            for g, p in zip(planes, photos, strict=True)
        ]
        found = row(report, "gray", gray)
        assert found["auc"] == pytest.approx(metrics.auc(scores))
        assert found["rmse_accuracy"] == pytest.approx(
            100 - 100 * np.mean([s.rmse for s in scores])
        )
        assert found["hsv_accuracy"] == pytest.approx(100 - 100 * np.mean([s.hsv for s in scores]))
        assert found["colorfulness"] == 0
        assert found["parameters"] == 0


def test_a_methods_row_is_its_photos_colored(report, runs):
    zhang = Colorizer(TorchModel(runs[1]))
    photos = [scene(256, 256, seed) for seed in range(2)]
    painted = [zhang.colorize(Image.fromarray(p).convert("L")).image for p in photos]
    scores = [metrics.score(np.asarray(a), b) for a, b in zip(painted, photos, strict=True)]
    assert row(report, "zhang2016")["auc"] == pytest.approx(metrics.auc(scores), abs=1e-3)
    assert row(report, "zhang2016")["psnr"] == pytest.approx(
        np.mean([s.psnr for s in scores]), abs=1e-3
    )


def test_rows_are_compared_with_the_papers_on_the_same_photos(report):
    paper = row(report, "fenu2016")
    assert (paper["auc_difference"], *paper["auc_difference_interval"]) == (0, 0, 0)
    for one in report["rows"]:
        base = row(report, "fenu2016", one["gray"])
        assert one["auc_by_seed"] == [pytest.approx(one["auc"])]
        assert one["auc_difference"] == pytest.approx(one["auc"] - base["auc"])
        low, high = one["auc_difference_interval"]
        assert low - 1e-9 <= one["auc_difference"] <= high + 1e-9


@pytest.mark.parametrize("palette", ["before", "none"])
def test_the_papers_own_row_keeps_v_and_the_methods_colors(palette, config, tmp_path):
    fenu = TorchModel(saved(tmp_path, "fenu2016", replace(config["fenu2016"], palette=palette)))
    photo = scene(128, 128, 4)  # the working size, so that nothing is enlarged
    painted = entries.keep_value(fenu)(photo)
    assert np.abs(painted.max(-1).astype(int) - photo.max(-1)).max() <= 1
    own = 255 * fenu.paint(photo.max(-1).astype(np.float32) / 255)
    assert np.abs(painted - own).max() <= 1.01


def test_weights_are_counted(report, runs, narrow):
    trained = sum(p.numel() for p in TorchModel(runs[3]).network.parameters())
    pinned = [t for name, t in load_file(narrow).items() if name.startswith("features.")]
    found = row(report, "dahl2016")
    assert found["parameters"] == trained
    assert found["pinned"] == sum(t.numel() for t in pinned)
    assert row(report, "zhang2016")["pinned"] == 0
    assert row(report, "tintype", run="as shipped")["photos_seen"] is None


@pytest.mark.parametrize("method", ["fenu2016", "tintype"])
def test_a_true_palette_is_the_photos_own(method, report, runs):
    """It is given as a person would give it: without tones."""
    (run,) = [r for r in runs if r.name == method]
    colorizer = Colorizer(TorchModel(run))
    scores = []
    for truth in (scene(256, 256, seed) for seed in range(2)):
        true = Palette.measure(truth, colorizer.bins, side=colorizer.model.side)
        gray = Image.fromarray(truth).convert("L")
        done = colorizer.colorize(gray, Recipe(replace(true, tones=None)))
        scores.append(metrics.score(np.asarray(done.image), truth))
    found = row(report, method, palette="true", run=method)
    assert found["auc"] == pytest.approx(metrics.auc(scores), abs=1e-3)
    assert found["published"] is None


def test_only_zhangs_variant_without_rebalancing_has_a_published_figure(config, tmp_path):
    found = []
    for rebalance in (0.5, 1.0):
        run = tmp_path / f"zhang-{rebalance}"
        run.mkdir()
        saved(run, "zhang2016", replace(config["zhang2016"], rebalance=rebalance))
        found += [table._find_published(e) for e in entries.make_entries([run], None)]
    assert found == [None, 91.1]


def test_runs_that_differ_in_their_seeds_are_one_row(config, truths, tmp_path):
    """Its numbers are the means of theirs; an interval over one photo is over the seeds alone."""
    folders = [tmp_path / f"zhang2016-{seed}" for seed in range(3)]
    for seed, folder in enumerate(folders):
        folder.mkdir()
        saved(folder, "zhang2016", config["zhang2016"])
        tensors, about = checkpoint.load(folder / "model.safetensors")
        tensors["classify.bias"][60 * seed] += 5
        about["run"]["seed"] = seed
        checkpoint.save(folder / "model.safetensors", tensors, about)
    alone = [row(table.measure([f], [str(truths)], limit=1), "zhang2016") for f in folders]
    report = table.measure(folders, [str(truths)], limit=1)
    found = row(report, "zhang2016")
    every = [one["auc"] for one in alone]
    assert (found["run"], found["seeds"], found["auc_by_seed"]) == ("zhang2016", 3, every)
    for name in ("auc", "psnr", "rmse_accuracy", "auc_rebalanced", "colorfulness_gap"):
        assert found[name] == pytest.approx(np.mean([one[name] for one in alone]))
    assert found["auc_interval"] == pytest.approx((min(every), max(every)))
    assert found["psnr_interval"][0] == pytest.approx(min(one["psnr"] for one in alone))
    assert "over the 3 seeds" in table.format_table(report)
    assert "Stopped" not in table.format_table(report)
    about = about | {"step": 30}
    about["run"] |= {"steps": 40, "seed": 2}
    checkpoint.save(folders[2] / "model.safetensors", tensors, about)
    text = table.format_table(table.measure([folders[2]], [str(truths)], limit=1))
    assert "Stopped before its end: zhang2016-2, at 75% of its run." in text
    again = tmp_path / "again"
    shutil.copytree(folders[0], again)
    with pytest.raises(DataError, match="runs of different seeds, found zhang2016-0, again"):
        table.measure([folders[0], again], [str(truths)])
    tensors, about = checkpoint.load(again / "model.safetensors")
    checkpoint.save(again / "model.safetensors", tensors, about | {"fine_tuning": {"photos": 5}})
    apart = list(entries.make_entries([folders[0], again], None))
    assert [one.run for one in apart] == ["zhang2016-0", "again"]


def test_intervals_over_seeds_reach_from_one_seed_to_the_other():
    photos = [metrics.score(scene(16, 16, s), scene(16, 16, s + 9)) for s in range(6)]
    worse = [replace(one, hits=one.hits / 2, psnr=one.psnr - 20) for one in photos]
    both = photos + worse
    low, high = summary.bootstrap(both, None, count=6)
    assert low < summary.bootstrap(worse, None)[1] < summary.bootstrap(photos, None)[0] < high
    low, high = summary.bootstrap_mean([one.psnr for one in both], 2)
    assert low < max(one.psnr for one in worse) < min(one.psnr for one in photos) < high


def test_rows_that_keep_v_can_be_left_out(runs, truths, report):
    paper = [run for run in runs if run.name == "fenu2016"]
    found = table.measure(paper, [str(truths)], limit=1, luma=True)["rows"]
    assert [(row["method"], row["gray"]) for row in found] == [
        (row["method"], "luma")
        for row in report["rows"]
        if row["method"] in ("gray", "fenu2016") and row["gray"] == "luma"
    ]


def test_a_vgg_that_no_run_has_is_refused(runs, narrow):
    unpinned = next(run for run in runs if run.name == "zhang2016")
    with pytest.raises(DataError, match="--vgg: expected a run over VGG-16, found none but zhang"):
        list(entries.make_entries([unpinned], narrow))


def test_runs_of_one_name_are_refused(runs, truths):
    with pytest.raises(DataError, match="expected runs of different names, found zhang2016, zhang"):
        table.measure([runs[1], runs[1]], [str(truths)])


def test_files_say_how_the_numbers_came_about(report, tmp_path):
    table.write(report, tmp_path / "results" / "table1")
    rows = json.loads((tmp_path / "results" / "table1.json").read_text())
    assert rows == json.loads(json.dumps(report["rows"]))
    about = json.loads((tmp_path / "results" / "table1.runs.json").read_text())
    assert about["runs"]["fenu2016"]["config"]["alpha"] == 0.3
    assert about["runs"]["fenu2016"]["run"]["seed"] == 0
    assert about["where"]["processors"] >= 1
    text = (tmp_path / "results" / "table1.md").read_text()
    assert text == table.format_table(report)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(rows) + 2
    assert [line.split("|")[1].strip() for line in lines[-2:]] == ["cheng2015", "deshpande2015"]
    assert all(line.count("|") == 13 for line in lines)
    assert "| 90.6 |" in lines[7]
    assert next(line for line in lines if line.startswith("| zhang2016")).endswith("|  |")
    assert "VGG-16, pinned: all stages trained here for" in text


def test_runs_of_one_method_are_compared_with_each_other(runs, truths):
    report = table.measure([runs[2]], [str(truths)])
    assert {r["method"] for r in report["rows"]} == {"gray", "fenu2016"}
    assert "no run" not in table.format_table(report)


def test_evaluate_prints_the_table(runs, truths, tmp_path):
    stem = tmp_path / "table1"
    given = ["evaluate", *map(str, runs[1:2]), "--data", str(truths), "-o", str(stem)]
    done = CliRunner().invoke(cli, [*given, "--limit", "1"])
    assert done.exit_code == 0, done.output
    assert done.output == (tmp_path / "table1.md").read_text()
    assert "| zhang2016 | luma |" in done.output
    both = CliRunner().invoke(cli, [*given, "--model", str(tmp_path)])
    assert both.exit_code == 2
    assert "expected RUNs or --model, found both" in both.output
