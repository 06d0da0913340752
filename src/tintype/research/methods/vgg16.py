"""VGG-16's convolutions (Simonyan & Zisserman 2014), pinned under the methods of 2016.

    file or teacher ──▶ Vgg16 ──pin──▶ features of a gray photo at 1/1 to 1/16 of its size

Names and layout are torchvision's (`features.N.weight`), so that its published weights load as
they are. Those expect (RGB - mean) / deviation; the older BGR weights differ in their scale, which
is folded into the first kernels, and in their mean, which cannot be folded into the first biases:
at the borders the zeros beside the photo would then stand for black, not for the mean. The mean
is therefore kept beside the weights and subtracted.
"""

import hashlib
import http.client
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.errors import DataError
from tintype.research.methods import checkpoint
from tintype.research.methods.published import read_arrays, read_tensors

URL = "https://download.pytorch.org/models/vgg16-397923af.pth"
MEAN = (0.485, 0.456, 0.406)  # RGB, of torchvision's weights
DEVIATION = (0.229, 0.224, 0.225)
TEACHER_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)  # RGB, of the older weights
STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))  # torchvision's numbers
TEACHER_NAMES = {
    f"conv{stage}_{i}.{part}": f"features.{number}.{part}"
    for stage, numbers in enumerate(STAGES, start=1)
    for i, number in enumerate(numbers, start=1)
    for part in ("weight", "bias")
}


class Vgg16(nn.Module):
    """The thirteen convolutions, up to conv5_3. `widths` are the channels of the five stages."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, widths: tuple[int, ...] = (64, 128, 256, 512, 512)) -> None:
        super().__init__()
        self.widths = widths
        layers: dict[str, nn.Module] = {}
        inputs = 3
        for numbers, width in zip(STAGES, widths, strict=True):
            for number in numbers:
                layer = nn.Conv2d(inputs, width, 3, 1, 1)
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # else deep ones starve
                layers[str(number)] = layer
                inputs = width
        self.features = nn.ModuleDict(layers)
        self.register_buffer("mean", torch.tensor(MEAN))
        self.register_buffer("deviation", torch.tensor(DEVIATION), persistent=False)

    def forward(self, rgb: Tensor, stages: int = 5) -> list[Tensor]:
        """What leaves each stage before its max-pool: conv1_2, conv2_2, conv3_3, conv4_3, conv5_3.

        rgb: (batch, 3, h, w), 0..1, sides of at least 2 ** (stages - 1)
        Returns (batch, widths[i], h // 2**i, w // 2**i), not negative, for each i below `stages`.
        """
        x = (rgb - self.mean[:, None, None]) / self.deviation[:, None, None]
        taps: list[Tensor] = []
        for numbers in STAGES[:stages]:
            if taps:
                x = F.max_pool2d(x, 2)
            for number in numbers:
                x = F.relu(self.features[str(number)](x))
            taps.append(x)
        return taps


class Pinned(nn.Module):
    """A VGG-16 that is neither trained nor stored in checkpoints, only its fingerprint is.

    Its 59 MB would otherwise be written twice a minute, averaged at every step, and copied into
    every checkpoint; the file named in the config has them already. The fingerprint makes sure
    that it is the same file: loading a checkpoint over other weights raises DataError.
    """

    fingerprint: Tensor  # (32,) uint8 sha256 of the weights

    def __init__(self, vgg: Vgg16) -> None:
        super().__init__()
        self.widths = vgg.widths
        digest = hashlib.sha256()
        for tensor in vgg.state_dict().values():
            digest.update(tensor.detach().cpu().contiguous().numpy())
        self.register_buffer("fingerprint", torch.tensor(list(digest.digest()), dtype=torch.uint8))
        for module in vgg.modules():
            tensors = [*module.named_parameters(recurse=False), *module.named_buffers("", False)]
            for name, tensor in tensors:
                delattr(module, name)
                module.register_buffer(name, tensor.detach(), persistent=False)
        self.vgg = vgg
        self.register_load_state_dict_pre_hook(_same_weights)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def forward(self, gray: Tensor, stages: int = 5) -> list[Tensor]:
        """The taps of `Vgg16`, of gray photos (batch, 1, h, w), 0..1, copied to three channels."""
        taps: list[Tensor] = self.vgg(gray.expand(-1, 3, -1, -1), stages)
        return taps


def _same_weights(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    stored, own = state.get(f"{prefix}fingerprint"), module.fingerprint
    if stored is not None and not torch.equal(stored.cpu(), torch.as_tensor(own).cpu()):
        raise DataError("vgg: expected the file that the checkpoint was trained on, found another")


def load_pinned(file: str) -> Pinned:
    """The VGG-16 of a method's config. Raises DataError where the config names no file."""
    if not file:
        raise DataError(
            "vgg: expected a file of VGG-16's weights (--set vgg=FILE), found none; "
            "fetch them by `tintype weights fetch vgg16`, or train them by `tintype pretrain-vgg`"
        )
    return Pinned(load(Path(file)))


def load(path: Path) -> Vgg16:
    """Read a VGG-16 from torchvision's `.pth` or a safetensors file; what classifies is left out.

    The channels of each stage are those of the file. Raises DataError for anything else.
    """
    found = read_tensors(path, "VGG-16")
    tensors = {k: v for k, v in found.items() if k.startswith("features.") or k == "mean"}
    wanted = [f"features.{numbers[-1]}.bias" for numbers in STAGES]
    if missing := [name for name in wanted if name not in tensors]:
        raise DataError(f"{path}: expected VGG-16's {missing[0]}, found none")
    vgg = Vgg16(tuple(len(tensors[name]) for name in wanted))
    tensors.setdefault("mean", vgg.mean)
    try:
        vgg.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        why = str(error).splitlines()[-1].strip()
        raise DataError(f"{path}: expected VGG-16's convolutions, found others: {why}") from None
    return vgg


def save(vgg: Vgg16, path: Path, about: dict[str, Any]) -> None:
    """Write a safetensors file that `load` reads: `features.N.weight`, `.bias` and `mean`."""
    checkpoint.save(path, vgg.state_dict(), about)


def describe_origin(path: Path) -> str:
    """Where a file's weights come from, in words, as far as the file says it."""
    try:
        _, about = checkpoint.load(path)
    except DataError:
        return path.name  # torchvision's own file
    if "source" in about:
        return f"published weights, {about['source']}"
    config, minutes = about.get("config", {}), about.get("elapsed", 0) / 60
    photos = ", ".join(Path(name).name for name in about.get("run", {}).get("data", ()))
    teacher, guide = (Path(config.get(name) or "").name for name in ("teacher", "guide"))
    words = f"first stages from {teacher}, the others" if teacher else "all stages"
    words += f" trained here for {minutes:.0f} minutes on the classes of {photos or 'photos'}"
    words += f" and the views of {guide}" if guide else ""
    right = f"{100 * about['right']:.0f} % of {about['of']}" if "right" in about else ""
    return f"{words}; names the class of {right} held-out photos" if right else words


def from_teacher(teacher: Path, later: Vgg16) -> Vgg16:
    """A VGG-16 whose first layers are a teacher's, and whose other layers are those of `later`.

    teacher: a `.npz` of `conv1_1.weight` (out, in, 3, 3), `conv1_1.bias` (out,) and so on, which
        takes BGR, 0..255, minus its mean
    later: its first layers are replaced; what was trained for another mean must be trained on
    Raises DataError where the file is none or its layers do not fit.
    """
    arrays = read_arrays(teacher, "VGG-16")
    state = later.state_dict()
    for name, array in arrays.items():
        place = TEACHER_NAMES.get(name)
        if place is None or state[place].shape != array.shape:
            raise DataError(f"{teacher}: expected VGG-16's layers, found {name} {[*array.shape]}")
        state[place] = torch.from_numpy(array)
    if "conv1_1.weight" not in arrays:
        raise DataError(f"{teacher}: expected VGG-16's conv1_1.weight, found none")
    first = state["features.0.weight"]
    scale = 255 * torch.tensor(DEVIATION)[:, None, None]  # from what `forward` gives to 0..255
    state["features.0.weight"] = first.flip(1) * scale
    state["mean"] = torch.tensor(TEACHER_MEAN)
    vgg = Vgg16(later.widths)
    vgg.load_state_dict(state)
    return vgg


def fetch(target: Path, url: str = URL) -> None:
    """Download torchvision's weights and leave their convolutions as a safetensors file.

    The file's sha256 must begin with the digits in its name. Raises DataError where the network
    or the hash fails; nothing is left then.
    """
    name = url.rpartition("/")[2]
    prefix = re.fullmatch(r".+-([0-9a-f]{8,64})\.pth", name)
    if prefix is None:
        raise DataError(f"{url}: expected a name that ends in -HASH.pth, found {name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        part = Path(folder) / name
        digest = _download(url, part)
        if not digest.startswith(prefix[1]):
            raise DataError(
                f"{url}: expected sha256 {prefix[1]}..., found {digest[:12]}...; try again"
            )
        save(load(part), target, {"source": url, "sha256": digest})


def _download(url: str, part: Path) -> str:
    """Copy a URL's content into a file and give its sha256 in hexadecimal digits."""
    digest, received = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=60) as response, part.open("wb") as file:
            while block := response.read(1 << 20):
                digest.update(block)
                file.write(block)
                received += len(block)
            expected = int(response.headers.get("Content-Length") or received)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise DataError(f"{url}: expected a download, found no way: {error}") from None
    if received != expected:
        raise DataError(f"{url}: expected {expected} bytes, found {received}; try again")
    return digest.hexdigest()
