"""The trees, what they are grown on, and the photos that new ones are matched with."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype import color
from tintype.bins import Bins
from tintype.research.data.rng import Generators
from tintype.research.methods import ranges
from tintype.research.methods.deshpande2015 import features, trees
from tintype.research.methods.deshpande2015.features import Places
from tintype.research.methods.deshpande2015.inference import Objective
from tintype.research.methods.palettes import Palettes, measure_palettes

MATCHED = 9  # photos
THUMBNAIL = 16  # pixels, side of what photos are matched by, and of their chroma
MARGIN = 0.25  # e
CROWD = 40  # pixels of a crop that a tree learns from, on average
LATTICE = 4  # pixels of a crop that a step learns from, each way
FAINT = 0.02  # chroma of a network that has learned nothing


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again, and how it is trained."""

    trees: int = 8
    samples: int = 10_000  # pixels that a tree learns from, and as many for its line search
    bank: int = 2048  # crops of training photos that photos are matched with
    hues: int = 24  # of the palette's bins
    saturations: tuple[float, ...] = (0.08, 0.16, 0.26, 0.4, 0.6, 0.9)  # of the palette's bins

    @property
    def bins(self) -> Bins:
        """The bins of palettes, of hue and saturation, which c1 and c2 depend on alone."""
        return Bins(self.hues, tuple(self.saturations), "hsv")


class Network(nn.Module):
    """Trees of 1, 2, 4 ... leaves, one array after the other, and how far each of them counts."""

    filters: Tensor  # (2 x filters, 1, side, side) of chroma
    first_rows: Tensor
    texture_filters: Tensor
    split_scale: Tensor  # (2, split numbers): means and deviations
    texture_scale: Tensor
    bank_gray: Tensor  # (bank, THUMBNAIL**2) of length 1
    bank_chroma: Tensor  # (bank, 2, THUMBNAIL, THUMBNAIL)

    def __init__(self, config: Config) -> None:
        super().__init__()
        _check(config)
        self.config = config
        count, leaves, rows = config.trees, 2**config.trees - 1, trees.ROWS - 2
        self.row_steps = nn.Parameter(torch.ones(count))
        self.aim_steps = nn.Parameter(torch.ones(count))
        self.nodes = _keep(torch.zeros(leaves - count, features.SPLIT + 2))
        self.rows = _keep(torch.zeros(leaves, rows, 2 * features.FILTERS))
        self.slopes = _keep(torch.zeros(leaves, features.REGRESSED + 1, trees.ROWS))
        self.nodes[:, -2:] = 1  # of which all goes left
        self.slopes[0, -1, :2] = FAINT
        fixed = features.make_fixed_filters()
        own = F.pad(fixed, (0, 0, 0, 0, features.FILTERS - len(fixed), 0))
        self.register_buffer("filters", torch.cat([own, own])[:, None])
        self.register_buffer("first_rows", pick_first_rows(rows), persistent=False)
        self.register_buffer("texture_filters", features.make_texture_filters(), persistent=False)
        for name, size in (("split", features.SPLIT), ("texture", features.REGRESSED)):
            scale = torch.stack([torch.zeros(size), torch.ones(size)])
            self.register_buffer(f"{name}_scale", scale)
        self.register_buffer("bank_gray", torch.zeros(config.bank, THUMBNAIL**2))
        self.register_buffer("bank_chroma", torch.zeros(config.bank, 2, THUMBNAIL, THUMBNAIL))

    # --- what is known of pixels ---

    def match(self, gray: Tensor) -> Tensor:
        """Chroma (batch, MATCHED, 2, THUMBNAIL, THUMBNAIL) of the crops that are most alike."""
        alike = _shrink(gray) @ self.bank_gray.T
        return self.bank_chroma[alike.topk(MATCHED, 1).indices]

    def describe(self, gray: Tensor, places: Places) -> tuple[Tensor, Tensor]:
        """What trees ask for, and what leaves are linear in, with a 1: of (batch, 1, h, w)."""
        matched, size = self.match(gray), gray.shape[-2:]
        mean, deviation = (
            F.interpolate(plane, size, mode="bilinear")
            for plane in (matched.mean(1), matched.std(1))
        )
        split = features.measure_split(gray, mean, deviation, places)
        texture = features.measure_texture(gray, self.texture_filters, places)
        split = (split - self.split_scale[0]) / self.split_scale[1]
        texture = (texture - self.texture_scale[0]) / self.texture_scale[1]
        return split, F.pad(texture, (0, 1), value=1.0)

    def ask(
        self, split: Tensor, texture: Tensor, numbers: range, steps: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """What trees add to the rows (n, ROWS - 2, 2 x filters) and to b (n, ROWS).

        steps: (len(numbers),) how far each counts for the rows, and for b
        """
        aim = split.new_zeros(len(split), trees.ROWS)
        every = []
        for number, row_step, aim_step in zip(numbers, *steps, strict=True):
            leaves, nodes = self._find_tree(number)
            shares = trees.share_leaves(split, self.nodes[nodes])
            every.append(row_step * shares)
            aim = aim + aim_step * _ask_leaves(shares, texture, self.slopes[leaves])
        if not every:
            return torch.zeros_like(self.rows[:1]), aim
        first, last = self._find_tree(numbers[0])[0], self._find_tree(numbers[-1])[0]
        rows = torch.cat(every, 1) @ self.rows[first.start : last.stop].flatten(1)
        return rows.view(-1, *self.rows.shape[1:]), aim

    def ask_first(self, split: Tensor, texture: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """What the first trees say together: sums of rows, not yet orthonormal, and b."""
        steps = self.row_steps[:count], self.aim_steps[:count]
        rows, aim = self.ask(split, texture, range(count), steps)
        return (self.first_rows + rows).expand(len(split), -1, -1), aim

    def _find_tree(self, number: int) -> tuple[slice, slice]:
        """Where a tree's leaves are, and where its nodes."""
        before, leaves = 2**number - 1, 2**number
        return slice(before, before + leaves), slice(before - number, before - number + leaves - 1)

    # --- learning ---

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Learn, but for steps: fill the bank with RGB crops, and grow the trees on others."""
        count, per = self.config.trees, -(-self.config.samples // CROWD)
        wanted = self.config.bank + 2 * per * count
        rgb = torch.cat(batches[: -(-wanted // len(batches[0]))])
        rgb = rgb[torch.arange(wanted, device=rgb.device) % len(rgb)]
        self._fill_bank(rgb[: self.config.bank])
        parts = rgb[self.config.bank :].view(count, 2, per, *rgb.shape[1:])
        generator = torch.Generator().manual_seed(0)
        self._measure_scales(parts[0, 0], self._draw(parts[0, 0], generator))
        for number in range(count):
            fit, check = (
                self.sample(part, self._draw(part, generator), number) for part in parts[number]
            )
            self._add_tree(number, fit, check, generator)

    def _fill_bank(self, rgb: Tensor) -> None:
        self.bank_gray.copy_(_shrink(_to_gray(rgb)))
        self.bank_chroma.copy_(F.adaptive_avg_pool2d(_to_planes(rgb), THUMBNAIL))

    def _measure_scales(self, rgb: Tensor, places: Places) -> None:
        """Find the principal components of chroma's patches, and how large descriptors are."""
        planes = _to_planes(rgb)
        for number, filters in enumerate(self.filters.chunk(2)):
            found = [
                features.find_components(planes[:, number, None], half, count, places)
                for half, count in features.COMPONENTS.items()
            ]
            filters[: sum(map(len, found)), 0] = torch.cat(found)
        split, texture = self.describe(_to_gray(rgb), places)
        for scale, one in ((self.split_scale, split), (self.texture_scale, texture[:, :-1])):
            scale.copy_(torch.stack([one.mean(0), one.std(0).clamp(min=1e-4)]))

    def _draw(self, rgb: Tensor, generator: torch.Generator) -> Places:
        """As many random places of crops as a tree learns from."""
        drawn = torch.rand(3, self.config.samples, generator=generator)
        i, y, x = (drawn * torch.tensor(rgb.shape[:3])[:, None]).long().to(rgb.device)
        return i, y, x

    def sample(self, rgb: Tensor, places: Places, count: int) -> trees.Samples:
        """Places of RGB crops, and what the first trees say of them."""
        split, texture = self.describe(_to_gray(rgb), places)
        i, y, x = places
        response = features.respond(_to_planes(rgb), self.filters)[i, :, y, x]
        return trees.Samples(split, texture, response, *self.ask_first(split, texture, count))

    def _add_tree(
        self, number: int, fit: trees.Samples, check: trees.Samples, generator: torch.Generator
    ) -> None:
        """Grow a tree on some pixels, and find on others how far it should count."""
        leaves, nodes = self._find_tree(number)
        self.nodes[nodes] = trees.grow(fit.split, fit.truth - fit.aim, number, generator)
        shares = trees.share_leaves(fit.split, self.nodes[nodes])
        for leaf, share in zip(range(leaves.start, leaves.stop), shares.T, strict=True):
            if share.any():
                self.rows[leaf], self.slopes[leaf] = trees.fit_leaf(fit, share)
        once = self.row_steps.new_ones(1)
        rows, aim = self.ask(check.split, check.texture, range(number, number + 1), (once, once))

        def cost(rows_step: float, aim_step: float) -> float:
            truth = check.weigh(check.rows + rows_step * rows)
            return float(measure_cost(truth, check.aim + aim_step * aim).mean())

        far = trees.search_line(lambda step: cost(step, 0), 1)
        self.row_steps[number] = far
        self.aim_steps[number] = trees.search_line(lambda step: cost(far, step), 1)

    def forward(
        self, rgb: Tensor, _labels: Tensor, _generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The cost of RGB crops (batch, h, w, 3), 0..1, at a lattice of places; and for c1 and c2.

        Its gradient is of how far trees count alone.
        """
        middles = (torch.arange(LATTICE, device=rgb.device) + 0.5) / LATTICE
        high, wide = (middles * size for size in rgb.shape[1:3])
        with torch.autocast(rgb.device.type, enabled=False):
            places = features.list_places(len(rgb), high.long(), wide.long())
            samples = self.sample(rgb, places, self.config.trees)
            loss = measure_cost(samples.truth, samples.aim).mean()
            pixels = (samples.aim - samples.response[:, : trees.ROWS])[:, :2].square().sum(1).mean()
        return loss, {"pixels": pixels.detach()}

    # --- coloring ---

    @torch.no_grad()
    def encode(self, gray: Tensor) -> tuple[list[Tensor], Palettes, Palettes]:
        """Features of gray photos (batch, 1, h, w), 0..1, and their estimated palettes, twice.

        Features: chroma (batch, 2, h, w), and rows (batch, ROWS - 2, 2 x filters, h, w).
        """
        chroma, rows = zip(*(self._paint(photo[None]) for photo in gray), strict=True)
        estimate = self.estimate(gray)
        return [torch.cat(chroma), torch.stack(rows)], estimate, estimate

    def _paint(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        high, wide = (torch.arange(size, device=gray.device) for size in gray.shape[-2:])
        described = self.describe(gray, features.list_places(1, high, wide))
        rows, aim = self.ask_first(*described, self.config.trees)
        rows = trees.orthonormalize(rows).permute(1, 2, 0).contiguous()
        objective = Objective(self.filters, rows.view(*rows.shape[:2], *gray.shape[-2:]))
        return objective.solve(aim.T.reshape(1, -1, *gray.shape[-2:])), objective.rows

    def estimate(self, gray: Tensor) -> Palettes:
        """The mean palettes of the photos that gray ones (batch, 1, h, w) match."""
        bins, chroma = self.config.bins, self.match(gray).permute(0, 1, 3, 4, 2).flatten(1, 3)
        rgb = features.to_rgb(chroma, torch.ones_like(chroma[..., 0]))
        plane = bins.chroma(rgb / rgb.amax(-1, keepdim=True))
        return Palettes.of_shares(measure_palettes(*bins.encode(plane), bins.count))


def measure_cost(truth: Tensor, aim: Tensor) -> Tensor:
    """The cost (n,) of u (n, k) = A t of the truth where b (n, k) is aimed at.

    By how much the truth costs more than what is cheapest, if colors are as much cheaper as they
    are far from the truth: E(u) = |u|**2 / 2 - u b, less |u - truth|**2 MARGIN / 2.
    """
    own = (1 + MARGIN) / 2 * truth.square().sum(-1) - (truth * aim).sum(-1)
    return own + (aim - MARGIN * truth).square().sum(-1) / (2 * (1 - MARGIN))


def _ask_leaves(shares: Tensor, texture: Tensor, slopes: Tensor) -> Tensor:
    """b (n, ROWS) of leaves, in whose shares (n, leaves) most are 0."""
    aim = texture.new_zeros(len(texture), trees.ROWS)
    for share, slope in zip(shares.T, slopes, strict=True):
        inside = share.nonzero()[:, 0]
        aim.index_add_(0, inside, share[inside, None] * (texture[inside] @ slope))
    return aim


def pick_first_rows(count: int) -> Tensor:
    """Rows (count, 2 x filters) of A that pick filters: of each plane the Gaussians and Laplacians.

    All half-widths' but for the narrowest Gaussian.
    """
    kinds = len(features.BARS) + 2
    begin = features.FILTERS - kinds * len(features.HALF_WIDTHS)
    picked = [begin + kinds * i + kinds - 2 for i in range(len(features.HALF_WIDTHS))]
    picked += [begin + kinds * i + kinds - 1 for i in range(1, len(features.HALF_WIDTHS))]
    picked += [features.FILTERS + number for number in picked]
    return F.one_hot(torch.tensor(picked[:count]), 2 * features.FILTERS).float()


def _check(config: Config) -> None:
    """Raise DataError for fields that say no network."""
    least = {"trees": 1, "samples": 2, "bank": MATCHED}
    allowed = {name: (count, math.inf) for name, count in least.items()}
    ranges.check(config, allowed | {"hues": (1, 360), "saturations": (0.01, 1)})
    ranges.check_rising(config, "saturations")


def _keep(values: Tensor) -> nn.Parameter:
    """Weights that are counted as such, but not learned by steps."""
    return nn.Parameter(values, requires_grad=False)


def _to_gray(rgb: Tensor) -> Tensor:
    gray: Tensor = color.luma(rgb)[:, None]
    return gray


def _to_planes(rgb: Tensor) -> Tensor:
    return features.to_chroma(rgb).permute(0, 3, 1, 2)


def _shrink(gray: Tensor) -> Tensor:
    """What photos are matched by, (batch, THUMBNAIL**2) of length 1: small, as bright, as harsh."""
    small = F.adaptive_avg_pool2d(gray, THUMBNAIL).flatten(1)
    return F.normalize(small - small.mean(1, keepdim=True), dim=1)
