"""The seam to what a user configures, and to the small facts a store keeps about itself."""

from typing import Protocol, TypeVar

import msgspec

from gatepost.model.audience import Audience
from gatepost.model.catalog import Account, Authorization, Destination, Job, Template, TemplateVersion, Token
from gatepost.model.jsonvalue import JsonObject
from gatepost.model.schema import Schema
from gatepost.model.times import Instant

Record = Account | Audience | Authorization | Destination | Job | Schema | Template | TemplateVersion | Token
R = TypeVar("R", Account, Audience, Authorization, Destination, Job, Schema, Template, TemplateVersion, Token)


class Catalog(Protocol):
    """Configured things by kind and id; every change raises the version, by which others notice."""

    def version(self) -> int:
        """Return the version of the whole catalog."""

    def get(self, kind: type[R], account: int, id_: str) -> R | None:
        """Return one record."""

    def list(self, kind: type[R], account: int | None = None) -> list[R]:
        """Return all records of a kind, of one account or of all, oldest first."""

    def ids(self, kind: type[R], account: int, prefix: str) -> tuple[str, ...]:
        """Return the ids of a kind that begin with a text, oldest first."""

    def newest(self, kind: type[R], account: int) -> R | None:
        """Return the record of a kind that was made last, such as the newest version of a schema."""

    def put(self, account: int, id_: str, record: Record) -> None:
        """Insert or replace."""

    def remove(self, kind: type[R], account: int, id_: str) -> bool:
        """Remove; say whether it was there."""

    def number(self, series: str) -> int:
        """Return the next number of a series; never reused."""


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's log."""

    job: str
    at: Instant
    level: str
    message: str
    code: str = ""
    context: JsonObject = {}


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A long walk that apply does in steps: evaluating an audience, or sending a job's first members."""

    id: int = 0
    account: int
    kind: str
    """`evaluate`, `fill` (a new audience), `dissolve`, `backfill`, `lapse` (a changed `keep_days`) or `erase`."""
    subject: str
    """The audience's number, the job's id, or the request's; empty for a `lapse`, and for events that came too late."""
    audience: int
    cursor: int = 0
    before: int = 0
    """For a backfill: only members whose transition is at most this one."""
    sources: tuple[str, ...] = ()
    """For an audience: windows that nobody kept so far, to be filled from the past first."""
    met: tuple[int, ...] = ()
    """For a backfill: profiles beyond the cursor whose merge brought in a member it had met."""


class Poison(msgspec.Struct, frozen=True, kw_only=True):
    """An event that could not be applied and was set aside."""

    event: int
    account: int
    stream: str
    error: str
    at: Instant


class Ledger(Protocol):
    """The store's own books: position in the log, duties, job logs, counters, what was set aside."""

    def position(self) -> tuple[int, Instant]:
        """Return the id of the last applied record and the audience time reached."""

    def advance(self, position: int, now: Instant) -> None:
        """Store the position."""

    def duties(self) -> list[Duty]:
        """Return unfinished duties, oldest first."""

    def add_duty(self, duty: Duty) -> None:
        """Store a duty."""

    def step_duty(self, duty: Duty, cursor: int | None) -> None:
        """Store how far a duty got; None ends it."""

    def change_duty(self, duty: Duty) -> None:
        """Replace what is stored of a duty."""

    def write_log(self, account: int, entries: list[LogEntry]) -> None:
        """Add to job logs."""

    def read_log(self, account: int, job: str, since: Instant, limit: int) -> list[LogEntry]:
        """Return a job's log (or all jobs' when empty), oldest first."""

    def prune_log(self, before: Instant, limit: int) -> int:
        """Drop up to `limit` job log lines older than an instant; return how many."""

    def count(self, account: int, amounts: dict[str, int]) -> None:
        """Add to named counters."""

    def counters(self, account: int) -> dict[str, int]:
        """Return the named counters."""

    def set_aside(self, poison: Poison) -> None:
        """Record a poison event."""

    def poisons(self, account: int, limit: int) -> list[Poison]:
        """Return the events set aside, newest first."""
