"""Audience time, where it is moved by hand."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gatepost.core.timestamps import parse_time
from gatepost.model.errors import InvalidInput
from gatepost.model.times import to_rfc3339
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import answer_v1
from gatepost.web.session import Body, Here

router = APIRouter(tags=["status"])

_EXAMPLE = {"now": "2026-01-02T03:04:05Z"}


class _Move(msgspec.Struct, frozen=True):
    now: str


@router.post(
    "/api/clock",
    openapi_extra=accepts(_EXAMPLE),
    responses=answers({"data": _EXAMPLE, "status": 200, "message": "success"}),
)
async def move_clock(here: Here, body: Body) -> Response:
    """Move audience time forward, on a server started with a manual clock; it never goes back."""
    text = decoded(body, _Move).now
    instant = parse_time(text)
    if instant is None or instant < 0:
        msg = f"now is {text[:60]!r}; write a time such as 2026-01-02T03:04:05Z"
        raise InvalidInput(msg, path="now")
    return answer_v1({"now": to_rfc3339(await here.app.move_clock(instant))})
