"""What is done to audiences that are there: everybody is evaluated again."""

import time

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


def _wait(client: Client, out: Output, id_: str, doing: str) -> None:
    with out.progress() as progress:
        task = progress.add_task(doing, total=1.0)
        while (done := client.get(path_of("v2", "segment", id_)).get("evaluating")) is not None:
            progress.update(task, completed=done)
            time.sleep(_LOOK_S)
