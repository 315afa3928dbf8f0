"""`gatepost audience`: rules, and who fulfils them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gatepost.cli import upkeep
from gatepost.cli.cases import cases_in, report
from gatepost.cli.client import TEXT, path_of
from gatepost.cli.command import Session, client_command, local_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.explanation import show_explanation
from gatepost.cli.failure import CommandError, show_failure
from gatepost.cli.naming import Which, audience_named
from gatepost.cli.output import Output, moment, short_id
from gatepost.core.builtins import BUILTIN_AUDIENCES

app = part("List, change and look into audiences.")
app.add_typer(upkeep.app)

Limit = Annotated[int, typer.Option(min=0, help="How many to show; 0 shows all.")]
Fields = Annotated[
    list[str] | None, typer.Option("--field", metavar="NAME", help="Field to show; repeatable.")
]
Filter = Annotated[str, typer.Argument(help="FilterQL, such as 'visits > 3'.")]


@app.callback()
def group() -> None:
    """List, change and look into audiences. Their rules are FilterQL."""


@client_command(app, "list", "gatepost audience list", "gatepost audience list --json")
def list_(session: Session) -> None:
    """List audiences with their sizes."""
    audiences = session.client.get("/v2/segment", sizes=True)
    session.out.document(audiences)
    rows = (
        (audience["slug_name"], audience.get("size"), audience.get("segment_ql", ""))
        for audience in audiences
    )
    session.out.table(("slug", ">size", "filter"), rows, empty="There are no audiences yet.")


@client_command(app, "show", "gatepost audience show best_customers")
def show(session: Session, audience: Which) -> None:
    """Show one audience."""
    found = audience_named(session.client, audience)
    session.out.document(found)
    session.out.facts(
        (
            ("slug", found["slug_name"]),
            ("name", found.get("name")),
            ("id", found["id"]),
            ("description", found.get("description")),
            ("filter", found.get("segment_ql")),
            ("size", found.get("size")),
            ("expires", moment(found.get("expires_at"))),
            ("created", moment(found.get("created"))),
            ("updated", moment(found.get("updated"))),
        )
    )


@client_command(
    app,
    "explain",
    "gatepost audience explain best_customers hh-1024",
    "gatepost audience explain best_customers email=ana@example.com --json",
)
def explain(
    session: Session,
    audience: Which,
    identifier: Annotated[
        str, typer.Argument(metavar="IDENTIFIER", help="A value that identifies somebody, or FIELD=VALUE.")
    ],
) -> None:
    """Tell why somebody is in an audience or not, since when, by which events, and when that may change."""
    client, out = session
    found = audience_named(client, audience)
    explained = client.get(path_of("v2", "segment", found["id"], "explain", identifier))
    out.document(explained)
    show_explanation(out, explained)


@client_command(
    app,
    "create",
    'gatepost audience create regulars \'count("orders", "30d") >= 3\'',
    "gatepost audience create lapsed 'last_order < \"now-90d\"' --name 'Lapsed customers'",
)
def create(
    session: Session,
    slug: Annotated[str, typer.Argument(help="Short name, used in filters and templates.")],
    filter_: Filter,
    name: Annotated[str, typer.Option(help="Name for people; the slug unless told.")] = "",
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="When members leave and it is deleted, such as 2027-01-31.")
    ] = "",
) -> None:
    """Save an audience; everybody stored is evaluated in the background."""
    body = {
        "name": name or slug,
        "slug_name": slug,
        "segment_ql": filter_,
        "description": description,
        "expires_at": expires,
    }
    made = session.client.post("/v2/segment", body)
    session.out.document(made)
    session.out.say(f"created {made['slug_name']} ({short_id(made['id'])})")
    _warn(session.out, made)


@client_command(
    app,
    "edit",
    'gatepost audience edit regulars \'count("orders", "30d") >= 4\' --dry-run',
    'gatepost audience edit regulars \'count("orders", "30d") >= 4\' --yes',
)
def edit(
    session: Session,
    audience: Which,
    filter_: Filter,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell whom the new rule would move, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, however many it moves.")] = False,
) -> None:
    """Give an audience another rule. How many enter and leave is told first; when they are many, it asks."""
    client, out = session
    found = audience_named(client, audience)
    path = path_of("v2", "segment", found["id"])
    wish = {"segment_ql": filter_}
    planned = client.put(path, wish, dry_run=True)
    for shift in planned["shifts"]:
        out.say(_told(shift))
    if dry_run:
        out.document(planned)
        out.say("This was a dry run, nothing was changed.")
        return
    if planned["needs_confirmation"]:
        confirm(f"Change {found['slug_name']}?", yes=yes)
    changed = client.put(path, wish, confirm=True)
    out.document(changed)
    out.say(f"changed {changed['slug_name']} ({short_id(changed['id'])})")
    _warn(out, changed)


@client_command(app, "delete", "gatepost audience delete regulars", "gatepost audience delete regulars --yes")
def delete(
    session: Session,
    audience: Which,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")
    ] = False,
) -> None:
    """Delete an audience; its members leave it first, and running jobs are told."""
    found = audience_named(session.client, audience)
    what = f"{found['slug_name']}, which {found.get('size') or 0:,} are in"
    if dry_run:
        session.out.document({"would_delete": found["id"]})
        session.out.say(f"would delete {what}; this was a dry run, nothing was changed")
        return
    confirm(f"Delete {what}?", yes=yes)
    session.client.delete(path_of("v2", "segment", found["id"]))
    session.out.document({"deleted": found["id"]})
    session.out.say(f"deleted {found['slug_name']}")


@client_command(app, "size", "gatepost audience size best_customers")
def size(session: Session, audience: Which) -> None:
    """Tell how many are in an audience; `all` and `anonymous_profiles` are there by themselves."""
    if audience in BUILTIN_AUDIENCES:
        found = session.client.get(path_of("api", "segment", audience, "size"))
    else:
        found = audience_named(session.client, audience)
    count = int(found.get("size") or 0)
    session.out.document({"slug": found["slug_name"], "size": count})
    session.out.say(f"{count:,}")


@client_command(
    app,
    "members",
    "gatepost audience members best_customers --field email --limit 10",
    "gatepost audience members best_customers --limit 0 --json > members.ndjson",
)
def members(session: Session, audience: Which, fields: Fields = None, limit: Limit = 20) -> None:
    """List the members of an audience; with --json one line each, as they come."""
    known = audience in BUILTIN_AUDIENCES
    which = audience if known else audience_named(session.client, audience)["id"]
    path = path_of("api", "segment", which, "scan")
    wanted = ",".join(fields or ())
    profiles = session.client.pages(path, at_most=limit, fields=wanted)
    _show_profiles(session.out, profiles, fields, f"Nobody is in {audience}.")


@client_command(
    app,
    "preview",
    "gatepost audience preview 'last_basket < \"now-3d\"' --field household_id",
    "gatepost audience preview 'AND (INCLUDE regulars, NOT INCLUDE lapsed)' --limit 3",
)
def preview(session: Session, filter_: Filter, fields: Fields = None, limit: Limit = 20) -> None:
    """Show whom a filter would match now, without saving it."""
    client, out = session
    statement = _statement(filter_).encode()
    profiles = client.pages(
        "/api/segment/scan", at_most=limit, content=statement, fields=",".join(fields or ())
    )
    _show_profiles(out, profiles, fields, "Nobody matches.")
    if not out.json:
        counted = client.call("POST", "/api/segment/size", content=statement, headers=TEXT)["data"]
        out.say(f"{'about ' if counted.get('estimated') else ''}{counted['size']:,} match")
        if counted.get("estimated"):
            out.say(
                "No audience keeps these windows yet, so the past was read for some, who stand for everybody."
            )
        _warn(out, counted)


def _warn(out: Output, answer: dict[str, Any]) -> None:
    for warning in answer.get("warnings") or ():
        out.warn(warning)


def _told(shift: dict[str, Any]) -> str:
    if shift["unknown"]:
        return (
            f"{shift['audience']}: no audience keeps all its windows yet, so backtest it to see whom it moves"
        )
    about = "about " if shift["estimated"] else ""
    return (
        f"{shift['audience']}: {about}{shift['leaving']:,} of {shift['size']:,} members leave, "
        f"{about}{shift['entering']:,} enter"
    )


@local_command(
    app,
    "test",
    "gatepost audience test --cases audiences.yaml",
    "gatepost audience test --cases cases.json --json | tail -n 1",
)
def test(
    out: Output,
    cases: Annotated[Path, typer.Option("--cases", metavar="FILE", help="The cases, as JSON or YAML.")],
) -> None:
    """Try filters on the profiles in a file of cases, without a server.

    A case is {"filter": "visits > 3", "context": {"visits": 5}, "expected": true}; a file holds a list of them.

    Exits with 1 when an answer is not the expected one, and with 2 when the file holds anything but cases.
    """
    try:
        found = cases_in(cases)
    except CommandError as error:
        show_failure(error)
        raise typer.Exit(2) from None
    if not report(out, found):
        raise typer.Exit(1)


def _statement(text: str) -> str:
    """Return a filter as a statement; a bare condition is what people type."""
    return text if text.lstrip().upper().startswith("FILTER") else f"FILTER {text}"


def _show_profiles(out: Output, profiles: Any, fields: list[str] | None, empty: str) -> None:
    if out.json:
        for profile in profiles:
            out.document(profile)
        return
    listed = list(profiles)
    columns = fields or _columns(listed)
    rows = ([profile.get(column) for column in columns] for profile in listed)
    out.table(columns, rows, empty=empty)


def _columns(profiles: list[dict[str, Any]]) -> list[str]:
    """Return the id and the first plain fields that any of the profiles has."""
    names: dict[str, None] = {}
    for profile in profiles:
        names |= {
            name: None for name, value in profile.items() if not name.startswith("_") and _is_plain(value)
        }
    return ["_id", *list(names)[:3]]


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)
