"""Kept events, read by another process than the one that writes the log."""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from gatepost.backends.sqlite.log import COLUMNS, days_of
from gatepost.model.event import Event

_TOGETHER = 32
"""Records that one query looks up: a call costs more than a row."""


class SqlitePast:
    """Events by id."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._firsts: list[int] = []
        self._names: list[str] = []

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Keep to one state of the log for the length of a block: a day may be dropped at any time."""
        self._connection.execute("BEGIN")
        try:
            days = days_of(self._connection)
            self._firsts, self._names = [first for first, _ in days], [name for _, name in days]
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def fetch(self, ids: Sequence[int]) -> list[Event]:
        """Return those of some records that are still kept; ids are in order, and so are records."""
        found: list[Event] = []
        for day, members in groupby(ids, lambda id_: bisect_right(self._firsts, id_)):
            within = list(members) if day else []
            for start in range(0, len(within), _TOGETHER):
                found += self._together(self._names[day - 1], within[start : start + _TOGETHER])
        return found

    def _together(self, table: str, ids: Sequence[int]) -> Iterator[Event]:
        places = ", ".join("?" * len(ids))
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM {table} WHERE id IN ({places}) ORDER BY id",  # noqa: S608 - our own table names
            ids,
        )
        return (Event(*row) for row in rows)
