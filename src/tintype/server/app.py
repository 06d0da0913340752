"""The editor's routes, which are the REST API too. No algorithms: `Colorizer` has them.

A photo is encoded once, when it comes, and decoded for every edit.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

import tintype
from tintype.bins import has_hue
from tintype.colorizer import Colorizer, Result
from tintype.errors import PaletteError, TintypeError
from tintype.palette import Palette
from tintype.photo import read
from tintype.recipe import Recipe, edited
from tintype.server.guard import MEGABYTE, TEXT, Guard
from tintype.server.store import BusyError, Sizes, Store, TooSlowError, Turns

STATIC = Path(__file__).parent / "static"
MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {"content": {mime: {} for mime in MIME.values()}, "description": "A picture."}
}
GROUPS = 7  # handles on the wheel, at most
SPECK = 0.004  # share under which a colour gets none
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
    """A colour of the photo as it is shown, which an edit can take hold of."""

    color: str = Field(examples=["#a05030"])
    share: float


class Variant(BaseModel):
    """A palette to begin with, and the groups of colours that come out of it."""

    palette: dict[str, Any] = Field(description="The palette's JSON, as --palette takes it.")
    groups: list[Group]


class PhotoOut(Variant):
    """An encoded photo."""

    id: str
    width: int
    height: int
    format: str = Field(description="What it is saved as if nothing else is asked for.")
    alpha: bool = Field(description="Parts of it are transparent.")
    colorful: bool = Field(description="It already had colours, which are replaced.")
    alternatives: list[Variant] = Field(description="Four distinct plausible palettes.")


class Wish(BaseModel):
    """What to colour a photo by; a recipe's fields."""

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
    vividness: float
    photos: int
    megabytes: float
    megapixels: float


class Desk:
    """What the routes share: the model, the photos, and the turns that work takes."""

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

    def photo(self, photo_id: str) -> Sizes:
        """A photo that was sent. Raises HTTPException 404."""
        found = self.store.get(photo_id)
        if found is None:
            raise HTTPException(404, "expected a photo that was sent, found none; send it again")
        return found

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
        """A palette from its JSON or from a colour photo."""
        if content.lstrip()[:1] == b"{":
            if len(content) > TEXT:
                raise PaletteError(f"expected a palette of at most {TEXT:,} bytes, found more")
            found = Palette.from_json(self.colorizer.bins, content)
        else:
            found = self.colorizer.palette_of(content, max_pixels=self.pixels)
        return Variant(palette=found.to_json(), groups=_groups(found))

    def wanted(self, sizes: Sizes, wish: Wish) -> Variant:
        """The palette that a wish asks for, and what comes out of it."""
        recipe = wish.recipe()
        palette = edited(recipe.start(self.colorizer, sizes.full), recipe.edits)
        return _variant(palette, recipe.decode(self.colorizer, sizes.thumbnail))

    def recipe(self, wish: Wish) -> Recipe:
        """A wish as a recipe, tried on a palette of all colours. Raises PaletteError."""
        recipe, bins = wish.recipe(), self.colorizer.bins
        edited(Palette.of_chroma(bins, bins.centers), recipe.edits)
        return recipe.complete(self.colorizer)

    def gray(self, sizes: Sizes) -> Response:
        """The photo before it was coloured."""
        picture = BytesIO()
        image = Image.fromarray(sizes.preview.photo.luma)
        image.save(picture, "JPEG", quality=PREVIEW_QUALITY)
        return Response(picture.getvalue(), media_type=MIME["JPEG"])

    def render(self, sizes: Sizes, asked: Render) -> Response:
        """The picture that was asked for, and what was reached."""
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
        return Response(picture.getvalue(), media_type=MIME[kind], headers=headers)

    @property
    def pixels(self) -> int:
        """The largest photo."""
        return round(1e6 * self.limits.megapixels)


def create_app(
    colorizer: Colorizer,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    limits: Limits | None = None,
    model: str | None = None,
) -> FastAPI:
    """The editor and its API for one model.

    host: the address that it will listen on; token: what a request must carry, if not None
    model: the colorizer's folder, for commands that do the same; None for the bundled one
    """
    limits = limits or Limits()
    desk = Desk(colorizer, limits, model)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.begin()
        sweeping = asyncio.create_task(_sweep(desk.store))
        yield
        sweeping.cancel()
        desk.end()

    app = FastAPI(
        title="Tintype",
        version=tintype.__version__,
        description="Colour black-and-white photographs, and steer the colours by a palette.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    most = round(limits.megabytes * MEGABYTE)
    app.add_middleware(Guard, host=host, token=token, max_bytes=most)
    _answer_errors(app)
    _add_routes(app, desk)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return app


async def _sweep(store: Store) -> None:
    """Forget old photos even where nobody asks for anything."""
    while True:
        await asyncio.sleep(60)
        store.sweep()


def _answer_errors(app: FastAPI) -> None:
    """What goes wrong on purpose, in one line, with the right status."""

    def answer(status: int, headers: dict[str, str] | None = None, text: str | None = None) -> Any:
        async def handler(_: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"detail": text or str(error)}, status, headers)

        return handler

    later = {"Retry-After": "1"}
    app.add_exception_handler(TintypeError, answer(422))
    app.add_exception_handler(
        BusyError, answer(429, later, "expected less work at once; try later")
    )
    app.add_exception_handler(
        TooSlowError, answer(503, later, "expected a faster answer; try again")
    )


class Problem(BaseModel):
    """Why a request was refused: what was expected, what came, what to do."""

    detail: str


def _add_routes(app: FastAPI, desk: Desk) -> None:
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem} for status in (400, 401, 403, 404, 413, 429, 503)
    }
    sent = Annotated[Sizes, Depends(desk.photo)]

    @app.get("/v1/health")
    async def health() -> Health:
        """Whether the server answers, and its model."""
        return Health(
            version=tintype.__version__,
            model=desk.colorizer.fingerprint,
            model_folder=desk.model,
            vividness=desk.colorizer.vividness,
            photos=len(desk.store),
            megabytes=desk.limits.megabytes,
            megapixels=desk.limits.megapixels,
        )

    @app.post("/v1/photos", status_code=201, responses=problems)
    async def send_photo(photo: UploadFile) -> PhotoOut:
        """Send a photo; it is encoded once and kept for an hour after its last use."""
        content = await photo.read()
        return await desk.uploads.do(lambda: desk.open(content))

    @app.delete("/v1/photos/{photo_id}", status_code=204, responses=problems)
    async def forget_photo(photo_id: str) -> None:
        """Forget a photo."""
        if not desk.store.drop(photo_id):
            raise HTTPException(404, "expected a photo that was sent, found none")

    @app.get("/v1/photos/{photo_id}/gray", responses=problems | PICTURES)
    async def gray(photo: sent) -> Response:
        """The photo in gray, as large as a preview."""
        return await desk.renders.do(lambda: desk.gray(photo))

    @app.post("/v1/photos/{photo_id}/render", responses=problems | PICTURES)
    async def render(photo: sent, asked: Render) -> Response:
        """Colour a photo by a wish: the picture's bytes.

        The header `x-tintype-reached` says how much of the wish was reached (1 is all),
        `x-tintype-colors` holds the palette that came out, `server-timing` the milliseconds.
        """
        turns = desk.full if asked.size == "full" else desk.renders
        return await turns.do(lambda: desk.render(photo, asked))

    @app.post("/v1/photos/{photo_id}/palette", responses=problems)
    async def wanted_palette(photo: sent, wish: Wish) -> Variant:
        """The palette that a wish asks for, as JSON to keep."""
        return await desk.renders.do(lambda: desk.wanted(photo, wish))

    @app.post("/v1/recipes", responses=problems)
    async def recipe(wish: Wish) -> dict[str, Any]:
        """A wish as a recipe's file, which `tintype colorize --recipe-in` replays."""
        found = await desk.renders.do(lambda: desk.recipe(wish))
        about: dict[str, Any] = json.loads(found.to_json())
        return about

    @app.post("/v1/palettes", responses=problems)
    async def read_palette(file: UploadFile) -> Variant:
        """The palette of a colour photo, or of a palette's JSON."""
        content = await file.read()
        return await desk.uploads.do(lambda: desk.palette(content))


def _format(source: str | None) -> str:
    """What a photo is saved as: its own format where that is written, PNG otherwise."""
    return source if source in MIME else "PNG"


def _variant(palette: Palette, result: Result) -> Variant:
    return Variant(palette=palette.to_json(), groups=_groups(result.palette))


def _groups(palette: Palette) -> list[Group]:
    """What can be taken hold of: colours with a hue, and not just specks."""
    found = [(c, s) for c, s in palette.clusters(GROUPS) if s >= SPECK and has_hue(c)]
    return [Group(color=color, share=share) for color, share in found]


def _timing(**seconds: float) -> str:
    return ", ".join(f"{name};dur={1000 * value:.1f}" for name, value in seconds.items())
