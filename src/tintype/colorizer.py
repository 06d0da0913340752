"""The flow: a photo is encoded once, then decoded by any recipe in milliseconds.

photo -> luma -> encode -> features, estimated palette -> decode(recipe) -> chroma -> photo
"""

import os
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from tintype.bins import Bins
from tintype.border import find_neutral, keep_neutral
from tintype.model import Encoding, Model, OnnxModel
from tintype.palette import Palette
from tintype.photo import DEFAULT_MAX_PIXELS, Photo, Source, read
from tintype.pins import KEEP, At
from tintype.recipe import Recipe
from tintype.regions import make_layers
from tintype.result import Result, in_gamut, measure_colors
from tintype.suggestions import Suggestion, suggest
from tintype.upsample import upsample_shares
from tintype.working_size import shrink


@dataclass(frozen=True, eq=False)
class Encoded:
    """A photo after the encoder: everything that an edit needs.

    encoding: what the model made of it
    palette: what recipes begin with that name no other: the estimate, or an album's palette
    model: which made that
    border: (h, w) bool, at the working size: what stays neutral, around it or missing; None if none
    automatic: by alternative and vividness, the colors that came out without edits; a copy that
        `replace` makes begins with none
    """

    photo: Photo
    encoding: Encoding
    palette: Palette
    model: Model
    border: np.ndarray | None = None
    automatic: dict[tuple[int, float], Palette] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def alternatives(self) -> list[Palette]:
        """Four distinct palettes, each plausible; none of models without them."""
        return self.encoding.alternatives

    def uncover(self, result: Result) -> Result:
        """A result of this photo without what pins lay over it."""
        palette = measure_colors(self.encoding.luma, result.chroma, self.model.bins)
        return replace(result, palette=palette, layers=())

    def region(self, x: float, y: float, reach: float | None = None) -> np.ndarray:
        """How much of the photo a pin would color: (h, w) float32, 0..1, along the luma's edges.

        x, y: its place, 0..1 of the upright photo's width and height; reach: as of `At`
        It has the photo's size, shrunk to half a million pixels. Where it is 0 a pin changes
        nothing. Raises PaletteError for models that take no pins.
        """
        pin, luma = At((x, y), KEEP, reach), self.photo.luma
        (layer,) = make_layers(self.model, self.encoding, (pin,), luma)
        return np.asarray(upsample_shares(layer, luma, threads=self.model.threads)[0])

    def suggest(
        self, x: float | str, y: float | str, recipe: Recipe | None = None, count: int = 5
    ) -> list[Suggestion]:
        """The likeliest distinct colors of the thing at a place, the likeliest first.

        x, y: as of `At`; recipe: whose palette and vividness they are given, by default as the
            model estimates, and as calm as with a palette: vivid colors are likely more seldom than
            they are shown. Raises PaletteError for models that take no pins.
        """
        recipe = recipe or Recipe()
        if recipe.vividness is None:
            recipe = replace(recipe, vividness=self.model.vividness_given)
        place = At((x, y), KEEP).locate(self.photo.size)
        palette = recipe.apply(self.palette, self.alternatives)
        vividness = recipe.vividness_by(self.model)
        return suggest(self.model, self.encoding, place, palette, vividness, count)


@dataclass(frozen=True)
class Colorizer:
    """A model, ready to color photos."""

    model: Model

    @property
    def bins(self) -> Bins:
        """What this model's palettes are over."""
        return self.model.bins

    def encode(self, source: Source | Photo, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Encoded:
        """Run the encoder: once per photo.

        source: a path, a file's bytes, a binary file, a PIL image, an array or a Photo. Raises
        PhotoError where it is none of these.
        """
        photo = source if isinstance(source, Photo) else read(source, max_pixels=max_pixels)
        small = np.asarray(shrink(Image.fromarray(photo.luma), self.model.side))
        encoding = self.model.encode(small)
        border = find_neutral(small, photo.missing)
        return Encoded(photo, encoding, encoding.palette, self.model, border)

    def decode(self, encoded: Encoded, recipe: Recipe | None = None) -> Result:
        """Color an encoded photo by a recipe, by default as the model estimates.

        The encoder is not run again. Raises PaletteError for what the model does not take.
        """
        recipe = (recipe or Recipe()).locate(encoded.photo.size)
        encoding = encoded.encoding
        wanted = recipe.apply(encoded.palette, encoded.alternatives)
        ab = self.model.decode(encoding, wanted, recipe.vividness_by(self.model))
        if wanted.is_neutral:
            ab = np.zeros_like(ab)  # of which a prior alone leaves traces
        ab = keep_neutral(ab, encoded.border)
        layers = make_layers(self.model, encoding, recipe.pins, encoded.photo.luma)
        chroma, shown = in_gamut(encoding.luma, ab, self.bins, layers)
        done = recipe.complete(self.model)
        threads, border = self.model.threads, encoded.border
        return Result(encoded.photo, chroma, shown, done, threads, border, layers)

    def colorize(
        self,
        source: Source | Photo,
        recipe: Recipe | None = None,
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Result:
        """Color a photo by a recipe, by default as the model estimates.

        Raises PhotoError, and PaletteError for what the model does not take.
        """
        return self.decode(self.encode(source, max_pixels=max_pixels), recipe)


def load(path: str | os.PathLike[str] | None = None, *, threads: int | None = None) -> Colorizer:
    """Load a model folder; the bundled one by default.

    threads: how many processors to use; all by default. Raises ModelError.
    """
    return Colorizer(OnnxModel(path, threads=threads))
