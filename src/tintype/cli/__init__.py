"""The command line: thin, and quick to start, so commands import what they need."""

import os
import secrets
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tintype import __version__
from tintype.cli import research
from tintype.cli.colorize import colorize
from tintype.cli.command import PHOTO, Command, Output, complain
from tintype.cli.options import MODEL, THREADS
from tintype.cli.palette import palette
from tintype.errors import TintypeError, escape, explain
from tintype.server.address import Server, is_local


class Groups(click.Group):
    """Commands in groups, with help of one line that is wrapped, not cut."""

    command_class = Command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what could steer a terminal is spelled out in usage errors, too."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            found = error.format_message()
            if escape(found) == found:
                raise
            raise click.UsageError(escape(found), error.ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands group by group."""
        research_names = {command.name for command in research.COMMANDS}
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        for title, wanted in (("Color photographs", False), ("Research (extra [train])", True)):
            rows = [
                (name, command.get_short_help_str(limit=200))
                for name, command in commands.items()
                if command is not None and (name in research_names) == wanted
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(
    cls=Groups,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: tintype colorize photo.jpg --towards red",
)
@click.version_option(__version__, prog_name="tintype")
def cli() -> None:
    """Color black-and-white photographs, and steer the colors through a palette."""


def main() -> None:
    """Run the command line; errors that Tintype raises on purpose are one line, status 1."""
    try:
        cli()
    except TintypeError as error:
        complain(str(error))
        sys.exit(1)
    except OSError as error:
        if not _has_working_folder():
            complain("expected a working folder, found that it was deleted; cd to another one")
        elif error.filename is not None:
            complain(f"{error.filename}: expected a file or a folder, {explain(error, '')}")
        else:
            raise
        sys.exit(1)


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def add_server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a server, as one argument `server`."""

    @wraps(command)
    def call(host: str, port: int, no_browser: bool, allow_remote: bool, **options: Any) -> None:
        if not is_local(host) and not allow_remote:
            raise click.UsageError(
                f"--host {host} lets other machines in: add --allow-remote if that is meant"
            )
        token = secrets.token_urlsafe(24) if allow_remote else None
        command(server=Server(host, port, token, not no_browser), **options)

    for option in reversed(_SERVER):
        call = option(call)
    return call


_SERVER = [
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option(
        "--port", default=8420, show_default=True, type=click.IntRange(0, 65535), help="0 for any."
    ),
    click.option("--no-browser", is_flag=True, help="Open no browser."),
    click.option(
        "--allow-remote", is_flag=True, help="Let other machines in, with a token (printed)."
    ),
]


cli.add_command(colorize)
cli.add_command(palette)


@cli.command(
    cls=Command, short_help="Open the palette editor in the browser; it is the REST API too."
)
@add_server_options
@MODEL
@THREADS
@click.option(
    "--read-seconds",
    type=click.FloatRange(0, min_open=True),
    default=8.0,
    show_default=True,
    help="How long it may take to read an upload.",
)
def serve(server: Server, model: Path | None, threads: int | None, read_seconds: float) -> None:
    """Open the palette editor in the browser; it is the REST API too (see /docs.html).

    \b
    Examples:
      tintype serve
      tintype serve --port 9000 --no-browser
    """
    from tintype.colorizer import load
    from tintype.server.app import create_app
    from tintype.server.run import run
    from tintype.server.service import Limits

    app = create_app(
        load(model, threads=threads),
        host=server.host,
        token=server.token,
        limits=Limits(read_seconds=read_seconds),
        model=None if model is None else str(model),
    )
    run(app, server, say=click.echo)


@cli.command(short_help="Let people tell real photos from colored ones, blind.")
@click.argument("folder", type=PHOTO)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Show each pair for so long; at leisure by default.",
)
@click.option(
    "--answers",
    type=Output(lambda values: [values["answers"] or values["folder"] / "answers.csv"]),
    help="Where answers go; FOLDER/answers.csv by default.",
)
@click.option("--results", is_flag=True, help="Only print what the answers so far say.")
@add_server_options
def study(
    folder: Path, seconds: float | None, answers: Path | None, results: bool, server: Server
) -> None:
    """Let people tell real photos from colored ones, blind, and print how often they are fooled.

    FOLDER holds folders with photos of the same names: real/ and one for each method; without
    real/, methods are compared with each other.

    \b
    Example:
      tintype colorize gray/*.jpg -o study/tintype/
      tintype study study/ --seconds 1
    """
    from tintype.server.pairs import rates
    from tintype.server.run import run
    from tintype.server.study import Study, create_app

    answers = answers or folder / "answers.csv"
    if not results:
        app = create_app(Study(folder, answers, seconds), host=server.host, token=server.token)
        run(app, server, say=click.echo)
        if not answers.exists():
            return
    for rate in rates(answers):
        click.echo(str(rate))


for command in research.COMMANDS:
    cli.add_command(command)
