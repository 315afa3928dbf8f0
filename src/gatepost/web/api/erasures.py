"""Erasing people, and the receipts that stay. The two ways to ask are Lytics'; receipts are not."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.errors import NotFound
from gatepost.model.times import to_rfc3339
from gatepost.operations.audits import audit
from gatepost.operations.erasures import (
    count_erasures,
    get_erasure,
    hide,
    list_erasures,
    preview_erasure,
    request_erasure,
    request_erasures,
    resolves,
)
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import answer_v1, answer_v2, json_response
from gatepost.web.session import Body, Here

Conflicts = Annotated[bool, Query(alias="conflicts")]


class _Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    values: list[str]


class _Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: list[str]


router = APIRouter(tags=["profiles"])

_TABLE = "user"
_REQUEST = {"request_id": "7c1d2e", "complete": False}
_RECEIPT = {
    "id": "7c1d2e",
    "subject": "9f86d0",
    "asked": "2026-01-02T00:00:00Z",
    "step": "done",
    "complete": True,
    "completed": "2026-01-02T00:00:01Z",
    "state": "done",
    "counts": {"profiles": 1, "events": 12},
    "quoted": {},
    "digest": "60303a",
}
_STATES = {
    EraseStep.ASKED: "initial",
    EraseStep.EVENTS: "primary",
    EraseStep.MENTIONS: "archive",
    EraseStep.DELIVERIES: "secondary",
    EraseStep.MERGES: "secondary",
    EraseStep.LINES: "secondary",
    EraseStep.QUOTES: "secondary",
    EraseStep.SWEEP: "secondary",
    EraseStep.LOOK: "secondary",
    EraseStep.DONE: "done",
}
"""What the API calls the steps."""
_HIDDEN = answers({"data": {"hidden": True}, "status": 200, "message": "success"})
_REST = {"request_id": "9b1c", "status": 200}


@router.post("/api/entity/softdelete/{table}/{field}/{value:path}", responses=_HIDDEN)
@router.delete("/api/entity/softdelete/{table}/{field}/{value:path}", responses=_HIDDEN)
async def soft_delete(here: Here, table: str, field: str, value: str) -> Response:
    """Hide a profile for good: no entity any more, in no audience; 200 even when nobody has the identifier.

    Jobs are told of its exits. All of it stays stored, and can still be handed out and erased.
    """
    _check(table)
    return answer_v1({"hidden": await hide(here.context, here.number, field, value)})


@router.delete(
    "/api/entity/{table}/{field}/{value:path}",
    responses=answers({"data": _REQUEST, "status": 200, "message": "delete request received"}),
)
async def erase(here: Here, table: str, field: str, value: str, _conflicts: Conflicts = True) -> Response:
    """Erase all that is held on the person an identifier leads to. Nobody is told of exits; it cannot be undone.

    `conflicts` is accepted and makes no difference: a profile in conflict is never joined, so it is somebody else's.
    """
    _check(table)
    request = await request_erasure(here.context, here.number, field, value)
    return answer_v1({"request_id": request, "complete": False}, message="delete request received")


@router.get(
    "/api/entity/deletestatus/{request}",
    responses=answers({"data": {**_REQUEST, "complete": True}, "status": 200, "message": "success"}),
)
async def status(here: Here, request: str) -> Response:
    """Tell how far an erasure is."""
    erasure = await get_erasure(here.context, here.number, request)
    return answer_v1({"request_id": erasure.id, **shown_erasure(erasure)})


@router.delete(
    "/v2/identity/queue/bulk/{table}/{field}",
    status_code=202,
    responses=answers(
        {
            "data": {
                "successes": {"ada@example.com": "7c1d2e"},
                "errors": {"eve@example.com": "nobody has this email"},
            }
        },
        202,
    ),
    openapi_extra=accepts({"values": ["ada@example.com", "eve@example.com"]}),
)
async def erase_many(here: Here, table: str, field: str, body: Body) -> Response:
    """Erase up to 1,000 people by the values of one identifier; asking again for who is gone tells the same request."""
    _check(table)
    wish = decoded(body, _Values)
    queued = await request_erasures(here.context, here.number, field, wish.values)
    data = {"successes": queued.successes, "errors": queued.errors}
    # Lytics' clients look for both at the top, others under `data`.
    return json_response({**data, "data": data, "request_id": here.id, "status": 202}, 202)


@router.delete(
    "/v2/identity/{table}/{key}/{value:path}",
    status_code=202,
    responses=answers({"data": _REQUEST, "request_id": "9b1c", "status": 202}, 202),
)
async def erase_identity(here: Here, table: str, key: str, value: str) -> Response:
    """Erase all that is held on the person an identifier leads to; 404 when it leads to nobody."""
    _check(table)
    if not await resolves(here.context, here.number, key, value):
        raise NotFound("profile", f"{key}={value}")
    request = await request_erasure(here.context, here.number, key, value)
    return answer_v2(here.id, {"request_id": request, "complete": False}, status=202)


@router.get("/v2/identity/deletestatus/list", responses=answers({"data": [_RECEIPT], **_REST}))
async def identity_statuses(here: Here) -> Response:
    """List how far the latest erasures are, newest first."""
    return answer_v2(here.id, [shown_erasure(one) for one in await list_erasures(here.context, here.number)])


@router.get(
    "/v2/identity/deletestatus/overview",
    responses=answers(
        {"data": {"primary": 0, "archive": 1, "secondary": 0, "done": 7, "completed": 7}, **_REST}
    ),
)
async def identity_overview(here: Here) -> Response:
    """Count erasures by how far they are."""
    counted = await count_erasures(here.context, here.number)
    states = dict.fromkeys(_STATES.values(), 0)
    for step, amount in counted.items():
        states[_STATES[step]] += amount
    return answer_v2(here.id, {**states, "completed": states["done"]})


@router.get("/v2/identity/deletestatus/{request}", responses=answers({"data": _RECEIPT, **_REST}))
async def identity_status(here: Here, request: str) -> Response:
    """Tell how far an erasure is."""
    return answer_v2(here.id, shown_erasure(await get_erasure(here.context, here.number, request)))


@router.get(
    "/v2/profile/erase/{identifier:path}", responses=answers({"data": {"counts": {"events": 12}}, **_REST})
)
async def preview(here: Here, identifier: str) -> Response:
    """Tell what an erasure would take away; nothing is changed."""
    found = await preview_erasure(here.context, here.number, identifier)
    field, value = found.identifier
    shown = {"profile": found.profile, "field": field, "value": value, "counts": found.counts}
    return answer_v2(here.id, shown)


@router.get("/v2/erasure", responses=answers({"data": [_RECEIPT], **_REST}))
async def erasures(here: Here) -> Response:
    """List erasures, newest first: who was meant is told by a keyed hash alone."""
    return answer_v2(here.id, [shown_erasure(one) for one in await list_erasures(here.context, here.number)])


@router.get("/v2/erasure/{request}", responses=answers({"data": _RECEIPT, **_REST}))
async def receipt(here: Here, request: str, verify: bool = False) -> Response:
    """Return the receipt of an erasure; `verify` reads every row of both files for what it took away."""
    if not verify:
        return answer_v2(here.id, shown_erasure(await get_erasure(here.context, here.number, request)))
    return await _verified(here, request, ())


@router.post(
    "/v2/erasure/{request}/verify",
    responses=answers({"data": _RECEIPT, **_REST}),
    openapi_extra=accepts({"known": ["ada@example.com"]}),
)
async def verify_knowing(here: Here, request: str, body: Body) -> Response:
    """Verify a receipt as an auditor who knows identifiers of hers: every byte is searched for them too."""
    return await _verified(here, request, decoded(body, _Known).known)


async def _verified(here: Here, request: str, known: Sequence[str]) -> Response:
    audited = await audit(here.context, here.number, request, known)
    checked = {
        "genuine": audited.genuine,
        "found": audited.found,
        "quoted": audited.quoted,
        "returned": audited.returned,
        "searched": audited.searched,
    }
    return answer_v2(here.id, {**shown_erasure(audited.erasure), "audit": checked})


def shown_erasure(erasure: Erasure) -> dict[str, Any]:
    """Return an erasure as it is shown: nothing of it tells who it was."""
    done = erasure.step is EraseStep.DONE
    return {
        "id": erasure.id,
        "subject": erasure.subject,
        "asked": to_rfc3339(erasure.asked),
        "step": erasure.step.value,
        "state": _STATES[erasure.step],
        "complete": done,
        "completed": to_rfc3339(erasure.completed) if done else None,
        "counts": erasure.counts,
        "quoted": erasure.quoted,
        "identifiers": len(erasure.hashes),
        "failures": erasure.failures,
        "again": to_rfc3339(erasure.again) if erasure.again else None,
        "trouble": erasure.trouble,
        "digest": erasure.digest,
    }


def _check(table: str) -> None:
    if table != _TABLE:
        raise NotFound("table", table)
