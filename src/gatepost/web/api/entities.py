"""Profiles by their identifiers; the API calls them entities."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gatepost.model.errors import NotFound
from gatepost.operations.commands import applied
from gatepost.operations.persons import person_by, traced
from gatepost.operations.profiles import EntityQuery, find_entity
from gatepost.web.api.audiences import listed
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v1
from gatepost.web.personal import explained_entity
from gatepost.web.session import Here

router = APIRouter(tags=["profiles"])

_ENTITY = {"_id": "0f1e2d", "email": "ada@example.com", "_segments": ["all", "loyal"], "segments": ["loyal"]}
_META = {"by_fields": ["email"], "conflicts": 0, "format": "json", "name": "user"}
_ONE = answers({"data": _ENTITY, "meta": _META, "status": 200, "message": "success"})
_SEGMENTS = answers({"data": {"segments": ["loyal"]}, "status": 200, "message": "success"})
_TABLE = "user"
_NOBODY = {"segments": ["not_found", "all"]}
_PATIENCE_S = 5.0


class _Wanted(BaseModel):
    """How much of a profile to show."""

    fields: str = ""
    include_fields: str = ""
    fieldBlocklist: str = ""  # noqa: N815 - the spelling of the API
    segments: bool = True
    allsegments: bool = False
    meta: bool = True
    wait: bool = False
    explain: bool = False
    download: bool = False


@router.get("/api/entity/{table}/segments/{field}/{value:path}", responses=_SEGMENTS)
async def entity_segments(
    here: Here, table: str, field: str, value: str, allsegments: bool = False
) -> Response:
    """Return just the audiences of the profile that an identifier leads to: the public ones, or all with their ids."""
    _check(table)
    query = EntityQuery(all_segments=allsegments)
    found = await find_entity(here.context, here.number, field, value, query)
    if found is None:
        return answer_v1(_NOBODY, message="Not Found")
    kept = {name: found["data"][name] for name in ("segments", "segments_all") if name in found["data"]}
    return answer_v1(kept)


@router.get("/api/entity/{table}/{field}/{value:path}", responses=_ONE)
async def entity(
    here: Here, table: str, field: str, value: str, wanted: Annotated[_Wanted, Query()]
) -> Response:
    """Return the profile that an identifier leads to; for nobody the answer is 200 with `Not Found`, as in Lytics.

    `wait` lets what was collected be applied first; `explain` adds the event and mapping behind every field.
    """
    _check(table)
    in_time = not wanted.wait or await applied(here.context, _PATIENCE_S)
    answer = await (_explained if wanted.explain else _found)(here, field, value, wanted)
    if answer is None:
        return answer_v1(_NOBODY, message="Not Found" if in_time else "Timed out")
    if wanted.download:
        answer.headers["Content-Disposition"] = 'attachment; filename="entity.json"'
    return answer


@router.get("/api/entity/{table}/{value}", responses=_ONE)
async def entity_by_uid(here: Here, table: str, value: str, wanted: Annotated[_Wanted, Query()]) -> Response:
    """Return the profile with this `_uid`."""
    return await entity(here, table, "_uid", value, wanted)


@router.get("/api/me/{field}/{value:path}", responses=_ONE)
async def me(here: Here, field: str, value: str, wanted: Annotated[_Wanted, Query()]) -> Response:
    """Return the profile that an identifier leads to, as a browser asks for its own."""
    return await entity(here, _TABLE, field, value, wanted)


async def _found(here: Here, field: str, value: str, wanted: _Wanted) -> Response | None:
    query = EntityQuery(
        fields=(*listed(wanted.fields), *listed(wanted.include_fields)),
        without=tuple(listed(wanted.fieldBlocklist)),
        segments=wanted.segments,
        all_segments=wanted.allsegments,
    )
    found = await find_entity(here.context, here.number, field, value, query)
    if found is None:
        return None
    return answer_v1(found["data"], meta=found["meta"]) if wanted.meta else answer_v1(found["data"])


async def _explained(here: Here, field: str, value: str, _wanted: _Wanted) -> Response | None:
    who = await person_by(here.context, here.number, field, value)
    if who is None:
        return None
    return answer_v1(explained_entity(await traced(here.context, who)))


def _check(table: str) -> None:
    if table != _TABLE:
        raise NotFound("table", table)
