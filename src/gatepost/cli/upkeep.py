"""What is done to audiences that are there, and how their sizes went."""

import time
from typing import Annotated

import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.naming import Which, audience_named
from gatepost.cli.output import Output, moment

app = part("Look after audiences.")

_LOOK_S = 0.2
_BAR = 40


@client_command(app, "reevaluate", "gatepost audience reevaluate best_customers")
def reevaluate(session: Session, audience: Which) -> None:
    """Look at everybody stored again; who is not where the rule says enters or leaves, and jobs are told.

    It goes on in the background if you end this command, and after a restart from where it was.
    """
    client, out = session
    before = audience_named(client, audience)
    client.post("/v2/segment/reevaluate", {"id": before["id"]})
    _wait(client, out, before["id"], f"evaluating {before['slug_name']}")
    after = client.get(path_of("v2", "segment", before["id"]), sizes=True)
    out.document(after)
    out.say(f"evaluated {after['slug_name']}: {after['size']:,} are in it, {before['size']:,} were")


@client_command(
    app,
    "exclude",
    "gatepost audience exclude best_customers ana@example.com",
    "gatepost audience exclude best_customers email=ana@example.com --undo",
)
def exclude(
    session: Session,
    audience: Which,
    identifiers: Annotated[
        list[str],
        typer.Argument(metavar="IDENTIFIER...", help="Values that identify profiles, or FIELD=VALUE."),
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Let the rule decide about them again.")] = False,
) -> None:
    """Keep single profiles out of an audience, whatever its rule says; members leave, and jobs are told."""
    client, out = session
    found = audience_named(client, audience)
    path = f"/v2/segment/exclude/{'remove' if undo else 'add'}"
    done = client.post(path, {"id": found["id"], "identifiers": identifiers})
    out.document(done)
    which = f"{len(done['profiles']):,} profile{'' if len(done['profiles']) == 1 else 's'}"
    said = "the rule decides again about" if undo else "excluded"
    out.say(f"{found['slug_name']}: {said} {which}")


@client_command(
    app,
    "history",
    "gatepost audience history best_customers",
    "gatepost audience history best_customers --hours 720 --json",
)
def history(
    session: Session,
    audience: Which,
    hours: Annotated[int, typer.Option(min=1, help="How many hours to look back, at most 9600.")] = 168,
) -> None:
    """Show an audience's size over time: a line for each hour in which it changed, and the last one."""
    client, out = session
    found = audience_named(client, audience)
    told = client.get(path_of("api", "segment", found["id"], "attribution"), limit=hours)
    out.document(told)
    points = told["metrics"]
    most = max((point["value"] for point in points), default=0) or 1
    rows = (
        (
            moment(point["ts"]),
            point["value"],
            point["entered"],
            point["left"],
            "▇" * round(point["value"] / most * _BAR),
        )
        for place, point in enumerate(points)
        if point["entered"] or point["left"] or place in (0, len(points) - 1)
    )
    out.table(("time", ">size", ">entered", ">left", ""), rows, empty="Nothing is known of its past.")


def _wait(client: Client, out: Output, id_: str, doing: str) -> None:
    with out.progress() as progress:
        task = progress.add_task(doing, total=1.0)
        while (done := client.get(path_of("v2", "segment", id_)).get("evaluating")) is not None:
            progress.update(task, completed=done)
            time.sleep(_LOOK_S)
