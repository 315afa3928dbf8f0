"""Erasing people, and the receipts that stay. The two ways to ask are Lytics'; receipts are not."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gatepost.model.erasure import EraseStep, Erasure
from gatepost.model.errors import NotFound
from gatepost.model.times import to_rfc3339
from gatepost.operations.erasures import (
    audit,
    get_erasure,
    list_erasures,
    preview_erasure,
    request_erasure,
    resolves,
)
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v1, answer_v2
from gatepost.web.session import Here

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
    "counts": {"profiles": 1, "events": 12},
    "digest": "60303a",
}
_REST = {"request_id": "9b1c", "status": 200}


@router.delete(
    "/api/entity/{table}/{field}/{value:path}",
    responses=answers({"data": _REQUEST, "status": 200, "message": "delete request received"}),
)
async def erase(here: Here, table: str, field: str, value: str) -> Response:
    """Erase all that is held on the person an identifier leads to. Nobody is told of exits; it cannot be undone."""
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
    """Return the receipt of an erasure; `verify` looks again for everything it took away."""
    if not verify:
        return answer_v2(here.id, shown_erasure(await get_erasure(here.context, here.number, request)))
    audited = await audit(here.context, here.number, request)
    checked = {"genuine": audited.genuine, "found": audited.found, "returned": audited.returned}
    return answer_v2(here.id, {**shown_erasure(audited.erasure), "audit": checked})


def shown_erasure(erasure: Erasure) -> dict[str, Any]:
    """Return an erasure as it is shown: nothing of it tells who it was."""
    done = erasure.step is EraseStep.DONE
    return {
        "id": erasure.id,
        "subject": erasure.subject,
        "asked": to_rfc3339(erasure.asked),
        "step": erasure.step.value,
        "complete": done,
        "completed": to_rfc3339(erasure.completed) if done else None,
        "counts": erasure.counts,
        "identifiers": len(erasure.hashes),
        "digest": erasure.digest,
    }


def _check(table: str) -> None:
    if table != _TABLE:
        raise NotFound("table", table)
