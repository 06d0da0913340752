"""Who asks: work is done for as long as somebody waits for its answer."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from tintype.server.security import Client
from tintype.server.work_queue import WorkQueue

T = TypeVar("T")


class GoneError(Exception):
    """Who asked has gone."""


class Asker:
    """The client of one request, whose body was read."""

    def __init__(self, request: Request, name: str) -> None:
        self._request, self._name = request, name

    async def have(self, queue: WorkQueue, work: Callable[[], T]) -> T:
        """What a queue makes; given up when the client goes.

        Raises GoneError, and what `WorkQueue.do` raises.
        """
        working = asyncio.ensure_future(queue.do(work, self._name))
        going = asyncio.ensure_future(self._wait_until_gone())
        try:
            await asyncio.wait((working, going), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise GoneError
            return working.result()
        finally:
            working.cancel()
            going.cancel()

    async def _wait_until_gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


async def find_asker(request: Request, name: Client) -> Asker:
    """Who asks."""
    return Asker(request, name)


Asking = Annotated[Asker, Depends(find_asker)]  # of a route
