"""What is done to audiences that are there: everybody is evaluated again, single profiles are kept out."""

import time
from typing import Annotated

import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.naming import Which, audience_named
from gatepost.cli.output import Output

app = part("Look after audiences.")

_LOOK_S = 0.2


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


def _wait(client: Client, out: Output, id_: str, doing: str) -> None:
    with out.progress() as progress:
        task = progress.add_task(doing, total=1.0)
        while (done := client.get(path_of("v2", "segment", id_)).get("evaluating")) is not None:
            progress.update(task, completed=done)
            time.sleep(_LOOK_S)
