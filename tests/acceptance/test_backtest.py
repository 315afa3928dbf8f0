"""Somebody asks who would have been in an audience: over HTTP, and with the command."""

import json
from pathlib import Path

import pytest
import yaml

from tests.acceptance.conftest import StartServer
from tests.acceptance.test_cli import Gatepost, configured, gatepost, read

__all__ = ["configured", "gatepost"]

PAST = "\n".join(
    json.dumps({"email": f"{name}@x.co", "number": n, "_ts": f"2026-01-{day:02}T10:00:00Z"})
    for n, (name, day) in enumerate([("ada", 1), ("ada", 3), ("bob", 5), ("ada", 20)], start=1)
)
RULE = 'count("orders", "7d") >= 1'
PERIOD = ("--from", "2026-01-01", "--to", "2026-01-31", "--step", "1d")


def test_the_past_of_a_rule_that_is_not_saved_is_told_day_by_day(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "past.ndjson").write_text(PAST)
    read(configured("collect", "orders", "past.ndjson", "--no-triggers", "--json"))

    report = read(configured("backtest", "--filter", RULE, *PERIOD, "--json", "--plot", "orders.svg"))

    sizes = {point["at"][8:10]: point["size"] for point in report["points"]}
    assert (report["entered"], report["left"], report["size"]) == (3, 3, 0)
    assert [sizes[day] for day in ("01", "02", "06", "11", "13", "21", "28")] == [0, 1, 2, 1, 0, 1, 0]
    assert report["events"] == 4
    assert "2026-01-01" in (tmp_path / "orders.svg").read_text()


def test_a_person_reads_a_table_and_what_jobs_would_have_sent(configured: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "past.ndjson").write_text(PAST)
    read(configured("collect", "orders", "past.ndjson", "--no-triggers", "--json"))
    url = "http://127.0.0.1:9/hook"
    read(configured("job", "create", "hook", "--audience", "buyers", "--to", url, "--paused", "--json"))

    shown = configured("backtest", "buyers", *PERIOD)

    assert shown.returncode == 0, shown.stderr
    assert "4 events, 2 profiles: 2 entered, 0 left, 2 inside at the end" in shown.stdout
    assert "hook would have sent 2" in shown.stdout


def test_a_field_mapped_lately_is_empty_before_unless_the_newest_schema_folds_everything(
    configured: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "past.ndjson").write_text(PAST)
    read(configured("collect", "orders", "past.ndjson", "--no-triggers", "--json"))
    config = yaml.safe_load((tmp_path / "gatepost.yaml").read_text())
    config["schema"]["fields"]["latest"] = {"type": "int"}
    config["schema"]["mappings"].append({"stream": "orders", "field": "latest", "expression": "number"})
    (tmp_path / "gatepost.yaml").write_text(yaml.safe_dump(config))
    read(configured("config", "apply", "-f", ".", "--json"))

    asked = ("backtest", "--filter", "latest >= 3", *PERIOD, "--json")
    sizes = [read(configured(*asked, *more))["size"] for more in ((), ("--schema", "newest"))]

    assert [0, 2] == sizes
    assert 2 == len(read(configured("schema", "versions", "--json")))


@pytest.mark.parametrize(
    ("wish", "status", "said"),
    [
        ({"audience": "nobody"}, 404, "nobody"),
        ({}, 400, "name an audience, or give a filter"),
        ({"filter": "FILTER total > "}, 400, "found the end"),
        ({"filter": "FILTER colour = 1"}, 400, "no field colour"),
        ({"filter": "FILTER EXISTS _id", "from": "yesterday-ish"}, 400, "is no time"),
        ({"filter": "FILTER EXISTS _id", "from": "2050-01-01"}, 400, "ends before it begins"),
        ({"filter": "FILTER EXISTS _id", "step": "5 days"}, 400, "is not a duration"),
        ({"filter": "FILTER EXISTS _id", "schema": "latest"}, 400, "latest"),
        ({"filter": "FILTER EXISTS _id", "step": "1s"}, 400, "give 1m or more"),
        ({"filter": "FILTER EXISTS _id", "from": "2000-01-01", "step": "1m"}, 400, "more than 10,000 points"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_what_would_be_right(
    gatepost_server: StartServer, wish: dict[str, str], status: int, said: str
) -> None:
    with gatepost_server(clock="wall").client() as api:
        answer = api.post("/v2/segment/backtest", json=wish)

    assert answer.status_code == status
    assert said in answer.text


@pytest.mark.parametrize(
    ("wish", "status", "said"),
    [
        ({"step": "1h"}, 400, "more than 10,000 points"),
        ({}, 200, '"from":"0001-01-01T00:00:00Z"'),
    ],
    ids=["too-fine", "by-itself"],
)
def test_an_event_of_long_ago_makes_no_more_points_than_anybody_reads(
    gatepost_server: StartServer, wish: dict[str, str], status: int, said: str
) -> None:
    with gatepost_server(clock="wall").client() as api:
        api.post("/collect/json/orders", json={"email": "ada@x.co", "_ts": "0001-01-01T00:00:00Z"})
        answer = api.post("/v2/segment/backtest", json={"filter": "FILTER EXISTS _id", **wish})

    assert answer.status_code == status
    assert said in answer.text
    assert answer.text.count('"entered"') <= 10_001
