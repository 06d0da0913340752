"""The paper's figures: what they need, what they show, and that they come out the same twice."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from research.conftest import TINY, fewer_crops, run_config, scene, scenes, seeded
from research.methods.test_methods import as_settings
from tintype.cli import cli
from tintype.errors import DataError, PhotoError
from tintype.palette import Palette
from tintype.research.figures import canvas, curves, diagram, plots
from tintype.research.methods import dahl2016, fenu2016, zhang2016
from tintype.research.training import checkpoint, loop

GRAY = 0.06  # the loss of gray in the logs
SIZE = re.compile(r"\d+(?: × \d+){2}")
LOSSES = {
    "dahl2016": {100: 0.061, 200: 0.058},
    "zhang2016": {100: 0.059, 300: 0.055},
    "fenu2016": {150: 0.062, 200: 0.057},
    "tintype": {120: 0.056, 240: 0.051},
}


@pytest.fixture(scope="module")
def configs(narrow):
    return {
        "dahl2016": dahl2016.Config(vgg=str(narrow)),
        "zhang2016": zhang2016.Config(width=1 / 16),
        "fenu2016": fenu2016.Config(vgg=str(narrow), connected=16, first_steps=1),
        "tintype": TINY,
    }


@pytest.fixture(scope="module")
def runs(configs, photos, tmp_path_factory):
    """Folders of tiny runs by method, with the logs that `LOSSES` says."""
    folder = tmp_path_factory.mktemp("methods")
    with pytest.MonkeyPatch.context() as patch:
        fewer_crops(patch)
        for name, config in configs.items():
            run = run_config(photos, 2, method=name)
            loop.train(folder / name, run, as_settings(config), resume=False)
            write_log(folder / name, LOSSES[name], "half" if name == "tintype" else "automatic")
    return {name: folder / name for name in configs}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two photos in color and a gray one."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed, (name, size) in enumerate({"wide": (96, 64), "tall": (64, 80)}.items()):
        Image.fromarray(scene(*size, seed)).save(folder / f"{name}.png")
    Image.fromarray(scene(64, 64, 3)).convert("L").save(folder / "gray.png")
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def drawn(runs, pictures, tmp_path_factory):
    """All figures as the command draws them."""
    out = tmp_path_factory.mktemp("drawn") / "figures"
    words = ["plot", *map(str, runs.values()), "--out", str(out)]
    words += ["--photo", str(pictures["wide"]), "--photo", str(pictures["tall"])]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(out / name) for name in files()]
    return out


def files():
    return [f"figure-{n}.{kind}" for n in (1, 2, 3, 4, 6, 7, 8) for kind in ("png", "svg")]


def write_log(run, losses, name, gray=GRAY):
    rows = [{"step": 1, "elapsed": 1, "loss": 3.0, "photos": 50}]
    for photos, loss in losses.items():
        checked = {name: {"auc": 90.0, "loss": loss}, "gray": {"auc": 91.0, "loss": gray}}
        rows.append({"step": photos, "elapsed": 1, "photos": photos, "validation": checked})
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def copied(run, folder):
    """A run with the weights of another and no log yet."""
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(run / "model.safetensors")
    return folder


def texts(path):
    """What is written in an SVG."""
    return [e.text or "" for e in ElementTree.parse(path).iter() if e.tag.endswith("}text")]


def shapes(figure):
    """The shapes of three numbers that are written in a figure, as they stand."""
    found = (SIZE.search(text.get_text()) for text in figure.findobj(match=is_text))
    return {match[0] for match in found if match}


def is_text(artist):
    return hasattr(artist, "get_text")


def words_of(figure):
    return [text.get_text() for text in figure.findobj(match=is_text)]


# --- files ----------------------------------------------------------------------------------------


def test_every_figure_is_there_twice(drawn):
    assert sorted(path.name for path in drawn.iterdir()) == sorted([*files(), "runs.json"])
    about = json.loads((drawn / "runs.json").read_text())
    assert about["fenu2016"]["where"] == checkpoint.where()
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
    wished = ["gray", "automatic", "towards red", "towards blue", "truth"]
    assert texts(drawn / "figure-6.svg")[:5] == texts(drawn / "figure-8.svg")[:5] == wished


def test_the_same_input_gives_the_same_bytes(drawn, runs, pictures, tmp_path):
    again = plots.plot(
        list(runs.values()), tmp_path, [pictures["wide"], pictures["tall"]], amount=0.9
    )
    assert [path.name for path in again] == files()
    for path in again:
        assert path.read_bytes() == (drawn / path.name).read_bytes(), path.name


def test_what_the_user_set_up_in_matplotlib_does_not_matter(drawn, runs, pictures, tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "path"}):
        runs = list(runs.values())
        (_, svg) = plots.plot(runs, tmp_path, [pictures["wide"]], figures=[4], amount=0.9)
        assert matplotlib.rcParams["font.size"] == 20
    assert svg.read_bytes() == (drawn / svg.name).read_bytes()


def test_a_large_file_is_made_smaller_or_refused(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with canvas.style():
        figure = plots.sheet(["a"], [[noise]], "noise")
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
    shown = plots.example(pictures["wide"], known=True)
    assert shown.truth.shape == shown.gray.shape == (256, 384, 3)
    assert (shown.gray == shown.photo.luma[..., None]).all()
    assert plots.example(pictures["tall"], known=True).truth.shape == (320, 256, 3)
    assert plots.example(pictures["gray"], known=False).truth is None


def test_a_gray_photo_has_no_truth(pictures):
    with pytest.raises(PhotoError, match=r"expected a color photo.*use --gray-photo"):
        plots.example(pictures["gray"], known=True)


def test_what_nobody_knows_is_left_out_or_said():
    photo = np.zeros((4, 4, 3), np.uint8)
    titles = ["gray", "automatic", "truth"]
    unknown = plots.sheet(titles, [[photo, photo, None]], "")
    assert words_of(unknown)[:2] == titles[:2]
    assert "truth" not in words_of(unknown)
    mixed = plots.sheet(titles, [[photo, photo, None], [photo, photo, photo]], "")
    assert {"truth", "not known"} <= set(words_of(mixed))


def test_steering_changes_the_photo(runs, pictures):
    run, shown = plots.Trained(runs["fenu2016"]), plots.example(pictures["wide"], known=True)
    automatic, red, blue = plots.colored(run, shown.photo, ("red", "blue"), 1.0)
    assert automatic.shape == shown.truth.shape
    assert not (automatic == red).all()
    assert not (red == blue).all()


def test_the_photos_are_shared_by_figures_six_and_eight():
    def material(count):
        return plots.Material({}, {}, list(range(count)), 0.9)

    assert material(3).part(0, 0.5) == [0, 1]
    assert material(3).part(0.5, 1) == [2]
    assert material(4).part(0, 1) == [0, 1, 2, 3]
    with pytest.raises(DataError, match="expected two photos or more, found 1; add some by"):
        material(1).part(0.5, 1)
    with pytest.raises(DataError, match="expected a photo or more, found 0; add some by"):
        material(0).part(0, 1)


# --- figure 3 -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def config(configs):
    return configs["fenu2016"]


def network(config, **changes):
    torch.manual_seed(0)
    made = fenu2016.Network(replace(config, **changes))
    made.count_colors([scenes(4)])
    with torch.no_grad():
        made.train()(scenes(2), torch.full((2,), -1), seeded())
    return made.eval()


def figure_3(config, side=64, **changes):
    return diagram.draw(network(config, **changes), torch.full((1, 1, side, side), 0.5))


def test_the_diagram_shows_the_shapes_of_the_run(drawn, runs):
    """Parsed from the file, and seen by hooks of the test's own."""
    written = {tuple(map(int, m[0].split(" × "))) for t in texts(drawn / "figure-3.svg")
               if (m := SIZE.fullmatch(t))}  # fmt: skip
    model, seen = plots.Trained(runs["fenu2016"]).network, set()

    def note(_module, _given, out):
        seen.add(tuple(out.shape[1:]))

    layers = [model.color, *model.carried, *(level.step for level in model.levels)]
    layers += [model.vgg.vgg.features[n] for n in ("2", "7", "14", "21", "28")]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    with torch.no_grad():
        fenu2016.colorize(model, torch.full((1, 1, 224, 224), 0.5))
    for hook in hooks:
        hook.remove()
    assert written == seen | {(1, 224, 224), (3, 224, 224)}


def test_hooks_are_taken_away_and_the_way_is_the_usual_one(config):
    model, gray = network(config), torch.rand(1, 1, 32, 48, generator=seeded())
    seen = diagram.observe(model, gray)
    assert all(not module._forward_hooks for module in model.modules())
    assert torch.equal(torch.from_numpy(seen.rgb), fenu2016.colorize(model, gray)[0])
    assert [len(layers) for layers in seen.stages] == [2, 2, 3, 3, 3]
    assert seen.shapes["levels.5.norm"] == ((3, 32, 48), (3, 32, 48))


def test_the_diagram_follows_the_depth(config):
    deep, shallow = figure_3(config), figure_3(config, conv5=False)
    assert "conv5_3" in words_of(deep)
    assert "conv5_3" not in words_of(shallow)
    assert "8 × 4 × 4" in shapes(deep)
    assert "8 × 4 × 4" not in shapes(shallow)
    assert shallow.get_figheight() < deep.get_figheight()


def test_the_diagram_follows_where_the_palette_enters(config):
    before, after, none = (figure_3(config, palette=p) for p in ("before", "after", "none"))
    linear = f"{config.bins.count} → 6"
    for figure in (before, after):
        assert linear in words_of(figure)
        assert "estimated palette,\nwhich a person\nmay edit" in words_of(figure)
    assert linear not in words_of(none)
    assert "estimated palette,\nnot fed to the encoder" in words_of(none)
    assert left_of_the_norm(before, linear)
    assert not left_of_the_norm(after, linear)


def left_of_the_norm(figure, linear):
    words = [text for text in figure.findobj(match=is_text) if hasattr(text, "get_position")]
    across = {text.get_text(): text.get_position()[0] for text in words}
    return across[linear] < across["batch norm"]


def test_the_diagram_follows_the_colors(config):
    carried, plain = figure_3(config), figure_3(config, carried=False, space="lab")
    assert "conv 1 × 1" in words_of(carried)
    assert "S cos H, S sin H" in words_of(carried)
    assert "conv 1 × 1" not in words_of(plain)
    assert "a, b" in words_of(plain)


def test_the_diagram_says_pinned_only_of_what_is(config, monkeypatch):
    assert "pinned" in words_of(figure_3(config))
    model = network(config)
    weight = torch.nn.Parameter(torch.zeros(1))
    monkeypatch.setattr(model.vgg, "parameters", lambda: iter([weight]))
    assert "pinned" not in words_of(diagram.draw(model, torch.full((1, 1, 32, 32), 0.5)))


def test_without_a_photo_an_even_gray_passes(runs, tmp_path):
    files = plots.plot([runs["fenu2016"]], tmp_path, figures=[3], amount=0.9)
    assert [path.name for path in files] == ["figure-3.png", "figure-3.svg"]


# --- figures 4 and 7 ------------------------------------------------------------------------------


def test_curves_are_the_logs_numbers(runs):
    read = {name: curves.curve(run) for name, run in runs.items()}
    (axes,) = curves.losses(read).axes
    lines = {line.get_label(): line for line in axes.lines}
    for name, losses in LOSSES.items():
        assert dict(zip(*lines[name].get_data(), strict=True)) == losses
    (gray,) = [line for line in axes.lines if line.get_label() not in LOSSES]
    assert gray.get_ydata() == [GRAY, GRAY]


def test_a_resumed_run_repeats_nothing(runs, tmp_path):
    run = copied(runs["dahl2016"], tmp_path / "run")
    write_log(run, {100: 0.9, 200: 0.8}, "automatic")
    twice = (run / "log.jsonl").read_text()
    write_log(run, {150: 0.7, 200: 0.75}, "automatic")
    (run / "log.jsonl").write_text(twice + (run / "log.jsonl").read_text())
    read = curves.curve(run)
    assert (read.photos, read.loss) == ([100, 150, 200], [0.9, 0.7, 0.75])


def test_names_of_curves_do_not_overlap():
    close = {f"run {i}": curves.Curve([1], [0.05 + 1e-5 * i], 0.0501) for i in range(6)}
    (axes,) = curves.losses(close).axes
    places = sorted(t.get_position()[1] for t in axes.texts)
    assert len(places) == 7
    assert min(np.diff(places)) > 0.057
    assert places[-1] <= 1


def test_bars_are_the_palettes_shares(config):
    bins = config.bins
    estimate = Palette(bins, np.arange(1.0, bins.count + 1))
    edited = estimate.towards("red", 0.9)
    top, bottom = curves.histograms(estimate, edited).axes
    for axes, palette in ((top, estimate), (bottom, edited)):
        shown = canvas.bars(palette)
        np.testing.assert_array_equal(shown.heights, palette.shares)
        assert shown.colors == bins.hex_colors
        heights = [patch.get_height() for patch in axes.patches]
        np.testing.assert_allclose(np.square(heights), palette.shares)
    assert top.get_ylim() == bottom.get_ylim()


def test_bars_stand_around_their_hue(config):
    bins = config.bins
    shown = canvas.bars(Palette(bins, np.ones(bins.count)))
    hues = np.angle(bins.centers[1:] @ (1, 1j), deg=True)
    away = (shown.places[1:] - hues + 180) % 360 - 180
    assert np.abs(away).max() < 180 / bins.hues - shown.width / 2
    ordered = np.sort(shown.places)
    assert np.diff(ordered).min() >= shown.width - 1e-9
    assert shown.places[0] == ordered[0]


# --- errors ---------------------------------------------------------------------------------------


def refused(words):
    result = CliRunner().invoke(cli, ["plot", *map(str, words)])
    assert result.exit_code != 0
    return str(result.exception), result.output


def test_a_missing_method_is_named(runs, pictures, tmp_path):
    words = [runs["tintype"], runs["dahl2016"], "--out", tmp_path / "out"]
    message, _ = refused([*words, "--photo", pictures["wide"]])
    assert message == (
        "expected a run of fenu2016, found tintype, dahl2016; "
        "add one, or choose other figures by --figure"
    )
    assert not (tmp_path / "out").exists()


def test_other_figures_need_no_run_of_the_papers_method(runs, pictures, tmp_path):
    grays = [pictures["gray"]]
    files = plots.plot([runs["tintype"]], tmp_path, (), grays, figures=[2, 2], amount=0.9)
    assert [path.name for path in files] == ["figure-2.png", "figure-2.svg"]
    assert texts(files[1])[:2] == ["gray", "tintype"]


def test_steering_needs_a_run_that_takes_palettes():
    run = SimpleNamespace(method="fenu2016", steered=False)
    material = plots.Material({"fenu2016": run}, {}, [], 0.9)
    assert material.own() is run
    with pytest.raises(DataError, match="expected a run of fenu2016 that takes palettes, found"):
        material.own(steered=True)


def test_an_unknown_figure_is_refused(runs, tmp_path):
    _, output = refused([runs["dahl2016"], "--out", tmp_path / "out", "--figure", 5])
    assert "expected some of 1, 2, 3, 4, 6, 7, 8, found 5" in output


def test_two_runs_of_a_method_are_told_apart(runs, tmp_path):
    other = copied(runs["dahl2016"], tmp_path / "longer")
    write_log(other, {100: 0.05}, "automatic")
    folders = [runs["dahl2016"], other]
    _, svg = plots.plot(folders, tmp_path / "out", figures=[4], amount=0.9)
    assert {"dahl2016 dahl2016", "dahl2016 longer"} <= set(texts(svg))
    with pytest.raises(DataError, match="in folders of different names"):
        plots.plot([other, other], tmp_path / "out", figures=[4], amount=0.9)


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
    message, _ = refused([run, "--out", tmp_path / "out", "--figure", 4])
    assert message == (
        f'{run}/log.jsonl: expected rows of validation with "photos" and "loss", found others; '
        "train the run with this version"
    )


def test_a_missing_log_or_run_is_refused(runs, tmp_path):
    run = copied(runs["dahl2016"], tmp_path / "run")
    with pytest.raises(DataError, match=r"log\.jsonl: expected a run's log, found none: No such"):
        curves.curve(run)
    message, _ = refused([tmp_path / "no", "--out", tmp_path / "out"])
    assert "expected a checkpoint, found none" in message


def test_runs_that_were_checked_on_other_photos_are_not_compared(runs, tmp_path):
    run = copied(runs["zhang2016"], tmp_path / "run")
    write_log(run, {100: 0.05}, "automatic", gray=0.08)
    words = [runs["dahl2016"], run, "--out", tmp_path / "out", "--figure", 4]
    message, _ = refused(words)
    assert "checked on the same photos" in message
    assert "0.06 (dahl2016), 0.08 (zhang2016)" in message


def test_configs_are_what_the_runs_hold(configs, runs):
    """So that the fixtures above speak of the runs that the figures show."""
    for name, run in runs.items():
        trained = plots.Trained(run)
        assert trained.method == name
        assert asdict(trained.network.config) == asdict(configs[name])
