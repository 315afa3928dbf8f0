"""An audience lives: looked at again, people kept out, its size told over time, its end; over HTTP and by command."""

import os
import subprocess
import sys
import time
from typing import Any

import httpx
import orjson
import pytest

from tests.acceptance.running import RunningServer

DOCUMENT: dict[str, Any] = {
    "streams": {"shop": {}},
    "schema": {
        "ranks": ["email"],
        "fields": {"email": {"identifier": True}, "spent": {"type": "number", "merge": "sum"}},
        "mappings": [
            {"stream": "shop", "field": "email", "expression": "email(email)"},
            {"stream": "shop", "field": "spent", "expression": "spent"},
        ],
    },
    "audiences": {"loyal": {"filter": "spent > 100"}},
}
PEOPLE = ("ada@example.com", "bob@example.com", "cleo@example.com")


@pytest.fixture
def shop(api: httpx.Client) -> httpx.Client:
    """Three people spent 200, 300 and 400; all are loyal."""
    assert api.post("/v2/config", json=DOCUMENT).status_code == 200
    events = [{"email": email, "spent": 100 * place} for place, email in enumerate(PEOPLE, start=2)]
    api.post("/collect/json/shop", json=events)
    until(lambda: size(api) == 3)
    return api


def until(so: Any) -> None:
    """Ask again until it is so; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not so():
        assert time.monotonic() < deadline, "it never came to that"


def size(api: httpx.Client) -> int:
    answer = api.get("/api/segment/loyal/size").json()
    return int(answer["data"]["size"])


def test_a_reevaluation_is_asked_for_and_its_end_is_seen(shop: httpx.Client) -> None:
    asked = shop.post("/v2/segment/reevaluate", json={"id": "loyal"})

    until(lambda: "evaluating" not in shop.get("/v2/segment/loyal").json()["data"])

    assert asked.status_code == 200
    assert asked.json()["data"]["slug_name"] == "loyal"
    assert shop.get("/api/status").json()["data"]["duties"] == []
    assert shop.post("/v2/segment/reevaluate", json={"id": "nobody"}).status_code == 404


def test_a_person_is_kept_out_explained_and_let_in_again(shop: httpx.Client) -> None:
    order = {"id": "loyal", "identifiers": ["email=bob@example.com"]}

    out = shop.post("/v2/segment/exclude/add", json=order)
    without = size(shop)
    told = shop.get("/v2/segment/loyal/explain/bob@example.com").json()["data"]
    back = shop.post("/v2/segment/exclude/remove", json=order)

    assert (out.status_code, back.status_code) == (200, 200)
    assert (without, size(shop)) == (2, 3)
    assert (told["member"], told["matches"]) == (False, True)
    assert told["excluded_since"]


def test_the_size_over_time_ends_with_the_size_now(shop: httpx.Client) -> None:
    told = shop.get("/api/segment/loyal/attribution", params={"limit": 24}).json()["data"]

    assert told["slug_name"] == "loyal"
    assert told["metrics"][-1]["value"] == 3
    assert sum(hour["entered"] for hour in told["metrics"]) == 3


def test_members_come_page_by_page_in_the_order_of_a_field(shop: httpx.Client) -> None:
    order: dict[str, str | int] = {"limit": 2, "sortfield": "spent", "sortorder": "desc", "fields": "email"}

    first = shop.get("/api/segment/loyal/scan", params=order).json()
    last = shop.get("/api/segment/loyal/scan", params={**order, "start": first["_next"]}).json()
    refused = shop.get("/api/segment/loyal/scan", params={**order, "sortorder": "up"})

    assert [one["email"] for one in [*first["data"], *last["data"]]] == [*reversed(PEOPLE)]
    assert (first["total"], last["_next"]) == (3, "")
    assert refused.status_code == 400


def test_everybody_is_an_audience_with_a_size_and_members(shop: httpx.Client) -> None:
    counted = shop.get("/api/segment/all/size").json()["data"]
    listed = shop.get("/api/segment/sizes", params={"ids": "all,anonymous_profiles,loyal"}).json()["data"]
    page = shop.get("/api/segment/all/scan").json()

    assert counted == {"id": "", "name": "all", "slug_name": "all", "size": 3}
    assert {one["slug_name"]: one["size"] for one in listed} == {
        "all": 3,
        "anonymous_profiles": 0,
        "loyal": 3,
    }
    assert page["total"] == 3


def test_audiences_that_are_there_by_themselves_can_be_read_but_not_changed(shop: httpx.Client) -> None:
    shop.post("/v2/segment", json={"name": "Known", "segment_ql": "FILTER NOT INCLUDE anonymous_profiles"})

    whole = shop.get("/v2/segment/all", params={"sizes": True}).json()["data"]
    above = shop.get("/v2/segment/anonymous_profiles/ancestors").json()["data"]
    refused = [
        shop.put("/v2/segment/all", json={"segment_ql": "FILTER spent > 1"}).status_code,
        shop.delete("/v2/segment/all").status_code,
        shop.post("/v2/segment/reevaluate", json={"id": "all"}).status_code,
    ]

    assert (whole["slug_name"], whole["segment_ql"], whole["size"]) == ("all", "FILTER *", 3)
    assert [one["slug_name"] for one in above] == ["known"]
    assert refused == [404, 404, 404]


def test_an_audience_says_what_its_rule_reads_includes_and_whether_it_leans_on_now(
    shop: httpx.Client,
) -> None:
    rule = (
        """FILTER AND (INCLUDE loyal, spent > 3, _created > "now-7d", count("shop", "3d", amount > 1) >= 1)"""
    )
    shop.post("/v2/segment", json={"name": "Fresh", "segment_ql": rule})
    shop.post("/v2/segment", json={"name": "Later", "segment_ql": 'FILTER _created < "now+1d"'})

    fresh, later, loyal = (
        shop.get(f"/v2/segment/{slug}").json()["data"] for slug in ("fresh", "later", "loyal")
    )

    assert (fresh["fields"], fresh["includes"]) == (["_created", "spent"], ["loyal"])
    assert (fresh["datemath_calc"], fresh["forward_datemath"]) == (True, False)
    assert (later["datemath_calc"], later["forward_datemath"]) == (True, True)
    assert (loyal["datemath_calc"], loyal["includes"]) == (False, [])


def test_only_valid_audiences_are_stored(shop: httpx.Client) -> None:
    listed = {
        valid: [one["slug_name"] for one in shop.get("/v2/segment", params={"valid": valid}).json()["data"]]
        for valid in ("true", "false", "all")
    }

    assert listed == {"true": ["loyal"], "false": [], "all": ["loyal"]}


def test_an_end_is_shown_and_taken_away_and_what_is_no_time_is_refused(shop: httpx.Client) -> None:
    later, never = "2999-01-01T00:00:00Z", ""

    given = shop.put("/v2/segment/loyal", json={"expires_at": later}).json()["data"]
    taken = shop.put("/v2/segment/loyal", json={"expires_at": never}).json()["data"]
    refused = shop.put("/v2/segment/loyal", json={"expires_at": "soonish"})

    assert (given["expires_at"], taken["expires_at"]) == (later, None)
    assert refused.status_code == 400


def test_a_text_with_another_alias_renames(shop: httpx.Client) -> None:
    shop.put("/v2/segment/loyal", content="FILTER spent > 100 ALIAS regulars")

    assert [one["slug_name"] for one in shop.get("/v2/segment").json()["data"]] == ["regulars"]


@pytest.mark.usefixtures("shop")
def test_the_commands_say_what_they_did(server: RunningServer) -> None:
    def gatepost(*words: str) -> str:
        command = [sys.executable, "-m", "gatepost", "audience", *words]
        known = {"GATEPOST_URL": server.url, "GATEPOST_TOKEN": server.token, "COLUMNS": "100"}
        done = subprocess.run(
            command, env={**os.environ, **known}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    excluded = gatepost("exclude", "loyal", "bob@example.com")
    explained = gatepost("explain", "loyal", "bob@example.com")
    undone = gatepost("exclude", "loyal", "bob@example.com", "--undo")
    evaluated = gatepost("reevaluate", "loyal")
    history = orjson.loads(gatepost("history", "loyal", "--json"))
    preview = gatepost("preview", 'count("shop", "7d") >= 1')

    assert "excluded 1 profile" in excluded
    assert "excluded by hand since" in explained
    assert "the rule decides again about 1 profile" in undone
    assert "3 are in it, 3 were" in evaluated
    assert history["metrics"][-1]["value"] == 3
    assert "3 match" in preview
    assert gatepost("size", "all").strip() == "3"
