"""The two clocks: the system's, and one whose audience time only a call moves."""

import time

from gatepost.model.times import Instant


class SystemClock:
    """Wall time, which is audience time too."""

    def wall(self) -> Instant:
        """Return wall time."""
        return time.time_ns() // 1_000_000

    def audience(self) -> Instant:
        """Return wall time."""
        return time.time_ns() // 1_000_000


class HandClock(SystemClock):
    """Wall time as ever; audience time stands still until it is moved."""

    def __init__(self, audience: Instant = 0) -> None:
        self._audience = audience

    def audience(self) -> Instant:
        """Return the instant last moved to."""
        return self._audience

    def move(self, to: Instant) -> None:
        """Set audience time; it never goes back."""
        self._audience = max(self._audience, to)
