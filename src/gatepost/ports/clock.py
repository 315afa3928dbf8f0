"""The seam to time: wall time for leases and retries, audience time for memberships."""

from typing import Protocol

from gatepost.model.times import Instant


class Clock(Protocol):
    """Says what time it is."""

    def wall(self) -> Instant:
        """Wall time."""

    def audience(self) -> Instant:
        """Audience time: wall time, unless it is moved by hand."""
