"""A person and what is held on her, as JSON."""

from typing import Any

import orjson

from gatepost.core.entities import entity_of, shown_value
from gatepost.core.provenance import FieldSource, Origin
from gatepost.model.delivery import Attempt
from gatepost.model.event import Event
from gatepost.model.merge import Merge
from gatepost.model.profile import EVERYWHERE, Profile
from gatepost.model.times import Instant, to_rfc3339
from gatepost.operations.persons import Person, Sent, Traced
from gatepost.stages.compose import restored


def keys_of(profile: Profile) -> list[dict[str, str]]:
    """Return a profile's identifiers as the API lists them."""
    return [{"key": name, "value": value} for name, held in profile.identifiers.items() for value in held]


def explained_entity(traced: Traced) -> dict[str, Any]:
    """Return a profile in the shape of `explain=true`, with the source of every field."""
    profile = traced.person.profile
    fragment = {
        "keys": keys_of(profile),
        "neighbors": [],
        "conflict": profile.conflicts > 0,
        "conflicts_with": [{"key": name, "value": value} for name, value in traced.conflicts],
        "neighbor_limit": False,
        "streams": sorted(profile.streams),
        "created": to_rfc3339(profile.created),
        "modified": to_rfc3339(profile.modified),
    }
    return {
        "entity": traced.person.entity,
        "fragments": [fragment],
        "keys": keys_of(profile),
        "field_sources": {name: _source(one) for name, one in traced.sources.items()},
        "missing_events": traced.missing,
    }


def shown_event(event: Event) -> dict[str, Any]:
    """Return an event as it is handed out."""
    return {
        "id": str(event.id),
        "stream": event.stream,
        "at": to_rfc3339(event.at),
        "received": to_rfc3339(event.received),
        "body": _json_or_text(event.body),
    }


def shown_sent(sent: Sent, who: Person) -> dict[str, Any]:
    """Return a delivery with its request, attempts and answers."""
    delivery = sent.listed.delivery
    audience = who.audiences.get(delivery.audience)
    request = None
    if delivery.body is not None:
        composed = restored(delivery.body)
        request = {"method": composed.method, "url": composed.url, "body": _json_or_text(composed.body)}
    return {
        "id": delivery.id,
        "job_id": delivery.job,
        "audience": audience.slug if audience else None,
        "event": delivery.crossing.value,
        "at": to_rfc3339(delivery.at),
        "state": delivery.state.value,
        "reason": sent.listed.reason,
        "created": to_rfc3339(delivery.created),
        "finished": _time(sent.listed.finished),
        "request": request,
        "attempts": [_attempt(one) for one in sent.attempts],
    }


def shown_merge(merge: Merge, who: Person) -> dict[str, Any]:
    """Return a merge with both profiles as they were."""
    return {
        "id": merge.id,
        "at": to_rfc3339(merge.at),
        "event": str(merge.event),
        "undone": _time(merge.undone),
        "survivor": {**entity_of(merge.survivor, who.versions.current), "keys": keys_of(merge.survivor)},
        "absorbed": {**entity_of(merge.absorbed, who.versions.current), "keys": keys_of(merge.absorbed)},
    }


def shown_person(who: Person) -> dict[str, Any]:
    """Return what the profile itself holds."""
    identifiers = [
        {"key": name, "value": value, "since": to_rfc3339(since)}
        for name, held in who.profile.identifiers.items()
        for value, since in held.items()
    ]
    memberships = [
        {"audience": one.slug, "id": one.id, "member": held.inside, "since": to_rfc3339(held.since)}
        for one, held in who.memberships
    ]
    slugs = {number: one.slug for number, one in who.audiences.items()} | {EVERYWHERE: "*"}
    exclusions = [
        {"audience": slugs.get(number, ""), "since": to_rfc3339(since)}
        for number, since in sorted(who.profile.excluded.items())
    ]
    return {
        "profile": who.entity,
        "identifiers": identifiers,
        "memberships": memberships,
        "exclusions": exclusions,
    }


def _source(source: FieldSource) -> dict[str, Any]:
    return {
        "operator": source.operator,
        "value": shown_value(source.value, source.type),
        "events": source.events,
        "sources": [_origin(one, source.type) for one in source.origins],
    }


def _origin(origin: Origin, type_: str) -> dict[str, Any]:
    return {
        "event": str(origin.event.id),
        "stream": origin.event.stream,
        "at": to_rfc3339(origin.event.at),
        "received": to_rfc3339(origin.event.received),
        "expression": origin.mapping.expression,
        "guard": origin.mapping.guard,
        "value": shown_value(origin.value, type_),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started": to_rfc3339(attempt.started),
        "duration_ms": attempt.duration,
        "status": attempt.status,
        "verdict": attempt.verdict,
        "reason": attempt.reason,
        "answer": attempt.answer.decode("utf-8", "replace"),
    }


def _json_or_text(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _time(at: Instant) -> str | None:
    return to_rfc3339(at) if at else None
