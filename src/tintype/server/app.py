"""The editor's routes, which are the REST API too. No algorithms: the service asks `Colorizer`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response, UploadFile
from fastapi.staticfiles import StaticFiles

import tintype
from tintype.colorizer import Colorizer
from tintype.server.asker import Asking, GoneError
from tintype.server.planes import LAYOUT, MEDIA_TYPE
from tintype.server.problems import Refusal, answer_problems
from tintype.server.schemas import (
    AlbumIn,
    AlbumOut,
    Health,
    PhotoOut,
    PlaceIn,
    Problem,
    RecipeFile,
    RecipeIn,
    RegionIn,
    Render,
    Suggestions,
    Variant,
)
from tintype.server.security import MEGABYTE, Guard
from tintype.server.service import MIME, Limits, Picture, Service
from tintype.server.store import Sizes, Store

STATIC = Path(__file__).parent / "static"
PICTURES: dict[int | str, dict[str, Any]] = {
    200: {"content": {mime: {} for mime in MIME.values()}, "description": "A picture."}
}
RENDERED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {mime: {} for mime in MIME.values()}
        | {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary", "description": LAYOUT}}},
        "description": "A picture, or planes.",
    }
}
PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {MIME["PNG"]: {}}, "description": "A gray picture."}
}


async def accepts_gzip(request: Request) -> bool:
    """Whether a client says so, as browsers do."""
    codings = request.headers.get("accept-encoding", "").split(",")
    return "gzip" in map(str.strip, codings)


Compressed = Annotated[bool, Depends(accepts_gzip)]


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
    service = Service(colorizer, limits, model)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.begin()
        sweeping = asyncio.create_task(_sweep(service.store))
        yield
        sweeping.cancel()
        service.end()

    app = FastAPI(
        title="Tintype",
        version=tintype.__version__,
        description="Color black-and-white photographs, and steer the colors by a palette.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    most = round(limits.megabytes * MEGABYTE)
    app.add_middleware(Guard, host=host, token=token, max_bytes=most)
    answer_problems(app)
    app.add_exception_handler(GoneError, lambda *_: Response(status_code=499))  # heard by nobody
    _add_routes(app, service)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return app


async def _sweep(store: Store) -> None:
    """Forget old photos even where nobody asks for anything."""
    while True:
        await asyncio.sleep(60)
        store.sweep()


def _add_routes(app: FastAPI, service: Service) -> None:
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem} for status in (400, 401, 403, 404, 413, 422, 429, 503)
    }

    def find(photo_id: str) -> Sizes:
        photo = service.store.get(photo_id)
        if photo is None:
            raise Refusal(
                404, "not-sent", "expected a photo that was sent, found none; send it again"
            )
        return photo

    sent = Annotated[Sizes, Depends(find)]

    @app.get("/v1/health")
    async def health() -> Health:
        """Whether the server answers, and its model."""
        return service.health()

    @app.post("/v1/photos", status_code=201, responses=problems)
    async def send_photo(photo: UploadFile, asker: Asking) -> PhotoOut:
        """Send a photo; it is encoded once and kept for an hour after its last use."""
        content = await photo.read()
        return await asker.have(service.uploads, lambda: service.open(content))

    @app.delete("/v1/photos/{photo_id}", status_code=204, responses=problems)
    async def forget_photo(photo_id: str) -> None:
        """Forget a photo."""
        if not service.store.drop(photo_id):
            raise Refusal(404, "not-sent", "expected a photo that was sent, found none")

    @app.get("/v1/photos/{photo_id}/gray", responses=problems | PICTURES)
    async def gray(photo: sent, asker: Asking) -> Response:
        """The photo in gray, as large as a preview."""
        return _response(await asker.have(service.renders, lambda: service.gray(photo)))

    @app.get("/v1/photos/{photo_id}/luma", responses=problems | PNG)
    async def luma(photo: sent, asker: Asking) -> Response:
        """The photo's luma at full size, upright: a lossless gray PNG, for who enlarges planes.

        With an alpha channel where parts of the photo are transparent.
        """
        return _response(await asker.have(service.full, lambda: service.luma(photo)))

    @app.post("/v1/photos/{photo_id}/render", responses=problems | RENDERED)
    async def render(photo: sent, asked: Render, asker: Asking, compress: Compressed) -> Response:
        """Color a photo by a recipe: the picture's bytes, or the planes that make one.

        Of pictures, the header `x-tintype-reached` says how much of the recipe was reached (1 is
        all), `x-tintype-colors` holds the palette that came out; planes have both inside. The
        header `server-timing` says the milliseconds. Planes are compressed for who accepts gzip.
        """
        queue = service.queue_for(asked, photo)
        work = partial(service.render, photo, asked, compress=compress)
        return _response(await asker.have(queue, work))

    @app.post("/v1/photos/{photo_id}/palette", responses=problems)
    async def target_palette(photo: sent, asked: RecipeIn, asker: Asking) -> Variant:
        """The palette that a recipe asks for, as JSON to keep."""
        work = partial(service.target_palette, photo, asked)
        return await asker.have(service.queue_for(asked, photo), work)

    @app.post("/v1/photos/{photo_id}/region", responses=problems | PNG)
    async def region(photo: sent, asked: RegionIn, asker: Asking) -> Response:
        """How much of a photo a pin would color: a gray PNG, as large as a preview, 255 for all."""
        return _response(await asker.have(service.regions, lambda: service.region(photo, asked)))

    @app.post("/v1/photos/{photo_id}/suggestions", responses=problems)
    async def suggestions(photo: sent, asked: PlaceIn, asker: Asking) -> Suggestions:
        """The likeliest distinct colors of the thing at a place, under a recipe's palette."""
        work = partial(service.suggestions, photo, asked)
        return await asker.have(service.queue_for(asked, photo), work)

    @app.post("/v1/albums", responses=problems)
    async def album(asked: AlbumIn, asker: Asking) -> AlbumOut:
        """The palettes to begin with that make photos look as if they were of one roll.

        Each is a blend of what the photo begins with and the mean of all: of the photos' own
        estimates as of `tintype colorize --album`.
        """
        photos = {photo_id: service.store.get(photo_id) for photo_id in asked.photos}
        if unknown := [i for i, photo_id in enumerate(asked.photos) if photos[photo_id] is None]:
            ids = ", ".join(dict.fromkeys(asked.photos[i] for i in unknown))
            detail = f"expected photos that were sent, not {ids}; send them again"
            raise Refusal(404, "not-sent", detail, photos=unknown)
        known = [photo for photo_id in asked.photos if (photo := photos[photo_id]) is not None]
        return await asker.have(service.full, lambda: service.album(known, asked))

    @app.post("/v1/recipes", responses=problems)
    async def recipe(asked: RecipeFile, asker: Asking) -> dict[str, Any]:
        """A recipe's file, complete, which `tintype colorize --recipe` replays."""
        complete = await asker.have(service.queue_for(asked), lambda: service.recipe(asked))
        about: dict[str, Any] = json.loads(complete.to_json())
        return about

    @app.post("/v1/palettes", responses=problems)
    async def read_palette(file: UploadFile, asker: Asking) -> Variant:
        """The palette of a color photo, or of a palette's JSON."""
        content = await file.read()
        return await asker.have(service.uploads, lambda: service.palette(content))


def _response(picture: Picture) -> Response:
    return Response(picture.content, media_type=picture.media_type, headers=picture.headers)
