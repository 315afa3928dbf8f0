"""The two shapes in which every answer leaves: v1 under `/api` and `/collect`, v2 under `/v2`."""

from collections.abc import Mapping, Sequence
from enum import Enum

import msgspec
from starlette.responses import Response

ENCODE = msgspec.json.Encoder().encode


class Generation(Enum):
    """Which of the two API generations a path belongs to."""

    V1 = "v1"
    V2 = "v2"


def generation_of(path: str) -> Generation:
    """Return the generation of a path."""
    return Generation.V2 if path == "/v2" or path.startswith("/v2/") else Generation.V1


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer without an envelope."""
    return Response(ENCODE(value), status, headers, media_type="application/json")


def answer_v1(data: object, *, status: int = 200, message: str = "success", **more: object) -> Response:
    """Return a v1 success; `more` holds what some calls put beside the data, such as `_next`."""
    return json_response({"data": data, "status": status, "message": message, **more}, status)


def answer_v2(request_id: str, data: object = None, *, status: int = 200, **more: object) -> Response:
    """Return a v2 success; without data it is the bare envelope. `more` are members Lytics does not have."""
    envelope: dict[str, object] = {} if data is None else {"data": data}
    return json_response({**envelope, "request_id": request_id, "status": status, **more}, status)


def no_content() -> Response:
    """Return the empty answer of a deletion."""
    return Response(status_code=204)


def error_v1(status: int, message: str, errors: Sequence[Mapping[str, object]] = ()) -> dict[str, object]:
    """Return the body of a v1 error; `errors` only where there is more to say than the message."""
    body: dict[str, object] = {"data": None, "status": status, "message": message}
    return {**body, "errors": errors} if errors else body


def error_v2(
    status: int, message: str, errors: Sequence[Mapping[str, object]], request_id: str
) -> dict[str, object]:
    """Return the body of a v2 error: `errors` for newer clients and the top-level message for older ones."""
    return {"status": status, "errors": errors, "message": message, "request_id": request_id}


def not_authorized(message: str) -> dict[str, object]:
    """Return the body of a refused token, which is the same in both generations."""
    return {"message": message, "status": 401}
