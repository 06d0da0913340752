"""Batch norms (Ioffe & Szegedy 2015) that are counted on what they will see."""

from collections.abc import Callable, Sequence

import torch
from torch import nn


@torch.no_grad()
def count(norms: Sequence[nn.BatchNorm2d], feed: Callable[[], None]) -> None:
    """Make norms' means and variances those of all batches that `feed` puts through the network.

    They are left as in use, in `eval` mode.
    """
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    feed()
    for norm in norms:
        norm.eval()
