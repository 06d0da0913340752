"""Image Colorization using Residual Networks (Fenu & Bagwell 2016): the paper.

    gray ─▶ VGG-16, pinned ─▶ conv1_2 ... conv5_3 ─▶ palette network ─▶ estimated palette
                                 │          │                               │  ◀── an edit
                                 ▼          ▼                               ▼
     hue, saturation ◀─ 3 x 3 ◀──+◀─ ... ◀──┘ residual encoder  ◀── added before the batch norms

The residual encoder is Dahl's with conv5_3 below it. What the paper leaves open is decided here
and named in `Config`, whose other values are the ablations.
"""

import copy
import math
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.bins import Bins
from tintype.color import hsv_to_rgb, lab_to_rgb, luma, rgb_to_hsv, rgb_to_lab
from tintype.errors import DataError, PaletteError
from tintype.palette import Palette
from tintype.research.data.rng import Generators, uniform
from tintype.research.methods import losses, vgg16
from tintype.research.methods.dahl2016 import Convolution
from tintype.research.methods.palettes import Palettes, expand_palette, measure_palettes

LAB_SPAN = 110.0  # sRGB's a and b lie between minus this and this
CHOICES = {
    "space": ("vector", "raw", "lab"),
    "gray": ("value", "luma"),
    "palette": ("before", "after", "none"),
}


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again, and how it is trained."""

    vgg: str = ""  # a file of VGG-16's weights
    space: str = "vector"  # S (cos H, sin H); raw: H and S as they are; lab: a and b
    gray: str = "value"  # HSV's V, which is kept; luma: that is kept instead
    hues: int = 12  # of the palette's bins
    saturations: tuple[float, ...] = (0.15, 0.35, 0.6, 0.9)  # of the palette's bins
    palette: str = "before"  # where the palette enters: before or after the batch norms, or none
    conv5: bool = True  # the additional layer of VGG-16
    carried: bool = True  # low-resolution colors are carried to the output
    connected: int = 256  # width of the palette network's fully connected layer
    true_palettes: float = 0.5  # share of photos that are trained with their own palette
    first_steps: int = 500  # trained with the pixelwise cross entropy alone
    rebalance: float = 0.25  # pixels weigh 1 / frequency of their colors to this power; 0: alike
    l1: float = 1.0
    alpha: float = 0.3  # of the variance loss
    variation: float = 0.0  # of the total variation loss
    palettewise: float = 0.0
    palette_loss: float = 0.1  # of the palette network

    @property
    def bins(self) -> Bins:
        """The bins of palettes: a histogram of hue and saturation."""
        return Bins(self.hues, tuple(self.saturations), "hsv")

    @property
    def stages(self) -> int:
        """How many stages of VGG-16 are used."""
        return 5 if self.conv5 else 4


class PaletteNetwork(nn.Module):
    """The deepest features -> a fully connected layer, a linear classification layer.

    It has no photo-sized output, so the features are first averaged to 2 x 2.
    """

    def __init__(self, inputs: int, config: Config) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.connected = nn.Linear(4 * inputs, config.connected)
        self.classify = nn.Linear(config.connected, config.bins.count)
        nn.init.constant_(self.classify.bias, -math.log(config.bins.count))  # even shares

    def forward(self, tap: Tensor) -> Tensor:
        """tap: (batch, inputs, h, w). Returns logits (batch, count), one sigmoid for each bin."""
        return self.logits(self.pool(tap))

    def pool(self, tap: Tensor) -> Tensor:
        """(batch, 4 * inputs) what the layers see of a tap (batch, inputs, h, w)."""
        return F.adaptive_avg_pool2d(self.norm(tap), 2).flatten(1)

    def logits(self, pooled: Tensor) -> Tensor:
        """(batch, count) logits of what `pool` gives."""
        logits: Tensor = self.classify(F.relu(self.connected(pooled)))
        return logits.float()


class Level(nn.Module):
    """A step of the residual encoder: what is deeper, VGG's features and the palette, added."""

    def __init__(self, inputs: int, outputs: int, config: Config, side: int) -> None:
        super().__init__()
        self.before = config.palette == "before"
        self.palette = nn.Linear(config.bins.count, inputs) if config.palette != "none" else None
        self.norm = nn.BatchNorm2d(inputs)
        self.step = Convolution(inputs, outputs, side, nn.ReLU())

    def forward(self, deeper: Tensor | None, tap: Tensor, palette: Tensor) -> Tensor:
        """deeper: (batch, inputs, h/2, w/2) or None; tap: (batch, inputs, h, w)."""
        added = self.palette(palette.sqrt())[:, :, None, None] if self.palette is not None else 0.0
        x = self.norm(tap + added) if self.before else self.norm(tap) + added
        x = x if deeper is None else x + upsample(deeper, tap)
        out: Tensor = self.step(x)
        return out


class Network(nn.Module):
    """The palette network and the residual encoder, over one pinned VGG-16."""

    rarity: Tensor  # (count,) weight of a pixel of each color
    scales: Tensor  # (stages,) root mean square of VGG-16's features
    steps: Tensor  # () how many were trained

    def __init__(self, config: Config) -> None:
        super().__init__()
        for name, known in CHOICES.items():
            if asdict(config)[name] not in known:
                raise DataError(f"{name}: expected {' or '.join(known)}")
        self.config = config
        self.vgg = vgg16.load_pinned(config.vgg)
        widths = self.vgg.widths[: config.stages]
        inward = (*reversed(widths), 3)
        outward = (*inward[1:], 3)
        self.palette = PaletteNetwork(inward[0], config)
        self.levels = nn.ModuleList(
            Level(i, o, config, side=1 if n < config.stages - 3 else 3)
            for n, (i, o) in enumerate(zip(inward, outward, strict=True))
        )
        low = outward[:-2] if config.carried else ()
        self.carried = nn.ModuleList(nn.Conv2d(width, 2, 1) for width in low)
        self.color = Convolution(3, 2, 3, nn.Identity())
        self.register_buffer("rarity", torch.ones(config.bins.count))
        self.register_buffer("scales", torch.ones(config.stages))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def extract(self, gray: Tensor) -> list[Tensor]:
        """VGG-16's features, the deepest first, and the gray in three channels.

        The published weights give features in the hundreds, beside which an added palette would
        be nothing, so they are brought to a root mean square of 1. The batch norms undo that.
        """
        taps = self.vgg(gray, self.config.stages)
        scaled = [tap / scale for tap, scale in zip(taps, self.scales, strict=True)]
        return [*reversed(scaled), gray.expand(-1, 3, -1, -1)]

    def encode(self, gray: Tensor) -> tuple[list[Tensor], Palettes, Palettes]:
        """(batch, 1, h, w) gray, 0..1, sides from 16 -> features, estimated palettes twice.

        The second ones stand for the reference of `tintype`: nothing is compared with it here.
        """
        taps = self.extract(gray)
        estimate = Palettes.of_shares(to_shares(self.palette(taps[0])))
        return taps, estimate, estimate

    def pool(self, gray: Tensor) -> Tensor:
        """What the palette network's layers see of gray (batch, 1, h, w): (batch, inputs)."""
        return self.palette.pool(self.extract(gray)[0])

    def estimate_palettes(self, pooled: Tensor) -> Tensor:
        """The palettes (batch, count) that `encode` gives, of what `pool` gives."""
        return to_shares(self.palette.logits(pooled))

    def palette_loss(self, pooled: Tensor, true: Tensor) -> Tensor:
        """The palette network's loss: binary cross entropy of every bin of palettes."""
        return losses.palette_cross_entropy(self.palette.logits(pooled), true)

    def decode(self, taps: list[Tensor], palette: Tensor) -> Tensor:
        """Features and palettes (batch, count) -> two planes of color (batch, h, w, 2) as logits.

        Each low level estimates colors by itself; they are enlarged and added to the output.
        """
        x: Tensor | None = None
        carried: Tensor | None = None
        for i, (tap, level) in enumerate(zip(taps, self.levels, strict=True)):
            x = level(x, tap, palette)
            if i < len(self.carried):
                colors = self.carried[i](x)
                carried = colors if carried is None else colors + upsample(carried, colors)
        logits: Tensor = self.color(x)
        if carried is not None:
            logits = logits + upsample(carried, logits)
        return logits.float().permute(0, 2, 3, 1)

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Set the rarity of colors, from every 16th pixel of RGB crops, and VGG-16's scales."""
        bins = self.config.bins
        chroma = [bins.chroma(rgb[:, ::4, ::4]) for rgb in batches]
        palettes = [measure_palettes(*bins.encode(plane), bins.count) for plane in chroma]
        share = torch.cat(palettes).mean(0)
        self.rarity.copy_(losses.inverse_frequency(share, self.config.rebalance))
        taps = self.vgg(to_gray(batches[0][:64], self.config), self.config.stages)
        self.scales.copy_(torch.stack([tap.square().mean().sqrt() for tap in taps]).clamp(min=1e-6))

    def forward(
        self, rgb: Tensor, _labels: Tensor, generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1, and its parts.

        At first the pixelwise cross entropy, then the other losses as `Config` weighs them; the
        palette network is trained all along.
        """
        config, bins = self.config, self.config.bins
        with torch.autocast(rgb.device.type, enabled=False):
            gray = to_gray(rgb, config)
            index, share = bins.encode(bins.chroma(rgb))
            true = measure_palettes(index, share, bins.count)
            target = to_unit(rgb, config)
            weight = (share * self.rarity[index]).sum(-1)
        taps = self.extract(gray)
        guess = self.palette(taps[0])
        own = uniform(generators, len(rgb), 1).to(rgb.device) < config.true_palettes
        fed = torch.where(own, true, to_shares(guess).detach())
        logits = self.decode(taps, fed)
        with torch.autocast(rgb.device.type, enabled=False):
            parts = self._parts(logits, target, gray, weight)
            parts["palette"] = losses.palette_cross_entropy(guess, true)
        if self.steps < config.first_steps:
            loss = parts["cross_entropy"]
        else:
            loss = config.l1 * parts["l1"] + config.alpha * parts["variance"]
            loss = loss + config.variation * parts["variation"]
            loss = loss + config.palettewise * parts["palettewise"]
        if self.training:
            self.steps += 1
        return loss + config.palette_loss * parts["palette"], {
            name: part.detach() for name, part in parts.items()
        }

    def _parts(
        self, logits: Tensor, target: Tensor, gray: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """The losses of what is painted, unweighted.

        logits, target: (batch, h, w, 2); gray: (batch, 1, h, w); weight: (batch, h, w)
        """
        config, unit = self.config, logits.sigmoid()
        colors, truth = (unit, target) if config.space == "raw" else (2 * unit - 1, 2 * target - 1)
        centers = torch.from_numpy(config.bins.centers).to(unit.device)
        painted, true = (
            losses.soft_palette(losses.average(saturations(u, gray, config), 4), centers, 0.1)
            for u in (unit, target)
        )
        return {
            "cross_entropy": losses.pixelwise_cross_entropy(logits, target, weight),
            "l1": losses.pixelwise_l1(colors, truth, weight),
            "variance": losses.variance_l1(colors, truth, gray[:, 0], weight),
            "variation": losses.total_variation(colors, truth),
            "palettewise": losses.palettewise(painted, true),
        }


def to_gray(rgb: Tensor, config: Config) -> Tensor:
    """The gray photo (batch, 1, h, w), 0..1, that is colored in training.

    rgb: (batch, h, w, 3), 0..1. For Lab it is the gray that has the photo's lightness.
    """
    gray: Tensor = luma(rgb) if config.gray == "luma" else rgb.amax(-1)
    if config.space == "lab":
        gray = lab_to_rgb(rgb_to_lab(rgb) * rgb.new_tensor([1, 0, 0]))[..., 0]
    return gray[:, None]


def to_unit(rgb: Tensor, config: Config) -> Tensor:
    """The two planes of color that the network should give for RGB: (batch, h, w, 2), 0..1."""
    unit: Tensor = (config.bins.chroma(rgb) + 1) / 2
    if config.space == "raw":
        unit = rgb_to_hsv(rgb)[..., :2]
    elif config.space == "lab":
        unit = rgb_to_lab(rgb)[..., 1:] / (2 * LAB_SPAN) + 0.5
    return unit


def saturations(unit: Tensor, gray: Tensor, config: Config) -> Tensor:
    """S (cos H, sin H), (batch, h, w, 2), of what the network gives, (batch, h, w, 2), 0..1."""
    plane: Tensor = 2 * unit - 1
    if config.space == "raw":
        angle = 2 * math.pi * unit[..., :1]
        plane = unit[..., 1:] * torch.cat([angle.cos(), angle.sin()], -1)
    elif config.space == "lab":
        plane = config.bins.chroma(paint(unit, gray, config))
    return plane


def paint(unit: Tensor, gray: Tensor, config: Config) -> Tensor:
    """RGB (batch, h, w, 3) of what the network gives; the gray is its V, its luma or its L.

    unit: (batch, h, w, 2), 0..1; gray: (batch, 1, h, w), 0..1
    """
    value = gray[:, 0, :, :, None]
    if config.space == "lab":
        light = rgb_to_lab(value.expand(-1, -1, -1, 3))[..., :1]
        rgb: Tensor = lab_to_rgb(torch.cat([light, (2 * unit - 1) * LAB_SPAN], -1))
        return rgb
    x, y = saturations(unit, gray, config).chunk(2, -1)
    hue, saturation = torch.atan2(y, x) / (2 * math.pi), torch.hypot(x, y).clamp(max=1)
    pure: Tensor = hsv_to_rgb(torch.cat([hue, saturation, torch.ones_like(hue)], -1))
    if config.gray == "value":
        return pure * value
    scaled = pure * value / luma(pure)[..., None]
    over = scaled.amax(-1, keepdim=True) - value  # towards white where it leaves the RGB cube
    kept: Tensor = value + (scaled - value) * ((1 - value) / over.clamp(min=1e-6)).clamp(max=1)
    return kept


def to_shares(logits: Tensor) -> Tensor:
    """The palettes (batch, count), summing to 1, of the palette network's logits."""
    share = logits.sigmoid()
    return share / share.sum(1, keepdim=True)


def upsample(x: Tensor, like: Tensor) -> Tensor:
    """Planes (batch, channels, h, w) brought to the height and width of others."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear")


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
    return paint(network.decode(taps, target.whole).sigmoid(), gray, network.config).clamp(0, 1)


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
    bins, used = network.config.bins, join_luma(network)
    taps, estimate, _ = network.encode(luma)
    palettes = {"automatic": estimate}
    if network.config.palette != "none":
        guess = Palette(bins, estimate.whole[0].cpu().numpy())
        for name in ("red", "blue"):
            palettes[f"towards {name}"] = expand_palette(guess.towards(name), bins, estimate)
        true = measure_palettes(*bins.encode(bins.chroma(rgb)), bins.count)
        palettes["true palette"] = Palettes.of_shares(true)
    painted = {name: decode(used, taps, luma, p) for name, p in palettes.items()}
    painted["automatic, own gray"] = colorize(network, to_gray(rgb, network.config))
    return {name: photo[0] for name, photo in painted.items()}
