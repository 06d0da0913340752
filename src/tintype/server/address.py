"""Where a server listens, and who may ask; known before anything heavy is imported."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """Where a server listens, and who may ask."""

    host: str
    port: int
    token: str | None
    browser: bool


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
