"""What luma tells of colours: neighbours that agree, against the definition written out."""

import math

import numpy as np
import torch

from research.conftest import seeded
from tintype.research import luma as method


def spelled_out(logits, luma):
    """The filter by loops: logits (count, h, w), luma (h, w)."""
    _, high, wide = logits.shape
    blocks = [(y, x) for y in range(0, high, 2) for x in range(0, wide, 2)]
    means = [logits[:, y : y + 2, x : x + 2].mean((1, 2)) for y, x in blocks]
    lumas = [luma[y : y + 2, x : x + 2].mean() for y, x in blocks]
    out = np.empty_like(logits)
    for y in range(high):
        for x in range(wide):
            weights = []
            for (down, across), level in zip(blocks, lumas, strict=True):
                far = (y + 0.5 - down - 1) ** 2 + (x + 0.5 - across - 1) ** 2
                apart = (luma[y, x] - level) ** 2 / method.ALIKE**2
                weights.append(math.exp(-(far / method.REACH**2 + apart) / 2))
            said = np.average(means, axis=0, weights=weights)
            out[:, y, x] = logits[:, y, x] + method.AGREEMENT * (said - logits[:, y, x])
    return out


def test_neighbours_agree_as_the_filter_is_defined():
    logits = torch.randn(2, 3, 6, 8, generator=seeded())
    luma = torch.rand(2, 1, 6, 8, generator=seeded(1))
    found = method.agreed(logits, luma)
    for got, own, light in zip(found, logits, luma, strict=True):
        expected = spelled_out(own.double().numpy(), light[0].double().numpy())
        np.testing.assert_allclose(got.numpy(), expected, atol=1e-5)


def test_what_is_the_same_everywhere_stays():
    logits = torch.randn(1, 5, 1, 1, generator=seeded()).expand(-1, -1, 16, 24)
    luma = torch.rand(1, 1, 16, 24, generator=seeded(1))
    torch.testing.assert_close(method.agreed(logits, luma), logits)


def test_a_spot_in_an_even_sky_takes_the_colour_of_the_sky():
    """Blue everywhere but for a patch that is red; the ground, darker and red, stays red."""
    blue, red = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.5])
    logits = blue[:, None, None].repeat(1, 32, 32)
    logits[:, 4:9, 4:9] = red[:, None, None]
    logits[:, 24:] = red[:, None, None]
    luma = torch.full((1, 1, 32, 32), 0.8)
    luma[:, :, 24:] = 0.3
    before, after = logits.argmax(0), method.agreed(logits[None], luma)[0].argmax(0)
    assert (before[4:9, 4:9] == 1).all()
    assert (after[:24] == 0).all()
    assert (after[24:] == 1).all()
