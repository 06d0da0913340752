"""VGG-16's later layers from photos with classes, where the published weights are not at hand.

    gray ─▶ stages of a teacher, pinned ─▶ the other stages ─▶ mean ─▶ linear ─▶ class

It is trained by the loop that trains every method; what is left is a file that `vgg16.load` reads.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tintype.errors import DataError
from tintype.research.data.aging import age
from tintype.research.data.rng import Generators
from tintype.research.methods import checkpoint, vgg16
from tintype.research.methods.losses import label_loss

LATER = vgg16.STAGES[3][0]  # the first convolution that is trained beside a teacher


@dataclass(frozen=True)
class Config:
    """What is needed to build the network again."""

    teacher: str = ""  # an .npz of the first three stages; empty trains all of them
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    classes: int = 512  # that there is room for


class Network(nn.Module):
    """A VGG-16 with a linear classifier on the mean of conv5_3."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.vgg = vgg16.Vgg16(config.widths)
        if config.teacher:
            self.vgg = vgg16.from_teacher(Path(config.teacher), self.vgg)
            for number, layer in self.vgg.features.items():
                layer.requires_grad_(int(number) >= LATER)
        self.classify = nn.Linear(config.widths[-1], config.classes)

    @torch.no_grad()
    def count_colors(self, batches: list[Tensor]) -> None:
        """Bring the first trained layer to the scale of a teacher's features, in the hundreds."""
        first = self.vgg.features[str(LATER)]
        if self.config.teacher and isinstance(first, nn.Conv2d):
            gray = batches[0][:64].mean(-1)[:, None].expand(-1, 3, -1, -1)
            scale = self.vgg(gray, 3)[-1].square().mean().sqrt()
            first.weight.div_(scale)

    def forward(
        self, rgb: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross entropy of the classes (batch,) of RGB crops (batch, h, w, 3), and its parts."""
        with torch.autocast(rgb.device.type, enabled=False):
            gray = age(rgb, generators)
        deepest = self.vgg(gray.expand(-1, 3, -1, -1))[-1]
        logits = self.classify(deepest.float().mean((2, 3))).float()
        loss = label_loss(logits, labels)
        right = (logits.argmax(1) == labels).float().mean()
        return loss, {"labels": loss.detach(), "right": right}


def extract(run: Path) -> Path:
    """Leave a run's VGG-16 as `vgg16.safetensors` in its folder, and give its path.

    Raises DataError where the folder holds no such run.
    """
    tensors, about = checkpoint.load(run / "model.safetensors")
    if about["method"] != "vgg16":
        raise DataError(f"{run}: expected a run of pretrain-vgg, found {about['method']}")
    network = vgg16.Vgg16(tuple(about["config"]["widths"]))
    inner = {k.removeprefix("vgg."): v for k, v in tensors.items() if k.startswith("vgg.")}
    network.load_state_dict(inner)
    vgg16.save(network, run / "vgg16.safetensors", about)
    return run / "vgg16.safetensors"
