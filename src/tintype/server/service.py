"""What the routes share: the model, the photos that were sent, and what is said of them.

A photo is encoded once, when it comes, and decoded for every edit.
"""

import json
import os
import time
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

import tintype
from tintype.bins import has_hue
from tintype.colorizer import Colorizer
from tintype.errors import PaletteError
from tintype.palette import Palette
from tintype.photo import read
from tintype.recipe import Recipe, check, edited
from tintype.result import Result
from tintype.server.security import TEXT
from tintype.server.store import Sizes, Store, Turns

MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
GROUPS = 7  # handles on the wheel, at most
SPECK = 0.004  # share under which a color gets none
PREVIEW_QUALITY = 90


@dataclass(frozen=True)
class Limits:
    """What one server takes on."""

    megabytes: float = 64.0
    megapixels: float = 50.0
    waiting: int = 16  # uploads, and as many renders again, that wait or run
    seconds: float = 60.0  # for one of them
    photos: int = 64  # kept at once


class Group(BaseModel):
    """A color of the photo as it is shown, which an edit can take hold of."""

    color: str = Field(examples=["#a05030"])
    share: float


class Variant(BaseModel):
    """A palette to begin with, and the groups of colors that come out of it."""

    palette: dict[str, Any] = Field(description="The palette's JSON, as --palette takes it.")
    groups: list[Group]


class PhotoOut(Variant):
    """An encoded photo."""

    id: str
    width: int
    height: int
    format: str = Field(description="What it is saved as if nothing else is asked for.")
    alpha: bool = Field(description="Parts of it are transparent.")
    colorful: bool = Field(description="It already had colors, which are replaced.")
    alternatives: list[Variant] = Field(description="Four distinct plausible palettes.")


class Wish(BaseModel):
    """What to color a photo by; a recipe's fields."""

    model_config = ConfigDict(extra="forbid")

    palette: dict[str, Any] | None = None
    alternative: int = Field(0, ge=0, le=4)
    edits: list[dict[str, Any]] = Field(
        [], max_length=64, examples=[[{"towards": "red", "amount": 0.4}, {"ban": "#3060c0"}]]
    )
    vividness: float | None = Field(None, ge=0, le=1)

    def recipe(self) -> Recipe:
        """The same as a `Recipe`. Raises PaletteError."""
        return Recipe(self.palette, self.alternative, tuple(self.edits), self.vividness)


class Render(Wish):
    """A wish, and the picture that is wanted of it."""

    size: Literal["thumbnail", "preview", "full"] = "preview"
    format: Literal["JPEG", "PNG", "WEBP", "TIFF", "AVIF"] | None = None
    strip_metadata: bool = False
    measure: bool = Field(True, description="Say what was reached, which takes longer.")


class Health(BaseModel):
    """That the server answers, and with what."""

    status: Literal["ok"] = "ok"
    version: str
    model: str
    model_folder: str | None = Field(description="What --model was; null for the bundled one.")
    vividness: float = Field(description="The model's default.")
    vividness_given: float = Field(description="The default where a palette is given.")
    photos: int
    megabytes: float
    megapixels: float


@dataclass(frozen=True)
class Picture:
    """An encoded picture."""

    content: bytes
    media_type: str
    headers: dict[str, str]


class Desk:
    """The model, the photos, and the turns that work takes."""

    def __init__(self, colorizer: Colorizer, limits: Limits, model: str | None) -> None:
        self.colorizer, self.limits, self.model = colorizer, limits, model
        self.store = Store(count=limits.photos)

    def begin(self) -> None:
        """Start the threads: one for uploads and one for full sizes, so that edits do not wait."""
        turns = partial(Turns, waiting=self.limits.waiting, seconds=self.limits.seconds)
        self.uploads, self.full = turns(1), turns(1)
        self.renders = turns(max(1, (os.cpu_count() or 2) - 1))

    def end(self) -> None:
        """End the threads."""
        for turns in (self.uploads, self.full, self.renders):
            turns.close()

    def health(self) -> Health:
        """What there is."""
        return Health(
            version=tintype.__version__,
            model=self.colorizer.fingerprint,
            model_folder=self.model,
            vividness=self.colorizer.vividness,
            vividness_given=self.colorizer.vividness_given,
            photos=len(self.store),
            megabytes=self.limits.megabytes,
            megapixels=self.limits.megapixels,
        )

    def open(self, content: bytes) -> PhotoOut:
        """Encode a photo and keep it."""
        full = self.colorizer.encode(read(content, max_pixels=self.pixels))
        sizes = Sizes.of(full)
        recipes = [Recipe(alternative=k) for k in range(5)]
        results = [recipe.decode(self.colorizer, sizes.thumbnail) for recipe in recipes]
        palettes = [full.palette, *full.alternatives]
        own, *others = (_variant(p, r) for p, r in zip(palettes, results, strict=True))
        width, height = full.photo.size
        return PhotoOut(
            id=self.store.add(sizes),
            width=width,
            height=height,
            format=_format(full.photo.format),
            alpha=full.photo.alpha is not None,
            colorful=full.photo.colorful,
            palette=own.palette,
            groups=own.groups,
            alternatives=others,
        )

    def palette(self, content: bytes) -> Variant:
        """A palette from its JSON or from a color photo."""
        if content.lstrip()[:1] == b"{":
            if len(content) > TEXT:
                raise PaletteError(f"expected a palette of at most {TEXT:,} bytes, found more")
            found = Palette.from_json(self.colorizer.bins, content)
        else:
            found = self.colorizer.palette_of(content, max_pixels=self.pixels)
        return Variant(palette=found.to_json(), groups=_groups(found))

    def target_palette(self, sizes: Sizes, wish: Wish) -> Variant:
        """The palette that a wish asks for, and what comes out of it."""
        recipe = wish.recipe()
        palette = edited(recipe.start(self.colorizer, sizes.full), recipe.edits)
        return _variant(palette, recipe.decode(self.colorizer, sizes.thumbnail))

    def recipe(self, wish: Wish) -> Recipe:
        """A wish as a recipe that can be replayed. Raises PaletteError."""
        recipe = wish.recipe()
        check(recipe.edits, self.colorizer.bins)
        return recipe.complete(self.colorizer)

    def gray(self, sizes: Sizes) -> Picture:
        """The photo before it was colored."""
        picture = BytesIO()
        image = Image.fromarray(sizes.preview.photo.luma)
        image.save(picture, "JPEG", quality=PREVIEW_QUALITY)
        return Picture(picture.getvalue(), MIME["JPEG"], {})

    def render(self, sizes: Sizes, asked: Render) -> Picture:
        """The picture that was asked for, and, in headers, what was reached."""
        began = time.perf_counter()
        encoded = getattr(sizes, asked.size)
        result = asked.recipe().decode(self.colorizer, encoded)
        decoded = time.perf_counter()
        picture = BytesIO()
        if asked.size == "full":
            kind = asked.format or _format(sizes.full.photo.format)
            result.save(picture, format=kind, strip_metadata=asked.strip_metadata)
        else:
            kind = asked.format or ("JPEG" if encoded.photo.alpha is None else "WEBP")
            quality = PREVIEW_QUALITY if kind == "JPEG" else None
            result.save(picture, format=kind, quality=quality, strip_metadata=True)
        saved = time.perf_counter()
        headers = {"server-timing": _timing(decode=decoded - began, encode=saved - decoded)}
        if asked.measure:
            headers["x-tintype-colors"] = json.dumps(result.palette.to_json())
            reached = result.reached
            if reached is not None:
                headers["x-tintype-reached"] = f"{reached:.4f}"
        return Picture(picture.getvalue(), MIME[kind], headers)

    @property
    def pixels(self) -> int:
        """The largest photo."""
        return round(1e6 * self.limits.megapixels)


def _format(source: str | None) -> str:
    """What a photo is saved as: its own format where that is written, PNG otherwise."""
    return source if source in MIME else "PNG"


def _variant(palette: Palette, result: Result) -> Variant:
    return Variant(palette=palette.to_json(), groups=_groups(result.palette))


def _groups(palette: Palette) -> list[Group]:
    """What can be taken hold of: colors with a hue, and not just specks."""
    found = [(c, s) for c, s in palette.clusters(GROUPS) if s >= SPECK and has_hue(c)]
    return [Group(color=color, share=share) for color, share in found]


def _timing(**seconds: float) -> str:
    return ", ".join(f"{name};dur={1000 * value:.1f}" for name, value in seconds.items())
