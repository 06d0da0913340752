"""A run used like a model folder: its network, in torch, as a `Model` of a `Colorizer`.

photo -> luma -> network -> RGB at the working size -> its chroma, joined to the luma -> photo
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tintype.bans import apply_bans
from tintype.bins import OKLAB, Bins
from tintype.color import rgb_to_oklab
from tintype.errors import DataError, PaletteError
from tintype.hints import NO_HINTS, Hints
from tintype.model import Encoding, check_hints, check_palette, fingerprint
from tintype.palette import SIDE, Palette
from tintype.research.methods import METHODS, checkpoint, tintype
from tintype.research.methods.palettes import Palettes, expand_palette


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
        if "vgg" in values:
            values = values | {"vgg": str(vgg or _find_vgg(path, values["vgg"]))}
        network = method.network(checkpoint.make_config(method.config, values)).eval()
        network.load_state_dict(tensors)
        _check_numbers(path, tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise DataError(f"{path}: expected a run of this version, found another: {why}") from None
    return network, about


def _check_numbers(path: Path, tensors: dict[str, Tensor]) -> None:
    """Raise DataError for weights that are no numbers."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise DataError(
                f"{path}: expected weights that are numbers, found {name} without; train it anew, "
                "with a lower learning_rate"
            )


def _find_vgg(run: Path, name: str) -> Path:
    """Where a run's VGG-16 is: from here as it was in training, or else from a folder above it.

    Raises DataError where it is in neither.
    """
    for above in (Path(), *run.absolute().parents):
        if (above / name).is_file():
            return above / name
    raise DataError(
        f"{run}: expected the VGG-16 that it was trained over, {name}, here or in a folder above "
        "the run, found none; put it there"
    )


class TorchModel:
    """A trained method as a `Model`, at the size of the crops that it has seen.

    Those that take no palette show the colors that come out as their estimate. There are no
    alternatives, and there is one vividness.
    """

    vividness = vividness_given = 0.5  # that of `methods.tintype.colorize`

    def __init__(self, run: Path, *, vgg: Path | None = None, threads: int | None = None) -> None:
        """run: a run's folder or a checkpoint; vgg: where its VGG-16 is now. Raises DataError."""
        network, self.about = load(run, vgg)
        self.run, self.vgg = run.absolute(), None if vgg is None else vgg.absolute()
        if threads is not None:
            torch.set_num_threads(threads)
        self.threads = threads or os.cpu_count()
        self.method: str = self.about["method"]
        self.functions = functions = METHODS[self.method]
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device)
        self.joining = functions.join_luma(self.network) if functions.join_luma else self.network
        self.side: int = self.about.get("run", {}).get("late_crop_size", SIDE)
        takes = functions.takes_palette is None or functions.takes_palette(network.config)
        self.takes_hints = functions.takes_hints
        self.takes_palettes = functions.decode is not None and takes
        self.bins: Bins = network.config.bins if self.takes_palettes else OKLAB
        self.seed: int = self.about.get("run", {}).get("seed", 0)
        self.fingerprint = fingerprint(self.about | {"side": self.side})

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as where its run is: who unpickles it loads the same one from there."""
        return _load_again, (self.run, self.vgg, self.threads, self.fingerprint)

    def encode(self, gray: np.ndarray) -> Encoding:
        """Run the network, or as much of it as comes before the palette; as `Model.encode`."""
        luma = np.asarray(gray, dtype=np.float32) / 255
        if not self.takes_palettes:
            rgb = self.paint(luma, self.joining)
            palette = Palette.of_chroma(self.bins, self.bins.chroma(rgb))
            return Encoding([rgb], luma, palette, [], palette)
        with torch.no_grad():
            features, *estimates = self.network.encode(self._gray(luma))
        palette, reference = (
            Palette(self.bins, e.whole[0].cpu().numpy(), tones=e.tones[0].cpu().numpy())
            for e in estimates
        )
        return Encoding([f.cpu().numpy() for f in features], luma, palette, [], reference)

    def decode(
        self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints = NO_HINTS
    ) -> np.ndarray:
        """As `Model.decode`; the chroma has the working size."""
        self._check(encoding, palette, vividness, hints)
        rgb = encoding.features[0]
        if self.takes_palettes and self.functions.decode is not None:
            rgb = self._run(self.functions.decode, encoding, palette, hints)
        ab = np.asarray(rgb_to_oklab(rgb)[..., 1:])
        return apply_bans(ab, self.bins.chroma(rgb), palette)

    def find_likelihoods(
        self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints = NO_HINTS
    ) -> np.ndarray:
        """As `Model.find_likelihoods`, at 1/4 of the working size."""
        self._check(encoding, palette, vividness, hints)
        if self.functions.find_likelihoods is None:
            raise PaletteError(f"expected a method that tells likely colors, found {self.method}")
        weight = self._run(self.functions.find_likelihoods, encoding, palette, hints)
        weight[palette.forbidden] = 0
        return np.asarray(weight / weight.sum(axis=0))

    def _check(self, encoding: Encoding, palette: Palette, vividness: float, hints: Hints) -> None:
        """Raise PaletteError for what the method does not take."""
        check_palette(self, palette is not encoding.palette, self.method)
        check_hints(self, hints)
        if vividness != self.vividness:
            raise PaletteError(f"expected no vividness: a run has one, found {vividness:g}")

    @torch.no_grad()
    def _run(
        self,
        function: Callable[..., Tensor],
        encoding: Encoding,
        palette: Palette,
        hints: Hints,
    ) -> np.ndarray:
        """What a method's function of an encoded photo, palettes and hints gives for one photo."""
        features = [torch.from_numpy(f).to(self.device) for f in encoding.features]
        gray = self._gray(encoding.luma)
        reference = self._palettes(encoding.reference)
        target = expand_palette(palette, self.bins, reference)
        arrays = (hints.place, hints.chroma, hints.reach)
        given = tintype.Hints(*(torch.from_numpy(a).to(gray)[None] for a in arrays))
        out: np.ndarray = (
            function(self.joining, features, gray, target, reference, given)[0].cpu().numpy()
        )
        return out

    def paint(
        self, gray: np.ndarray, network: Any = None, palette: Palette | None = None
    ) -> np.ndarray:
        """RGB (h, w, 3), 0..1, that the method itself makes of gray (h, w), 0..1.

        palette: of a method that takes one; the estimated one by default
        """
        network = self.network if network is None else network
        painted: Tensor = self.functions.colorize(network, self._gray(gray), palette)
        return np.asarray(painted[0].cpu().numpy())

    def _palettes(self, palette: Palette) -> Palettes:
        parts = (palette.shares, palette.by_tone)
        return Palettes(*(torch.from_numpy(p).float().to(self.device)[None] for p in parts))

    def _gray(self, luma: np.ndarray) -> Tensor:
        return torch.from_numpy(luma).to(self.device)[None, None]


def _load_again(run: Path, vgg: Path | None, threads: int | None, expected: str) -> TorchModel:
    """A model as it was pickled. Raises DataError where another run is found here."""
    model = TorchModel(run, vgg=vgg, threads=threads)
    if model.fingerprint != expected:
        found = f"expected the run {expected}, found {model.fingerprint}"
        raise DataError(f"{run}: {found}; give all machines the same one")
    return model
