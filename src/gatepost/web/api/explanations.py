"""Why somebody is in an audience, over HTTP."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gatepost.core.explaining import Cause, Clause
from gatepost.model.times import Instant, to_rfc3339
from gatepost.operations.explanations import Explanation, explain, shown_values
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Here

router = APIRouter(prefix="/v2/segment", tags=["audiences"])

_CLAUSE = {
    "clause": 'count("orders", "7d") >= 2',
    "matches": True,
    "since": "2026-01-02T00:00:00Z",
    "next_change": "2026-01-08T00:00:00Z",
    "values": {'count("orders", "7d")': 2},
    "events": 2,
    "causes": [],
    "clauses": [],
}
_OBJECT = {
    "audience": "loyal",
    "profile": "0f1e2d",
    "member": True,
    "excluded_since": None,
    "matches": True,
    "next_change": "2026-01-08T00:00:00Z",
    "expires_at": None,
    "rule": _CLAUSE,
}


@router.get(
    "/{id_}/explain/{identifier:path}",
    responses=answers({"data": _OBJECT, "request_id": "9b1c", "status": 200}),
)
async def explained(here: Here, id_: str, identifier: str) -> Response:
    """Tell why a profile is in an audience or not: each clause, since when, by which events, until when.

    The profile is named by a value of any identifier field, or by `field=value`.
    """
    return answer_v2(here.id, _shown(await explain(here.context, here.number, id_, identifier)))


def _shown(found: Explanation) -> dict[str, Any]:
    standing = found.membership
    return {
        "audience": found.audience.slug,
        "filter": found.audience.filter,
        "profile": found.profile,
        "now": to_rfc3339(found.now),
        "member": standing is not None and standing.inside,
        "since": _time(standing.since if standing is not None else None),
        "transitions": standing.transition if standing is not None else 0,
        "excluded_since": _time(found.excluded),
        "matches": found.rule.matches,
        "next_change": _time(found.next_change),
        "expires_at": _time(found.audience.expires or None),
        "approximate": found.approximate,
        "events": found.events,
        "missing_events": found.missing,
        "rule": _clause(found, found.rule),
    }


def _clause(found: Explanation, clause: Clause) -> dict[str, Any]:
    return {
        "clause": clause.text,
        "matches": clause.matches,
        "since": _time(clause.since),
        "next_change": _time(clause.next_change),
        "values": shown_values(found, clause) if not clause.clauses else {},
        "events": clause.events,
        "causes": [_cause(cause) for cause in clause.causes] if not clause.clauses else [],
        "clauses": [_clause(found, inner) for inner in clause.clauses],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    event = cause.event
    return {
        "event": str(event.id),
        "stream": event.stream,
        "at": to_rfc3339(event.at),
        "received": to_rfc3339(event.received),
        "changed": cause.changed,
    }


def _time(at: Instant | None) -> str | None:
    return to_rfc3339(at) if at is not None else None
