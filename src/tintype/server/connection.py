"""A connection: how many there may be, and for how long each may take to ask.

uvicorn alone waits for ever for a request that is begun, and counts all that wait alike: a hundred
silent connections from elsewhere would lock out the person at this machine.
"""

import asyncio
import json
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tintype.server.address import is_local
from tintype.server.problems import MEDIA_TYPE, describe
from tintype.server.security import SECURITY

CLIENTS = 100  # connections at once of other machines, and as many of this one
HEAD_SECONDS = 10.0  # until the head of a request is there
BODY_SECONDS = 60.0  # until its body is
ANSWER_SECONDS = 300.0  # until its answer was fetched
GRACE_SECONDS = 5  # for what was begun when the server is to end
_STATUS = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}
_KINDS = {400: "no-http", 408: "late", 503: "busy"}


class Connection(H11Protocol):
    """uvicorn's connection, which ends when a request takes too long to come."""

    _timer: asyncio.TimerHandle | None = None
    _awaited: object = None  # the part of a request that the timer is for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the client in if there is a place for it."""
        super().connection_made(transport)
        # Else an answer's body waits for the client to confirm its head, 40 ms: Nagle's algorithm
        # and delayed confirmations. asyncio does so only where a socket's protocol is named.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        alike = (c for c in self.connections if is_local_client(c) == is_local_client(self))
        if sum(1 for _ in alike) > CLIENTS:
            self._refuse(503, "expected fewer connections at once; try later")
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Read what has come, and time what is still to come."""
        super().handle_events()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, with the headers that all answers have."""
        self._refuse(400, f"expected a request by HTTP/1.1, found: {msg}")

    def shutdown(self) -> None:
        """End when what was begun has ended, in most of the time that the server has for it."""
        super().shutdown()
        if not self.transport.is_closing():
            self._stop()
            self._timer = self.loop.call_later(0.8 * GRACE_SECONDS, self._give_up)

    def _watch(self) -> None:
        awaited = self.conn.their_state
        if awaited is self._awaited or self.transport.is_closing():
            return
        self._stop()
        self._awaited = awaited
        seconds = {h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}
        left = seconds.get(awaited, ANSWER_SECONDS)
        self._timer = self.loop.call_later(left, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _give_up(self) -> None:
        if self.conn.their_state is h11.SEND_BODY and not self.cycle.response_started:
            self._refuse(408, "expected a whole request in time; try again")
        else:
            self.transport.abort()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer, unless another answer is on its way, and close."""
        answering = self.cycle is not None and self.cycle.response_started
        if not answering or self.cycle.response_complete:
            kind = _KINDS[status]
            body = json.dumps(describe(status, kind, detail)).encode()
            headers = SECURITY | {
                "content-type": MEDIA_TYPE,
                "content-length": str(len(body)),
                "connection": "close",
            }
            lines = [f"HTTP/1.1 {status} {_STATUS[status]}", *map(": ".join, headers.items())]
            self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()


def is_local_client(connection: asyncio.Protocol) -> bool:
    """Whether a connection comes from this machine."""
    client = connection.client if isinstance(connection, H11Protocol) else None
    return client is not None and is_local(client[0])
