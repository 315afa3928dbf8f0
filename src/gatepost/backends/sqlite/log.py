"""The event log in its own SQLite file: one table a day, one writer thread, one sync for many requests."""

import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from gatepost.backends.sqlite.connection import Writer, connect, open_database
from gatepost.backends.sqlite.contents import SqliteContents
from gatepost.backends.sqlite.queries import load_queries
from gatepost.backends.sqlite.remains import SqliteRemains
from gatepost.model.errors import InvalidInput
from gatepost.model.event import Appended, Event, RecordKind, Submission
from gatepost.model.times import DAY, Instant, to_datetime, to_rfc3339
from gatepost.ports.clock import Clock

_SQL = load_queries("log.sql")
_REMEMBERED = 2 * DAY
_CACHE_KIB = 2 * 1024
"""The log is written at its end; a larger cache would only fill up with pages nobody reads again."""

_LATEST: Instant = 1 << 43
"""Ids hold the receive time above 20 bits of counter, within 63 bits: until the year 2248."""

COLUMNS = "id, kind, account, stream, received, at, body, hops"

_EVENT_TABLE = """
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, account INTEGER NOT NULL, stream TEXT NOT NULL,
    received INTEGER NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL, hops INTEGER NOT NULL"""


class SqliteLog:
    """The event log of one process; see `ports.log.EventLog`."""

    def __init__(self, path: Path, clock: Clock, appended: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._appended = appended
        connection = open_database(path, "log", _CACHE_KIB)
        self._last_id: int = _last_id(connection)
        self._head: int = self._last_id
        self._days = days_of(connection)
        self._days_known = True
        self._last_received: Instant = _last_received(connection, self._days)
        self._collected: dict[int, int] = _collected(connection)
        self._writer = Writer(connection, "log", self._on_disk)
        self.remains = SqliteRemains(self._writer, path)
        self.contents = SqliteContents(path)
        self._reader = connect(path)
        self._reading = threading.Lock()

    def append(self, account: int, submissions: Sequence[Submission]) -> Future[Appended]:
        """Append events; the future is done when they are on disk."""
        future = self._submit(lambda connection: self._append(connection, account, submissions))
        future.add_done_callback(lambda done: self._count(account, done))
        return future

    def append_clock(self, to: Instant) -> Future[Appended]:
        """Append a move of audience time."""
        return self._submit(lambda connection: self._append_clock(connection, to))

    def read(self, after: int, limit: int) -> list[Event]:
        """Read records after an id, across day tables."""
        found: list[Event] = []
        if after >= self._head:
            return found
        with self._reading:
            for name in self._tables_after(after):
                rows = self._reader.execute(
                    f"SELECT {COLUMNS} FROM {name} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - our own table names
                    (after, limit - len(found)),
                )
                found += [Event(*row) for row in rows]
                if len(found) >= limit:
                    break
        return found

    def fetch(self, ids: Sequence[int]) -> list[Event]:
        """Read chosen records that are still kept."""
        found: list[Event] = []
        with self._reading:
            for id_ in ids:
                for name in self._tables_after(id_ - 1)[:1]:
                    row = self._reader.execute(f"SELECT {COLUMNS} FROM {name} WHERE id = ?", (id_,))  # noqa: S608 - our own table names
                    found += [Event(*values) for values in row]
        return found

    def head(self) -> int:
        """Return the id of the last record on disk."""
        return self._head

    def collected(self, account: int) -> int:
        """Count the events an account has appended so far."""
        return self._collected.get(account, 0)

    def prune(self, before: Instant, applied: int) -> Future[int]:
        """Drop whole days that are past keeping; the newest always stays."""
        return self._writer.submit(lambda connection: self._prune(connection, before, applied))

    def rewrite(self, bodies: Mapping[int, bytes | None]) -> Future[int]:
        """Replace the bodies of records, or remove records."""
        return self._writer.submit(lambda connection: self._rewrite(connection, bodies))

    def forget_keys(self, account: int, texts: Collection[str]) -> Future[int]:
        """Forget the events' own ids that hold a text."""
        return self._writer.submit(lambda connection: _forget_keys(connection, account, texts))

    def close(self) -> None:
        """Finish what was accepted and close."""
        self._writer.close()
        with self._reading:
            self._reader.close()

    def _submit(self, work: Callable[[sqlite3.Connection], Appended]) -> Future[Appended]:
        future = self._writer.submit(work)
        future.add_done_callback(self._doubt_days)
        return future

    def _on_disk(self, connection: sqlite3.Connection) -> None:
        """After a commit, before anybody is told: take what is on disk for the truth, whatever was rolled back."""
        self._head = self._last_id = _last_id(connection)
        if not self._days_known:
            self._days, self._days_known = days_of(connection), True
        self._appended()

    def _doubt_days(self, future: Future[Appended]) -> None:
        if future.exception() is not None:
            self._days_known = False

    def _count(self, account: int, future: Future[Appended]) -> None:
        if future.exception() is None:
            self._collected[account] = self._collected.get(account, 0) + future.result().accepted

    def _tables_after(self, after: int) -> list[str]:
        # A day whose first append is not committed yet begins beyond the head, and cannot be read.
        head = self._head
        days = [day for day in self._days if day[0] <= head]
        for index in range(len(days) - 1, -1, -1):
            if days[index][0] <= after + 1:
                return [name for _, name in days[index:]]
        return [name for _, name in days]

    def _append(
        self, connection: sqlite3.Connection, account: int, submissions: Sequence[Submission]
    ) -> Appended:
        received = self._stamp(self._clock.audience())
        fresh = _first_sightings(connection, account, submissions, received)
        if not fresh:
            return Appended(0, len(submissions))
        id_ = self._next_id(received)
        rows: list[tuple[object, ...]] = []
        for event in fresh:
            rows.append(
                (
                    id_,
                    event.kind.value,
                    account,
                    event.stream,
                    received,
                    event.at or received,
                    event.body,
                    event.hops,
                )
            )
            id_ += 1
        self._insert(connection, rows, received)
        connection.execute(_SQL["collect"], (f"collected_{account}", len(fresh)))
        return Appended(len(fresh), len(submissions) - len(fresh))

    def _append_clock(self, connection: sqlite3.Connection, to: Instant) -> Appended:
        received = self._stamp(to)
        id_ = self._next_id(received)
        self._insert(connection, [(id_, RecordKind.CLOCK.value, 0, "", received, received, b"", 0)], received)
        return Appended(1)

    def _prune(self, connection: sqlite3.Connection, before: Instant, applied: int) -> int:
        day = f"events_{to_datetime(before):%Y%m%d}"
        ends = [first for first, _ in self._days[1:]]
        old = [
            name
            for (_, name), end in zip(self._days, ends, strict=False)
            if name < day and end <= applied + 1
        ]
        with self._reading:
            for name in old:
                connection.execute(f"DROP TABLE {name}")
                connection.execute(_SQL["remove_day"], (name,))
            self._days = [(first, name) for first, name in self._days if name not in old]
        return len(old)

    def _rewrite(self, connection: sqlite3.Connection, bodies: Mapping[int, bytes | None]) -> int:
        changed = 0
        for id_, body in bodies.items():
            for name in self._tables_after(id_ - 1)[:1]:
                if body is None:
                    row = connection.execute(f"DELETE FROM {name} WHERE id = ?", (id_,))  # noqa: S608 - our own table names
                else:
                    row = connection.execute(f"UPDATE {name} SET body = ? WHERE id = ?", (body, id_))  # noqa: S608 - our own table names
                changed += row.rowcount
        return changed

    def _stamp(self, now: Instant) -> Instant:
        received = max(self._last_received, now)
        if received >= _LATEST:
            msg = f"audience time {to_rfc3339(received)} is beyond what event ids can carry"
            raise InvalidInput(msg, path="now")
        self._last_received = received
        return received

    def _next_id(self, received: Instant) -> int:
        """Ids carry the receive time in their upper bits, and always grow."""
        return max(self._last_id + 1, received << 20)

    def _insert(
        self, connection: sqlite3.Connection, rows: list[tuple[object, ...]], received: Instant
    ) -> None:
        first = self._next_id(received)
        table = self._table(connection, received, first)
        connection.executemany(f"INSERT INTO {table} ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - our own table names
        last = first + len(rows) - 1
        connection.execute(_SQL["keep_last_id"], (last,))
        self._last_id = last

    def _table(self, connection: sqlite3.Connection, received: Instant, first: int) -> str:
        name = f"events_{to_datetime(received):%Y%m%d}"
        if not self._days_known:
            # An append that was rolled back may have taken its new table with it.
            self._days, self._days_known = days_of(connection), True
        if self._days and self._days[-1][1] >= name:
            return self._days[-1][1]
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({_EVENT_TABLE})")
        connection.execute("INSERT INTO days VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, first))
        self._days = [*self._days, (first, name)]
        return name


def _first_sightings(
    connection: sqlite3.Connection, account: int, submissions: Sequence[Submission], received: Instant
) -> Sequence[Submission]:
    if not any(event.key for event in submissions):
        return submissions
    connection.execute(_SQL["forget"], (received - _REMEMBERED,))
    fresh = []
    for event in submissions:
        if event.key:
            known = connection.execute(_SQL["recall"], (account, event.key, received))
            if known.rowcount == 0:
                continue
        fresh.append(event)
    return fresh


def _forget_keys(connection: sqlite3.Connection, account: int, texts: Collection[str]) -> int:
    return sum(connection.execute(_SQL["forget_key"], (account, text)).rowcount for text in texts)


def _collected(connection: sqlite3.Connection) -> dict[int, int]:
    rows = connection.execute(_SQL["collected"])
    return {int(name.removeprefix("collected_")): amount for name, amount in rows}


def days_of(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """Return the tables of the days that are kept, oldest first, each with its first id."""
    return [(first, name) for name, first in connection.execute(_SQL["days"])]


def _last_id(connection: sqlite3.Connection) -> int:
    row = connection.execute(_SQL["last_id"]).fetchone()
    return int(row[0]) if row else 0


def _last_received(connection: sqlite3.Connection, days: list[tuple[int, str]]) -> Instant:
    # The upper bits of an id are a receive time too: the record that had it may have been erased.
    stamped = _last_id(connection) >> 20
    for _, name in reversed(days):
        row = connection.execute(f"SELECT received FROM {name} ORDER BY id DESC LIMIT 1").fetchone()  # noqa: S608 - our own table names
        if row:
            return max(int(row[0]), stamped)
    return stamped
