"""Timers: how late an exit by the passage of time is, with a million timers pending.

Ten thousand profiles are due at one instant: the figure is the time from that instant to the last of their exits. The
baseline evaluates every stored profile, which is what a system without timers has to do. `parts` hold how late single
exits are, one due every second (dates are compared at whole seconds), and the memory of the process.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import _accounts as accounts
from benchmarks._common import (
    CACHE,
    Budget,
    Figure,
    Options,
    Run,
    options,
    percentile,
    progress,
    resident_mib,
    scratch,
)
from gatepost.app import tune_interpreter
from gatepost.backends.clock import SystemClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.core.applying import evaluate
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.profile import Profile
from gatepost.model.schema import Field, FieldType, MergeOperator, Schema
from gatepost.model.times import DAY, SECOND, Instant
from gatepost.ports.profiles import Crossed, ProfileChanges
from gatepost.ports.store import Transaction
from gatepost.stages.apply import ApplyStage

TIMERS = Budget(ours=1.0)
NOW = accounts.NOW
_SCHEMA = Schema(
    version=1,
    ranks=("user_id",),
    fields=(
        Field(name="user_id", identifier=True),
        Field(name="last_visit", type=FieldType.DATE, merge=MergeOperator.MAX),
    ),
)
_RECENT = Audience(
    number=1,
    id=f"{1:032x}",
    account=accounts.ACCOUNT,
    name="Recent",
    slug="recent",
    filter='FILTER last_visit > "now-30d"',
)
_CHUNK = 5_000
_FIXTURE = 2
_TOGETHER_AT = NOW + 3 * SECOND
_FIRST_SINGLE = NOW + 8 * SECOND
_BETWEEN_SINGLES = SECOND
_LATEST_S = 60.0


def main() -> None:
    given = options("Measure timers: how late exits by time are with a million pending.")
    tune_interpreter()
    run = Run("timers", given)
    with scratch() as folder:
        measured = Timers(folder, given)
        together, singles, memory = measured.ours()
        baseline = measured.baseline()
        parts = {
            "single_exits": Figure(
                [percentile(singles, 0.99)],
                [baseline * 1000],
                "ms late, p99",
                less_is_better=True,
                extra={"p50_ms": round(percentile(singles, 0.5), 1), "exits": len(singles)},
            ),
            "memory": Figure([memory[1]], [memory[0]], "MiB", less_is_better=True),
        }
        figure = Figure([together], [baseline], "s", less_is_better=True, extra=measured.size())
        run.report(figure, TIMERS, parts)


class Clock(SystemClock):
    """Audience time that begins at the fixture's instant and passes as wall time does."""

    def __init__(self) -> None:
        self._began = time.time_ns()

    def audience(self) -> Instant:
        return NOW + (time.time_ns() - self._began) // 1_000_000


class Timers:
    """One store with many timers pending."""

    def __init__(self, folder: Path, given: Options) -> None:
        self._pending, self._together, self._singles = (
            (2_000, 500, 2) if given.quick else (1_000_000, 10_000, 15)
        )
        self._state = _stored(self._pending, self._together, self._singles)
        self._path = accounts.copied(self._state, folder / "data")

    def size(self) -> dict[str, int]:
        """Return how much there was."""
        return {"timers_pending": self._pending, "due_together": self._together}

    def ours(self) -> tuple[float, list[float], tuple[float, float]]:
        """Return the seconds that many exits due together took, how late single ones were, and the memory."""
        with self._opened() as (clock, stage):
            stage.run_once()
            before = resident_mib()
            stage.start()
            with closing(sqlite3.connect(self._path)) as reader:
                left = self._pending - self._together
                together = _waited(reader, clock, left, _TOGETHER_AT) / 1000
                progress(f"  {self._together:,} exits due together: {together:.3f} s")
                singles = [
                    _waited(reader, clock, left - number - 1, _single_at(number))
                    for number in range(self._singles)
                ]
            stage.stop()
            return together, singles, (round(before, 1), round(resident_mib(), 1))

    def baseline(self) -> float:
        """Return the seconds that evaluating every stored profile takes."""
        plan = AccountPlan(_SCHEMA, [_RECENT], (), set())
        store = SqliteStore(self._path)
        rule = plan.audiences[1].filter.evaluate
        began, after, inside = time.perf_counter(), 0, 0
        while profiles := store.write_blocking(partial(_slice, after=after)):
            inside += sum(rule(one.fields, one.windows, NOW).matches for one in profiles)
            after = profiles[-1].number
        store.close()
        elapsed = time.perf_counter() - began
        progress(f"  every profile evaluated, {inside:,} inside: {elapsed:.3f} s")
        return elapsed

    @contextmanager
    def _opened(self) -> Iterator[tuple[Clock, ApplyStage]]:
        store, clock = SqliteStore(self._path), Clock()
        log = SqliteLog(self._path.parent / "log", clock)
        try:
            yield clock, accounts.stage_of(log, store, clock)
        finally:
            log.close()
            store.close()


def _waited(reader: sqlite3.Connection, clock: Clock, size: int, due: Instant) -> float:
    """Wait until so many are left; return the milliseconds since they were due."""
    pause = threading.Event()
    deadline = time.monotonic() + _LATEST_S
    query = "SELECT size FROM audience_sizes WHERE audience = 1"
    while reader.execute(query).fetchone()[0] > size:
        if time.monotonic() > deadline:
            raise SystemExit(f"after {_LATEST_S:.0f} s more than {size:,} are still inside")
        pause.wait(0.001)
    late = clock.audience() - due
    if late < 0:
        raise SystemExit(f"an exit came {-late} ms before it was due")
    return float(late)


def _slice(tx: Transaction, after: int) -> Sequence[Profile]:
    return tx.profiles.scan(accounts.ACCOUNT, after, _CHUNK)


def _single_at(number: int) -> Instant:
    return _FIRST_SINGLE + number * _BETWEEN_SINGLES


def _stored(pending: int, together: int, singles: int) -> Path:
    """Return a state file with this many members, each with a timer; made once and kept."""
    path = CACHE / f"timers-{pending}-{_FIXTURE}"
    if path.is_file():
        return path
    progress(f"  writing {pending:,} profiles, once")
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    store = SqliteStore(fresh)
    store.write_blocking(_put_account)
    plan = AccountPlan(_SCHEMA, [_RECENT], (), set())
    due = [_TOGETHER_AT] * together + [_single_at(number) for number in range(singles)]
    for first in range(0, pending, _CHUNK):
        rest = range(first, min(first + _CHUNK, pending))
        # The others leave one after the other during the month that follows.
        instants = [due[n] if n < len(due) else NOW + DAY + n * 2_000 for n in rest]
        store.write_blocking(partial(_put, plan=plan, instants=instants))
    store.close()
    fresh.rename(path)
    return path


def _put_account(tx: Transaction) -> None:
    accounts.put_account(tx, [_RECENT])
    tx.catalog.put(accounts.ACCOUNT, "1", _SCHEMA)


def _put(tx: Transaction, plan: AccountPlan, instants: Sequence[Instant]) -> None:
    saved, crossed = [], []
    for due in instants:
        number = tx.profiles.allocate()
        user = accounts.user_id(number)
        one = Profile(
            number,
            f"{number:032x}",
            fields={"user_id": user, "last_visit": due - 30 * DAY},
            identifiers={"user_id": {user: due - 30 * DAY}},
            created=NOW - 90 * DAY,
            modified=NOW,
        )
        crossed += [(number, transition) for transition in evaluate(plan, one, plan.audiences, NOW)]
        one.timer = min(one.due.values())
        saved.append(one)
    first = tx.memberships.reserve(len(crossed))
    changes = ProfileChanges(
        saved=saved,
        identified={("user_id", accounts.user_id(one.number)): one.number for one in saved},
        crossed=[Crossed(number, transition, first + at) for at, (number, transition) in enumerate(crossed)],
        timers={one.number: (0, one.timer) for one in saved},
    )
    tx.profiles.save(accounts.ACCOUNT, changes)
    tx.ledger.advance(0, NOW)


if __name__ == "__main__":
    main()
