"""The time by which the sandbox judges events: the real one, or one that only a call moves."""

from collections.abc import Callable

from gatepost.model.errors import Conflict
from gatepost.model.times import Instant, Milliseconds


class SandboxClock:
    """Tells the time; a manual clock starts at the real time and then stands still."""

    def __init__(self, wall: Callable[[], Instant], *, manual: bool) -> None:
        self._wall = wall
        self._set: Instant | None = wall() if manual else None

    @property
    def manual(self) -> bool:
        """Tell whether only a call moves this clock."""
        return self._set is not None

    def now(self) -> Instant:
        """Return the time that events are judged against."""
        return self._wall() if self._set is None else self._set

    def move_to(self, instant: Instant) -> None:
        """Set a manual clock, forwards or backwards."""
        if self._set is None:
            msg = "the sandbox runs on the real clock; start it with a manual clock to move it"
            raise Conflict(msg)
        self._set = instant

    def advance(self, duration: Milliseconds) -> None:
        """Move a manual clock forwards."""
        self.move_to(self.now() + duration)
