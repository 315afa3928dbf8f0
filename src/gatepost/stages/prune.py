"""Prune: what is past keeping goes, whole days at a time, so that the files stop growing."""

import asyncio

import msgspec

from gatepost.model.times import DAY, Milliseconds
from gatepost.ports.clock import Clock
from gatepost.ports.log import EventLog
from gatepost.ports.store import Store, Transaction

_MERGES = 500
"""Merges forgotten in one transaction; each carries two profiles."""
_LINES = 5_000
"""Job log lines, or hours of audiences' sizes, dropped in one transaction."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept."""

    history: Milliseconds = 400 * DAY
    """Applied events, the merges that can be undone, and audiences' sizes over time, in audience time."""
    deliveries: Milliseconds = 30 * DAY
    """Finished deliveries, their attempts and job logs, in wall time."""


class PruneStage:
    """Drops what is past keeping; nothing waits for it."""

    def __init__(self, log: EventLog, store: Store, clock: Clock, retention: Retention) -> None:
        self._log = log
        self._store = store
        self._clock = clock
        self._retention = retention

    async def run_once(self) -> int:
        """Do one round; return how many day tables went."""
        position, _ = await self._store.read(lambda tx: tx.ledger.position())
        oldest = self._clock.audience() - self._retention.history
        dropped = await asyncio.wrap_future(self._log.prune(oldest, position)) if oldest > 0 else 0
        while await self._store.write(self._prune_lines) == _LINES:
            pass
        while await self._store.write(lambda tx: tx.merges.prune(oldest, _MERGES)) == _MERGES:
            pass
        while await self._store.write(lambda tx: tx.memberships.prune_history(oldest, _LINES)) == _LINES:
            pass
        return dropped + await self._store.write(self._prune_days)

    def _prune_days(self, tx: Transaction) -> int:
        return tx.deliveries.prune(self._clock.wall() - self._retention.deliveries)

    def _prune_lines(self, tx: Transaction) -> int:
        return tx.ledger.prune_log(self._clock.wall() - self._retention.deliveries, _LINES)
