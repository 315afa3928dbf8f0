"""`gatepost token`: who may do what."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.failure import CommandError
from gatepost.cli.naming import named
from gatepost.cli.output import moment, short_id
from gatepost.model.times import SECOND, parse_duration

app = part("Make, list and revoke access tokens.")

_NEVER = "0001"
"""The year by which the API says that a token does not expire."""


class ScopeChoice(StrEnum):
    """What a token may do; each includes the ones before it."""

    DATA = "data"
    READ = "read"
    ADMIN = "admin"


@app.callback()
def group() -> None:
    """Make, list and revoke access tokens; each may send data, or also read, or also change everything."""


@client_command(
    app,
    "create",
    "gatepost token create --label website --scope data",
    "gatepost token create --label report --scope read --expires 30d --json",
)
def create(
    session: Session,
    label: Annotated[str, typer.Option(help="What the token is for; shown in lists.")],
    scope: Annotated[
        ScopeChoice, typer.Option(help="data: send events. read: also read. admin: everything.")
    ] = ScopeChoice.ADMIN,
    expires: Annotated[
        str, typer.Option(metavar="DURATION", help="Such as 30d or 12h; never unless told.")
    ] = "",
) -> None:
    """Make a token and print it. It is shown this once and never again."""
    client, out = session
    body = {"label": label, "scopes": [scope.value]}
    if expires:
        body["expires"] = _go_duration(expires)
    made = client.post("/api/auth/createtoken", body)
    token = _text_of(made)
    out.document({"token": token, "id": made.get("id"), "label": label, "scope": scope.value})
    out.show(token)


@client_command(app, "list", "gatepost token list", "gatepost token list --json")
def list_(session: Session) -> None:
    """List tokens, without their texts."""
    out = session.out
    tokens = _tokens(session)
    out.document(tokens)
    rows = (
        (
            short_id(token["id"]),
            token.get("label", ""),
            ", ".join(token.get("scopes") or ()),
            moment(token.get("created")),
            "never"
            if str(token.get("expires", "")).startswith((_NEVER, "None"))
            else moment(token.get("expires")),
        )
        for token in tokens
    )
    out.table(("id", "label", "scopes", "created", "expires"), rows, empty="There are no tokens.")


@client_command(app, "revoke", "gatepost token revoke website", "gatepost token revoke 4f1c09aa --yes")
def revoke(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="TOKEN", help="Id, the beginning of one, or label.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make a token useless at once."""
    client, out = session
    found = named(_tokens(session), which, "token", "label")
    confirm(f"Revoke the token {found.get('label')!r} ({short_id(found['id'])})?", yes=yes)
    client.delete(f"/v2/auth/{found['id']}")
    out.document({"revoked": found["id"]})
    out.say(f"revoked {found.get('label')}")


def _tokens(session: Session) -> list[dict[str, Any]]:
    tokens: list[dict[str, Any]] = session.client.get("/v2/auth", auth_type="api_token") or []
    return tokens


def _text_of(made: dict[str, Any]) -> str:
    for entry in made.get("config") or ():
        if entry.get("name") == "api_key":
            return str(entry["value"])
    msg = "the server made a token but did not say which"
    raise CommandError(
        msg, hint="Is it a gatepost? Revoke the token with `gatepost token list` and `revoke`."
    )


def _go_duration(text: str) -> str:
    try:
        return f"{parse_duration(text) // SECOND}s"
    except ValueError as error:
        raise CommandError(f"--expires: {error}") from None
