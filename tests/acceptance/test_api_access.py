"""Who may ask what: tokens in every style, scopes, and accounts of others."""

import re
import socket
from collections.abc import Iterator

import httpx
import pytest

from gatepost.app import App
from gatepost.web.application import create_application
from tests.acceptance.running import RunningServer

OPEN = {"/", "/health", "/openapi.json"}
REFUSED = {"message": "Not authorized", "status": 401}


@pytest.fixture(scope="module")
def anonymous(standing_server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standing_server.url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(standing_server: RunningServer) -> list[tuple[str, str]]:
    """Every method and path the server has, but for those that are open to all."""

    async def routes(app: App) -> list[tuple[str, str]]:
        found = create_application(app).routes
        pairs = {
            (method, getattr(route, "path", ""))
            for route in found
            for method in getattr(route, "methods", ())
        }
        return sorted((method, re.sub(r"{.+?}", "x", path)) for method, path in pairs if path not in OPEN)

    found = standing_server.run(routes)
    assert isinstance(found, list)
    return found


def test_every_style_of_token_opens_the_door(anonymous: httpx.Client, standing_server: RunningServer) -> None:
    token = standing_server.token
    styles: list[dict[str, dict[str, str]]] = [
        {"headers": {"Authorization": token}},
        {"headers": {"Authorization": f"Bearer {token}"}},
        {"headers": {"Authorization": f"bearer  {token}"}},
        {"params": {"key": token}},
        {"params": {"access_token": token}},
    ]

    answers = [
        anonymous.get("/api/status", headers=style.get("headers"), params=style.get("params"))
        for style in styles
    ]

    assert [answer.status_code for answer in answers] == [200] * len(styles)


def test_the_header_wins_over_the_query(anonymous: httpx.Client, standing_server: RunningServer) -> None:
    answer = anonymous.get(
        "/api/status", headers={"Authorization": "wrong"}, params={"key": standing_server.token}
    )

    assert answer.status_code == 401


def test_without_a_token_no_route_tells_anything(
    anonymous: httpx.Client, guarded: list[tuple[str, str]]
) -> None:
    answers = [anonymous.request(method, path) for method, path in guarded]

    assert len(answers) > 40
    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.json() == REFUSED for answer in answers if answer.request.method != "HEAD")


def test_a_token_is_asked_for_before_the_body_is_read(standing_server: RunningServer) -> None:
    url = httpx.URL(standing_server.url)
    head = b"POST /collect/json/web HTTP/1.1\r\nHost: gatepost\r\nContent-Length: 1000000\r\n\r\n"

    with socket.create_connection((url.host, url.port or 0), timeout=30) as connection:
        connection.sendall(head)
        answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_what_belongs_to_another_account_is_not_there_on_any_route(
    standing_api: httpx.Client, guarded: list[tuple[str, str]]
) -> None:
    answers = [
        standing_api.request(method, path, params={"account_id": "0" * 32}) for method, path in guarded
    ]

    assert {answer.status_code for answer in answers} == {404}
    codes = {a.json()["errors"][0]["code"] for a in answers if a.url.path.startswith("/v2/") and a.content}
    assert codes == {"ACCOUNT-NOTFOUND-021"}


def test_ones_own_account_may_be_named_by_id_and_by_number(standing_api: httpx.Client) -> None:
    account = standing_api.get("/api/account/current").json()["data"]

    answers = [
        standing_api.get("/v2/template", params={"account_id": name})
        for name in ("", account["id"], account["aid"])
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_each_scope_includes_the_ones_before_it(server: RunningServer, api: httpx.Client) -> None:
    attempts = [
        ("POST", "/collect/json/web", b"{}"),
        ("GET", "/api/status", b""),
        ("POST", "/api/segment/validate", b"FILTER * FROM user"),
        ("POST", "/v2/template/test", b'{"template_definition": "{}"}'),
        ("POST", "/v2/template?name=a&type=jsonnet", b"{}"),
    ]
    codes = {}
    for scope in ("data", "read", "admin"):
        made = api.post("/api/auth/createtoken", json={"scopes": [scope], "label": scope}).json()["data"]
        (config,) = made["config"]
        with server.client(config["value"]) as client:
            codes[scope] = [
                client.request(method, path, content=body).status_code for method, path, body in attempts
            ]

    assert codes == {
        "data": [200, 401, 401, 401, 401],
        "read": [200, 200, 200, 200, 401],
        "admin": [200, 200, 200, 200, 200],
    }


def test_a_revoked_token_is_refused_from_the_next_request_on(
    server: RunningServer, api: httpx.Client
) -> None:
    made = api.post("/api/auth/createtoken", json={"scopes": ["read"], "label": "a guest"}).json()["data"]
    with server.client(made["config"][0]["value"]) as guest:
        before = guest.get("/api/status").status_code
        revoked = api.delete(f"/v2/auth/{made['id']}").status_code
        after = guest.get("/api/status").status_code

    assert (before, revoked, after) == (200, 204, 401)


def test_an_expired_token_says_so(server: RunningServer, api: httpx.Client) -> None:
    wish = {"scopes": ["read"], "label": "short", "expires": "1ms"}
    made = api.post("/api/auth/createtoken", json=wish).json()["data"]

    with server.client(made["config"][0]["value"]) as client:
        answer = client.get("/api/status")

    assert (answer.status_code, answer.json()) == (401, {"message": "Expired Token", "status": 401})


def test_the_list_of_tokens_never_shows_a_value(api: httpx.Client, server: RunningServer) -> None:
    made = api.post(
        "/api/auth/createtoken", json={"scopes": ["data"], "label": "shop", "expires": "720h"}
    ).json()
    value = made["data"]["config"][0]["value"]

    listed = api.get("/v2/auth", params={"auth_type": "api_token"})

    assert [token["label"] for token in listed.json()["data"]] == ["administrator", "shop"]
    assert listed.json()["data"][1]["ttl"] == 720 * 3600
    assert listed.json()["data"][0]["expires"] == "0001-01-01T00:00:00Z"
    assert value.rpartition(".")[2] not in listed.text
    assert server.token not in listed.text
