from datetime import date

import pytest
from aiohttp import web

from gatepost.demo.client import GatepostClient, SandboxClient, Status
from gatepost.demo.events import events_of
from gatepost.demo.purchases import Period
from gatepost.demo.replay import Replay, settled, steps_of
from gatepost.model.errors import OperatorError
from gatepost.model.times import HOUR
from tests.unit.demo.grocer import line, shop
from tests.unit.demo.standin import StandIn, sent_events, with_clients

DAY_ONE = Period(date(2017, 8, 7), 1)

RECEIPTS = shop(
    line(1, 70, "2017-08-07 00:00:00", 1, 1.0),
    line(2, 71, "2017-08-07 02:59:59", 2, 1.0, coupon=0.5),
    line(1, 72, "2017-08-07 03:00:00", 1, 1.0),
    line(1, 73, "2017-08-07 23:59:59", 1, 1.0),
)


def test_every_hour_is_a_step_also_one_without_events() -> None:
    steps = list(steps_of(events_of(RECEIPTS, DAY_ONE), DAY_ONE))

    filled = {number: len(step.events["baskets"]) for number, step in enumerate(steps) if step.events}
    assert len(steps) == 24
    assert filled == {0: 1, 2: 1, 3: 1, 23: 1}
    assert [step.start - DAY_ONE.start for step in steps] == [n * HOUR for n in range(24)]


def test_the_clock_stands_at_the_start_of_an_hour_when_its_events_come_and_at_the_end_at_last() -> None:
    stand_in = StandIn()

    async def story(gatepost: GatepostClient, sandbox: SandboxClient) -> int:
        replay = Replay(gatepost, sandbox, DAY_ONE)
        await replay.run(events_of(RECEIPTS, DAY_ONE))
        return replay.sent

    sent = with_clients(stand_in, story)

    arrived = list(sent_events(stand_in))
    assert sent == 4
    assert arrived[:6] == [
        "clock 2017-08-07T00:00:00Z",
        "baskets 2017-08-07T00:00:00Z",
        "clock 2017-08-07T01:00:00Z",
        "clock 2017-08-07T02:00:00Z",
        "baskets 2017-08-07T02:59:59Z",
        "clock 2017-08-07T03:00:00Z",
    ]
    assert arrived[-2:] == ["baskets 2017-08-07T23:59:59Z", "clock 2017-08-08T00:00:00Z"]


def test_a_busy_gatepost_is_asked_again() -> None:
    stand_in = StandIn()
    busy = web.Response(status=503, headers={"Retry-After": "0"})
    stand_in.answer("/collect/bulk/baskets", busy, busy, web.json_response({}))

    with_clients(stand_in, lambda gatepost, _: gatepost.collect("baskets", [b"{}"]))

    assert len(stand_in.calls) == 3


def test_a_refusal_ends_the_demo_with_what_the_server_said() -> None:
    stand_in = StandIn()
    stand_in.answer("/api/clock", web.json_response({"message": "this clock is not manual"}, status=409))

    with pytest.raises(OperatorError, match=r"POST .*/api/clock answered 409: .*this clock is not manual"):
        with_clients(stand_in, lambda gatepost, _: gatepost.move_clock(0))


def test_members_are_read_page_by_page() -> None:
    stand_in = StandIn()
    stand_in.answer(
        "/api/segment/big_spenders/scan",
        web.json_response({"data": [{"household_id": "hh-1"}], "_next": "after-1", "total": 2}),
        web.json_response({"data": [{"household_id": "hh-2"}], "_next": "", "total": 2}),
    )

    members = with_clients(stand_in, lambda gatepost, _: gatepost.members("big_spenders", "household_id"))

    assert members == {"hh-1", "hh-2"}
    assert "start=after-1" in stand_in.calls[1][1]


def test_the_sandbox_tells_each_profiles_audiences() -> None:
    stand_in = StandIn()
    dump = (
        '{"identifiers": {"uuid": ["hh-1"]}, "custom": {"lytics_computed_attr": ["a", "b"]}}\n'
        '{"identifiers": {"uuid": ["hh-2"]}, "custom": {}}\n'
    )
    stand_in.answer("/sandbox/profiles.ndjson", web.Response(text=dump))

    memberships = with_clients(stand_in, lambda _, sandbox: sandbox.memberships("lytics_computed_attr"))

    assert memberships == {"hh-1": {"a", "b"}, "hh-2": set()}


def test_waiting_ends_when_the_last_delivery_is_settled() -> None:
    stand_in = StandIn()
    states = ({"waiting": 2}, {"leased": 1, "delivered": 1}, {"delivered": 2})
    stand_in.answer("/api/status", *(web.json_response({"data": {"deliveries": s}}) for s in states))

    status = with_clients(
        stand_in, lambda gatepost, _: settled(gatepost.status, lambda status: status.moving == 0)
    )

    assert status == Status(deliveries={"delivered": 2})
