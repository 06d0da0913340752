"""Listen, say where, open the browser."""

import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from tintype.errors import TintypeError
from tintype.server.address import Server
from tintype.server.connection import GRACE_SECONDS, Connection

SWITCH_SECONDS = 0.0005  # after which one thread's Python lets another's go on; 0.005 by default


def run(app: FastAPI, server: Server, *, say: Callable[[str], None]) -> None:
    """Serve until interrupted; port 0 takes any that is free.

    say: where the address goes. Raises TintypeError where the address cannot be had.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    host, port = server.host, server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or error
        raise TintypeError(
            f"expected to listen on {host} port {port}, could not: {why}; choose another --port"
        ) from None
    bound = listening.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    shown = "127.0.0.1" if host == "0.0.0.0" else "[::1]" if host == "::" else name
    address = f"http://{shown}:{bound}/" + (f"?token={server.token}" if server.token else "")
    with suppress(KeyboardInterrupt):  # Ctrl-C is how a server is meant to end, at any moment
        say(f"Tintype is at {address} (Ctrl-C ends it)")
        if server.browser:
            # In a thread: a browser of the terminal does not return. The socket listens already.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        uvicorn.Server(configure(app)).run(sockets=[listening])


def configure(app: FastAPI) -> uvicorn.Config:
    """How an app is served."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=Connection,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
