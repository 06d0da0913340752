"""The diagram of the paper's network follows its configuration."""

from dataclasses import replace

import torch

from research.conftest import scenes, seeded
from research.figures.conftest import SIZE, is_text, shapes, texts, words_of
from tintype.research.figures import diagram, plots
from tintype.research.methods import fenu2016


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
    model, seen = plots.TorchModel(runs["fenu2016"]).network, set()

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
    files = plots.plot([runs["fenu2016"]], tmp_path, figures=[3], amount=0.81)
    assert [path.name for path in files] == ["figure-3.png", "figure-3.svg"]
