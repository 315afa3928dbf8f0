"""The answers that Insider documents, byte for byte as clients may parse them."""

from dataclasses import dataclass
from typing import Final

import orjson

from gatepost.model.errors import GatepostError
from gatepost.model.jsonvalue import JsonValue

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body, and headers beyond the usual ones."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


class RefusalError(GatepostError):
    """A request goes no further; carries the answer and the reason as the journal shows it."""

    def __init__(self, answer: Answer, reason: str, partner: str = "") -> None:
        super().__init__(reason)
        self.answer = answer
        self.reason = reason
        self.partner = partner


def error(status: int, text: str) -> Answer:
    """Return an answer in the short form."""
    return Answer(status, orjson.dumps({"error": text}))


def failure(status: int, text: str) -> Answer:
    """Return an answer in the long form."""
    return Answer(status, orjson.dumps({"success": False, "message": text}))


def document(value: JsonValue) -> Answer:
    """Return a successful answer with this document."""
    return Answer(200, orjson.dumps(value))


WRONG_METHOD: Final = Answer(405, headers=((b"allow", b"POST"),))
ACCESS_DENIED: Final = failure(
    403, "Access Denied. You do not have sufficient access to perform this action."
)
WRONG_PARTNER: Final = failure(400, "Partner is invalid.")
FOREIGN_TOKEN: Final = failure(401, "Partner token authentication failed.")
TOO_MANY: Final = error(429, "rejected: too many requests")
WRONG_TYPE: Final = error(400, "content type must be application/json")
TOO_LARGE: Final = error(400, "request body is bigger than maximum allowed size 5,000,000 bytes")
NOT_JSON: Final = failure(400, "Request data is not in valid JSON format.")
NO_USERS: Final = error(400, "users must be defined: bad request")
TOO_MANY_USERS: Final = error(400, "users must not exceed 1000: bad request")
NO_IDENTIFIER: Final = error(400, "no valid identifier: bad request")
NOTHING_WANTED: Final = error(400, "either attributes or events must be specified: bad request")
NO_SUCH_USER: Final = error(404, "no such user for these identifiers: no data")
UNKNOWN_ERROR: Final = failure(500, "The request processing has failed because of an unknown error.")

_FAULTS: Final = {403: ACCESS_DENIED, 429: TOO_MANY, 500: UNKNOWN_ERROR}


def for_fault(status: int, retry_after: int | None) -> Answer:
    """Return what Insider would answer under this status; most gateway errors have no body."""
    usual = _FAULTS.get(status, Answer(status))
    return usual if retry_after is None else with_retry_after(usual, retry_after)


def with_retry_after(answer: Answer, seconds: int) -> Answer:
    """Return the answer with the seconds to wait."""
    return Answer(answer.status, answer.body, (*answer.headers, (b"retry-after", b"%d" % seconds)))


def batch(accepted: int, rejected: int, errors: dict[str, list[str]]) -> Answer:
    """Return the answer to a batch of users; a count of nothing is an empty object."""
    fail: dict[str, JsonValue] = {"count": rejected, "errors": dict(errors)} if rejected else {}
    return document({"data": {"successful": {"count": accepted} if accepted else {}, "fail": fail}})
