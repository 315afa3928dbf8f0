"""The command line against a real gatepost: each command as a process of its own, as a person would call it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import StartServer

CONFIG = """\
streams:
  orders:
schema:
  ranks: [email]
  fields:
    email: {identifier: true}
    orders: {type: int, merge: count}
  mappings:
    - {stream: orders, field: email, expression: email}
    - {stream: orders, field: orders, expression: number}
audiences:
  buyers: {filter: orders >= 1}
templates:
  hook: {path: hook.jsonnet}
authorizations:
  shop:
    headers: {X-TOKEN: '${SHOP_TOKEN}'}
"""
TEMPLATE = "local profile = import 'lytemplates.libsonnet'; { email: profile.get('email') }\n"
SECRET = "a-secret-of-the-shop"
NOWHERE = "http://127.0.0.1:9/hook"

Gatepost = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def gatepost(gatepost_server: StartServer, tmp_path: Path) -> Gatepost:
    """Call the command line, pointed at a server that may send to this machine."""
    server = gatepost_server(clock="wall", allow_hosts=["127.0.0.1"])
    environment = {
        **os.environ,
        "GATEPOST_URL": server.url,
        "GATEPOST_TOKEN": server.token,
        "SHOP_TOKEN": SECRET,
        "COLUMNS": "100",
    }

    def call(*arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gatepost", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, input=told, capture_output=True, text=True, check=False
        )

    return call


@pytest.fixture
def configured(gatepost: Gatepost, tmp_path: Path) -> Gatepost:
    """The same, with a shop's configuration applied."""
    (tmp_path / "gatepost.yaml").write_text(CONFIG)
    (tmp_path / "hook.jsonnet").write_text(TEMPLATE)
    read(gatepost("config", "apply", "-f", ".", "--json"))
    return gatepost


def read(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the one JSON document that a command printed."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def awaited(attempt: Callable[[], bool]) -> None:
    """Ask again until it is so; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not attempt():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def test_a_configuration_is_shown_applied_and_then_left_alone(gatepost: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "gatepost.yaml").write_text(CONFIG)
    (tmp_path / "hook.jsonnet").write_text("{}")

    shown = gatepost("config", "apply", "-f", "gatepost.yaml", "--dry-run")
    before = read(gatepost("audience", "list", "--json"))
    applied = read(gatepost("config", "apply", "-f", "gatepost.yaml", "--json"))
    again = read(gatepost("config", "apply", "-f", "gatepost.yaml", "--json"))

    assert "nothing was changed" in shown.stdout
    assert before == []
    assert {change["action"] for change in applied["changes"]} == {"create"}
    assert {change["action"] for change in again["changes"]} == {"unchanged"}
    assert SECRET not in shown.stdout + shown.stderr


def test_every_apply_that_changes_the_schema_publishes_a_version(configured: Gatepost) -> None:
    versions = read(configured("schema", "versions", "--json"))
    shown = configured("schema", "show", "--version", "1")
    missing = configured("schema", "show", "--version", "7")

    assert [1] == [version["version_number"] for version in versions]
    assert versions[0]["folds_since"]
    assert "folds since" in shown.stdout
    assert "Mappings" in shown.stdout
    assert missing.returncode == 1
    assert "no schema version '7'" in missing.stderr


def test_a_file_that_declares_nothing_is_remarked_upon(gatepost: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "gatepost.yaml").write_text("# to be written\n")

    applied = gatepost("config", "apply", "-f", "gatepost.yaml")

    assert applied.returncode == 0
    assert "! gatepost.yaml declares nothing" in applied.stderr


def test_a_mistake_is_named_with_its_line_and_nothing_is_changed(gatepost: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "gatepost.yaml").write_text(CONFIG.replace("orders >= 1", "ordrs >= 1"))
    (tmp_path / "hook.jsonnet").write_text("{ email: }")

    refused = gatepost("config", "apply", "-f", "gatepost.yaml")

    assert refused.returncode == 1
    assert "gatepost.yaml:12:20: audiences.buyers.filter: " in refused.stderr
    assert "hook.jsonnet:1:" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert read(gatepost("audience", "list", "--json")) == []


def test_what_the_files_no_longer_hold_is_deleted_only_when_confirmed(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "gatepost.yaml").write_text(CONFIG.replace("  buyers: {filter: orders >= 1}\n", ""))

    kept = configured("config", "apply", "-f", "gatepost.yaml")
    asked = configured("config", "apply", "-f", "gatepost.yaml", "--prune")
    still = read(configured("audience", "list", "--json"))
    pruned = read(configured("config", "apply", "-f", "gatepost.yaml", "--prune", "--yes", "--json"))

    assert kept.returncode == 0, kept.stderr
    assert (asked.returncode, [audience["slug_name"] for audience in still]) == (1, ["buyers"])
    assert "--yes" in asked.stderr
    assert ("delete", "buyers") in [(change["action"], change["name"]) for change in pruned["changes"]]


def test_a_file_of_events_becomes_profiles_and_members(configured: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("email,number\nana@example.com,1\nbo@example.com,2\n")

    collected = read(configured("collect", "orders", "orders.csv", "--json"))
    awaited(lambda: read(configured("audience", "size", "buyers", "--json"))["size"] == 2)

    assert collected == {"accepted": 2, "rejected": 0, "dry_run": False}
    assert read(configured("profile", "show", "email", "ana@example.com", "--json"))["orders"] == 1
    members = configured("audience", "members", "buyers", "--field", "email", "--json").stdout.splitlines()
    assert {json.loads(line)["email"] for line in members} == {"ana@example.com", "bo@example.com"}


def test_events_that_lead_nowhere_are_told_with_what_to_do_next(configured: Gatepost) -> None:
    configured("collect", "orders", "-", told='{"email":"ana@example.com"}\n{"mail":"bo@example.com"}\n')
    awaited(lambda: read(configured("status", "--json"))["events_applied"] == 2)

    found = read(configured("status", "--json"))
    shown = configured("status").stdout

    assert (found["lag"], found["profiles"], found["clock"]) == (0, 1, "wall")
    assert [(note["name"], note["count"]) for note in found["notes"]] == [("events_without_identifier", 1)]
    assert "2 collected, 2 applied" in shown
    assert "! events without an identifier, which lead to no profile: 1" in shown
    assert "Next: see that a mapping" in shown


def test_a_bad_line_is_named_and_the_rest_can_be_sent_without_it(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "orders.ndjson").write_text('{"email":"ana@example.com"}\n{"email":\n')

    refused = configured("collect", "orders", "orders.ndjson")
    dropped = read(configured("collect", "orders", "orders.ndjson", "--drop-errors", "--json"))

    assert refused.returncode == 1
    assert refused.stderr.startswith("error: orders.ndjson:2: not valid JSON")
    assert (dropped["accepted"], dropped["rejected"]) == (1, 1)


def test_a_job_is_made_verified_steered_and_killed(configured: Gatepost) -> None:
    wanted = ["--audience", "buyers", "--to", NOWHERE, "--template", "hook", "--authorization", "shop"]

    made = read(configured("job", "create", "tell", *wanted, "--events", "enter", "--json"))
    recorded = configured("job", "verify", "tell", "--record")
    paused = read(configured("job", "pause", "tell", "--json"))
    unasked = configured("job", "kill", "tell")
    killed = read(configured("job", "kill", made["id"][:8], "--yes", "--json"))

    assert (made["status"], made["config"]["audience_events"]) == ("running", "enters_only")
    assert f"POST {NOWHERE}" in recorded.stdout
    assert "Nothing was sent." in recorded.stdout
    assert SECRET not in recorded.stdout + recorded.stderr
    assert paused["status"] == "paused"
    assert (unasked.returncode, killed["status"]) == (1, "deleted")


def test_a_verification_warns_first_and_sends_only_when_told(configured: Gatepost) -> None:
    configured("job", "create", "tell", "--audience", "buyers", "--to", NOWHERE)

    unasked = configured("job", "verify", "tell")
    sent = configured("job", "verify", "tell", "--yes", "--json")

    assert "for good" in unasked.stderr
    assert (unasked.returncode, "answer" in unasked.stdout) == (1, False)
    steps = json.loads(sent.stdout)["steps"]
    assert sent.returncode == 1
    assert next(step["name"] for step in steps if not step["ok"]) == "answer"


def test_a_template_is_tried_on_a_person_before_it_is_saved(configured: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "person.json").write_text('{"email": "ana@example.com"}')
    (tmp_path / "strict.jsonnet").write_text("error 'nobody to greet'")

    printed = configured("template", "test", "hook.jsonnet", "--entity", "person.json")
    failed = configured("template", "test", "strict.jsonnet", "--entity", "-", told="{}")
    saved = read(configured("template", "create", "second", "hook.jsonnet", "--json"))
    deleted = read(configured("template", "delete", "second", "--yes", "--json"))

    assert json.loads(printed.stdout) == {"email": "ana@example.com"}
    assert failed.returncode == 1
    assert "nobody to greet" in failed.stderr
    assert deleted == {"deleted": saved["id"]}


def test_a_template_that_gives_null_says_that_nothing_would_be_sent(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "null.jsonnet").write_text("null")
    (tmp_path / "slug.jsonnet").write_text("(import 'lytemplates.libsonnet').get('segment_events')[0].slug\n")

    null = configured("template", "test", "null.jsonnet")
    made_up = configured("template", "test", "slug.jsonnet", "--audience", "buyers")
    given = configured("template", "test", "slug.jsonnet", "--entity", "-", told="{}")

    assert null.stdout == "null\n"
    assert "nothing would be sent: the template gave null" in null.stderr
    assert (made_up.stdout, given.stdout) == ('"buyers"\n', '"test_segment"\n')
    assert given.stderr == ""


def test_a_profile_that_is_not_found_says_how_values_are_compared(configured: Gatepost) -> None:
    configured("collect", "orders", "-", told='{"email":"ana@example.com","number":1}\n')
    awaited(lambda: configured("profile", "show", "email=ana@example.com").returncode == 0)

    nobody = configured("profile", "show", "email", "Ana@Example.com")
    narrow = configured("profile", "show", "email=ana@example.com", "--field", "orders", "--field", "ordrs")
    bare = configured("profile", "show", "ana@example.com", "--field", "orders")
    neither = configured("profile", "show", "anna@example.com")

    assert "no profile has email = 'Ana@Example.com'" in nobody.stderr
    assert "lower-cased" in nobody.stderr
    assert narrow.stdout.split() == ["orders", "1"]
    assert "the profile has no ordrs; it has _created" in narrow.stderr
    assert bare.stdout.split() == ["orders", "1"]
    assert "no profile has an identifier 'anna@example.com'" in neither.stderr


def test_a_token_that_is_no_longer_taken_is_not_blamed_on_the_file(configured: Gatepost) -> None:
    told = '{"email":"ana@example.com"}\n'

    refused = configured("collect", "orders", "-", "--token", "at.revoked", told=told)

    assert refused.returncode == 1
    assert "does not take this token" in refused.stderr
    assert "--drop-errors" not in refused.stderr


def test_a_token_is_shown_once_and_is_useless_after_its_revocation(gatepost: Gatepost) -> None:
    made = read(gatepost("token", "create", "--label", "report", "--scope", "read", "--json"))
    listed = gatepost("token", "list").stdout
    seen = gatepost("job", "list", "--token", made["token"])
    gatepost("token", "revoke", "report", "--yes")
    refused = gatepost("job", "list", "--token", made["token"])

    assert "report" in listed
    assert made["token"] not in listed
    assert (seen.returncode, refused.returncode) == (0, 1)
    assert "does not take this token" in refused.stderr


def test_deliveries_are_listed_shown_and_replayed(configured: Gatepost) -> None:
    configured("template", "update", "hook", "-", told="assert false : 'not today'; {}")
    configured("job", "create", "tell", "--audience", "buyers", "--to", NOWHERE, "--template", "hook")
    configured("collect", "orders", "-", told='{"email":"ana@example.com","number":1}\n')
    awaited(lambda: bool(configured("delivery", "list", "--state", "omitted", "--json").stdout))

    delivery = json.loads(configured("delivery", "list", "--json").stdout)
    shown = configured("delivery", "show", delivery["id"][:12])
    counted = read(configured("delivery", "replay", "--state", "omitted", "--dry-run", "--json"))
    replayed = read(
        configured("delivery", "replay", "--state", "omitted", "--job", "tell", "--yes", "--json")
    )

    def retold() -> dict[str, Any]:
        found: dict[str, Any] = read(configured("delivery", "show", delivery["id"], "--json"))
        return found

    awaited(lambda: retold()["attempts"] == 2 and retold()["state"] == "omitted")
    again = retold()
    assert [attempt["verdict"] for attempt in again["attempt_list"]] == ["omitted", "omitted"]
    assert again["created"] == delivery["created"]
    assert "not today" in shown.stdout
    assert counted == {"found": 1, "replayed": 0, "refused": 0}
    assert replayed == {"found": 1, "replayed": 1, "refused": 0}


def test_a_job_whose_receiver_is_away_says_since_when_and_speaks_names(configured: Gatepost) -> None:
    configured(
        *("job", "create", "tell", "--audience", "buyers", "--to", NOWHERE),
        *("--template", "hook", "--authorization", "shop"),
    )
    configured("collect", "orders", "-", told='{"email":"ana@example.com","number":1}\n')
    awaited(lambda: "troubled" in configured("job", "list").stdout)

    listed = configured("job", "list").stdout
    shown = configured("job", "show", "tell").stdout
    of_ana = configured("delivery", "list", "--profile", "email=ana@example.com").stdout
    configured("job", "pause", "tell")
    parked = configured("delivery", "list", "--state", "parked").stdout

    assert "! tell: no sensible answer since 20" in listed
    facts = [line.split(maxsplit=1) for line in shown.splitlines()]
    assert ["authorization", "shop"] in facts
    assert ["template", "hook"] in facts
    assert ["deliveries", "1 retrying"] in facts or ["deliveries", "1 leased"] in facts
    assert "ana@example.com" in of_ana
    assert "! parked: the job tell is paused" in parked


def test_the_beginning_of_an_id_that_fits_no_delivery_is_said_so(gatepost: Gatepost) -> None:
    nobody = gatepost("delivery", "show", "ffff0000")
    no_id = gatepost("delivery", "show", "omitted")

    assert "no delivery has an id that begins with 'ffff0000'" in nobody.stderr
    assert "ids are hexadecimal digits" in no_id.stderr


def test_the_example_is_applied_twice_without_a_second_change(gatepost: Gatepost, repository: Path) -> None:
    example = str(repository / "examples" / "insider")

    applied = read(gatepost("config", "apply", "-f", example, "--json"))
    again = read(gatepost("config", "apply", "-f", example, "--json"))

    assert {change["action"] for change in applied["changes"]} <= {"create", "update"}
    assert {change["action"] for change in again["changes"]} == {"unchanged"}


def test_somebody_asks_why_and_until_when(configured: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text('audiences: {regulars: {filter: \'count("orders", "30d") >= 2\'}}')
    read(configured("config", "apply", "-f", "more.yaml", "--json"))
    events = "\n".join(json.dumps({"email": "ada@x.co", "number": n}) for n in range(2))
    read(configured("collect", "orders", "-", "--json", told=events))
    awaited(lambda: "is in regulars" in configured("audience", "explain", "regulars", "ada@x.co").stdout)

    told = configured("audience", "explain", "regulars", "email=ada@x.co")
    found = read(configured("audience", "explain", "regulars", "ada@x.co", "--json"))
    nobody = configured("audience", "explain", "regulars", "bob@x.co")

    assert 'count("orders", "30d") is 2' in told.stdout
    assert "leaves at 20" in told.stdout
    assert (found["member"], found["matches"], found["rule"]["events"]) == (True, True, 2)
    assert {"orders"} == {cause["stream"] for cause in found["rule"]["causes"]}
    assert nobody.returncode == 1
    assert "no profile 'bob@x.co'" in nobody.stderr


def test_a_rule_is_edited_after_saying_whom_it_moves(configured: Gatepost) -> None:
    events = "\n".join(json.dumps({"email": f"{n}@x.co", "number": n}) for n in range(30))
    read(configured("collect", "orders", "-", "--json", told=events))
    awaited(lambda: "30" in configured("audience", "size", "buyers").stdout)

    tried = configured("audience", "edit", "buyers", "orders >= 5", "--dry-run")
    refused = configured("audience", "edit", "buyers", "orders >= 5", told="n\n")
    changed = read(configured("audience", "edit", "buyers", "orders >= 5", "--yes", "--json"))

    assert "30 of 30 members leave, 0 enter" in tried.stdout
    assert refused.returncode != 0
    assert changed["segment_ql"] == "orders >= 5"


def test_a_merge_is_undone_after_both_results_were_shown(configured: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "cookies.yaml").write_text(
        "schema: {ranks: [email, cookie], fields: {email: {identifier: true}, cookie: {type: '[]string', "
        "identifier: true}, orders: {type: int, merge: count}}, mappings: [{stream: orders, field: email, "
        "expression: email}, {stream: orders, field: cookie, expression: cookie}, {stream: orders, field: orders, "
        "expression: number}]}"
    )
    read(configured("config", "apply", "-f", "cookies.yaml", "--json"))
    events = [
        {"email": "ada@x.co", "number": 1},
        {"cookie": "c1", "number": 2},
        {"cookie": "c1", "email": "ada@x.co"},
    ]
    told = "\n".join(map(json.dumps, events))
    read(configured("collect", "orders", "-", "--json", told=told))
    awaited(
        lambda: len(json.loads(configured("profile", "merges", "ada@x.co", "--json").stdout or "[]")) == 1
    )

    tried = configured("profile", "unmerge", "ada@x.co", "--dry-run")
    nobody_there = configured("profile", "unmerge", "ada@x.co")
    done = read(configured("profile", "unmerge", "c1", "--yes", "--json"))
    again = configured("profile", "unmerge", "ada@x.co", "--merge", "1", "--yes")
    rejoined = configured("profile", "rejoin", "1")

    assert "keeps the id" in tried.stdout
    assert "is its own again" in tried.stdout
    assert nobody_there.returncode == 1
    assert [done[side]["profile"]["orders"] for side in ("survivor", "revived")] == [1, 1]
    assert read(configured("profile", "show", "cookie", "c1", "--json"))["_num_events"] == 1
    assert "undone already" in again.stderr
    assert "makes them one again" in rejoined.stdout


def test_a_mistake_in_a_filter_is_shown_with_its_line_and_column(configured: Gatepost) -> None:
    refused = configured("audience", "create", "regulars", "AND (\n  ordrs >= 1\n)")

    assert refused.returncode == 1
    message, *place = refused.stderr.splitlines()
    assert message.endswith("the schema has no field ordrs; did you mean orders?")
    assert place == ["line 2, column 3:", "  ordrs >= 1", "  ^"]


def test_a_rule_that_hardly_means_what_it_says_is_told_before_and_after_it_is_saved(
    configured: Gatepost,
) -> None:
    previewed = configured("audience", "preview", 'count("order", "30d") >= 2')
    created = configured("audience", "create", "often", 'count("order", "30d") >= 2')
    unquoted = configured("audience", "preview", "email = ana@example.com")

    assert (previewed.returncode, created.returncode, unquoted.returncode) == (0, 0, 1)
    assert "did you mean orders?" in previewed.stderr
    assert "did you mean orders?" in created.stderr
    assert 'a text and a date stand in double quotes: "ana@example.com"' in unquoted.stderr
