"""The palette network and the residual encoder, and what they learn from."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.research.data.rng import Generators
from tintype.research.methods import losses, vgg16
from tintype.research.methods.dahl2016 import Convolution, begin_faintly
from tintype.research.methods.fenu2016.config import Config, check
from tintype.research.methods.fenu2016.planes import (
    saturations,
    shrink,
    to_gray,
    to_unit,
    turn_hues,
)
from tintype.research.methods.palettes import Palettes, measure_palettes, sample_targets

DULL = -3.0  # logit of the saturation that `space="raw"` begins with, 0.05


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
        """deeper: (batch, inputs, h/2, w/2) or None; tap: (batch, inputs, h, w).

        palette: (batch, count) shares. Returns (batch, outputs, h, w).
        """
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
        check(config)
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
        self._begin_gray()
        self.register_buffer("rarity", torch.ones(config.bins.count))
        self.register_buffer("scales", torch.ones(config.stages))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def _begin_gray(self) -> None:
        """Let all that adds to the colors begin as next to nothing, as in `dahl2016`."""
        begin_faintly(self.color)
        for layer in self.carried.parameters():
            nn.init.zeros_(layer)
        if self.config.space == "raw":
            norm = self.color[1]
            assert isinstance(norm, nn.BatchNorm2d)
            nn.init.constant_(norm.bias[1:], DULL)

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

    def decode(self, taps: list[Tensor], palette: Tensor) -> list[Tensor]:
        """Features and palettes (batch, count) -> planes of color (batch, h, w, 2) as logits.

        The last ones are the photo's, those before them the carried estimates, the deepest first:
        each level adds to the estimate of the level below, enlarged, and the output to the last.
        """
        x: Tensor | None = None
        planes: list[Tensor] = []
        for i, (tap, level) in enumerate(zip(taps, self.levels, strict=True)):
            x = level(x, tap, palette)
            if i < len(self.carried):
                planes.append(_add(self.carried[i](x), planes))
        planes.append(_add(self.color(x), planes))
        return [plane.float().permute(0, 2, 3, 1) for plane in planes]

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

        At first the pixelwise cross entropy, then the other losses as `Config` weighs them, of the
        photo and of each carried estimate at its own size; the palette network is trained all
        along. Some photos are turned to other hues together with the palettes that are fed.
        """
        config, bins = self.config, self.config.bins
        with torch.autocast(rgb.device.type, enabled=False):
            gray = to_gray(rgb, config)
            true = measure_palettes(*bins.encode(bins.chroma(rgb)), bins.count)
        taps = self.extract(gray)
        guess = self.palette(taps[0])
        fed, turned = self._choose_targets(true, to_shares(guess).detach(), rgb, generators)
        *carried, logits = self.decode(taps, fed)
        with torch.autocast(rgb.device.type, enabled=False):
            parts = self._parts(logits, turned)
            loss = self._combine(parts)
            if carried:
                low = [self._combine(self._parts(c, shrink(turned, c))) for c in carried]
                parts["carried"] = torch.stack(low).mean()
                loss = loss + config.carried_loss * parts["carried"]
            parts["palette"] = losses.palette_cross_entropy(guess, true)
        return loss + config.palette_loss * parts["palette"], {
            name: part.detach() for name, part in parts.items()
        }

    def _choose_targets(
        self, true: Tensor, estimate: Tensor, rgb: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """The palettes (batch, count) that are fed, and the photos as they should come out.

        As in the default model's training; photos cannot be turned where no palette says so.
        """
        config = self.config
        if config.palette == "none":
            return estimate, rgb
        pair = Palettes.of_shares(true), Palettes.of_shares(estimate)
        target, degrees, _ = sample_targets(config.bins, *pair, generators, turn=config.turned)
        return target.whole, turn_hues(rgb, degrees, config)

    def _combine(self, parts: dict[str, Tensor]) -> Tensor:
        """The loss that parts add up to at this step."""
        config = self.config
        if self.steps < config.first_steps:
            return parts["cross_entropy"]
        weights = {
            "l1": config.l1,
            "variance": config.alpha,
            "variation": config.variation,
            "variation_sum": config.variation_sum,
            "palettewise": config.palettewise,
        }
        return torch.stack([weight * parts[name] for name, weight in weights.items()]).sum()

    def _parts(self, logits: Tensor, rgb: Tensor) -> dict[str, Tensor]:
        """The losses of what is painted, unweighted.

        logits: (batch, h, w, 2); rgb: (batch, h, w, 3), 0..1, the photos as they should be
        """
        config, bins, unit = self.config, self.config.bins, logits.sigmoid()
        gray, target = to_gray(rgb, config), to_unit(rgb, config)
        index, share = bins.encode(bins.chroma(rgb))
        weight = (share * self.rarity[index]).sum(-1)
        colors, truth = (unit, target) if config.space == "raw" else (2 * unit - 1, 2 * target - 1)
        centers = torch.from_numpy(bins.centers).to(unit.device)
        side = min(4, *rgb.shape[1:3])
        painted, true = (
            losses.soft_palette(losses.average(saturations(u, gray, config), side), centers, 0.1)
            for u in (unit, target)
        )
        return {
            "cross_entropy": losses.pixelwise_cross_entropy(logits, target, weight),
            "l1": losses.pixelwise_l1(colors, truth, weight),
            "variance": losses.variance_l1(colors, truth, gray[:, 0], weight),
            "variation": losses.total_variation(colors, truth),
            "variation_sum": losses.total_variation_sum(colors, truth),
            "palettewise": losses.palettewise(painted, true),
        }


def to_shares(logits: Tensor) -> Tensor:
    """The palettes (batch, count), summing to 1, of the palette network's logits."""
    share = logits.sigmoid()
    return share / share.sum(1, keepdim=True)


def _add(plane: Tensor, below: list[Tensor]) -> Tensor:
    """A plane (batch, 2, h, w) added to the last of those below it, enlarged, if there is one."""
    return plane + upsample(below[-1], plane) if below else plane


def upsample(x: Tensor, like: Tensor) -> Tensor:
    """Planes (batch, channels, h, w) brought to the height and width of others."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear")
