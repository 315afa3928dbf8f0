"""Tables of a day: what is only kept for a while is dropped whole instead of row by row."""

import sqlite3

from gatepost.backends.sqlite.queries import load_queries
from gatepost.model.times import Instant, to_datetime

_SQL = load_queries("outbox.sql")

_COLUMNS = {
    "finished": """
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL, account INTEGER NOT NULL, job TEXT NOT NULL,
        destination INTEGER NOT NULL, profile INTEGER NOT NULL, audience INTEGER NOT NULL, crossing TEXT NOT NULL,
        at INTEGER NOT NULL, transition INTEGER NOT NULL, snapshot INTEGER NOT NULL, hops INTEGER NOT NULL,
        state TEXT NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL, first_attempt INTEGER NOT NULL,
        body BLOB, created INTEGER NOT NULL, reason TEXT NOT NULL, finished INTEGER NOT NULL, entity BLOB""",
    "attempts": """
        delivery TEXT NOT NULL, number INTEGER NOT NULL, started INTEGER NOT NULL, duration INTEGER NOT NULL,
        status INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, answer BLOB NOT NULL""",
}
_INDEXES = {"finished": "id", "attempts": "delivery"}


class DayTables:
    """The tables of the state file that hold one day each, by wall time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def table(self, kind: str, now: Instant) -> str:
        """Return today's table of a kind, made if need be."""
        day = f"{to_datetime(now):%Y%m%d}"
        name = f"{kind}_{day}"
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({_COLUMNS[kind]})")
        self._connection.execute(f"CREATE INDEX IF NOT EXISTS {name}_key ON {name} ({_INDEXES[kind]})")
        self._connection.execute(_SQL["add_day"], (name, kind, day))
        return name

    def newest_first(self, kind: str) -> list[str]:
        """Return the tables of a kind that are kept."""
        return [name for (name,) in self._connection.execute(_SQL["days"], (kind,))]

    def drop_before(self, instant: Instant) -> int:
        """Drop the tables of days before the one an instant lies in."""
        names = self._connection.execute(_SQL["old_days"], (f"{to_datetime(instant):%Y%m%d}",)).fetchall()
        for (name,) in names:
            self._connection.execute(f"DROP TABLE IF EXISTS {name}")
            self._connection.execute(_SQL["remove_day"], (name,))
        return len(names)
