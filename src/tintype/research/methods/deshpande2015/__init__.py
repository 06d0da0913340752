"""LEARCH (Deshpande, Rock & Forsyth 2015): boosted trees say which filters of the chroma give what.

    gray ─▶ texture, and what trees ask for ─▶ trees ─▶ A, b ─▶ conjugate gradients ─▶ c1, c2
      │         ▲ their chroma                                                          │
      └─▶ nine matched photos ─▶ estimated palette ─▶ histogram correction ◀────────────┘
                                   ▲ an edit                   └─▶ c1, c2 ─▶ joined to the luma

As the authors' code has it: the plane of c1 and c2; 15 numbers that splits ask for, and 217 that
leaves are linear in; 56 filters' responses t; the 12 x 56 matrix A with orthonormal rows, of which
the first two pick the chroma, and the cost of A t and b with e = 0.25; 8 trees of 10,000 pixels
each, 100 a leaf, with soft splits on random projections (15, at 250 places) and a parabolic line
search; conjugate gradients; and how a histogram is corrected: 121 x 121 bins, clusters of 0.3
matched, 9 steps on Bhattacharyya's distance and 5 times the objective.

Other than theirs:
- the gray is the luma, which is kept, not the mean of R, G and B
- training photos have a short side of 128 pixels, not 256 rows, and are seen in crops of 64: Leung
  and Malik's filters are half as large (those of the chroma cannot be, as the smallest is of 3 x 3
  pixels), and a tree sees 40 pixels of a crop, not 5,000
- tree k of 0..7 has 2**k leaves; theirs are shallow but for the last. 5 rounds are of a leaf
- the target is by default the mean palette of the matched photos, not that of all photos
- `tintype train` grows the trees before its first step, in `count_colors`; steps go on to learn
  how far the trees count, the only weights with a gradient

Chosen here, as no source at hand says it:
- photos are matched by their grays, 16 x 16, among 2,048 training crops, whose chroma is as small
- A begins as Gaussians and Laplacians. The filters depend on each other, so that the cost alone
  would lead to rows that are always 0. The absolute values of each filter sum to 1
- a leaf is a ridge regression (of strength 100), and a step of A down the cost's gradient; how far
  a tree counts, for A and for b, is searched on pixels that it was not grown on
- descriptors are brought to mean 0 and deviation 1; a split is as soft as 0.2
- a correction's details: 20 rounds of mean shift and of expectation and maximization, each cluster
  matched once at most by the least distance in all, a smoothed histogram, steps of 0.3 at most;
  palettes of 24 hues and 6 saturations

scikit-learn's trees have no soft splits, projections or linear leaves, so the trees are our own.
"""

import torch
from torch import Tensor

from tintype.bins import Bins
from tintype.color import hsv_to_rgb
from tintype.palette import Palette
from tintype.research.methods.deshpande2015.correction import correct
from tintype.research.methods.deshpande2015.features import to_chroma, to_rgb
from tintype.research.methods.deshpande2015.inference import Objective
from tintype.research.methods.deshpande2015.network import Config, Network
from tintype.research.methods.palettes import Palettes, expand_palette, offer_palettes

__all__ = [
    "Config",
    "Network",
    "colorize",
    "correct",
    "decode",
    "list_colors",
    "preview",
    "to_chroma",
    "to_rgb",
]


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1.

    palette: the target, over the network's bins; the estimated ones by default. Raises
    PaletteError for another method's.
    """
    encoded, estimate, _ = network.encode(gray)
    return decode(network, encoded, gray, expand_palette(palette, network.config.bins, estimate))


@torch.no_grad()
def decode(
    network: Network, encoded: list[Tensor], gray: Tensor, target: Palettes, *_: object
) -> Tensor:
    """What `colorize` gives, for an encoded gray photo and palettes.

    Tones, references and hints, which another method takes beside them, play no part.
    """
    colors = list_colors(network.config.bins).to(gray)
    painted = []
    whole = target.whole.round(decimals=5)  # the same for a palette that was only copied
    for chroma, rows, luma, shares in zip(*encoded, gray[:, 0], whole, strict=True):
        moved = correct(chroma[None], colors, shares, Objective(network.filters, rows))
        painted.append(to_rgb(moved[0].permute(1, 2, 0), luma))
    return torch.stack(painted).clamp(0, 1)


def list_colors(bins: Bins) -> Tensor:
    """c1 and c2 (count, 2) of the middles of bins of hue and saturation."""
    x, y = torch.from_numpy(bins.centers).unbind(1)
    hue = torch.atan2(y, x) / (2 * torch.pi) % 1
    return to_chroma(hsv_to_rgb(torch.stack([hue, torch.hypot(x, y), torch.ones_like(x)], 1)))


@torch.no_grad()
def preview(network: Network, rgb: Tensor, luma: Tensor) -> dict[str, Tensor]:
    """A photo (1, h, w, 3) and its luma (1, 1, h, w), colored as it would be used.

    Gives RGB (h, w, 3), 0..1, by name: automatic, towards red, towards blue, from its own palette.
    """
    encoded, estimate, _ = network.encode(luma)
    palettes = {"automatic": estimate} | offer_palettes(estimate, network.config.bins, rgb)
    return {name: decode(network, encoded, luma, p)[0] for name, p in palettes.items()}
