"""`gatepost profile`: what is known of one person, and of the merges that made her one."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.failure import CommandError
from gatepost.cli.files import write_private
from gatepost.cli.merging import show_merges, show_undoing
from gatepost.cli.naming import profile_by, stored_profile
from gatepost.cli.output import moment
from gatepost.cli.personal import show_erasures, show_preview, show_receipt, show_sources
from gatepost.cli.writing import app as writing

app = part("Show what is known of one person.")
app.add_typer(writing)

Identifier = Annotated[
    str, typer.Argument(metavar="IDENTIFIER", help="A value that identifies somebody, or FIELD=VALUE.")
]


@app.callback()
def group() -> None:
    """Look at profiles."""


@client_command(
    app,
    "show",
    "gatepost profile show email ana@example.com",
    "gatepost profile show email=ana@example.com",
    "gatepost profile show household_id hh-900 --field baskets --field last_basket --json",
)
def show(
    session: Session,
    field: Annotated[str, typer.Argument(help="A value such as ana@example.com, FIELD=VALUE, or a field.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The value, when a field was named.")] = "",
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="Only this field; repeatable.", metavar="NAME")
    ] = None,
) -> None:
    """Show the profile that an identifier leads to, and the audiences it is in."""
    client, out = session
    profile = profile_by(client, field, value) if value else stored_profile(client, field)
    wanted = fields or list(profile)
    if unknown := [name for name in wanted if name not in profile]:
        out.warn(f"the profile has no {', '.join(unknown)}; it has {', '.join(sorted(profile))}")
    profile = {name: profile[name] for name in wanted if name in profile}
    out.document(profile)
    out.facts(_facts(profile))


@client_command(app, "merges", "gatepost profile merges ana@example.com")
def merges(session: Session, identifier: Identifier) -> None:
    """List the merges that made a profile what it is, newest first."""
    client, out = session
    found = client.get(path_of("v2", "merge", identifier))
    out.document(found)
    show_merges(out, found)


@client_command(
    app,
    "unmerge",
    "gatepost profile unmerge ana@example.com --dry-run",
    "gatepost profile unmerge ana@example.com --merge 7 --yes",
)
def unmerge(
    session: Session,
    identifier: Identifier,
    merge: Annotated[int, typer.Option(min=0, help="Which one; the newest that stands unless told.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show both profiles as they would be, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Undo a merge: each profile gets its own events back, and the two are kept apart from then on.

    Both results are shown first. Audiences that either leaves or enters are told to the jobs as always.
    """
    client, out = session
    path = path_of("v2", "merge", str(merge or _newest(client, identifier)), "undo")
    planned = client.post(path, dry_run=True)
    show_undoing(out, planned)
    if dry_run:
        out.document(planned)
        out.say("")
        out.say("This was a dry run, nothing was changed.")
        return
    confirm("Part them?", yes=yes)
    done = client.post(path)
    out.document(done)
    out.say("")
    out.say(f"They are two again; `gatepost profile rejoin {done['merge']['id']}` lets them become one.")


@client_command(app, "rejoin", "gatepost profile rejoin 7")
def rejoin(
    session: Session, merge: Annotated[int, typer.Argument(help="The merge that was undone.")]
) -> None:
    """Let two profiles that were parted become one again, at the next event that names both."""
    client, out = session
    done = client.post(path_of("v2", "merge", str(merge), "rejoin"))
    out.document(done)
    out.say("The next event that names both makes them one again.")


@client_command(
    app,
    "explain",
    "gatepost profile explain ana@example.com",
    "gatepost profile explain ana@example.com --field city --json",
)
def explain(
    session: Session,
    identifier: Identifier,
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="Only this field; repeatable.", metavar="NAME")
    ] = None,
) -> None:
    """Tell which event and which mapping gave each field of a profile its value."""
    client, out = session
    found = client.get(path_of("v2", "profile", "explain", identifier))
    unknown = [name for name in fields or () if name not in found["field_sources"]]
    if unknown:
        msg = f"the profile has no value of {', '.join(unknown)}"
        raise CommandError(msg, hint=f"It has: {', '.join(sorted(found['field_sources']))}")
    out.document(found)
    show_sources(out, found, fields or [])


@client_command(app, "export", "gatepost profile export ana@example.com --out ana.json")
def export(
    session: Session,
    identifier: Identifier,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="Where to write it; standard output unless told.", metavar="FILE"),
    ] = None,
) -> None:
    """Hand out all that is held on a person: profile, events, deliveries with answers, merges, as one JSON document."""
    client, out = session
    pieces = client.pieces(path_of("v2", "profile", "export", identifier))
    if out_file is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        return
    written = write_private(out_file, pieces)
    out.document({"file": str(out_file), "bytes": written})
    out.say(f"{written:,} bytes in {out_file}, readable by you alone.")


@client_command(
    app,
    "erase",
    "gatepost profile erase ana@example.com --dry-run",
    "gatepost profile erase ana@example.com --yes",
)
def erase(
    session: Session,
    identifier: Identifier,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that is held on a person, for good: nobody is told of exits, and nothing more is sent.

    What is older than the request stays out from then on; a newer event begins a new profile.
    """
    client, out = session
    planned = client.get(path_of("v2", "profile", "erase", identifier))
    show_preview(out, planned, sure=yes and not dry_run)
    if dry_run:
        out.document(planned)
        out.say("")
        out.say("This was a dry run, nothing was changed.")
        return
    confirm("Erase it all? This cannot be undone.", yes=yes)
    done = client.delete(path_of("api", "entity", "user", planned["field"], planned["value"]))
    out.document(done)
    out.say("")
    out.say(f"It is being erased; `gatepost profile receipt {done['request_id']}` tells how far it is.")


@client_command(
    app,
    "receipt",
    "gatepost profile receipt 7c1d2e3f405162738495a6b7c8d9eaf0 --verify",
    "gatepost profile receipt 7c1d2e3f405162738495a6b7c8d9eaf0 --known ana@example.com",
)
def receipt(
    session: Session,
    request: Annotated[str, typer.Argument(metavar="ID", help="The request's id, as `erase` told it.")],
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Look again for all that went; exit code 1 when something is found."),
    ] = False,
    known: Annotated[
        list[str] | None,
        typer.Option(
            "--known",
            help="An identifier of hers: every byte of both files is searched for it too; repeatable.",
            metavar="VALUE",
        ),
    ] = None,
) -> None:
    """Show the receipt of an erasure: what was asked and when, what went, and that it holds."""
    client, out = session
    path = path_of("v2", "erasure", request)
    found = client.post(f"{path}/verify", {"known": known}) if known else client.get(path, verify=verify)
    out.document(found)
    show_receipt(out, found)
    audit = found.get("audit")
    if audit is not None and (audit["found"] or not audit["genuine"]):
        raise typer.Exit(1)


@client_command(app, "erasures", "gatepost profile erasures")
def erasures(session: Session) -> None:
    """List the latest erasures, newest first: how far each is, and what keeps it from going on."""
    client, out = session
    found = client.get("/v2/erasure")
    out.document(found)
    show_erasures(out, found)


def _newest(client: Client, identifier: str) -> int:
    found = client.get(path_of("v2", "merge", identifier))
    standing = next((one["id"] for one in found if not one["undone"]), None)
    if standing is None:
        msg = f"no merge of {identifier} stands that could be undone"
        raise CommandError(msg, hint=f"See: gatepost profile merges {identifier}")
    return int(standing)


def _facts(profile: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield the fields, those that gatepost itself keeps last."""
    for name in sorted(profile, key=lambda name: (name.startswith("_") or name == "segments", name)):
        value = profile[name]
        if isinstance(value, dict):
            value = "\n".join(f"{key}: {item}" for key, item in value.items())
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            value = "\n".join(str(item) for item in value)
        elif name.startswith("_") and isinstance(value, str) and value[10:11] == "T":
            value = moment(value)
        yield name, value
