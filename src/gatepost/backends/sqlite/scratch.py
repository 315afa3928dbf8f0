"""Throw-away databases for work on the past: a store nobody keeps, and events in the order they happened."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gatepost.backends.sqlite.connection import connect, migrate
from gatepost.backends.sqlite.queries import load_queries
from gatepost.backends.sqlite.store import SqliteTransaction
from gatepost.model.event import Event, RecordKind
from gatepost.model.times import Instant
from gatepost.ports.store import Transaction

_SQL = load_queries("scratch.sql")
_EVENTS = frozenset({RecordKind.EVENT, RecordKind.HISTORY, RecordKind.ATTRIBUTES})
_AT_ONCE = 5_000
"""Rows a read takes, so that none holds back the upkeep of the live file."""
_TEMPORARY = ""
"""SQLite's name for a private database that spills to disk when it is large."""


class ScratchStore:
    """A store of one thread that ends with its process."""

    def __init__(self) -> None:
        self._connection = _scratch()
        migrate(self._connection, "state", Path("scratch"))
        self._transaction = SqliteTransaction(self._connection)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Open a transaction; nothing of it outlives the process anyway."""
        self._connection.execute("BEGIN")
        yield self._transaction
        self._connection.execute("COMMIT")


def as_happened(
    log: Path, account: int, until: Instant, told: Callable[[float], None] = lambda _: None
) -> Iterator[tuple[int, Event]]:
    """Yield an account's kept events up to an instant in the order of their own times, received when they happened.

    Each comes with the id of its record in the log. `told` hears the share of the log that has been read; events come
    when all of it has.
    """
    with closing(_scratch()) as sorting:
        sorting.execute(_SQL["make_events"])
        with closing(connect(log)) as live:
            days = [name for name, _ in live.execute(_SQL["days"]).fetchall()]
            for place, day in enumerate(days):
                _take_day(live, sorting, day, (account, until))
                told((place + 1) / len(days))
        for number, row in enumerate(sorting.execute(_SQL["in_order"]), start=1):
            record, kind, stream, at, body, hops = row
            told_as = RecordKind.EVENT if kind == RecordKind.HISTORY else RecordKind(kind)
            yield record, Event(number, told_as, account, stream, at, at, body, hops)


def earliest(log: Path, account: int) -> Instant | None:
    """Return when the first kept event of an account happened."""
    with closing(connect(log)) as live:
        days = [name for name, _ in live.execute(_SQL["days"]).fetchall()]
        query = "SELECT min(at) FROM {} WHERE account = ?"
        found = [live.execute(query.format(day), (account,)).fetchone()[0] for day in days]
    return min((at for at in found if at is not None), default=None)


def _take_day(
    live: sqlite3.Connection, sorting: sqlite3.Connection, day: str, wanted: tuple[int, Instant]
) -> None:
    query = f"SELECT id, account, kind, stream, at, body, hops FROM {day} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 - our own table names
    account, until = wanted
    after = 0
    while rows := live.execute(query, (after, _AT_ONCE)).fetchall():
        after = rows[-1][0]
        kept = [
            (id_, kind, *rest)
            for id_, owner, kind, *rest in rows
            if owner == account and kind in _EVENTS and rest[1] <= until
        ]
        sorting.executemany(_SQL["keep"], kept)


def _scratch() -> sqlite3.Connection:
    connection = sqlite3.connect(_TEMPORARY, isolation_level=None, cached_statements=512)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA cache_size = -262144")
    return connection
