"""The one place where an error becomes an answer, per API generation."""

from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gatepost.model.errors import (
    Conflict,
    DeliveryError,
    GatepostError,
    InvalidInput,
    NotFound,
    Unauthorized,
    Unavailable,
)
from gatepost.web.bodies import BodyTooLarge, InvalidJson
from gatepost.web.envelopes import (
    Generation,
    error_v1,
    error_v2,
    generation_of,
    json_response,
    not_authorized,
)

REQUEST_ID = "gatepost.request_id"
"""Where the id of a request lies in its scope."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What an error looks like from outside."""

    status: int
    code: str
    message: str
    details: tuple[Mapping[str, object], ...] = ()
    """One mapping per thing that is wrong, each with at least a message."""
    headers: Mapping[str, str] = {}


class _Area(msgspec.Struct, frozen=True):
    """What the documented API calls a bad request under a path, and how a conflict is answered there."""

    prefix: str
    bad_request: str = "BADREQ-001"
    conflict: int = 409


_AREAS = (
    _Area("/v2/job", "JOB-BADREQ-002", 400),
    _Area("/v2/auth", "AUTH-BADREQ-008", 400),
    _Area("/v2/template", conflict=400),
    _Area("/v2/segment", conflict=400),
    _Area("/api/segment", conflict=400),
)
_ELSEWHERE = _Area("")

_NOT_FOUND = {
    "job": "JOB-NOTFOUND-004",
    "workflow": "WF-NOTFOUND-005",
    "authorization": "AUTH-NOTFOUND-006",
    "authorization type": "AUTHTYPE-NOTFOUND-007",
    "table": "TABLE-NOTFOUND-009",
    "schema version": "SCHEMAVERSION-NOTFOUND-011",
    "profile": "ENTITY-NOTFOUND-012",
    "stream": "STREAM-NOTFOUND-014",
    "provider": "PROVIDER-NOTFOUND-016",
    "account": "ACCOUNT-NOTFOUND-021",
}
_PLACE = ("path", "line", "column", "excerpt", "hint", "repaired")
_INTERNAL = Problem(
    status=500, code="INTERNAL-019", message="something went wrong here; the server's log says more"
)


def response_to(scope: MutableMapping[str, Any], error: Exception) -> Response:
    """Return the answer to a request that ended in an error."""
    path: str = scope["path"]
    problem = problem_of(error, path)
    headers = dict(problem.headers)
    if isinstance(error, Unauthorized):
        return json_response(not_authorized(problem.message), 401, headers)
    if generation_of(path) is Generation.V1:
        return json_response(
            error_v1(problem.status, problem.message, problem.details), problem.status, headers
        )
    entries = [_entry(problem, detail) for detail in problem.details or ({},)]
    body = error_v2(problem.status, problem.message, entries, scope.get(REQUEST_ID, ""))
    return json_response(body, problem.status, headers)


def problem_of(error: Exception, path: str) -> Problem:
    """Return what an error looks like from outside; anything unexpected tells no details."""
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, RequestValidationError):
        return _of_parameters(error, path)
    if isinstance(error, GatepostError):
        return _of_ours(error, path)
    return _INTERNAL


def _of_ours(error: GatepostError, path: str) -> Problem:
    area = next((area for area in _AREAS if path.startswith(area.prefix)), _ELSEWHERE)
    message = error.message
    match error:
        case Unauthorized():
            headers = {"WWW-Authenticate": "Bearer"}
            return Problem(status=401, code="UNAUTHORIZED-017", message=message, headers=headers)
        case NotFound():
            return Problem(status=404, code=_NOT_FOUND.get(error.kind, "NOTFOUND-003"), message=message)
        case Conflict():
            return Problem(status=area.conflict, code=area.bad_request, message=message)
        case Unavailable():
            headers = {"Retry-After": str(error.retry_after)}
            return Problem(status=503, code="UNKNOWN-000", message=message, headers=headers)
        case BodyTooLarge():
            return Problem(status=413, code="BADREQ-001", message=message)
        case InvalidInput():
            code = "JSON-BADREQ-025" if isinstance(error, InvalidJson) else area.bad_request
            return Problem(status=400, code=code, message=message, details=_details(error))
        case DeliveryError():
            return Problem(status=502, code="INTERNAL-019", message=message)
    return _INTERNAL


def _details(error: InvalidInput) -> tuple[Mapping[str, object], ...]:
    problems = getattr(error, "problems", ())
    if problems:
        return tuple({"message": item.message, **_place(item)} for item in problems)
    place = _place(error)
    return ({"message": error.message, **place},) if place else ()


def _place(error: object) -> dict[str, object]:
    """Return where it is wrong and what would be right, as far as the error knows."""
    found = {name: getattr(error, name, None) for name in _PLACE}
    return {name: value for name, value in found.items() if value}


def _of_http(error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    code = {404: "NOTFOUND-003", 403: "FORBIDDEN-026"}.get(status, "BADREQ-001")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _INTERNAL
    return Problem(status=status, code=code, message=str(error.detail), headers=error.headers or {})


def _of_parameters(error: RequestValidationError, path: str) -> Problem:
    area = next((area for area in _AREAS if path.startswith(area.prefix)), _ELSEWHERE)
    details = tuple(
        {
            "message": f"{'.'.join(str(part) for part in item['loc'][1:])}: {_plain(item)}",
            "path": str(item["loc"][-1]),
        }
        for item in error.errors()
    )
    message = "; ".join(str(detail["message"]) for detail in details)
    return Problem(status=400, code=area.bad_request, message=message, details=details)


def _plain(item: Mapping[str, Any]) -> str:
    """Return what is wrong with a parameter, without the words that only say which kind of check found it."""
    return str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _entry(problem: Problem, detail: Mapping[str, object]) -> dict[str, object]:
    """Return one member of a v2 error's `errors`."""
    level = "error" if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "warn"
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "code": problem.code,
        "message": problem.message,
        "level": level,
        "timestamp": timestamp,
        **detail,
    }
