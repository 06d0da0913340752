"""The default model: an encoder run once per photo, and a decoder that colors from a palette.

    luma ─▶ Backbone ─▶ Neck ─▶ features, keys, estimated palette
                                     │  ◀── the target palette, hints
                                     ▼
                                  Decoder ─▶ logits over the palette's bins, at 1/4 of the size

Palette and hints act twice, alike: embedded, they are added to every level of the decoder before
the batch norm (the residual connections of Fenu & Bagwell 2016, section 3), and they are a prior on
the logits. A palette's is its log-ratio to the estimate, which is zero in automatic mode; a hint's
favors the bins near its color where the encoder's keys say that the same thing is seen.
"""

from dataclasses import dataclass

import torch
from backbone import Backbone
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.bins import Bins
from tintype.color import tone_weights

SHARE_FLOOR = 1e-3  # smaller shares count as this much in the ratio of palettes
TRACE = 1e-3  # of all of a photo, in each of its tones
TONES = 3
HINT_WIDTH = 0.05  # OKLab chroma: the deviation of the prior that a hint is


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    hues: int = 24
    chromas: tuple[float, ...] = (0.03, 0.06, 0.10, 0.15, 0.22)
    widths: tuple[int, ...] = (64, 96, 160, 256)  # of the decoder's levels, the finest first
    embedding: int = 256
    vocabulary: int = 128  # prototype palettes that the estimate is mixed from
    keys: int = 16
    rebalance: float = 0.5  # Zhang 2016, equation 4: 1 forgets how frequent a color is

    @property
    def bins(self) -> Bins:
        """The bins of palettes and of logits alike."""
        return Bins(self.hues, tuple(self.chromas))


@dataclass(frozen=True)
class Palettes:
    """Palettes of a batch and how they are told apart by tone.

    whole: (batch, count) shares; zeros for none
    tones: (batch, 3, count) those of shadows, midtones, highlights
    """

    whole: Tensor
    tones: Tensor

    def detach(self) -> "Palettes":
        return Palettes(self.whole.detach(), self.tones.detach())


@dataclass(frozen=True)
class Hints:
    """Colors at places.

    place: (batch, hints, 2) x and y, 0..1 of width and height
    chroma: (batch, hints, 2) OKLab
    reach: (batch, hints) 1 for as far as the thing seems to go; 0 for no hint
    """

    place: Tensor
    chroma: Tensor
    reach: Tensor


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


class Attention(nn.Module):
    """A transformer's block over the cells of a grid; places enter by a depthwise convolution."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.place = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.norm, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x + self.place(x)
        tokens = x.flatten(2).transpose(1, 2)  # (b, hw, c)
        qkv = self.qkv(self.norm(tokens)).reshape(b, h * w, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (b, heads, hw, c / heads)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        tokens = tokens + self.out(mixed)
        tokens = tokens + self.narrow(F.gelu(self.widen(self.norm2(tokens)), approximate="tanh"))
        return tokens.transpose(1, 2).reshape(b, c, h, w)


def upsample(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size, mode="bilinear")


class Neck(nn.Module):
    """The backbone's views, and details of its own, from the deepest to the finest, joined.

    All that depends neither on palette nor on hints is done here, so that an edit costs little.
    """

    def __init__(self, config: Config, views: tuple[int, ...] = (24, 40, 112, 320)) -> None:
        super().__init__()
        fine, third, fourth, deep = config.widths
        self.detail = nn.Sequential(Convolution(1, 16, 2), Convolution(16, 32, 2))
        widths = (views[0] + 32, *views[1:])
        self.sides = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(i), nn.Conv2d(i, w, 1, bias=False))
            for i, w in zip(widths, config.widths, strict=True)
        )
        attend = [Attention(deep, 8), Attention(deep, 8)]
        self.deep = nn.Sequential(nn.BatchNorm2d(deep), nn.ReLU(), *attend)
        self.down = nn.ModuleList(
            nn.Conv2d(inner, outer, 1, bias=False)
            for inner, outer in ((third, fine), (fourth, third), (deep, fourth))
        )
        attend = [Attention(fourth, 5), Attention(fourth, 5)]
        self.join = nn.ModuleList(
            [
                nn.Sequential(nn.BatchNorm2d(fine), nn.ReLU(), Residual(fine)),
                nn.Sequential(nn.BatchNorm2d(third), nn.ReLU(), Residual(third)),
                nn.Sequential(nn.BatchNorm2d(fourth), nn.ReLU(), *attend),
            ]
        )
        self.project = nn.ModuleList(nn.Conv2d(w, w, 1, bias=False) for w in config.widths)
        self.keys = nn.Conv2d(fine, config.keys, 1)

    def forward(self, luma: Tensor, views: list[Tensor]) -> tuple[list[Tensor], Tensor, Tensor]:
        """luma: (batch, 1, h, w); views: the backbone's.

        Returns features (the finest first), keys (batch, keys, h/4, w/4), and what is deepest.
        """
        views = [torch.cat([views[0], self.detail(4 * (luma - 0.5))], 1), *views[1:]]
        sides = [side(view) for side, view in zip(self.sides, views, strict=True)]
        x = deep = self.deep(sides[3])
        joined = [x]
        for level in (2, 1, 0):
            x = self.join[level](
                sides[level] + upsample(self.down[level](x), sides[level].shape[-2:])
            )
            joined.insert(0, x)
        features = [p(x) for p, x in zip(self.project, joined, strict=True)]
        return features, self.keys(joined[0]), deep


class PaletteHead(nn.Module):
    """What is deepest, pooled by attention -> shares of the prototype palettes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        deep = config.widths[-1]
        self.score = nn.Conv2d(deep, 4, 1)
        self.norm = nn.LayerNorm(5 * deep)
        self.mix = nn.Sequential(
            nn.Linear(5 * deep, config.embedding),
            nn.ReLU(),
            nn.Linear(config.embedding, config.vocabulary),
        )

    def forward(self, deep: Tensor) -> Tensor:
        """(batch, deep, h, w) -> (batch, vocabulary), sums to 1."""
        cells = deep.flatten(2)
        weight = self.score(deep).flatten(2).softmax(2)  # (b, 4, hw)
        pooled = torch.cat([cells.mean(2), (weight @ cells.transpose(1, 2)).flatten(1)], 1)
        return self.mix(self.norm(pooled)).float().softmax(1)


class Level(nn.Module):
    """One level of the decoder: what is deeper, the feature, the palette and the hints, added."""

    def __init__(
        self, inputs: int | None, width: int, embedding: int, planes: int, *, refined: bool
    ) -> None:
        super().__init__()
        self.inward = nn.Conv2d(inputs, width, 3, 1, 1, bias=False) if inputs else None
        self.palette = nn.Linear(embedding, width)
        self.hints = nn.Conv2d(planes, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.refine = Residual(width) if refined else nn.Identity()

    def forward(
        self, deeper: Tensor | None, feature: Tensor, embedding: Tensor, planes: Tensor
    ) -> Tensor:
        """deeper: (batch, inputs, h/2, w/2), None at the deepest level; feature: (.., h, w)."""
        x = feature + self.palette(embedding)[:, :, None, None] + self.hints(planes)
        if self.inward is not None and deeper is not None:
            x = x + upsample(self.inward(deeper), feature.shape[-2:])
        out: Tensor = self.refine(F.relu(self.norm(x)))
        return out


class HintField(nn.Module):
    """Where hints hold: likeness of the encoder's keys times nearness."""

    def __init__(self) -> None:
        super().__init__()
        self.likeness = nn.Parameter(torch.tensor(0.0))  # softplus of it
        self.nearness = nn.Parameter(torch.tensor(2.0))

    def regions(self, keys: Tensor, hints: Hints) -> Tensor:
        """(batch, hints, h, w), 0..1: how much each hint says of each cell, 1 at its place."""
        b, d, h, w = keys.shape
        short = min(h, w)
        column = (hints.place[..., 0] * w).floor().clamp(0, w - 1)
        row = (hints.place[..., 1] * h).floor().clamp(0, h - 1)
        flat = keys.float().flatten(2)  # (b, d, hw)
        index = (row * w + column).long()[:, None].expand(-1, d, -1)
        own = flat.gather(2, index).transpose(1, 2)  # (b, k, d)
        with torch.autocast(keys.device.type, enabled=False):  # differences of large numbers
            unlike = (flat**2).sum(1)[:, None] + (own**2).sum(2, keepdim=True) - 2 * own @ flat
        y = torch.arange(h, device=keys.device)[:, None] - row[..., None, None]
        x = torch.arange(w, device=keys.device)[None] - column[..., None, None]
        far = ((y**2 + x**2) / short**2).flatten(2)
        gap = F.softplus(self.likeness) * unlike.clamp(min=0) + F.softplus(self.nearness) * far
        reach = hints.reach[..., None]
        weight = torch.exp(-gap / reach.clamp(min=1e-3) ** 2) * (reach > 0)
        return weight.reshape(b, -1, h, w)

    def forward(self, keys: Tensor, hints: Hints) -> tuple[Tensor, Tensor]:
        """The color that hints say (batch, 2, h, w) and how surely (batch, 1, h, w), 0..1."""
        weight = self.regions(keys, hints)
        total = weight.sum(1, keepdim=True)
        mixed = torch.einsum("bkhw,bkc->bchw", weight, hints.chroma) / (total + 1e-4)
        return mixed, weight.amax(1, keepdim=True)


class Decoder(nn.Module):
    """Features, a palette and hints -> logits over the bins at 1/4 of the photo's size."""

    centers: Tensor  # (count, 2)

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths, count = config.widths, config.bins.count
        self.embed = nn.Sequential(nn.Linear((1 + TONES) * count, config.embedding), nn.ReLU())
        self.field = HintField()
        outward = widths[::-1]
        self.levels = nn.ModuleList(
            Level(inputs, width, config.embedding, 3, refined=i in (1, 3))
            for i, (inputs, width) in enumerate(zip((None, *outward), outward, strict=False))
        )
        self.classify = nn.Conv2d(widths[0], count, 1)
        self.prior = nn.Parameter(torch.ones(3))  # of the palette, its tones, the hints
        self.register_buffer("centers", torch.from_numpy(config.bins.centers), persistent=False)

    def forward(
        self,
        features: list[Tensor],
        keys: Tensor,
        luma: Tensor,
        target: Palettes,
        estimate: Palettes,
        hints: Hints,
    ) -> tuple[Tensor, list[Tensor]]:
        """luma: (batch, 1, h/4, w/4). Returns logits (batch, count, h/4, w/4), and the levels."""
        chroma, sure = self.field(keys, hints)
        levels = self.paint(features, target, chroma, sure)
        logits = self.classify(levels[-1]).float()
        given = (target.whole.sum(1) > 0).float()[:, None]  # none: nothing is said
        whole = given * log_ratio(target.whole, estimate.whole)
        logits = logits + self.prior[0] * whole[:, :, None, None]
        tones = log_ratio(target.tones, target.whole[:, None]) - log_ratio(
            estimate.tones, estimate.whole[:, None]
        )
        logits = logits + self.prior[1] * mix_tones(given[:, None] * tones, luma)
        return logits + self.prior[2] * self.likely(chroma, sure), levels

    def paint(
        self, features: list[Tensor], target: Palettes, chroma: Tensor, sure: Tensor
    ) -> list[Tensor]:
        """What leaves every level, the deepest first."""
        shares = torch.cat([target.whole, target.tones.flatten(1)], 1)
        embedding = self.embed(shares.clamp(min=0).sqrt())
        planes = torch.cat([8 * chroma * sure, sure], 1)
        pyramid = [planes]
        for _ in range(3):
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        levels: list[Tensor] = []
        for level, feature, own in zip(self.levels, features[::-1], pyramid[::-1], strict=True):
            levels.append(level(levels[-1] if levels else None, feature, embedding, own))
        return levels

    def likely(self, chroma: Tensor, sure: Tensor) -> Tensor:
        """(batch, count, h, w) what hints add to the logits: a Gaussian around their color."""
        c = self.centers
        gap = (chroma**2).sum(1, keepdim=True) - 2 * torch.einsum("kc,bchw->bkhw", c, chroma)
        gap = gap + (c**2).sum(1)[None, :, None, None]
        return -sure * gap / (2 * HINT_WIDTH**2)


class Network(nn.Module):
    """The whole model. Its buffers are what was counted on the training photos."""

    prototypes: Tensor  # (vocabulary, 1 + tones, count) palettes and their tones
    rebalancing: Tensor  # (count,) weight of a pixel of each color in the loss

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        count = config.bins.count
        self.backbone = Backbone()
        self.neck = Neck(config)
        self.palette = PaletteHead(config)
        self.decoder = Decoder(config)
        _, third, fourth, _ = config.widths
        self.coarse = nn.ModuleList(nn.Conv2d(w, count, 1) for w in (fourth, third))  # for training
        self.register_buffer(
            "prototypes", torch.full((config.vocabulary, 1 + TONES, count), 1 / count)
        )
        self.register_buffer("rebalancing", torch.ones(count))

    def estimate(self, deep: Tensor) -> Palettes:
        """The estimated palettes of what the neck gives as deepest."""
        shares = self.palette(deep)
        with torch.autocast(deep.device.type, enabled=False):
            mixed = (shares @ self.prototypes.flatten(1)).reshape(len(shares), 1 + TONES, -1)
        return Palettes(mixed[:, 0], mixed[:, 1:])

    def encode(
        self, luma: Tensor, views: list[Tensor] | None = None
    ) -> tuple[list[Tensor], Tensor, Palettes]:
        """(batch, 1, h, w) luma, 0..1 -> features, keys, estimated palettes."""
        features, keys, deep = self.neck(luma, self.backbone(luma) if views is None else views)
        return features, keys, self.estimate(deep)

    def to_chroma(self, logits: Tensor, *, adjustment: float, temperature: float) -> Tensor:
        """Annealed mean (Zhang 2016, equation 5): OKLab a and b, (batch, h, w, 2)."""
        logits = logits - adjustment * self.rebalancing.log()[:, None, None]
        centers = self.decoder.centers
        return torch.einsum("bkhw,kc->bhwc", (logits / temperature).softmax(1), centers)


def log_ratio(palette: Tensor, other: Tensor) -> Tensor:
    """The logarithm of a palette's shares (..., count) over another's."""
    return torch.log((palette + SHARE_FLOOR) / (other + SHARE_FLOOR))


def mix_tones(tones: Tensor, luma: Tensor) -> Tensor:
    """What holds for the three tones (batch, 3, count), mixed for each pixel as its luma says."""
    weight: Tensor = tone_weights(luma[:, 0].float()).flatten(1, 2)  # (b, hw, 3)
    return (tones.mT @ weight.mT).reshape(-1, tones.shape[2], *luma.shape[2:])


def spread_over_tones(target: Tensor, estimate: Palettes) -> Palettes:
    """Palettes (batch, count) whose tones are not told: the estimate's, moved as the whole is."""
    tones = estimate.tones * ((target + SHARE_FLOOR) / (estimate.whole + SHARE_FLOOR))[:, None]
    return Palettes(target, tones / tones.sum(2, keepdim=True).clamp(min=1e-9))


def no_hints(batch: int, device: torch.device) -> Hints:
    """One hint for each photo that says nothing."""
    place = torch.full((batch, 1, 2), 0.5, device=device)
    return Hints(place, torch.zeros_like(place), torch.zeros(batch, 1, device=device))


def measure_palettes(bins: Bins, ab: Tensor, luma: Tensor) -> Palettes:
    """The true palettes of chroma (batch, h, w, 2) with luma (batch, h, w)."""
    index, share = bins.encode(ab)
    weight = torch.cat([torch.ones_like(luma)[..., None], tone_weights(luma)], -1)  # (b, h, w, 4)
    flat = torch.zeros(len(ab), bins.count, 1 + TONES, device=ab.device)
    part = share[..., :, None] * weight[..., None, :]  # (b, h, w, 4 bins, 4 parts)
    where = index.flatten(1)[..., None].expand(-1, -1, 1 + TONES)
    flat.scatter_add_(1, where, part.flatten(1, 3))
    flat = flat.mT
    whole = flat[:, 0] / flat[:, 0].sum(1, keepdim=True)
    tones = flat[:, 1:] + TRACE * flat[:, :1]
    return Palettes(whole, tones / tones.sum(2, keepdim=True))
