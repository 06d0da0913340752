"""Who may ask, and how much: checked before a request reaches a route.

Other web pages that the person has open must not reach this server: its Host must be one that was
meant (DNS rebinding), requests that change something must come from its own pages, and nothing it
answers may be read or framed elsewhere.
"""

import hmac
import ipaddress
import re
from asyncio import sleep
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.server.problems import KINDS, Refusal, answer

MEGABYTE = 1 << 20
TEXT = MEGABYTE // 16  # bytes of a body that is neither an upload
RECIPE = 4 * MEGABYTE  # nor a recipe, which may hold masks, nor the palettes of 64 photos
PAUSE = 0.05  # seconds before a refusal, so that nobody can ask for a flood of them
UPLOADS = ("/v1/photos", "/v1/palettes")
COOKIE = "tintype-token"
RECIPES = re.compile(r"/v1/recipes|/v1/albums|/v1/photos/[^/]+/(render|palette|suggestions)")
SAFE = ("GET", "HEAD", "OPTIONS")

SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


async def name_client(request: Request) -> str:
    """The address that a request comes from."""
    return "" if request.client is None else request.client.host


Client = Annotated[str, Depends(name_client)]  # of a route, for its turn in a queue


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(
        self, app: ASGIApp, *, host: str, token: str | None = None, max_bytes: int = 64 * MEGABYTE
    ) -> None:
        """host: the address that the server listens on; token: needed by who asks, if not None."""
        self.app, self.host, self.token, self.max_bytes = app, host, token, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on with a limit on its body."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        begun = False

        async def secured(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                if message["status"] >= 400:
                    await sleep(PAUSE)
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        recipe = RECIPES.fullmatch(scope["path"]) is not None
        limit = self.max_bytes if scope["path"] in UPLOADS else RECIPE if recipe else TEXT
        refusal = self._refusal(scope, Headers(scope=scope), limit)
        if refusal is not None:
            return await refusal(scope, receive, secured)
        try:
            return await self.app(scope, _limit(receive, limit), secured)
        except Exception:  # what nobody expected: logged by the server, answered as all else
            if not begun:
                await _refuse(500, "expected to answer, could not; see the server's log")(
                    scope, receive, secured
                )
            raise

    def _refusal(self, scope: Scope, headers: Headers, limit: int) -> Response | None:
        host = headers.get("host", "")
        if not allowed_host(host, self.host):
            return _refuse(400, f"expected this server's own address as Host, found {host!r:.80}")
        if scope["method"] not in SAFE:
            origin = headers.get("origin")
            if origin is not None and origin.split("://")[-1] != host:
                return _refuse(403, "expected a request from this server's own pages")
            if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
                return _refuse(403, "expected a request from this server's own pages")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return _too_large(limit)
        return None if self.token is None else self._stranger(scope, headers, self.token)

    def _stranger(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        """A token comes in a header, in a cookie, or once in the page's address."""
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and _same(asked, token):
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            return answer
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if _same(given, token) or _same(cookie, token):
            return None
        return _refuse(401, "expected the token that the server printed: open its whole address")


def allowed_host(header: str, bound: str) -> bool:
    """Whether a Host header names this server.

    bound: the address that it listens on. Names other than localhost can be made to point here by
    anybody; bare addresses cannot.
    """
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    name = name.strip("[]").lower()
    if name in ("localhost", bound.lower()):
        return True
    try:
        address = ipaddress.ip_address(name)
        return address.is_loopback or ipaddress.ip_address(bound).is_unspecified
    except ValueError:
        return False


def _limit(receive: Receive, limit: int) -> Receive:
    """Count a body while it streams in, whatever length was announced."""
    seen = 0

    async def count() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise Refusal(413, "size", _limit_text(limit), megabytes=limit / MEGABYTE)
        return message

    return count


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _refuse(status: int, detail: str, kind: str | None = None, **values: Any) -> Response:
    return answer(status, kind or KINDS.get(status, "refused"), detail, **values)


def _too_large(limit: int) -> Response:
    return _refuse(413, _limit_text(limit), megabytes=limit / MEGABYTE)


def _limit_text(limit: int) -> str:
    return f"expected at most {limit / MEGABYTE:g} MB; send a smaller file"
