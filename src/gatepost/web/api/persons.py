"""All that is held on one person: where each field comes from, and everything in one document."""

from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from gatepost.model.errors import InvalidInput, NotFound
from gatepost.model.times import to_rfc3339
from gatepost.operations.context import Context
from gatepost.operations.persons import Person, deliveries_of, events_of, person, person_by, traced
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import ENCODE, answer_v2
from gatepost.web.personal import explained_entity, shown_event, shown_merge, shown_person, shown_sent
from gatepost.web.session import Body, Here

_MOST_IDENTITIES = 50


class _Identity(msgspec.Struct, frozen=True):
    key: str
    value: str


class _Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    identities: list[_Identity]


router = APIRouter(prefix="/v2", tags=["profiles"])

_ORIGIN = {
    "event": "1782",
    "stream": "web",
    "at": "2026-01-02T00:00:00Z",
    "expression": "email(mail)",
    "guard": "",
}
_SOURCE = {"operator": "latest", "value": "Berlin", "events": 1, "sources": [_ORIGIN]}
_KEYS = [{"key": "email", "value": "ada@example.com"}]
_EXPLAINED = {
    "entity": {"_id": "0f1e2d", "email": "ada@example.com"},
    "keys": _KEYS,
    "fragments": [{"keys": _KEYS, "streams": ["web"]}],
    "field_sources": {"city": _SOURCE},
}
_REST = {"request_id": "9b1c", "status": 200}
_EXPORT = {"profile": {"_id": "0f1e2d"}, "identifiers": _KEYS, "memberships": [], "merges": [], "events": []}


@router.get("/profile/explain/{identifier:path}", responses=answers({"data": _EXPLAINED, **_REST}))
async def explain(here: Here, identifier: str) -> Response:
    """Tell which event and which mapping gave each field its value; the profile is named as everywhere."""
    who = await person(here.context, here.number, identifier)
    return answer_v2(here.id, explained_entity(await traced(here.context, who)))


@router.get("/profile/export/{identifier:path}", responses=answers(_EXPORT))
async def export(here: Here, identifier: str) -> Response:
    """Hand out all that is held on a person, as one JSON document that comes in pieces."""
    who = await person(here.context, here.number, identifier)
    headers = {"Content-Disposition": f'attachment; filename="{who.profile.id}.json"'}
    return StreamingResponse(_document(here.context, who), headers=headers, media_type="application/json")


@router.get("/identity/{table}/{key}/{value:path}", responses=answers({"data": _EXPLAINED, **_REST}))
async def identity(here: Here, table: str, key: str, value: str) -> Response:
    """Return the profile an identifier leads to with its keys and the source of each field; 404 for nobody."""
    if table != "user":
        raise NotFound("table", table)
    who = await person_by(here.context, here.number, key, value)
    if who is None:
        raise NotFound("profile", f"{key}={value}")
    return answer_v2(here.id, explained_entity(await traced(here.context, who)))


@router.post(
    "/identity/lookup",
    responses=answers(
        {"data": [{"key": "email", "value": "ada@example.com", "identity": _EXPLAINED}], **_REST}
    ),
    openapi_extra=accepts({"identities": [{"key": "email", "value": "ada@example.com"}]}),
)
async def lookup(here: Here, body: Body) -> Response:
    """Return what up to 50 identifiers lead to, each as the identity read shows it; null for nobody."""
    wanted = decoded(body, _Lookup).identities
    if not 0 < len(wanted) <= _MOST_IDENTITIES:
        msg = f"{len(wanted)} identities are named; name 1 to {_MOST_IDENTITIES}"
        raise InvalidInput(msg, path="identities")
    found = []
    for one in wanted:
        who = await person_by(here.context, here.number, one.key, one.value)
        shown = None if who is None else explained_entity(await traced(here.context, who))
        found.append({"key": one.key, "value": one.value, "identity": shown})
    return answer_v2(here.id, found)


async def _document(context: Context, who: Person) -> AsyncIterator[bytes]:
    """Yield the pieces of an export; only one event or delivery is in memory at a time."""
    head = {"exported": to_rfc3339(context.clock.wall()), **shown_person(who)}
    yield ENCODE(head)[:-1]
    for name, items in (
        ("merges", _each([shown_merge(one, who) for one in who.merges])),
        ("events", _shown_events(context, who)),
        ("deliveries", _shown_deliveries(context, who)),
    ):
        yield f',"{name}":['.encode()
        first = True
        async for item in items:
            yield (b"" if first else b",") + ENCODE(item)
            first = False
        yield b"]"
    yield b"}\n"


async def _each(items: list[dict[str, object]]) -> AsyncIterator[dict[str, object]]:
    for item in items:
        yield item


async def _shown_events(context: Context, who: Person) -> AsyncIterator[dict[str, object]]:
    async for event in events_of(context, who):
        yield shown_event(event)


async def _shown_deliveries(context: Context, who: Person) -> AsyncIterator[dict[str, object]]:
    async for sent in deliveries_of(context, who):
        yield shown_sent(sent, who)
