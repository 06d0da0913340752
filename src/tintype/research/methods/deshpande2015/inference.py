"""The colors that a photo's A and b ask for: one sparse quadratic of all its pixels.

chroma ─▶ filters ─▶ t ─▶ A ─▶ u, which should be b
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, cg
from torch import Tensor
from torch.nn import functional as F

from tintype.research.methods.deshpande2015.features import HALF_WIDTHS, respond

SURE = 1e-5  # added to the diagonal
ROUNDS = 30  # at most
PRECISE = 1e-5  # of the right side's length


@dataclass(frozen=True)
class Objective:
    """|A F c - b|**2 / 2 of chroma c (1, 2, h, w), but for what does not depend on c.

    filters: F, as in `respond`; rows: (k, 2 x filters, h, w) A but for its first two rows, which
        pick the chroma itself
    """

    filters: Tensor
    rows: Tensor

    def weigh(self, chroma: Tensor) -> Tensor:
        """u (1, 2 + k, h, w) = A F c of chroma (1, 2, h, w)."""
        t = respond(chroma, self.filters)
        inner = torch.stack([(row * t[0, 2:]).sum(0) for row in self.rows])
        return torch.cat([t[:, :2], inner[None]], 1)

    def spread(self, u: Tensor) -> Tensor:
        """What of u (1, 2 + k, h, w) each chroma answers for: (1, 2, h, w) = F' A' u."""
        t = torch.zeros_like(self.rows[0])
        for row, plane in zip(self.rows, u[0, 2:], strict=True):
            t.addcmul_(row, plane)
        wide = F.conv_transpose2d(t[None], self.filters, groups=2)
        edge = HALF_WIDTHS[-1]
        wide[..., edge, :] += wide[..., :edge, :].sum(-2)  # what borders were repeated from
        wide[..., -edge - 1, :] += wide[..., -edge:, :].sum(-2)
        wide[..., edge] += wide[..., :edge].sum(-1)
        wide[..., -edge - 1] += wide[..., -edge:].sum(-1)
        return u[:, :2] + wide[..., edge:-edge, edge:-edge]

    def solve(self, aim: Tensor) -> Tensor:
        """The chroma (1, 2, h, w) that b (1, 2 + k, h, w) asks for, by conjugate gradients."""

        def multiply(flat: np.ndarray) -> np.ndarray:
            chroma = torch.as_tensor(flat, dtype=aim.dtype).to(aim.device).view_as(aim[:, :2])
            normal = self.spread(self.weigh(chroma)) + SURE * chroma
            return np.asarray(normal.flatten().cpu())

        right, first = (x.flatten().cpu().numpy() for x in (self.spread(aim), aim[:, :2]))
        matrix = LinearOperator((len(right),) * 2, matvec=multiply, dtype=right.dtype)
        found, _ = cg(matrix, right, x0=first, rtol=PRECISE, maxiter=ROUNDS)
        return torch.from_numpy(found).to(aim).view_as(aim[:, :2])
