"""VGG-16's later layers, where the published weights are not at hand.

    gray ─▶ stages of a teacher, pinned ─▶ conv4_3 ─▶ conv5_3 ─▶ mean ─▶ linear ─▶ class
                                              ├──────────┴─▶ linear ─▶ a guide's views
    color, twice as large ─▶ guide, pinned ───┘

They learn the photos' classes and, by a guide, what EfficientNet-Lite sees in color: distillation
of features (Hinton et al. 2015; Romero et al. 2014), which teaches every place of every photo. It
is trained by the loop that trains every method; what is left is a file that `vgg16.load` reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval

from tintype.color import luma
from tintype.errors import DataError
from tintype.research.data import photo_set, shards
from tintype.research.data.aging import age
from tintype.research.data.rng import Generators
from tintype.research.methods import checkpoint, vgg16
from tintype.research.methods.losses import label_loss
from tintype.research.methods.tintype import efficientnet

LATER = vgg16.STAGES[3][0]  # the first convolution that is trained beside a teacher


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    teacher: str = ""  # an .npz of the first three stages; empty trains all of them
    guide: str = ""  # EfficientNet-Lite0's published weights, to learn its views; empty for none
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    classes: int = 512  # that there is room for


class Guide(nn.Module):
    """EfficientNet-Lite0 as it was published, and what is to be read from VGG-16 of its views.

    At twice the size its views at 1/16 and 1/32 lie on conv4_3 and conv5_3.
    """

    def __init__(self, path: Path, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.backbone = efficientnet.load_color(path).requires_grad_(False).eval()
        views = self.backbone.widths[-2:]
        self.read = nn.ModuleList(
            nn.Conv2d(a, b, 1) for a, b in zip(widths[-2:], views, strict=True)
        )

    def train(self, mode: bool = True) -> "Guide":
        """As every module, but its norms stay."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, rgb: Tensor, taps: list[Tensor]) -> Tensor:
        """The mean square error of what is read from the last taps, over the views' variance.

        rgb: (batch, h, w, 3), 0..1; taps: of `vgg16.Vgg16`, of the same photos in gray
        """
        with torch.no_grad():
            large = F.interpolate(rgb.permute(0, 3, 1, 2), scale_factor=2.0, mode="bilinear")
            views = self.backbone(large)[-2:]
        errors = []
        for read, tap, view in zip(self.read, taps[-2:], views, strict=True):
            deviation = view.std((0, 2, 3), keepdim=True) + 1e-3
            errors.append(((read(tap) - view) / deviation).square().mean())
        return torch.stack(errors).sum()


class Network(nn.Module):
    """A VGG-16 with a linear classifier on the mean of conv5_3.

    While they learn, a batch norm follows each of the later convolutions (Ioffe & Szegedy 2015),
    without which they have not begun to; `fold` takes the norms into them.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.vgg = vgg16.Vgg16(config.widths)
        if config.teacher:
            self.vgg = vgg16.from_teacher(Path(config.teacher), self.vgg)
            for number, layer in self.vgg.features.items():
                layer.requires_grad_(int(number) >= LATER)
        for number, layer in self.vgg.features.items():
            if int(number) >= LATER and isinstance(layer, nn.Conv2d):
                norm = nn.BatchNorm2d(layer.out_channels)
                self.vgg.features[number] = nn.Sequential(layer, norm)
        self.classify = nn.Linear(config.widths[-1], config.classes)
        self.guide = Guide(Path(config.guide), config.widths) if config.guide else None

    def count_colors(self, batches: list[Tensor]) -> None:
        """Nothing: the batch norms bring every scale to 1."""

    def look(self, gray: Tensor) -> tuple[list[Tensor], Tensor]:
        """VGG-16's taps of gray photos (batch, 1, h, w), 0..1, and their classes' logits."""
        taps = self.vgg(gray.expand(-1, 3, -1, -1))
        return taps, self.classify(taps[-1].float().mean((2, 3))).float()

    def forward(
        self, rgb: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross entropy of the classes (batch,) of RGB crops (batch, h, w, 3), and its parts.

        With a guide the error of its views is added.
        """
        with torch.autocast(rgb.device.type, enabled=False):
            gray = age(rgb, generators)
        taps, logits = self.look(gray)
        loss = label_loss(logits, labels)
        right = (logits.argmax(1) == labels).float().mean()
        parts = {"labels": loss.detach(), "right": right}
        if self.guide is not None:
            views = self.guide(rgb, taps)
            loss, parts["views"] = loss + views, views.detach()
        return loss, parts


def fold(vgg: vgg16.Vgg16) -> vgg16.Vgg16:
    """The same VGG-16 without norms, each of which is taken into the convolution before it."""
    for number, layer in vgg.features.items():
        if isinstance(layer, nn.Sequential):
            vgg.features[number] = fuse_conv_bn_eval(*layer)
    return vgg


@torch.no_grad()
def measure(run: Path) -> tuple[float, int]:
    """The share of held-out photos whose class a run names, 0..1, and how many there are.

    They are the photos of its own data that it was not trained on, of packs those of the
    validation shards, whole and as they are, in gray.
    """
    network, about = _load(run)
    right = count = 0
    for rgb, label in _load_held(about["run"]):
        gray = luma(torch.from_numpy(rgb)[None].float() / 255)[:, None]
        right += int(network.look(gray)[1].argmax() == label)
        count += 1
    return right / max(1, count), count


def _load_held(run: dict[str, Any]) -> Iterator[tuple[np.ndarray, int]]:
    """The photos (h, w, 3) uint8 that a run holds out and whose class is told, and that class."""
    patterns, size = list(run["data"]), run["size"]
    if packs := shards.find_packs(patterns):
        paths = [str(shard.path) for pack in packs for shard in pack.validation]
        if not paths:
            return
        photos = photo_set.load(paths, size=size)
        classes = set().union(*(pack.classes for pack in packs))
        labels = photos.label(photo_set.number_classes(classes))
    else:
        photos = photo_set.load(patterns, size=size, limit=run.get("limit"))
        labels = photos.labels.where(photo_set.hold_out(photos.keys), -1)
    for i in (labels >= 0).nonzero()[:, 0].tolist():
        yield photos.photo(i), int(labels[i])


def extract(run: Path) -> Path:
    """Leave a run's VGG-16 as `vgg16.safetensors` in its folder, and give its path.

    Raises DataError where the folder holds no such run.
    """
    network, about = _load(run)
    share, count = measure(run)
    known = {"right": share, "of": count} if count else {}
    vgg16.save(fold(network.vgg), run / "vgg16.safetensors", about | known)
    return run / "vgg16.safetensors"


def _load(run: Path) -> tuple[Network, dict[str, Any]]:
    tensors, about = checkpoint.load(run / "model.safetensors")
    if about["method"] != "vgg16":
        raise DataError(f"{run}: expected a run of pretrain-vgg, found {about['method']}")
    kept = {"widths": tuple(about["config"]["widths"]), "classes": about["config"]["classes"]}
    network = Network(Config(**kept))  # a teacher is in it, a guide is not needed any more
    own = {k: v for k, v in tensors.items() if not k.startswith("guide.")}
    network.load_state_dict(own)
    return network.eval(), about
