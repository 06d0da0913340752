"""A run used like a model folder: its network, in torch, within the flow of `Colorizer`.

photo -> luma -> network -> RGB at the working size -> its chroma, joined to the luma -> photo
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tintype.bins import OKLAB, Bins
from tintype.color import rgb_to_oklab
from tintype.colorizer import Colorizer, Encoded, Result, shrink, without
from tintype.errors import DataError, PaletteError
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, Source, read
from tintype.research import checkpoint
from tintype.research.train import METHODS


def load(path: Path) -> tuple[Any, dict[str, Any]]:
    """The network of a run's folder or of a checkpoint, ready to be used, and its description.

    Raises DataError where there is none, or another file of VGG-16 than it was trained on.
    """
    tensors, about = checkpoint.load(path / "model.safetensors" if path.is_dir() else path)
    if about.get("method") not in METHODS:
        known = ", ".join(METHODS)
        raise DataError(f"{path}: expected a method of {known}, found {about.get('method')!r}")
    module = METHODS[about["method"]]
    network = module.Network(checkpoint.config(module.Config, about["config"])).eval()
    network.load_state_dict(tensors)
    return network, about


class Trained(Colorizer):
    """A trained method, ready to colour photos, each at the size of the crops that it has seen.

    Those that take no palette show the colours that come out as their estimate. There are no
    alternatives, and there is one vividness.
    """

    vividness = 0.5  # that of `methods.tintype.colorize`

    def __init__(self, run: Path, *, threads: int | None = None) -> None:
        """run: a run's folder or a checkpoint. Raises DataError."""
        network, about = load(run)
        self.method: str = about["method"]
        self.module = METHODS[self.method]
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device)
        self.about = about | {"side": about["run"]["late_crop"]}
        plain = getattr(network.config, "palette", None) == "none"
        self.steered = hasattr(self.module, "decode") and not plain
        self.bins: Bins = network.config.bins if self.steered else OKLAB
        self.threads = threads or os.cpu_count()

    def encode(self, source: Source | Photo, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Encoded:
        """Run the network, or as much of it as comes before the palette."""
        photo = source if isinstance(source, Photo) else read(source, max_pixels=max_pixels)
        luma = self.small(photo.luma)
        if not self.steered:
            rgb = self.paint(luma)
            palette = Palette.of_chroma(self.bins, self.bins.chroma(rgb))
            return Encoded(photo, [rgb], luma, palette, [], palette)
        with torch.no_grad():
            features, *estimates = self.network.sight(self._gray(luma))
        palette, prior = (Palette(self.bins, shares[0].cpu().numpy()) for shares in estimates)
        return Encoded(photo, [f.cpu().numpy() for f in features], luma, palette, [], prior)

    def decode(
        self, encoded: Encoded, palette: Palette | None = None, *, vividness: float | None = None
    ) -> Result:
        """Colour an encoded photo. Raises PaletteError for what the method does not take."""
        if palette is not None and not self.steered:
            raise PaletteError(f"expected no palette: {self.method} cannot be steered")
        return super().decode(encoded, palette, vividness=vividness)

    def paint(self, gray: np.ndarray) -> np.ndarray:
        """RGB (h, w, 3), 0..1, that the method itself makes of gray (h, w), 0..1."""
        rgb: np.ndarray = self.module.colorize(self.network, self._gray(gray))[0].cpu().numpy()
        return rgb

    def small(self, gray: np.ndarray) -> np.ndarray:
        """Gray (h, w) uint8 at the working size, 0..1."""
        return np.asarray(shrink(Image.fromarray(gray), self.about["side"]), dtype=np.float32) / 255

    def _gray(self, luma: np.ndarray) -> Tensor:
        return torch.from_numpy(luma).to(self.device)[None, None]

    def _chroma(self, encoded: Encoded, palette: Palette, vividness: float | None) -> np.ndarray:
        """OKLab chroma (h, w, 2) at the working size."""
        if vividness not in (None, self.vividness):
            raise PaletteError(f"expected no vividness: a run has one, found {vividness:g}")
        rgb = encoded.features[0]
        if self.steered:
            features = [torch.from_numpy(f).to(self.device) for f in encoded.features]
            gray = self._gray(encoded.luma)
            shares = [torch.from_numpy(p.shares).to(gray)[None] for p in (palette, encoded.prior)]
            with torch.no_grad():
                out = self.module.decode(self.network, features, gray, *shares)
            rgb = out[0].cpu().numpy()
        ab = np.asarray(rgb_to_oklab(rgb)[..., 1:])
        return without(ab, self.bins.chroma(rgb), palette.banned)
