"""Deliveries: what is on its way, what became of it, and once more from the start. Not part of Lytics' API."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from gatepost.model.delivery import Attempt
from gatepost.model.times import to_rfc3339
from gatepost.operations.deliveries import (
    DeliveryQuery,
    DeliveryView,
    delivery_attempts,
    delivery_counts,
    get_delivery,
    list_deliveries,
    replay_delivery,
)
from gatepost.stages.compose import restored
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Here

router = APIRouter(prefix="/v2/delivery", tags=["deliveries"])

_OBJECT = {
    "id": "7c1d2e3f405162738495a6b7c8d9eaf0",
    "state": "delivered",
    "job_name": "Insider enter",
    "audience": "loyal",
    "event": "enter",
    "known_by": "email=ada@example.com",
    "attempts": 1,
}
_ATTEMPT = {
    "number": 1,
    "started": "2026-01-02T03:04:05Z",
    "duration_ms": 84,
    "status": 200,
    "verdict": "delivered",
}
_REST = {"request_id": "9b1c", "status": 200}


class _Wanted(BaseModel):
    """Which deliveries to list."""

    job: str = ""
    state: str = ""
    profile: str = ""
    id: str = Field(default="", description="The beginning of an id; the others do not count beside it.")
    before: int = Field(default=0, ge=0, lt=2**63)
    limit: int = 50


@router.get("", responses=answers({"data": [_OBJECT], **_REST}))
async def deliveries(here: Here, wanted: Annotated[_Wanted, Query()]) -> Response:
    """List deliveries, newest first; go on with `before` set to the `seq` of the last one."""
    query = DeliveryQuery(
        job=wanted.job,
        state=wanted.state,
        profile_id=wanted.profile,
        before=wanted.before,
        limit=wanted.limit,
        id_prefix=wanted.id,
    )
    found = await list_deliveries(here.context, here.number, query)
    return answer_v2(here.id, [_shown(view) for view in found])


@router.get("/counts", responses=answers({"data": {"delivered": 58, "waiting": 0}, **_REST}))
async def counts(here: Here, job: str = "") -> Response:
    """Count deliveries by state, of one job or of all."""
    return answer_v2(here.id, await delivery_counts(here.context, here.number, job))


@router.get("/{id_}", responses=answers({"data": {**_OBJECT, "attempt_list": [_ATTEMPT]}, **_REST}))
async def delivery(here: Here, id_: str) -> Response:
    """Return one delivery with the request it sends and every attempt."""
    view = await get_delivery(here.context, here.number, id_)
    attempts = await delivery_attempts(here.context, here.number, id_)
    detail = {"request": _request(view), "attempt_list": [_tried(attempt) for attempt in attempts]}
    return answer_v2(here.id, {**_shown(view), **detail})


@router.post("/{id_}/replay", responses=answers({"data": _OBJECT, **_REST}))
async def replay(here: Here, id_: str) -> Response:
    """Send a finished delivery once more, rendered anew, under the same id."""
    return answer_v2(here.id, _shown(await replay_delivery(here.context, here.number, id_)))


def _shown(view: DeliveryView) -> dict[str, Any]:
    delivery = view.delivery
    return {
        "id": delivery.id,
        "seq": delivery.seq,
        "state": delivery.state.value,
        "reason": view.reason,
        "job_id": delivery.job,
        "job_name": view.job_name,
        "audience_id": view.audience_id,
        "audience": view.audience_slug,
        "event": delivery.crossing.value,
        "profile_id": view.profile_id,
        "known_by": view.known_by,
        "at": to_rfc3339(delivery.at),
        "transition": delivery.transition,
        "attempts": delivery.attempts,
        "created": to_rfc3339(delivery.created),
        "due": to_rfc3339(delivery.due) if delivery.due else None,
        "finished": to_rfc3339(view.listed.finished) if view.listed.finished else None,
    }


def _request(view: DeliveryView) -> dict[str, str] | None:
    """Return what is sent, without the authorization, which is added on the way out; None before it is rendered."""
    if view.delivery.body is None:
        return None
    composed = restored(view.delivery.body)
    body = composed.body.decode("utf-8", "replace")
    return {"method": composed.method, "url": composed.url, "body": body}


def _tried(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started": to_rfc3339(attempt.started),
        "duration_ms": attempt.duration,
        "status": attempt.status,
        "verdict": attempt.verdict,
        "reason": attempt.reason,
        "answer": attempt.answer.decode("utf-8", "replace"),
    }
