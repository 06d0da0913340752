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
from tintype.colorizer import Colorizer, Encoded, without
from tintype.errors import DataError, PaletteError
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, Source, read
from tintype.research.methods import METHODS, checkpoint
from tintype.result import Result, shrink

SIDE = 128  # short side, pixels, at which runs that do not say it look at photos


def load(path: Path, vgg: Path | None = None) -> tuple[Any, dict[str, Any]]:
    """The network of a run's folder or of a checkpoint, ready to be used, and its description.

    vgg: where the file of VGG-16's weights is now, if not where it was in training
    Raises DataError where there is none, or another file of VGG-16 than it was trained on.
    """
    tensors, about = checkpoint.load(path / "model.safetensors" if path.is_dir() else path)
    if about.get("method") not in METHODS:
        known = ", ".join(METHODS)
        raise DataError(f"{path}: expected a method of {known}, found {about.get('method')!r}")
    method = METHODS[about["method"]]
    try:
        values = about["config"]
        if vgg is not None and "vgg" in values:
            values = values | {"vgg": str(vgg)}
        network = method.network(checkpoint.config(method.config, values)).eval()
        network.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise DataError(f"{path}: expected a run of this version, found another: {why}") from None
    return network, about


class Trained(Colorizer):
    """A trained method, ready to color photos, each at the size of the crops that it has seen.

    Those that take no palette show the colors that come out as their estimate. There are no
    alternatives, and there is one vividness.
    """

    vividness = vividness_given = 0.5  # that of `methods.tintype.colorize`

    def __init__(self, run: Path, *, vgg: Path | None = None, threads: int | None = None) -> None:
        """run: a run's folder or a checkpoint; vgg: where its VGG-16 is now. Raises DataError."""
        network, about = load(run, vgg)
        self.loaded = {"run": run.absolute(), "vgg": None if vgg is None else vgg.absolute()}
        if threads is not None:
            torch.set_num_threads(threads)
        self.method: str = about["method"]
        self.functions = functions = METHODS[self.method]
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device)
        self.joining = functions.joining(self.network) if functions.joining else self.network
        self.about = about | {"side": about.get("run", {}).get("late_crop_size", SIDE)}
        takes = functions.takes_palette is None or functions.takes_palette(network.config)
        self.steered = functions.decode is not None and takes
        self.bins: Bins = network.config.bins if self.steered else OKLAB
        self.threads = threads or os.cpu_count()

    def encode(self, source: Source | Photo, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Encoded:
        """Run the network, or as much of it as comes before the palette."""
        photo = source if isinstance(source, Photo) else read(source, max_pixels=max_pixels)
        luma = self.small(photo.luma)
        if not self.steered:
            rgb = self.paint(luma, self.joining)
            palette = Palette.of_chroma(self.bins, self.bins.chroma(rgb))
            return Encoded(photo, [rgb], luma, palette, [], palette)
        with torch.no_grad():
            features, *estimates = self.network.sight(self._gray(luma))
        palette, prior = (Palette(self.bins, shares[0].cpu().numpy()) for shares in estimates)
        return Encoded(photo, [f.cpu().numpy() for f in features], luma, palette, [], prior)

    def decode(
        self, encoded: Encoded, palette: Palette | None = None, *, vividness: float | None = None
    ) -> Result:
        """Color an encoded photo. Raises PaletteError for what the method does not take."""
        if palette is not None and not self.steered:
            raise PaletteError(f"expected no palette: {self.method} cannot be steered")
        return super().decode(encoded, palette, vividness=vividness)

    def paint(self, gray: np.ndarray, network: Any = None) -> np.ndarray:
        """RGB (h, w, 3), 0..1, that the method itself makes of gray (h, w), 0..1."""
        network = self.network if network is None else network
        rgb: np.ndarray = self.functions.colorize(network, self._gray(gray))[0].cpu().numpy()
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
        if self.steered and self.functions.decode is not None:
            features = [torch.from_numpy(f).to(self.device) for f in encoded.features]
            gray = self._gray(encoded.luma)
            shares = (palette.shares, palette.by_tone, encoded.prior.shares)
            palettes = [torch.from_numpy(s).to(gray)[None] for s in shares]
            with torch.no_grad():
                out = self.functions.decode(self.joining, features, gray, *palettes)
            rgb = out[0].cpu().numpy()
        ab = np.asarray(rgb_to_oklab(rgb)[..., 1:])
        return without(ab, self.bins.chroma(rgb), palette.banned)
