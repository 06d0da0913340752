"""What all commands do: tell people, end on Ctrl-C, say which extra is missing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tintype.errors import TintypeError, escape


def complain(message: str) -> None:
    """A line for people, on standard error."""
    click.echo(f"tintype: {escape(message)}", err=True)


@contextmanager
def interruptible(*, folder: bool) -> Iterator[None]:
    """Ctrl-C ends with a line and the status 130, as after the signal itself."""
    try:
        yield
    except KeyboardInterrupt:
        goes_on = ", and the same command goes on with the rest" if folder else ""
        complain(f"stopped; what is written is whole{goes_on}")
        sys.exit(130)


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Say which extra to install where an import needs one."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise TintypeError(
            f"expected the extra [{name}] to be installed, found no {error.name}; "
            f"run: pip install 'tintype[{name}]'"
        ) from None
