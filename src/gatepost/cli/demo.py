"""`gatepost demo`: everything at once, on real purchases."""

from typing import Annotated

import typer

from gatepost.cli.command import local_command, part
from gatepost.cli.output import Output
from gatepost.demo.extra import require_extra

app = part("Replay real purchases through gatepost and the Insider sandbox.")


@local_command(app, "demo", "gatepost demo", "gatepost demo --exit --json --days 7")
def demo(
    out: Output,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Days of purchases to replay; by default about a minute's worth."),
    ] = None,
    exit_: Annotated[
        bool, typer.Option("--exit", help="End after the comparison, instead of staying up until Ctrl-C.")
    ] = False,
) -> None:
    r"""Replay real purchases of some 2,000 households, then compare gatepost, the sandbox and the raw rows.

    Starts a gatepost and an Insider sandbox of its own in a temporary folder. Needs gatepost\[demo].
    Exits with 1 when any household's audiences differ.
    """
    require_extra()
    from gatepost.demo.outcome import DEFAULT_DAYS, DemoOptions  # noqa: PLC0415 - imports what require_extra has looked for
    from gatepost.demo.run import run_demo  # noqa: PLC0415 - the same

    result = run_demo(DemoOptions(days=days or DEFAULT_DAYS, exit=exit_, json=out.json))
    if not result.agreed:
        raise typer.Exit(1)
