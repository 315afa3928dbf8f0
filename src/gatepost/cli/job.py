"""`gatepost job`: standing orders."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import typer

from gatepost.cli.client import Client, path_of
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.confirmation import confirm
from gatepost.cli.failure import CommandError
from gatepost.cli.naming import named, stored_profile
from gatepost.cli.output import Output, moment, short_id
from gatepost.cli.reasons import brief
from gatepost.cli.rollback import turned_back
from gatepost.cli.textdiff import show_diff
from gatepost.cli.verification import show_step, warn_of_writing

app = part("List, steer and verify jobs.")

Which = Annotated[str, typer.Argument(metavar="JOB", help="Name, id, or the beginning of an id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class Triggers(StrEnum):
    """What a job waits for."""

    ENTER = "enter"
    EXIT = "exit"
    BOTH = "both"


_TRIGGERS = {"enters_only": Triggers.ENTER, "exits_only": Triggers.EXIT, "": Triggers.BOTH}
_FAILED = ("refused", "omitted", "dead")
_WARNING = "warning"
"""The step that says what a verification writes."""
_NAMED = frozenset(
    {"segment_ids", "audience_events", "template_id", "template_version", "webhook_url_template_id"}
)
"""Parts of a configuration that are shown by the names of what they mean."""
_CONFIGURED = {triggers: text for text, triggers in _TRIGGERS.items()}


@app.callback()
def group() -> None:
    """List, steer and verify jobs: for these triggers of these audiences, send this there."""


@client_command(app, "list", "gatepost job list", "gatepost job list --all --json")
def list_(
    session: Session,
    all_: Annotated[bool, typer.Option("--all", help="Killed ones too.")] = False,
) -> None:
    """List jobs, with how many of their deliveries arrived, wait and failed; `gatepost delivery list` says why."""
    jobs = session.client.get("/v2/job", show_all=all_ or None)
    session.out.document(jobs)
    rows = (
        (
            short_id(job["id"]),
            job["name"],
            _standing(job),
            _triggers(job),
            len(job["config"].get("segment_ids") or ()),
            urlsplit(str(job["config"].get("webhook_url") or "")).netloc,
            *_progress(job),
        )
        for job in jobs
    )
    columns = (
        *("?id", "name", "status", "?triggers", "?>audiences", "destination"),
        *(">delivered", ">waiting", ">failed"),
    )
    session.out.table(columns, rows, empty="There are no jobs yet.")
    for job in jobs:
        if why := _why(job):
            session.out.say(f"! {job['name']}: {why}")


@client_command(app, "show", "gatepost job show insider_enter", "gatepost job show insider_enter --json")
def show(session: Session, job: Which) -> None:
    """Show one job and its configuration."""
    client = session.client
    found = _found(client, job)
    session.out.document(found)
    config = found["config"]
    session.out.facts(
        (
            ("name", found["name"]),
            ("id", found["id"]),
            ("status", _standing(found)),
            ("why", _why(found)),
            ("description", found.get("description")),
            ("triggers", _triggers(found)),
            ("audiences", _names(client, "segment", "slug_name", config.get("segment_ids"))),
            ("deliveries", ", ".join(f"{n:,} {state}" for state, n in found["deliveries"].items())),
            ("authorization", _names(client, "auth", "label", found.get("auth_ids"))),
            ("template", _names(client, "template", "name", [config.get("template_id")])),
            ("stays at version", config.get("template_version")),
            ("url template", _names(client, "template", "name", [config.get("webhook_url_template_id")])),
            *((name, value) for name, value in config.items() if name not in _NAMED),
            ("created", moment(found.get("created"))),
            ("updated", moment(found.get("updated"))),
        )
    )


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a new job does."""

    audience: Annotated[list[str], typer.Option(metavar="SLUG", help="An audience to watch; repeatable.")]
    webhook_url: Annotated[str, typer.Option("--to", metavar="URL", help="Where to send.")]
    template: Annotated[str, typer.Option(help="Name or id; without one the profile is sent as it is.")] = ""
    authorization: Annotated[str, typer.Option(help="Label or id of the credentials.")] = ""
    events: Annotated[Triggers, typer.Option(help="Which triggers to send.")] = Triggers.BOTH
    backfill: Annotated[bool, typer.Option("--backfill", help="Also send those who are members now.")] = False
    field: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this field of the profile; repeatable.")
    ] = None
    stream: Annotated[str, typer.Option(help="Send the answers back into this stream.")] = ""
    paused: Annotated[bool, typer.Option("--paused", help="Do not start it yet.")] = False


@client_command(
    app,
    "create",
    "gatepost job create hook --audience regulars --to https://example.com/hook --events enter",
    "gatepost job create in --audience vip --to https://example.com/in --template vip --authorization shop --paused",
)
def create(session: Session, name: Annotated[str, typer.Argument(help="Its name.")], wanted: NewJob) -> None:
    """Make a job and start it."""
    client, out = session
    config: dict[str, Any] = {
        "segment_ids": wanted.audience,
        "webhook_url": wanted.webhook_url,
        "audience_events": _CONFIGURED[wanted.events],
        "withbackfill": wanted.backfill,
        "user_fields": wanted.field or [],
    }
    if wanted.stream:
        config["stream"] = wanted.stream
    if wanted.template:
        config["template_id"] = named(client.get("/v2/template"), wanted.template, "template")["id"]
    body: dict[str, Any] = {"name": name, "workflow": "webhook_triggers", "config": config}
    if wanted.authorization:
        found = named(client.get("/v2/auth"), wanted.authorization, "authorization", "label")
        body["auth_ids"] = [found["id"]]
    made = client.post("/v2/job", body, run_job=not wanted.paused)
    out.document(made)
    out.say(f"created {made['name']} ({short_id(made['id'])}), {made['status']}")


@client_command(app, "pause", "gatepost job pause insider_enter")
def pause(session: Session, job: Which) -> None:
    """Stop sending; triggers go on to be kept."""
    _steer(session, job, "pause")


@client_command(app, "resume", "gatepost job resume insider_enter")
def resume(session: Session, job: Which) -> None:
    """Send again, what was kept meanwhile first; also after its destination had been stopped."""
    _steer(session, job, "resume")


@client_command(
    app, "kill", "gatepost job kill insider_enter --dry-run", "gatepost job kill insider_enter --yes"
)
def kill(
    session: Session,
    job: Which,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen and change nothing.")
    ] = False,
) -> None:
    """End a job for good and cancel what it has not sent."""
    found = _found(session.client, job)
    if dry_run:
        session.out.document({"would_kill": found["id"]})
        session.out.say(f"would kill {found['name']}; this was a dry run, nothing was changed")
        return
    confirm(f"Kill {found['name']} ({short_id(found['id'])}) and cancel what it has not sent?", yes=yes)
    _steer(session, found["id"], "kill")


@client_command(
    app,
    "rollback",
    "gatepost job rollback insider_enter --template-version 3 --dry-run",
    "gatepost job rollback insider_enter --newest --yes",
)
def rollback(
    session: Session,
    job: Which,
    template_version: Annotated[
        int, typer.Option(metavar="N", help="The version; see `gatepost template versions`.")
    ] = 0,
    newest: Annotated[bool, typer.Option("--newest", help="Let it follow the newest version again.")] = False,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and change nothing.")
    ] = False,
) -> None:
    """Let a job stay at an earlier version of its template; other jobs go on with the newest.

    What is rendered already is sent as it is.
    """
    client, out = session
    if bool(template_version) is newest:
        msg = "give either --template-version or --newest"
        raise CommandError(msg)
    found = _found(client, job)
    turned = turned_back(client, found, template_version)
    show_diff(out, turned.diff, whole=False)
    if dry_run:
        out.document(turned.told)
        out.say("this was a dry run, nothing was changed")
        return
    where = f"version {template_version}" if template_version else "the newest version"
    confirm(f"Let {found['name']} render {where} of {turned.template}?", yes=yes)
    body = {key: found.get(key) for key in ("name", "workflow", "auth_ids", "description")}
    client.put(path_of("v2", "job", found["id"]), {**body, "config": turned.config})
    out.document(turned.told)
    out.say(f"{found['name']} renders {where} of {turned.template}")


@client_command(app, "logs", "gatepost job logs insider_enter", "gatepost job logs --json")
def logs(
    session: Session,
    job: Annotated[str, typer.Argument(metavar="JOB", help="Name or id; every job without it.")] = "",
) -> None:
    """Show what happened to a job, or to all of them in the last day."""
    client, out = session
    jobs = client.get("/v2/job", show_all=True)
    path = path_of("v2", "job", named(jobs, job, "job")["id"], "logs") if job else "/v2/job/logs"
    entries = client.get(path, include_errors=True)
    out.document(entries)
    names = {one["id"]: one["name"] for one in jobs}
    rows = (
        (
            moment(entry.get("timestamp")),
            entry.get("level", ""),
            names.get(entry.get("job_id"), ""),
            brief(entry["message"]),
            ", ".join(
                f"{key} {_shortened(key, value)}" for key, value in (entry.get("context") or {}).items()
            ),
        )
        for entry in entries
    )
    out.table(("time", "?level", "?job", "message", "?details"), rows, empty="Nothing happened yet.")


@client_command(
    app,
    "verify",
    "gatepost job verify insider_enter --record",
    "gatepost job verify insider_enter --profile email=ana@example.com --yes",
)
def verify(
    session: Session,
    job: Which,
    record: Annotated[bool, typer.Option("--record", help="Send nothing: stop at the request.")] = False,
    profile: Annotated[
        str, typer.Option(metavar="FIELD=VALUE", help="A stored profile; a made-up one unless told.")
    ] = "",
    yes: Yes = False,
) -> None:
    """Send one profile through a job's real path and show every step.

    What it writes at the destination is shown first, and stays there: without --yes it asks.
    Exits with 1 when a step fails.
    """
    client, out = session
    found = _found(client, job)
    body: dict[str, Any] = {"event": "exit" if _triggers(found) == Triggers.EXIT else "enter"}
    if profile:
        body["profile"] = stored_profile(client, profile)
    path = path_of("v2", "job", found["id"], "verify")
    steps = client.post(path, {**body, "record": True})
    shown = _show_steps(out, steps)
    if not record and steps[-1]["ok"]:
        for warning in (step for step in steps if step["name"] == _WARNING):
            warn_of_writing(out, warning)
        confirm(f"Send it to {steps[-1]['detail']['url']}?", yes=yes)
        steps = client.post(path, {**body, "record": False})
        _show_steps(out, steps[shown:])
    out.document({"job": found["id"], "sent": not record, "steps": steps})
    if failed := [step["name"] for step in steps if not step["ok"]]:
        msg = f"the verification of {found['name']} failed at: {failed[0]}"
        raise CommandError(msg)
    if record:
        out.say("Nothing was sent.")


def _shortened(key: str, value: object) -> object:
    return short_id(value) if key == "delivery" else value


def _show_steps(out: Output, steps: list[dict[str, Any]]) -> int:
    for step in steps:
        if step["name"] != _WARNING:
            show_step(out, step)
    return len(steps)


def _found(client: Client, wanted: str) -> dict[str, Any]:
    return named(client.get("/v2/job"), wanted, "job")


def _steer(session: Session, wanted: str, command: str) -> None:
    found = _found(session.client, wanted)
    changed = session.client.post(path_of("v2", "job", found["id"], command)) or found
    session.out.document(changed)
    session.out.say(f"{changed['name']} is {changed['status']}")


def _progress(job: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many deliveries of a job arrived, are on their way, and did not arrive."""
    counts = job.get("deliveries") or {}
    failed = sum(counts.get(state, 0) for state in _FAILED)
    arrived, cancelled = counts.get("delivered", 0), counts.get("cancelled", 0)
    return arrived, sum(counts.values()) - arrived - cancelled - failed, failed


def _triggers(job: dict[str, Any]) -> str:
    text = job["config"].get("audience_events") or ""
    return _TRIGGERS.get(text, text)


def _standing(job: dict[str, Any]) -> str:
    """Return a job's status; one whose destination does not answer is troubled."""
    return "troubled" if job.get("trouble") else str(job["status"])


def _why(job: dict[str, Any]) -> str:
    """Return why a job does not get through, for people."""
    if trouble := job.get("trouble"):
        times = f"{trouble['failures']:,} failure{'s' if trouble['failures'] > 1 else ''} in a row"
        following = f"next try at {moment(trouble['next_try'])}" if trouble["next_try"] else "being tried"
        return f"no sensible answer since {moment(trouble['since'])} UTC, {times}; {following}"
    return str(job.get("status_reason") or "")


def _names(client: Client, things: str, key: str, ids: Sequence[str | None] | None) -> list[str]:
    """Return what people call things of which only the ids are known."""
    wanted = [id_ for id_ in ids or () if id_]
    if not wanted:
        return []
    known = {thing["id"]: str(thing[key]) for thing in client.get(path_of("v2", things))}
    return [known.get(id_, id_) for id_ in wanted]
