"""What the routes share: the model, the photos that were sent, and what is said of them.

A photo is encoded once, when it comes, and decoded for every edit.
"""

import gzip
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

import tintype
from tintype.batch.album import begin_album
from tintype.bins import has_hue
from tintype.colorizer import Colorizer
from tintype.edits import check_edits
from tintype.errors import PaletteError
from tintype.outcomes import measure_outcomes
from tintype.palette import Palette
from tintype.photo import read, read_rgb
from tintype.pins import KEEP, At
from tintype.recipe import Recipe
from tintype.result import Result
from tintype.sandbox import Sandbox
from tintype.server.planes import MEDIA_TYPE, pack_planes
from tintype.server.schemas import (
    AlbumIn,
    AlbumOut,
    Group,
    Health,
    PhotoOut,
    PlaceIn,
    RecipeIn,
    RegionIn,
    Render,
    Suggestions,
    Variant,
)
from tintype.server.security import MEGABYTE
from tintype.server.store import Sizes, Store
from tintype.server.work_queue import WorkQueue, check_wanted

MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
GROUPS = 7  # handles on the wheel, at most, beside the neutral one
SUGGESTIONS = 5  # for a place, at most
SPECK = 0.004  # share under which a color gets none
PREVIEW_QUALITY = 90
REFERENCE = 2048  # longest side that a palette is measured on, pixels


@dataclass(frozen=True)
class Limits:
    """What one server takes on."""

    megabytes: float = 64.0
    megapixels: float = 50.0
    waiting: int = 16  # uploads, and as many renders again, that wait or run
    seconds: float = 60.0  # for one of them
    photos: int = 64  # kept at once
    read_seconds: float = 8.0  # for a file to become pixels
    read_megabytes: int = 800


@dataclass(frozen=True)
class Picture:
    """An encoded picture, or the planes of one."""

    content: bytes
    media_type: str
    headers: dict[str, str]


class Service:
    """The model, the photos, and the queues of work."""

    def __init__(self, colorizer: Colorizer, limits: Limits, model: str | None) -> None:
        self.colorizer, self.limits, self.model = colorizer, limits, model
        self.store = Store(count=limits.photos)

    def begin(self) -> None:
        """Start what works: a thread for each kind of work that edits must not wait for.

        Uploads are read in a process of its own, which is kept warm.
        """
        queue = partial(WorkQueue, waiting=self.limits.waiting, seconds=self.limits.seconds)
        self.uploads, self.full, self.regions = queue(1), queue(1), queue(1)
        self.renders = queue(max(1, (os.cpu_count() or 2) - 1))
        self.reader = Sandbox(
            seconds=self.limits.read_seconds,
            megabytes=self.limits.read_megabytes,
            niceness=10,  # edits that are under way go first
        )

    def end(self) -> None:
        """End the process and the threads."""
        self.reader.close()
        for queue in (self.uploads, self.full, self.regions, self.renders):
            queue.close()

    def queue_for(self, asked: RecipeIn, sizes: Sizes | None = None) -> WorkQueue:
        """Where a recipe waits: what takes long does so apart, so that others' edits do not.

        sizes: the photo that it is for, if any; a pin takes long until its region is known
        """
        if isinstance(asked, Render) and asked.size == "full":
            return self.full
        if not asked.light:
            return self.full
        places = []
        if isinstance(asked, Render):
            places = [edit["at"] for edit in asked.edits if "at" in edit]
        elif isinstance(asked, PlaceIn):
            places = [asked.at]
        new = sizes is not None and any(map(partial(_is_new, sizes), places))
        return self.regions if new else self.renders

    def health(self) -> Health:
        """What there is."""
        return Health(
            version=tintype.__version__,
            model=self.colorizer.model.fingerprint,
            model_folder=self.model,
            vividness=self.colorizer.model.vividness,
            vividness_given=self.colorizer.model.vividness_given,
            photos=len(self.store),
            megabytes=self.limits.megabytes,
            megapixels=self.limits.megapixels,
        )

    def open(self, content: bytes) -> PhotoOut:
        """Encode a photo and keep it."""
        photo = self.reader.do(partial(read, content, max_pixels=self.pixels))
        check_wanted()
        full = self.colorizer.encode(photo)
        sizes = Sizes.of(full)
        recipes = [Recipe(alternative=k) for k in range(5)]
        results = [self.colorizer.decode(sizes.thumbnail, recipe) for recipe in recipes]
        palettes = [full.palette, *full.alternatives]
        own, *others = (_variant(p, r) for p, r in zip(palettes, results, strict=True))
        width, height = full.photo.size
        high, wide = full.encoding.luma.shape
        return PhotoOut(
            id=self.store.add(sizes),
            width=width,
            height=height,
            planes=(high, wide),
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
            if len(content) > MEGABYTE:
                raise PaletteError(f"expected a palette of at most {MEGABYTE:,} bytes, found more")
            found = Palette.from_json(self.colorizer.bins, content)
        else:
            colors = partial(read_rgb, content, max_pixels=self.pixels, max_side=REFERENCE)
            model = self.colorizer.model
            found = Palette.measure(self.reader.do(colors), model.bins, side=model.side)
        return Variant(palette=found.to_json(), groups=_groups(found))

    def target_palette(self, sizes: Sizes, asked: RecipeIn) -> Variant:
        """The palette that a recipe asks for, and what comes out of it, but for pins."""
        recipe = asked.recipe().without_pins
        palette = recipe.apply(sizes.full.palette, sizes.full.alternatives)
        return _variant(palette, self.colorizer.decode(sizes.thumbnail, recipe))

    def album(self, photos: list[Sizes], asked: AlbumIn) -> AlbumOut:
        """What photos begin with that belong together. Raises PaletteError."""
        model = self.colorizer.model
        given = [Palette.from_json(model.bins, palette) for palette in asked.palettes]
        alone = [
            Recipe(alternative=one.alternative)
            if one.palette is None
            else Recipe(given[one.palette])
            for one in asked.starts
        ] or [Recipe()] * len(photos)
        palettes = [
            recipe.start(sizes.full.palette, sizes.full.alternatives)
            for sizes, recipe in zip(photos, alone, strict=True)
        ]
        begun = begin_album(palettes, asked.cohesion)
        variants = []
        for sizes, recipe, palette in zip(photos, alone, begun, strict=True):
            check_wanted()
            if recipe.palette is None:
                shown = Recipe(palette, vividness=model.vividness)
                wheel = self.colorizer.decode(sizes.thumbnail, shown).palette
            else:  # as `palette` gives them
                wheel = Palette.from_json(model.bins, palette)
            variants.append(Variant(palette=palette, groups=_groups(wheel)))
        return AlbumOut(variants=variants, vividness=model.vividness)

    def recipe(self, asked: RecipeIn) -> Recipe:
        """A recipe with all that it takes to replay it. Raises PaletteError."""
        recipe = asked.recipe()
        check_edits(recipe.edits, self.colorizer.bins)
        return recipe.complete(self.colorizer.model)

    def region(self, sizes: Sizes, asked: RegionIn) -> Picture:
        """How much of the photo a pin would color. Raises PaletteError."""
        x, y = At(asked.at, KEEP, asked.reach).locate(sizes.full.photo.size)
        region = np.rint(255 * sizes.preview.region(x, y, asked.reach)).astype(np.uint8)
        picture = BytesIO()
        Image.fromarray(region).save(picture, "PNG")
        return Picture(picture.getvalue(), MIME["PNG"], {})

    def suggestions(self, sizes: Sizes, asked: PlaceIn) -> Suggestions:
        """The likeliest colors of the thing at a place. Raises PaletteError."""
        found = sizes.full.suggest(*asked.at, asked.recipe(), count=SUGGESTIONS)
        return Suggestions(colors=[Group(color=one.color, share=one.share) for one in found])

    def gray(self, sizes: Sizes) -> Picture:
        """The photo before it was colored."""
        picture = BytesIO()
        image = Image.fromarray(sizes.preview.photo.luma)
        image.save(picture, "JPEG", quality=PREVIEW_QUALITY)
        return Picture(picture.getvalue(), MIME["JPEG"], {})

    def luma(self, sizes: Sizes) -> Picture:
        """The full-size luma, with alpha if there is one, which the planes are joined to."""
        picture = BytesIO()
        photo = sizes.full.photo
        image = Image.fromarray(photo.luma)
        if photo.alpha is not None:
            image.putalpha(Image.fromarray(photo.alpha))
        image.save(picture, "PNG", compress_level=1)
        return Picture(picture.getvalue(), MIME["PNG"], {})

    def render_planes(self, sizes: Sizes, asked: Render, compress: bool) -> Picture:
        """What a page needs that has the luma, as `pack_planes` gives it: no full-size work.

        compress: by gzip, in half a millisecond; borders and masks shrink to a twentieth
        """
        began = time.perf_counter()
        recipe = asked.recipe()
        result = self.colorizer.decode(sizes.full, recipe)
        decoded = time.perf_counter()
        reached, colors, outcomes = None, None, []
        if asked.measure:
            outcomes = measure_outcomes(recipe.edits, sizes.full.encoding.luma, result.chroma)
            reached = recipe.reached(self.colorizer, sizes.full, result)
            colors = result.palette.to_json()
        measured = time.perf_counter()
        content = pack_planes(result, reached=reached, colors=colors, outcomes=outcomes)
        spent = {"decode": decoded - began, "measure": measured - decoded}
        headers = {}
        if compress:
            content, headers = gzip.compress(content, 1, mtime=0), {"content-encoding": "gzip"}
        timing = _timing(**spent, encode=time.perf_counter() - measured)
        return Picture(content, MEDIA_TYPE, headers | {"server-timing": timing})

    def render(self, sizes: Sizes, asked: Render, *, compress: bool = False) -> Picture:
        """The picture that was asked for, and, in headers, what was reached; or planes.

        compress: the planes
        """
        if asked.size == "planes":
            return self.render_planes(sizes, asked, compress)
        began = time.perf_counter()
        encoded = getattr(sizes, asked.size)
        recipe = asked.recipe()
        if asked.size != "full":
            recipe = recipe.locate(sizes.full.photo.size)  # where pixels are
        result = self.colorizer.decode(encoded, recipe)
        decoded = time.perf_counter()
        check_wanted()
        picture = BytesIO()
        if asked.size == "full":
            kind = asked.format or _format(sizes.full.photo.format)
            save = result.save_layers if asked.layers else partial(result.save, depth=asked.depth)
            save(
                picture,
                format=kind,
                strip_metadata=asked.strip_metadata,
                provenance=asked.provenance,
            )
        else:
            kind = asked.format or ("JPEG" if encoded.photo.alpha is None else "WEBP")
            quality = PREVIEW_QUALITY if kind == "JPEG" else None
            result.save(picture, format=kind, quality=quality, strip_metadata=True)
        saved = time.perf_counter()
        headers = {"server-timing": _timing(decode=decoded - began, encode=saved - decoded)}
        if asked.measure:
            headers["x-tintype-colors"] = json.dumps(result.palette.to_json())
            reached = recipe.reached(self.colorizer, encoded, result)
            if reached is not None:
                headers["x-tintype-reached"] = f"{reached:.4f}"
        return Picture(picture.getvalue(), MIME[kind], headers)

    @property
    def pixels(self) -> int:
        """The largest photo."""
        return round(1e6 * self.limits.megapixels)


def _is_new(sizes: Sizes, place: Any) -> bool:
    """Whether it is a place whose region is not known yet."""
    with suppress(PaletteError):
        found = At(place, KEEP).locate(sizes.full.photo.size)
        return found not in sizes.full.encoding.scores
    return False


def _format(source: str | None) -> str:
    """What a photo is saved as: its own format where that is written, PNG otherwise."""
    return source if source in MIME else "PNG"


def _variant(palette: Palette, result: Result) -> Variant:
    return Variant(palette=palette.to_json(), groups=_groups(result.palette))


def _groups(palette: Palette) -> list[Group]:
    """What can be taken hold of, without specks: colors with a hue, and what is neutral, last."""
    found = [(c, s) for c, s in palette.clusters(GROUPS) if has_hue(c)]
    found.append((palette.bins.hex_colors[0], float(palette.shares[0])))
    return [Group(color=color, share=share) for color, share in found if share >= SPECK]


def _timing(**seconds: float) -> str:
    return ", ".join(f"{name};dur={1000 * value:.1f}" for name, value in seconds.items())
