"""`gatepost status`: how far everything is, and what needs a person to look."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gatepost.cli.client import IS_IT, Client
from gatepost.cli.command import Session, client_command, part
from gatepost.cli.failure import CommandError
from gatepost.cli.output import moment

app = part("Show how far everything is, and what needs a look.")


class _Advice(NamedTuple):
    """What a number that is not 0 means, and what to do about it."""

    text: str
    following: str


_LISTED = "`gatepost delivery list --state {}` names them; `gatepost delivery show` tells why"
_DELIVERIES = {
    "parked": _Advice(
        "parked deliveries",
        "`gatepost delivery list --state parked` says why: resume the job, or mend the authorization",
    ),
    "refused": _Advice("deliveries refused by their receiver", _LISTED.format("refused")),
    "omitted": _Advice("deliveries omitted, for the template gave no body", _LISTED.format("omitted")),
    "dead": _Advice(
        "deliveries given up", f"{_LISTED.format('dead')}; replay them when the receiver is back"
    ),
}
_COUNTERS = {
    "events_without_identifier": _Advice(
        "events without an identifier, which lead to no profile",
        "see that a mapping of their stream fills an identifier: the stream's name and the names of the events' "
        "members are compared as they are written",
    ),
    "values_refused": _Advice(
        "values that did not fit their field",
        "compare the field's type with what the events bring; a function such as tonumber() or todate() may be missing",
    ),
    "identifiers_blocked": _Advice(
        "identifiers on the schema's list of those that identify nobody",
        "nothing to do; if they did mean somebody, take them off `blocked` in the schema",
    ),
    "identifiers_released": _Advice(
        "identifiers let go, because a profile had more than the schema allows",
        "see whether people share an identifier, or raise `identifiers_limit` in the schema",
    ),
    "events_too_large": _Advice(
        "events that would have made a profile larger than it may be",
        "give the fields that grow a `capacity` or `keep_days` in the schema",
    ),
    "events_set_aside": _Advice(
        "events that could not be applied and were set aside",
        "look for apply.set_aside in what `gatepost up` prints: it names each with its error",
    ),
    "duties_set_aside": _Advice(
        "evaluations of an audience or backfills of a job set aside",
        "look for them in what `gatepost up` prints; saving the audience or the job again starts another",
    ),
    "triggers_over_hops": _Advice(
        "triggers held back, because answers led to answers in a circle",
        "look for a job whose `stream` brings its own profiles back into its audience",
    ),
    "merges": _Advice(
        "merges of two profiles that turned out to be one",
        "nothing to do, unless they surprise you: then an identifier may be one that several people share; "
        "`gatepost profile merges` shows a profile's, and `gatepost profile unmerge` undoes one",
    ),
}


_DISTRUSTED = _Advice(
    "", "nothing is wrong with what they send, the reference engine renders them; please report the template"
)


@client_command(app, "status", "gatepost status", "gatepost status --json")
def status(session: Session) -> None:
    """Show how far everything is, and for each number that needs a look what to do next."""
    client, out = session
    card, found = _card(client), client.get("/api/status")
    notes = list(_notes(found))
    out.document({"server": card, **found, "notes": notes})
    out.facts(_facts(card, found))
    for note in notes:
        out.say(f"! {note['text']}: {note['count']:,}\n  Next: {note['next']}.")
    if not found["events_collected"]:
        out.say("No event has come yet; send some with `gatepost collect`.")


def _card(client: Client) -> dict[str, str]:
    card = client.call("GET", "/")
    if card.get("name") != "gatepost":
        msg = f"{client.url} answers, but not as a gatepost does"
        raise CommandError(msg, hint=IS_IT)
    return {"url": client.url, "version": str(card.get("version", ""))}


def _facts(card: Mapping[str, str], found: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield "server", f"{card['url']}, version {card['version']}"
    yield "clock", f"{moment(found['now'])} UTC" + (", moved by hand" if found["clock"] == "manual" else "")
    behind = f", {found['lag']:,} behind" if found["lag"] else ""
    yield "events", f"{found['events_collected']:,} collected, {found['events_applied']:,} applied{behind}"
    yield "profiles", found["profiles"]
    members = (f"{slug} {audience['size']:,}" for slug, audience in found["audiences"].items())
    yield "members", ", ".join(members) or "no audience yet"
    states = (f"{amount:,} {state}" for state, amount in found["deliveries"].items() if amount)
    yield "deliveries", ", ".join(states) or "none yet"
    others = (name for name in found["counters"] if name not in _COUNTERS and name != "events_applied")
    yield (
        "also counted",
        ", ".join(f"{name.replace('_', ' ')} {found['counters'][name]:,}" for name in others),
    )


def _notes(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what needs a look: its name, how many, what that means and what to do next."""
    if found["lag"]:
        advice = _Advice("events not applied yet", "ask again in a moment; it should go down by itself")
        yield _note("lag", found["lag"], advice)
    for state, advice in _DELIVERIES.items():
        if amount := found["deliveries"].get(state):
            yield _note(state, amount, advice)
    for name, advice in _COUNTERS.items():
        if amount := found["counters"].get(name):
            yield _note(name, amount, advice)
    if failing := [duty for duty in found["duties"] if duty["failures"]]:
        text = f"erasures that could not go on ({failing[0]['trouble']}), which are tried again by themselves"
        following = (
            f"mend that; `gatepost profile receipt {failing[0]['request']}` shows when it is tried again"
        )
        yield _note("erasures_failing", len(failing), _Advice(text, following))

    if names := found["templates_distrusted"]:
        text = f"templates on which the fast engine disagreed with the reference engine ({', '.join(names)})"
        yield _note("templates_distrusted", len(names), _DISTRUSTED._replace(text=text))


def _note(name: str, amount: int, advice: _Advice) -> dict[str, Any]:
    return {"name": name, "count": amount, "text": advice.text, "next": advice.following}
