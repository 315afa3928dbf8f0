"""Backtest: the past folded again under a time of its own, to see who would have been in an audience, and when.

The same code folds and decides as in `apply`, in a store that is thrown away. Events come in the order in which they
happened, each at its own time, as if none had been late. Nothing is sent.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby, islice

import msgspec

from gatepost.core.versions import Versions
from gatepost.model.audience import Audience, AudienceSize
from gatepost.model.errors import InvalidInput
from gatepost.model.event import Event
from gatepost.model.schema import Schema
from gatepost.model.times import Instant, Milliseconds
from gatepost.ports.store import Transaction
from gatepost.stages.batch import Batch

_AT_ONCE = 1_000
"""Events a transaction folds."""
MOST_POINTS = 10_000


class Period(msgspec.Struct, frozen=True):
    """What part of the past is reported, and how finely."""

    begin: Instant
    end: Instant
    step: Milliseconds

    def instants(self) -> Iterator[Instant]:
        """Yield the beginning, every step after it, and the end."""
        yield from range(self.begin, self.end, self.step)
        yield self.end


def check_points(period: Period) -> None:
    """Raise InvalidInput when a period has more points than anybody reads."""
    if (period.end - period.begin) / period.step > MOST_POINTS:
        msg = f"so small a step makes more than {MOST_POINTS:,} points; give a longer one"
        raise InvalidInput(msg, path="step")


class Point(msgspec.Struct, frozen=True):
    """How many were inside at an instant, and how many came and went since the point before."""

    at: Instant
    size: int
    entered: int
    left: int


class BacktestTask(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest is to do, as it is handed to its process."""

    log: str
    """Where the event log lies."""
    account: int
    schema: Schema
    versions: tuple[Schema, ...] = ()
    """Every version, to fold each event under its own; without any, the schema folds them all."""
    audience: Audience
    included: tuple[Audience, ...] = ()
    """Audiences that the audience may include."""
    begin: Instant = 0
    """0: when the first kept event happened."""
    end: Instant
    step: Milliseconds = 0
    """0: by the length of the period."""


class BacktestReport(msgspec.Struct, frozen=True, kw_only=True):
    """What would have been."""

    begin: Instant
    end: Instant
    step: Milliseconds
    points: list[Point]
    size: int
    """Members at the end."""
    entered: int
    left: int
    events: int
    profiles: int
    seconds: float


class Backtest:
    """Folds one account's past for one audience."""

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Transaction]],
        account: int,
        versions: Versions,
        events: Iterable[tuple[int, Event]],
    ) -> None:
        """Begin with nothing; each event comes with the id of the record whose version of the schema folds it."""
        self._begin = begin
        self._account = account
        self._versions = versions
        (self._audience,) = versions.current.audiences
        self._plans = {account: versions.current}
        self._events = iter(events)
        self._waiting: list[tuple[int, Event]] = []
        self._counted = AudienceSize()
        self.folded = 0
        """Events so far."""

    def points(self, period: Period) -> Iterator[Point]:
        """Yield a point for every instant of a period; what came before it is folded first."""
        self._reach(period.begin)
        first = self._size()
        yield Point(period.begin, first.size, 0, 0)
        for instant in islice(period.instants(), 1, None):
            before = self._counted
            self._reach(instant)
            size = self._size()
            yield Point(instant, size.size, size.entered - before.entered, size.left - before.left)

    def profiles(self) -> int:
        """Return how many profiles there are."""
        with self._begin() as tx:
            return tx.profiles.count(self._account)

    def _reach(self, instant: Instant) -> None:
        """Fold what happened up to an instant, and let its time come."""
        while due := self._next(instant):
            for place, alike in groupby(due, lambda one: self._versions.place(one[0])):
                self._plans = {self._account: self._versions.plan(place)}
                events = [event for _, event in alike]
                self._fold(events, events[-1].received)
        self._fold((), instant)

    def _next(self, until: Instant) -> Sequence[tuple[int, Event]]:
        if not self._waiting:
            self._waiting = list(islice(self._events, _AT_ONCE))
        due = [one for one in self._waiting if one[1].received <= until]
        self._waiting = self._waiting[len(due) :]
        return due

    def _fold(self, events: Sequence[Event], until: Instant) -> None:
        """Fold in as many transactions as the wake-ups due take."""
        self.folded += len(events)
        while True:
            with self._begin() as tx:
                batch = Batch(tx, self._plans, wall=0)
                batch.fold(events, until)
                if batch.horizon >= until:
                    batch.now = max(batch.now, until)
                batch.save()
            if batch.horizon >= until:
                return
            events = ()

    def _size(self) -> AudienceSize:
        with self._begin() as tx:
            self._counted = tx.memberships.sizes(self._account).get(self._audience, AudienceSize())
        return self._counted
