"""How many requests a partner may make in a minute."""

from math import ceil
from typing import Final

WINDOW_SECONDS: Final = 60.0


class RateWindow:
    """Counts requests per key in fixed windows of a minute, each starting with its first request."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, partner: str, pool: str, limit: int, now: float) -> int:
        """Count a request; return 0 when it is within the limit, else the seconds until the next window."""
        started, count = self._windows.get((partner, pool), (now, 0))
        if now - started >= WINDOW_SECONDS:
            started, count = now, 0
        if count >= limit:
            return max(1, ceil(started + WINDOW_SECONDS - now))
        self._windows[partner, pool] = (started, count + 1)
        return 0

    def used(self, partner: str, pool: str) -> int:
        """Return how many requests the current window has counted."""
        return self._windows.get((partner, pool), (0.0, 0))[1]

    def clear(self) -> None:
        """Start all windows anew."""
        self._windows.clear()
