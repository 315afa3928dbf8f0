"""From a document to a member who can be looked at, over HTTP alone."""

import time
from typing import Any

import httpx
import pytest

DOCUMENT: dict[str, Any] = {
    "streams": {"shop": {"timestamp_field": "ts"}},
    "schema": {
        "ranks": ["email"],
        "fields": {"email": {"identifier": True}, "spent": {"type": "number", "merge": "sum"}},
        "mappings": [
            {"stream": "shop", "field": "email", "expression": "email(email)"},
            {"stream": "shop", "field": "spent", "expression": "spent"},
        ],
    },
    "audiences": {"loyal": {"filter": "FILTER spent > 100 FROM user", "public": True}},
}


@pytest.fixture
def configured(api: httpx.Client) -> httpx.Client:
    applied = api.post("/v2/config", json=DOCUMENT)
    assert applied.status_code == 200, applied.text
    return api


def settled(api: httpx.Client) -> dict[str, Any]:
    """Wait until everything collected is applied and return the totals."""
    deadline = time.monotonic() + 30
    while True:
        status: dict[str, Any] = api.get("/api/status").json()["data"]
        if not status["lag"] or time.monotonic() > deadline:
            return status


def test_a_dry_run_shows_the_plan_and_changes_nothing(api: httpx.Client) -> None:
    answer = api.post("/v2/config", params={"dry_run": "true"}, json=DOCUMENT)

    changes = answer.json()["data"]["changes"]
    assert ("create", "audience", "loyal") in {(c["action"], c["kind"], c["name"]) for c in changes}
    assert api.get("/v2/segment").json()["data"] == []


def test_a_document_applied_twice_changes_nothing_the_second_time(configured: httpx.Client) -> None:
    again = configured.post("/v2/config", json=DOCUMENT)

    assert {change["action"] for change in again.json()["data"]["changes"]} == {"unchanged"}


def test_everything_wrong_with_a_document_is_told_at_once_with_its_place(api: httpx.Client) -> None:
    wrong = {"audiences": {"a": {"filter": "FILTER ("}, "b": {"filter": "FILTER nobody > 1"}}}

    answer = api.post("/v2/config", json=wrong)

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [
        "audiences.a.filter",
        "audiences.b.filter",
    ]
    assert answer.json()["errors"][0]["line"] == 1


def test_the_configured_time_field_of_a_stream_is_used_at_once(configured: httpx.Client) -> None:
    shop = configured.post("/collect/json/shop", json={"email": "ada@example.com"})
    other = configured.post("/collect/json/other", json={"email": "ada@example.com"})

    assert shop.json()["data"]["timestamp_field"] == "ts"
    assert other.json()["data"]["timestamp_field"] == ""


def test_a_member_is_found_by_audience_and_by_identifier(configured: httpx.Client) -> None:
    configured.post("/collect/json/shop", json={"email": "ada@example.com", "spent": 150})
    status = settled(configured)

    members = configured.get("/api/segment/loyal/scan", params={"fields": "email"}).json()
    entity = configured.get("/api/entity/user/email/ada@example.com").json()
    size = configured.get("/api/segment/loyal/size").json()["data"]

    assert status["audiences"] == {"loyal": {"size": 1, "entered": 1, "left": 0}}
    assert ([member["email"] for member in members["data"]], members["_next"], members["total"]) == (
        ["ada@example.com"],
        "",
        1,
    )
    assert entity["data"]["segments"] == ["loyal"]
    assert entity["meta"]["by_fields"] == ["email"]
    assert (size["slug_name"], size["size"]) == ("loyal", 1)


def test_nobody_is_answered_as_lytics_does(configured: httpx.Client) -> None:
    answer = configured.get("/api/entity/user/email/nobody@example.com")

    assert answer.status_code == 200
    assert answer.json() == {
        "data": {"segments": ["not_found", "all"]},
        "status": 200,
        "message": "Not Found",
    }


def test_a_filter_text_creates_the_audience_its_alias_names_and_then_replaces_it(
    configured: httpx.Client,
) -> None:
    made = configured.post("/api/segment", content="FILTER spent > 10 FROM user ALIAS buyers")
    replaced = configured.post("/api/segment", content="FILTER spent > 20 FROM user ALIAS buyers")

    assert (made.status_code, made.json()["data"]["slug_name"]) == (201, "buyers")
    assert replaced.json()["data"]["id"] == made.json()["data"]["id"]
    assert "20" in configured.get("/v2/segment/buyers").json()["data"]["segment_ql"]


def test_an_audience_is_written_as_a_tree_and_read_as_text_and_tree(configured: httpx.Client) -> None:
    ast = {
        "op": "and",
        "args": [
            {"op": ">", "args": [{"ident": "spent"}, {"val": 10}]},
            {"op": "not", "args": [{"op": "exists", "args": [{"ident": "email"}]}]},
        ],
    }

    made = configured.post("/api/segment", json={"name": "Buyers", "ast": ast}).json()["data"]
    again = configured.post("/v2/segment", json={"name": "Again", "segment_ql": made["segment_ql"]})
    kept = configured.put(f"/v2/segment/{made['id']}", json={**made, "description": "who bought"})

    assert made["segment_ql"] == "FILTER AND (spent > 10, NOT EXISTS email)"
    assert made["ast"] == again.json()["data"]["ast"] == kept.json()["data"]["ast"] == ast
    assert configured.get(f"/v2/segment/{made['id']}").json()["data"]["ast"] == ast


def test_an_audience_shows_what_it_is_made_of_and_who_is_made_of_it(configured: httpx.Client) -> None:
    for slug, text in (
        ("buyers", "FILTER spent > 10"),
        ("mailable", "FILTER AND (INCLUDE buyers, EXISTS email)"),
        ("quiet", "FILTER NOT INCLUDE mailable"),
    ):
        configured.post("/v2/segment", json={"name": slug, "segment_ql": text})

    quiet = configured.get("/v2/segment/quiet?inline=true").json()["data"]
    ancestors = configured.get("/v2/segment/buyers/ancestors").json()["data"]

    assert quiet["segment_ql"] == "FILTER NOT INCLUDE mailable"
    assert quiet["ql_resolved"] == "FILTER NOT AND (spent > 10, EXISTS email)"
    assert {one["slug_name"] for one in ancestors} == {"mailable", "quiet"}
    assert configured.get("/v2/segment/quiet/ancestors").json()["data"] == []


def test_an_unknown_field_is_refused_with_the_nearest_one_unless_forced(configured: httpx.Client) -> None:
    wish = {"name": "Typo", "segment_ql": "FILTER AND (\n  spnt > 10\n)"}

    refused = configured.post("/api/segment", json=wish)
    forced = configured.post("/api/segment?force=true", json=wish)

    assert (refused.status_code, forced.status_code) == (400, 201)
    assert refused.json()["message"] == (
        "segment fields were invalid against existing schema for table user: "
        "the schema has no field spnt; did you mean spent?"
    )
    (place,) = refused.json()["errors"]
    assert (place["line"], place["column"], place["excerpt"]) == (2, 3, "  spnt > 10\n  ^")


def test_a_job_is_made_paused_resumed_and_killed(configured: httpx.Client) -> None:
    wish = {"label": "Shop", "config": {"webhook_request_headers": "X-Key: very-secret"}}
    authorization = configured.post("/v2/auth/header-param-auth", json=wish)
    audience = configured.get("/v2/segment/loyal").json()["data"]["id"]
    config = {"segment_ids": [audience], "webhook_url": "https://example.com/hook"}
    auth_ids = [authorization.json()["data"]["id"]]

    made = configured.post(
        "/v2/job/webhook_triggers", json={"name": "Tell", "config": config, "auth_ids": auth_ids}
    )
    id_ = made.json()["data"]["id"]
    states = [
        configured.post(f"/v2/job/webhook_triggers/{id_}/{command}").json()["data"]["status"]
        for command in ("pause", "pause", "resume")
    ]
    in_use = configured.delete(f"/v2/auth/{auth_ids[0]}")
    killed = configured.post(f"/v2/job/{id_}/kill").json()["data"]["status"]

    assert (authorization.status_code, made.status_code) == (201, 201)
    assert "very-secret" not in authorization.text + configured.get("/v2/auth").text
    assert made.json()["data"]["status"] == "running"
    assert states == ["paused", "paused", "running"]
    assert (in_use.status_code, in_use.json()["errors"][0]["code"]) == (400, "AUTH-BADREQ-008")
    assert killed == "deleted"
    assert configured.get("/v2/job").json()["data"] == []
    assert len(configured.get("/v2/job?show_all=true").json()["data"]) == 1
    assert configured.get(f"/v2/job/{id_}/logs").json()["data"][0]["message"] == "created"


def test_the_published_schema_is_shown_in_the_known_words(configured: httpx.Client) -> None:
    schema = configured.get("/v2/schema/user").json()["data"]
    field = configured.get("/v2/schema/user/field/spent").json()["data"]
    mappings = configured.get("/v2/schema/user/mapping").json()["data"]

    assert [{"table": "user", "live_id": 1, "draft_id": None, "draft_version": None}] == configured.get(
        "/v2/schema"
    ).json()["data"]
    assert ["email", "spent"] == configured.get("/v2/schema/user/fieldnames").json()["data"]
    assert {"fields": ["email"]} == configured.get("/v2/schema/user/rank").json()["data"]
    assert ("spent", "number", "sum", False) == (
        field["id"],
        field["type"],
        field["mergeop"],
        field["is_identifier"],
    )
    assert mappings == schema["mappings"]
    one = configured.get(f"/v2/schema/user/mapping/{mappings[0]['id']}").json()["data"]
    assert ("shop", "email", "email(email)") == (one["stream"], one["field"], one["expr"])


def test_every_version_of_the_schema_stays_readable(configured: httpx.Client) -> None:
    fields = {**DOCUMENT["schema"]["fields"], "products": {"type": "[]string", "capacity": 20}}
    changed = {"schema": {**DOCUMENT["schema"], "fields": fields}}
    configured.post("/v2/config", json=changed)

    versions = configured.get("/v2/schema/user/version").json()["data"]
    first = configured.get("/v2/schema/user/fieldnames", params={"version_id": 1}).json()["data"]
    sets = configured.get("/v2/schema/user/field", params={"filter": "nonscalar"}).json()["data"]

    assert [(2, 3), (1, 2)] == [(one["version_number"], one["num_fields"]) for one in versions]
    assert ["email", "spent"] == first
    assert [("products", 20)] == [(one["id"], one["capacity"]) for one in sets]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/schema/users", "TABLE-NOTFOUND-009"),
        ("/v2/schema/user?version_id=9", "SCHEMAVERSION-NOTFOUND-011"),
        ("/v2/schema/user/field/nobody", "NOTFOUND-003"),
    ],
)
def test_what_a_schema_does_not_have_is_not_found(configured: httpx.Client, path: str, code: str) -> None:
    answer = configured.get(path)

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == code
