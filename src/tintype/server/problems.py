"""What is wrong with a request, answered in one line with the right status: 422, 429, 500, 503.

Answers are problem details (RFC 9457), so that programs need not read that line.
And HEAD, which FastAPI's routes do not know.
"""

import json
import math
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from tintype.errors import TintypeError
from tintype.server.work_queue import BusyError, TooSlowError

DEPTH = 16  # lists and objects in each other; a recipe has six
VALUES = 5000  # that may be in a body; the most work that is allowed takes 3,000
MANY = {"/v1/albums": 30_000}  # by path; the palettes of 64 photos, which take 20 ms
LONGEST = 200  # characters of an answer
MEDIA_TYPE = "application/problem+json"
KIND = "urn:tintype:problem:{}"
KINDS = {  # of what has none of its own, by status
    401: "token",
    403: "stranger",
    404: "not-found",
    413: "size",
    422: "request",
    500: "unexpected",
}


class JsonError(ValueError):
    """A body that is no JSON, or no JSON of ours."""


def parse_json(body: bytes, most: int = VALUES) -> Any:
    """JSON as its standard has it (RFC 8259), of finite numbers, whole characters, and not deep.

    Python's own reader takes NaN, 1e999 and halves of characters, which no answer can repeat. What
    has more than the most values is not parsed, as the event loop waits meanwhile.
    """
    if sum(map(body.count, b",[{")) > most:
        raise JsonError(f"found more than {most} values; send fewer colors or edits")
    try:
        value = json.loads(body.decode())
        _check(value, DEPTH)
    except RecursionError:
        raise JsonError(f"found more than {DEPTH} levels") from None
    except ValueError as error:
        raise JsonError(f"found other data: {error}") from None
    return value


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise RecursionError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is not finite")
    if isinstance(value, str):
        value.encode()  # raises ValueError for half a character
    if isinstance(value, dict):
        for name in value:
            name.encode()
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            _check(one, depth - 1)


class Refusal(HTTPException):
    """An answer by a status, with a kind of its own and the numbers in it."""

    def __init__(self, status: int, kind: str, detail: str, **values: Any) -> None:
        super().__init__(status, detail)
        self.kind, self.values = kind, values


class HeadAsGet:
    """ASGI middleware that answers HEAD as GET; uvicorn leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as a GET if it is a HEAD."""
        head = scope["type"] == "http" and scope["method"] == "HEAD"
        await self.app({**scope, "method": "GET"} if head else scope, receive, send)


class _Request(Request):
    async def json(self) -> Any:
        return parse_json(await self.body(), MANY.get(self.scope["path"], VALUES))


class JsonRoute(APIRoute):
    """A route that reads JSON by `parse_json`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, with another way to read."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            try:
                return await handle(_Request(request.scope, request.receive))
            except Exception as error:
                # FastAPI makes a 400 of what a reader raises.
                if isinstance(error.__cause__, JsonError):
                    return answer(422, "json", f"expected JSON, {error.__cause__}")
                raise

        return strict


def describe(status: int, kind: str, detail: str, **values: Any) -> dict[str, Any]:
    """A problem's JSON: its kind as `type`, one line of what was expected, what came, what to do.

    values: the numbers in that line, by their names
    """
    start = detail[: 10 * LONGEST]  # all that is looked at, as a request's words may be long
    line = " ".join(start.encode(errors="replace").decode().split())
    line = line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
    return {"type": KIND.format(kind), "status": status, "detail": line, "values": values}


def answer(
    status: int, kind: str, detail: str, headers: dict[str, str] | None = None, **values: Any
) -> JSONResponse:
    """A problem as an answer."""
    content = describe(status, kind, detail, **values)
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Let an app answer HEAD, and what goes wrong on purpose.

    Call it after other middleware and before routes are added.
    """
    app.add_middleware(HeadAsGet)
    app.router.route_class = JsonRoute
    app.openapi = partial(_document, app.openapi)  # type: ignore[method-assign]
    later = {"Retry-After": "1"}

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        what = first["msg"].removeprefix("Value error, ")
        return answer(422, "request", f"expected another {where or 'request'}: {what}")

    @app.exception_handler(TintypeError)
    async def refused(_: Request, error: TintypeError) -> Response:
        return answer(422, error.kind, str(error), **error.values)

    @app.exception_handler(AnyHTTPException)
    async def missing(_: Request, error: AnyHTTPException) -> Response:
        kind = getattr(error, "kind", KINDS.get(error.status_code, "refused"))
        headers = dict(error.headers or {})
        values = getattr(error, "values", {})
        return answer(error.status_code, kind, str(error.detail), headers, **values)

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> Response:  # noqa: ARG001
        return answer(429, "busy", "expected less work at once; try later", later)

    @app.exception_handler(TooSlowError)
    async def slow(_: Request, error: TooSlowError) -> Response:  # noqa: ARG001
        return answer(503, "slow", "expected a faster answer; try again", later)


def _document(write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """OpenAPI in which problems have their own media type."""
    about = write()
    for verbs in about["paths"].values():
        for route in verbs.values():
            for status, response in route["responses"].items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    response["content"] = {MEDIA_TYPE: content["application/json"]}
    return about
