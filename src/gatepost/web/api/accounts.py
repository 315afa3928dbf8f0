"""The account a token belongs to."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gatepost.model.errors import NotFound
from gatepost.model.times import to_rfc3339
from gatepost.operations.tokens import digest_of
from gatepost.web.documentation import answers
from gatepost.web.envelopes import answer_v1
from gatepost.web.session import Here, Session

router = APIRouter(prefix="/api/account", tags=["accounts"])

_OBJECT = {"id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "aid": 1, "name": "main"}
_SUCCESS = {"status": 200, "message": "success"}


@router.get("", responses=answers({"data": [_OBJECT], **_SUCCESS}))
async def accounts(here: Here) -> Response:
    """List the one account that the token belongs to."""
    return answer_v1([_shown(here)])


@router.get("/{id_}", responses=answers({"data": _OBJECT, **_SUCCESS}))
async def account(here: Here, id_: str) -> Response:
    """Return the account by its id, its number, the word `current`, or the token itself."""
    known = {here.account.id, str(here.account.number), "current"}
    if id_ not in known and digest_of(id_) != here.token.digest:
        # What was asked for may be somebody's token, which is not repeated.
        raise NotFound("account", "at..." if id_.startswith("at.") else id_)
    return answer_v1(_shown(here))


def _shown(here: Session) -> dict[str, Any]:
    made = to_rfc3339(here.account.created)
    return {
        "id": here.account.id,
        "aid": here.account.number,
        "name": here.account.name,
        "domain": "",
        "fid": "",
        "email": "",
        "timezone": "UTC",
        "pubusers": False,
        "created": made,
        "updated": made,
    }
