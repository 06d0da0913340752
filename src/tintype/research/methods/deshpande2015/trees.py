"""Boosted regression trees whose splits are soft and whose leaves are linear.

split numbers ─▶ node: on a random projection, how far right, 0..1 ─▶ ... ─▶ shares of leaves
texture ─────────────────────────────────────────▶ leaf: linear ─▶ b, and a part of A
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

ROWS = 12  # of A
PROJECTIONS = 15  # that a split is chosen from
PLACES = 250  # on each
LEAST = 100  # pixels, as weighed, of a leaf
SOFTNESS = 0.2  # of a projection's deviation: how wide the middle of a split is
ROUNDS = 5  # between a leaf's two parts
RIDGE = 100.0  # pixels' worth of no slope


@dataclass(frozen=True)
class Samples:
    """Pixels that a tree learns from, and what the trees before it say of them.

    split: (n, split numbers); texture: (n, regression numbers), the last one 1; response: (n, 2 +
    2 x filters) of the true chroma; rows: (n, ROWS - 2, 2 x filters) sums of what becomes A;
    aim: (n, ROWS) b
    """

    split: Tensor
    texture: Tensor
    response: Tensor
    rows: Tensor
    aim: Tensor

    @property
    def truth(self) -> Tensor:
        """u (n, ROWS) = A t of the true chroma."""
        return self.weigh(self.rows)

    def weigh(self, rows: Tensor) -> Tensor:
        """The same by other sums of rows (n, ROWS - 2, 2 x filters)."""
        inner = (orthonormalize(rows) @ self.response[:, 2:, None])[..., 0]
        return torch.cat([self.response[:, :2], inner], 1)


def orthonormalize(rows: Tensor) -> Tensor:
    """Rows (..., k, n) made orthonormal, the first ones first."""
    lower = torch.linalg.cholesky(rows @ rows.mT)
    found: Tensor = torch.linalg.solve_triangular(lower, rows, upper=False)
    return found


def share_leaves(split: Tensor, nodes: Tensor) -> Tensor:
    """How much of each pixel is in each leaf of a complete tree: (n, leaves), sums of 1.

    split: (n, numbers); nodes: (leaves - 1, numbers + 2) projections, places and widths, the two
    below node i at 2 i + 1 and 2 i + 2
    """
    shares = split.new_ones(len(split), 1)
    first = 0
    while first < len(nodes):
        level = nodes[first : first + shares.shape[1]]
        right = go_right(split, level)
        shares = torch.stack([shares * (1 - right), shares * right], 2).flatten(1)
        first += len(level)
    return shares


def go_right(split: Tensor, nodes: Tensor) -> Tensor:
    """How far right pixels (n, numbers) go at each of some nodes: (n, nodes), 0..1."""
    away = split @ nodes[:, :-2].T - nodes[:, -2]
    return (away / nodes[:, -1] + 0.5).clamp(0, 1)


def grow(split: Tensor, residual: Tensor, depth: int, generator: torch.Generator) -> Tensor:
    """The nodes (2**depth - 1, numbers + 2) of a tree that tells residuals (n, ROWS) apart."""
    nodes = split.new_zeros(2**depth - 1, split.shape[1] + 2)
    nodes[:, -2:] = 1  # of which all goes left
    shares = [split.new_ones(len(split))]
    for i in range(len(nodes)):
        inside = shares[i] > 0
        found = find_split(split[inside], residual[inside], shares[i][inside], generator)
        if found is not None:
            nodes[i] = found
        right = go_right(split, nodes[i : i + 1])[:, 0]
        shares += [shares[i] * (1 - right), shares[i] * right]
    return nodes


def find_split(
    split: Tensor, residual: Tensor, weight: Tensor, generator: torch.Generator
) -> Tensor | None:
    """The node (numbers + 2,) that leaves the least squares; None where there are too few pixels.

    Of random projections, each at as many places, between which there are as many pixels.
    """
    total = weight.sum()
    if total < 2 * LEAST:
        return None
    projections = torch.randn(PROJECTIONS, split.shape[1], generator=generator).to(split)
    projections /= torch.linalg.vector_norm(projections, dim=1, keepdim=True)
    along = split @ projections.T
    order = along.argsort(0)
    left = weight[order].cumsum(0)  # (n, PROJECTIONS)
    sums = (weight[:, None] * residual)[order].cumsum(0)  # (n, PROJECTIONS, ROWS)
    chosen = torch.linspace(0, len(split) - 1, PLACES + 2)[1:-1].long()
    left, sums, whole = left[chosen], sums[chosen], sums[-1]
    right = total - left
    gain = sums.square().sum(-1) / left + (whole - sums).square().sum(-1) / right
    gain[(left < LEAST) | (right < LEAST)] = 0
    best = int(gain.argmax())
    row, column = divmod(best, PROJECTIONS)
    if gain[row, column] <= 0:
        return None
    place = along[order[chosen[row], column], column]
    width = SOFTNESS * along[:, column].std() + 1e-6
    return torch.cat([projections[column], torch.stack([place, width])])


def fit_leaf(samples: Samples, weight: Tensor) -> tuple[Tensor, Tensor]:
    """What a leaf adds to the rows (ROWS - 2, 2 x filters), and its slopes (numbers, ROWS) of b.

    In turns, slopes by least squares, and the rows by a step down the cost's gradient.
    """
    inside = weight > 0
    own = Samples(**{name: value[inside] for name, value in vars(samples).items()})
    weight, t = weight[inside, None], own.response[:, 2:]
    weighed = own.texture * weight
    ridge = torch.full((own.texture.shape[1],), RIDGE).to(t)
    ridge[-1] = 1e-3
    lower = torch.linalg.cholesky(own.texture.T @ weighed + ridge.diag())
    rows = torch.zeros_like(own.rows[0])
    reach = weight.sum() / (weight * t.square()).sum().clamp(min=1e-6)
    for _ in range(ROUNDS):
        truth = own.weigh(own.rows + rows)
        slopes = torch.cholesky_solve(weighed.T @ (truth - own.aim), lower)
        left = truth - own.aim - own.texture @ slopes
        rows = rows - reach * (weight * left[:, 2:]).T @ t / weight.sum()
    return rows, slopes


def search_line(cost: Callable[[float], float], reach: float) -> float:
    """Where 0..reach a cost is least, by the parabola through it at both ends and the middle."""
    tried = {s: cost(s) for s in (0.0, reach / 2, reach)}
    begin, middle, end = tried.values()
    bend = begin - 2 * middle + end
    if bend > 0:
        lowest = reach * (0.5 + (begin - end) / (4 * bend))
        lowest = min(max(lowest, 0.0), reach)
        tried[lowest] = cost(lowest)
    return min(tried, key=lambda s: tried[s])
