import json

import msgspec
import pytest

from gatepost.demo.client import Status
from gatepost.demo.comparison import compare
from gatepost.demo.outcome import DemoResult, result_of
from gatepost.model.audience import AudienceSize

CALM = Status(
    events_applied=3206,
    profiles=1345,
    audiences={"big_spenders": AudienceSize(size=28, entered=96, left=68)},
    deliveries={"delivered": 4972},
)


def result(deliveries: dict[str, int], sandbox: dict[str, frozenset[str]] | None = None) -> DemoResult:
    status = msgspec.structs.replace(CALM, deliveries=deliveries)
    return result_of(status, compare({}, {}, sandbox or {}), 12.34)


def test_the_line_of_json_has_the_documented_members() -> None:
    line = json.loads(msgspec.json.encode(result_of(CALM, compare({}, {}, {}), 12.34)))

    assert line == {
        "events": 3206,
        "profiles": 1345,
        "audiences": {"big_spenders": {"size": 28, "entered": 96, "left": 68}},
        "deliveries": {"delivered": 4972, "refused": 0, "dead": 0, "pending": 0},
        "disagreements": 0,
        "seconds": 12.3,
    }


def test_all_is_well_when_everything_arrived_and_all_agree() -> None:
    assert result({"delivered": 10, "omitted": 1}).agreed


@pytest.mark.parametrize("state", ["refused", "dead", "waiting", "leased", "retrying", "parked"])
def test_one_delivery_that_did_not_arrive_is_not_well(state: str) -> None:
    assert not result({"delivered": 10, state: 1}).agreed


def test_one_household_that_differs_is_not_well() -> None:
    assert not result({"delivered": 10}, {"hh-1": frozenset({"big_spenders"})}).agreed
