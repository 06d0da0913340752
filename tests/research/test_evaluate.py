"""The table and the steering numbers: by hand where a hand can, and on three photos whole."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from research.conftest import scene
from tintype.color import hue_degrees, oklab_to_rgb, rgb_to_oklab
from tintype.errors import DataError
from tintype.research import evaluate, metrics

NAMES = [
    "gray", "automatic, calm", "automatic", "automatic, vivid", "true palette",
    "true palette by tones", "truth",
]  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Three small colour photos of several shapes."""
    folder = tmp_path_factory.mktemp("evaluated")
    for seed, (width, height) in enumerate([(40, 40), (60, 40), (48, 64)]):
        Image.fromarray(scene(width, height, seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="session")
def report(tiny, folder):
    return evaluate.evaluate(tiny, [str(folder)])


@pytest.fixture(scope="session")
def by_name(report):
    return {row["method"]: row for row in report["rows"]}


# --- the whole ------------------------------------------------------------------------------------


def test_the_report_says_what_was_measured(report, tiny, folder):
    assert [row["method"] for row in report["rows"]] == NAMES
    assert report["photos"] == 3
    assert report["data"] == [folder.name]
    assert report["model"] == tiny.fingerprint
    assert report["vividness"] == tiny.vividness


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
    encoded, true = tiny.encode(evaluate.as_gray(truth)), tiny.palette_of(truth)
    painted = dict(evaluate._painted(tiny, encoded, truth))
    for name, palette in (
        ("true palette", replace(true, tones=None)),
        ("true palette by tones", true),
    ):
        expected = np.asarray(tiny.decode(encoded, palette).image)
        np.testing.assert_array_equal(painted[name], expected)
    assert (painted["true palette"] != painted["true palette by tones"]).any()


def test_steering_is_measured_on_every_photo(report):
    steering = report["steering"]
    assert steering["followed_median"].keys() == {60, 120, 180}
    assert steering["reached_median"].keys() == {60, 120, 180}
    assert 0 <= steering["banned_mean"] <= steering["banned_worst"] <= 1
    assert 0 <= steering["photos_that_wore_it"] <= 3


def test_a_limit_and_no_steering(tiny, folder):
    report = evaluate.evaluate(tiny, [str(folder)], limit=1, steer=False)
    assert report["photos"] == 1
    assert report["steering"] is None
    for row in report["rows"]:  # all draws of one photo are that photo
        assert row["auc_interval"] == pytest.approx((row["auc"],) * 2)
    assert "hue shift" not in evaluate.table(report)


def test_no_photos(tiny, tmp_path):
    with pytest.raises(DataError, match="found none"):
        evaluate.evaluate(tiny, [str(tmp_path)])


@pytest.mark.parametrize(("width", "height", "shape"), [
    (40, 40, (256, 256)), (60, 40, (256, 384)), (300, 512, (437, 256)),
])  # fmt: skip
def test_photos_are_measured_at_256_pixels(width, height, shape):
    assert evaluate.sized(scene(width, height, 0)).shape == (*shape, 3)


# --- steering -------------------------------------------------------------------------------------


def chroma(seed=0):
    """(20, 30) complex."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (20, 30)) + 1j * rng.normal(0, 0.1, (20, 30))


@pytest.mark.parametrize("degrees", [60, 120, 180])
def test_the_share_followed_of_turned_colours(degrees):
    ab = chroma()

    def after(turn):
        return evaluate.share_followed(ab, ab * np.exp(1j * np.radians(turn)), degrees)

    assert after(degrees) == pytest.approx(1)
    assert after(0) == pytest.approx(0, abs=1e-12)
    assert after(degrees / 2) == pytest.approx(0.5)
    assert after(degrees + 20) == pytest.approx(1 + 20 / degrees)
    assert after(degrees - 20) == pytest.approx(1 - 20 / degrees)
    assert after(-30) == pytest.approx(-30 / degrees)


def test_the_share_followed_does_not_go_by_strength():
    ab = chroma()
    weaker = 0.3 * ab * np.exp(1j * np.radians(60))
    assert evaluate.share_followed(ab, weaker, 60) == pytest.approx(1)


def test_strong_colours_count_more_than_weak_ones():
    """Half of the chroma at 1 turned, half at 3 not: the sum's angle."""
    ab = np.array([[1.0, 3.0]])
    edited = np.array([[1j, 3.0]])
    expected = np.degrees(np.arctan2(1, 9)) / 90
    assert evaluate.share_followed(ab, edited, 90) == pytest.approx(expected)


def painted(light, ab):
    """uint8 RGB of one OKLab colour."""
    return (255 * oklab_to_rgb(np.array([light, *ab]))).round().astype(np.uint8)


def test_wearing_a_colour():
    """A quarter red, a quarter green, a quarter gray, a quarter a red too weak to count."""
    rgb = np.empty((2, 8, 3), np.uint8)
    for i, color in enumerate([(200, 40, 40), (40, 140, 40), (90, 90, 90), (131, 114, 112)]):
        rgb[:, 2 * i : 2 * i + 2] = color
    red, green = (float(hue_degrees(rgb_to_oklab(rgb[0, i] / 255)[1:])) for i in (0, 2))
    assert evaluate.wearing(rgb, red) == 0.25
    assert evaluate.wearing(rgb, red + 14) == evaluate.wearing(rgb, red - 14) == 0.25
    assert evaluate.wearing(rgb, red + 16) == evaluate.wearing(rgb, red - 16) == 0
    assert evaluate.wearing(rgb, green) == 0.25
    assert evaluate.wearing(rgb, 264) == 0


@pytest.mark.parametrize("hue", [1, 359])
def test_wearing_a_colour_near_hue_0(hue):
    direction = np.radians(hue)
    rgb = np.broadcast_to(painted(0.7, 0.1 * np.array([np.cos(direction), np.sin(direction)])),
                          (3, 3, 3))  # fmt: skip
    for degrees in (355, 0, 5, 360):
        assert evaluate.wearing(rgb, degrees) == 1
    assert evaluate.wearing(rgb, 180) == 0


@pytest.mark.parametrize("degrees", [3, 100, 177, 183, 355])
def test_the_commonest_hue(degrees):
    ab = np.full((4, 5), 0.1) * np.exp(1j * np.radians(degrees))
    ab[0, 0] = 0.3 * np.exp(1j * np.radians(degrees + 90))
    found = evaluate._commonest_hue(ab)
    away = np.degrees(np.angle((found[0] + 1j * found[1]) * np.exp(-1j * np.radians(degrees))))
    assert abs(away) <= 5.001
    assert np.hypot(*found) == pytest.approx(1)


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
            low, high = evaluate.interval(some, share and metrics.cell_shares(some))
            widths.append(high - low)
        assert 0 < widths[1] < widths[0]


def test_an_interval_is_the_bootstraps():
    """Two photos of the same size: a draw is one, the other, or both, at 1/4, 1/4, 1/2."""
    pair = scores(2)
    single = [metrics.auc([s]) for s in pair]
    assert evaluate.interval(pair, None) == pytest.approx((min(single), max(single)))
    assert evaluate.interval(pair, None) == evaluate.interval(pair, None)


# --- what is written ------------------------------------------------------------------------------


def test_the_table(report):
    lines = evaluate.table(report).splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 9
    for line, row in zip(lines[2:9], report["rows"], strict=True):
        assert line.count("|") == 9
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        low, high = row["auc_interval"]
        assert cells[0] == row["method"]
        assert cells[1] == f"{row['auc']:.2f} ({low:.2f}-{high:.2f})"
        assert cells[3] == f"{row['psnr']:.2f}"
        assert cells[7] == f"{row['chroma_of_truth']:.2f}"
    rest = "\n".join(lines[9:])
    assert "3 photos, short side 256 px; 95 % bootstrap intervals." in rest
    assert "Share of a hue shift followed, median photo: 60: " in rest
    assert "A banned colour keeps " in rest


def test_the_files(report, tmp_path):
    evaluate.write(report, tmp_path / "new" / "evaluation")
    written = json.loads((tmp_path / "new" / "evaluation.json").read_text())
    assert written == json.loads(json.dumps(report))
    assert (tmp_path / "new" / "evaluation.md").read_text() == evaluate.table(report)
