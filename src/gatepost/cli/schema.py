"""`gatepost schema`: what was published, version by version."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gatepost.cli.command import Session, client_command, part
from gatepost.cli.output import moment

app = part("Show the published schema and its versions.")

_PATH = "/v2/schema/user"


@app.callback()
def group() -> None:
    """Show the published schema and its versions; `gatepost config apply` publishes a new one."""


@client_command(app, "versions", "gatepost schema versions", "gatepost schema versions --json")
def versions(session: Session) -> None:
    """List every version that was published, newest first, and since when each folds what is received."""
    client, out = session
    found: list[dict[str, Any]] = client.get(f"{_PATH}/version") or []
    out.document(found)
    rows = (
        (
            one["version_number"],
            moment(one["created"]),
            moment(one["folds_since"]),
            one["num_fields"],
            one["num_mappings"],
        )
        for one in found
    )
    titles = (">version", "created", "folds since", ">fields", ">mappings")
    out.table(titles, rows, empty="No schema was published yet.")


@client_command(
    app, "show", "gatepost schema show", "gatepost schema show --version 3", "gatepost schema show --json"
)
def show(
    session: Session,
    version: Annotated[int, typer.Option(min=0, help="An earlier version; 0 is the newest.")] = 0,
) -> None:
    """Show fields and mappings, of the newest version or an earlier one."""
    client, out = session
    schema: dict[str, Any] = client.get(_PATH, version_id=version)
    out.document(schema)
    out.facts(_facts(schema))
    out.heading("Fields")
    rows = map(_field_row, schema["fields"])
    out.table(("field", "type", "merge", "room", "description"), rows, empty="There are no fields.")
    out.heading("Mappings")
    lines = ((one["stream"], one["field"], one["expr"], one["guard_expr"]) for one in schema["mappings"])
    out.table(("stream", "field", "expression", "if"), lines, empty="There are no mappings.")


def _facts(schema: dict[str, Any]) -> Iterator[tuple[str, object]]:
    yield "version", schema["version_number"]
    yield "published", moment(schema["created"])
    yield "folds since", moment(schema["folds_since"])
    yield "ranks", ", ".join(schema["rank"]["fields"])
    yield "blocked", ", ".join(schema["blocked"])


def _field_row(field: dict[str, Any]) -> tuple[object, ...]:
    merge = "identifies" if field["is_identifier"] else field["mergeop"]
    room = [f"{field['capacity']:,} values"] if field["capacity"] else []
    room += [f"{field['keep_days']:,} days"] if field["keep_days"] else []
    return field["id"], field["type"], merge, ", ".join(room), field["shortdesc"]
