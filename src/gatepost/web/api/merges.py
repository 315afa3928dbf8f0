"""Merges of profiles: listed, and undone. Not part of Lytics' API, which cannot undo one."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gatepost.model.merge import Merge
from gatepost.model.profile import Profile
from gatepost.model.times import to_rfc3339
from gatepost.operations.merges import Side, Undoing, list_merges, preview_unmerge, rejoin, undo_merge
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Here

router = APIRouter(prefix="/v2", tags=["profiles"])

_SIDE = {"_id": "0f1e2d", "identifiers": {"email": ["ada@example.com"]}, "events": 12}
_MERGE = {"id": 7, "at": "2026-01-02T00:00:00Z", "survivor": _SIDE, "absorbed": _SIDE, "undone": None}
_RESULT = {"profile": {"email": "ada@example.com"}, "enters": [], "leaves": ["loyal"]}
_REST = {"request_id": "9b1c", "status": 200}


@router.get("/merge/{identifier:path}", responses=answers({"data": [_MERGE], **_REST}))
async def merges(here: Here, identifier: str) -> Response:
    """List the merges of the profile that an identifier leads to, or `field=value`, newest first."""
    found = await list_merges(here.context, here.number, identifier)
    return answer_v2(here.id, [_shown(merge) for merge in found])


@router.post(
    "/merge/{id_}/undo", responses=answers({"data": {"merge": _MERGE, "survivor": _RESULT}, **_REST})
)
async def undo(here: Here, id_: int, dry_run: bool = False) -> Response:
    """Undo a merge: each profile gets its own events back, and both are kept apart; `dry_run` shows both results."""
    work = preview_unmerge if dry_run else undo_merge
    return answer_v2(here.id, _undone(await work(here.context, here.number, id_)))


@router.post("/merge/{id_}/rejoin", responses=answers({"data": _MERGE, **_REST}))
async def lift(here: Here, id_: int) -> Response:
    """Let two profiles that were parted become one again, at the next event that names both."""
    return answer_v2(here.id, _shown(await rejoin(here.context, here.number, id_)))


def _undone(undoing: Undoing) -> dict[str, Any]:
    return {
        "merge": _shown(undoing.merge),
        "survivor": _result(undoing.survivor),
        "revived": _result(undoing.revived),
    }


def _result(side: Side) -> dict[str, Any]:
    return {"profile": side.entity, "enters": side.enters, "leaves": side.leaves}


def _shown(merge: Merge) -> dict[str, Any]:
    return {
        "id": merge.id,
        "at": to_rfc3339(merge.at),
        "event": str(merge.event),
        "survivor": _side(merge.survivor),
        "absorbed": _side(merge.absorbed),
        "undone": to_rfc3339(merge.undone) if merge.undone else None,
    }


def _side(profile: Profile) -> dict[str, Any]:
    identifiers = {name: list(values) for name, values in profile.identifiers.items()}
    return {"_id": profile.id, "identifiers": identifiers, "events": profile.events}
