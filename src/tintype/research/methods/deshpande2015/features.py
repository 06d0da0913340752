"""What is measured of gray photos, pixel by pixel, and of their colors: no weights but the filters.

Places are three arrays (many,): which photo of the batch, which row, which column.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from tintype import color

Places = tuple[Tensor, Tensor, Tensor]

SHRUNK = (2, 4, 8, 16, 32)  # pixels of which one is made, for the gray around
SPLIT = 4 + len(SHRUNK) + 4 + 2  # numbers of a pixel that trees ask for
PATCH = 5  # pixels, side of the gray patch
SCALES = tuple(math.sqrt(2) ** i for i in range(-1, 3))  # deviations of Leung and Malik's, pixels
TEXTURE = 25  # pixels, side of these
REGRESSED = PATCH**2 + 4 * 48  # numbers of a pixel that leaves are linear in
HALF_WIDTHS = (1, 3, 5)  # of reconstruction filters, pixels
BARS = (0, 60, 120)  # degrees
COMPONENTS = {1: 6, 3: 6}  # of chroma's patches, by half-width
WIDEST = 2 * HALF_WIDTHS[-1] + 1
FILTERS = sum(COMPONENTS.values()) + len(HALF_WIDTHS) * (len(BARS) + 2)  # of each plane
TINY = 1e-4


def to_chroma(rgb: Tensor) -> Tensor:
    """c1 and c2 (..., 2), -1.5..3 and -3..3, of RGB (..., 3), 0..1."""
    red, green, blue = rgb.unbind(-1)
    gray = rgb.mean(-1) + TINY
    return torch.stack([(blue - (red + green) / 2) / gray, (red - green) / gray], -1)


def to_rgb(chroma: Tensor, luma: Tensor) -> Tensor:
    """RGB (..., 3) of c1 and c2 (..., 2) that has the luma (...), 0..1; above 1 where none has.

    Relative to the mean of R, G and B, which is not the luma, the channels are those of the
    method's way back, whose .33 and .66 are taken for thirds.
    """
    c1, c2 = chroma.unbind(-1)
    ratios = torch.stack([1 - c1 / 3 + c2 / 2, 1 - c1 / 3 - c2 / 2, 1 + 2 * c1 / 3], -1)
    ratios = ratios.clamp(min=0)  # they sum to 3 or more
    rgb: Tensor = luma[..., None] * ratios / color.luma(ratios)[..., None]
    return rgb


def list_places(batch: int, rows: Tensor, columns: Tensor) -> Places:
    """The places where these rows and columns meet, photo after photo."""
    photos = torch.arange(batch, device=rows.device)
    i, y, x = torch.meshgrid(photos, rows, columns, indexing="ij")
    return i.flatten(), y.flatten(), x.flatten()


def measure_split(gray: Tensor, mean: Tensor, deviation: Tensor, places: Places) -> Tensor:
    """What trees ask for, (many, SPLIT), of gray photos (batch, 1, h, w), 0..1.

    Gray, its differences and their length, gray shrunk and enlarged, the mean and the deviation,
    (batch, 2, h, w) each, of what matched photos have there, and where it is, 0..1.
    """
    high, wide = gray.shape[-2:]
    padded = F.pad(gray, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    planes = [gray, across, down, torch.hypot(across, down)]
    for size in SHRUNK:
        small = F.adaptive_avg_pool2d(gray, (max(1, high // size), max(1, wide // size)))
        planes.append(F.interpolate(small, (high, wide), mode="bilinear"))
    i, y, x = places
    picked = torch.cat([*planes, mean, deviation], 1)[i, :, y, x]
    return torch.cat([picked, torch.stack([(x + 0.5) / wide, (y + 0.5) / high], 1)], 1)


def measure_texture(gray: Tensor, filters: Tensor, places: Places) -> Tensor:
    """What leaves are linear in, (many, REGRESSED), of gray photos (batch, 1, h, w), 0..1.

    The gray patch; then responses of `make_texture_filters`, their differences, and the lengths.
    """
    side = math.isqrt(filters.shape[1])
    patches = cut_patches(gray, side, places)[:, 0]
    inner = slice((side - PATCH) // 2, (side + PATCH) // 2)
    response, across, down = (patches.flatten(1) @ filters.T).chunk(3, 1)
    parts = [patches[:, inner, inner].flatten(1), response, across, down]
    return torch.cat([*parts, torch.hypot(across, down)], 1)


def cut_patches(planes: Tensor, side: int, places: Places) -> Tensor:
    """Squares (many, channels, side, side) about places of planes; borders are repeated."""
    padded = F.pad(planes, (side // 2,) * 4, mode="replicate")
    i, y, x = places
    return padded.unfold(2, side, 1).unfold(3, side, 1)[i, :, y, x]


def make_texture_filters() -> Tensor:
    """The filters of Leung & Malik 2001 and their differences across and down, (3 * 48, side**2).

    At three scales first and second derivatives of long Gaussians in six directions; at four and
    at three times these Laplacians of Gaussians; at four Gaussians. Absolute values sum to 1.
    """
    y, x = _make_grid(TEXTURE // 2)
    filters = []
    for scale in SCALES[:3]:
        for turn in range(6):
            along, across = _turn(y, x, math.pi * turn / 6)
            bell = torch.exp(-(along**2 / 9 + across**2) / (2 * scale**2))
            filters += [bell * across, bell * (across**2 / scale**2 - 1)]
    filters += [_make_laplacian(y, x, scale * wide) for wide in (1, 3) for scale in SCALES]
    filters = [one - one.mean() for one in filters]
    filters += [_make_gaussian(y, x, scale) for scale in SCALES]
    plain = F.pad(torch.stack([one / one.abs().sum() for one in filters]), (1, 1, 1, 1))
    across, down = ((plain.roll(1, d) - plain.roll(-1, d)) / 2 for d in (2, 1))
    return torch.cat([plain, across, down]).flatten(1)


def make_fixed_filters() -> Tensor:
    """Bars, a Laplacian of a Gaussian and a Gaussian of each half-width, (15, WIDEST, WIDEST)."""
    filters = []
    for half in HALF_WIDTHS:
        y, x = _make_grid(half)
        own = []
        for degrees in BARS:
            _, across = _turn(y, x, math.radians(degrees))
            bell = _make_gaussian(y, x, half / 2)
            own.append(bell * (4 * across**2 / half**2 - 1))
        own.append(_make_laplacian(y, x, half / 2))
        own = [one - one.mean() for one in own] + [_make_gaussian(y, x, half / 2)]
        filters += [F.pad(one, (HALF_WIDTHS[-1] - half,) * 4) for one in own]
    return normalize(torch.stack(filters))


def find_components(planes: Tensor, half: int, count: int, places: Places) -> Tensor:
    """Principal components of a plane's (batch, 1, h, w) squares: (count, WIDEST, WIDEST)."""
    side = 2 * half + 1
    patches = cut_patches(planes, side, places).flatten(1)
    _, vectors = torch.linalg.eigh(torch.cov(patches.T))
    largest = vectors.T.flip(0)[:count].reshape(-1, side, side)
    return normalize(F.pad(largest, (HALF_WIDTHS[-1] - half,) * 4))


def normalize(filters: Tensor) -> Tensor:
    """Filters (many, h, w) whose absolute values sum to 1, so that responses are as chroma is."""
    return filters / filters.abs().sum((1, 2), keepdim=True)


def respond(chroma: Tensor, filters: Tensor) -> Tensor:
    """Chroma (batch, 2, h, w), and then the filters' responses: (batch, 2 + 2 * FILTERS, h, w).

    filters: (2 * FILTERS, 1, WIDEST, WIDEST), of c1, then of c2
    """
    padded = F.pad(chroma, (HALF_WIDTHS[-1],) * 4, mode="replicate")
    return torch.cat([chroma, F.conv2d(padded, filters, groups=2)], 1)


def _make_grid(half: int) -> tuple[Tensor, Tensor]:
    steps = torch.arange(-half, half + 1, dtype=torch.float32)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return y, x


def _turn(y: Tensor, x: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    return x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)


def _make_gaussian(y: Tensor, x: Tensor, scale: float) -> Tensor:
    return torch.exp(-(x**2 + y**2) / (2 * scale**2))


def _make_laplacian(y: Tensor, x: Tensor, scale: float) -> Tensor:
    return ((x**2 + y**2) / scale**2 - 2) * _make_gaussian(y, x, scale)
