"""The flow: a photo is encoded once, then decoded for any palette in milliseconds.

photo -> luma -> encode -> features, estimated palette -> decode(palette) -> chroma -> photo
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tintype import model
from tintype.bins import Bins
from tintype.color import hue_degrees, hue_distance, rgb_to_ycbcr
from tintype.errors import ModelError, PaletteError
from tintype.palette import BAN_WIDTH, Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, Source, read
from tintype.result import Result, in_gamut, read_small, shrink

LEANING = 0.75  # how much of a likely prototype palette an alternative has at most,
STEP = 0.03  # and how far, in OKLab chroma, that may move the mean color
SEVERE = -1e4  # what a banned bin's logits are lowered by


@dataclass(frozen=True, eq=False)
class Encoded:
    """A photo after the encoder: everything that an edit needs.

    features: the model's own, finest first
    luma: (h, w) float32, 0..1, the luma that chroma is decoded for, small
    palette: the estimated palette
    alternatives: four distinct palettes, each plausible
    prior: what the decoder compares palettes with: the estimate before it learned from recipes
    """

    photo: Photo
    features: list[np.ndarray]
    luma: np.ndarray
    palette: Palette
    alternatives: list[Palette]
    prior: Palette


class Colorizer:
    """A model, ready to color photos."""

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, threads: int | None = None):
        """Load a model folder; the bundled one by default.

        threads: how many processors to use; all by default. Raises ModelError.
        """
        files = model.read(folder)
        self.loaded: dict[str, Any] = {
            "folder": None if folder is None else os.path.abspath(folder)
        }
        self.about: dict[str, Any] = files.about
        self.threads = threads
        self.bins = Bins(self.about["bins"]["hues"], tuple(self.about["bins"]["chromas"]))
        self._rebalancing = np.log(np.array(self.about["rebalancing"], dtype=np.float32))
        self._encoder = model.session(files.encoder, threads)
        self._decoder = model.session(files.decoder, threads)
        self._inputs = [i.name for i in self._decoder.get_inputs() if i.name.startswith("feature")]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as where its model is: who unpickles it loads the same one from there."""
        return _again, (type(self), self.loaded, self.threads, self.fingerprint)

    @property
    def fingerprint(self) -> str:
        """What names this model in a recipe."""
        return hashlib.sha256(json.dumps(self.about, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def vividness(self) -> float:
        """The default vividness of this model."""
        return float(self.about["vividness"])

    @property
    def vividness_given(self) -> float:
        """The default where a palette is given: it says itself how vivid the photo is."""
        return float(self.about.get("vividness_given", self.vividness))

    def encode(self, source: Source | Photo, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Encoded:
        """Run the encoder: once per photo.

        source: a path, a file's bytes, a binary file, a PIL image, an array or a Photo. Raises
        PhotoError where it is none of these.
        """
        photo = source if isinstance(source, Photo) else read(source, max_pixels=max_pixels)
        small = shrink(Image.fromarray(photo.luma), self.about["side"])
        names = [output.name for output in self._encoder.get_outputs()]
        luma = np.asarray(small, dtype=np.float32) / 255
        values = self._encoder.run(None, {"luma": luma[None, None]})
        outputs = dict(zip(names, values, strict=True))
        estimate = Palette(self.bins, outputs["palette"][0])
        return Encoded(
            photo=photo,
            features=[outputs[name] for name in self._inputs],
            luma=np.asarray(small.reduce(4), dtype=np.float32) / 255,
            palette=estimate,
            alternatives=alternatives(estimate, outputs["shares"][0], outputs["prototypes"]),
            prior=Palette(
                self.bins, outputs["estimate" if "estimate" in outputs else "palette"][0]
            ),
        )

    def decode(
        self, encoded: Encoded, palette: Palette | None = None, *, vividness: float | None = None
    ) -> Result:
        """Color an encoded photo; the encoder is not run again.

        palette: the wanted colors, over this model's bins; the estimated ones by default
        vividness: 0 (calm) .. 1 (vivid); the model's own by default
        """
        if palette is not None and palette.bins != self.bins:
            raise PaletteError("expected a palette over this model's bins, found another model's")
        start = encoded.palette if palette is None else palette
        ab = self._chroma(encoded, start, vividness)
        chroma, shown = in_gamut(encoded.luma, ab, self.bins)

        def automatic() -> Palette:
            return self.decode(encoded, vividness=vividness).palette

        return Result(encoded.photo, chroma, shown, palette, automatic, self.threads)

    def colorize(
        self,
        source: Source | Photo,
        palette: Palette | dict[str, Any] | str | os.PathLike[str] | None = None,
        *,
        vividness: float | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Result:
        """Color a photo.

        palette: a Palette, its JSON, or the path of a palette file or of a photo to take it from
        vividness: 0 (calm) .. 1 (vivid); by default the model's own, or its own for given palettes
        """
        wanted = None if palette is None else self.palette(palette)
        if wanted is not None and vividness is None:
            vividness = self.vividness_given
        return self.decode(self.encode(source, max_pixels=max_pixels), wanted, vividness=vividness)

    def palette(self, source: Palette | dict[str, Any] | str | os.PathLike[str]) -> Palette:
        """A palette over this model's bins: from JSON, a palette file, or a color photo.

        Raises PaletteError or PhotoError.
        """
        if isinstance(source, Palette):
            return source if source.bins == self.bins else self.palette(source.to_json())
        if isinstance(source, dict):
            return Palette.from_json(self.bins, source)
        path = Path(source)
        try:
            if path.suffix.lower() == ".json":
                return Palette.from_json(self.bins, path.read_bytes())
        except OSError as error:
            why = error.strerror or error
            raise PaletteError(f"{path}: expected a palette file, found none: {why}") from None
        except PaletteError as error:
            raise PaletteError(f"{path}: {error}") from None
        return self.palette_of(path)

    def palette_of(self, photo: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Palette:
        """The palette that a color photo has, by tone, measured as the model measures its own."""
        rgb = read_small(photo, self.about["side"], max_pixels=max_pixels).astype(np.float32) / 255
        planes = np.concatenate([self.bins.chroma(rgb), rgb_to_ycbcr(rgb)[..., :1]], axis=-1)
        high, wide = planes.shape[0] // 4, planes.shape[1] // 4
        planes = planes.reshape(high, 4, wide, 4, 3).mean((1, 3))
        return Palette.of_chroma(self.bins, planes[..., :2], planes[..., 2])

    def _bias(self, palette: Palette, vividness: float | None) -> np.ndarray:
        """(1, bins) what is added to the logits: rebalancing taken back, bans."""
        vivid = self.vividness if vividness is None else vividness
        if not 0 <= vivid <= 1:
            raise PaletteError(f"expected a vividness between 0 and 1, found {vivid:g}")
        calm, full = self.about["undo"]
        bias = -(calm + vivid * (full - calm)) * self._rebalancing
        return np.where(palette.forbidden, SEVERE, bias)[None].astype(np.float32)

    def _chroma(self, encoded: Encoded, palette: Palette, vividness: float | None) -> np.ndarray:
        """OKLab chroma (h, w, 2) at 1/4 of the working size."""
        feed = dict(zip(self._inputs, encoded.features, strict=True))
        feed["palette"] = palette.shares[None].astype(np.float32)
        feed["estimate"] = encoded.prior.shares[None].astype(np.float32)
        feed["tones"] = palette.by_tone[None].astype(np.float32)
        feed["luma"] = encoded.luma[None, None]
        feed["bias"] = self._bias(palette, vividness)
        (ab,) = self._decoder.run(["chroma"], feed)
        chroma = np.moveaxis(ab[0], 0, -1)
        return without(chroma, chroma, palette.banned)


def load(path: str | os.PathLike[str] | None = None, *, threads: int | None = None) -> Colorizer:
    """Load a model folder; the bundled one by default. Raises ModelError."""
    return Colorizer(path, threads=threads)


def _again(
    kind: type[Colorizer], arguments: dict[str, Any], threads: int | None, fingerprint: str
) -> Colorizer:
    """A colorizer as it was pickled. Raises ModelError where another model is found here."""
    colorizer = kind(**arguments, threads=threads)
    if colorizer.fingerprint != fingerprint:
        raise ModelError(
            f"{arguments}: expected the model {fingerprint}, found {colorizer.fingerprint}; "
            "install the same version of Tintype on all machines"
        )
    return colorizer


def alternatives(
    estimate: Palette, shares: np.ndarray, prototypes: np.ndarray, count: int = 4
) -> list[Palette]:
    """The estimate leaning on likely prototype palettes that are far from each other.

    shares: (vocabulary,) how likely each prototype is; prototypes: (vocabulary, bins.count)
    """
    points, bins = np.sqrt(prototypes), estimate.bins
    gap = np.linalg.norm(points - np.sqrt(estimate.shares), axis=1)
    chosen: list[Palette] = []
    for _ in range(count):
        best = int(np.argmax(shares * gap**2))
        gap = np.minimum(gap, np.linalg.norm(points - points[best], axis=1))
        prototype = Palette(bins, prototypes[best])
        move = np.linalg.norm((prototype.shares - estimate.shares) @ bins.centers)
        amount = LEANING if move * LEANING < STEP else STEP / float(move)
        chosen.append(estimate.blend(prototype, amount))
    return chosen


def without(ab: np.ndarray, plane: np.ndarray, banned: tuple[float, ...]) -> np.ndarray:
    """Fade what the mean of allowed colors brought back into a banned range of hues.

    ab: (h, w, 2) OKLab chroma; plane: (h, w, 2) the same colors in the plane of the bans
    """
    for hue in banned:
        away = hue_distance(hue_degrees(plane), hue)
        keep = np.clip((away - (BAN_WIDTH - 2)) / 6, 0.0, 1.0)
        ab = ab * keep[..., None].astype(np.float32)
    return ab
