"""Curves and bars show the numbers of logs and palettes."""

import numpy as np
import pytest

from research.figures.conftest import GRAY, LOSSES, copied, write_log
from tintype.palette import Palette
from tintype.research.figures import canvas, curves


def test_curves_are_the_logs_numbers(runs):
    read = {name: curves.read_curve(run) for name, run in runs.items()}
    above, below = curves.draw_losses(read).axes
    for axes, level, of in ((above, GRAY, lambda x: x), (below, 60, lambda x: 60 + 100 * x)):
        lines = {line.get_label(): line for line in axes.lines}
        for name, losses in LOSSES.items():
            expected = {photos: of(loss) for photos, loss in losses.items()}
            assert dict(zip(*lines[name].get_data(), strict=True)) == expected
        (gray,) = [line for line in axes.lines if line.get_label() not in LOSSES]
        assert gray.get_ydata() == [level, level]


def test_a_resumed_run_repeats_nothing(runs, tmp_path):
    run = copied(runs["dahl2016"], tmp_path / "run")
    write_log(run, {100: 0.9, 200: 0.8}, "automatic")
    twice = (run / "log.jsonl").read_text()
    write_log(run, {150: 0.7, 200: 0.75}, "automatic")
    (run / "log.jsonl").write_text(twice + (run / "log.jsonl").read_text())
    read = curves.read_curve(run)
    assert (read.photos, read.loss) == ([100, 150, 200], [0.9, 0.7, 0.75])


def make_close(count):
    """Curves that end near each other."""
    return {
        f"run {i}": curves.Curve([1], [0.05 + 1e-5 * i], 0.0501, [60 + 1e-4 * i], 60.0)
        for i in range(count)
    }


def test_no_two_curves_look_alike():
    """As many as there are methods, and more than there are colors."""
    for axes in curves.draw_losses(make_close(2 * len(curves.COLORS))).axes:
        lines = [line for line in axes.lines if line.get_label().startswith("run")]
        looks = {(line.get_color(), line.get_marker()) for line in lines}
        assert len(looks) == len(lines) == 2 * len(curves.COLORS)


def test_names_of_curves_do_not_overlap():
    close = make_close(6)
    for axes in curves.draw_losses(close).axes:
        places = sorted(t.get_position()[1] for t in axes.texts)
        assert len(places) == 7
        assert min(np.diff(places)) > 0.057
        assert places[-1] <= 1


def test_names_move_no_further_than_they_must():
    assert curves.spread([0.2, 0.5, 0.5, 0.9], 0.1) == pytest.approx([0.2, 0.45, 0.55, 0.9])
    assert curves.spread([0.1, 0.98, 1.0], 0.1) == pytest.approx([0.1, 0.9, 1.0])


def test_bars_are_the_palettes_shares(config):
    bins = config.bins
    estimate = Palette(bins, np.arange(1.0, bins.count + 1))
    edited = estimate.towards("red", 0.9)
    top, bottom = curves.draw_histograms(estimate, edited).axes
    for axes, palette in ((top, estimate), (bottom, edited)):
        shown = canvas.make_bars(palette)
        np.testing.assert_array_equal(shown.heights, palette.shares)
        assert shown.colors == bins.hex_colors
        heights = [patch.get_height() for patch in axes.patches]
        np.testing.assert_allclose(np.square(heights), palette.shares)
    assert top.get_ylim() == bottom.get_ylim()


def test_bars_stand_around_their_hue(config):
    bins = config.bins
    shown = canvas.make_bars(Palette(bins, np.ones(bins.count)))
    hues = np.angle(bins.centers[1:] @ (1, 1j), deg=True)
    away = (shown.places[1:] - hues + 180) % 360 - 180
    assert np.abs(away).max() < 180 / bins.hues - shown.width / 2
    ordered = np.sort(shown.places)
    assert np.diff(ordered).min() >= shown.width - 1e-9
    assert shown.places[0] == ordered[0]
