"""The catalog and the ledger in SQLite; see `ports.catalog`."""

import sqlite3
from typing import TypeVar

import msgspec

from gatepost.backends.sqlite.queries import load_queries
from gatepost.model.audience import Audience
from gatepost.model.catalog import Account, Authorization, Destination, Job, Template, TemplateVersion, Token
from gatepost.model.schema import Schema
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty, LogEntry, Poison, Record

R = TypeVar("R", Account, Audience, Authorization, Destination, Job, Schema, Template, TemplateVersion, Token)

_SQL = load_queries("catalog.sql")
_ENCODE = msgspec.json.Encoder().encode


class SqliteCatalog:
    """The catalog inside one transaction: every record is a JSON document under its kind and id."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def version(self) -> int:
        """Return the catalog's version."""
        return int(self._connection.execute(_SQL["version"]).fetchone()[0])

    def get(self, kind: type[R], account: int, id_: str) -> R | None:
        """Return one record."""
        row = self._connection.execute(_SQL["get"], (account, kind.__name__, id_)).fetchone()
        return msgspec.json.decode(row[0], type=kind) if row else None

    def list(self, kind: type[R], account: int | None = None) -> list[R]:
        """Return records of a kind, oldest first."""
        if account is None:
            rows = self._connection.execute(_SQL["list_all"], (kind.__name__,))
        else:
            rows = self._connection.execute(_SQL["list"], (account, kind.__name__))
        return [msgspec.json.decode(document, type=kind) for (document,) in rows]

    def ids(self, kind: type[R], account: int, prefix: str) -> tuple[str, ...]:
        """Return the ids that begin with a text, oldest first."""
        rows = self._connection.execute(_SQL["ids"], (account, kind.__name__, prefix, f"{prefix}\U0010ffff"))
        return tuple(id_ for (id_,) in rows)

    def newest(self, kind: type[R], account: int) -> R | None:
        """Return the record of a kind that was made last."""
        row = self._connection.execute(_SQL["newest"], (account, kind.__name__)).fetchone()
        return msgspec.json.decode(row[0], type=kind) if row else None

    def put(self, account: int, id_: str, record: Record) -> None:
        """Insert or replace, and raise the version."""
        self._connection.execute(_SQL["put"], (account, type(record).__name__, id_, _ENCODE(record)))
        self._connection.execute(_SQL["raise_version"])

    def remove(self, kind: type[R], account: int, id_: str) -> bool:
        """Remove, and raise the version."""
        removed = self._connection.execute(_SQL["remove"], (account, kind.__name__, id_))
        self._connection.execute(_SQL["raise_version"])
        return removed.rowcount > 0

    def number(self, series: str) -> int:
        """Return the next number of a series."""
        return int(self._connection.execute(_SQL["number"], (f"series_{series}",)).fetchone()[0])


class SqliteLedger:
    """The store's own books inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def position(self) -> tuple[int, Instant]:
        """Return the last applied id and the audience time reached."""
        execute = self._connection.execute
        return (
            int(execute(_SQL["fact"], ("position",)).fetchone()[0]),
            int(execute(_SQL["fact"], ("audience_time",)).fetchone()[0]),
        )

    def advance(self, position: int, now: Instant) -> None:
        """Store the position."""
        facts = [(position, "position"), (now, "audience_time")]
        self._connection.executemany(_SQL["set_fact"], facts)

    def duties(self) -> list[Duty]:
        """Return unfinished duties."""
        rows = self._connection.execute(_SQL["duties"])
        return [
            msgspec.structs.replace(msgspec.json.decode(document, type=Duty), id=id_)
            for id_, document in rows
        ]

    def add_duty(self, duty: Duty) -> None:
        """Store a duty."""
        self._connection.execute(_SQL["add_duty"], (duty.account, _ENCODE(duty)))

    def step_duty(self, duty: Duty, cursor: int | None) -> None:
        """Store how far a duty got; None ends it."""
        if cursor is None:
            self._connection.execute(_SQL["end_duty"], (duty.id,))
        else:
            self.change_duty(msgspec.structs.replace(duty, cursor=cursor))

    def change_duty(self, duty: Duty) -> None:
        """Replace what is stored of a duty."""
        self._connection.execute(_SQL["change_duty"], (_ENCODE(duty), duty.id))

    def write_log(self, account: int, entries: list[LogEntry]) -> None:
        """Add to job logs."""
        rows = [(account, entry.job, entry.at, _ENCODE(entry)) for entry in entries]
        self._connection.executemany(_SQL["write_log"], rows)

    def read_log(self, account: int, job: str, since: Instant, limit: int) -> list[LogEntry]:
        """Return a job's log, or every job's."""
        if job:
            rows = self._connection.execute(_SQL["read_job_log"], (account, job, since, limit))
        else:
            rows = self._connection.execute(_SQL["read_log"], (account, since, limit))
        return [msgspec.json.decode(document, type=LogEntry) for (document,) in rows]

    def prune_log(self, before: Instant, limit: int) -> int:
        """Drop old job log lines."""
        return self._connection.execute(_SQL["prune_log"], (before, limit)).rowcount

    def count(self, account: int, amounts: dict[str, int]) -> None:
        """Add to named counters."""
        rows = [(account, name, amount) for name, amount in amounts.items() if amount]
        self._connection.executemany(_SQL["count"], rows)

    def counters(self, account: int) -> dict[str, int]:
        """Return the named counters."""
        return dict(self._connection.execute(_SQL["counters"], (account,)).fetchall())

    def set_aside(self, poison: Poison) -> None:
        """Record a poison event."""
        row = (poison.event, poison.account, poison.stream, poison.error, poison.at)
        self._connection.execute(_SQL["set_aside"], row)

    def poisons(self, account: int, limit: int) -> list[Poison]:
        """Return the events set aside."""
        rows = self._connection.execute(_SQL["poisons"], (account, limit))
        return [
            Poison(event=event, account=owner, stream=stream, error=error, at=at)
            for event, owner, stream, error, at in rows
        ]
