"""Templates over HTTP, with the commands of Lytics' documentation in mind."""

import httpx
import pytest

SOURCE = "local email = std.parseJson(std.extVar('ly_entity')).email;\n{ to: email }\n"


@pytest.fixture
def template_id(api: httpx.Client) -> str:
    made = api.post("/v2/template", params={"name": "to", "type": "jsonnet"}, content=SOURCE)
    return str(made.json()["data"]["id"])


def test_the_source_is_the_raw_body_whatever_its_content_type_says(api: httpx.Client) -> None:
    made = api.post(
        "/v2/template",
        params={"name": "to", "type": "jsonnet", "description": "For a demonstration"},
        content=SOURCE,
        headers={"Content-Type": "application/json"},
    )

    metadata = made.json()["data"]
    assert made.status_code == 200
    assert set(metadata) == {"id", "name", "type", "description", "created", "updated"}
    assert api.get(f"/v2/template/{metadata['id']}").json()["data"] == metadata
    assert api.get("/v2/template").json()["data"] == [metadata]
    assert api.get(f"/v2/template/{metadata['id']}/definition").json()["data"] == SOURCE


def test_an_exact_repeat_returns_the_template_that_is_there(api: httpx.Client, template_id: str) -> None:
    again = api.post("/v2/template", params={"name": "to", "type": "jsonnet"}, content=SOURCE)

    assert again.json()["data"]["id"] == template_id


def test_an_update_keeps_what_its_query_leaves_out(api: httpx.Client, template_id: str) -> None:
    updated = api.put(f"/v2/template/{template_id}", content="{ to: 1 }")

    assert updated.json()["data"]["name"] == "to"
    assert api.get(f"/v2/template/{template_id}/definition").json()["data"] == "{ to: 1 }"


def test_a_post_to_a_template_is_refused_as_by_lytics(api: httpx.Client, template_id: str) -> None:
    answer = api.post(f"/v2/template/{template_id}", content="{}")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "OPTIONS", "DELETE", "PUT", "HEAD"}


def test_a_template_is_tried_on_an_entity(api: httpx.Client, template_id: str) -> None:
    trial = {"entity": {"email": "ada@example.com"}}

    saved = api.post(f"/v2/template/{template_id}/test", json=trial)
    unsaved = api.post(
        "/v2/template/test", json={**trial, "template_definition": SOURCE, "template_type": "jsonnet"}
    )

    assert saved.json()["data"] == '{\n   "to": "ada@example.com"\n}\n'
    assert unsaved.json()["data"] == saved.json()["data"]


def test_what_the_engine_says_against_a_template_is_the_answer_of_its_test(api: httpx.Client) -> None:
    answer = api.post("/v2/template/test", json={"template_definition": "error 'no e-mail'"})

    assert answer.status_code == 200
    assert answer.json()["data"].startswith("evaluating snippet: RUNTIME ERROR: no e-mail")


def test_a_template_that_does_not_parse_is_stored_only_by_force(api: httpx.Client) -> None:
    wish = {"name": "broken", "type": "jsonnet"}

    refused = api.post("/v2/template", params=wish, content="{")
    forced = api.post("/v2/template", params={**wish, "force": "true"}, content="{")

    assert (refused.status_code, forced.status_code) == (400, 200)


def test_a_deleted_template_is_gone(api: httpx.Client, template_id: str) -> None:
    deleted = api.delete(f"/v2/template/{template_id}")

    assert (deleted.status_code, set(deleted.json())) == (200, {"request_id", "status"})
    assert api.get(f"/v2/template/{template_id}").status_code == 404
