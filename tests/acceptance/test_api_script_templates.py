"""JavaScript and Handlebars templates over HTTP, as Lytics documents them."""

import httpx
import pytest

JS1 = "function template(data) {\n  return { to: get('email', null, data), list: jobConfGet('list') };\n}\n"
HANDLEBARS = '{"to": {{json email}}, "list": {{json job_config.list}} }\n'
TRIAL = {"entity": {"email": "ada@example.com"}, "job_config": {"list": "L1"}}


def created(api: httpx.Client, type_: str, source: str | bytes, **wish: object) -> httpx.Response:
    params = {"name": "hello", "type": type_, **wish}
    return api.post("/v2/template", params={key: str(value) for key, value in params.items()}, content=source)


@pytest.mark.parametrize(
    ("type_", "source", "printed"),
    [
        ("js1", JS1, '{"to":"ada@example.com","list":"L1"}'),
        ("handlebars", HANDLEBARS, '{"to": "ada@example.com", "list": "L1" }\n'),
    ],
)
def test_a_template_is_kept_and_tried_in_its_language(
    api: httpx.Client, type_: str, source: str, printed: str
) -> None:
    made = created(api, type_, source).json()["data"]

    saved = api.post(f"/v2/template/{made['id']}/test", json=TRIAL)
    unsaved = api.post(
        "/v2/template/test", json={**TRIAL, "template_definition": source, "template_type": type_}
    )

    assert made["type"] == type_
    assert api.get(f"/v2/template/{made['id']}/definition").json()["data"] == source
    assert saved.json()["data"] == printed
    assert unsaved.json()["data"] == printed
    assert set(saved.json()) == {"data", "request_id", "status"}


@pytest.mark.parametrize(
    ("type_", "source", "message"),
    [
        ("js1", "function template(data) {\n  return {;\n}", "line 2, column 11: SyntaxError: "),
        (
            "js1",
            "const body = {};",
            'a JavaScript template has a "function template(data)"; this one has none',
        ),
        ("handlebars", "{{#if email}}\n  {{email}\n{{/if}}", "line 2, column 10: "),
        ("handlebars", "hello {{shout email}}", "line 1, column 7: there is no helper shout"),
    ],
)
def test_what_is_no_template_is_refused_unless_forced(
    api: httpx.Client, type_: str, source: str, message: str
) -> None:
    refused = created(api, type_, source)
    forced = created(api, type_, source, force=True)

    assert refused.status_code == 400
    assert message in refused.text.replace('\\"', '"')
    assert forced.status_code == 200


@pytest.mark.parametrize("type_", ["js1", "handlebars"])
@pytest.mark.parametrize(
    "source", [b"\xff\xfe", b"a\0b", b"x" * (256 * 1024 + 1)], ids=["no UTF-8", "NUL", "long"]
)
def test_bytes_that_are_no_template_are_refused(api: httpx.Client, type_: str, source: bytes) -> None:
    refused = created(api, type_, source)

    assert refused.status_code == 400
    assert refused.json()["message"]


def test_a_script_that_throws_answers_with_its_trace(api: httpx.Client) -> None:
    made = created(api, "js1", "function template(data) {\n  return JSON.parse(ly_job_config);\n}").json()[
        "data"
    ]

    answer = api.post(f"/v2/template/{made['id']}/test", json={"entity": {}})

    assert answer.status_code == 200
    assert answer.json()["failed"] is True
    assert answer.json()["data"].splitlines() == [
        "ReferenceError: ly_job_config is not defined",
        "    at template (template:2:21)",
    ]


def test_a_script_without_the_function_cannot_be_tried(api: httpx.Client) -> None:
    answer = api.post("/v2/template/test", json={"template_definition": "1", "template_type": "js1"})

    assert answer.status_code == 400
    assert "function template(data)" in answer.json()["message"]


def test_the_kinds_are_named_where_a_client_looks(api: httpx.Client) -> None:
    parameters = api.get("/openapi.json").json()["paths"]["/v2/template"]["post"]["parameters"]
    unknown = created(api, "perl", "1")

    [type_] = [one for one in parameters if one["name"] == "type"]
    assert type_["description"] == "Its language: jsonnet, js1, handlebars."
    assert "the types are: jsonnet, js1, handlebars" in unknown.json()["message"]
