"""Whether gatepost is up, and what it has done so far."""

from collections.abc import Callable

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

import gatepost
from gatepost.model.audience import Audience, AudienceSize
from gatepost.model.catalog import Template
from gatepost.model.times import to_rfc3339
from gatepost.operations.duties import Underway, underway
from gatepost.ports.store import Transaction
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v1, json_response
from gatepost.web.session import Here

router = APIRouter(tags=["status"])

_EXAMPLE = {
    "data": {
        "events_collected": 1200,
        "events_applied": 1200,
        "lag": 0,
        "profiles": 310,
        "now": "2026-01-02T03:04:05Z",
        "clock": "wall",
        "audiences": {"loyal": {"size": 42, "entered": 50, "left": 8}},
        "deliveries": {"delivered": 58},
        "counters": {"events_applied": 1200},
        "duties": [{"kind": "evaluate", "audience": "loyal", "done": 0.42}],
        "templates_distrusted": [],
    },
    "status": 200,
    "message": "success",
}


_CARD = {
    "name": "gatepost",
    "version": gatepost.__version__,
    "status": "/api/status",
    "openapi": "/openapi.json",
}


@router.get("/", responses=answers(_CARD))
async def card() -> Response:
    """Tell what answers here and where to go on."""
    return json_response(_CARD)


@router.get("/health", responses=answers({"status": "ok"}))
async def health() -> Response:
    """Tell that gatepost is started and answers."""
    return json_response({"status": "ok"})


@router.get("/api/status", responses=answers(_EXAMPLE))
async def status(here: Here) -> Response:
    """Tell how many events, profiles, members and deliveries there are, and how far apply is behind."""
    collected = here.app.log.collected(here.number)
    distrusts = here.context.renderer.distrusts
    stored = await here.context.store.read(lambda tx: _stored(tx, here.number, distrusts))
    applied = stored.counters.get("events_applied", 0)
    counted = {"events_collected": collected, "events_applied": applied, "lag": max(0, collected - applied)}
    times = {"now": to_rfc3339(here.app.clock.audience()), "clock": here.app.settings.clock}
    return answer_v1({**counted, **times, **msgspec.structs.asdict(stored)})


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    profiles: int
    audiences: dict[str, AudienceSize]
    deliveries: dict[str, int]
    counters: dict[str, int]
    duties: list[Underway]
    templates_distrusted: list[str]
    """Names of templates on which two engines disagreed."""


def _stored(tx: Transaction, account: int, distrusts: Callable[[str], bool]) -> _Stored:
    sizes = tx.memberships.sizes(account)
    audiences = tx.catalog.list(Audience, account)
    return _Stored(
        profiles=tx.profiles.count(account),
        audiences={a.slug: sizes.get(a.number, AudienceSize()) for a in audiences if not a.deleted},
        deliveries=tx.deliveries.counts(account),
        counters=tx.ledger.counters(account),
        duties=underway(tx, account),
        templates_distrusted=[
            template.name for template in tx.catalog.list(Template, account) if distrusts(template.source)
        ],
    )
