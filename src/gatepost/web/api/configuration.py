"""A whole account as one document: shown as a plan, or applied in one transaction. Not part of Lytics' API."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gatepost.operations.configuration import apply_configuration, read_declaration
from gatepost.web.bodies import json_of
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import answer_v2
from gatepost.web.session import Body, Here

router = APIRouter(prefix="/v2/config", tags=["configuration"])

_DOCUMENT = {
    "streams": {"web": {"timestamp_field": "ts"}},
    "schema": {
        "ranks": ["email"],
        "fields": {"email": {"identifier": True}, "last_visit": {"type": "date", "merge": "max"}},
        "mappings": [{"stream": "web", "field": "email", "expression": "email(email)"}],
    },
    "audiences": {"recent": {"filter": 'FILTER last_visit > "now-7d"'}},
}
_CHANGE = {"action": "create", "kind": "audience", "name": "recent", "details": []}
_REPORT = {"data": {"changes": [_CHANGE], "warnings": []}, "request_id": "9b1c", "status": 200}


class _Wanted(BaseModel):
    """How far to go."""

    dry_run: bool = False
    prune: bool = False
    confirm: bool = False


@router.post("", responses=answers(_REPORT), openapi_extra=accepts(_DOCUMENT))
async def apply(here: Here, body: Body, wanted: Annotated[_Wanted, Query()]) -> Response:
    """Make the account what a document says, all or nothing; `prune` also removes what a document once made."""
    report = await apply_configuration(
        here.context,
        here.number,
        read_declaration(json_of(body)),
        dry_run=wanted.dry_run,
        prune=wanted.prune,
        confirm=wanted.confirm,
    )
    return answer_v2(here.id, report)
