"""The losses against numbers worked by hand."""

import math

import pytest
import torch

from tintype.research.methods import losses


def plane(*rows):
    """(1, h, w, channels) of nested lists, or (1, h, w, 1) of numbers."""
    tensor = torch.tensor(rows, dtype=torch.float32)
    return tensor[None] if tensor.ndim == 3 else tensor[None, ..., None]


# --- the paper's equation -------------------------------------------------------------------------


def test_pixelwise_l1_by_hand():
    target = plane([[0.5, 0.2], [0.0, 0.0]])
    estimate = plane([[0.1, 0.3], [0.0, -0.4]])
    assert losses.pixelwise_l1(estimate, target).item() == pytest.approx((0.4 + 0.1 + 0.4) / 2)
    weight = torch.tensor([[[3.0, 0.5]]])
    found = losses.pixelwise_l1(estimate, target, weight).item()
    assert found == pytest.approx((3 * 0.5 + 0.5 * 0.4) / 2)


def test_variance_l1_by_hand():
    """X = 0.5: |(0.9 - 0.5)^2 - (0.2 - 0.5)^2| = 0.07; X = 0: |0.25 - 0.01| = 0.24."""
    target, estimate = plane([0.9, 0.5]), plane([0.2, 0.1])
    gray = torch.tensor([[[0.5, 0.0]]])
    found = losses.variance_l1(estimate, target, gray).item()
    assert found == pytest.approx((0.07 + 0.24) / 2)
    weight = torch.tensor([[[0.0, 2.0]]])
    found = losses.variance_l1(estimate, target, gray, weight).item()
    assert found == pytest.approx(0.24)


def test_variance_l1_does_not_tell_colors_on_either_side_of_the_gray():
    """As printed: what is as far from the lightness costs nothing."""
    gray = torch.tensor([[[0.5]]])
    assert losses.variance_l1(plane([0.3]), plane([0.7]), gray).item() == pytest.approx(0, abs=1e-6)


def test_inverse_frequency_by_hand():
    """Shares 1/2, 1/4, 1/4: weights 2, 4, 4, whose mean over pixels is 3."""
    found = losses.inverse_frequency(torch.tensor([0.5, 0.25, 0.25]))
    torch.testing.assert_close(found, torch.tensor([2 / 3, 4 / 3, 4 / 3]))
    even = losses.inverse_frequency(torch.tensor([0.5, 0.25, 0.25]), 0.0)
    torch.testing.assert_close(even, torch.ones(3))


def test_inverse_frequency_has_mean_one_and_a_limit():
    share = torch.tensor([0.7, 0.29989, 0.0001, 0.00001, 0.0])
    weight = losses.inverse_frequency(share)
    assert (share * weight).sum().item() == pytest.approx(1)
    assert weight[2] == weight[3] == weight[4]
    assert (weight[2] / weight[0]).item() == pytest.approx(700)


# --- what its text names --------------------------------------------------------------------------


@pytest.mark.parametrize("reading", [losses.total_variation, losses.total_variation_sum])
def test_total_variation_by_hand(reading):
    """Down |2 - 0| + |1 - 1|, across |1 - 0| + |1 - 2|: 4 over 4 pixels; of the estimate 0."""
    target, flat = plane([0.0, 1.0], [2.0, 1.0]), plane([0.3, 0.3], [0.3, 0.3])
    assert reading(flat, target).item() == pytest.approx(1)
    assert reading(target, flat).item() == pytest.approx(1)
    assert reading(target + 0.5, target).item() == pytest.approx(0, abs=1e-6)


def test_total_variation_is_compared_where_it_lies_or_by_its_sum():
    """Rows 0 1 1 and 0 0 1: one step of the same height, a pixel apart: 2 over 3 pixels, or 0."""
    target, estimate = plane([0.0, 1.0, 1.0]), plane([0.0, 0.0, 1.0])
    assert losses.total_variation(estimate, target).item() == pytest.approx(2 / 3)
    assert losses.total_variation_sum(estimate, target).item() == pytest.approx(0)


def test_sums_of_total_variation_are_compared_photo_by_photo():
    lively, flat = plane([0.0, 1.0]), plane([0.0, 0.0])
    one, other = torch.cat([lively, flat]), torch.cat([flat, lively])
    assert losses.total_variation_sum(one, other).item() == pytest.approx(0.5)


def test_soft_palette_by_hand():
    """A pixel on one center, at distance 1 of the other: shares 1 and exp(-1/2), scaled to 1."""
    centers = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    chroma = plane([[0.0, 0.0], [0.5, 0.0]])
    near = 1 / (1 + math.exp(-0.5))
    found = losses.soft_palette(chroma, centers, 1.0)
    torch.testing.assert_close(found, torch.tensor([[(near + 0.5) / 2, (1 - near + 0.5) / 2]]))


def test_soft_palettes_pass_gradients_where_colors_are_gray():
    chroma = torch.zeros(1, 2, 2, 2, requires_grad=True)
    centers = torch.tensor([[0.0, 0.0], [0.3, 0.0]])
    losses.soft_palette(chroma, centers, 0.1)[0, 1].backward()
    assert chroma.grad.isfinite().all()
    assert chroma.grad[..., 0].min() > 0


def test_palettewise_by_hand():
    estimate = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    target = torch.tensor([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    assert losses.palettewise(estimate, target).item() == pytest.approx((0.3 + 1.0) / 2)


def test_cross_entropy_by_hand():
    """Sigmoid 1/2 for a target of 1 costs log 2; for one of 1/4 log 2 less its entropy."""
    logits, target = torch.zeros(3), torch.tensor([1.0, 0.25, 0.5])
    entropy = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    expected = torch.tensor([math.log(2), math.log(2) - entropy, 0.0])
    torch.testing.assert_close(losses.cross_entropy(logits, target), expected)


def test_pixelwise_cross_entropy_sums_channels_and_weighs_pixels():
    logits, target = torch.zeros(1, 1, 2, 2), plane([[1.0, 0.0], [0.5, 0.5]])
    weight = torch.tensor([[[0.5, 7.0]]])
    assert losses.pixelwise_cross_entropy(logits, target).item() == pytest.approx(math.log(2))
    found = losses.pixelwise_cross_entropy(logits, target, weight).item()
    assert found == pytest.approx(math.log(2) / 2)


def test_palette_cross_entropy_sums_bins_and_averages_photos():
    logits, target = torch.zeros(2, 3), torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5]])
    found = losses.palette_cross_entropy(logits, target).item()
    assert found == pytest.approx(3 * math.log(2) / 2)


# --- Dahl -----------------------------------------------------------------------------------------


def test_blurred_euclidean_of_an_even_error_is_its_length():
    target = torch.zeros(2, 2, 8, 9)
    estimate = torch.tensor([0.3, -0.4])[:, None, None].expand(2, 2, 8, 9)
    assert losses.blurred_euclidean(estimate, target).item() == pytest.approx(0.5)


def test_blurred_euclidean_of_one_pixel_by_hand():
    """A non-negative error keeps its sum under a blur that sums to 1, so all scales agree."""
    estimate = torch.zeros(1, 2, 9, 9)
    estimate[0, 0, 4, 4] = 1
    found = losses.blurred_euclidean(estimate, torch.zeros_like(estimate)).item()
    assert found == pytest.approx(1 / 81)


def test_blurred_euclidean_forgives_what_blurring_hides():
    """+1 and -1 side by side in the middle of a row, worked out scale by scale.

    1 2 1 leaves 1 1 -1 -1 over 4, and 1 4 6 4 1 leaves 1 3 2 -2 -3 -1 over 16, down the column
    of one photo whose rows are all alike.
    """
    row = torch.tensor([0.0, 0, 0, 1, -1, 0, 0, 0])
    estimate = torch.stack([row.expand(5, 8), torch.zeros(5, 8)])[None]
    expected = (2 / 8 + 4 / 4 / 8 + 12 / 16 / 8) / 3
    found = losses.blurred_euclidean(estimate, torch.zeros_like(estimate)).item()
    assert found == pytest.approx(expected)


def test_blurred_euclidean_blurs_u_and_v_apart():
    """U and V errors that cancel in their sum still cost: sqrt 2 for +1 and -1 everywhere."""
    error = torch.tensor([1.0, -1.0])[None, :, None, None].expand(1, 2, 8, 8)
    found = losses.blurred_euclidean(error, torch.zeros_like(error)).item()
    assert found == pytest.approx(math.sqrt(2))


# --- all of them ----------------------------------------------------------------------------------


def test_the_truth_costs_nothing_and_its_gradient_is_finite():
    torch.manual_seed(0)
    target = torch.rand(2, 8, 8, 2)
    estimate = target.clone().requires_grad_()
    gray = torch.rand(2, 8, 8)
    centers = torch.rand(5, 2)
    palettes = [losses.soft_palette(x, centers, 0.1) for x in (estimate, target)]
    every = [
        losses.pixelwise_l1(estimate, target),
        losses.variance_l1(estimate, target, gray),
        losses.total_variation(estimate, target),
        losses.total_variation_sum(estimate, target),
        losses.palettewise(*palettes),
        losses.pixelwise_cross_entropy(estimate.logit(), target),
        losses.palette_cross_entropy(estimate[0, 0].logit(), target[0, 0]),
        losses.blurred_euclidean(estimate.permute(0, 3, 1, 2), target.permute(0, 3, 1, 2)),
    ]
    for loss in every:
        assert loss.item() == pytest.approx(0, abs=1e-6)
    torch.stack(every).sum().backward()
    assert estimate.grad.isfinite().all()
