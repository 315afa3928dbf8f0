"""The program that surveys profiles for one duty: which of them a rule treats otherwise than is stored.

It is a process of its own, so that a million profiles take no turn from live events, and it only reads. Every line it
prints is a JSON object: `{"until": 4000, "numbers": [17, 3021]}`, one for each slice of profiles. For a rule over
windows that nobody kept so far it fills them from the log, and tells what each profile holds then.
"""

import gc
import os
import sqlite3
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from gatepost.backends.sqlite.connection import connect
from gatepost.backends.sqlite.past import SqlitePast
from gatepost.backends.sqlite.store import SqliteTransaction
from gatepost.core.applying import may_differ
from gatepost.core.plans import EMPTY_PLAN, AccountPlan
from gatepost.core.refilling import readers_of, refilled
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema
from gatepost.ports.catalog import Duty
from gatepost.ports.survey import AsOf, Filled, Found

SLICE = 2_000
"""Profiles a read looks at: some twenty milliseconds, so that none holds back the store's upkeep."""
FILLED = 200
"""Profiles a read fills the windows of, ..."""
FETCHED = 5_000
"""... unless they have more events than this: likewise some tens of milliseconds, and few enough to be passed on."""
_AT_ONCE = 100
"""Profiles held in memory at once: few enough for the processor's cache, which makes it twice as fast."""
_YIELDING = 5
"""Added to the niceness: live events go first where cores are few."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to survey."""

    state: str
    """Where the state file lies; the log lies beside it."""
    duty: Duty


def main() -> None:
    """Run the task on standard input."""
    os.nice(_YIELDING)
    # Profiles hold no cycles, and looking for some would take a third of the time.
    gc.disable()
    run(sys.stdin.buffer.read(), sys.stdout.buffer)


def run(task: bytes, output: BinaryIO) -> None:
    """Do an encoded task and write a line for each slice, at once: whoever reads may have gone, and then it ends."""
    wanted = msgspec.json.decode(task, type=Task)
    state = Path(wanted.state)
    with _reading(state) as connection, _reading(state.with_name("log")) as log:
        for found in survey(connection, SqlitePast(log), wanted.duty):
            output.write(msgspec.json.encode(found) + b"\n")
            output.flush()


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection


def survey(connection: sqlite3.Connection, past: SqlitePast, duty: Duty) -> Iterator[Found]:
    """Yield slice by slice who may be treated otherwise; those who come in meanwhile are decided as they come."""
    rule = _Rule(duty)
    after, end, last = duty.cursor, 0, False
    while not last:
        connection.execute("BEGIN")
        try:
            tx = SqliteTransaction(connection)
            end = end or tx.profiles.last(duty.account)
            by = rule.versions(tx)
            found = (
                _filled(tx, past, by, duty, after) if duty.sources else _slice(tx, by.current, duty, after)
            )
        finally:
            connection.execute("ROLLBACK")
        after, last = found.until, found.last or found.until >= end
        yield msgspec.structs.replace(found, last=last)


def _slice(tx: SqliteTransaction, plan: AccountPlan, duty: Duty, after: int) -> Found:
    """Look at the next profiles as they are in this transaction, at the audience time apply has reached."""
    _, now = tx.ledger.position()
    numbers: list[int] = []
    for _ in range(0, SLICE, _AT_ONCE):
        profiles = tx.profiles.scan(duty.account, after, _AT_ONCE)
        numbers += [one.number for one in profiles if may_differ(plan, one, duty.audience, now)]
        after = profiles[-1].number if profiles else after
        if len(profiles) < _AT_ONCE:
            return Found(numbers, after, last=True)
    return Found(numbers, after)


def _filled(tx: SqliteTransaction, past: SqlitePast, versions: Versions, duty: Duty, after: int) -> Found:
    """Fill the windows of the next profiles, and tell of those who hold more then or are treated otherwise."""
    as_of, plan = AsOf(*tx.ledger.position()), versions.current
    sources = [source for source in duty.sources if source in plan.sources.keep]
    readers = readers_of(plan, duty.sources)
    numbers, filled, fetched, end = [], list[Filled](), 0, after
    profiles = tx.profiles.scan(duty.account, after, FILLED)
    with past.standing_still():
        for one in profiles:
            trail = sorted([*tx.profiles.trail(duty.account, one.number), *one.trail])
            full = refilled(versions, one, past.fetch(trail), sources)
            if _held(full, sources) != _held(one, sources) or any(
                may_differ(plan, full, reader, as_of.now) for reader in readers
            ):
                numbers.append(one.number)
                filled.append(_held(full, sources))
            fetched, end = fetched + len(trail), one.number
            if fetched >= FETCHED:
                break
    last = len(profiles) < FILLED and (not profiles or end == profiles[-1].number)
    return Found(numbers, end, last, tuple(filled), as_of, tx.catalog.version())


def _held(profile: Profile, sources: Collection[str]) -> Filled:
    """Return what a profile holds of some sources."""
    windows = {source: entries for source, entries in profile.windows.items() if source in sources}
    return Filled(windows, [source for source in profile.approximate if source in sources])


class _Rule:
    """The rule of the duty's audience, compiled anew whenever the catalog has changed."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self._version = -1
        self._versions = Versions(EMPTY_PLAN)

    def versions(self, tx: SqliteTransaction) -> Versions:
        """Return what to judge by as of a transaction, and to read the past by if windows are filled from it."""
        version = tx.catalog.version()
        if version != self._version:
            self._versions = self._filling(tx) if self._duty.sources else Versions(self._judging(tx))
            self._version = version
        return self._versions

    def _filling(self, tx: SqliteTransaction) -> Versions:
        """Return plans of all audiences: a window may be theirs too."""
        account = self._duty.account
        plan = AccountPlan(_schema(tx, account), _audiences(tx, account), (), set())
        return Versions(plan, tx.catalog.list(Schema, account))

    def _judging(self, tx: SqliteTransaction) -> AccountPlan:
        """Return a plan of the one audience, by which nothing can be folded."""
        account = self._duty.account
        schema = msgspec.structs.replace(_schema(tx, account), streams=(), mappings=())
        others = _audiences(tx, account)
        return AccountPlan(
            schema, [one for one in others if one.number == self._duty.audience], (), set(), others
        )


def _schema(tx: SqliteTransaction, account: int) -> Schema:
    return tx.catalog.newest(Schema, account) or Schema()


def _audiences(tx: SqliteTransaction, account: int) -> list[Audience]:
    return [one for one in tx.catalog.list(Audience, account) if not one.gone]


if __name__ == "__main__":
    main()
