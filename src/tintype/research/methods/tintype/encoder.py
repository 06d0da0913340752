"""The encoder's own part: what the backbone saw, joined from the deepest view to the finest.

    views, luma ─▶ Neck ─▶ features, keys ──────────────▶ the decoder
                     └─▶ what is deepest ─▶ PaletteHead ─▶ shares of the prototype palettes

All that depends neither on palette nor on hints is done here, so that an edit costs little.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        """(batch, width, h, w) of as many."""
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
        """(batch, width, h, w) of as many."""
        b, c, h, w = x.shape
        x = x + self.place(x)
        tokens = x.flatten(2).transpose(1, 2)  # (b, hw, c)
        qkv = self.qkv(self.norm(tokens)).reshape(b, h * w, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (b, heads, hw, c / heads)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        tokens = tokens + self.out(mixed)
        tokens = tokens + self.narrow(F.gelu(self.widen(self.norm2(tokens)), approximate="tanh"))
        out: Tensor = tokens.transpose(1, 2).reshape(b, c, h, w)
        return out


def upsample(x: Tensor, size: torch.Size) -> Tensor:
    """(batch, c, h, w) at another size, linearly between cells."""
    return F.interpolate(x, size, mode="bilinear")


class Neck(nn.Module):
    """The backbone's views, and details of its own, from the deepest to the finest, joined."""

    def __init__(
        self,
        views: tuple[int, ...],
        widths: tuple[int, ...],
        keys: int,
        heads: tuple[int, int],
    ) -> None:
        """views, widths: of the backbone's views and of the features, the finest first

        heads: of the attention at 1/16 and at 1/32
        """
        super().__init__()
        fine, third, fourth, deep = widths
        self.detail = nn.Sequential(Convolution(1, 16, 2), Convolution(16, 32, 2))
        self.sides = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(i), nn.Conv2d(i, w, 1, bias=False))
            for i, w in zip((views[0] + 32, *views[1:]), widths, strict=True)
        )
        attend = [Attention(deep, heads[1]), Attention(deep, heads[1])]
        self.deep = nn.Sequential(nn.BatchNorm2d(deep), nn.ReLU(), *attend)
        self.down = nn.ModuleList(
            nn.Conv2d(inner, outer, 1, bias=False)
            for inner, outer in ((third, fine), (fourth, third), (deep, fourth))
        )
        attend = [Attention(fourth, heads[0]), Attention(fourth, heads[0])]
        self.join = nn.ModuleList(
            [
                nn.Sequential(nn.BatchNorm2d(fine), nn.ReLU(), Residual(fine)),
                nn.Sequential(nn.BatchNorm2d(third), nn.ReLU(), Residual(third)),
                nn.Sequential(nn.BatchNorm2d(fourth), nn.ReLU(), *attend),
            ]
        )
        self.project = nn.ModuleList(nn.Conv2d(w, w, 1, bias=False) for w in widths)
        self.keys = nn.Conv2d(fine, keys, 1)

    def forward(self, luma: Tensor, views: list[Tensor]) -> tuple[list[Tensor], Tensor, Tensor]:
        """luma: (batch, 1, h, w), 0..1; views: the backbone's.

        Returns features (the finest first), keys (batch, keys, h/4, w/4), and what is deepest.
        """
        views = [torch.cat([views[0], self.detail(4 * (luma - 0.5))], 1), *views[1:]]
        sides = [side(view) for side, view in zip(self.sides, views, strict=True)]
        x = deep = self.deep(sides[3])
        joined = [x]
        for level in (2, 1, 0):
            inner = upsample(self.down[level](x), sides[level].shape[-2:])
            x = self.join[level](sides[level] + inner)
            joined.insert(0, x)
        features = [p(x) for p, x in zip(self.project, joined, strict=True)]
        return features, self.keys(joined[0]), deep


class PaletteHead(nn.Module):
    """What is deepest, pooled by attention -> how much of each prototype palette is estimated."""

    def __init__(self, deep: int, embedding: int, vocabulary: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(deep, 4, 1)
        self.norm = nn.LayerNorm(5 * deep)
        self.mix = nn.Sequential(
            nn.Linear(5 * deep, embedding), nn.ReLU(), nn.Linear(embedding, vocabulary)
        )

    def pool(self, deep: Tensor) -> Tensor:
        """(batch, deep, h, w) -> (batch, 5 deep): the mean, and four by attention."""
        cells = deep.flatten(2)
        weight = self.score(deep).flatten(2).softmax(2)  # (b, 4, hw)
        parts = [cells.mean(2), (weight @ cells.transpose(1, 2)).flatten(1)]
        pooled: Tensor = self.norm(torch.cat(parts, 1))
        return pooled
