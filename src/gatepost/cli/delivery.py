"""`gatepost delivery`: what is on its way, what became of it, and once more from the start."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from gatepost.cli.client import Client, Refused, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.failure import CommandError
from gatepost.cli.naming import named, stored_profile
from gatepost.cli.output import Output, moment, short_id
from gatepost.cli.reasons import brief

app = part("Follow deliveries and replay them.")

_PAGE = 500
_ID_LENGTH = 32
_REASONS = 5
_SHOWN = 8

Which = Annotated[
    str, typer.Argument(metavar="DELIVERY", help="Id, or four or more digits of its beginning.")
]
JobOption = Annotated[str, typer.Option(metavar="JOB", help="Only those of this job, by name or id.")]


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    LEASED = "leased"
    RETRYING = "retrying"
    PARKED = "parked"
    DELIVERED = "delivered"
    REFUSED = "refused"
    OMITTED = "omitted"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Finished(StrEnum):
    """The states out of which a delivery can be sent again."""

    REFUSED = "refused"
    OMITTED = "omitted"
    DEAD = "dead"


@app.callback()
def group() -> None:
    """Follow deliveries, each one trigger of one job, and replay those that did not arrive."""


@client_command(
    app,
    "list",
    "gatepost delivery list --state dead",
    "gatepost delivery list --job insider_enter --limit 0 --json > deliveries.ndjson",
)
def list_(
    session: Session,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    job: JobOption = "",
    profile: Annotated[
        str,
        typer.Option(metavar="FIELD=VALUE", help="Only those of this profile, by an identifier or its _id."),
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="How many to show; 0 shows all.")] = 20,
) -> None:
    """List deliveries, newest first; with --json one line each, as they come."""
    client, out = session
    query = {"state": state.value if state else "", "job": _job_id(client, job)}
    query["profile"] = stored_profile(client, profile)["_id"] if "=" in profile else profile
    found = _deliveries(client, limit, query)
    if out.json:
        for delivery in found:
            out.document(delivery)
        return
    shown = list(found)
    rows = (
        (
            short_id(delivery["id"]),
            delivery["state"],
            delivery["event"],
            delivery["known_by"].partition("=")[2],
            delivery["audience"],
            delivery["job_name"],
            delivery["attempts"],
            moment(delivery["created"]),
        )
        for delivery in shown
    )
    columns = ("id", "state", "event", "who", "?audience", "?job", ">tries", "?created")
    out.table(columns, rows, empty="There are no such deliveries.")
    parked = (delivery["reason"] for delivery in shown if delivery["state"] == State.PARKED)
    for reason in dict.fromkeys(filter(None, parked)):
        out.say(f"! parked: {brief(reason)}")


@client_command(
    app, "show", "gatepost delivery show 7c1d2e3f4051", "gatepost delivery show 7c1d2e3f4051 --json"
)
def show(session: Session, delivery: Which) -> None:
    """Show a delivery: the request as it goes out, without credentials, and every attempt."""
    client, out = session
    found = client.get(path_of("v2", "delivery", _id(client, delivery)))
    out.document(found)
    found["reason"] = found["reason"].strip()
    names = ("id", "state", "reason", "event", "audience")
    out.facts((name, found.get(name)) for name in names)
    out.facts(
        (
            ("job", found.get("job_name")),
            ("who", found.get("known_by")),
            ("profile", found.get("profile_id")),
            ("at", moment(found.get("at"))),
            ("due", moment(found.get("due")) if not found.get("finished") else ""),
            ("finished", moment(found.get("finished"))),
        )
    )
    if request := found.get("request"):
        out.heading("request")
        out.facts((("", f"{request['method']} {request['url']}"), ("", request["body"])))
    out.heading("attempts")
    rows = (
        (
            attempt["number"],
            moment(attempt["started"]),
            attempt["status"] or "-",
            f"{attempt['duration_ms']:,} ms",
            attempt["verdict"],
            brief(attempt["reason"] or attempt["answer"]),
        )
        for attempt in found.get("attempt_list") or ()
    )
    out.table((">no", "started", "status", ">took", "verdict", "reason"), rows, empty="None yet.")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries to send again."""

    state: Annotated[Finished | None, typer.Option(help="All in this state, instead of one by its id.")] = (
        None
    )
    job: JobOption = ""
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them and send nothing.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False


@client_command(
    app,
    "replay",
    "gatepost delivery replay 7c1d2e3f4051",
    "gatepost delivery replay --state dead --dry-run",
    "gatepost delivery replay --state omitted --job insider_enter --yes",
)
def replay(
    session: Session,
    chosen: Chosen,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="One delivery, by its id.")] = "",
) -> None:
    """Send finished deliveries once more, rendered anew with today's template, under the same ids."""
    client, out = session
    if bool(delivery) == bool(chosen.state):
        msg = "name one delivery, or all in a state with --state"
        raise CommandError(msg, hint="For example: gatepost delivery replay --state dead --dry-run")
    if delivery:
        again = client.post(path_of("v2", "delivery", _id(client, delivery), "replay"))
        out.document(again)
        out.say(f"{short_id(again['id'])} is {again['state']} again")
        return
    query = {"state": chosen.state.value if chosen.state else "", "job": _job_id(client, chosen.job)}
    ids = [found["id"] for found in _deliveries(client, 0, query)]
    if chosen.dry_run or not ids:
        out.document({"found": len(ids), "replayed": 0, "refused": 0})
        out.say(f"{len(ids):,} {query['state']} found; nothing was sent")
        return
    confirm(f"Send {len(ids):,} once more?", yes=chosen.yes)
    _replay_all(client, out, ids)


def _replay_all(client: Client, out: Output, ids: list[str]) -> None:
    reasons: list[str] = []
    with out.progress() as progress:
        # The oldest first, so that each profile's deliveries keep their order.
        for id_ in progress.track(reversed(ids), total=len(ids), description="replaying"):
            try:
                client.post(path_of("v2", "delivery", id_, "replay"))
            except Refused as refused:
                reasons.append(refused.message)
    out.document({"found": len(ids), "replayed": len(ids) - len(reasons), "refused": len(reasons)})
    out.say(f"{len(ids) - len(reasons):,} of {len(ids):,} are on their way again")
    if reasons:
        msg = f"{len(reasons):,} were not replayed"
        raise CommandError(msg, hint="\n".join(list(dict.fromkeys(reasons))[:_REASONS]))


def _deliveries(client: Client, at_most: int, query: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    """Yield deliveries newest first, page by page."""
    taken, before = 0, 0
    while True:
        size = min(_PAGE, at_most - taken) if at_most else _PAGE
        page = client.get("/v2/delivery", **query, before=before or None, limit=size)
        yield from page
        taken += len(page)
        if len(page) < size or taken == at_most:
            return
        before = page[-1]["seq"]


def _id(client: Client, wanted: str) -> str:
    if len(wanted) == _ID_LENGTH:
        return wanted
    found = [one["id"] for one in client.get("/v2/delivery", id=wanted.lower(), limit=_SHOWN + 1)]
    if len(found) == 1:
        return str(found[0])
    if not found:
        msg = f"no delivery has an id that begins with {wanted!r}"
        raise CommandError(msg, hint="Finished ones are kept for a while only; see `gatepost delivery list`.")
    some = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    msg = f"the ids of several deliveries begin with {wanted!r}"
    raise CommandError(msg, hint=f"Give more of it: {some}")


def _job_id(client: Client, wanted: str) -> str:
    return str(named(client.get("/v2/job", show_all=True), wanted, "job")["id"]) if wanted else ""
