"""Rivals: what keeping audiences exact costs an event here, beside what one would do instead.

The figure is the time of one event, folded and evaluated, with a windowed audience that is exact after each. Its
baseline is DuckDB recomputing that audience over the same rows, once. `parts` hold the fold beside one that evaluates
every audience on every event, and apply with SQLite beside Bytewax with its recovery doing the same fold.
"""

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from benchmarks import _accounts as accounts
from benchmarks._common import Budget, Figure, Options, Run, alternated, options, progress, scratch
from gatepost.app import tune_interpreter
from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.applying import affected_audiences, evaluate, fold_reading, read_event
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.event import Event, RecordKind, Submission
from gatepost.model.profile import Profile
from gatepost.model.times import DAY

RIVALS = Budget(ours=100)
_WINDOWED = Audience(
    number=1,
    id=f"{1:032x}",
    account=accounts.ACCOUNT,
    name="Regulars",
    slug="regulars",
    filter='FILTER count("web", "7d") >= 3',
)
_SPAN = 30 * DAY


def main() -> None:
    given = options("Measure what an exact audience costs an event, beside recomputing it.")
    tune_interpreter()
    run = Run("rivals", given)
    measured = Rivals(given)
    figure = Figure(
        *alternated(measured.windowed, measured.recomputed, given.rounds),
        "us, an event here, a recomputation there",
        less_is_better=True,
        extra={"events": measured.count, "people": measured.people},
    )
    indexed = alternated(measured.affected_only, measured.every_audience, given.rounds)
    parts = {"every_audience_on_every_event": Figure(*indexed, "events/s, in memory, 50 audiences")}
    with scratch() as folder:
        if rates := measured.beside_bytewax(folder):
            parts["bytewax_with_recovery"] = Figure(*rates, "events/s, durable")
    run.report(figure, RIVALS, parts)


class Rivals:
    """The same events for everybody."""

    def __init__(self, given: Options) -> None:
        self.count, self.people = (5_000, 500) if given.quick else (200_000, 20_000)
        self._rounds = given.rounds
        self._folders = itertools.count()

    def windowed(self) -> float:
        """Return the microseconds an event takes, folded and evaluated."""
        plan = AccountPlan(accounts.schema(), [_WINDOWED], (), set())
        return 1e6 / self._folded(plan, every=False)

    def recomputed(self) -> float:
        """Return the microseconds in which DuckDB recomputes the audience once."""
        import duckdb  # noqa: PLC0415 - installed for benchmarks only

        numbers = range(self.count)
        rows = pd.DataFrame(
            {"person": [n * 7919 % self.people for n in numbers], "moment": [self._at(n) for n in numbers]}
        )
        with duckdb.connect() as connection:
            connection.register("rows", rows)
            connection.execute("CREATE TABLE events AS SELECT * FROM rows")
            query = "SELECT person FROM events WHERE moment > ? GROUP BY person HAVING count(*) >= 3"
            began = time.perf_counter()
            connection.execute(query, (accounts.NOW - 7 * DAY,)).fetchall()
            return (time.perf_counter() - began) * 1e6

    def affected_only(self) -> float:
        """Return events a second, only the audiences evaluated that read what changed."""
        return self._folded(AccountPlan(accounts.schema(), accounts.audiences(), (), set()), every=False)

    def every_audience(self) -> float:
        """Return events a second with every audience evaluated on every event."""
        return self._folded(AccountPlan(accounts.schema(), accounts.audiences(), (), set()), every=True)

    def beside_bytewax(self, folder: Path) -> tuple[list[float], list[float]] | None:
        """Return events a second of apply and of Bytewax; None where there is no Bytewax."""
        try:
            import bytewax  # noqa: F401, PLC0415 - installed for benchmarks only, where it has wheels
        except ImportError:
            progress("  there is no Bytewax for this Python; its part is left out")
            return None
        return alternated(
            lambda: self._applied(folder / str(next(self._folders))),
            lambda: self._streamed(folder / str(next(self._folders))),
            self._rounds,
        )

    def _at(self, number: int) -> int:
        return accounts.NOW - _SPAN + number * _SPAN // self.count

    def _events(self) -> Iterator[Event]:
        for number in range(self.count):
            person, at = number * 7919 % self.people, self._at(number)
            body = orjson.dumps(_body(person, at))
            yield Event(number + 1, RecordKind.EVENT, accounts.ACCOUNT, accounts.STREAM, at, at, body)

    def _folded(self, plan: AccountPlan, *, every: bool) -> float:
        """Fold every event in memory; return how many a second."""
        events = list(self._events())
        people: dict[str, Profile] = {}
        began = time.perf_counter()
        for event in events:
            reading = read_event(plan, event)
            (_, user) = reading.identifiers[0]
            profile = people.get(user)
            if profile is None:
                profile = people[user] = Profile(len(people) + 1, user)
            changed = fold_reading(plan, profile, reading, event.received)
            wanted = plan.audiences if every else affected_audiences(plan, changed)
            evaluate(plan, profile, wanted, event.received)
        return self.count / (time.perf_counter() - began)

    def _applied(self, folder: Path) -> float:
        folder.mkdir()
        store, clock = SqliteStore(folder / "state"), HandClock(accounts.NOW)
        log = SqliteLog(folder / "log", clock)
        store.write_blocking(lambda tx: accounts.put_account(tx, accounts.audiences()[:1]))
        stage = accounts.stage_of(log, store, clock)
        for batch in _batches(self._events(), 500):
            log.append(
                accounts.ACCOUNT, [Submission(accounts.STREAM, event.at, event.body) for event in batch]
            ).result()
        began = time.perf_counter()
        while stage.position < log.head():
            stage.run_once()
        rate = self.count / (time.perf_counter() - began)
        log.close()
        store.close()
        return rate

    def _streamed(self, folder: Path) -> float:
        import bytewax.operators as op  # noqa: PLC0415 - see above
        from bytewax.dataflow import Dataflow  # noqa: PLC0415
        from bytewax.recovery import RecoveryConfig, init_db_dir  # noqa: PLC0415
        from bytewax.testing import TestingSink, TestingSource, run_main  # noqa: PLC0415

        folder.mkdir()
        init_db_dir(folder, 1)
        told: list[Any] = []
        flow = Dataflow("fold")
        source = TestingSource([event.body.decode() for event in self._events()], batch_size=500)
        keyed = op.map("read", op.input("events", flow, source), _keyed)
        folded = op.stateful_map("fold", keyed, _fold)
        op.output("out", op.filter("changed", folded, lambda pair: pair[1]), TestingSink(told))
        began = time.perf_counter()
        run_main(flow, epoch_interval=timedelta(milliseconds=100), recovery_config=RecoveryConfig(folder))
        return self.count / (time.perf_counter() - began)


def _batches(events: Iterator[Event], size: int) -> Iterator[Sequence[Event]]:
    while batch := list(itertools.islice(events, size)):
        yield batch


def _keyed(body: str) -> tuple[str, dict[str, Any]]:
    event = json.loads(body)
    return event["user_id"], event


def _fold(state: dict[str, Any] | None, event: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Fold the same fields, and say whether the one audience is entered."""
    state = state or {"visits": 0, "spent": 0.0, "last_visit": 0, "inside": False}
    state["visits"] += 1
    state["spent"] += event["price"]
    state["last_visit"] = max(state["last_visit"], event["at"])
    for name in ("sku", "email", "city"):
        if name in event:
            state[name] = event[name]
    inside = state["visits"] >= 2
    changed, state["inside"] = inside != state["inside"], inside
    return state, changed


def _body(person: int, at: int) -> dict[str, Any]:
    return {
        "user_id": accounts.user_id(person),
        "event": "purchase",
        "sku": f"A-{person % 89:04}",
        "price": person % 50 + 0.5,
        "at": at,
        "url": "https://shop.example/basket",
    }


if __name__ == "__main__":
    main()
