"""Apply: events a second from the log to applied, with 100,000 profiles and 50 audiences of which 10 are touched.

The baseline is SQLite alone, doing the same reads and writes one event at a time in transactions of the same size.
`parts` hold the memory over three more rounds, and what one busy profile does to everybody else's lag.
"""

import gc
import itertools
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import orjson

from benchmarks import _accounts as accounts
from benchmarks._common import (
    Budget,
    Figure,
    Options,
    Run,
    alternated,
    options,
    percentile,
    progress,
    resident_mib,
    scratch,
)
from gatepost.app import tune_interpreter
from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.model.event import Submission
from gatepost.stages.apply import BATCH, ApplyStage

APPLY = Budget(ours=15_000, baseline=21_000)
HOT_RATE = 5_000
OTHERS_RATE = 2_000
_APPENDED = 500
_TICK_S = 0.01
_DECODE = msgspec.msgpack.Decoder().decode
_ENCODE = msgspec.msgpack.Encoder().encode
_STRIDE = 7_919
"""A prime: walking the profiles by it meets all of them, in an order that no cache likes."""


def main() -> None:
    given = options("Measure apply: from the log to applied, beside bare SQLite.")
    tune_interpreter()
    run = Run("apply", given)
    with scratch() as folder:
        measured = Apply(folder, given)
        ours, baseline = alternated(measured.ours, measured.baseline, given.rounds)
        parts = {"memory": measured.memory(), "hot_profile": measured.hot_profile()}
        run.report(Figure(ours, baseline, "events/s", extra=measured.size()), APPLY, parts)


class Apply:
    """The rounds; each works on a fresh copy of the same profiles, with the same events in the log."""

    def __init__(self, folder: Path, given: Options) -> None:
        self._folder = folder
        self._quick = given.quick
        self._profiles = 2_000 if given.quick else 100_000
        self._events = 2_000 if given.quick else 30_000
        self._state = accounts.stored_profiles(self._profiles)
        self._copies = itertools.count()
        self._users = (number * _STRIDE % self._profiles + 1 for number in itertools.count())

    def size(self) -> dict[str, int]:
        """Return how much there was."""
        return {"profiles": self._profiles, "audiences": len(accounts.audiences()), "events": self._events}

    def ours(self) -> float:
        """Measure the stage."""
        with self._opened() as (log, stage):
            # Audiences are compiled in the first turn; that is start-up, not throughput.
            stage.run_once()
            self._append(log, self._events)
            return self._events / _drained(stage, log)

    def baseline(self) -> float:
        """Measure SQLite alone."""
        path = accounts.copied(self._state, self._folder / str(next(self._copies)))
        log = SqliteLog(path.parent / "log", HandClock(accounts.NOW))
        self._append(log, self._events)
        log.close()
        return self._events / _bare(path, path.parent / "log", self._events)

    def memory(self) -> Figure:
        """Measure the resident memory before and after three rounds on one open store."""
        sizes = []
        with self._opened() as (log, stage):
            for _ in range(4):
                self._append(log, self._events)
                _drained(stage, log)
                gc.collect()
                sizes.append(round(resident_mib(), 1))
        progress(f"  memory: {sizes} MiB")
        return Figure(sizes[-1:], sizes[:1], "MiB", less_is_better=True, extra={"after_each_round": sizes})

    def hot_profile(self) -> Figure:
        """Measure the others' lag without and with one profile that gets thousands of events a second."""
        seconds = 0.5 if self._quick else 4.0
        with self._opened() as (log, stage):
            stage.start()
            alone = self._lags(log, stage, seconds, hot=0)
            beside = self._lags(log, stage, seconds, hot=HOT_RATE)
            stage.stop()
        p50 = {
            side: round(percentile(lags, 0.5), 2) for side, lags in (("ours", beside), ("baseline", alone))
        }
        extra = {"p50_ms": p50, "hot_rate": HOT_RATE, "others_rate": OTHERS_RATE}
        unit = "ms, p99 lag of the other profiles"
        return Figure([percentile(beside, 0.99)], [percentile(alone, 0.99)], unit, True, extra)

    @contextmanager
    def _opened(self) -> Iterator[tuple[SqliteLog, ApplyStage]]:
        path = accounts.copied(self._state, self._folder / str(next(self._copies)))
        clock, store = HandClock(accounts.NOW), SqliteStore(path)
        log = SqliteLog(path.parent / "log", clock)
        try:
            yield log, accounts.stage_of(log, store, clock)
        finally:
            log.close()
            store.close()

    def _append(self, log: SqliteLog, count: int) -> None:
        for _ in range(0, count, _APPENDED):
            log.append(accounts.ACCOUNT, [_event(next(self._users)) for _ in range(_APPENDED)]).result()

    def _lags(self, log: SqliteLog, stage: ApplyStage, seconds: float, hot: int) -> list[float]:
        """Append evenly for some seconds; return the milliseconds from on disk to applied."""
        lags: list[float] = []
        pending: deque[tuple[int, float]] = deque()
        began = time.perf_counter()
        for tick in range(int(seconds / _TICK_S)):
            others = [_event(next(self._users)) for _ in range(int(OTHERS_RATE * _TICK_S))]
            busy = [_event(1) for _ in range(int(hot * _TICK_S))]
            log.append(accounts.ACCOUNT, [*busy, *others]).result()
            stage.wake()
            pending.append((log.head(), time.perf_counter()))
            while pending and (tick + 1) * _TICK_S > time.perf_counter() - began:
                time.sleep(0.0005)
                _take_applied(stage.position, pending, lags)
        while pending:
            time.sleep(0.0005)
            _take_applied(stage.position, pending, lags)
        return lags


def _take_applied(position: int, pending: deque[tuple[int, float]], lags: list[float]) -> None:
    now = time.perf_counter()
    while pending and pending[0][0] <= position:
        lags.append((now - pending.popleft()[1]) * 1000)


def _drained(stage: ApplyStage, log: SqliteLog) -> float:
    """Run turns until everything is applied; return the seconds it took."""
    began = time.perf_counter()
    while stage.position < log.head():
        stage.run_once()
    return time.perf_counter() - began


def _bare(state: Path, log: Path, count: int) -> float:
    """Fold every event of the log with one look-up, one read and one write each; return the seconds it took."""
    connection = sqlite3.connect(state, isolation_level=None, cached_statements=512)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("ATTACH ? AS log", (str(log),))
    (table,) = connection.execute("SELECT name FROM log.days").fetchone()
    began, position = time.perf_counter(), 0
    for _ in range(0, count, BATCH):
        query = f"SELECT id, at, body FROM log.{table} WHERE id > ? ORDER BY id LIMIT {BATCH}"
        events = connection.execute(query, (position,)).fetchall()
        connection.execute("BEGIN IMMEDIATE")
        for _, at, body in events:
            _bare_fold(connection, at, orjson.loads(body))
        position = events[-1][0]
        connection.execute("UPDATE facts SET value = ? WHERE name = 'position'", (position,))
        connection.execute("COMMIT")
    elapsed = time.perf_counter() - began
    connection.close()
    return elapsed


def _bare_fold(connection: sqlite3.Connection, at: int, event: dict[str, Any]) -> None:
    key = (accounts.ACCOUNT, "user_id", event["user_id"])
    find = "SELECT profile FROM identifiers WHERE account = ? AND field = ? AND value = ?"
    (number,) = connection.execute(find, key).fetchone()
    load = "SELECT document FROM profiles WHERE account = ? AND number = ?"
    (document,) = connection.execute(load, (accounts.ACCOUNT, number)).fetchone()
    profile: list[Any] = _DECODE(document)
    fields = profile[2]
    fields["visits"] += 1
    fields["spent"] += event["price"]
    fields["last_visit"] = at
    fields["last_sku"] = event["sku"]
    save = "UPDATE profiles SET document = ? WHERE account = ? AND number = ?"
    connection.execute(save, (_ENCODE(profile), accounts.ACCOUNT, number))


def _event(profile: int) -> Submission:
    body = {
        "user_id": accounts.user_id(profile),
        "event": "purchase",
        "sku": f"A-{profile % 89:04}",
        "price": profile % 50 + 0.5,
        "at": accounts.NOW,
        "url": "https://shop.example/basket",
    }
    return Submission(accounts.STREAM, 0, orjson.dumps(body))


if __name__ == "__main__":
    main()
