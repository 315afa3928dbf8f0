"""The shapes of answers, good and bad, in both generations of the API."""

from typing import Any

import httpx
import pytest

TEMPLATE = "/v2/template?name=a&type=jsonnet"


def test_a_success_of_the_second_generation_carries_its_request_id_twice(standing_api: httpx.Client) -> None:
    answer = standing_api.get("/v2/template")

    assert answer.json() == {"data": [], "status": 200, "request_id": answer.headers["Request-Id"]}
    assert answer.headers["Content-Type"] == "application/json"
    assert "Server" not in answer.headers


def test_a_success_of_the_first_generation_says_so_in_words(standing_api: httpx.Client) -> None:
    answer = standing_api.get("/api/segment")

    assert answer.json() == {"data": [], "status": 200, "message": "success"}


def test_an_error_of_the_second_generation_serves_old_and_new_clients(standing_api: httpx.Client) -> None:
    answer = standing_api.get("/v2/template/nope")

    body = answer.json()
    (error,) = body["errors"]
    assert answer.status_code == body["status"] == 404
    assert body["message"] == error["message"] == "no template 'nope' in this account"
    assert (error["code"], error["level"]) == ("NOTFOUND-003", "warn")
    assert error["timestamp"].endswith("Z")
    assert body["request_id"] == answer.headers["Request-Id"]


def test_an_error_of_the_first_generation_has_no_data_and_a_message(standing_api: httpx.Client) -> None:
    answer = standing_api.get("/api/segment/nope")

    expected = {"data": None, "status": 404, "message": "no audience 'nope' in this account"}
    assert (answer.status_code, answer.json()) == (404, expected)


@pytest.mark.parametrize(
    ("path", "member"), [("/v2/nothing", "errors"), ("/api/nothing", "data"), ("/collect/nothing/x", "data")]
)
def test_an_unknown_route_is_answered_in_the_shape_of_its_generation(
    standing_api: httpx.Client, path: str, member: str
) -> None:
    answer = standing_api.get(path)

    assert answer.status_code == 404
    assert member in answer.json()
    assert path in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v2/template/x", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("DELETE", "/v2/template", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/api/clock", "OPTIONS, POST"),
        ("GET", "/collect/json/web", "OPTIONS, POST"),
        ("DELETE", "/health", "GET, HEAD, OPTIONS"),
        ("PATCH", "/v2/segment/x", "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_a_wrong_method_is_told_which_ones_are_right(
    standing_api: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = standing_api.request(method, path)
    asked = standing_api.options(path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert (asked.status_code, asked.headers["Allow"], asked.content) == (204, allowed, b"")


def test_a_head_request_is_a_get_without_its_body(standing_api: httpx.Client) -> None:
    head, get = standing_api.head("/v2/template"), standing_api.get("/v2/template")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "says"),
    [
        ("POST", TEMPLATE, b"\xff{}", "BADREQ-001", "the body is not UTF-8: byte 0 is 0xff"),
        ("POST", "/v2/template?name=a", b"{}", "BADREQ-001", "type: Field required"),
        ("POST", "/v2/template?name=&type=jsonnet", b"{}", "BADREQ-001", "a name has 1 to 255 characters"),
        (
            "POST",
            "/v2/template?name=a&type=perl",
            b"{}",
            "BADREQ-001",
            "the types are: jsonnet, js1, handlebars",
        ),
        ("POST", TEMPLATE + "&force=maybe", b"{}", "BADREQ-001", "force: "),
        ("POST", TEMPLATE, b"{" * 600, "BADREQ-001", ""),
        ("POST", TEMPLATE, b"{}" + b" " * 300_000, "BADREQ-001", "256 KiB"),
        ("POST", "/v2/template/test", b"", "JSON-BADREQ-025", "not valid JSON"),
        ("POST", "/v2/template/test", b"[]", "BADREQ-001", "Expected `object`, got `array`"),
        ("POST", "/v2/template/test", b'{"template_definition": 1}', "BADREQ-001", "template_definition: "),
        ("POST", "/v2/template/test", b"[" * 100_000, "JSON-BADREQ-025", "not valid JSON"),
        ("POST", "/v2/template/test", b"[" * 200 + b"]" * 200, "BADREQ-001", "deeper than 100 levels"),
        ("POST", "/v2/auth/header-param-auth", b"{", "JSON-BADREQ-025", "line 1 column 2"),
        ("POST", "/v2/auth/header-param-auth", b"{}", "AUTH-BADREQ-008", "`label`"),
        ("POST", "/v2/auth/header-param-auth", b'{"label": null}', "AUTH-BADREQ-008", "label: "),
        ("POST", "/v2/auth/telepathy", b'{"label": "a"}', "AUTH-BADREQ-008", "header_param_auth"),
        ("POST", "/v2/job", b'{"name": "a", "config": []}', "JOB-BADREQ-002", "config: "),
        ("POST", "/v2/job", b'{"name": "a", "config": {}}', "JOB-BADREQ-002", "webhook_triggers"),
        ("POST", "/v2/job/webhook_triggers", b'{"name": "a", "config": {}}', "JOB-BADREQ-002", ""),
        (
            "POST",
            "/v2/job/webhook_triggers",
            b'{"name": "a", "config": {}, "quiet_time_of_day": "02:00"}',
            "JOB-BADREQ-002",
            "quiet_time_of_day is not part of this version",
        ),
        ("POST", "/v2/segment", b"FILTER (", "BADREQ-001", "bracket"),
        ("POST", "/v2/segment", b'{"name": "a"}', "BADREQ-001", "segment_ql is missing"),
        (
            "POST",
            "/v2/segment",
            b'{"name": "a", "ast": {"op": "and", "args": [{"ident": ""}]}}',
            "BADREQ-001",
            "ast.args.0 is no part of a filter",
        ),
        ("GET", "/v2/segment?sizes=maybe", b"", "BADREQ-001", "sizes: "),
        ("GET", "/v2/delivery?limit=many", b"", "BADREQ-001", "limit: "),
        ("GET", "/v2/delivery?limit=0", b"", "BADREQ-001", "from 1 to 500"),
        ("GET", "/v2/delivery?before=99999999999999999999999", b"", "BADREQ-001", "before: "),
        ("GET", "/v2/delivery?state=lost", b"", "BADREQ-001", "there is no state 'lost'"),
    ],
)
def test_a_bad_request_is_refused_with_a_code_and_a_reason(
    standing_api: httpx.Client, method: str, path: str, body: bytes, code: str, says: str
) -> None:
    answer = standing_api.request(method, path, content=body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/clock", b"", "not valid JSON"),
        ("/api/clock", b"{}", "`now`"),
        ("/api/clock", b'{"now": 1}', "now: "),
        ("/api/clock", b'{"now": "soon"}', "now is 'soon'; write a time such as"),
        ("/api/clock", b'{"now": "1969-01-01T00:00:00Z"}', "write a time such as"),
        ("/api/clock", b'{"now": "99999999999999999999999999"}', "write a time such as"),
        ("/api/auth/createtoken", b'{"scopes": ["king"], "label": "a"}', 'Unknown roles "king"'),
        ("/api/auth/createtoken", b'{"scopes": [], "label": "a"}', "scopes is empty"),
        ("/api/auth/createtoken", b'{"scopes": ["data"]}', "label is missing"),
        ("/api/auth/createtoken", b'{"scopes": ["data"], "label": "a", "expires": "soon"}', "not a duration"),
        ("/api/segment/validate", b"FILTER (", "Failed parsing segment QL: "),
        ("/api/segment/validate", b"\xff", "not UTF-8"),
        ("/api/segment/scan?limit=101", b"FILTER * FROM user", "1 to 100"),
        ("/api/segment/scan?start=zz", b"FILTER * FROM user", "no place to go on from"),
    ],
)
def test_a_bad_request_of_the_first_generation_is_refused_with_a_reason(
    standing_api: httpx.Client, path: str, body: bytes, says: str
) -> None:
    answer = standing_api.post(path, content=body)

    assert answer.status_code == 400
    assert answer.json()["data"] is None
    assert says in answer.json()["message"]


def test_a_refused_source_names_line_and_column(standing_api: httpx.Client) -> None:
    template = standing_api.post(TEMPLATE, content=b"{\n  a: 1\n  b: 2\n}")
    filter_ = standing_api.post("/api/segment/validate", content=b"FILTER (")

    (error,) = template.json()["errors"]
    assert error["line"] == 3
    assert "b: 2" in error["excerpt"]
    assert filter_.json()["errors"][0]["column"] == 8


def test_the_document_names_every_route_and_no_foreign_error(standing_api: httpx.Client) -> None:
    document: dict[str, Any] = standing_api.get("/openapi.json").json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {"/collect/json/{stream}", "/v2/template", "/v2/job/{id_}", "/api/segment/{id_}/scan"} <= set(
        document["paths"]
    )
    assert all(operation["tags"] and operation["summary"] for operation in operations)
    assert not any("422" in operation["responses"] for operation in operations)
