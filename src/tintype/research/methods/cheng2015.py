"""Deep Colorization (Cheng, Yang & Sheng 2015): a small network over descriptors of each pixel.

    gray ─▶ 7 x 7 gray ─────────────────────────┐
      ├───▶ DAISY ──────────────────────────────┼─▶ 114 numbers ─▶ 57 ─▶ 57 ─▶ 57 ─▶ U, V
      └───▶ VGG-16 ─▶ what is seen, smoothed ───┘                                     │
                                          photo ◀── joint bilateral filter by the gray┘

As readers of the paper agree: YUV, the 114 inputs (49, 32 and 33), layers 57 wide, least squares,
the two filters that the gray leads. Other than theirs: what is seen, which was the probabilities of
33 classes of SIFT Flow by a network that labels scenes, is how near each place's conv5_3 is to the
means of 33 clusters of training photos (a softmax of 20 times the cosines; 512 crops clustered);
and there is one network, where the journal's version has one for each cluster of photos.

Chosen here, as no source at hand says it: three hidden layers with ReLU; U and V at JPEG's scale
(Cb and Cr); inputs brought to mean 0 and deviation 1; DAISY's histograms with a sum of 1 in all;
the filters' widths, and that the first is joint bilateral, too; a last layer that begins faint; the
optimizer of all methods here.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import rgb_to_ycbcr, ycbcr_to_rgb
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators
from tintype.research.methods import vgg16
from tintype.research.methods.dahl2016 import FAINT

PATCH = 7  # pixels, side of the gray patch
RADIUS, RING, ORIENTATIONS = 7, 3, 8  # of DAISY: pixels, histograms around the middle's, their bins
WIDTH, LAYERS = 57, 3  # of the network
SEEN = 33  # clusters of what is seen
SHARPNESS = 20.0  # of the softmax of cosines that tells which
CLUSTERED = 512  # crops whose features are clustered
ROUNDS = 20
INPUTS = PATCH**2 + (RING + 1) * ORIENTATIONS + SEEN
SMOOTHING = (2, 3)  # of what is seen: offsets to each side, pixels between two of them
FINISHING = (5, 1)  # of the chroma
CONTRAST = 0.1  # deviation of the grays that the filters take for one thing's


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    vgg: str = ""  # a file of VGG-16's weights


class Network(nn.Module):
    """The descriptors, and the layers that read colors from those of one pixel."""

    centers: Tensor  # (SEEN, width of conv5_3) of length 1
    mean: Tensor  # (INPUTS,) of descriptors
    deviation: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.vgg = vgg16.load_pinned(config.vgg)
        self.register_buffer("centers", torch.zeros(SEEN, self.vgg.widths[4]))
        self.register_buffer("mean", torch.zeros(INPUTS))
        self.register_buffer("deviation", torch.ones(INPUTS))
        layers: list[nn.Module] = []
        inputs = INPUTS
        for _ in range(LAYERS):
            layers += [nn.Conv2d(inputs, WIDTH, 1), nn.ReLU()]
            inputs = WIDTH
        self.layers = nn.Sequential(*layers)
        self.color = nn.Conv2d(WIDTH, 2, 1)
        with torch.no_grad():
            for tensor in self.color.parameters():
                tensor.mul_(FAINT)  # nearly gray at first, as the other methods

    def describe(self, gray: Tensor) -> Tensor:
        """Descriptors (batch, INPUTS, h, w) of gray photos (batch, 1, h, w), 0..1, from 16 x 16."""
        side = PATCH // 2
        patches = F.unfold(F.pad(gray, (side,) * 4, mode="replicate"), PATCH)
        seen = F.interpolate(self._tell(gray), gray.shape[-2:], mode="bilinear")
        seen = filter_jointly(seen, gray, *SMOOTHING)
        patches = patches.reshape(len(gray), -1, *gray.shape[-2:])
        return torch.cat([patches, describe_daisy(gray), seen], 1)

    def _tell(self, gray: Tensor) -> Tensor:
        """Probabilities (batch, SEEN, h/16, w/16) of what is seen at each place."""
        cosines = torch.einsum("bchw,sc->bshw", self._look(gray), self.centers)
        return (SHARPNESS * cosines.float()).softmax(1)

    def _look(self, gray: Tensor) -> Tensor:
        return F.normalize(self.vgg(gray)[-1].float(), dim=1)

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Cluster what is seen on RGB crops, and measure how large descriptors are."""
        rgb = torch.cat(batches[: 1 + CLUSTERED // len(batches[0])])[:CLUSTERED]
        grays = rgb_to_ycbcr(rgb)[..., :1].permute(0, 3, 1, 2).split(64)
        seen = [self._look(gray).permute(0, 2, 3, 1).flatten(0, 2) for gray in grays]
        self.centers.copy_(cluster(torch.cat(seen), SEEN))
        described = self.describe(grays[0])
        self.mean.copy_(described.mean((0, 2, 3)))
        self.deviation.copy_(described.std((0, 2, 3)).clamp(min=1e-4))

    def paint(self, gray: Tensor) -> Tensor:
        """U and V (batch, 2, h, w), about -0.5..0.5, of gray photos (batch, 1, h, w), 0..1."""
        with torch.no_grad():
            described = self.describe(gray)
            described -= self.mean[:, None, None]
            described /= self.deviation[:, None, None]
        uv: Tensor = self.color(self.layers(described))
        return uv.float()

    def forward(
        self, rgb: Tensor, _labels: Tensor, _generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1: the mean squared error of U, V."""
        ycbcr = rgb_to_ycbcr(rgb).permute(0, 3, 1, 2)
        loss = (self.paint(ycbcr[:, :1]) - ycbcr[:, 1:]).square().sum(1).mean()
        return loss, {"pixels": loss.detach()}


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1, sides of 16 or more.

    Raises PaletteError for any palette, because the method takes none.
    """
    if palette is not None:
        raise PaletteError("expected no palette: cheng2015 cannot be steered")
    uv = filter_jointly(network.paint(gray), gray, *FINISHING)
    rgb: Tensor = ycbcr_to_rgb(torch.cat([gray, uv], 1).permute(0, 2, 3, 1)).clamp(0, 1)
    return rgb


def describe_daisy(gray: Tensor) -> Tensor:
    """DAISY (Tola et al. 2010) at every pixel: (batch, 32, h, w), sums of 1, of (batch, 1, h, w).

    Histograms of the gradients' orientations, of a Gaussian about the pixel and of the same about
    three places in a ring around it; beyond the border the last ones are repeated.
    """
    with torch.autocast(gray.device.type, enabled=False):  # blurring is a convolution, too
        return _describe_daisy(gray)


def _describe_daisy(gray: Tensor) -> Tensor:
    across = F.pad(gray.diff(dim=3), (0, 1))
    down = F.pad(gray.diff(dim=2), (0, 0, 0, 1))
    angles = 2 * math.pi * torch.arange(ORIENTATIONS, device=gray.device) / ORIENTATIONS - math.pi
    turned = torch.atan2(down, across) - angles[:, None, None]
    strength = torch.hypot(across, down)
    smooth = _blur((ORIENTATIONS / math.pi * turned.cos()).exp() * strength, RADIUS / 2)
    padded = F.pad(smooth, (RADIUS,) * 4, mode="replicate")
    high, wide = gray.shape[-2:]
    places = [(0, 0)]
    for i in range(RING):
        angle = 2 * math.pi * i / RING
        places.append((round(RADIUS * math.sin(angle)), round(RADIUS * math.cos(angle))))
    parts = [
        padded[..., RADIUS + y : RADIUS + y + high, RADIUS + x : RADIUS + x + wide]
        for y, x in places
    ]
    whole = torch.cat(parts, 1) + 1e-10
    return whole / whole.sum(1, keepdim=True)


def _blur(planes: Tensor, sigma: float) -> Tensor:
    """Planes (batch, channels, h, w) after a Gaussian; borders are repeated."""
    reach = round(4 * sigma)
    offsets = torch.arange(-reach, reach + 1, device=planes.device, dtype=planes.dtype)
    row = (-(offsets**2) / (2 * sigma**2)).exp()
    kernel = (row / row.sum()).expand(planes.shape[1], 1, 1, -1)
    for weight, pad in ((kernel, (reach, reach, 0, 0)), (kernel.mT, (0, 0, reach, reach))):
        planes = F.conv2d(F.pad(planes, pad, mode="replicate"), weight, groups=planes.shape[1])
    return planes


def filter_jointly(planes: Tensor, gray: Tensor, reach: int, step: int) -> Tensor:
    """Joint bilateral filter: means (batch, channels, h, w) over pixels that are near and as gray.

    gray: (batch, 1, h, w), 0..1; reach: offsets to each side, `step` pixels apart. Nearness is a
    Gaussian whose deviation is half of the reach.
    """
    pad, (high, wide) = reach * step, gray.shape[-2:]
    wider = F.pad(torch.cat([gray, planes], 1), (pad,) * 4, mode="replicate")
    total, weights = torch.zeros_like(planes), torch.zeros_like(gray)
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            top, left = pad + y * step, pad + x * step
            other = wider[..., top : top + high, left : left + wide]
            near = math.exp(-(y**2 + x**2) / (2 * (reach / 2) ** 2))
            weight = near * (-((other[:, :1] - gray) ** 2) / (2 * CONTRAST**2)).exp()
            total += weight * other[:, 1:]
            weights += weight
    return total / weights


def cluster(points: Tensor, count: int) -> Tensor:
    """k-means by cosines of points (many, channels) of length 1: (count, channels) of length 1."""
    first = torch.linspace(0, len(points) - 1, count, device=points.device).long()
    means = points[first]
    for _ in range(ROUNDS):
        members = F.one_hot((points @ means.T).argmax(1), count).float()
        sums = members.T @ points
        filled = (members.sum(0) > 0)[:, None]
        means = torch.where(filled, F.normalize(sums, dim=1), means)
    return means
