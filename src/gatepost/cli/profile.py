"""`gatepost profile`: what is known of one person."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.failure import CommandError
from gatepost.cli.output import moment

app = part("Show what is known of one person.")

_NOT_FOUND = "Not Found"


@app.callback()
def group() -> None:
    """Look at profiles."""


@client_command(
    app,
    "show",
    "gatepost profile show email ana@example.com",
    "gatepost profile show household_id hh-900 --field baskets --field last_basket --json",
)
def show(
    session: Session,
    field: Annotated[str, typer.Argument(help="An identifier field, such as email.")],
    value: Annotated[str, typer.Argument(help="Its value.")],
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="Only this field; repeatable.", metavar="NAME")
    ] = None,
) -> None:
    """Show the profile that an identifier leads to, and the audiences it is in."""
    client, out = session
    profile = profile_by(client, field, value, fields or ())
    out.document(profile)
    out.facts(_facts(profile))


def profile_by(
    client: Client, field: str, value: str, fields: tuple[str, ...] | list[str] = ()
) -> dict[str, Any]:
    """Return a profile as templates see it; raise CommandError when the identifier leads to none."""
    answer = client.call(
        "GET", path_of("api", "entity", "user", field, value), query={"fields": ",".join(fields)}
    )
    if answer.get("message") == _NOT_FOUND:
        msg = f"no profile has {field} = {value!r}"
        raise CommandError(msg, hint="Values are compared as they are written; is the field an identifier?")
    profile: dict[str, Any] = answer.get("data") or {}
    return profile


def stored_profile(client: Client, text: str) -> dict[str, Any]:
    """Return the profile meant by `FIELD=VALUE`."""
    field, equals, value = text.partition("=")
    if not (field and equals and value):
        msg = f"--profile {text!r} names no profile"
        raise CommandError(msg, hint="Write an identifier field and its value: email=ana@example.com")
    return profile_by(client, field, value)


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
