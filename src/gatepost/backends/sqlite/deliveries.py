"""Deliveries to look at and to replay, unfinished and finished, in SQLite; see `ports.outbox.Deliveries`."""

import sqlite3
import zlib
from typing import Any

from gatepost.backends.sqlite.days import DayTables
from gatepost.backends.sqlite.queries import load_queries
from gatepost.backends.sqlite.rows import DELIVERY_COLUMNS, OUTBOX_COLUMNS, delivery_of
from gatepost.model.delivery import Attempt, DeliveryState
from gatepost.model.times import Instant
from gatepost.ports.outbox import DeliveryFilter, Listed, Replay

_SQL = load_queries("outbox.sql")
_FINISHED = f"SELECT {DELIVERY_COLUMNS}, 0, reason, finished FROM"
_BEYOND_HEX = "g"
"""Sorts after every hexadecimal digit."""
_FINISHED_STATES = ("delivered", "refused", "omitted", "dead", "cancelled")


class SqliteDeliveries:
    """Deliveries inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._days = DayTables(connection)

    def listed(self, wanted: DeliveryFilter) -> list[Listed]:
        """Return deliveries, newest first."""
        before = wanted.before or 2**62
        values = (wanted.account, wanted.job, wanted.state, wanted.profile, before, wanted.limit)
        rows: list[tuple[Any, ...]] = self._connection.execute(_SQL["list_unfinished"], values).fetchall()
        if not wanted.state or wanted.state in _FINISHED_STATES:
            for table in self._days.newest_first("finished"):
                rows += self._connection.execute(
                    f"{_FINISHED} {table}"
                    " WHERE account = ?1 AND (?2 = '' OR job = ?2) AND (?3 = '' OR state = ?3)"
                    " AND (?4 = 0 OR profile = ?4) AND seq < ?5 ORDER BY seq DESC LIMIT ?6",
                    values,
                ).fetchall()
        listed = [_listed(row) for row in rows]
        return sorted(listed, key=lambda item: -item.delivery.seq)[: wanted.limit]

    def get(self, account: int, delivery: str) -> Listed | None:
        """Return one delivery by id."""
        row = self._connection.execute(
            f"SELECT {OUTBOX_COLUMNS}, '', 0 FROM outbox WHERE id = ? AND account = ?",  # noqa: S608 - our own column names
            (delivery, account),
        ).fetchone()
        if row is not None:
            return _listed(row)
        found = self._finished(account, delivery)
        return _listed(found[1]) if found else None

    def beginning_with(self, account: int, prefix: str, limit: int) -> list[Listed]:
        """Return deliveries whose ids begin with a prefix, by the indexes of the ids."""
        values = (prefix, prefix + _BEYOND_HEX, account, limit)
        rows: list[tuple[Any, ...]] = self._connection.execute(
            _SQL["unfinished_by_prefix"], values
        ).fetchall()
        for table in self._days.newest_first("finished"):
            query = f"{_FINISHED} {table} WHERE id >= ?1 AND id < ?2 AND account = ?3 ORDER BY id LIMIT ?4"
            rows += self._connection.execute(query, values).fetchall()
        return [_listed(row) for row in rows[:limit]]

    def attempts(self, account: int, delivery: str) -> list[Attempt]:
        """Return a delivery's attempts in order."""
        if self.get(account, delivery) is None:
            return []
        rows: list[tuple[Any, ...]] = []
        for table in self._days.newest_first("attempts"):
            query = f"SELECT * FROM {table} WHERE delivery = ?"  # noqa: S608 - our own table names
            rows += self._connection.execute(query, (delivery,)).fetchall()
        return sorted((_attempt(row) for row in rows), key=lambda attempt: (attempt.started, attempt.number))

    def counts(self, account: int, job: str = "") -> dict[str, int]:
        """Count deliveries by state."""
        counts = {state.value: 0 for state in DeliveryState}
        for query in ("unfinished_counts", "finished_counts"):
            counts.update(dict(self._connection.execute(_SQL[query], (account, job)).fetchall()))
        return counts

    def prune(self, before: Instant) -> int:
        """Drop whole days of finished deliveries and attempts."""
        return self._days.drop_before(before)

    def snapshot(self, account: int, delivery: str) -> bytes | None:
        """Return the snapshot of a finished delivery."""
        found = self._finished(account, delivery)
        if found is None:
            return None
        table, (seq, *_) = found
        query = f"SELECT entity FROM {table} WHERE seq = ?"  # noqa: S608 - our own table names
        (entity,) = self._connection.execute(query, (seq,)).fetchone()
        return None if entity is None else zlib.decompress(entity)

    def replay(self, account: int, delivery: str, again: Replay) -> None:
        """Put a finished delivery back at the end of a profile's queue, under the same id."""
        found = self._finished(account, delivery)
        if found is None:
            return
        table, row = found
        old = _listed(row).delivery
        execute = self._connection.execute
        snapshot = execute(_SQL["add_snapshot"], (1, zlib.compress(again.snapshot, 1))).lastrowid
        values = (
            old.id, old.account, old.job, old.destination, again.profile, old.audience, old.crossing.value, old.at,
            old.transition, snapshot, old.hops, old.attempts, old.created,
        )  # fmt: skip
        seq = execute(_SQL["requeue"], values).lastrowid
        self._connection.executemany(_SQL["hold_too"], [(number, seq) for number in sorted(again.others)])
        execute(f"DELETE FROM {table} WHERE seq = ?", (old.seq,))  # noqa: S608 - our own table names
        execute(_SQL["tally"], (account, old.job, old.state.value, -1))

    def _finished(self, account: int, delivery: str) -> tuple[str, tuple[Any, ...]] | None:
        for table in self._days.newest_first("finished"):
            row = self._connection.execute(
                f"{_FINISHED} {table} WHERE id = ? AND account = ?",
                (delivery, account),
            ).fetchone()
            if row is not None:
                return table, row
        return None


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(delivery=delivery_of(row), reason=row[-2], finished=row[-1])


def _attempt(row: tuple[Any, ...]) -> Attempt:
    delivery, number, started, duration, status, verdict, reason, answer = row
    return Attempt(
        delivery=delivery, number=number, started=started, duration=duration,
        status=status, verdict=verdict, reason=reason, answer=answer,
    )  # fmt: skip
