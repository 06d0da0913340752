"""How the learning rate goes over a run."""

import math

FLOOR = 0.01  # of the learning rate, at the end


def cosine_with_warmup(progress: float, after_step: float, warmup: float) -> float:
    """What the learning rate is multiplied by, 0..1: a linear rise, and half a cosine to 1 %.

    progress: of the run, 0..1, before the step; after_step: when it is done, so that the first
    step learns, too; warmup: the share of the run, 0..1, in which the rate rises
    (Loshchilov & Hutter 2017; Goyal et al. 2017)
    """
    rise = min(1.0, after_step / warmup) if warmup else 1.0
    return rise * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * progress)) / 2)
