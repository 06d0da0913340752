"""The default model: an encoder run once per photo, and a decoder that colors from a palette.

    luma ─▶ Encoder ─▶ features, estimated palette
                            │  ◀── the target palette
                            ▼
                         Decoder ─▶ logits over the palette's bins, at 1/4 of the photo's size

The palette acts twice. Its embedding is added to every level of the decoder before the batch norm
(the residual connections of Fenu & Bagwell 2016, section 3), and the log-ratio of the target to
the reference palette is added to the logits as a bias, which is zero in automatic mode. A palette
by tone adds to it the log-ratios of its tones to itself, by a pixel's luma; that is not learned.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.bins import Bins
from tintype.color import oklab_of_luma, oklab_to_rgb, rgb_to_oklab
from tintype.palette import Palette
from tintype.research.data.augmentation import augment_gray
from tintype.research.data.rng import Generators
from tintype.research.methods import distillation
from tintype.research.methods.losses import label_loss, quarter
from tintype.research.methods.palettes import (
    cluster,
    expand_palette,
    log_ratio,
    measure_palettes,
    mix_tones,
    palette_loss,
    rotate_hues,
    sample_targets,
)


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    hues: int = 24
    chromas: tuple[float, ...] = (0.03, 0.06, 0.10, 0.15, 0.22)
    widths: tuple[int, ...] = (24, 48, 96, 192, 256)
    blocks: tuple[int, ...] = (0, 1, 1, 2, 2)  # of the encoder's levels, the finest first
    embedding: int = 256
    vocabulary: int = 128  # prototype palettes that the estimate is mixed from
    rebalance: float = 0.5  # Zhang 2016, equation 4: 1 forgets how frequent a color is
    palette_loss: float = 0.25
    classes: int = 512  # of photos that the auxiliary head has room for
    label_loss: float = 0.25
    teacher: str = ""  # the .npz of a network for ImageNet that the encoder learns from
    teacher_loss: float = 1.0
    tuned: bool = False  # its palettes learned from recipes; what they were before is kept beside

    @property
    def bins(self) -> Bins:
        """The bins of palettes and of logits alike."""
        return Bins(self.hues, tuple(self.chromas))


class Convolution(nn.Sequential):
    """3 x 3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class Residual(nn.Module):
    """Two 3 x 3 convolutions around which the input is carried (He et al. 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Convolution(width, width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class Encoder(nn.Module):
    """Gray photo -> features at 1/4 to 1/32 of its size; its part `palette` estimates palettes.

    All that does not depend on the palette is done here, so that an edit costs little: what the
    decoder adds at each of its levels leaves the encoder already projected.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = config.widths
        self.stem = Convolution(1, widths[0])
        self.levels = nn.ModuleList()
        inward = (widths[0], *widths[:-1])
        for inputs, width, blocks in zip(inward, widths, config.blocks, strict=True):
            residuals = [Residual(width) for _ in range(blocks)]
            self.levels.append(nn.Sequential(Convolution(inputs, width, 2), *residuals))
        self.project = nn.ModuleList(nn.Conv2d(w, w, 1, bias=False) for w in widths[1:-1])
        self.project.append(nn.Conv2d(widths[-1], widths[-1], 3, 1, 1, bias=False))
        self.palette = make_palette_network(config)
        self.reference = make_palette_network(config) if config.tuned else None

    def forward(self, luma: Tensor) -> tuple[list[Tensor], Tensor]:
        """What `project_maps` gives of what `extract` gives."""
        return self.project_maps(self.extract(luma))

    def extract(self, luma: Tensor) -> list[Tensor]:
        """What leaves each level: (batch, widths[i], h / 2**(i + 1), w / 2**(i + 1)).

        luma: (batch, 1, h, w), 0..1, sides multiples of 32
        """
        maps = [self.stem(4 * (luma - 0.5))]
        for level in self.levels:
            maps.append(level(maps[-1]))
        return maps[1:]

    def project_maps(self, maps: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Features, as the decoder adds them, and means (batch, inputs) of the deepest two maps.

        The palette is estimated from the means.
        """
        pooled = torch.cat([map_.float().mean((2, 3)) for map_ in maps[-2:]], 1)
        return [p(map_) for p, map_ in zip(self.project, maps[1:], strict=True)], pooled


def make_palette_network(config: Config) -> nn.Sequential:
    """Means of features (batch, widths[-2] + widths[-1]) -> logits of the prototypes."""
    return nn.Sequential(
        nn.Linear(config.widths[-1] + config.widths[-2], config.embedding),
        nn.ReLU(),
        nn.Linear(config.embedding, config.vocabulary),
    )


class Level(nn.Module):
    """One level of the decoder: what is deeper, the encoder's feature and the palette, added."""

    def __init__(self, inputs: int | None, width: int, embedding: int, *, refined: bool) -> None:
        super().__init__()
        self.inward = nn.Conv2d(inputs, width, 3, 1, 1, bias=False) if inputs else None
        self.palette = nn.Linear(embedding, width)
        self.norm = nn.BatchNorm2d(width)
        self.refine = Residual(width) if refined else nn.Identity()

    def forward(self, deeper: Tensor | None, feature: Tensor, embedding: Tensor) -> Tensor:
        """deeper: (batch, inputs, h/2, w/2), None at the deepest level; feature: (.., h, w)."""
        x = feature + self.palette(embedding)[:, :, None, None]
        if self.inward is not None and deeper is not None:
            up = self.inward(deeper)  # at the smaller size, where it costs a quarter
            x = x + F.interpolate(up, feature.shape[-2:], mode="bilinear", align_corners=False)
        out: Tensor = self.refine(F.relu(self.norm(x)))
        return out


class Decoder(nn.Module):
    """Features and a palette -> logits over the bins at 1/4 of the photo's size."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths, count = config.widths, config.bins.count
        self.embed = nn.Sequential(nn.Linear(count, config.embedding), nn.ReLU())
        outward = widths[:0:-1]
        ends = (0, len(outward) - 1)  # the deepest level and the finest
        self.levels = nn.ModuleList(
            Level(inputs, width, config.embedding, refined=i in ends)
            for i, (inputs, width) in enumerate(zip((None, *outward), outward, strict=False))
        )
        self.classify = nn.Conv2d(widths[1], count, 1)
        self.bias_weight = nn.Parameter(torch.ones(()))

    def forward(self, features: list[Tensor], palette: Tensor, reference: Tensor) -> Tensor:
        """palette, reference: (batch, count) shares of the target palette and of the reference."""
        logits: Tensor = self.classify(self.paint(features, palette)).float()
        return logits + self.palette_bias(palette, reference)[:, :, None, None]

    def paint(self, features: list[Tensor], palette: Tensor) -> Tensor:
        """What the bins are told apart by: (batch, widths[1], h/4, w/4)."""
        embedding = self.embed(palette.sqrt())
        x: Tensor | None = None
        for level, feature in zip(self.levels, reversed(features), strict=True):
            x = level(x, feature, embedding)
        assert x is not None
        return x

    def palette_bias(self, palette: Tensor, reference: Tensor) -> Tensor:
        """(batch, count) what a palette adds to the logits; nothing where it is dropped (zeros)."""
        return self.bias_weight * log_ratio(palette, reference) * (palette.sum(1, keepdim=True) > 0)


class Network(nn.Module):
    """The whole model. Its buffers are what was counted on the training photos."""

    prototypes: Tensor  # (vocabulary, count) palettes
    rebalancing: Tensor  # (count,) weight of a pixel of each color in the loss

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.recognize = nn.Linear(config.embedding, config.classes)  # for training only
        self.distillation = None  # for training only, too
        if config.teacher:
            self.distillation = distillation.Head(config.widths[3], config.embedding)
        count = config.bins.count
        self.register_buffer("prototypes", torch.full((config.vocabulary, count), 1 / count))
        self.register_buffer("rebalancing", torch.ones(count))

    def encode(self, luma: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """(batch, 1, h, w) luma, 0..1 -> features, estimated and reference palettes (batch, count).

        The reference is what the decoder compares palettes with: the estimate itself, or where it
        learned from recipes, the one before. So a photo follows what people chose as it would
        follow each edit.
        """
        features, pooled = self.encoder(luma)
        estimate = reference = self.estimate_palettes(pooled)
        if self.encoder.reference is not None:
            reference = self.mix(self.encoder.reference(pooled).float().softmax(1))
        return features, estimate, reference

    def mix(self, shares: Tensor) -> Tensor:
        """Palettes (batch, count) of the shares (batch, vocabulary) of the prototypes, exactly."""
        with torch.autocast(shares.device.type, enabled=False):
            return shares @ self.prototypes

    def pool(self, luma: Tensor) -> Tensor:
        """What the palette network is given of luma (batch, 1, h, w): (batch, inputs)."""
        pooled: Tensor = self.encoder(luma)[1]
        return pooled

    def estimate_palettes(self, pooled: Tensor) -> Tensor:
        """The palettes (batch, count) that `encode` gives, of what `pool` gives."""
        return self.mix(self.encoder.palette(pooled).float().softmax(1))

    def palette_loss(self, pooled: Tensor, true: Tensor) -> Tensor:
        """The palette network's loss: soft cross entropy with palettes (batch, count)."""
        return palette_loss(self.estimate_palettes(pooled), true)

    def to_chroma(self, logits: Tensor, *, adjustment: float, temperature: float) -> Tensor:
        """Annealed mean (Zhang 2016, equation 5): OKLab a and b, (batch, h, w, 2).

        adjustment: how much of the rebalancing is taken back, 0 (vivid) .. 1 (calm), by a logit
            adjustment (Menon et al. 2021)
        """
        logits = logits - adjustment * self.rebalancing.log()[:, None, None]
        centers = torch.from_numpy(self.config.bins.centers).to(logits.device)
        return torch.einsum("bkhw,kc->bhwc", (logits / temperature).softmax(1), centers)

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Set the rebalancing weights and the prototype palettes from RGB crops."""
        bins = self.config.bins
        palettes = torch.cat(
            [measure_palettes(*bins.encode(oklab_quarter(rgb)), bins.count) for rgb in batches]
        )
        share = palettes.mean(0)
        areas = torch.from_numpy(bins.areas).to(share.device)
        mixed = (1 - self.config.rebalance) * share + self.config.rebalance * areas
        weight = areas / mixed
        self.rebalancing.copy_(weight / (share * weight).sum())
        self.prototypes.copy_(cluster(palettes, self.config.vocabulary))

    def forward(
        self,
        rgb: Tensor,
        labels: Tensor,
        generators: Generators,
        targets: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1, and its parts.

        Pixels: cross entropy over soft bins, rebalanced (Zhang 2016, equation 2), less the soft
        bins' own entropy, so that 0 is perfect. Palette: soft cross entropy. Palettes are fed as
        `sample_targets` says. Labels (batch,), -1 for none: cross entropy of an auxiliary head,
        because what a thing is tells its colors; targets: what the teacher gives, see
        `distillation.Head`.
        """
        with torch.autocast(rgb.device.type, enabled=False):  # bf16 has fewer levels than a byte
            gray = augment_gray(rgb, generators)
        maps = self.encoder.extract(gray)
        features, pooled = self.encoder.project_maps(maps)
        summary = self.encoder.palette[:2](pooled)
        estimate = self.mix(self.encoder.palette[2](summary).float().softmax(1))
        pixels, true = self.pixel_loss(features, estimate.detach(), rgb, generators)
        palettes = palette_loss(estimate, true)
        classes = label_loss(self.recognize(summary).float(), labels)
        parts = {"pixels": pixels, "palette": palettes, "labels": classes}
        loss = pixels + self.config.palette_loss * palettes + self.config.label_loss * classes
        if self.distillation is not None and targets is not None:
            features_loss, classes_loss = self.distillation(maps[3], summary, targets)
            parts |= {"teacher": features_loss, "teacher_classes": classes_loss}
            teacher_loss = features_loss + self.config.label_loss * classes_loss
            loss = loss + self.config.teacher_loss * teacher_loss
        return loss, {name: part.detach() for name, part in parts.items()}

    def pixel_loss(
        self, features: list[Tensor], estimate: Tensor, rgb: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """The pixels' part of the loss, and the crops' true palettes (batch, count)."""
        bins = self.config.bins
        ab = oklab_quarter(rgb)
        true = measure_palettes(*bins.encode(ab), bins.count)
        palette, degrees = sample_targets(bins, true, estimate, generators)
        index, share = bins.encode(rotate_hues(ab, degrees))
        logits = self.decoder(features, palette, estimate)
        found = logits.log_softmax(1).permute(0, 2, 3, 1).gather(-1, index)
        entropy = (share * (share.clamp(min=1e-9).log() - found)).sum(-1)
        return (entropy * (share * self.rebalancing[index]).sum(-1)).mean(), true


def oklab_quarter(rgb: Tensor) -> Tensor:
    """OKLab a and b (batch, h/4, w/4, 2), averaged over 4 x 4 pixels, of RGB (batch, h, w, 3)."""
    return quarter(rgb_to_oklab(rgb)[..., 1:])


@torch.no_grad()
def colorize(network: Network, gray: Tensor, palette: Palette | None = None) -> Tensor:
    """RGB (batch, h, w, 3), 0..1, of gray photos (batch, 1, h, w), 0..1.

    palette: the target, over the network's bins; the estimated ones by default. Raises
    PaletteError for another method's.
    """
    high, wide = gray.shape[-2:]
    whole = F.pad(gray, (0, -wide % 32, 0, -high % 32), mode="replicate")
    features, estimate, reference = network.encode(whole)
    shares, tones = expand_palette(palette, network.config.bins, estimate)
    return decode(network, features, whole, shares, tones, reference)[:, :high, :wide]


def decode(
    network: Network,
    features: list[Tensor],
    luma: Tensor,
    palette: Tensor,
    tones: Tensor,
    reference: Tensor,
) -> Tensor:
    """What `colorize` gives, for an encoded photo (sides of 32 n) and palettes.

    palette, reference: (batch, count); tones: (batch, 3, count) the palette's shares by tone
    """
    logits = network.decoder(features, palette, reference)
    logits = logits + mix_tones(log_ratio(tones, palette[:, None]), F.avg_pool2d(luma, 4))
    return paint(network, logits, luma, adjustment=0.5).clamp(0, 1)


def paint(network: Network, logits: Tensor, luma: Tensor, *, adjustment: float) -> Tensor:
    """RGB (batch, h, w, 3) of logits at 1/4 of the size of the luma (batch, 1, h, w)."""
    ab = network.to_chroma(logits, adjustment=adjustment, temperature=0.5).permute(0, 3, 1, 2)
    ab = F.interpolate(ab, scale_factor=4, mode="bilinear").permute(0, 2, 3, 1)
    rgb: Tensor = oklab_to_rgb(oklab_of_luma(luma[:, 0], ab))
    return rgb


def preview(network: Network, rgb: Tensor, luma: Tensor) -> dict[str, Tensor]:
    """A photo (1, h, w, 3) colored as it would be used: calm, default, vivid, true palette."""
    bins = network.config.bins
    features, estimate, reference = network.encode(luma)
    true = measure_palettes(*bins.encode(oklab_quarter(rgb)), bins.count)
    shown = {}
    for name, palette, adjustment in (
        ("calm", estimate, 1.0),
        ("half", estimate, 0.5),
        ("vivid", estimate, 0.0),
        ("true palette", true, 0.5),
    ):
        logits = network.decoder(features, palette, reference)
        shown[name] = paint(network, logits, luma, adjustment=adjustment)[0].clamp(0, 1)
    return shown
