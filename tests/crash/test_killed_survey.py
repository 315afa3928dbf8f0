"""A gatepost under load evaluates a changed audience, and is killed with SIGKILL meanwhile, or its survey is."""

import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gatepost.backends.clock import HandClock
from gatepost.core.plans import AccountPlan
from gatepost.operations.records import live_audiences
from gatepost.ports.outbox import DeliveryFilter
from tests.crash.processes import children_of, is_gone
from tests.crash.running_process import (
    GatepostProcess,
    gatepost_process,
    status_of,
    wait_until,
    wait_until_quiet,
)
from tests.factories import ACCOUNT, make_submission
from tests.pipeline import SHOP, START, Pipeline
from tests.receiving import PATIENCE_SECONDS, Receiver, receiving

SHOPPERS = 6_000
"""More than a walk without a survey is for."""
CITIES = ("Berlin", "Rome", "Oslo")
RULES = ('city = "Berlin"', 'AND ( city = "Berlin", count("web", "7d") >= 1 )')
"""One that fields decide, and one whose window has to be filled from the past first."""
NOBODY = 'city = "Nowhere"'


class Traffic:
    """Shoppers who move between cities all the while, whatever happens to gatepost."""

    def __init__(self, process: GatepostProcess) -> None:
        self.answered = 0
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def end(self) -> None:
        """Let the last event be answered."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)

    def _send(self) -> None:
        chance = random.Random(7)  # noqa: S311 - the same load every run
        with self._process.client() as api:
            while not self._stop.is_set():
                event = {"user": f"u{chance.randrange(SHOPPERS)}", "city": chance.choice(CITIES)}
                try:
                    answer = api.post("/collect/json/web", json=event)
                except httpx.TransportError:
                    self._stop.wait(0.05)
                    continue
                assert answer.status_code == 200, answer.text
                self.answered += 1


class Walk:
    """A changed audience on its way through everybody, and how far it has got whenever somebody looks."""

    def __init__(self, gatepost: GatepostProcess, receiver: Receiver, rule: str) -> None:
        self._gatepost = gatepost
        self._receiver = receiver
        self.shares: list[float] = []
        with gatepost.client() as api:
            api.put("/v2/segment/a1?confirm=true", content=f"FILTER {rule}").raise_for_status()

    def survey(self) -> int:
        """Wait for the process that looks ahead; return its number."""
        wait_until(lambda: bool(self._surveys()), "a survey has begun")
        return self._surveys()[0]

    def told(self, count: int) -> None:
        """Wait until so many triggers have reached the receiver."""
        self._receiver.wait_for(count)

    def under_way(self) -> bool:
        """Note how far it has got; say whether it has further to go."""
        with self._gatepost.client() as api:
            duties = status_of(api)["duties"]
        self.shares += [duty["done"] for duty in duties]
        return bool(duties)

    def _surveys(self) -> list[int]:
        words = {pid: text for pid, text in children_of(self._gatepost.pid).items() if "surveying" in text}
        return [*words]


MOMENTS: dict[str, Callable[[Walk], object]] = {
    "when its survey has begun": lambda walk: walk.survey(),
    "when the first change was told": lambda walk: walk.told(1),
    "when a third was told": lambda walk: walk.told(700),
}


@contextmanager
def busy_shop(data: Path) -> Iterator[tuple[GatepostProcess, Receiver, Traffic]]:
    """A gatepost with many shoppers, a third of them in Berlin, a job that tells of them, and live traffic."""
    with receiving() as receiver, gatepost_process(data, receiver.url(), NOBODY) as gatepost:
        fill(data)
        gatepost.start()
        traffic = Traffic(gatepost)
        try:
            yield gatepost, receiver, traffic
        finally:
            traffic.end()


def fill(data: Path) -> None:
    """Let every shopper come once, today."""
    pipeline = Pipeline(data, HandClock(time.time_ns() // 1_000_000))
    events = [make_submission(user=f"u{n}", city=CITIES[n % len(CITIES)]) for n in range(SHOPPERS)]
    pipeline.log.append(ACCOUNT, events).result()
    pipeline.settle()
    pipeline.close()


def check(data: Path) -> None:
    """Who is inside is whom the rule wants, and every change was told once and in order."""
    pipeline = Pipeline(data, HandClock(START))
    profiles = pipeline.profiles()
    audiences = pipeline.store.write_blocking(lambda tx: live_audiences(tx, ACCOUNT))
    members = pipeline.store.write_blocking(lambda tx: tx.memberships.members(ACCOUNT, 1, 0, SHOPPERS))
    wanted = DeliveryFilter(account=ACCOUNT, limit=100_000)
    listed = pipeline.store.write_blocking(lambda tx: tx.deliveries.listed(wanted))
    _, now = pipeline.store.write_blocking(lambda tx: tx.ledger.position())
    pipeline.close()

    rule = AccountPlan(SHOP, audiences, (), set()).audiences[1].filter
    fresh = {p.number for p in profiles if rule.evaluate(p.fields, p.windows, now).matches}
    told = defaultdict(list)
    for item in reversed(listed):
        told[item.delivery.profile].append((item.delivery.transition, item.delivery.crossing.value))
    assert len(profiles) == SHOPPERS
    assert {member.profile for member in members} == fresh
    assert len(fresh) > SHOPPERS // 10
    for profile in profiles:
        held = profile.memberships.get(1)
        count = held.transition if held is not None else 0
        assert told[profile.number] == [(n, "enter" if n % 2 else "exit") for n in range(1, count + 1)]
        assert (profile.number in fresh) == (count % 2 == 1)


@pytest.mark.parametrize("rule", RULES)
def test_a_survey_killed_under_load_costs_time_and_nothing_else(tmp_path: Path, rule: str) -> None:
    with busy_shop(tmp_path / "data") as (gatepost, receiver, traffic):
        walk = Walk(gatepost, receiver, rule)
        survey = walk.survey()

        os.kill(survey, signal.SIGKILL)

        before = traffic.answered
        wait_until(lambda: not walk.under_way(), "everybody has been looked at")
        wait_until(lambda: traffic.answered > before, "events are still taken in")
        traffic.end()
        with gatepost.client() as api:
            wait_until_quiet(api)
        assert is_gone(survey)
        assert gatepost.stop() == 0
    assert walk.shares == sorted(walk.shares)
    assert "Traceback" not in gatepost.complaints()
    check(gatepost.data)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_gatepost_killed_in_the_middle_of_a_survey_goes_on_where_it_was(
    tmp_path: Path, moment: str, rule: str
) -> None:
    with busy_shop(tmp_path / "data") as (gatepost, receiver, traffic):
        walk = Walk(gatepost, receiver, rule)
        MOMENTS[moment](walk)
        walk.under_way()
        left_behind = children_of(gatepost.pid)

        gatepost.kill()

        gatepost.wait()
        wait_until(lambda: all(is_gone(pid) for pid in left_behind), "nothing of it runs any more")
        gatepost.start()
        wait_until(lambda: not walk.under_way(), "everybody has been looked at")
        traffic.end()
        with gatepost.client() as api:
            wait_until_quiet(api)
        assert gatepost.stop() == 0
    assert walk.shares == sorted(walk.shares)
    assert "Traceback" not in gatepost.complaints()
    check(gatepost.data)
