"""Attributes of a profile, read and written by hand."""

from fastapi import APIRouter
from starlette.responses import Response

from gatepost.model.errors import NotFound
from gatepost.model.jsonvalue import JsonValue
from gatepost.operations.attributes import get_attributes, merge_in, overwrite, remove
from gatepost.web.api.audiences import listed
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Body, Here

router = APIRouter(prefix="/v2/attributes", tags=["profiles"])

_STORED = {"_id": "0f1e2d", "email": "ada@example.com", "city": "Berlin"}
_ONE = answers({"data": _STORED, "request_id": "9b1c", "status": 200})
_VALUES = accepts({"city": "Berlin", "tier": None})
_PATH = "/{table}/{key}/{value:path}"
_Values = dict[str, JsonValue]


@router.get(_PATH, responses=_ONE)
async def attributes(here: Here, table: str, key: str, value: str, fields: str = "") -> Response:
    """Return the stored fields of the profile an identifier leads to, nothing derived; `fields` narrows them."""
    _check(table)
    wanted = tuple(listed(fields))
    return answer_v2(here.id, await get_attributes(here.context, here.number, (key, value), wanted))


@router.put(_PATH, responses=_ONE, openapi_extra=_VALUES)
async def replace(here: Here, body: Body, table: str, key: str, value: str) -> Response:
    """Let fields hold just the values given, null for none; fields that are not named stay as they are.

    Fields that identify cannot be written. The answer comes when audiences have been decided anew.
    """
    _check(table)
    await overwrite(here.context, here.number, (key, value), decoded(body, _Values))
    return await _stored(here, key, value)


@router.patch(_PATH, responses=_ONE, openapi_extra=_VALUES)
async def update(here: Here, body: Body, table: str, key: str, value: str) -> Response:
    """Let values meet what fields hold by each field's own merge operator, as an event of now would; null empties."""
    _check(table)
    await merge_in(here.context, here.number, (key, value), decoded(body, _Values))
    return await _stored(here, key, value)


@router.delete(_PATH, responses=_ONE)
async def delete(here: Here, table: str, key: str, value: str, fields: str = "") -> Response:
    """Empty the fields named in `fields`, separated by commas; without any, all but those that identify."""
    _check(table)
    await remove(here.context, here.number, (key, value), listed(fields))
    return await _stored(here, key, value)


async def _stored(here: Here, key: str, value: str) -> Response:
    return answer_v2(here.id, await get_attributes(here.context, here.number, (key, value)))


def _check(table: str) -> None:
    if table != "user":
        raise NotFound("table", table)
