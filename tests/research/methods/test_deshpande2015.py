"""LEARCH: its parts beside dense algebra, functions that are known, and other libraries."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from research.conftest import crops, scenes, seeded
from tintype import color
from tintype.errors import DataError
from tintype.palette import Palette
from tintype.research.methods import deshpande2015 as method
from tintype.research.methods.deshpande2015 import correction, features, inference, network, trees


@pytest.fixture(scope="module")
def learned():
    """A network that knows eight photos by heart, and only these."""
    made = method.Network(method.Config(trees=5, samples=3000, bank=16))
    made.count_colors([scenes(8)])
    return made.eval()


def make_objective(high=7, wide=6):
    """The quadratic of a small photo whose rows are random."""
    filters = network.Network(method.Config(trees=1, bank=9)).filters
    filters = filters + 0.05 * torch.randn(filters.shape, generator=seeded(1))
    rows = torch.randn(high * wide, 10, 54, generator=seeded(2))
    rows = trees.orthonormalize(rows).permute(1, 2, 0).reshape(10, 54, high, wide)
    return inference.Objective(filters.double(), rows.double())


# --- color ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rgb", "c1", "c2"),
    [((0.5, 0.5, 0.5), 0, 0), ((1, 0, 0), -1.5, 3), ((0, 1, 0), -1.5, -3), ((0, 0, 1), 3, 0)],
)
def test_chroma_by_hand(rgb, c1, c2):
    found = method.to_chroma(torch.tensor(rgb, dtype=torch.float32))
    np.testing.assert_allclose(found, (c1, c2), atol=2e-3)


def test_colors_come_back_with_their_luma():
    """As the formulas have it, up to the 0.0001 in them and the thirds."""
    rgb = torch.rand(500, 3, generator=seeded()).double() * 0.9 + 0.1
    chroma, gray = method.to_chroma(rgb), rgb.mean(-1)
    again = method.to_rgb(chroma, color.luma(rgb))
    torch.testing.assert_close(again, rgb, atol=2e-3, rtol=0)
    torch.testing.assert_close(color.luma(again), color.luma(rgb))
    c1, c2 = (plane * gray for plane in chroma.unbind(-1))
    published = [gray - 0.33 * c1 + 0.5 * c2, gray - 0.33 * c1 - 0.5 * c2, gray + 0.66 * c1]
    torch.testing.assert_close(again, torch.stack(published, -1), atol=0.02, rtol=0)


def test_bins_middles_are_their_colors():
    bins = method.Config().bins
    rgb = method.to_rgb(method.list_colors(bins), torch.ones(bins.count))
    plane = bins.chroma(rgb / rgb.amax(-1, keepdim=True))
    np.testing.assert_allclose(plane, bins.centers, atol=1e-3)


@pytest.mark.parametrize(("field", "count"), [("trees", 0), ("samples", 1), ("bank", 8)])
def test_too_few_are_refused(field, count):
    with pytest.raises(DataError, match=f"{field}: expected {count + 1} or more, found {count}"):
        method.Network(replace(method.Config(), **{field: count}))


# --- descriptors ----------------------------------------------------------------------------------


def test_a_pixel_has_15_and_217_numbers_and_56_responses(learned):
    gray = torch.rand(2, 1, 40, 48, generator=seeded())
    places = tuple(torch.tensor([i]) for i in (1, 20, 30))
    split, texture = learned.describe(gray, places)
    assert (split.shape, texture.shape) == ((1, 15), (1, 217 + 1))
    plain = features.measure_texture(gray, learned.texture_filters, places)[0]
    torch.testing.assert_close(plain[:25].view(5, 5), gray[1, 0, 18:23, 28:33])
    _, across, down, length = plain[25:].view(4, 48)
    torch.testing.assert_close(length, torch.hypot(across, down))
    left, right = (
        features.measure_texture(gray, learned.texture_filters, (places[0], places[1], x))[0, 25:73]
        for x in (torch.tensor([29]), torch.tensor([31]))
    )
    torch.testing.assert_close(across, (right - left) / 2, atol=1e-5, rtol=1e-4)
    assert features.respond(torch.rand(1, 2, 9, 9), learned.filters).shape == (1, 56, 9, 9)
    sums = learned.filters.abs().sum((1, 2, 3))
    torch.testing.assert_close(sums, torch.ones(54))


def test_photos_match_those_of_their_kind(learned):
    gray = color.luma(scenes(8))[:, None]
    chroma = method.to_chroma(scenes(8)).permute(0, 3, 1, 2)
    own = torch.nn.functional.adaptive_avg_pool2d(chroma, network.THUMBNAIL)
    torch.testing.assert_close(learned.match(gray)[:, 0], own)


# --- trees ----------------------------------------------------------------------------------------


def test_shares_of_leaves_sum_to_one_and_meet_at_the_splits():
    nodes = torch.tensor([[1.0, 0, 0.5, 0.2], [0, 1.0, 0.3, 0.1], [0, 1.0, 0.7, 0.1]])
    split = torch.tensor([[0.0, 0.0], [0.0, 0.3], [0.5, 0.0], [1.0, 1.0]])
    expected = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 1]]
    torch.testing.assert_close(trees.share_leaves(split, nodes), torch.tensor(expected).float())


def test_a_split_is_found_where_the_values_part():
    split = torch.rand(2000, 1, generator=seeded())
    values = torch.where(split > 0.7, 1.0, 0.0).expand(-1, trees.ROWS)
    node = trees.find_split(split, values, torch.ones(2000), seeded())
    assert (node[1] / node[0]).item() == pytest.approx(0.7, abs=0.01)
    assert trees.find_split(split[:150], values[:150], torch.ones(150), seeded()) is None


def test_a_tree_fits_what_is_linear_on_either_side():
    """A step and another slope, which no line fits, where A is right already."""
    x = 2 * torch.rand(4000, 1, generator=seeded()) - 1
    texture = torch.cat([x, torch.ones_like(x)], 1)
    response = torch.zeros(4000, 56)
    response[:, :2] = torch.where(x < 0.2, 0.3 * x - 1, 1 - 0.5 * x)
    rows = network.pick_first_rows(10).expand(4000, -1, -1)
    samples = trees.Samples(x, texture, response, rows, torch.zeros(4000, trees.ROWS))
    nodes = trees.grow(x, samples.truth, 1, seeded())
    nodes[:, -1] = 1e-3  # hard
    shares = trees.share_leaves(x, nodes)
    aims = [texture @ trees.fit_leaf(samples, share)[1] for share in shares.T]
    found = torch.einsum("nl,lnr->nr", shares, torch.stack(aims))
    line = texture @ torch.linalg.lstsq(texture, samples.truth).solution
    errors = [(one - samples.truth).square().mean().sqrt().item() for one in (found, line)]
    assert errors[0] < 0.2 * errors[1]


def test_rows_step_down_the_cost_and_stay_orthonormal():
    response = torch.randn(600, 56, generator=seeded()) * torch.linspace(0.1, 1, 56)
    rows = trees.orthonormalize(torch.randn(10, 54, generator=seeded(1))).expand(600, -1, -1)
    texture = torch.ones(600, 1)
    samples = trees.Samples(torch.zeros(600, 1), texture, response, rows, torch.zeros(600, 12))
    more, slopes = trees.fit_leaf(samples, torch.ones(600))
    after = trees.orthonormalize(rows[0] + more)
    torch.testing.assert_close(after @ after.T, torch.eye(10), atol=1e-4, rtol=0)
    moved = samples.weigh(rows + more) - texture @ slopes
    assert moved.square().sum(1).mean() < 0.9 * samples.truth.square().sum(1).mean()


def test_a_line_search_finds_a_parabolas_foot_within_reach():
    assert trees.search_line(lambda s: (s - 0.3) ** 2, 1.0) == pytest.approx(0.3)
    assert trees.search_line(lambda s: (s - 3) ** 2, 1.0) == 1.0
    assert trees.search_line(lambda s: s, 1.0) == 0.0


# --- the quadratic --------------------------------------------------------------------------------


def test_the_cost_is_the_margin_that_the_truth_lacks():
    """Its minimum over all colors on a grid, in one dimension."""
    truth, aim = 0.4, -0.3
    u = np.linspace(-5, 5, 200_001)
    cheapest = (u**2 / 2 - u * aim - network.MARGIN / 2 * (u - truth) ** 2).min()
    expected = truth**2 / 2 - truth * aim - cheapest
    found = network.measure_cost(*(torch.tensor([[v]]) for v in (truth, aim)))
    assert found.item() == pytest.approx(expected, abs=1e-6)
    assert network.measure_cost(torch.ones(1, 12), torch.ones(1, 12)).item() == pytest.approx(0)


def test_colors_are_those_of_a_dense_solve():
    objective = make_objective()
    shape = (1, 2, *objective.rows.shape[2:])
    size = math.prod(shape)
    dense = torch.stack(
        [objective.weigh(one.view(shape)).flatten() for one in torch.eye(size).double()], 1
    )
    aim = torch.randn(1, 12, *shape[2:], generator=seeded(4)).double()
    torch.testing.assert_close(objective.spread(aim).flatten(), dense.T @ aim.flatten())
    normal = dense.T @ dense + inference.SURE * torch.eye(size)
    expected = torch.linalg.solve(normal, dense.T @ aim.flatten())
    torch.testing.assert_close(objective.solve(aim).flatten(), expected, atol=1e-4, rtol=1e-3)


# --- histogram correction -------------------------------------------------------------------------


def test_a_histogram_is_a_smoothed_count():
    points = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
    found = correction.make_histogram(points, torch.tensor([0.75, 0.25]))
    middles = torch.linspace(-3, 3, 121)
    grid = torch.stack(torch.meshgrid(middles, middles, indexing="ij"), -1).view(-1, 2)
    bells = torch.exp(-(torch.from_numpy(cdist(grid, points)) ** 2) / (2 * 0.15**2))
    expected = bells @ torch.tensor([0.75, 0.25]).double()
    np.testing.assert_allclose(found.flatten(), expected / expected.sum(), atol=1e-4)


def test_bhattacharyya_by_hand():
    one, other = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.5, 0.5])
    assert correction.measure_distance(one, one).item() == pytest.approx(0, abs=1e-6)
    assert correction.measure_distance(one, other).item() == pytest.approx(math.log(2), abs=1e-5)


def test_clusters_are_the_gaussians_that_points_came_from():
    centers = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.2, -1.2]])
    which = torch.tensor([0] * 500 + [1] * 300 + [2] * 200)
    points = centers[which] + 0.1 * torch.randn(1000, 2, generator=seeded())
    means, weights = correction.find_clusters(points, torch.full((1000,), 1e-3))
    order = weights.argsort(descending=True)
    torch.testing.assert_close(means[order], centers, atol=0.05, rtol=0)
    torch.testing.assert_close(weights[order], torch.tensor([0.5, 0.3, 0.2]), atol=0.02, rtol=0)


def test_a_histogram_goes_towards_its_target():
    """Nearer than it was, at less cost than by clusters alone; where it is already, it stays."""
    objective = make_objective(16, 20)
    objective = inference.Objective(objective.filters.float(), objective.rows.float())
    chroma = 0.1 * torch.randn(1, 2, 16, 20, generator=seeded(7))
    chroma[..., 10:] += 0.8
    colors, shares = torch.tensor([[0.3, -0.3], [1.2, 0.6]]), torch.tensor([0.7, 0.3])
    target = correction.make_histogram(colors, shares)

    def measure(moved):
        points = moved[0].flatten(1).T
        own = correction.make_histogram(points, torch.full((len(points),), 1 / len(points)))
        return correction.measure_distance(own, target).item()

    matched = correction.match_clusters(chroma, colors, shares)
    corrected = correction.correct(chroma, colors, shares, objective)
    assert measure(matched) < 0.1 * measure(chroma)
    assert measure(corrected) < 0.8 * measure(chroma)
    costs = [
        measure(moved) + correction.OBJECTIVE * objective.weigh(moved - chroma).square().sum() / 640
        for moved in (corrected, matched, chroma)
    ]
    assert costs[0] < min(costs[1:])
    points = chroma[0].flatten(1).T
    still = correction.correct(chroma, points, torch.full((320,), 1 / 320), objective)
    assert (still - chroma).square().mean().sqrt() < 0.05


# --- the whole ------------------------------------------------------------------------------------


def test_a_small_set_is_learned_by_heart(learned):
    rgb = scenes(8)
    truth, gray = method.to_chroma(rgb), color.luma(rgb)[:, None]
    encoded, _, _ = learned.encode(gray)
    found = encoded[0].permute(0, 2, 3, 1)
    assert (found - truth).square().mean() < 0.3 * truth.square().mean()
    bins = learned.config.bins
    errors = []
    for i in range(3):
        own = Palette.of_chroma(bins, np.asarray(bins.chroma(rgb[i])))
        painted = method.colorize(learned, gray[i : i + 1], own)[0]
        errors.append(
            (painted - rgb[i]).square().mean() / (gray[i, 0, ..., None] - rgb[i]).square().mean()
        )
    assert torch.stack(errors).mean() < 0.3


def test_steps_learn_how_far_trees_count_and_nothing_else(learned):
    made = method.Network(learned.config)
    made.load_state_dict(learned.state_dict())
    with torch.no_grad():
        made.aim_steps.fill_(0.2)
    learning = {name for name, tensor in made.named_parameters() if tensor.requires_grad}
    assert learning == {"row_steps", "aim_steps"}
    optimizer = torch.optim.Adam([made.row_steps, made.aim_steps], lr=0.05)
    losses = []
    for _ in range(12):
        loss, _ = made(scenes(8), torch.zeros(8), seeded())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_a_palette_is_followed(learned):
    gray = color.luma(crops(1, 48))[:, None]
    bins = learned.config.bins
    hues = []
    for name in ("red", "blue"):
        target = Palette.of_chroma(bins, np.array([[0.4, 0]])).towards(name, 1.0)
        painted = method.colorize(learned, gray, target)
        hues.append(method.to_chroma(painted).mean((0, 1, 2)))
    assert hues[0][1] > hues[1][1] + 0.05  # red over green
    assert hues[1][0] > hues[0][0] + 0.05  # blue over yellow
