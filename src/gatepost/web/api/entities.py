"""Profiles by their identifiers; the API calls them entities."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gatepost.model.errors import NotFound
from gatepost.operations.profiles import find_entity
from gatepost.web.api.audiences import listed
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v1
from gatepost.web.session import Here

router = APIRouter(prefix="/api/entity", tags=["profiles"])

_ENTITY = {"_id": "0f1e2d", "email": "ada@example.com", "_segments": ["all", "loyal"], "segments": ["loyal"]}
_META = {"by_fields": ["email"], "conflicts": 0, "format": "json", "name": "user"}
_ONE = answers({"data": _ENTITY, "meta": _META, "status": 200, "message": "success"})
_TABLE = "user"
_NOBODY = {"segments": ["not_found", "all"]}


class _Wanted(BaseModel):
    """How much of a profile to show."""

    fields: str = ""
    segments: bool = True
    meta: bool = True


@router.get("/{table}/{field}/{value:path}", responses=_ONE)
async def entity(
    here: Here, table: str, field: str, value: str, wanted: Annotated[_Wanted, Query()]
) -> Response:
    """Return the profile that an identifier leads to; for nobody the answer is 200 with `Not Found`, as in Lytics."""
    if table != _TABLE:
        raise NotFound("table", table)
    found = await find_entity(
        here.context, here.number, field, value, fields=listed(wanted.fields), segments=wanted.segments
    )
    if found is None:
        return answer_v1(_NOBODY, message="Not Found")
    if not wanted.meta:
        return answer_v1(found["data"])
    return answer_v1(found["data"], meta=found["meta"])


@router.get("/{table}/{value}", responses=_ONE)
async def entity_by_uid(here: Here, table: str, value: str, wanted: Annotated[_Wanted, Query()]) -> Response:
    """Return the profile with this `_uid`."""
    return await entity(here, table, "_uid", value, wanted)
