"""`gatepost backtest`: who would have been in an audience, and when."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gatepost.cli.client import Client
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.failure import CommandError
from gatepost.cli.output import Output, moment
from gatepost.cli.plot import svg_of

app = part("See who would have been in an audience.")

_ROWS = 32
_BAR = 40


class FoldedBy(StrEnum):
    """Which version of the schema folds an event: its own, or the newest."""

    EACH = "each"
    NEWEST = "newest"


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """Which rule, over which part of the past."""

    filter: Annotated[str, typer.Option(metavar="FILTERQL", help="A rule that is not saved.")] = ""
    from_: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Beginning; the first kept event unless told.")
    ] = ""
    to: Annotated[str, typer.Option(metavar="TIME", help="End; now unless told.")] = ""
    step: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Time between points, such as 1d; by the length unless told."),
    ] = ""
    schema: Annotated[
        FoldedBy, typer.Option(help="Fold each event by its own version of the schema, or all by the newest.")
    ] = FoldedBy.EACH
    plot: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Also draw the size over time.")] = (
        None
    )


@client_command(
    app,
    "backtest",
    "gatepost backtest big_spenders --from 2017-03-01 --to 2017-06-01 --plot big_spenders.svg",
    'gatepost backtest --filter \'count("orders", "7d") >= 3\' --step 1d --json',
    "gatepost backtest --filter 'EXISTS favourite_colour' --schema newest",
)
def backtest(
    session: Session,
    over: Over,
    audience: Annotated[str, typer.Argument(metavar="AUDIENCE", help="Slug or id; or give --filter.")] = "",
) -> None:
    """Fold the history again, each event at its own time, and show an audience's size over time.

    It tells who would have entered and left, and what the jobs would have sent. Nothing is sent or stored.
    """
    client, out = session
    if bool(audience) == bool(over.filter):
        msg = "name an audience, or give a rule with --filter"
        raise CommandError(msg, hint="For example: gatepost backtest big_spenders --from 2017-03-01")
    wish = {
        "audience": audience,
        "filter": over.filter,
        "from": over.from_,
        "to": over.to,
        "step": over.step,
        "schema": over.schema,
    }
    report = _run(client, out, wish)
    if over.plot is not None:
        over.plot.write_text(svg_of(audience or over.filter, report["points"]), encoding="utf-8")
    out.document(report)
    _show(out, report)
    if over.plot is not None:
        out.say(f"drawn in {over.plot}")


def _run(client: Client, out: Output, wish: dict[str, str]) -> dict[str, Any]:
    with out.progress() as progress:
        task = progress.add_task("folding the history", total=1.0)
        for line in client.lines("/v2/segment/backtest", {name: text for name, text in wish.items() if text}):
            if "error" in line:
                raise CommandError(str(line["error"]))
            if "data" in line:
                report: dict[str, Any] = line["data"]
                return report
            progress.update(task, completed=line.get("done", 0))
    msg = "the backtest ended without a report"
    raise CommandError(msg, hint="Was gatepost stopped meanwhile?")


def _show(out: Output, report: dict[str, Any]) -> None:
    points = _thinned(report["points"])
    most = max((point["size"] for point in points), default=0) or 1
    rows = (
        (
            moment(point["at"]),
            point["size"],
            point["entered"],
            point["left"],
            "▇" * round(point["size"] / most * _BAR),
        )
        for point in points
    )
    out.table(("time", ">size", ">entered", ">left", ""), rows, empty="There is no history yet.")
    out.say("")
    out.say(
        f"{report['events']:,} events, {report['profiles']:,} profiles: {report['entered']:,} entered, "
        f"{report['left']:,} left, {report['size']:,} inside at the end, {report['seconds']} s"
    )
    for job, amount in report["deliveries"].items():
        out.say(f"{job} would have sent {amount:,}")


def _thinned(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most some thirty points; what entered and left is summed up between them."""
    stride = max(1, -(-(len(points) - 1) // _ROWS))
    shown = [points[0]] if points else []
    for start in range(1, len(points), stride):
        group = points[start : start + stride]
        sums = {way: sum(point[way] for point in group) for way in ("entered", "left")}
        shown.append({**group[-1], **sums})
    return shown
