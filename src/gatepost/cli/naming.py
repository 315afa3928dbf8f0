"""Finds a thing by what a person calls it: its id, the beginning of its id, or its name."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.failure import CommandError

Which = Annotated[str, typer.Argument(metavar="AUDIENCE", help="Slug, id, or the beginning of an id.")]

_SHORTEST_PREFIX = 4
_SHOWN = 8
_NOT_FOUND = "Not Found"
_COMPARED = (
    "Values are compared as they are stored, after the mapping's function: email(...) has lower-cased them. "
    "`gatepost status` says whether events came without an identifier."
)


def named(items: Sequence[dict[str, Any]], wanted: str, kind: str, *keys: str) -> dict[str, Any]:
    """Return the one item meant; `keys` are the members that hold names. Raise CommandError when it is unclear."""
    keys = keys or ("name",)
    found = [item for item in items if item.get("id") == wanted]
    found = found or [item for item in items if any(item.get(key) == wanted for key in keys)]
    if not found and len(wanted) >= _SHORTEST_PREFIX:
        found = [item for item in items if str(item.get("id", "")).startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(item["id"]) for item in found)
        msg = f"{len(found)} {kind}s are called {wanted!r}"
        raise CommandError(msg, hint=f"Name one by its id: {ids}")
    names = [str(item.get(keys[0]) or item.get("id")) for item in items]
    known = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    msg = f"there is no {kind} {wanted!r}"
    raise CommandError(msg, hint=f"There are: {known}" if names else f"There are no {kind}s yet.")


def audience_named(client: Client, wanted: str) -> dict[str, Any]:
    """Return the audience, with its size, that a slug, an id or the beginning of one means."""
    return named(client.get("/v2/segment", sizes=True), wanted, "audience", "slug_name", "name")


def profile_by(client: Client, field: str, value: str) -> dict[str, Any]:
    """Return a profile as templates see it; raise CommandError when the identifier leads to none."""
    answer = client.call("GET", path_of("api", "entity", "user", field, value))
    if answer.get("message") == _NOT_FOUND:
        msg = f"no profile has {field} = {value!r}"
        raise CommandError(msg, hint=_COMPARED)
    profile: dict[str, Any] = answer.get("data") or {}
    return profile


def stored_profile(client: Client, text: str) -> dict[str, Any]:
    """Return the profile meant by `FIELD=VALUE`, or by the value of any identifier field."""
    field, equals, value = text.partition("=")
    if field and equals and value:
        return profile_by(client, field, value)
    schema = client.get("/v2/schema/user")
    for name in (known["id"] for known in schema["fields"] if known["is_identifier"]):
        answer = client.call("GET", path_of("api", "entity", "user", name, text))
        if answer.get("message") != _NOT_FOUND:
            return dict(answer.get("data") or {})
    msg = f"no profile has an identifier {text!r}"
    raise CommandError(msg, hint=f"To ask for one field: email=ana@example.com. {_COMPARED}")
