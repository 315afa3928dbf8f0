"""A new audience over everybody stored: how long until it is evaluated, idle and beside live events.

The baseline is SQLite alone, reading and decoding the same profiles and writing as many of them back. `parts` hold the
same under half load: what apply takes at most is the budget of `benchmarks.apply`, half of that is fed all the while,
and the lag of those events is told beside their lag without an evaluation. `windowed` is an audience over the last days
that nobody kept count of, filled from the past; its baseline is the walk of apply alone.
"""

import itertools
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    scratch,
)
from gatepost.backends.clock import HandClock
from gatepost.backends.sqlite.log import SqliteLog
from gatepost.backends.sqlite.store import SqliteStore
from gatepost.backends.sqlite.survey import SqliteSurveyor
from gatepost.model.event import Submission
from gatepost.model.profile import Profile
from gatepost.operations.audiences import AudienceDraft, put_audience
from gatepost.stages.apply import ApplyStage

MILLION = 1_000_000
NEW = Budget(ours=20.0)
"""Seconds for a million profiles."""
_RULE = 'AND (city = "Porto", last_visit > "now-60d")'
"""A tenth is inside, and each of them has an instant at which she leaves."""
_WINDOWED = 'sum("event.price", "4d") > 60'
"""Three events of each profile are within its reach, and for half of all they are worth enough."""
_LIVE = 7_500
_TICK_S = 0.01
_STEP = 2_000
_STRIDE = 7_919
_DECODE = msgspec.msgpack.Decoder(Profile).decode
_ENCODE = msgspec.msgpack.Encoder().encode


def main() -> None:
    given = options("Measure how long a new audience takes over stored profiles, beside bare SQLite.")
    run = Run("audience", given)
    with scratch() as folder:
        measured = NewAudience(folder, given)
        windowed = NewAudience(folder / "past", given, _WINDOWED)
        ours, baseline = alternated(measured.idle, measured.baseline, given.rounds)
        run.report(
            Figure(ours, baseline, "s for 1,000,000 profiles", less_is_better=True, extra=measured.size()),
            NEW,
            {
                "half_load": measured.half_load(),
                "live_lag": measured.live_lag(),
                "windowed": windowed.walked(),
                "windowed_half_load": windowed.half_load(),
                "windowed_live_lag": windowed.live_lag(),
            },
        )


class NewAudience:
    """The rounds; each works on a fresh copy of the same profiles."""

    def __init__(self, folder: Path, given: Options, rule: str = _RULE) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._rule = rule
        past = rule == _WINDOWED
        self._profiles = 6_000 if given.quick else 100_000 if past else 200_000
        self._state = (accounts.stored_past if past else accounts.stored_profiles)(self._profiles)
        self._copies = itertools.count()
        self._lags: dict[str, list[float]] = {"alone": [], "beside": []}
        self._seconds = 0.5 if given.quick else 3.0
        self._live = 500 if given.quick else _LIVE

    def size(self) -> dict[str, int]:
        """Return how much there was; seconds are told for a million."""
        return {"profiles": self._profiles, "audiences": len(accounts.audiences())}

    def idle(self) -> float:
        """Measure the evaluation with nothing else to do."""
        with self._opened() as (_, store, stage):
            return self._evaluated(store, stage) * self._scale

    def walked(self) -> Figure:
        """Measure the evaluation with somebody who looks ahead, and without."""
        ours = self.idle()
        with self._opened(surveyed=False) as (_, store, stage):
            walked = self._evaluated(store, stage) * self._scale
        progress(f"  windowed: {ours:,.3g}, walked: {walked:,.3g}")
        return Figure([ours], [walked], "s for 1,000,000 profiles", True, self.size())

    def baseline(self) -> float:
        """Measure SQLite alone: every profile read and decoded, a tenth written back."""
        path = accounts.copied(self._state, self._folder / str(next(self._copies)))
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        started = time.perf_counter()
        after = 0
        while profiles := _read(connection, after):
            after = profiles[-1].number
            rows = [(_ENCODE(one), accounts.ACCOUNT, one.number) for one in profiles[::10]]
            connection.execute("BEGIN")
            connection.executemany("UPDATE profiles SET document = ? WHERE account = ? AND number = ?", rows)
            connection.execute("COMMIT")
        taken = time.perf_counter() - started
        connection.close()
        return taken * self._scale

    def half_load(self) -> Figure:
        """Measure the evaluation while half of what apply can take comes in."""
        with self._opened() as (log, store, stage):
            with _Feed(log, stage, self._profiles, self._live, self._lags["alone"]):
                time.sleep(self._seconds)
            with _Feed(log, stage, self._profiles, self._live, self._lags["beside"]):
                taken = self._evaluated(store, stage) * self._scale
        progress(f"  under half load: {taken:,.3g}")
        extra = {"live_events_per_second": self._live, "budget": 120}
        return Figure([taken], [120.0], "s for 1,000,000 profiles", True, extra)

    def live_lag(self) -> Figure:
        """Tell the live events' lag beside the evaluation and without it; measured by `half_load`."""
        beside, alone = (percentile(self._lags[which] or [0.0], 0.99) for which in ("beside", "alone"))
        return Figure([beside], [alone], "ms, p99 lag of live events", True, {"budget": "at most doubled"})

    @property
    def _scale(self) -> float:
        return MILLION / self._profiles

    def _evaluated(self, store: SqliteStore, stage: ApplyStage) -> float:
        """Save a new audience and wait until everybody has been looked at; return the seconds."""
        started = time.perf_counter()
        store.write_blocking(
            lambda tx: put_audience(tx, accounts.ACCOUNT, AudienceDraft("Fresh", self._rule), accounts.NOW)
        )
        stage.wake()
        while store.write_blocking(lambda tx: tx.ledger.duties()):
            time.sleep(_TICK_S)
        return time.perf_counter() - started

    @contextmanager
    def _opened(self, *, surveyed: bool = True) -> Iterator[tuple[SqliteLog, SqliteStore, ApplyStage]]:
        path = accounts.copied(self._state, self._folder / str(next(self._copies)))
        clock = HandClock(accounts.NOW)
        store, log = SqliteStore(path), SqliteLog(path.parent / "log", clock)

        def wake() -> None:
            stage.wake()

        stage = accounts.stage_of(log, store, clock, SqliteSurveyor(path, wake) if surveyed else None)
        # Audiences are compiled in the first turn; that is start-up.
        stage.run_once()
        # The stored audiences have numbers of their own.
        store.write_blocking(lambda tx: [tx.catalog.number("audience") for _ in accounts.audiences()])
        stage.start()
        yield log, store, stage
        stage.stop()
        log.close()
        store.close()


class _Feed:
    """Appends live events at a steady rate and notes how long each tick's take until they are applied."""

    def __init__(
        self, log: SqliteLog, stage: ApplyStage, profiles: int, rate: int, lags: list[float]
    ) -> None:
        self._log = log
        self._stage = stage
        self._users = (number * _STRIDE % profiles + 1 for number in itertools.count())
        self._rate = rate
        self._lags = lags
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._append, self._watch)]
        self._sent: list[tuple[int, float]] = []

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _append(self) -> None:
        due = time.perf_counter()
        while not self._ending.is_set():
            events = [self._event() for _ in range(round(self._rate * _TICK_S))]
            began = time.perf_counter()
            self._log.append(accounts.ACCOUNT, events).result()
            self._sent.append((self._log.head(), began))
            self._stage.wake()
            due += _TICK_S
            time.sleep(max(0.0, due - time.perf_counter()))

    def _watch(self) -> None:
        while not self._ending.is_set():
            position, now = self._stage.position, time.perf_counter()
            while self._sent and self._sent[0][0] <= position:
                self._lags.append((now - self._sent.pop(0)[1]) * 1_000)
            time.sleep(_TICK_S / 10)

    def _event(self) -> Submission:
        number = next(self._users)
        body = {"user_id": accounts.user_id(number), "sku": f"A-{number % 97:04}", "price": 12.5}
        return Submission(accounts.STREAM, accounts.NOW, orjson.dumps(body))


def _read(connection: sqlite3.Connection, after: int) -> list[Profile]:
    rows = connection.execute(
        "SELECT document FROM profiles WHERE account = ? AND number > ? ORDER BY number LIMIT ?",
        (accounts.ACCOUNT, after, _STEP),
    )
    return [_DECODE(document) for (document,) in rows]


if __name__ == "__main__":
    main()
