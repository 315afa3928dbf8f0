"""`gatepost profile set`: fields of a profile, put right by hand."""

from typing import Annotated, Any

import msgspec
import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.failure import CommandError
from gatepost.cli.naming import stored_profile
from gatepost.cli.output import Output

app = part("Write fields of a profile by hand.")


@client_command(
    app,
    "set",
    "gatepost profile set ana@example.com city=Bern visits=3 --dry-run",
    "gatepost profile set email=ana@example.com city=Bern --empty tier",
    'gatepost profile set ana@example.com \'towns=["Bern", "Basel"]\' --merge',
)
def set_(
    session: Session,
    identifier: Annotated[str, typer.Argument(help="A value that identifies somebody, or FIELD=VALUE.")],
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="A field and what it is to hold: a text, or JSON."),
    ] = None,
    empty: Annotated[
        list[str] | None,
        typer.Option("--empty", help="A field that is to hold nothing; repeatable.", metavar="NAME"),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Let values meet what is held, as those of an event of now would.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is held and would be, and change nothing.")
    ] = False,
) -> None:
    """Let fields of a profile hold other values; audiences are decided anew and jobs told, as by an event.

    What the fields held before is shown, so that it can be put back.
    """
    client, out = session
    path = path_of("v2", "attributes", "user", "_id", stored_profile(client, identifier)["_id"])
    before = client.get(path)
    wanted = _wanted(client, values or [], empty or [])
    if dry_run:
        held = {name: before.get(name) for name in wanted}
        out.document({"profile": before["_id"], "before": held, "wanted": wanted, "merge": merge})
        _show(out, (before, "holds"), (wanted, "would meet" if merge else "would hold"), wanted)
        out.say("")
        out.say("This was a dry run, nothing was changed.")
        return
    after = client.call("PATCH" if merge else "PUT", path, json=wanted)["data"]
    out.document({"profile": before["_id"], **_both(before, after, wanted)})
    _show(out, (before, "held"), (after, "holds"), wanted)


def _wanted(client: Client, given: list[str], empty: list[str]) -> dict[str, Any]:
    types = {field["id"]: field["type"] for field in client.get("/v2/schema/user")["fields"]}
    wanted: dict[str, Any] = dict.fromkeys(empty)
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            msg = f"{text!r} is not NAME=VALUE"
            raise CommandError(msg, hint="For a field that is to hold nothing: --empty NAME")
        if name in wanted:
            msg = f"the field {name} is named twice"
            raise CommandError(msg)
        wanted[name] = value if types.get(name) == "string" else _read(value)
    if not wanted:
        msg = "no field is named"
        raise CommandError(msg, hint="Name at least one: gatepost profile set ana@example.com city=Bern")
    return wanted


def _read(text: str) -> Any:
    """Return what a text says as JSON, or else the text; a time is one without being JSON."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _both(before: dict[str, Any], after: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {
        "before": {name: before.get(name) for name in wanted},
        "after": {name: after.get(name) for name in wanted},
    }


def _show(
    out: Output, before: tuple[dict[str, Any], str], after: tuple[dict[str, Any], str], wanted: dict[str, Any]
) -> None:
    rows = ((name, _shown(before[0].get(name)), _shown(after[0].get(name))) for name in wanted)
    out.table(("field", before[1], after[1]), rows, empty="")


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
