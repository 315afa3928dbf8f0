"""`gatepost up`: the whole of gatepost as one process."""

import os
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from gatepost.app import TOKEN_FILE, App
from gatepost.cli.command import ClockChoice, local_command, part
from gatepost.cli.output import Output
from gatepost.settings import settings_from
from gatepost.web.server import serve

app = part("Run gatepost.")


@local_command(
    app,
    "up",
    "gatepost up --data ./gatepost-data",
    "gatepost up --port 9000 --data /var/lib/gatepost --allow-host 127.0.0.1:8090",
)
def up(
    out: Output,
    data: Annotated[
        Path,
        typer.Option(envvar="GATEPOST_DATA", help="Folder for everything that is kept; made when missing."),
    ] = Path("gatepost-data"),
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port to listen on, 8400 unless told; 0 takes a free one."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on, 127.0.0.1 unless told; elsewhere behind TLS only."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="Plain-http or private destination that may be called: a host, host:port or network; repeatable.",
        ),
    ] = None,
    clock: Annotated[
        ClockChoice | None, typer.Option(help="With `manual`, only POST /api/clock moves audience time.")
    ] = None,
) -> None:
    """Run gatepost until Ctrl-C or SIGTERM: collect, apply, deliver and the API.

    The first start makes an administrator token, prints it and writes it to admin-token in the data folder.
    Every other setting is an environment variable, see the documentation of settings.
    """
    settings = settings_from(
        os.environ,
        data=data.expanduser(),
        port=port,
        host=host,
        allow_hosts=tuple(allow_host) if allow_host else None,
        clock=clock.value if clock else None,
    )
    _log_to_stderr()
    token_file = settings.data / TOKEN_FILE

    def announce(address: str, token: str) -> None:
        _announce(out, address, token, token_file)

    uvloop.run(serve(App(settings), host=settings.host, port=settings.port, ready=announce))


def _announce(out: Output, address: str, token: str, token_file: Path) -> None:
    """Say that it is up; programs wait for this line."""
    if out.json:
        fresh = {"token": token, "token_file": str(token_file)} if token else {}
        out.document({"address": address, **fresh})
        return
    if token:
        typer.echo(f"administrator token: {token}")
        typer.echo(f"(also in {token_file}, which only you can read)")
    typer.echo(f"gatepost is ready at {address}")


def _log_to_stderr() -> None:
    """Leave standard output to what the command prints; logs are JSON lines unless a person is watching."""
    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
