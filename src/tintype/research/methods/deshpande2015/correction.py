"""Histogram correction: chroma moved until its histogram is near a target's.

chroma ──▶ clusters ─┐                                    ┌─▶ objective
target ──▶ clusters ─┴ matched ─▶ chroma moved with them ─┴─▶ histograms' distance ─▶ 9 steps
"""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from tintype.research.methods.deshpande2015.inference import Objective
from tintype.research.methods.deshpande2015.trees import search_line

SIDE = 121  # bins of the histogram, each way
REACH = 3.0  # of chroma, its first and last bins' middles
WIDTH = 0.3  # of a cluster
SIGMA = 0.15  # of a cluster's Gaussian, and of what the histogram is smoothed by
POINTS = 1000  # pixels whose clusters are found
ROUNDS = 20  # of mean shift, and of expectation and maximization
STEPS = 9
FARTHEST = 0.3  # that a step goes, by root mean square
OBJECTIVE = 5.0  # its weight beside the distance


def correct(chroma: Tensor, colors: Tensor, shares: Tensor, objective: Objective) -> Tensor:
    """The chroma (1, 2, h, w) of a photo moved towards shares (k,) of colors (k, 2), sum 1.

    objective: what the chroma is the cheapest of
    """
    target = make_histogram(colors, shares)
    moved = match_clusters(chroma, colors, shares)
    away = objective.weigh(moved - chroma)
    for _ in range(STEPS):
        moved, away = _step(moved, away, target, objective)
    return moved


def _step(
    chroma: Tensor, away: Tensor, target: Tensor, objective: Objective
) -> tuple[Tensor, Tensor]:
    """Chroma a step down the gradient, as far as a parabola says.

    away: (1, k, h, w) A F of how far it is from what the objective asks for; it comes along
    """
    weight = OBJECTIVE / chroma[0, 0].numel()
    slope = _find_slope(chroma, target) + weight * objective.spread(away)
    way = -slope / slope.square().sum(1).mean().sqrt().clamp(min=1e-12)
    along = objective.weigh(way)
    pairs = (away, away), (away, along), (along, along)
    here, there, bend = (float((one * other).sum()) for one, other in pairs)

    def cost(step: float) -> float:
        apart = measure_distance(_make_even_histogram(chroma + step * way), target)
        return float(apart) + weight * (here + 2 * step * there + step**2 * bend) / 2

    far = search_line(cost, FARTHEST)
    return chroma + far * way, away + far * along


def _find_slope(chroma: Tensor, target: Tensor) -> Tensor:
    """The gradient (1, 2, h, w) of the histogram's distance to a target's."""
    with torch.enable_grad():
        own = chroma.detach().requires_grad_()
        distance = measure_distance(_make_even_histogram(own), target)
        return torch.autograd.grad(distance, own)[0]


def _make_even_histogram(chroma: Tensor) -> Tensor:
    flat = chroma[0].flatten(1).T
    return make_histogram(flat, torch.full_like(flat[:, 0], 1 / len(flat)))


def make_histogram(chroma: Tensor, shares: Tensor) -> Tensor:
    """The smoothed histogram (SIDE, SIDE), sum of 1, of shares (n,) of chroma (n, 2)."""
    place = ((chroma + REACH) * ((SIDE - 1) / (2 * REACH))).clamp(0, SIDE - 1)
    low = place.detach().floor().clamp(max=SIDE - 2)
    part = place - low
    flat = chroma.new_zeros(SIDE * SIDE)
    for i in (0, 1):
        for j in (0, 1):
            weight = (part[:, 0] if i else 1 - part[:, 0]) * (part[:, 1] if j else 1 - part[:, 1])
            index = ((low[:, 0] + i) * SIDE + low[:, 1] + j).long()
            flat = flat.index_add(0, index, weight * shares)
    bins = 2 * REACH / (SIDE - 1)
    offsets = torch.arange(-9, 10).to(chroma) * bins
    bell = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    plane = flat.view(1, 1, SIDE, SIDE)
    for kernel in (bell.view(1, 1, 1, -1), bell.view(1, 1, -1, 1)):
        plane = F.conv2d(plane, kernel, padding="same")
    return plane[0, 0] / plane.sum()


def measure_distance(one: Tensor, other: Tensor) -> Tensor:
    """Bhattacharyya's distance, from 0, of histograms that sum to 1."""
    return -(one * other + 1e-16).sqrt().sum().log()


def match_clusters(chroma: Tensor, colors: Tensor, shares: Tensor) -> Tensor:
    """Chroma (1, 2, h, w) whose clusters have gone to those of the target that are near.

    Each of ours goes to one of theirs at most, so that all together go the least.
    """
    points = chroma[0].flatten(1).T
    few = points[torch.linspace(0, len(points) - 1, min(POINTS, len(points))).long()]
    means, weights = find_clusters(few, torch.full_like(few[:, 0], 1 / len(few)))
    aims, _ = find_clusters(colors[shares > 0], shares[shares > 0])
    ours, theirs = linear_sum_assignment(torch.cdist(means, aims).square().cpu().numpy())
    shift = torch.zeros_like(means)
    shift[ours] = aims[theirs] - means[ours]
    return chroma + (tell_clusters(points, means, weights) @ shift).T.reshape(chroma.shape)


def find_clusters(points: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Means (k, 2) and weights (k,) of a mixture of Gaussians of SIGMA, of shares of points.

    There are as many as mean shift finds modes.
    """
    modes = points
    for _ in range(ROUNDS):
        near = (torch.cdist(modes, points) <= WIDTH) * shares
        modes = near @ points / near.sum(1, keepdim=True).clamp(min=1e-12)
    crowd = ((torch.cdist(modes, points) <= WIDTH) * shares).sum(1)
    kept: list[Tensor] = []
    while crowd.max() > 0:
        kept.append(modes[crowd.argmax()])
        crowd[torch.linalg.vector_norm(modes - kept[-1], dim=1) <= WIDTH] = 0
    means = torch.stack(kept)
    weights = torch.full_like(means[:, 0], 1 / len(means))
    for _ in range(ROUNDS):
        told = tell_clusters(points, means, weights) * shares[:, None]
        weights = told.sum(0) / told.sum()
        means = told.T @ points / told.sum(0).clamp(min=1e-12)[:, None]
    return means, weights


def tell_clusters(points: Tensor, means: Tensor, weights: Tensor) -> Tensor:
    """How likely points (n, 2) are of each Gaussian: (n, k), sums of 1."""
    away = torch.cdist(points, means).square() / (2 * SIGMA**2)
    return (weights.clamp(min=1e-12).log() - away).softmax(1)
