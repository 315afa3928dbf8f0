"""The guide, step by step, with the client it is written for: HTTPie against a gatepost and the Insider sandbox."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.core.templates.presets import preset
from tests.acceptance.conftest import StartServer
from tests.acceptance.running import RunningServer
from tests.acceptance.running_sandbox import RunningSandbox, running_sandbox

pytestmark = pytest.mark.xdist_group("guide")

START = "2026-05-01T10:00:00Z"

ENTRANCE = """\
local event = (import "lytemplates.libsonnet");
local crossing = event.get("segment_events", [])[0];
{
  users: [{
    identifiers: { email: event.get("email"), custom: { lytics_id: event.get("_id") } },
    attributes: {
      name: event.get("first_name"),
      custom: { lytics_computed_attr: event.get("_segments", []) },
    },
    not_append: true,
    events: [{
      event_name: "lytics_trigger",
      timestamp: crossing.enter,
      event_params: { custom: { id: crossing.id, audience: crossing.slug, trigger: crossing.event, origin: "Lytics" } },
    }],
  }],
}
"""
"""An entrance template of our own, with the guide's fields."""

DECLARATION = {
    "streams": {"web": {"timestamp_field": "at"}},
    "schema": {
        "ranks": ["email"],
        "fields": {
            "email": {"type": "string", "identifier": True},
            "first_name": {"type": "string"},
            "last_visit": {"type": "date", "merge": "max"},
            "insider_ok": {"type": "int"},
        },
        "mappings": [
            {"stream": "web", "field": "email", "expression": "email(mail)"},
            {"stream": "web", "field": "first_name", "expression": "name"},
            {"stream": "web", "field": "last_visit", "expression": "todate(at)"},
            {"stream": "insider_answers", "field": "email", "expression": "origin.email"},
            {
                "stream": "insider_answers",
                "field": "insider_ok",
                "expression": "response.data.successful.count",
            },
        ],
    },
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path / "sandbox", clock_manual=True) as running:
        running.steer("clock", {"now": START})
        yield running


class Guide:
    """Does what the guide's reader does, in her words."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server = server
        self._folder = folder
        account = self.http("GET", "/api/account/current")
        self.account = str(account["data"]["id"])

    def http(self, method: str, path: str, *items: str, body: str | None = None, ok: bool = True) -> Any:
        """Run the `http` command as printed: a piped body, `name==value` in the query, the key among them."""
        command = ["http", "--print=b", "--pretty=none", *([] if body is not None else ["--ignore-stdin"])]
        command += [method, f"{self.server.url}{path}", *items, f"key=={self.server.token}"]
        environment = os.environ | {"HTTPIE_CONFIG_DIR": str(self._folder)}
        done = subprocess.run(
            command, input=body, capture_output=True, text=True, timeout=60, check=True, env=environment
        )
        answer = json.loads(done.stdout)
        assert ok == (answer["status"] < 300), answer
        return answer

    def template(self, name: str, source: str, *items: str, ok: bool = True) -> Any:
        """Pipe a template into the API, with a final newline, as `echo` does."""
        query = (f"name=={name}", "type==jsonnet", f"account_id=={self.account}", *items)
        return self.http("POST", "/v2/template", *query, body=source + "\n", ok=ok)

    def job(self, name: str, *, ok: bool = True, **config: Any) -> Any:
        """Make a webhook job from JSON."""
        body = json.dumps({"name": name, "workflow": "webhook_triggers", **config})
        return self.http("POST", "/v2/job", body=body, ok=ok)

    def authorization(self) -> str:
        """Step 1: two header lines, the parameters left blank."""
        headers = "X-PARTNER-NAME: sandbox\nX-REQUEST-TOKEN: sandbox-token"
        body = json.dumps({"label": "Insider", "config": {"webhook_request_headers": headers}})
        return str(self.http("POST", "/v2/auth/header-param-auth", body=body)["data"]["id"])

    def audience(self, text: str) -> str:
        """A source audience, from FilterQL."""
        made = self.http("POST", "/api/segment", "Content-Type:text/plain", body=text)
        return str(made["data"]["id"])

    def collect(self, **event: Any) -> None:
        """Send one event."""
        self.http("POST", "/collect/json/web", body=json.dumps(event))

    def clock(self, now: str) -> None:
        """Move audience time."""
        self.http("POST", "/api/clock", body=json.dumps({"now": now}))


@pytest.fixture
def guide(gatepost_server: StartServer, sandbox: RunningSandbox, tmp_path: Path) -> Guide:
    host = str(sandbox.client.base_url).removeprefix("http://").rstrip("/")
    server = gatepost_server(clock="manual", allow_hosts=[host])
    reader = Guide(server, tmp_path / "httpie")
    reader.clock(START)
    reader.http("POST", "/v2/config", body=json.dumps(DECLARATION))
    return reader


def eventually(found: Callable[[], Any], what: str, patience_s: float = 20) -> Any:
    """Return what is found, once it is; deliveries arrive within moments, not at once."""
    deadline = time.monotonic() + patience_s
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return value


def insider(sandbox: RunningSandbox) -> dict[str, Any]:
    """What Insider knows of Ada; empty before it knows her."""
    answer = sandbox.client.get("/sandbox/profiles/email/ada@example.com")
    return answer.json() if answer.status_code == 200 else {}


def audiences_at(sandbox: RunningSandbox) -> list[str]:
    """The audiences Insider has for Ada."""
    return list(insider(sandbox).get("custom", {}).get("lytics_computed_attr", []))


def test_a_shopper_enters_and_leaves_and_insider_follows(guide: Guide, sandbox: RunningSandbox) -> None:
    authorization = guide.authorization()
    audience = guide.audience('FILTER last_visit > "now-3d" ALIAS recent_visitors')
    entrance = guide.template("insider_temp", ENTRANCE)["data"]["id"]
    leaving = guide.template("insider_temp", preset("insider_exit"))["data"]["id"]
    exit_event = guide.template("insider_exit_event", preset("insider_exit_event"))["data"]["id"]
    api = f"{sandbox.client.base_url}/api/user/v1".replace("//api", "/api")
    common = {"segment_ids": [audience]}
    guide.job(
        "enter",
        auth_ids=[authorization],
        config=common
        | {
            "template_id": entrance,
            "webhook_url": f"{api}/upsert",
            "audience_events": "enters_only",
            "stream": "insider_answers",
        },
    )
    for name, template, path in (
        ("exit", leaving, "attribute/delete"),
        ("exit event", exit_event, "upsert"),
    ):
        config = {"template_id": template, "webhook_url": f"{api}/{path}", "audience_events": "exits_only"}
        guide.job(name, auth_ids=[authorization], config=common | config)

    guide.collect(mail="Ada@Example.com", name="Ada", at=START)
    entered = eventually(lambda: audiences_at(sandbox), "the entrance")
    sandbox.steer("clock", {"now": "2026-05-05T10:00:00Z"})
    guide.clock("2026-05-05T10:00:00Z")
    eventually(lambda: audiences_at(sandbox) == ["all"], "the exit")
    eventually(lambda: len(insider(sandbox)["events"]) == 2, "the exit event")

    triggers = [event["event_params"]["custom"]["trigger"] for event in insider(sandbox)["events"]]
    assert ["all", "recent_visitors"] == entered
    assert ["enter", "exit"] == sorted(triggers)
    entity = guide.http("GET", "/api/entity/user/email/ada@example.com")
    assert 1 == entity["data"]["insider_ok"], "the answer is mapped back onto the profile"


def test_the_template_is_tested_with_a_profile_before_it_is_used(guide: Guide) -> None:
    made = guide.template("insider_temp", ENTRANCE)["data"]["id"]
    event = {"id": "e" * 32, "slug": "recent", "event": "enter", "enter": START}
    entity = {"email": "ada@example.com", "_id": "1", "first_name": "Ada", "segment_events": [event]}

    answer = guide.http("POST", f"/v2/template/{made}/test", body=json.dumps({"entity": entity}))

    user = json.loads(answer["data"])["users"][0]
    assert "ada@example.com" == user["identifiers"]["email"]
    assert "recent" == user["events"][0]["event_params"]["custom"]["audience"]


@pytest.mark.parametrize("host", ["https://unification.useinsider.com", "sandbox"])
def test_the_url_that_erases_people_is_refused_and_the_right_one_named(
    guide: Guide, sandbox: RunningSandbox, host: str
) -> None:
    audience = guide.audience('FILTER last_visit > "now-3d" ALIAS recent_visitors')
    base = str(sandbox.client.base_url).rstrip("/") if host == "sandbox" else host
    config = {"segment_ids": [audience], "webhook_url": f"{base}/api/user/v1/delete"}

    answer = guide.job("exit", ok=False, config=config)

    assert 400 == answer["status"]
    assert "/api/user/v1/attribute/delete" in answer["errors"][0]["message"]


def printed(shared: Path, name: str) -> str:
    """The Jsonnet between the quotes of the guide's own command."""
    text = (shared / "reference" / name).read_text()
    found = re.search(r"echo '(.*)' \| http", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.shared
def test_the_guides_own_entrance_template_works(guide: Guide, shared: Path) -> None:
    made = guide.template("insider_temp", printed(shared, "guide_enter.txt"))["data"]["id"]
    event = {"id": "e" * 32, "slug": "recent", "event": "enter", "enter": START}

    answer = guide.http(
        "POST", f"/v2/template/{made}/test", body=json.dumps({"entity": {"segment_events": [event]}})
    )

    assert "lytics_trigger" == json.loads(answer["data"])["users"][0]["events"][0]["event_name"]


@pytest.mark.shared
def test_the_guides_own_exit_template_gets_its_error_and_its_repair(guide: Guide, shared: Path) -> None:
    source = printed(shared, "guide_exit.txt")

    refused = guide.template("insider_temp", source, ok=False)
    repaired = guide.template("insider_temp", source, "repair==true")["data"]["id"]

    error = refused["errors"][0]
    assert (400, 4) == (refused["status"], error["line"])
    assert r"\[" in json.dumps(error)
    definition = guide.http("GET", f"/v2/template/{repaired}/definition")["data"]
    assert "\\" not in definition
