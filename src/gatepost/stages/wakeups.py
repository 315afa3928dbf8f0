"""Whom a batch wakes, earliest first, and how far it gets with that."""

from heapq import heapify, heappop, heappush

from gatepost.model.times import Instant
from gatepost.ports.store import Transaction

AT_ONCE = 2_000
"""Wake-ups taken into one batch; more wait for the next, so that live events share the turn."""

Wakeup = tuple[Instant, int, int]
"""When, and whom: account and profile number."""


class Wakeups:
    """The wake-ups of one batch: those stored, and those that come up on the way."""

    def __init__(self) -> None:
        self.queue: list[Wakeup] = []
        self.horizon: Instant = 0
        """How far the wake-ups go; later ones wait for the next batch."""
        self._fired = 0
        self._reached: Instant = 0

    def take(self, tx: Transaction, until: Instant) -> None:
        """Take what is due up to an instant, as much as one batch may."""
        due = tx.profiles.due(until, AT_ONCE)
        self.horizon = due[-1].at if len(due) == AT_ONCE else until
        self.queue = [(wakeup.at, wakeup.account, wakeup.profile) for wakeup in due]
        heapify(self.queue)

    def add(self, wakeup: Wakeup) -> None:
        """Take in a wake-up that was set just now, if this batch gets that far."""
        if wakeup[0] <= self.horizon:
            heappush(self.queue, wakeup)

    def next(self, until: Instant) -> Wakeup | None:
        """Return the earliest wake-up up to an instant, None when there is none in this batch."""
        if not self.queue or self.queue[0][0] > until:
            return None
        wakeup = heappop(self.queue)
        if self._fired >= AT_ONCE and wakeup[0] > self._reached:
            # One profile may wake again and again in a long jump; the rest waits for the next turn.
            self.horizon = min(self.horizon, self._reached)
            self.queue = []
            return None
        self._fired += 1
        self._reached = wakeup[0]
        return wakeup
