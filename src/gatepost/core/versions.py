"""The versions of a schema: each event is folded again under the one it was folded under."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from gatepost.core.applying import lapse
from gatepost.core.elements import date_back, keeping_of
from gatepost.core.plans import AccountPlan
from gatepost.model.profile import Profile
from gatepost.model.schema import Schema

_UNPUBLISHED = Schema(after=-1)
"""What folded before anything was published: nothing has a place in it."""


class Versions:
    """The plan each record of the log was folded under; earlier ones are compiled when an event asks for them."""

    def __init__(self, current: AccountPlan, published: Iterable[Schema] = ()) -> None:
        """Take the plan of the version that folds now, and all that were published; of none, it folds everything."""
        versions = sorted(published, key=lambda schema: schema.version)
        self._schemas = [_UNPUBLISHED, *versions] if versions else [current.schema]
        self._after = [schema.after for schema in self._schemas]
        self.current = current
        numbers = [schema.version for schema in self._schemas]
        self.last = bisect_right(numbers, current.schema.version) - 1
        """The place of the version that folds now."""
        self._plans = {self.last: current}

    def place(self, event: int) -> int:
        """Return which version folded an event, counted from the first."""
        return max(bisect_left(self._after, event) - 1, 0)

    def until(self, event: int) -> int | None:
        """Return the last record that is folded by the version that folds an event; None when there is no end yet."""
        following = self.place(event) + 1
        return self._after[following] if following < len(self._after) else None

    def plan(self, place: int) -> AccountPlan:
        """Return the plan at a place."""
        if place not in self._plans:
            self._plans[place] = self.current.under(self._schemas[place])
        return self._plans[place]

    def folding(self, event: int) -> AccountPlan:
        """Return the plan an event was folded under."""
        return self.plan(self.place(event))

    def turns(self, begin: int, end: int) -> Iterator["Turn"]:
        """Yield the changes of how long values are kept, on the way from one place to a later one."""
        for place in range(begin + 1, end + 1):
            earlier, later = self._schemas[place - 1], self._schemas[place]
            if keeping_of(earlier.fields) != keeping_of(later.fields):
                yield Turn(self.plan(place - 1), self.plan(place))


class Turn:
    """One version keeps values for another length of time than the one before it."""

    def __init__(self, earlier: AccountPlan, later: AccountPlan) -> None:
        self.earlier = earlier
        self.later = later
        self.at = later.schema.since

    def take(self, profile: Profile) -> set[str]:
        """Let what a profile holds count by the later version; return the fields whose values went."""
        for name in self.later.keeping:
            date_back(profile, self.later.fields[name])
        return lapse(self.later, profile, self.at)
