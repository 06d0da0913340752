"""Image Colorization using Residual Networks (Fenu & Bagwell 2016): the paper.

    gray ─▶ VGG-16, pinned ─▶ conv1_2 ... conv5_3 ─▶ palette network ─▶ estimated palette
                                 │          │                               │  ◀── an edit
                                 ▼          ▼                               ▼
     hue, saturation ◀─ 3 x 3 ◀──+◀─ ... ◀──┘ residual encoder  ◀── added before the batch norms

The residual encoder is Dahl's with conv5_3 below it. What the paper leaves open is chosen: most of
it is named in `Config`, whose other values are the ablations, and all of it on docs/paper.md.
"""

import copy
from dataclasses import replace

import torch
from torch import Tensor

from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.research.methods.fenu2016.config import Config
from tintype.research.methods.fenu2016.network import Level, Network, PaletteNetwork
from tintype.research.methods.fenu2016.planes import (
    paint,
    saturations,
    to_gray,
    to_unit,
    turn_hues,
)
from tintype.research.methods.palettes import Palettes, expand_palette, offer_palettes

__all__ = [
    "Config",
    "Level",
    "Network",
    "PaletteNetwork",
    "colorize",
    "decode",
    "join_luma",
    "paint",
    "preview",
    "saturations",
    "to_gray",
    "to_unit",
    "turn_hues",
]


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1, sides of 16 or more.

    palette: the target, over the network's bins; the estimated ones by default. Raises
    PaletteError for another method's, or where the network was trained to take none.
    """
    if palette is not None and network.config.palette == "none":
        raise PaletteError("expected no palette: this network was trained without one")
    taps, estimate, _ = network.encode(gray)
    return decode(network, taps, gray, expand_palette(palette, network.config.bins, estimate))


def decode(
    network: Network, taps: list[Tensor], gray: Tensor, target: Palettes, *_: object
) -> Tensor:
    """What `colorize` gives, for an encoded gray photo and palettes.

    Tones, references and hints, which another method takes beside them, play no part.
    """
    unit = network.decode(taps, target.whole)[-1].sigmoid()
    return paint(unit, gray, network.config).clamp(0, 1)


def join_luma(network: Network) -> Network:
    """The same network, weights and all, whose colors join a luma instead of HSV's V.

    A luma taken for V would be painted too dark, and lose its saturation when it is joined.
    """
    other = copy.copy(network)
    if network.config.gray == "value":
        other.config = replace(network.config, gray="luma")
    return other


@torch.no_grad()
def preview(network: Network, rgb: Tensor, luma: Tensor) -> dict[str, Tensor]:
    """A photo (1, h, w, 3) and its luma (1, 1, h, w), colored as it would be used.

    Gives RGB (h, w, 3), 0..1, by name: automatic, towards red, towards blue, from its own palette,
    all joined to the luma; and automatic from the gray that the network learned, which is kept.
    """
    used = join_luma(network)
    taps, estimate, _ = network.encode(luma)
    palettes = {"automatic": estimate}
    if network.config.palette != "none":
        palettes |= offer_palettes(estimate, network.config.bins, rgb)
    painted = {name: decode(used, taps, luma, p) for name, p in palettes.items()}
    painted["automatic, own gray"] = colorize(network, to_gray(rgb, network.config))
    return {name: photo[0] for name, photo in painted.items()}
