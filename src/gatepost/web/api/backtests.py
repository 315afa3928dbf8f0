"""Backtests over HTTP: lines of JSON, each one how far it is, the last one what would have been."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from gatepost.core.timestamps import parse_time
from gatepost.model.errors import GatepostError, InvalidInput
from gatepost.model.times import Instant, Milliseconds, format_duration, parse_duration, to_rfc3339
from gatepost.operations.backtests import BacktestWish, FoldedBy, Outcome
from gatepost.stages.backtest import Point
from gatepost.web.bodies import decoded
from gatepost.web.documentation import accepts, answers
from gatepost.web.envelopes import ENCODE
from gatepost.web.session import Body, Here

router = APIRouter(prefix="/v2/segment", tags=["audiences"])

_WISH = {"audience": "loyal", "from": "2026-01-01", "to": "2026-02-01", "step": "1d"}
_POINT = {"at": "2026-01-02T00:00:00Z", "size": 12, "entered": 13, "left": 1}
_REPORT = {"data": {"size": 12, "entered": 13, "left": 1, "points": [_POINT], "deliveries": {"loyal_in": 13}}}


class _Wish(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    audience: str = ""
    filter: str = ""
    from_: str = ""
    to: str = ""
    step: str = ""
    schema: FoldedBy = FoldedBy.EACH


@router.post("/backtest", responses=answers(_REPORT), openapi_extra=accepts(_WISH))
async def backtest(here: Here, body: Body) -> Response:
    """Fold the history again for one audience, saved or not, and tell its size over time; nothing is sent.

    The answer is lines of JSON: `{"done": 0.4}` while it runs, then `{"data": ...}`, or `{"error": ...}`.
    """
    wish = decoded(body, _Wish)
    told = here.app.backtests.run(
        here.number,
        BacktestWish(
            audience=wish.audience,
            filter=wish.filter,
            begin=_instant(wish.from_, "from"),
            end=_instant(wish.to, "to"),
            step=_duration(wish.step),
            schema=wish.schema,
        ),
    )
    # The first step checks the wish, so that what is wrong with it is answered as an error.
    first = await anext(told)
    return StreamingResponse(_lines(first, told), media_type="application/x-ndjson")


async def _lines(
    first: float | Outcome, rest: AsyncGenerator[float | Outcome, None]
) -> AsyncGenerator[bytes, None]:
    yield _line(first)
    try:
        async with aclosing(rest) as told:
            async for one in told:
                yield _line(one)
    except GatepostError as error:
        yield ENCODE({"error": error.message}) + b"\n"


def _line(told: float | Outcome) -> bytes:
    document = {"data": _shown(told)} if isinstance(told, Outcome) else {"done": told}
    return ENCODE(document) + b"\n"


def _shown(outcome: Outcome) -> dict[str, Any]:
    report = outcome.report
    return {
        "from": to_rfc3339(report.begin),
        "to": to_rfc3339(report.end),
        "step": format_duration(report.step),
        "size": report.size,
        "entered": report.entered,
        "left": report.left,
        "deliveries": outcome.deliveries,
        "points": [_point(point) for point in report.points],
        "events": report.events,
        "profiles": report.profiles,
        "seconds": report.seconds,
    }


def _point(point: Point) -> dict[str, Any]:
    return {"at": to_rfc3339(point.at), "size": point.size, "entered": point.entered, "left": point.left}


def _instant(text: str, path: str) -> Instant:
    if not text:
        return 0
    at = parse_time(text)
    if at is None:
        msg = f"{text!r} is no time; write a date such as 2026-01-31, or RFC 3339"
        raise InvalidInput(msg, path=path)
    return at


def _duration(text: str) -> Milliseconds:
    try:
        return parse_duration(text) if text else 0
    except ValueError as error:
        raise InvalidInput(str(error), path="step") from None
