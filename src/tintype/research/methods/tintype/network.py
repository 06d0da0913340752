"""The default model: an encoder run once per photo, and a decoder that colors from a palette.

luma ─▶ Backbone ─▶ Neck ─▶ features, keys, estimated palettes
                                 │  ◀── the target palettes, hints
                                 ▼
                              Decoder ─▶ logits over the palette's bins, at 1/4 of the size
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tintype.bins import Bins
from tintype.color import luma
from tintype.errors import DataError
from tintype.research.data.aging import age, balance, mount
from tintype.research.data.rng import Generators
from tintype.research.methods import norms, palettes, ranges
from tintype.research.methods.palettes import Palettes
from tintype.research.methods.tintype import efficientnet, objective
from tintype.research.methods.tintype.decoder import Decoder
from tintype.research.methods.tintype.encoder import Neck, PaletteHead
from tintype.tones import TONES


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    hues: int = 24
    chromas: tuple[float, ...] = (0.03, 0.06, 0.10, 0.15, 0.22)
    width: float = 1.0  # of the backbone: 1 and 1 are EfficientNet-Lite0, 1.1 and 1.2 Lite2
    depth: float = 1.0
    backbone: str = ""  # a file of published weights that it begins with
    learn_early: bool = False  # its first stages, too; they are fixed if it began with a file
    widths: tuple[int, ...] = (64, 96, 160, 256)  # of the decoder's levels, the finest first
    heads: tuple[int, int] = (5, 8)  # of the attention at 1/16 and 1/32
    embedding: int = 256
    vocabulary: int = 128  # prototype palettes that the estimate is mixed from
    keys: int = 16  # numbers that say whether two cells show the same thing
    rebalance: float = 0.5  # Zhang 2016, equation 4: 1 forgets how frequent a color is
    tuned: bool = False  # its palettes learned from recipes; what they were before is kept beside

    @property
    def bins(self) -> Bins:
        """The bins of palettes and of logits alike."""
        return Bins(self.hues, tuple(self.chromas))


class Network(nn.Module):
    """The whole model. Its buffers are what was counted on the training photos."""

    prototypes: Tensor  # (vocabulary, 1 + tones, count) palettes and their tones
    rebalancing: Tensor  # (count,) weight of a pixel of each color in the loss

    def __init__(self, config: Config) -> None:
        super().__init__()
        _check(config)
        self.config = config
        widths, count, vocabulary = config.widths, config.bins.count, config.vocabulary
        self.backbone = efficientnet.Backbone(config.width, config.depth)
        self.neck = Neck(self.backbone.widths, widths, config.keys, config.heads)
        self.palette = PaletteHead(widths[-1], config.embedding, vocabulary)
        self.reference = None
        if config.tuned:
            self.reference = PaletteHead(widths[-1], config.embedding, vocabulary).mix
        self.decoder = Decoder(widths, config.embedding, config.bins.centers)
        _, third, fourth, _ = widths
        self.coarse = nn.ModuleList(nn.Conv2d(w, count, 1) for w in (fourth, third))  # for training
        self.register_buffer(
            "prototypes", torch.full((vocabulary, 1 + len(TONES), count), 1 / count)
        )
        self.register_buffer("rebalancing", torch.ones(count))
        if config.backbone and not config.learn_early:
            self.backbone.fix_early()
        self.train()

    def encode(
        self, luma: Tensor, views: list[Tensor] | None = None
    ) -> tuple[list[Tensor], Palettes, Palettes]:
        """(batch, 1, h, w) luma, 0..1, sides multiples of 32 -> features, estimates, references.

        The last of the features are the keys. The reference is what the decoder compares palettes
        with: the estimate itself, or where it learned from recipes, the one before. So a photo
        follows what people chose as it would follow each edit. views: the backbone's, if there.
        """
        features, keys, deep = self.neck(luma, self.backbone(luma) if views is None else views)
        pooled = self.palette.pool(deep)
        estimate = reference = self.mix(self.estimate_shares(pooled))
        if self.reference is not None:
            reference = self.mix(self.reference(pooled).float().softmax(1))
        return [*features, keys], estimate, reference

    def estimate_shares(self, pooled: Tensor) -> Tensor:
        """(batch, vocabulary) how much of each prototype, of what the palette head pools."""
        shares: Tensor = self.palette.mix(pooled).float().softmax(1)
        return shares

    def mix(self, shares: Tensor) -> Palettes:
        """Palettes of the shares (batch, vocabulary) of the prototypes, exactly."""
        with torch.autocast(shares.device.type, enabled=False):
            mixed = shares @ self.prototypes.flatten(1)
        return Palettes.join(mixed.reshape(len(shares), -1, self.prototypes.shape[2]))

    def pool(self, luma: Tensor) -> Tensor:
        """What the palette head's layers are given of luma (batch, 1, h, w): (batch, inputs)."""
        pooled: Tensor = self.palette.pool(self.neck(luma, self.backbone(luma))[2])
        return pooled

    def estimate_palettes(self, pooled: Tensor) -> Tensor:
        """The palettes (batch, count) that `encode` gives, of what `pool` gives."""
        return self.mix(self.estimate_shares(pooled)).whole

    def palette_loss(self, pooled: Tensor, true: Tensor) -> Tensor:
        """The palette head's loss: soft cross entropy with palettes (batch, count)."""
        return palettes.palette_loss(self.estimate_palettes(pooled), true)

    def to_chroma(
        self, logits: Tensor, *, adjustment: float | Tensor, temperature: float
    ) -> Tensor:
        """Annealed mean (Zhang 2016, equation 5): OKLab a and b, (batch, h, w, 2)."""
        weight = self.weigh(logits, adjustment=adjustment, temperature=temperature)
        return torch.einsum("bkhw,kc->bhwc", weight, self.decoder.centers)

    def weigh(self, logits: Tensor, *, adjustment: float | Tensor, temperature: float) -> Tensor:
        """How much each bin counts in the annealed mean: (batch, count, h, w), sums of 1.

        adjustment: how much of the rebalancing is taken back, 0 (vivid) .. 1 (calm), by a logit
            adjustment (Menon et al. 2021); or so much at each pixel, (h, w)
        """
        logits = logits - adjustment * self.rebalancing.log()[:, None, None]
        return (logits / temperature).softmax(1)

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Set the rebalancing weights and the prototype palettes from RGB crops.

        Where there are published weights for the backbone, it begins with them, and its batch
        norms are counted on gray crops.
        """
        if self.config.backbone:
            efficientnet.load(self.backbone, Path(self.config.backbone))
            self._count_norms(batches)
        bins, found = self.config.bins, []
        for rgb in batches:
            found.append(objective.measure_true(bins, rgb, luma(rgb)[:, None])[1].parts)
        every = torch.cat(found)
        share = every[:, 0].mean(0)
        areas = torch.from_numpy(bins.areas).to(share.device)
        mixed = (1 - self.config.rebalance) * share + self.config.rebalance * areas
        weight = areas / mixed
        self.rebalancing.copy_(weight / (share * weight).sum())
        self.prototypes.copy_(palettes.cluster(every, self.config.vocabulary))

    def _count_norms(self, batches: list[Tensor]) -> None:
        """Count the backbone's batch norms on gray crops; the published ones are of colors."""

        def feed() -> None:
            for rgb in batches:
                self.backbone(luma(rgb)[:, None])

        norms.count([m for m in self.backbone.modules() if isinstance(m, nn.BatchNorm2d)], feed)

    def forward(
        self, rgb: Tensor, _labels: Tensor, generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The training loss of RGB crops (batch, h, w, 3), 0..1, and its parts.

        See `data.aging` for what becomes of the crops, `objective.measure_losses` for the parts;
        the photos' classes (batch,) play no part.
        """
        with torch.autocast(rgb.device.type, enabled=False):  # bf16 has fewer levels than a byte
            rgb = mount(balance(rgb, generators), generators)
            gray = age(rgb, generators)
        parts = objective.measure_losses(self, gray, rgb, self.backbone(gray), generators)
        return parts["loss"], {name: part.detach() for name, part in parts.items()}

    def train(self, mode: bool = True) -> "Network":
        """As of any module; but the norms of a published backbone stay as they were counted."""
        super().train(mode)
        if self.config.backbone:
            self.backbone.eval()
        return self


def _check(config: Config) -> None:
    """Raise DataError for fields that say no network."""
    names = ("widths", "heads", "embedding", "vocabulary", "keys")
    ranges.check(config, dict.fromkeys(names, ranges.AT_LEAST_1))
    ranges.check(config, dict.fromkeys(("width", "depth"), (0.1, 10)))
    ranges.check(config, {"hues": (1, 360), "chromas": (0.001, 0.5), "rebalance": ranges.SHARE})
    ranges.check_rising(config, "chromas")
    if (len(config.widths), len(config.heads)) != (4, 2):
        found = f"{len(config.widths)} and {len(config.heads)}"
        raise DataError(f"widths, heads: expected 4 and 2 numbers, found {found}")
    for width, heads in zip(config.widths[2:], config.heads, strict=True):
        if width % heads:
            raise DataError(f"heads: expected one that divides a width of {width}, found {heads}")
