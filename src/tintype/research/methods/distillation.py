"""A teacher that knows what photographs show: a MobileNetV2 for ImageNet (Sandler et al. 2018).

    photos ──▶ Teacher ──▶ its outputs of every photo: features on a grid, shares of the classes

It looks at the color photos once, before a run; the encoder, which sees them in gray, learns to
tell the same (feature distillation, Romero et al. 2015; soft labels, Hinton et al. 2015). No weight
of it goes anywhere.
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from tintype.errors import DataError
from tintype.research.data import photo_set
from tintype.research.methods import checkpoint

SIDE = 160  # pixels, at which the teacher sees a photo, squeezed to a square
GRID = 8  # cells to a side that its features are kept in
WIDTH = 96  # features: of the last layer at 1/16 of the size
CLASSES = 1001  # 0 is the background, then ImageNet's order
BLOCKS = (  # t, c, n, s of the paper's Table 2
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class Layer(nn.Module):
    """A convolution, its batch norm folded in, and ReLU6 unless linear."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        stride: int = 1,
        *,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, size, size))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.stride, self.groups, self.linear = stride, groups, linear

    def forward(self, x: Tensor) -> Tensor:
        after = self.weight.shape[-1] // 2
        before = after if self.stride == 1 else 0  # TensorFlow's "same", of even sizes
        x = F.pad(x, (before, after, before, after))
        x = F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)
        return x if self.linear else F.relu6(x)


class Block(nn.Module):
    """An inverted residual: widen, convolve each channel, narrow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [] if expansion == 1 else [Layer(inputs, wide, 1)]
        layers += [Layer(wide, wide, 3, stride, groups=wide)]
        layers += [Layer(wide, outputs, 1, linear=True)]
        self.layers = nn.Sequential(*layers)
        self.carried = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.carried else out


class Teacher(nn.Module):
    """MobileNetV2 at width 1: features at 1/16 of a photo's size, and its classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Layer(3, 32, 3, 2)
        blocks: list[Block] = []
        width = 32
        for expansion, outputs, count, stride in BLOCKS:
            for i in range(count):
                blocks.append(Block(width, outputs, stride if i == 0 else 1, expansion))
                width = outputs
                if outputs == WIDTH:
                    self.tap = len(blocks)
        self.blocks = nn.ModuleList(blocks)
        self.head = Layer(width, 1280, 1)
        self.classify = Layer(1280, CLASSES, 1, linear=True)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """The features and the logits of `look`."""
        features, _, logits = self.look(rgb)
        return features, logits

    def look(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """rgb: (batch, 3, h, w), 0..1, sides multiples of 32.

        Returns features (batch, 96, h/16, w/16), the last ones pooled (batch, 1280), and logits
        (batch, 1001).
        """
        x = self.stem(2 * rgb - 1)
        for block in self.blocks[: self.tap]:
            x = block(x)
        features = x
        for block in self.blocks[self.tap :]:
            x = block(x)
        pooled = self.head(x).mean((2, 3), keepdim=True)
        return features, pooled[:, :, 0, 0], self.classify(pooled)[:, :, 0, 0]


def load(path: Path) -> Teacher:
    """The teacher from an .npz of its layers in order, kernels as TensorFlow Lite has them.

    Raises DataError where the file is another network's.
    """
    try:
        with np.load(path) as file:
            arrays = [file[name] for name in sorted(file.files)]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: expected an .npz of a MobileNetV2, found {error}") from None
    teacher = Teacher().eval()
    layers = [module for module in teacher.modules() if isinstance(module, Layer)]
    if len(arrays) != 2 * len(layers):
        raise DataError(f"{path}: expected {2 * len(layers)} arrays, found {len(arrays)}")
    for layer, bias, kernel in zip(layers, arrays[::2], arrays[1::2], strict=True):
        weight = torch.from_numpy(
            kernel.transpose((3, 0, 1, 2) if layer.groups > 1 else (0, 3, 1, 2))
        )
        if weight.shape != layer.weight.shape or bias.shape != layer.bias.shape:
            wanted, found = tuple(layer.weight.shape), tuple(weight.shape)
            raise DataError(f"{path}: expected a kernel of {wanted}, found {found}")
        layer.weight.data = weight.contiguous(memory_format=torch.channels_last)
        layer.bias.data = torch.from_numpy(bias)
    return teacher.requires_grad_(False)


class Head(nn.Module):
    """Estimates from the encoder's features what a teacher gives of the color photo."""

    def __init__(self, width: int, summary: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(width, WIDTH, 1)
        self.classes = nn.Linear(summary, CLASSES)

    def forward(
        self, features: Tensor, summary: Tensor, targets: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Mean squared error of the teacher's features; cross entropy of its classes, less its own.

        features: (batch, width, h/16, w/16); summary: (batch, summary); targets: features
        (batch, 96, h/16, w/16) of deviation 1, and shares of the classes (batch, 1001)
        """
        deep, shares = targets
        error = (self.features(features).float() - deep).square().mean()
        found = self.classes(summary).float().log_softmax(1)
        return error, F.kl_div(found, shares, reduction="batchmean")


@dataclass(frozen=True)
class TeacherOutputs:
    """What the teacher gave of every photo.

    features: (photos, 96, 8, 8) float16, of mean 0 and deviation 1 over all photos
    logits: (photos, 1001) float16
    """

    features: Tensor
    logits: Tensor

    def cut(self, index: Tensor, boxes: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Features (batch, 96, size/16, size/16) of crops, and classes' shares (batch, 1001).

        index: (batch,) which photos; boxes: (batch, 4) left, top, right, bottom of the crops, in
            -1..1 of the photos; a crop that is mirrored has its right before its left
        size: of the crops, pixels
        """
        cells = size // 16
        device = boxes.device
        steps = (torch.arange(cells, device=device) + 0.5) / cells
        left, top, right, bottom = boxes.T[:, :, None]
        x, y = left + (right - left) * steps, top + (bottom - top) * steps
        grid = torch.stack(
            [x[:, None, :].expand(-1, cells, -1), y[:, :, None].expand(-1, -1, cells)], -1
        )
        features = self.features[index].float().to(device)
        cut = F.grid_sample(features, grid, padding_mode="border", align_corners=False)
        return cut, self.logits[index].float().to(device).softmax(1)


@torch.no_grad()
def run_teacher(path: Path, photos: photo_set.PhotoSet, cache: Path) -> TeacherOutputs:
    """What the teacher in the file `path` gives of the photos; kept in the file `cache`.

    Raises DataError where the file is none.
    """
    device = photos.pixels.device
    teacher = load(path).to(device)
    source = hashlib.sha256(path.read_bytes() + "\n".join(photos.keys).encode()).hexdigest()
    if cache.exists():
        state, about = checkpoint.load(cache)
        if about.get("source") == source:
            return TeacherOutputs(state["features"], state["logits"])
    features = torch.empty(len(photos), WIDTH, GRID, GRID, dtype=torch.float16)
    logits = torch.empty(len(photos), CLASSES, dtype=torch.float16)
    bar = tqdm(desc="asking the teacher", total=len(photos), unit=" photos", disable=None)
    for start in range(0, len(photos), 64):
        rows = range(start, min(start + 64, len(photos)))
        squares = [Image.fromarray(photos.photo(i)).resize((SIDE, SIDE)) for i in rows]
        rgb = torch.from_numpy(np.stack([np.asarray(s) for s in squares])).to(device)
        deep, classes = teacher(rgb.permute(0, 3, 1, 2).float() / 255)
        features[start : rows.stop] = F.adaptive_avg_pool2d(deep, GRID).half().cpu()
        logits[start : rows.stop] = classes.half().cpu()
        bar.update(len(rows))
    bar.close()
    _standardize(features)
    checkpoint.save(cache, {"features": features, "logits": logits}, {"source": source})
    return TeacherOutputs(features, logits)


def _standardize(features: Tensor) -> None:
    """Bring features (photos, width, h, w) to mean 0 and deviation 1, in place."""
    sample = features[:: max(1, len(features) // 4096)].float()
    deviation, mean = torch.std_mean(sample, (0, 2, 3), keepdim=True)
    for start in range(0, len(features), 4096):
        part = features[start : start + 4096]
        part.copy_((part.float() - mean) / deviation)
