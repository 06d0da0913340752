"""A run used like a model folder: its network, in torch, within the flow of `Colorizer`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tintype.bins import OKLAB
from tintype.color import rgb_to_ycbcr
from tintype.colorizer import Colorizer, Encoded, Result
from tintype.errors import DataError
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, Source, read
from tintype.research import checkpoint
from tintype.research.train import METHODS


class Trained(Colorizer):
    """A trained method, ready to colour photos."""

    def __init__(self, run: Path, *, threads: int | None = None) -> None:
        """run: a run's folder. Raises DataError."""
        tensors, about = checkpoint.load(run / "model.safetensors")
        self.method: str = about["method"]
        if self.method not in METHODS:
            known = ", ".join(METHODS)
            raise DataError(f"{run}: expected a method of {known}, found {self.method!r}")
        self.module = METHODS[self.method]
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in about["config"].items()}
        self.network: Any = self.module.Network(self.module.Config(**values)).eval()
        self.network.load_state_dict(tensors)
        plain = getattr(self.network.config, "palette", None) == "none"
        self.steered = self.method in ("fenu2016", "tintype") and not plain
        self.bins = self.network.config.bins if self.steered else OKLAB
        self.threads = threads

    def encode(self, source: Source | Photo, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Encoded:
        photo = source if isinstance(source, Photo) else read(source, max_pixels=max_pixels)
        luma = photo.luma.astype(np.float32) / 255
        shares = np.eye(1, self.bins.count)[0]
        if self.steered:
            high, wide = (side - side % 32 for side in luma.shape)
            with torch.no_grad():
                gray = torch.from_numpy(luma[:high, :wide])[None, None]
                shares = self.network.encode(gray)[1][0].numpy()
        return Encoded(photo, [], luma, Palette(self.bins, shares), [])

    def decode(
        self, encoded: Encoded, palette: Palette | None = None, *, vividness: float | None = None
    ) -> Result:
        assert vividness is None
        gray = torch.from_numpy(encoded.luma)[None, None]
        rgb = self.module.colorize(self.network, gray, palette)[0].numpy()
        chroma = 255 * np.moveaxis(rgb_to_ycbcr(rgb), -1, 0)[1:]
        shown = encoded.palette
        return Result(encoded.photo, chroma, shown, palette, lambda: shown, self.threads)
