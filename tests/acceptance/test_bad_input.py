"""What nobody would send on purpose: rules and events out of all measure get a clear answer, and nothing is lost."""

import time
from typing import Any

import httpx
import pytest

DOCUMENT: dict[str, Any] = {
    "streams": {"shop": {"timestamp_field": "at"}},
    "schema": {
        "ranks": ["email"],
        "fields": {
            "email": {"identifier": True},
            "spent": {"type": "number", "merge": "sum"},
            "first_seen": {"type": "date", "merge": "min"},
            "last_seen": {"type": "date", "merge": "max"},
        },
        "mappings": [
            {"stream": "shop", "field": "email", "expression": "email(email)"},
            {"stream": "shop", "field": "spent", "expression": "spent"},
            {"stream": "shop", "field": "first_seen", "expression": "now()"},
            {"stream": "shop", "field": "last_seen", "expression": "now()"},
        ],
    },
    "audiences": {"recent": {"filter": 'last_seen > "now-7d"'}},
}


@pytest.fixture
def shop(api: httpx.Client) -> httpx.Client:
    """Ada spent 200, in 2026."""
    api.post("/api/clock", json={"now": "2026-01-02T03:04:05Z"})
    assert api.post("/v2/config", json=DOCUMENT).status_code == 200
    api.post("/collect/json/shop", json={"email": "ada@example.com", "spent": 200})
    until(lambda: profile(api, "ada@example.com").get("spent") == 200)
    return api


def until(so: Any) -> None:
    """Ask again until it is so; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not so():
        assert time.monotonic() < deadline, "it never came to that"


def members(api: httpx.Client, audience: str) -> int:
    return int(api.get(f"/api/segment/{audience}/size").json()["data"]["size"])


def profile(api: httpx.Client, email: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/api/entity/user/email/{email}").json()["data"]
    return found


def save(api: httpx.Client, rule: str) -> httpx.Response:
    return api.post("/v2/segment", json={"name": "Odd", "segment_ql": f"FILTER {rule}"})


def test_a_rule_a_hundred_levels_deep_is_saved_shown_explained_and_right(shop: httpx.Client) -> None:
    rule = "spent > 100"
    for level in range(100):
        rule = f"{('AND', 'OR')[level % 2]} ( {rule}, spent > {(900, 800)[level % 2] if level % 2 else 1} )"

    saved = save(shop, rule)
    until(lambda: members(shop, "odd") == 1)
    shown, told = shop.get("/v2/segment/odd"), shop.get("/v2/segment/odd/explain/ada@example.com")

    assert saved.status_code == 201
    assert (shown.status_code, told.status_code) == (200, 200)
    assert told.json()["data"]["matches"]


def test_a_rule_of_a_thousand_conditions_is_right_and_one_more_is_refused(shop: httpx.Client) -> None:
    conditions = [f"spent = {number}" for number in range(200, 1_200)]

    saved = save(shop, f"OR ( {', '.join(conditions)} )")
    until(lambda: members(shop, "odd") == 1)
    refused = save(shop, f"OR ( {', '.join([*conditions, 'spent = 1'])} )")

    assert (saved.status_code, refused.status_code) == (201, 400)
    assert "1,000 are the most" in refused.text


def test_ten_megabytes_of_rule_are_refused_in_words(shop: httpx.Client) -> None:
    text = f'FILTER email = "{"x" * 10_000_000}"'

    answers = [
        shop.post("/api/segment/validate", content=text),
        shop.post("/v2/segment", json={"name": "Odd", "segment_ql": text}),
        shop.post("/api/segment/size", content=text),
    ]

    for answer in answers:
        assert answer.status_code in {400, 413}, answer.text[:300]
        assert "64 KiB" in answer.text or "bytes" in answer.text or "MiB" in answer.text
        assert len(answer.content) < 2_000


def test_an_event_of_the_year_2222_counts_from_when_it_came(shop: httpx.Client) -> None:
    shop.post(
        "/collect/json/shop", json={"email": "bob@example.com", "spent": 1, "at": "2222-01-01T00:00:00Z"}
    )
    until(lambda: profile(shop, "bob@example.com").get("spent") == 1)

    bob = profile(shop, "bob@example.com")

    assert not str(bob["last_seen"]).startswith("2222")
    assert shop.get("/v2/segment/recent/explain/bob@example.com").json()["data"]["next_change"] < "2200"


@pytest.mark.parametrize("long_ago", ["1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z", "1969-07-20T20:17:00Z"])
def test_an_event_of_1970_is_history_and_changes_the_present_only(shop: httpx.Client, long_ago: str) -> None:
    known, new = f"known-{long_ago[:10]}@example.com", f"new-{long_ago[:10]}@example.com"
    shop.post("/collect/json/shop", json={"email": known, "spent": 200})
    for email in (known, new):
        shop.post("/collect/json/shop", json={"email": email, "spent": 5, "at": long_ago})
    until(lambda: profile(shop, new).get("spent") == 5)

    before, after = profile(shop, known), profile(shop, new)
    inside = [
        shop.get(f"/v2/segment/recent/explain/{email}").json()["data"]["member"] for email in (known, new)
    ]

    times = [before["first_seen"], after["first_seen"], after["last_seen"]]
    assert [at[: len("1970-01-01T00:00:00")] for at in times] == [long_ago[:-1]] * 3
    assert before["spent"] == 205
    assert inside == [True, False]


def test_a_clock_that_was_never_set_tells_no_time(shop: httpx.Client) -> None:
    shop.post("/collect/json/shop", json={"email": "dora@example.com", "spent": 1, "at": 0})
    until(lambda: profile(shop, "dora@example.com").get("spent") == 1)

    assert profile(shop, "dora@example.com")["last_seen"] == "2026-01-02T03:04:05Z"
