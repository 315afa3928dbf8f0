"""Every error has one answer per generation of the API."""

import re

import orjson
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gatepost.model.delivery import ErrorClass
from gatepost.model.errors import (
    Conflict,
    InvalidEvent,
    InvalidInput,
    NotFound,
    OperatorError,
    TemplateError,
    Unauthorized,
    Unavailable,
    Unreachable,
    UnsafeUrl,
)
from gatepost.web.bodies import BodyTooLarge, InvalidJson
from gatepost.web.problems import REQUEST_ID, problem_of, response_to


@pytest.mark.parametrize(
    ("error", "path", "status", "code"),
    [
        (InvalidInput("no"), "/v2/template", 400, "BADREQ-001"),
        (InvalidInput("no"), "/v2/job", 400, "JOB-BADREQ-002"),
        (InvalidInput("no"), "/v2/auth/x", 400, "AUTH-BADREQ-008"),
        (InvalidJson("no"), "/v2/job", 400, "JSON-BADREQ-025"),
        (UnsafeUrl("no"), "/v2/job", 400, "JOB-BADREQ-002"),
        (BodyTooLarge(10), "/v2/template", 413, "BADREQ-001"),
        (NotFound("template", "x"), "/v2/template/x", 404, "NOTFOUND-003"),
        (NotFound("job", "x"), "/v2/job/x", 404, "JOB-NOTFOUND-004"),
        (NotFound("workflow", "x"), "/v2/job/x", 404, "WF-NOTFOUND-005"),
        (NotFound("authorization", "x"), "/v2/job", 404, "AUTH-NOTFOUND-006"),
        (NotFound("account", "x"), "/v2/job", 404, "ACCOUNT-NOTFOUND-021"),
        (Conflict("in use"), "/v2/template/x", 400, "BADREQ-001"),
        (Conflict("in use"), "/v2/auth/x", 400, "AUTH-BADREQ-008"),
        (Conflict("paused"), "/v2/job/x/bounce", 400, "JOB-BADREQ-002"),
        (Conflict("moving"), "/v2/delivery/x/replay", 409, "BADREQ-001"),
        (Conflict("wall"), "/api/clock", 409, "BADREQ-001"),
        (Unauthorized("no"), "/v2/job", 401, "UNAUTHORIZED-017"),
        (Unavailable("full"), "/collect/json/x", 503, "UNKNOWN-000"),
        (Unreachable("gone", error_class=ErrorClass.DNS), "/v2/job/x/verify", 502, "INTERNAL-019"),
        (HTTPException(404, "no such route"), "/v2/x", 404, "NOTFOUND-003"),
        (HTTPException(405, "no such method"), "/v2/x", 405, "BADREQ-001"),
        (OperatorError("/data is broken"), "/v2/job", 500, "INTERNAL-019"),
        (ValueError("a secret"), "/v2/job", 500, "INTERNAL-019"),
    ],
)
def test_an_error_has_a_status_and_a_code_of_the_closed_list(
    error: Exception, path: str, status: int, code: str
) -> None:
    problem = problem_of(error, path)

    assert (problem.status, problem.code) == (status, code)


@pytest.mark.parametrize(
    "error", [ValueError("a secret"), OperatorError("a secret"), HTTPException(500, "a secret")]
)
def test_what_went_wrong_inside_is_not_told(error: Exception) -> None:
    answer = response_to({"path": "/v2/job"}, error)

    assert answer.status_code == 500
    assert b"a secret" not in bytes(answer.body)


def test_a_refused_token_looks_the_same_everywhere() -> None:
    bodies = {
        bytes(response_to({"path": path}, Unauthorized("Not authorized")).body)
        for path in ("/v2/job", "/api/x")
    }

    assert bodies == {b'{"message":"Not authorized","status":401}'}


def test_a_template_error_says_where_and_how_to_mend_it() -> None:
    error = TemplateError("Expected a comma", line=3, column=5, excerpt="  b: 2\n  ^", hint="add a comma")
    error.repaired = "{ a: 1, b: 2 }"

    body = orjson.loads(response_to({"path": "/v2/template", REQUEST_ID: "9b1c"}, error).body)

    (entry,) = body["errors"]
    timestamp = entry.pop("timestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert entry == {
        "code": "BADREQ-001",
        "message": "Expected a comma",
        "level": "warn",
        "line": 3,
        "column": 5,
        "excerpt": "  b: 2\n  ^",
        "hint": "add a comma",
        "repaired": "{ a: 1, b: 2 }",
    }
    assert (body["message"], body["request_id"], body["status"]) == ("Expected a comma", "9b1c", 400)


def test_a_bad_event_names_its_line_in_the_first_generation_too() -> None:
    error = InvalidEvent("line 3: not valid JSON", path="line 3", line=3)

    body = orjson.loads(response_to({"path": "/collect/bulk/web"}, error).body)

    assert body["data"] is None
    assert body["errors"] == [{"message": "line 3: not valid JSON", "path": "line 3", "line": 3}]


def test_a_busy_server_says_when_to_come_again() -> None:
    answer = response_to({"path": "/collect/json/web"}, Unavailable("full", retry_after=30))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_a_parameter_that_is_wrong_says_so_without_the_name_of_the_check() -> None:
    found = {"loc": ("query", "limit"), "msg": "Value error, write a number", "type": "value_error"}

    problem = problem_of(RequestValidationError([found]), "/v2/delivery")

    assert problem.message == "limit: write a number"
