import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.running_sandbox import KEYS, RunningSandbox, running_sandbox

CASES = Path(__file__).parents[1] / "cases" / "sandbox"
DONE = {"data": {"successful": {"count": 1}, "fail": {}}}
ADA = "ada@example.com"


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), rate_per_minute=None) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> RunningSandbox:
    shared_sandbox.steer("reset")
    return shared_sandbox


def cases(name: str) -> list[Any]:
    listed = json.loads((CASES / name).read_text())
    return [pytest.param(case, id=case["name"]) for case in listed]


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def entrance(audience: str, email: str = ADA, at: str = "") -> dict[str, Any]:
    parameters = {"audience": audience, "trigger": "enter"}
    event = {"event_name": "lytics_trigger", "timestamp": at or now(), "event_params": {"custom": parameters}}
    attributes = {"gdpr_optin": True, "city": "Rome", "custom": {"lytics_computed_attr": [audience]}}
    return {"users": [{"identifiers": {"email": email}, "attributes": attributes, "events": [event]}]}


def leaving(audience: str, email: str = ADA) -> dict[str, Any]:
    custom = {"partial": {"lytics_computed_attr": [audience]}}
    return {"users": [{"identifiers": {"email": email}, "custom": custom}]}


def exit_of_the_printed_guide() -> dict[str, Any]:
    """Return an exit with the faults of the printed recipe: a wrapper and an event that this call lacks."""
    event = {"event_name": "lytics_trigger", "timestamp": now()}
    attributes = {"custom": {"partial": {"lytics_computed_attr": ["buyers"]}}}
    return {"users": [{"identifiers": {"email": ADA}, "attributes": attributes, "events": [event]}]}


def test_somebody_who_enters_an_audience_is_seen_in_it_with_one_event(sandbox: RunningSandbox) -> None:
    answer = sandbox.post("upsert", entrance("buyers"))

    assert (answer.status_code, answer.json()) == (200, DONE)
    profile = sandbox.profile(ADA)
    assert profile["audiences"] == ["buyers"]
    assert [event["event_name"] for event in profile["events"]] == ["lytics_trigger"]
    assert sandbox.look("stats")["audiences"] == {"buyers": 1}


def test_a_repeated_entrance_changes_nothing(sandbox: RunningSandbox) -> None:
    body = entrance("buyers")
    sandbox.post("upsert", body)
    before = sandbox.profile(ADA)

    sandbox.post("upsert", body)

    after = sandbox.profile(ADA)
    assert (after["audiences"], after["events"]) == (before["audiences"], before["events"])
    assert sandbox.look("stats")["profiles"] == 1


def test_leaving_one_of_two_audiences_keeps_the_other(sandbox: RunningSandbox) -> None:
    sandbox.post("upsert", entrance("buyers"))
    sandbox.post("upsert", entrance("readers"))

    answer = sandbox.post("attribute/delete", leaving("buyers"))

    assert answer.json() == DONE
    assert sandbox.profile(ADA)["audiences"] == ["readers"]
    assert sandbox.look("stats")["audiences"] == {"readers": 1}


def test_the_exit_body_of_the_printed_guide_deletes_nothing_and_is_refused(sandbox: RunningSandbox) -> None:
    sandbox.post("upsert", entrance("buyers"))
    before = sandbox.profile(ADA)

    answer = sandbox.post("attribute/delete", exit_of_the_printed_guide()).json()

    assert answer["data"]["fail"]["count"] == 1
    assert "users.0.whole.required" in answer["data"]["fail"]["errors"]
    assert sandbox.profile(ADA) == before


def test_the_exit_url_of_the_printed_guide_answers_400_and_leaves_the_profile(
    sandbox: RunningSandbox,
) -> None:
    sandbox.post("upsert", entrance("buyers"))

    answer = sandbox.post("delete", exit_of_the_printed_guide())

    assert (answer.status_code, answer.json()) == (400, {"error": "no valid identifier: bad request"})
    assert sandbox.profile(ADA)["audiences"] == ["buyers"]


def test_a_delete_that_names_a_person_erases_them(sandbox: RunningSandbox) -> None:
    sandbox.post("upsert", entrance("buyers"))
    first_id = sandbox.profile(ADA)["id"]

    answer = sandbox.post("delete", {"identifiers": {"email": ADA}})

    assert (answer.status_code, answer.json()) == (200, {})
    read = sandbox.post("profile", {"identifiers": {"email": ADA}, "attributes": ["*"]})
    assert read.status_code == 404
    assert read.json() == {"error": "no such user for these identifiers: no data"}
    assert sandbox.look("stats")["events"] == 0
    sandbox.post("upsert", entrance("buyers"))
    assert sandbox.profile(ADA)["id"] != first_id


@pytest.mark.parametrize("case", cases("insider_refusals.json"))
def test_a_user_with_documented_faults_is_refused_with_all_of_them(
    sandbox: RunningSandbox, case: dict[str, Any]
) -> None:
    users = json.loads(json.dumps(case["users"]).replace('"NOW"', json.dumps(now())))

    answer = sandbox.post("upsert", {"users": users})

    fail = {"count": len(users), "errors": case["errors"]}
    assert (answer.status_code, answer.json()) == (200, {"data": {"successful": {}, "fail": fail}})
    assert sandbox.look("stats")["profiles"] == 0


@pytest.mark.parametrize("case", cases("insider_losses.json"))
def test_a_value_that_insider_drops_silently_becomes_a_warning(
    sandbox: RunningSandbox, case: dict[str, Any]
) -> None:
    body = {"users": [{"identifiers": {"uuid": "p1"}, "attributes": case["attributes"]}]}

    answer = sandbox.post("upsert", body)

    assert answer.json() == DONE
    warnings = sandbox.look("requests")["requests"][-1]["warnings"]
    assert warnings == {f"users.0.{case['key']}": [case["message"]]}
    profile = sandbox.look("profiles/uuid/p1")
    assert (profile["attributes"], profile["custom"]) == ({}, {})


def test_a_strict_sandbox_refuses_what_insider_drops_silently(tmp_path: Path) -> None:
    body = {"users": [{"identifiers": {"uuid": "p1"}, "attributes": {"email_optin": "yes"}}]}

    with running_sandbox(tmp_path, mode="strict") as strict:
        fail = strict.post("upsert", body).json()["data"]["fail"]

    errors = {"users.0.attributes.*.type(boolean)": ["email_optin must be boolean: yes"]}
    assert fail == {"count": 1, "errors": errors}


def test_one_bad_user_among_a_thousand_is_refused_alone(sandbox: RunningSandbox) -> None:
    users = [{"identifiers": {"uuid": f"person-{n}"}, "attributes": {"city": "Rome"}} for n in range(1_000)]
    users[417]["identifiers"] = {"email": "sample"}

    data = sandbox.post("upsert", {"users": users}).json()["data"]

    assert (data["successful"], data["fail"]["count"]) == ({"count": 999}, 1)
    assert [key.split(".")[1] for key in data["fail"]["errors"]] == ["417"]
    assert sandbox.look("stats")["profiles"] == 999


def test_a_request_takes_at_most_a_thousand_users(sandbox: RunningSandbox) -> None:
    users = [{"identifiers": {"uuid": f"person-{n}"}, "attributes": {"city": "Rome"}} for n in range(1_001)]

    answer = sandbox.post("upsert", {"users": users})

    assert (answer.status_code, answer.json()) == (400, {"error": "users must not exceed 1000: bad request"})


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize(("size", "status"), [(5_000_000, 200), (5_000_001, 400)])
def test_a_body_takes_at_most_five_million_bytes(
    sandbox: RunningSandbox, size: int, status: int, *, chunked: bool
) -> None:
    core = json.dumps(entrance("buyers")).encode()
    body = core + b" " * (size - len(core))
    content = iter([body[:3_000_000], body[3_000_000:]]) if chunked else body

    answer = sandbox.client.post(
        "/api/user/v1/upsert", content=content, headers=KEYS | {"content-type": "application/json"}
    )

    assert answer.status_code == status
    if status == 400:
        assert answer.json() == {"error": "request body is bigger than maximum allowed size 5,000,000 bytes"}


def test_upserts_and_attribute_deletes_share_one_limit_per_minute(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, rate_per_minute=4) as limited:
        allowed = [limited.post("upsert", entrance("buyers")).status_code for _ in range(2)]
        allowed += [limited.post("attribute/delete", leaving("buyers")).status_code for _ in range(2)]
        fifth = limited.post("upsert", entrance("buyers"))

    assert allowed == [200] * 4
    assert (fifth.status_code, fifth.json()) == (429, {"error": "rejected: too many requests"})
    assert 1 <= int(fifth.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("flags", "audiences"),
    [
        ({}, ["a", "b"]),
        ({"not_append": True}, ["b"]),
        ({"append": False}, ["b"]),
        ({"append": True, "not_append": True}, ["a", "b"]),
    ],
    ids=["nothing said", "not_append", "append false", "both, and append wins"],
)
@pytest.mark.parametrize("level", ["user", "request"])
def test_arrays_grow_unless_the_sender_says_otherwise(
    sandbox: RunningSandbox, flags: dict[str, bool], audiences: list[str], level: str
) -> None:
    sandbox.post("upsert", entrance("a"))
    body = entrance("b")
    (body["users"][0] if level == "user" else body).update(flags)

    sandbox.post("upsert", body)

    assert sandbox.profile(ADA)["audiences"] == audiences


@pytest.mark.parametrize(
    ("headers", "status", "answer"),
    [
        (
            {"X-REQUEST-TOKEN": "stolen"},
            403,
            {
                "success": False,
                "message": "Access Denied. You do not have sufficient access to perform this action.",
            },
        ),
        ({"X-PARTNER-NAME": "nobody"}, 400, {"success": False, "message": "Partner is invalid."}),
        ({"X-PARTNER-NAME": "Sandbox"}, 400, {"success": False, "message": "Partner is invalid."}),
        (
            {"X-PARTNER-NAME": "other"},
            401,
            {"success": False, "message": "Partner token authentication failed."},
        ),
    ],
    ids=["wrong token", "wrong partner", "partner not in lower case", "token of another partner"],
)
def test_a_caller_must_match_an_account(
    tmp_path: Path, headers: dict[str, str], status: int, answer: dict[str, Any]
) -> None:
    (tmp_path / "accounts.json").write_text('[{"partner": "other", "tokens": ["other-token"]}]')

    with running_sandbox(tmp_path) as guarded:
        refused = guarded.post("upsert", entrance("buyers"), **headers)

    assert (refused.status_code, refused.json()) == (status, answer)


def test_two_partners_do_not_see_each_other(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text('[{"partner": "other", "tokens": ["other-token"]}]')
    other = {"X-PARTNER-NAME": "other", "X-REQUEST-TOKEN": "other-token"}

    with running_sandbox(tmp_path) as shared:
        shared.post("upsert", entrance("buyers"))
        read = shared.post("profile", {"identifiers": {"email": ADA}, "attributes": ["*"]}, **other)
        guessed = shared.post("profile", {"insider_id": "1", "attributes": ["*"]}, **other)

    assert (read.status_code, guessed.status_code) == (404, 404)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", {"success": False, "message": "Request data is not in valid JSON format."}),
        (b'{"users": [', {"success": False, "message": "Request data is not in valid JSON format."}),
        (b"[" * 4_000_000, {"success": False, "message": "Request data is not in valid JSON format."}),
        (b'{"users": 1e999}', {"success": False, "message": "Request data is not in valid JSON format."}),
        (b'{"users": "\\ud800"}', {"success": False, "message": "Request data is not in valid JSON format."}),
        (b"\xff\xfe", {"success": False, "message": "Request data is not in valid JSON format."}),
        (b"[]", {"error": "users must be defined: bad request"}),
        (b"7", {"error": "users must be defined: bad request"}),
        (b'{"users": []}', {"error": "users must be defined: bad request"}),
        (b'{"users": {"identifiers": {}}}', {"error": "users must be defined: bad request"}),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
def test_a_body_that_is_no_request_gets_the_documented_400(
    sandbox: RunningSandbox, body: bytes, answer: dict[str, Any]
) -> None:
    headers = KEYS | {"content-type": "application/json; charset=utf-8"}

    refused = sandbox.client.post("/api/user/v1/upsert", content=body, headers=headers)

    assert (refused.status_code, refused.json()) == (400, answer)


def test_deeply_nested_and_huge_values_are_dropped_not_fatal(sandbox: RunningSandbox) -> None:
    nested = b"[" * 900 + b"]" * 900
    body = b'{"users":[{"identifiers":{"uuid":"p1"},"attributes":{"age":%s,"custom":{"deep":%s}}}]}'
    headers = KEYS | {"content-type": "application/json"}

    answer = sandbox.client.post("/api/user/v1/upsert", content=body % (b"9" * 300, nested), headers=headers)

    assert answer.json() == DONE
    assert sandbox.look("profiles/uuid/p1")["custom"] == {}


def test_other_methods_types_and_paths_are_turned_away(sandbox: RunningSandbox) -> None:
    wrong_method = sandbox.client.get("/api/user/v1/upsert", headers=KEYS)
    wrong_type = sandbox.client.post("/api/user/v1/upsert", data={"users": "1"}, headers=KEYS)
    wrong_path = sandbox.client.post("/api/user/v2/upsert", json={}, headers=KEYS)

    assert (wrong_method.status_code, wrong_method.content) == (405, b"")
    assert (wrong_type.status_code, wrong_type.json()) == (
        400,
        {"error": "content type must be application/json"},
    )
    assert (wrong_path.status_code, wrong_path.content) == (404, b"")


def test_a_profile_is_read_with_prefixed_custom_names(sandbox: RunningSandbox) -> None:
    at = now()
    sandbox.post("upsert", entrance("buyers", at=at))
    query = {
        "identifiers": {"email": ADA},
        "attributes": ["gdpr_optin", "c_lytics_computed_attr", "email", "unknown"],
        "events": {"wanted": [{"event_name": "lytics_trigger", "params": ["c_audience"]}]},
        "quota": True,
    }

    answer = sandbox.post("profile", query).json()

    assert answer["attributes"] == {"gdpr": True, "c_lytics_computed_attr": ["buyers"], "email": ADA}
    event = {"c_audience": "buyers", "source": "api", "created_date": at}
    assert answer["events"] == {"lytics_trigger": [event]}
    assert answer["quota"]["total"] == 1_000


def test_profiles_survive_a_clean_stop(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        first.post("upsert", entrance("buyers"))
        before = first.profile(ADA)
        code = first.stop()

    with running_sandbox(tmp_path) as second:
        after = second.profile(ADA)

    assert code == 0
    assert after == before


def test_a_killed_sandbox_comes_back_with_whole_profiles(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        for n in range(300):
            first.post("upsert", entrance("buyers", f"person-{n}@example.com"))
        first.kill()

    with running_sandbox(tmp_path) as second:
        profiles = second.look("profiles?limit=1000")["profiles"]
        listed = second.look("stats")

    # Batches are whole and in order: a first part of what was sent, each with its audience and event.
    emails = [profile["identifiers"]["email"][0] for profile in profiles]
    assert emails == [f"person-{n}@example.com" for n in range(len(emails))]
    assert all(profile["audiences"] == ["buyers"] and len(profile["events"]) == 1 for profile in profiles)
    assert listed["audiences"].get("buyers", 0) == len(profiles)


def test_asked_for_faults_hit_the_next_requests_only(sandbox: RunningSandbox) -> None:
    sandbox.steer("faults", {"count": 2, "status": 503, "operation": "upsert"})
    sandbox.steer("faults", {"status": 429, "retry_after": 7})

    statuses = [sandbox.post("upsert", entrance("buyers")) for _ in range(4)]

    assert [answer.status_code for answer in statuses] == [503, 503, 429, 200]
    assert statuses[2].headers["retry-after"] == "7"
    assert sandbox.look("stats")["profiles"] == 1


def test_a_cut_connection_leaves_the_work_done_and_a_repeat_harmless(sandbox: RunningSandbox) -> None:
    body = entrance("buyers")
    sandbox.steer("faults", {"drop": True})

    with pytest.raises(httpx.TransportError):
        sandbox.post("upsert", body)
    done = sandbox.profile(ADA)
    repeated = sandbox.post("upsert", body)

    assert done["audiences"] == ["buyers"]
    assert repeated.json() == DONE
    assert sandbox.profile(ADA)["events"] == done["events"]


def test_events_are_judged_by_a_clock_that_only_a_call_moves(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, clock_manual=True) as old:
        old.steer("clock", {"now": "2017-06-01T00:00:00Z"})
        old.post("upsert", entrance("fresh", at="2017-05-20T00:00:00Z"))
        old.post("upsert", entrance("ahead", at="2017-06-03T00:00:00Z"))
        old.steer("clock", {"advance": "365d"})
        old.post("upsert", entrance("stale", at="2017-05-21T00:00:00Z"))
        events = old.profile(ADA)["events"]
        clock = old.look("clock")

    assert [event["event_params"]["custom"]["audience"] for event in events] == ["fresh"]
    assert clock == {"now": "2018-06-01T00:00:00Z", "manual": True}


def test_the_real_clock_cannot_be_moved(sandbox: RunningSandbox) -> None:
    answer = sandbox.client.post("/sandbox/clock", json={"advance": "1h"})

    assert answer.status_code == 409
    assert "manual clock" in answer.json()["error"]


def test_a_page_of_another_site_cannot_steer_the_sandbox(sandbox: RunningSandbox) -> None:
    answer = sandbox.client.post("/sandbox/reset", headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403


@pytest.mark.parametrize("view", ["requests", "profiles"])
def test_the_page_escapes_everything_that_was_sent(sandbox: RunningSandbox, view: str) -> None:
    attack = "<script>alert(1)</script>"
    body = entrance(attack)
    body["users"][0]["attributes"] |= {"name": attack, attack: attack}
    body["users"][0]["identifiers"]["uuid"] = attack
    sandbox.post("upsert", body)

    page = sandbox.client.get("/sandbox", params={"view": view})

    assert attack not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_row_of_the_page_says_whom_a_request_is_about_and_what_it_brings(sandbox: RunningSandbox) -> None:
    sandbox.post("upsert", entrance("buyers", "ada@example.com"))

    page = sandbox.client.get("/sandbox").text

    row = page.partition("<summary>")[2].partition("</summary>")[0]
    assert "ada@example.com" in row
    assert "buyers" in row


def test_the_page_greets_with_a_call_to_try_and_pages_through_many(sandbox: RunningSandbox) -> None:
    empty = sandbox.client.get("/sandbox").text
    for n in range(30):
        sandbox.post("upsert", entrance("buyers", f"person-{n}@example.com"))

    newest = sandbox.client.get("/sandbox?view=profiles").text
    found = sandbox.client.get("/sandbox?view=profiles&q=person-3@example.com").text

    assert "curl http://127.0.0.1:" in empty
    assert newest.count("<details>") == 25
    assert 'rel="next"' in newest
    assert found.count("<details>") == 1


def test_all_profiles_come_out_as_lines_and_as_pages(sandbox: RunningSandbox) -> None:
    users = [{"identifiers": {"uuid": f"person-{n}"}, "attributes": {"city": "Rome"}} for n in range(750)]
    sandbox.post("upsert", {"users": users})

    lines = sandbox.client.get("/sandbox/profiles.ndjson").text.splitlines()
    first = sandbox.look("profiles?limit=700")
    second = sandbox.look(f"profiles?limit=700&after={first['next']}")

    assert [json.loads(line) for line in lines] == first["profiles"] + second["profiles"]
    assert (len(lines), second["next"]) == (750, None)
