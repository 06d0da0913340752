"""The table and the steering numbers: by hand where a hand can, and on three photos whole."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from research.conftest import saved, scene
from tintype.cli import cli
from tintype.colorizer import Colorizer
from tintype.errors import DataError, ModelError
from tintype.palette import Palette
from tintype.recipe import Recipe
from tintype.research.data import photo_set
from tintype.research.evaluation import evaluate, metrics, simulated_user, summary
from tintype.research.figures import curves
from tintype.research.methods import zhang2016
from tintype.research.torch_model import TorchModel

BEST = "best of 4 alternatives"
NAMES = [
    "gray", "automatic, calm", "automatic", "automatic, vivid", f"{BEST}, calm", BEST,
    "true palette", "true palette by tones", "truth",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _short_menu():
    """Every sixth edit, which takes a sixth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_user, "MENU", simulated_user.MENU[::6])
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three small color photos of several shapes."""
    folder = tmp_path_factory.mktemp("evaluated")
    for seed, (width, height) in enumerate([(40, 40), (60, 40), (48, 64)]):
        Image.fromarray(scene(width, height, seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def report(tiny, folder):
    return evaluate.evaluate(tiny, [str(folder)], edits=2)


@pytest.fixture(scope="module")
def by_name(report):
    return {row["method"]: row for row in report["rows"]}


# --- the whole ------------------------------------------------------------------------------------


def test_the_report_says_what_was_measured(report, tiny, folder):
    assert [row["method"] for row in report["rows"]] == NAMES
    assert report["photos"] == 3
    assert report["data"] == [folder.name]
    assert report["model"] == tiny.model.fingerprint
    assert report["vividness"] == tiny.model.vividness


def test_the_truth_is_all_right(by_name):
    truth = by_name["truth"]
    assert truth["auc"] == truth["auc_rebalanced"] == pytest.approx(100)
    assert truth["psnr"] == 99
    assert truth["colorfulness_gap"] == 0
    assert truth["chroma_of_truth"] == 1


def test_gray_has_no_chroma(by_name):
    gray = by_name["gray"]
    assert gray["chroma"] == pytest.approx(0, abs=0.01)
    assert gray["chroma_of_truth"] == pytest.approx(0, abs=1e-3)
    assert gray["colorfulness"] == 0
    assert gray["colorfulness_gap"] == pytest.approx(by_name["truth"]["colorfulness"])
    assert gray["auc_rebalanced"] < gray["auc"] < 100


def test_intervals_contain_their_values(report):
    for row in report["rows"]:
        for name in ("auc", "auc_rebalanced"):
            low, high = row[f"{name}_interval"]
            assert low - 1e-9 <= row[name] <= high + 1e-9


def test_more_vividness_is_more_chroma(by_name):
    calm, middle, vivid = (by_name[f"automatic{v}"]["chroma"] for v in (", calm", "", ", vivid"))
    assert calm != middle != vivid


def test_the_true_palette_is_given_with_its_tones_and_without(tiny):
    truth = scene(256, 256, 1)
    encoded, true = (
        tiny.encode(evaluate.make_gray(truth)),
        Palette.measure(truth, tiny.bins, side=tiny.model.side),
    )
    painted = dict(evaluate._paint_rows(tiny, encoded, truth))
    for name, palette in (
        ("true palette", replace(true, tones=None)),
        ("true palette by tones", true),
    ):
        expected = tiny.decode(encoded, Recipe(palette)).image
        np.testing.assert_array_equal(painted[name], np.asarray(expected))
    assert (painted["true palette"] != painted["true palette by tones"]).any()


def test_steering_is_measured_on_every_photo(report):
    steering = report["steering"]
    assert steering["followed_median"].keys() == {60, 120, 180}
    assert steering["reached_median"].keys() == {60, 120, 180}
    assert 0 <= steering["banned_mean"] <= steering["banned_worst"] <= 1
    assert 0 <= steering["photos_that_wore_it"] <= 3


@pytest.mark.parametrize(("name", "vividness"), [(f"{BEST}, calm", 0.0), (BEST, None)])
def test_the_best_alternative_of_each_photo(tiny, folder, by_name, name, vividness):
    photos, best = photo_set.load([str(folder)], size=256), []
    for i in range(3):
        truth = evaluate.resize(photos.photo(i))
        encoded = tiny.encode(evaluate.make_gray(truth))
        results = [tiny.decode(encoded, Recipe(None, k, (), vividness)) for k in range(1, 5)]
        scores = [metrics.score(np.asarray(r.image.convert("RGB")), truth) for r in results]
        best.append(scores[int(np.argmax([s.hits.sum() for s in scores]))])
        others = {round(metrics.auc([s]), 6) for s in scores}
        assert len(others) > 1
    assert by_name[name]["auc"] == pytest.approx(metrics.auc(best))
    assert by_name[name]["chroma"] == pytest.approx(np.mean([s.chroma for s in best]))


def test_a_limit_and_no_steering(tiny, folder):
    report = evaluate.evaluate(tiny, [str(folder)], limit=1, steer=False)
    assert report["photos"] == 1
    assert report["steering"] is None
    assert report["edits"] is None
    for row in report["rows"]:  # all draws of one photo are that photo
        assert row["auc_interval"] == pytest.approx((row["auc"],) * 2)
    assert "hue shift" not in evaluate.format_table(report)
    assert "simulated user" not in evaluate.format_table(report)


def test_what_cannot_be_measured_is_refused_before_photos_are_colored(folder, tmp_path):
    saved(tmp_path, "zhang2016", zhang2016.Config(width=1 / 16))
    unsteered = Colorizer(TorchModel(tmp_path))
    with pytest.raises(ModelError, match="takes palettes, found one without; leave out --edits"):
        evaluate.evaluate(unsteered, ["none"], edits=1)
    with pytest.raises(DataError, match="--classifier: expected two photos or more, found 1"):
        evaluate.evaluate(unsteered, [str(folder)], limit=1, classifier=object())


def test_no_photos(tiny, tmp_path):
    with pytest.raises(DataError, match="found none"):
        evaluate.evaluate(tiny, [str(tmp_path)])


@pytest.mark.parametrize(("width", "height", "shape"), [
    (40, 40, (256, 256)), (60, 40, (256, 384)), (300, 512, (437, 256)),
])  # fmt: skip
def test_photos_are_measured_at_256_pixels(width, height, shape):
    assert evaluate.resize(scene(width, height, 0)).shape == (*shape, 3)


# --- edits ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def edited(report):
    """The rows of the edits curve, without gray and the true palette."""
    return report["edits"]["rows"][1:-1]


def test_the_curve_begins_with_the_automatic_colors(tiny, folder):
    report = evaluate.evaluate(tiny, [str(folder)], limit=2, steer=False, edits=5)
    rows = {row["method"]: row for row in report["rows"]}
    gray, first, *_, true = report["edits"]["rows"]
    assert report["edits"]["photos"] == 2
    for row, name in ((gray, "gray"), (first, "automatic"), (true, "true palette")):
        assert {key: row[key] for key in rows[name]} == rows[name] | {"method": row["method"]}
        assert row["auc_difference"] == pytest.approx(row["auc"] - gray["auc"])
    assert gray["auc_difference_interval"] == (0, 0)


def test_more_edits_never_lead_away_from_the_truth(report, edited):
    assert report["edits"]["photos"] == 2
    assert [row["edits"] for row in edited] == list(range(simulated_user.MOST + 1))
    auc = [row["auc"] for row in edited]
    assert auc == sorted(auc)
    assert auc[1] > auc[0]
    photos = [row["photos"] for row in edited]
    assert photos == sorted(photos, reverse=True)
    assert photos[0] == 2


def test_a_photo_that_is_left_keeps_its_colors(report, tiny, folder):
    """The last point: every photo after all of its edits, however many."""
    photos = photo_set.load([str(folder)], size=256)
    last = []
    for i in range(2):
        truth = evaluate.resize(photos.photo(i))
        steps = simulated_user.edit(tiny, tiny.encode(evaluate.make_gray(truth)), truth)
        last.append(steps[-1])
    row = report["edits"]["rows"][-2]
    assert row["auc"] == pytest.approx(metrics.auc([step.score for step in last]))
    assert row["psnr"] == pytest.approx(np.mean([step.score.psnr for step in last]))
    assert sum(report["edits"]["taken"].values()) == sum(len(step.edits) for step in last)


def test_intervals_of_the_curve_contain_its_values(report):
    for row in report["edits"]["rows"]:
        for name in ("auc", "auc_difference", "psnr"):
            low, high = row[f"{name}_interval"]
            assert low - 1e-9 <= row[name] <= high + 1e-9
        assert row["psnr_interval"][0] < row["psnr_interval"][1]


def test_the_plot_shows_the_curve_between_its_references(report, edited):
    figure = curves.draw_edits(report["edits"])
    for axes, name in zip(figure.axes, ("auc", "psnr"), strict=True):
        curve, *references = axes.lines
        assert list(curve.get_xdata()) == [row["edits"] for row in edited]
        assert list(curve.get_ydata()) == [row[name] for row in edited]
        ends = [report["edits"]["rows"][i] for i in (0, -1)]
        assert [line.get_ydata()[0] for line in references] == [row[name] for row in ends]
        assert {text.get_text() for text in axes.texts} == {"edited", "gray", "true palette"}
        (band,) = axes.collections
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == min(row[f"{name}_interval"][0] for row in edited)
        assert heights.max() == max(row[f"{name}_interval"][1] for row in edited)
    assert "2 photographs" in figure.texts[0].get_text()


def test_the_command_edits_the_first_photos(exported, folder, tmp_path):
    given = ["evaluate", "--model", str(exported[0]), "--data", str(folder)]
    given += ["--no-steering", "--threads", "1"]
    done = CliRunner().invoke(cli, [*given, "--edits", "1", "-o", str(tmp_path / "one")])
    assert done.exit_code == 0, done.output
    assert done.output == (tmp_path / "one.md").read_text()
    assert json.loads((tmp_path / "one.json").read_text())["edits"]["photos"] == 1
    every = CliRunner().invoke(cli, [*given, "--edits", "-o", str(tmp_path / "every")])
    assert every.exit_code == 0, every.output
    assert json.loads((tmp_path / "every.json").read_text())["edits"]["photos"] == 3


@pytest.mark.parametrize(("options", "message"), [
    (["--edits", "0"], "Invalid value for '--edits': 0 is not in the range x>=1."),
    (["--edits", "few"], "Invalid value for '--edits': 'few' is not a valid integer range."),
    (["run", "--edits"], "expected RUNs or --edits, found both"),
])  # fmt: skip
def test_options_that_make_no_sense(folder, options, message):
    done = CliRunner().invoke(cli, ["evaluate", "--data", str(folder), *options])
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == f"Error: {message}"


def test_runs_are_measured_as_far_as_their_method_goes(config, folder, tmp_path):
    """A run has one vividness and no alternatives, and maybe no palette."""
    names = {
        "fenu2016": ["gray", "automatic", "true palette", "true palette by tones", "truth"],
        "zhang2016": ["gray", "automatic", "truth"],
    }
    for method, rows in names.items():
        run, stem = tmp_path / method, tmp_path / f"{method}-measured"
        run.mkdir()
        saved(run, method, config[method])
        given = ["evaluate", "--model", str(run), "--data", str(folder), "--limit", "1"]
        done = CliRunner().invoke(cli, [*given, "-o", str(stem)])
        assert done.exit_code == 0, done.output
        report = json.loads(stem.with_suffix(".json").read_text())
        assert [row["method"] for row in report["rows"]] == rows
        assert (report["steering"] is None) == (method == "zhang2016")
        assert ("Chroma within 15 degrees of one hue" in done.output) == (method == "fenu2016")
        assert "alternatives" not in done.output


# --- intervals ------------------------------------------------------------------------------------


def scores(count):
    """As many photos, some of them better than others."""
    truth = [scene(16, 12, seed) for seed in range(count)]
    rng = np.random.default_rng(0)
    return [metrics.score((t * rng.uniform(0.5, 1, 3)).astype(np.uint8), t) for t in truth]


def test_more_photos_make_a_narrower_interval():
    few, many = scores(5), scores(40)
    for share in (None, "own"):
        widths = []
        for some in (few, many):
            low, high = summary.bootstrap(some, share and metrics.cell_shares(some))
            widths.append(high - low)
        assert 0 < widths[1] < widths[0]


def test_an_interval_is_the_bootstraps():
    """Two photos of the same size: a draw is one, the other, or both, at 1/4, 1/4, 1/2."""
    pair = scores(2)
    single = [metrics.auc([s]) for s in pair]
    assert summary.bootstrap(pair, None) == pytest.approx((min(single), max(single)))
    assert summary.bootstrap(pair, None) == summary.bootstrap(pair, None)


# --- what is written ------------------------------------------------------------------------------


def test_the_table(report):
    lines = evaluate.format_table(report).splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 9
    for line, row in zip(lines[2:11], report["rows"], strict=True):
        assert line.count("|") == 9
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        low, high = row["auc_interval"]
        assert cells[0] == row["method"]
        assert cells[1] == f"{row['auc']:.2f} ({low:.2f}-{high:.2f})"
        assert cells[3] == f"{row['psnr']:.2f}"
        assert cells[7] == f"{row['chroma_of_truth']:.2f}"
    rest = "\n".join(lines[11:])
    assert "3 photos, short side 256 px; 95 % bootstrap intervals." in rest
    assert "Share of a hue shift followed, median photo: 60: " in rest
    assert "A banned color keeps " in rest
    assert "as only an oracle that knows the truth can choose" in rest


def test_the_table_of_edits(report):
    text = evaluate.format_table(report).partition("simulated user")[2]
    _, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 1 + simulated_user.MOST
    for line, row in zip(rows, report["edits"]["rows"], strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        low, high = row["auc_difference_interval"]
        assert cells[0] == str(row.get("edits", row["method"]))
        assert cells[3] == f"{row['auc_difference']:+.2f} ({low:+.2f} to {high:+.2f})"
        assert cells[4].startswith(f"{row['psnr']:.2f} (")
    assert "a fixed menu (towards 4, ban 2, saturation 1)" in text


def test_the_files(report, tmp_path):
    evaluate.write(report, tmp_path / "new" / "evaluation")
    written = json.loads((tmp_path / "new" / "evaluation.json").read_text())
    assert written == json.loads(json.dumps(report))
    assert (tmp_path / "new" / "evaluation.md").read_text() == evaluate.format_table(report)
    with Image.open(tmp_path / "new" / "evaluation.edits.png") as plot:
        assert plot.width == 1600


def test_there_is_no_plot_without_edits(report, tmp_path):
    evaluate.write(report | {"edits": None}, tmp_path / "evaluation")
    assert {path.name for path in tmp_path.iterdir()} == {"evaluation.json", "evaluation.md"}
