"""`gatepost sandbox`: stand-ins for destinations, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from gatepost.cli.command import ClockChoice, local_command, part
from gatepost.cli.output import Output
from gatepost.sandbox.insider.server import serve

app = part("Run a stand-in for a destination.")


@app.callback()
def group() -> None:
    """Run a stand-in for a destination, to try everything out while nobody is sent anything."""


@local_command(
    app,
    "insider",
    "gatepost sandbox insider --port 8090 --data /tmp/insider",
    "gatepost sandbox insider --rate 0 --clock manual",
)
def insider(
    out: Output,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8090,
    data: Annotated[
        Path, typer.Option(help="Folder for profiles and received requests; made when missing.")
    ] = Path("insider-sandbox"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    clock: Annotated[
        ClockChoice, typer.Option(help="With `manual`, only POST /sandbox/clock moves the time it judges by.")
    ] = ClockChoice.WALL,
    rate: Annotated[int, typer.Option(min=0, help="Requests allowed a minute; 0 lifts the limit.")] = 25_000,
) -> None:
    """Run a stand-in for Insider's user APIs until Ctrl-C or SIGTERM.

    It answers as Insider does, keeps the profiles, and shows them and every request on a page at its address.
    Use the partner name `sandbox` and the token `sandbox-token`.
    """

    def announce(address: str) -> None:
        if out.json:
            out.document({"address": address})
        else:
            typer.echo(f"sandbox is ready at {address}")

    serve(
        port,
        data.expanduser(),
        host=host,
        clock_manual=clock is ClockChoice.MANUAL,
        rate_per_minute=rate or None,
        ready=announce,
    )
