"""One lane per destination: how many requests may be under way, and when to look again."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gatepost.model.times import MINUTE, SECOND, Instant, Milliseconds
from gatepost.ports.outbox import Claim

SLOTS = 256
"""Requests under way at one destination when no job says otherwise."""

CLAIM = 64
"""Deliveries taken at once for one destination: enough to share a sync, few enough to be fair."""

TROUBLED = 10
"""Failures in a row after which a destination gets a pause and then one probe."""

_LONGEST_PAUSE: Milliseconds = MINUTE


class Trouble(NamedTuple):
    """A destination that did not answer sensibly, and has not since."""

    since: Instant
    """Wall time of the first of these failures."""
    failures: int
    next_try: Instant
    """Wall time, 0 when one is due or under way."""


class Lane:
    """The state of one destination in this process."""

    __slots__ = ("due", "failing_since", "failures", "paused_until", "under_way")

    def __init__(self) -> None:
        self.due: Instant | None = 0
        self.under_way = 0
        self.failures = 0
        self.failing_since: Instant = 0
        self.paused_until: Instant = 0

    def free(self, cap: int) -> int:
        """Return how many more deliveries may be claimed."""
        if self.failures >= TROUBLED:
            return 0 if self.under_way else 1
        return max(0, min(CLAIM, cap - self.under_way))

    def next_look(self) -> Instant | None:
        """Return when there may be something to claim."""
        return None if self.due is None else max(self.due, self.paused_until)

    def record(self, *, answered: bool, now: Instant) -> None:
        """Note whether the destination answered sensibly; a row of failures pauses it, longer each time."""
        if answered:
            self.failures, self.paused_until = 0, 0
            return
        if now < self.paused_until:
            # It left before the pause began; many fall together, and tell no more than the first.
            return
        if not self.failures:
            self.failing_since = now
        self.failures += 1
        if self.failures >= TROUBLED:
            pause = SECOND << min(self.failures - TROUBLED, 6)
            self.paused_until = now + min(pause, _LONGEST_PAUSE)


class Lanes:
    """All destinations this process has heard of."""

    def __init__(self) -> None:
        self._lanes: dict[int, Lane] = {}

    def lane(self, destination: int) -> Lane:
        """Return a destination's lane."""
        return self._lanes.setdefault(destination, Lane())

    def troubles(self) -> dict[int, Trouble]:
        """Return the destinations whose latest exchange failed."""
        return {
            number: Trouble(lane.failing_since, lane.failures, lane.next_look() or 0)
            for number, lane in self._lanes.items()
            if lane.failures
        }

    def look_now(self, destinations: Iterable[int]) -> None:
        """Say that a destination has something new."""
        for destination in destinations:
            self.lane(destination).due = 0

    def ask(self, destinations: Iterable[int]) -> None:
        """Note that destinations are being claimed from: what is said of them from now on is news."""
        for destination in destinations:
            self.lane(destination).due = None

    def answer(self, due: Mapping[int, Instant | None]) -> None:
        """Note when destinations next have something due, as of their claim; news since then wins."""
        for destination, instant in due.items():
            lane = self.lane(destination)
            if lane.due is None:
                lane.due = instant

    def claims(self, now: Instant, caps: Mapping[int, int], stopped: set[int], room: int) -> list[Claim]:
        """Return what to claim now, within each destination's slots and the room left in the process."""
        claims = []
        for number, lane in self._lanes.items():
            look = lane.next_look()
            if look is None or look > now or number in stopped or room <= 0:
                continue
            limit = min(room, lane.free(caps.get(number, SLOTS)))
            if limit:
                claims.append(Claim(destination=number, limit=limit))
                room -= limit
        return claims

    def nap(self, now: Instant, stopped: set[int], longest: Milliseconds) -> Milliseconds:
        """Return how long nothing will be due; a full lane is woken by its own settlements."""
        looks = [
            look
            for number, lane in self._lanes.items()
            if number not in stopped and lane.free(SLOTS) and (look := lane.next_look()) is not None
        ]
        return max(0, min([longest, *(look - now for look in looks)]))
