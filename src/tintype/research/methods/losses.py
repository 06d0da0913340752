"""Losses of the paper (Fenu & Bagwell 2016), of Dahl 2016 and of classes: functions, no state.

Planes are (batch, h, w, channels) with channels in about -1..1; the sums over the channels are
averaged over pixels and photos. A weight (batch, h, w) is the rarity of a pixel's true color.
Every loss is 0 where the estimate is the target.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

COMMON = 1e-3  # colors with a smaller share of all pixels count as having this one


def inverse_frequency(share: Tensor, power: float = 1.0) -> Tensor:
    """Weights inverse to how frequent colors are: the paper's w, section 3.

    share: (count,) of all pixels, sums to 1; shares below a thousandth count as a thousandth, so
        that no color seen twice outweighs all others
    power: of the frequency, 1 as in the paper; 0 weighs all pixels alike
    Returns (count,) weights whose mean over all pixels is 1.
    """
    weight = share.clamp(min=COMMON) ** -power
    return weight / (share * weight).sum()


def pixelwise_l1(estimate: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference of colors: the first sum of the paper's equation."""
    return _weigh((target - estimate).abs().sum(-1), weight)


def variance_l1(
    estimate: Tensor, target: Tensor, gray: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean of |(Y - X)^2 - (Y' - X)^2|: the second sum of the paper's equation, as printed.

    estimate, target: Y' and Y, (batch, h, w, channels)
    gray: X, (batch, h, w), 0..1
    The paper calls it the L1 loss of the color space's variance and leaves three things open.
    X is the lightness, Y a color: it is subtracted from every channel alike, as the equation
    says, although they measure different things. The leading minus would reward errors; it is
    dropped. The square is of each channel, so that the term is defined for raw hue as well.
    """
    x = gray[..., None]
    return _weigh(((target - x) ** 2 - (estimate - x) ** 2).abs().sum(-1), weight)


def total_variation(estimate: Tensor, target: Tensor) -> Tensor:
    """L1 of the differences between neighbors: named in the paper's introduction, not defined.

    Each pixel's differences to the right and to the lower neighbor are compared with the target's,
    so that edges of color must lie where the photo's do. A penalty on the variation itself would
    reward the dull photos that the paper is about. The mean is over pixels and photos.
    """
    error = target - estimate
    down, across = error.diff(dim=1).abs(), error.diff(dim=2).abs()
    return (down.sum() + across.sum()) / error[..., 0].numel()


def total_variation_sum(estimate: Tensor, target: Tensor) -> Tensor:
    """The other reading of `total_variation`: the difference of the sums, photo by photo.

    The total variation of a photo is the mean over pixels of the absolute differences to the
    right and the lower neighbor, wherever they lie.
    """

    def total(plane: Tensor) -> Tensor:
        down, across = plane.diff(dim=1).abs(), plane.diff(dim=2).abs()
        pixels = plane.shape[1] * plane.shape[2]
        return (down.sum((1, 2, 3)) + across.sum((1, 2, 3))) / pixels

    return (total(target) - total(estimate)).abs().mean()


def soft_palette(chroma: Tensor, centers: Tensor, width: float) -> Tensor:
    """A histogram that gradients go through: pixels shared among bins by a Gaussian.

    chroma: (batch, h, w, 2); centers: (count, 2) of the bins; width: the Gaussian's deviation
    Returns (batch, count) shares that sum to 1.
    """
    distance = (chroma.flatten(1, 2)[:, :, None] - centers).square().sum(-1)
    return (-distance / (2 * width**2)).softmax(2).mean(1)


def palettewise(estimate: Tensor, target: Tensor) -> Tensor:
    """Share of the pixels whose colors two palettes do not agree on, 0..1.

    estimate, target: (batch, count) palettes that sum to 1, one of the colored photo, one of the
        original. Named in the paper's introduction, not defined: the total variation distance.
    """
    return (estimate - target).abs().sum(1).mean() / 2


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Element by element cross entropy of sigmoids, less the target's own entropy.

    logits: any shape; target: the same shape, 0..1. The entropy is a constant to the network;
    without it 0 is perfect for targets between 0 and 1, too.
    """
    entropy: Tensor = torch.special.entr(target) + torch.special.entr(1 - target)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none") - entropy


def pixelwise_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """The paper's "initial supervisory input", section 3: cross entropy with the true colors.

    logits: (batch, h, w, channels) before the sigmoid; target: true channels, 0..1. Both channels
    are read as probabilities, as the palette network's shares are, because the network ends in
    the two sigmoids of Dahl's.
    """
    return _weigh(cross_entropy(logits, target).sum(-1), weight)


def palette_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """The palette network's loss: binary cross entropy of every bin, section 3, mean of photos.

    logits: (batch, count) before the sigmoid; target: (batch, count) shares of the true
    histogram, 0..1, read as the probability that a pixel has that color.
    """
    return cross_entropy(logits, target).sum(1).mean()


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the batch of the cross entropy of classes; 0 of photos whose class is not known.

    logits: (batch, classes); labels: (batch,) int64, -1 for none; a class that `logits` have no
    room for is not known either
    """
    known = (labels >= 0) & (labels < logits.shape[1])
    losses = F.cross_entropy(logits, labels.where(known, 0), reduction="none")
    return (losses * known).sum() / len(labels)


def average(plane: Tensor, side: int) -> Tensor:
    """Means (batch, h/side, w/side, channels) of side x side pixels."""
    return F.avg_pool2d(plane.permute(0, 3, 1, 2), side).permute(0, 2, 3, 1)


def blurred_euclidean(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean Euclidean distance of UV, plain and blurred over 3 and 5 pixels (Dahl 2016).

    estimate, target: (batch, 2, h, w). The Gaussians are binomial (1 2 1 and 1 4 6 4 1), each
    channel is blurred by itself, and borders are repeated.
    """
    error = estimate - target
    planes = [error, _blur(error, (1, 2, 1)), _blur(error, (1, 4, 6, 4, 1))]
    return torch.stack([torch.linalg.vector_norm(p, dim=1).mean() for p in planes]).mean()


def _blur(plane: Tensor, row: tuple[int, ...]) -> Tensor:
    kernel = torch.tensor(row, dtype=plane.dtype, device=plane.device) / sum(row)
    square = torch.outer(kernel, kernel).expand(plane.shape[1], 1, -1, -1)
    side = len(row) // 2
    padded = F.pad(plane, (side, side, side, side), mode="replicate")
    return F.conv2d(padded, square, groups=plane.shape[1])


def _weigh(loss: Tensor, weight: Tensor | None) -> Tensor:
    """loss, weight: (batch, h, w)"""
    return loss.mean() if weight is None else (loss * weight).mean()
