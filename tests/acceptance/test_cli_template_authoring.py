"""Templates are written against real profiles and guarded by their cases, on a real gatepost."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import StartServer
from tests.acceptance.running import RunningServer
from tests.acceptance.test_cli import Gatepost, awaited, gatepost, read

__all__ = ["gatepost"]

CONFIG = """\
streams: {orders: }
schema:
  ranks: [email]
  fields:
    email: {identifier: true}
    town: {}
  mappings:
    - {stream: orders, field: email, expression: email}
    - {stream: orders, field: town, expression: town}
audiences:
  buyers: {filter: "*"}
templates:
  hook: {path: hook.jsonnet}
"""
SOURCE = """\
local p = import 'lytemplates.libsonnet';
local e = p.segEvents()[0];
{ town: p.get('town'), by: e.event, of: e.slug, [e.event]: std.objectHas(e, e.event), key: p.jobConfGet('key') }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration, whose template has a case."""
    (tmp_path / "gatepost.yaml").write_text(CONFIG)
    (tmp_path / "hook.jsonnet").write_text(
        "local p = import 'lytemplates.libsonnet'; { town: p.get('town') }\n"
    )
    (tmp_path / "hook.cases").mkdir()
    (tmp_path / "hook.cases" / "ghent.json").write_text(
        json.dumps({"profile": {"town": "Ghent", "email": None}, "body": {"town": "Ghent"}})
    )
    return tmp_path


def test_a_case_that_fails_refuses_the_whole_document_and_shows_the_difference(
    gatepost: Gatepost, folder: Path
) -> None:
    (folder / "hook.jsonnet").write_text("{ town: 'Bruges' }\n")

    planned = gatepost("config", "apply", "-f", ".", "--dry-run")
    applied = gatepost("config", "apply", "-f", ".")
    told = gatepost("config", "apply", "-f", ".", "--json")

    for refused in (planned, applied):
        assert refused.returncode == 1
        assert (
            "ghent.json:1:1: templates.hook.cases.ghent: the body is not the expected one\n" in refused.stderr
        )
        assert '-  "town": "Ghent"\n+  "town": "Bruges"\n' in refused.stderr
    (problem,) = json.loads(told.stdout)["problems"]
    assert (problem["path"], problem["file"]) == ("templates.hook.cases.ghent", "hook.cases/ghent.json")
    assert read(gatepost("template", "list", "--json")) == []


def test_cases_that_hold_let_the_document_through_again_and_again(gatepost: Gatepost, folder: Path) -> None:
    (folder / "hook.cases" / "nulls.json").write_text('{"profile": {}, "body": {"town": null}}')

    first = read(gatepost("config", "apply", "-f", ".", "--json"))
    again = read(gatepost("config", "apply", "-f", ".", "--json"))

    assert {change["action"] for change in first["changes"]} == {"create"}
    assert {change["action"] for change in again["changes"]} == {"unchanged"}


@pytest.mark.usefixtures("folder")
def test_a_stored_template_is_held_to_cases_too(gatepost: Gatepost) -> None:
    read(gatepost("config", "apply", "-f", ".", "--json"))

    done = gatepost("template", "test", "hook", "--cases", "hook.cases")

    assert (done.returncode, done.stdout) == (0, "1 passed, 0 failed\n")


def test_cases_in_a_folder_that_is_not_there_are_a_mistake(gatepost: Gatepost, folder: Path) -> None:
    (folder / "gatepost.yaml").write_text(CONFIG.replace("hook.jsonnet}", "hook.jsonnet, cases: missing}"))

    refused = gatepost("config", "apply", "-f", ".")

    assert refused.returncode == 1
    assert "templates.hook.cases: missing is no folder of cases" in refused.stderr


@pytest.mark.parametrize(
    ("event", "timed"), [("enter", '"enter": true'), ("exit", '"exit": true'), ("change", '"change": false')]
)
def test_a_template_is_shown_the_trigger_asked_for(
    gatepost: Gatepost, tmp_path: Path, event: str, timed: str
) -> None:
    (tmp_path / "t.jsonnet").write_text(SOURCE)
    (tmp_path / "ada.json").write_text('{"town": "Ghent"}')
    (tmp_path / "job.json").write_text('{"key": 7}')
    trigger = ("--event", event, "--audience", "vip", "--job-config", "job.json")

    made_up = gatepost("template", "test", "t.jsonnet", *trigger)
    given = gatepost("template", "test", "t.jsonnet", "--entity", "ada.json", *trigger)

    for printed in (made_up.stdout, given.stdout):
        assert timed in printed
        assert '"of": "vip"' in printed
        assert '"key": 7' in printed
    assert '"town": "Ghent"' in given.stdout


def test_a_template_is_tried_on_a_real_profile(gatepost: Gatepost, folder: Path) -> None:
    read(gatepost("config", "apply", "-f", ".", "--json"))
    (folder / "past.ndjson").write_text('{"email": "ada@example.com", "town": "Leuven"}\n')
    read(gatepost("collect", "orders", "past.ndjson", "--json"))
    command = ("template", "test", "hook.jsonnet", "--profile", "email=ada@example.com")

    awaited(lambda: gatepost(*command).returncode == 0)

    assert '"town": "Leuven"' in gatepost(*command).stdout


def test_a_provider_looks_over_the_body(gatepost: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonnet").write_text("{ users: [{ identifiers: {} }] }\n")
    (tmp_path / "fails.jsonnet").write_text("error 'boom'\n")

    bad = gatepost("template", "test", "bad.jsonnet", "--provider", "insider")
    told = gatepost("template", "test", "bad.jsonnet", "--provider", "insider", "--json")
    by_url = gatepost("template", "test", "bad.jsonnet", "--to", "https://x.co/api/user/v1/upsert")
    fails = gatepost("template", "test", "fails.jsonnet", "--provider", "insider")
    unknown = gatepost("template", "test", "bad.jsonnet", "--provider", "insidr")

    assert [done.returncode for done in (bad, told, by_url, fails, unknown)] == [1, 1, 1, 1, 1]
    assert "error: users.0: nobody is named" in bad.stdout
    assert bad.stdout == by_url.stdout
    document = json.loads(told.stdout)
    assert document["ok"] is False
    assert document["advice"][0]["level"] == "error"
    assert "RUNTIME ERROR: boom" in fails.stderr
    assert "There are: insider, webhook" in unknown.stderr


@pytest.fixture
def watching(gatepost_server: StartServer, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A template that is rendered anew on every save."""
    server: RunningServer = gatepost_server()
    (tmp_path / "t.jsonnet").write_text("{ n: 1 }\n")
    environment = {**os.environ, "GATEPOST_URL": server.url, "GATEPOST_TOKEN": server.token, "COLUMNS": "100"}
    command = [sys.executable, "-m", "gatepost", "template", "test", "t.jsonnet", "--watch"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as process:  # type: ignore[call-overload] # pipes
        yield process
        process.kill()


def until_waiting(process: subprocess.Popen[str]) -> str:
    """Read what is printed up to the next wait."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        if line.startswith("--- waiting"):
            break
        seen += line
    return seen


def test_every_save_renders_again_and_an_interrupt_ends_it_in_peace(
    watching: subprocess.Popen[str], tmp_path: Path
) -> None:
    seen = [until_waiting(watching)]
    for source in ("{ n: ", "{ n: 22 }"):
        (tmp_path / "t.jsonnet").write_text(source)
        seen.append(until_waiting(watching))
    watching.send_signal(signal.SIGINT)
    rest = watching.communicate(timeout=30)[0]

    assert '"n": 1' in seen[0]
    assert "error: " in seen[1]
    assert '"n": 22' in seen[2]
    assert watching.returncode == 0
    assert "Traceback" not in rest
