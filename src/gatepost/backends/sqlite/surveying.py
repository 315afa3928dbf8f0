"""The program that surveys profiles for one duty: which of them a rule treats otherwise than is stored.

It is a process of its own, so that a million profiles take no turn from live events, and it only reads. Every line it
prints is a JSON object: `{"until": 4000, "numbers": [17, 3021]}`, one for each slice of profiles.
"""

import gc
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import msgspec

from gatepost.backends.sqlite.connection import connect
from gatepost.backends.sqlite.store import SqliteTransaction
from gatepost.core.applying import may_differ
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Audience
from gatepost.model.schema import Schema
from gatepost.ports.catalog import Duty
from gatepost.ports.survey import Found

SLICE = 2_000
"""Profiles a read looks at: some twenty milliseconds, so that none holds back the store's upkeep."""
_AT_ONCE = 100
"""Profiles held in memory at once: few enough for the processor's cache, which makes it twice as fast."""
_YIELDING = 5
"""Added to the niceness: live events go first where cores are few."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to survey."""

    state: str
    """Where the state file lies."""
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
    with closing(connect(Path(wanted.state))) as connection:
        connection.execute("PRAGMA query_only = ON")
        for found in survey(connection, wanted.duty):
            output.write(msgspec.json.encode(found) + b"\n")
            output.flush()


def survey(connection: sqlite3.Connection, duty: Duty) -> Iterator[Found]:
    """Yield slice by slice who may be treated otherwise; those who come in meanwhile are decided as they come."""
    rule = _Rule(duty)
    after, end, last = duty.cursor, 0, False
    while not last:
        connection.execute("BEGIN")
        try:
            tx = SqliteTransaction(connection)
            end = end or tx.profiles.last(duty.account)
            found = _slice(tx, rule.plan(tx), duty, after)
        finally:
            connection.execute("ROLLBACK")
        after, last = found.until, found.last or found.until >= end
        yield Found(found.numbers, after, last)


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


class _Rule:
    """The rule of the duty's audience, compiled anew whenever the catalog has changed."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self._version = -1
        self._plan = AccountPlan(Schema(), (), (), set())

    def plan(self, tx: SqliteTransaction) -> AccountPlan:
        """Return a plan of that one audience as of a transaction."""
        version = tx.catalog.version()
        if version != self._version:
            account = self._duty.account
            whole = tx.catalog.newest(Schema, account) or Schema()
            schema = msgspec.structs.replace(whole, streams=(), mappings=())
            others = [one for one in tx.catalog.list(Audience, account) if not one.gone]
            ours = [one for one in others if one.number == self._duty.audience]
            self._plan = AccountPlan(schema, ours, (), set(), others)
            self._version = version
        return self._plan


if __name__ == "__main__":
    main()
