"""`gatepost template versions | diff | rollback`: every text that a template had."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from gatepost.cli.client import TEXT, Client, Refused, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.failure import CommandError
from gatepost.cli.files import text_in
from gatepost.cli.naming import named
from gatepost.cli.output import moment
from gatepost.cli.textdiff import diff_of, show_diff

app = part("Look into earlier texts of templates.")

Which = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Name, id, or the beginning of an id.")]


_UNCHANGED = "this was a dry run, nothing was changed"


class TextOf(NamedTuple):
    """One text of a template, and what to call it."""

    name: str
    text: str
    type: str = ""


@client_command(
    app,
    "versions",
    "gatepost template versions insider_enter",
    "gatepost template versions insider_enter --json",
)
def versions(session: Session, template: Which) -> None:
    """List the texts a template had: who saved each, when, and what it changed.

    The newest hundred are kept, and older ones that a job stays at.
    """
    client, out = session
    kept = client.get(path_of("v2", "template", template_named(client, template)["id"], "version"))
    out.document(kept)
    rows = (
        (
            one["version"],
            moment(one["saved"]),
            one["author"],
            one["size"],
            f"+{one['added']} -{one['removed']}",
            ", ".join(one["jobs"]),
        )
        for one in kept
    )
    columns = (">version", "saved", "author", ">bytes", ">lines", "jobs that stay at it")
    out.table(columns, rows, empty="")


@client_command(
    app,
    "diff",
    "gatepost template diff insider_enter",
    "gatepost template diff insider_enter --from 3 --to 5",
    "gatepost template diff insider_enter --file insider_enter.jsonnet",
)
def diff(
    session: Session,
    template: Which,
    from_: Annotated[
        int, typer.Option("--from", metavar="N", help="The older version; the one before the other.")
    ] = 0,
    to: Annotated[int, typer.Option("--to", metavar="M", help="The newer version; the newest.")] = 0,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with a file instead of a newer version.")
    ] = None,
) -> None:
    """Show what changed between two versions, or between a version and a file."""
    client, out = session
    if file and to:
        msg = "give either --to or --file"
        raise CommandError(msg)
    found = template_named(client, template)
    newest = int(found["version"])
    target = to or newest
    new = TextOf(str(file), text_in(file)) if file else text_at(client, found, target)
    old = text_at(client, found, from_ or (newest if file else max(1, target - 1)))
    difference = diff_of(old.text, new.text, (old.name, new.name))
    out.document({"from": old.name, "to": new.name, "diff": difference})
    show_diff(out, difference)
    if not difference:
        out.say(f"{new.name} is the same as {old.name}")


@client_command(
    app,
    "rollback",
    "gatepost template rollback insider_enter --to 3 --dry-run",
    "gatepost template rollback insider_enter --to 3 --yes",
)
def rollback(
    session: Session,
    template: Which,
    to: Annotated[int, typer.Option("--to", metavar="N", help="The version whose text comes back.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and change nothing.")
    ] = False,
) -> None:
    """Make the text of an earlier version the newest one, for every job that uses the template.

    It becomes a version of its own, so nothing is lost. What is rendered already is sent as it is.
    """
    client, out = session
    found = template_named(client, template)
    path = path_of("v2", "template", found["id"])
    newest = int(found["version"])
    old, back = text_at(client, found, newest), text_at(client, found, to)
    difference = diff_of(old.text, back.text, (old.name, back.name))
    show_diff(out, difference, whole=False)
    document: dict[str, Any] = {"template": found["id"], "from": newest, "to": to, "diff": difference}
    if dry_run or not difference:
        out.document(document)
        out.say(_UNCHANGED if difference else "nothing to do: the texts are the same")
        return
    confirm(f"Give {found['name']} the text of version {to} again?", yes=yes)
    # It was accepted once; an engine that has become stricter must not stand in the way back.
    query = {"type": back.type, "force": True}
    client.call("PUT", path, query=query, content=back.text.encode(), headers=TEXT)
    made = client.get(path)["version"]
    out.document({**document, "version": made})
    out.say(f"{found['name']} has the text of version {to} again, as version {made}")


def template_named(client: Client, wanted: str) -> dict[str, Any]:
    """Return the template that a name, an id or the beginning of one means."""
    return named(client.get("/v2/template"), wanted, "template")


def text_at(client: Client, template: dict[str, Any], number: int) -> TextOf:
    """Return one text of a template; raise CommandError naming the versions there are."""
    path = path_of("v2", "template", template["id"], "version")
    try:
        kept = client.get(f"{path}/{number}")
    except Refused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        there = ", ".join(str(one["version"]) for one in client.get(path))
        msg = f"the template {template['name']} has no version {number}"
        raise CommandError(msg, hint=f"There are: {there}") from None
    return TextOf(f"{template['name']} version {number}", str(kept["definition"]), str(kept["type"]))
