"""The paper's figures: what they need, what they show, and that they come out the same twice."""

import json
from dataclasses import asdict
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from research.figures.conftest import copied, files, texts, words_of, write_log
from tintype.cli import cli
from tintype.errors import DataError, PhotoError
from tintype.research.figures import canvas, curves, plots
from tintype.research.methods import checkpoint

# --- files ----------------------------------------------------------------------------------------


def test_every_figure_is_there_twice(drawn):
    assert sorted(path.name for path in drawn.iterdir()) == sorted([*files(), "runs.json"])
    about = json.loads((drawn / "runs.json").read_text())
    assert about["fenu2016"]["where"] == checkpoint.describe_machine()
    for name in files():
        assert 1000 < (drawn / name).stat().st_size < 1_500_000


def test_pngs_are_pictures_on_white(drawn):
    for path in drawn.glob("*.png"):
        with Image.open(path) as image:
            assert image.width == 1600
            assert 300 < image.height < 4000
            rgb = np.asarray(image.convert("RGB"))
        assert (rgb[0] == 255).all()
        assert (rgb[-1] == 255).all()
        assert rgb.std() > 10


def test_svgs_are_xml_with_text_and_photos(drawn):
    for path in drawn.glob("*.svg"):
        number = path.stem.rpartition("-")[2]
        assert any(text.startswith(f"Figure {number}. ") for text in texts(path))
        embedded = path.read_text().count("data:image/jpeg")
        rows = {"1": 3 * 2, "2": 6 * 2, "3": 2, "6": 5, "8": 5}
        assert embedded == rows.get(number, 0)
        assert "data:image/png" not in path.read_text()


def test_columns_have_their_titles(drawn):
    assert texts(drawn / "figure-1.svg")[:3] == ["gray", "automatic", "truth"]
    methods = ["dahl2016", "zhang2016", "fenu2016", "tintype"]
    assert texts(drawn / "figure-2.svg")[:6] == ["gray", *methods, "truth"]
    titles = ["gray", "automatic", "towards red", "towards blue", "truth"]
    assert texts(drawn / "figure-6.svg")[:5] == texts(drawn / "figure-8.svg")[:5] == titles


def test_the_same_input_gives_the_same_bytes(drawn, runs, pictures, tmp_path):
    again = plots.plot(
        list(runs.values()), tmp_path, [pictures["wide"], pictures["tall"]], amount=0.81
    )
    assert [path.name for path in again] == files()
    for path in again:
        assert path.read_bytes() == (drawn / path.name).read_bytes(), path.name


def test_what_the_user_set_up_in_matplotlib_does_not_matter(drawn, runs, pictures, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "path"}):
        runs = list(runs.values())
        (_, svg) = plots.plot(runs, tmp_path, [pictures["wide"]], figures=[4], amount=0.81)
        assert matplotlib.rcParams["font.size"] == 20
    assert svg.read_bytes() == (drawn / svg.name).read_bytes()


def test_a_large_file_is_made_smaller_or_refused(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with canvas.style():
        figure = plots.draw_sheet(["a"], [[noise]], "noise")
        canvas.save(figure, tmp_path / "fine.png")
        canvas.save(figure, tmp_path / "fine.svg")
        for kind in ("png", "svg"):
            most = (tmp_path / f"fine.{kind}").stat().st_size - 1
            monkeypatch.setattr(canvas, "MOST", most)
            canvas.save(figure, tmp_path / f"coarse.{kind}")
            assert (tmp_path / f"coarse.{kind}").stat().st_size <= most
        monkeypatch.setattr(canvas, "MOST", 1000)
        with pytest.raises(DataError, match=r"expected at most 1,000 bytes.*fewer photos"):
            canvas.save(figure, tmp_path / "none.png")
    kinds = {path.name for path in tmp_path.iterdir()}
    assert kinds == {"fine.png", "fine.svg", "coarse.png", "coarse.svg"}


# --- photos ---------------------------------------------------------------------------------------


def test_photos_are_gray_and_true_at_one_size(pictures):
    shown = plots.read_example(pictures["wide"], known=True)
    assert shown.truth.shape == shown.gray.shape == (256, 384, 3)
    assert (shown.gray == shown.photo.luma[..., None]).all()
    assert plots.read_example(pictures["tall"], known=True).truth.shape == (320, 256, 3)
    assert plots.read_example(pictures["gray"], known=False).truth is None


def test_a_gray_photo_has_no_truth(pictures):
    with pytest.raises(PhotoError, match=r"expected a color photo.*use --gray-photo"):
        plots.read_example(pictures["gray"], known=True)


def test_what_nobody_knows_is_left_out_or_said():
    photo = np.zeros((4, 4, 3), np.uint8)
    titles = ["gray", "automatic", "truth"]
    unknown = plots.draw_sheet(titles, [[photo, photo, None]], "")
    assert words_of(unknown)[:2] == titles[:2]
    assert "truth" not in words_of(unknown)
    mixed = plots.draw_sheet(titles, [[photo, photo, None], [photo, photo, photo]], "")
    assert {"truth", "not known"} <= set(words_of(mixed))


def test_steering_changes_the_photo(runs, pictures):
    run, shown = (
        plots.TorchModel(runs["fenu2016"]),
        plots.read_example(pictures["wide"], known=True),
    )
    automatic, red, blue = plots.colorize_towards(run, shown.photo, ("red", "blue"), 1.0)
    assert automatic.shape == shown.truth.shape
    assert not (automatic == red).all()
    assert not (red == blue).all()


def test_the_photos_are_shared_by_figures_six_and_eight():
    def material(count):
        return plots.Material({}, {}, list(range(count)), 0.9)

    assert material(3).choose(0, 0.5) == [0, 1]
    assert material(3).choose(0.5, 1) == [2]
    assert material(4).choose(0, 1) == [0, 1, 2, 3]
    with pytest.raises(DataError, match="expected two photos or more, found 1; add some by"):
        material(1).choose(0.5, 1)
    with pytest.raises(DataError, match="expected a photo or more, found 0; add some by"):
        material(0).choose(0, 1)


# --- errors ---------------------------------------------------------------------------------------


def refused(words):
    result = CliRunner().invoke(cli, ["plot", *map(str, words)])
    assert result.exit_code != 0
    return str(result.exception), result.output


def test_a_missing_method_is_named(runs, pictures, tmp_path):
    words = [runs["tintype"], runs["dahl2016"], "-o", tmp_path / "out"]
    message, _ = refused([*words, "--photo", pictures["wide"]])
    assert message == (
        "expected a run of fenu2016, found tintype, dahl2016; "
        "add one, or choose other figures by --figure"
    )
    assert not (tmp_path / "out").exists()


def test_other_figures_need_no_run_of_the_papers_method(runs, pictures, tmp_path):
    grays = [pictures["gray"]]
    files = plots.plot([runs["tintype"]], tmp_path, (), grays, figures=[2, 2], amount=0.81)
    assert [path.name for path in files] == ["figure-2.png", "figure-2.svg"]
    assert texts(files[1])[:2] == ["gray", "tintype"]


def test_steering_needs_a_run_that_takes_palettes():
    run = SimpleNamespace(method="fenu2016", takes_palettes=False)
    material = plots.Material({"fenu2016": run}, {}, [], 0.9)
    assert material.find_run() is run
    with pytest.raises(DataError, match="expected a run of fenu2016 that takes palettes, found"):
        material.find_run(steered=True)


def test_titles_of_many_columns_do_not_overlap():
    """Measured as they are drawn, by matplotlib's own renderer."""
    titles = [
        "gray",
        "deshpande2015",
        "zhang2016-class",
        *(f"method {i}" for i in range(7)),
        "truth",
    ]
    figure = plots.draw_sheet(titles, [[np.zeros((8, 8, 3), np.uint8)] * len(titles)], "Words.")
    renderer = FigureCanvasAgg(figure).get_renderer()
    drawn = [text for text in figure.axes[0].texts if text.get_text() in titles]
    boxes = [text.get_window_extent(renderer) for text in drawn]
    assert len(boxes) == len(titles)
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_an_unknown_figure_is_refused(runs, tmp_path):
    _, output = refused([runs["dahl2016"], "-o", tmp_path / "out", "--figure", 5])
    assert "expected some of 1, 2, 3, 4, 6, 7, 8, found 5" in output


def test_two_runs_of_a_method_are_told_apart(runs, tmp_path):
    other = copied(runs["dahl2016"], tmp_path / "longer")
    write_log(other, {100: 0.05}, "automatic")
    folders = [runs["dahl2016"], other]
    _, svg = plots.plot(folders, tmp_path / "out", figures=[4], amount=0.81)
    assert {"dahl2016", "dahl2016 longer"} <= set(texts(svg))
    tensors, about = checkpoint.load(other / "model.safetensors")
    checkpoint.save(other / "model.safetensors", tensors, about | {"run": {}})  # of no seed
    _, svg = plots.plot(folders, tmp_path / "out", figures=[4], amount=0.81)
    assert {"dahl2016", "dahl2016 longer"} <= set(texts(svg))
    with pytest.raises(DataError, match="in folders of different names"):
        plots.plot([other, other], tmp_path / "out", figures=[4], amount=0.81)


@pytest.mark.parametrize(
    "log",
    [
        "",
        "nonsense\n",
        "[1]\n",
        '{"step": 1, "elapsed": 1, "photos": 1, "validation": {}}\n',
        '{"step": 1, "elapsed": 1, "validation": {"automatic": {"loss": 1}, "gray": {"loss": 1}}}',
        '{"step": 1, "photos": 1, "validation": {"automatic": {"auc": 1}, "gray": {"auc": 1}}}',
        '{"step": 1, "photos": 1, "validation": {"other": {"loss": 1}, "gray": {"loss": 1}}}',
    ],
)
def test_a_log_of_before_is_refused(log, runs, tmp_path):
    run = copied(runs["dahl2016"], tmp_path / "run")
    (run / "log.jsonl").write_text(log)
    message, _ = refused([run, "-o", tmp_path / "out", "--figure", 4])
    assert message == (
        f'{run}/log.jsonl: expected rows of validation with "photos" and "loss", found others; '
        "train the run with this version"
    )


def test_a_missing_log_or_run_is_refused(runs, tmp_path):
    run = copied(runs["dahl2016"], tmp_path / "run")
    with pytest.raises(DataError, match=r"log\.jsonl: expected a run's log, found none: No such"):
        curves.read_curve(run)
    message, _ = refused([tmp_path / "no", "-o", tmp_path / "out"])
    assert "expected a checkpoint, found none" in message


def test_runs_that_were_checked_on_other_photos_are_not_compared(runs, tmp_path):
    run = copied(runs["zhang2016"], tmp_path / "run")
    write_log(run, {100: 0.05}, "automatic", gray=0.08)
    words = [runs["dahl2016"], run, "-o", tmp_path / "out", "--figure", 4]
    message, _ = refused(words)
    assert "checked on the same photos" in message
    assert "0.06 (dahl2016), 0.08 (zhang2016)" in message


def test_configs_are_what_the_runs_hold(configs, runs):
    """So that the fixtures above speak of the runs that the figures show."""
    for name, run in runs.items():
        trained = plots.TorchModel(run)
        assert trained.method == name
        assert asdict(trained.network.config) == asdict(configs[name])
