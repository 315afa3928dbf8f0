"""Templates over HTTP, with the commands of Lytics' documentation in mind."""

from typing import Any

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
    assert set(metadata) == {
        "id",
        "name",
        "type",
        "description",
        "version",
        "created",
        "updated",
        "author_id",
        "engine",
    }
    assert api.get(f"/v2/template/{metadata['id']}").json()["data"] == metadata
    assert api.get("/v2/template").json()["data"] == [
        {name: metadata[name] for name in metadata if name != "engine"}
    ]
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


def test_what_is_said_of_a_template_besides_its_source_is_kept(api: httpx.Client) -> None:
    said = {"desired_format": '{"email": "x"}', "reference_tables": "stores,regions", "account_id": ""}

    made = api.post("/v2/template", params={"name": "t", "type": "jsonnet", **said}, content="{}").json()[
        "data"
    ]
    path = f"/v2/template/{made['id']}"
    kept = api.put(path, content="{ a: 1 }").json()["data"]
    cleared = api.put(path, params={"reference_tables": ""}, content="{ a: 1 }").json()["data"]

    assert (kept["desired_format"], kept["reference_tables"]) == ('{"email": "x"}', ["stores", "regions"])
    assert "reference_tables" not in cleared


def test_a_template_names_at_most_five_reference_tables(api: httpx.Client) -> None:
    wish = {"name": "t", "type": "jsonnet", "reference_tables": "a,b,c,d,e,f"}

    refused = api.post("/v2/template", params=wish, content="{}")

    assert refused.status_code == 400
    assert "at most 5 reference tables, not 6" in refused.json()["message"]


@pytest.mark.parametrize("force", ["false", "true"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "the template is empty"),
        (b" \n", "the template is empty"),
        (b'"' + b"x" * (256 * 1024 - 1) + b'"', "262,145 bytes; at most 256 KiB (262,144) are allowed"),
        (b'{ a: "\xff" }', "the body is not UTF-8: byte 6 is 0xff"),
        (b"{\n a: \0 }", "line 2, column 5: a NUL byte"),
    ],
    ids=["empty", "blank", "one byte too many", "not UTF-8", "NUL"],
)
def test_what_can_be_no_template_is_refused_even_by_force(
    standing_api: httpx.Client, source: bytes, said: str, force: str
) -> None:
    wish = {"name": "bad", "type": "jsonnet", "force": force}

    refused = standing_api.post("/v2/template", params=wish, content=source)

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "BADREQ-001")
    assert said in refused.json()["message"]


def test_a_source_of_256_kib_and_one_of_plain_json_are_templates(api: httpx.Client) -> None:
    wish = {"name": "fits", "type": "jsonnet"}

    largest = api.post("/v2/template", params=wish, content=b'"' + b"x" * (256 * 1024 - 2) + b'"')
    plain = api.post("/v2/template", params=wish, content=b'{"email": [1, 2.50, null]}')
    printed = api.post(f"/v2/template/{plain.json()['data']['id']}/test")

    assert largest.status_code == 200
    assert printed.json()["data"] == '{\n   "email": [\n      1,\n      2.5,\n      null\n   ]\n}\n'


def test_damage_of_rendered_markdown_is_named_and_mended_when_asked(api: httpx.Client) -> None:
    wish = {"name": "copied", "type": "jsonnet"}
    damaged = '{ "users": \\[ "\\_uid" ] }'

    refused = api.post("/v2/template", params=wish, content=damaged)
    mended = api.post("/v2/template", params={**wish, "repair": "true"}, content=damaged).json()["data"]

    problem = refused.json()["errors"][0]
    assert refused.status_code == 400
    assert (problem["line"], problem["column"]) == (1, 12)
    assert "left over from rendered Markdown" in problem["hint"]
    assert api.get(f"/v2/template/{mended['id']}/definition").json()["data"] == '{ "users": [ "_uid" ] }'


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("'https://example.com/x'", '"https://example.com/x"\n'),
        ("1e3", "1000\n"),
        ("null", "null\n"),
        ("function(x) x", "evaluating snippet: RUNTIME ERROR: "),
        (
            "local twice(s, n) = if n == 0 then s else twice(s + s, n - 1); twice('x', 20)",
            "evaluating snippet: the template prints more than the output limit of 1 MiB",
        ),
        ("local f(x) = f(x + 1) + 1; f(0)", "evaluating snippet: RUNTIME ERROR: max stack frames exceeded"),
        ("{ a: ", "evaluating snippet: "),
        ("import 'secrets.txt'", "evaluating snippet: line 1, column 1: import of 'secrets.txt'"),
    ],
    ids=["a string", "a number", "null", "a function", "too much", "too deep", "half an object", "a file"],
)
def test_whatever_a_template_gives_its_test_answers_200(
    standing_api: httpx.Client, source: str, printed: str
) -> None:
    answer = standing_api.post("/v2/template/test", json={"template_definition": source, "entity": {}})

    assert answer.status_code == 200
    assert answer.json()["data"].startswith(printed)


def test_an_entity_that_is_left_out_is_made_up(standing_api: httpx.Client) -> None:
    source = "local p = import 'lytemplates.libsonnet'; [p.get('_id'), p.segEvents()[0].event]"

    printed = standing_api.post("/v2/template/test", json={"template_definition": source})

    assert printed.json()["data"] == '[\n   "sample-id",\n   "enter"\n]\n'


@pytest.mark.parametrize(("shown", "member"), [("env", "true"), ("entity", "true"), ("", "false")])
def test_sample_segments_are_shown_where_asked(standing_api: httpx.Client, shown: str, member: str) -> None:
    trial = {
        "template_definition": "(import 'lytemplates.libsonnet').inSeg('high_value')",
        "entity": {},
        "job_config": None,
        "sample_segments": {"names": ["High value"], "as": shown},
    }

    printed = standing_api.post("/v2/template/test", json=trial)

    assert printed.json()["data"] == f"{member}\n"


@pytest.mark.parametrize(
    ("sample", "path"),
    [({"names": "High value"}, "sample_segments.names"), ({"as": "body"}, "sample_segments.as")],
)
def test_sample_segments_that_say_nothing_sensible_are_refused(
    standing_api: httpx.Client, sample: dict[str, object], path: str
) -> None:
    trial = {"template_definition": "{}", "entity": {}, "sample_segments": sample}

    refused = standing_api.post("/v2/template/test", json=trial)

    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, path)


def test_nothing_is_known_of_a_template_that_is_not_there(standing_api: httpx.Client) -> None:
    path = f"/v2/template/{'0' * 32}"

    answers = [
        standing_api.get(path),
        standing_api.get(f"{path}/definition"),
        standing_api.get(f"{path}/version"),
        standing_api.get(f"{path}/version/1"),
        standing_api.put(path, content="{}"),
        standing_api.delete(path),
        standing_api.post(f"{path}/test", json={}),
    ]

    assert {answer.status_code for answer in answers} == {404}


def test_a_template_in_use_is_not_deleted_and_the_refusal_names_the_job(
    api: httpx.Client, template_id: str
) -> None:
    job = _job_with(api, template_id)

    refused = api.delete(f"/v2/template/{template_id}")
    api.post(f"/v2/job/{job['id']}/kill")
    deleted = api.delete(f"/v2/template/{template_id}")

    assert (refused.status_code, deleted.status_code) == (400, 200)
    assert "used by Greet" in refused.json()["message"]


def test_every_text_a_template_had_is_kept_with_its_author(api: httpx.Client, template_id: str) -> None:
    path = f"/v2/template/{template_id}"
    api.put(path, content="{ a: 1 }\n")
    api.put(path, content="{ a: 1 }\n")
    api.put(path, params={"description": "Of no other text"}, content="{ a: 1 }\n")
    api.put(path, content="{ a: 1,\n b: 2 }\n")

    versions = api.get(f"{path}/version").json()["data"]
    first = api.get(f"{path}/version/1").json()["data"]

    assert [(one["version"], one["added"], one["removed"]) for one in versions] == [
        (3, 2, 1),
        (2, 1, 2),
        (1, 2, 0),
    ]
    assert {one["author"] for one in versions} == {"administrator"}
    assert (first["definition"], first["size"]) == (SOURCE, len(SOURCE))
    assert len(api.get("/v2/template").json()["data"]) == 1


def test_a_job_stays_at_a_version_that_is_there(api: httpx.Client, template_id: str) -> None:
    job = _job_with(api, template_id)
    api.put(f"/v2/template/{template_id}", content="{ a: 1 }")

    pinned, missing = (
        api.put(
            f"/v2/job/{job['id']}", json={**_wish(job), "config": {**job["config"], "template_version": n}}
        )
        for n in (1, 7)
    )

    assert pinned.json()["data"]["config"]["template_version"] == 1
    assert (missing.status_code, "no version 7" in missing.json()["message"]) == (400, True)
    assert [one["jobs"] for one in api.get(f"/v2/template/{template_id}/version").json()["data"]] == [
        [],
        ["Greet"],
    ]


def _job_with(api: httpx.Client, template: str) -> dict[str, Any]:
    audience = api.post("/v2/segment", json={"name": "Everybody", "segment_ql": "*"}).json()["data"]
    config = {
        "segment_ids": [audience["id"]],
        "webhook_url": "https://example.com/hook",
        "template_id": template,
    }
    wish = {"name": "Greet", "workflow": "webhook_triggers", "config": config}
    made: dict[str, Any] = api.post("/v2/job", json=wish).json()["data"]
    return made


def _wish(job: dict[str, Any]) -> dict[str, Any]:
    return {key: job[key] for key in ("name", "workflow", "config")}


def test_a_template_is_looked_over_without_being_stored(standing_api: httpx.Client) -> None:
    source = "local ly = import 'lytemplates.libsonnet';\nly.getField('email')"

    found = standing_api.post("/v2/template/lint", json={"template_definition": source}).json()["data"]
    wrong = standing_api.post("/v2/template/lint", json={"template_definition": "{}", "event": "leave"})

    assert [(one["code"], one["level"], one["line"], one["column"]) for one in found] == [
        ("unknown-function", "error", 2, 4)
    ]
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "event")


def test_a_template_says_which_engine_renders_it_and_why_if_not_the_fast_one(api: httpx.Client) -> None:
    fast = api.post("/v2/template", params={"name": "fast", "type": "jsonnet"}, content=b"{ a: 1 }").json()
    slow = api.post(
        "/v2/template", params={"name": "slow", "type": "jsonnet"}, content=b"std.parseYaml('a: 1')"
    ).json()

    shown = [api.get(f"/v2/template/{made['data']['id']}").json()["data"] for made in (fast, slow)]

    assert [one["engine"] for one in shown] == ["compiled", "reference"]
    assert "engine_reason" not in shown[0]
    assert shown[1]["engine_reason"] == "std.parseYaml is not covered"
