"""The hints curve: what is told, where, to whom; what is reported of it; by the bundled model."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from research.conftest import scene
from tintype.cli import cli
from tintype.color import rgb_to_oklab
from tintype.colorizer import load
from tintype.errors import ModelError
from tintype.hints import NO_HINTS, Hints
from tintype.recipe import Recipe
from tintype.research.evaluation import evaluate, hints_curve, metrics
from tintype.research.figures import curves

COUNTS = (0, 1, 5, 10)
METHODS = ("random", "random, true palette", "largest error")


@pytest.fixture(scope="module", autouse=True)
def _few_hints():
    """Half of the counts, which take half of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hints_curve, "COUNTS", COUNTS)
        patch.setattr(hints_curve, "PLACED", 5)
        yield


@pytest.fixture(scope="module")
def colorizer():
    return load(threads=1)


@pytest.fixture(scope="module")
def truth():
    return evaluate.resize(scene(48, 40, 1))


@pytest.fixture(scope="module")
def encoded(colorizer, truth):
    return colorizer.encode(evaluate.make_gray(truth))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two small color photos."""
    folder = tmp_path_factory.mktemp("hinted")
    for seed, (width, height) in enumerate([(40, 40), (48, 40)]):
        Image.fromarray(scene(width, height, seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def whole(colorizer, folder):
    """All that is measured."""
    return evaluate.evaluate(colorizer, [str(folder)], steer=False, hints=2)


@pytest.fixture(scope="module")
def report(whole):
    return whole["hints"]


def chroma(rgb):
    return rgb_to_oklab(np.asarray(rgb).astype(np.float32) / 255)[..., 1:]


# --- what is told ---------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3, 5, 7]), st.integers(0, 2**31))
@settings(max_examples=30)
def test_means_are_of_what_lies_within(height, width, side, seed):
    planes = np.random.default_rng(seed).normal(size=(height, width, 2)).astype(np.float32)
    found = hints_curve.average(planes, side)
    half = side // 2
    for y in range(height):
        for x in range(width):
            near = planes[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
            np.testing.assert_allclose(found[y, x], near.mean((0, 1)), rtol=0, atol=1e-5)


def test_a_hint_tells_the_truth_at_its_place():
    """A photo of 4 x 2 pixels whose values say where they are: column, row."""
    y, x = np.mgrid[0:2, 0:4]
    places = np.array([[0, 0], [0.24, 0.4], [0.26, 0.6], [0.99, 0.1], [1, 1]])
    hints = hints_curve.reveal(np.stack([x, y], -1).astype(float), places)
    assert hints.chroma.tolist() == [[0, 0], [0, 0], [1, 1], [3, 0], [3, 1]]
    np.testing.assert_allclose(hints.place, places)
    assert set(hints.reach) == {1}


def test_random_hints_are_reproducible_and_few_are_among_many(
    colorizer, encoded, truth, monkeypatch
):
    told = {}

    def note(_colorizer, _encoded, palette, hints):
        told.setdefault(palette, []).append(hints)
        return Image.fromarray(truth)

    monkeypatch.setattr(hints_curve, "paint", note)
    monkeypatch.setattr(hints_curve, "place_by_error", lambda *_: NO_HINTS)
    monkeypatch.setattr(metrics, "score", lambda *_: None)
    places = []
    for number in (3, 3, 4):
        told.clear()
        hints_curve.measure(colorizer, encoded, truth, number)
        bare, palette = told.values()  # the curve of the largest error stops at 0 hints, at once
        assert [len(hints) for hints in bare] == [*COUNTS, 0]
        for one, other in zip(bare, palette, strict=False):
            np.testing.assert_array_equal(one.place, other.place)
            np.testing.assert_array_equal(one.chroma, other.chroma)
            np.testing.assert_array_equal(one.place, palette[-1].place[: len(one)])
        places.append(palette[-1].place)
    np.testing.assert_array_equal(places[0], places[1])
    assert (places[0] != places[2]).all()
    assert places[0].min() >= 0
    assert places[0].max() <= 1


def test_a_patch_of_the_true_photo_is_told(colorizer, encoded, truth, monkeypatch):
    found = []

    def note(_colorizer, _encoded, _palette, hints):
        found.append(hints)
        return Image.fromarray(truth)

    monkeypatch.setattr(hints_curve, "paint", note)
    monkeypatch.setattr(hints_curve, "place_by_error", lambda *_: NO_HINTS)
    monkeypatch.setattr(metrics, "score", lambda *_: None)
    hints_curve.measure(colorizer, encoded, truth, 0)
    hints, (high, wide) = found[len(COUNTS) - 1], truth.shape[:2]
    for (x, y), color in zip(hints.place, hints.chroma, strict=True):
        column, row = min(int(x * wide), wide - 1), min(int(y * high), high - 1)
        patch = truth[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4]
        np.testing.assert_allclose(color, chroma(patch).mean((0, 1)), atol=1e-5)


# --- what comes of it -----------------------------------------------------------------------------


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.2, 0.8)])  # the ball, the ground
def test_a_hint_changes_its_place_most(colorizer, encoded, place):
    before = chroma(hints_curve.paint(colorizer, encoded, encoded.palette, NO_HINTS))
    row, column = (
        int(side * share) for side, share in zip(before.shape, place[::-1], strict=False)
    )
    near = np.zeros(before.shape[:2], bool)
    near[row - 8 : row + 8, column - 8 : column + 8] = True
    wanted = -before[near].mean(0) + (0, 0.05)
    hints = Hints(np.array([place]), wanted[None], np.ones(1))
    after = chroma(hints_curve.paint(colorizer, encoded, encoded.palette, hints))
    moved = np.linalg.norm(after - before, axis=-1)
    assert moved[near].mean() > 1.2 * moved[~near].mean()
    gaps = [np.linalg.norm(ab[near].mean(0) - wanted) for ab in (before, after)]
    assert gaps[1] < gaps[0] / 2


def test_without_hints_it_is_the_recipe_that_says_the_same(colorizer, encoded):
    recipe = Recipe(vividness=colorizer.model.vividness_given)
    found = hints_curve.paint(colorizer, encoded, encoded.palette, NO_HINTS)
    expected = colorizer.decode(encoded, recipe).image.convert("RGB")
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


# --- the simulated user -------------------------------------------------------------------------


def test_the_largest_error_is_mended_first(colorizer, encoded, truth, monkeypatch):
    """Two squares are wrong, each until a hint lies in it."""
    size = encoded.encoding.luma.shape[::-1]
    small = np.asarray(Image.fromarray(truth).resize(size, Image.Resampling.BOX))
    squares = [(10, 12, 120), (30, 34, 60)]  # the middle's column and row, how wrong

    def wrong(_colorizer, _encoded, _palette, hints):
        rgb = small.copy()
        for column, row, much in squares:
            cells = hints.place * size
            if not len(hints) or np.abs(cells - (column + 0.5, row + 0.5)).max(1).min() > 2:
                rgb[row - 2 : row + 3, column - 2 : column + 3, 0] ^= much
        return Image.fromarray(rgb)

    monkeypatch.setattr(hints_curve, "paint", wrong)
    patches = hints_curve.average(chroma(truth), hints_curve.PATCH)
    hints = hints_curve.place_by_error(colorizer, encoded, truth, patches)
    for (column, row, _), cell in zip(squares, hints.place[:2] * size, strict=True):
        np.testing.assert_allclose(cell, (column + 0.5, row + 0.5), atol=1.01)


def test_what_hints_do_not_mend_gets_no_two_at_a_place(colorizer, encoded, truth, monkeypatch):
    """Whatever is told, all is red."""
    size = np.array(encoded.encoding.luma.shape[::-1])
    monkeypatch.setattr(hints_curve, "paint", lambda *_: Image.new("RGB", tuple(size), "red"))
    patches = hints_curve.average(chroma(truth), hints_curve.PATCH)
    hints = hints_curve.place_by_error(colorizer, encoded, truth, patches)
    assert len(hints) == hints_curve.PLACED
    apart = np.abs((hints.place[:, None] - hints.place) * size).max(-1)
    assert apart[~np.eye(len(hints), dtype=bool)].min() > 0.05 * size.min()


def test_the_person_stops_where_no_place_is_left(colorizer, encoded, truth, monkeypatch):
    monkeypatch.setattr(hints_curve, "WINDOW", 3)  # as wide as the photo, on both sides
    patches = hints_curve.average(chroma(truth), hints_curve.PATCH)
    assert len(hints_curve.place_by_error(colorizer, encoded, truth, patches)) == 1


# --- the report -----------------------------------------------------------------------------------


def test_the_rows_of_the_curve(report, colorizer):
    gray, *rows = report["rows"]
    assert gray["method"] == "gray"
    expected = [(m, n) for m in METHODS for n in (COUNTS if m != METHODS[2] else (0, 1, 5))]
    assert [(row["method"], row["hints"]) for row in rows] == expected
    assert report["photos"] == 2
    assert report["vividness"] == colorizer.model.vividness_given
    bare = {row["method"]: row for row in rows if row["hints"] == 0}
    for row in rows:
        for name in ("psnr", "auc"):
            own = bare[row["method"]]
            assert row[f"{name}_difference"] == pytest.approx(row[name] - gray[name])
            assert row[f"{name}_gain"] == pytest.approx(row[name] - own[name])
            for value in (name, f"{name}_difference", f"{name}_gain"):
                low, high = row[f"{value}_interval"]
                assert low - 1e-9 <= row[value] <= high + 1e-9
    assert bare["random"]["psnr"] == bare["largest error"]["psnr"]


def test_what_was_published(report):
    published = {r["hints"]: r["published_gain"] for r in report["rows"] if "published_gain" in r}
    assert published == pytest.approx({0: 0, 1: 0.94, 5: 2.96, 10: 3.99})


def test_the_true_palette_alone_is_that_of_the_table(whole):
    table = {row["method"]: row for row in whole["rows"]}
    (own,) = (r for r in whole["hints"]["rows"] if r["method"] == METHODS[1] and r["hints"] == 0)
    for name in ("auc", "psnr", "colorfulness"):
        assert own[name] == pytest.approx(table["true palette by tones"][name])


def test_gains_are_of_the_same_photos(colorizer):
    """Three photos whose PSNR with a hint is +1, -2 and +4 of that without; gray has 20."""
    photos = [scene(16, 12, seed) for seed in range(3)]
    true = [metrics.score(photo, photo) for photo in photos]
    gray = [replace(score, psnr=20.0) for score in true]
    measured = [
        {"random": {0: replace(score, psnr=psnr), 1: replace(score, psnr=psnr + more)}}
        for score, psnr, more in zip(true, (20, 24, 31), (1, -2, 4), strict=True)
    ]
    rows = {"gray": [*gray, gray[0]], "truth": [*true, true[0]]}
    found = hints_curve.summarize(measured, rows, colorizer.model)
    _, bare, one = found["rows"]
    assert found["photos"] == 3
    assert (bare["psnr_gain"], one["psnr_gain"]) == (0, 1)
    assert (bare["psnr_difference"], one["psnr_difference"]) == (5, 6)
    assert (bare["worse"], one["worse"]) == (0, pytest.approx(1 / 3))
    low, high = one["psnr_gain_interval"]  # of draws of three photos with +1, -2 and +4
    assert low == pytest.approx(-2, abs=1.01)
    assert high == pytest.approx(4, abs=1.01)


@pytest.mark.parametrize(("psnr", "auc", "falls"), [
    ((0, 0.1, 0.2), (0, 1, 2), []), ((0, -0.1, 0.2), (0, 1, 2), [1]), ((0, 0, 1), (0, 1, -1), [5]),
])  # fmt: skip
def test_where_hints_spoil_the_true_palette(psnr, auc, falls):
    rows = [
        {"method": METHODS[1], "hints": n, "psnr_gain": p, "auc_gain": a}
        for n, p, a in zip((0, 1, 5), psnr, auc, strict=True)
    ]
    rows += [{"method": METHODS[0], "hints": 1, "psnr_gain": -9, "auc_gain": -9}]
    assert hints_curve.find_falls({"rows": rows}) == falls


def test_the_table_of_hints(whole, report):
    text = evaluate.format_table(whole).partition("with hints of their true colors")[2]
    _, _, *lines = [line for line in text.splitlines() if line.startswith("|")]
    for line, row in zip(lines, report["rows"], strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[:2] == [row["method"], str(row.get("hints", ""))]
        assert cells[4].startswith(f"{row['psnr']:.2f} (")
        assert cells[6].startswith(f"{row['psnr_gain']:+.2f} (" if row.get("hints") else "")
    (five,) = (line for line in lines if line.startswith("| random | 5 |"))
    assert "| +2.96 |" in five
    assert f"({report['vividness']:g}), also without hints and palette" in text
    assert "Zhang et al. 2017" in text


def test_the_plot_shows_the_curves_and_what_was_published(report):
    rows = [row for row in report["rows"] if "hints" in row]
    for axes, name in zip(curves.draw_hints(report).axes, ("psnr", "auc"), strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        for method in METHODS:
            own = [row for row in rows if row["method"] == method]
            assert list(lines[method].get_xdata()) == [row["hints"] for row in own]
            assert list(lines[method].get_ydata()) == [row[f"{name}_difference"] for row in own]
        dashed = [line.get_ydata()[0] for line in axes.lines if line.is_dashed()]
        assert sorted(dashed) == sorted([0, rows[len(COUNTS)][f"{name}_difference"]])
        assert len(axes.collections) == len(METHODS)
        written = {text.get_text() for text in axes.texts}
        assert written - {"iDeepColor"} == {*METHODS, "gray", "true palette alone"}
        assert ("iDeepColor" in lines) == ("iDeepColor" in written) == (name == "psnr")
        if name == "psnr":
            found = lines["iDeepColor"].get_ydata() - rows[0]["psnr_difference"]
            np.testing.assert_allclose(found, [0, 0.94, 2.96, 3.99], atol=1e-9)


# --- the command ----------------------------------------------------------------------------------


def test_the_command_gives_the_first_photos_hints(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(hints_curve, "COUNTS", (0, 1))
    monkeypatch.setattr(hints_curve, "PLACED", 1)
    words = ["evaluate", "--data", str(folder), "--no-steering", "--threads", "1"]
    done = CliRunner().invoke(cli, [*words, "--hints", "1", "-o", str(tmp_path / "new" / "one")])
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "new" / "one.json").read_text())
    assert (written["photos"], written["hints"]["photos"]) == (2, 1)
    assert done.output == (tmp_path / "new" / "one.md").read_text()
    with Image.open(tmp_path / "new" / "one.hints.png") as plot:
        assert plot.width == 1600
    assert not (tmp_path / "new" / "one.edits.png").exists()


@pytest.mark.parametrize(("asked", "least", "most"), [
    ([], 0, 0), (["--hints", "7"], 7, 7), (["--hints"], 10**9, np.inf),
])  # fmt: skip
def test_all_photos_or_the_first_ones_get_hints(whole, monkeypatch, asked, least, most):
    found = []

    def note(*_, hints, **__):
        found.append(hints)
        return whole

    monkeypatch.setattr(evaluate, "evaluate", note)
    done = CliRunner().invoke(cli, ["evaluate", "--data", "photos", *asked])
    assert done.exit_code == 0, done.output
    assert least <= found[0] <= most


def test_a_model_without_hints_is_refused(tmp_path):
    with pytest.raises(ModelError) as error:
        hints_curve.check(SimpleNamespace(takes_hints=False))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("expected a model that takes hints, found one without; ")
    model = SimpleNamespace(takes_hints=False)
    with pytest.raises(ModelError, match="takes hints"):  # before there are photos
        evaluate.evaluate(SimpleNamespace(model=model), [str(tmp_path / "none")], hints=1)


@pytest.mark.parametrize(("options", "message"), [
    (["--hints", "0"], "Invalid value for '--hints': 0 is not in the range x>=1."),
    (["run", "--hints"], "expected RUNs or --hints, found both"),
])  # fmt: skip
def test_options_that_make_no_sense(folder, options, message):
    done = CliRunner().invoke(cli, ["evaluate", "--data", str(folder), *options])
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == f"Error: {message}"
