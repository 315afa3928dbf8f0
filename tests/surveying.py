"""A survey inside the test's own process, which looks when it is told to."""

from collections.abc import Iterator
from pathlib import Path

from gatepost.backends.sqlite import surveying
from gatepost.backends.sqlite.connection import connect
from gatepost.backends.sqlite.past import SqlitePast
from gatepost.ports.catalog import Duty
from gatepost.ports.survey import Found


class PatientSurveyor:
    """A survey that looks ahead only when it is told to, so that what it found may be old by then."""

    def __init__(self, folder: Path) -> None:
        self._connection, self._log = connect(folder / "state"), connect(folder / "log")
        self._slices: Iterator[Found] = iter(())
        self._ready: list[Found] = []
        self._at: tuple[int, int] | None = None
        self.eager = False

    def look(self) -> None:
        """Look at the next slice."""
        self._ready += [found for found in [next(self._slices, None)] if found is not None]

    def found(self, duty: Duty, _most: int) -> Found | None:
        """Return the oldest slice that apply has not heard of; a duty that is not where it was begins anew."""
        if self._at != (duty.id, duty.cursor):
            self.end()
            self._slices = surveying.survey(self._connection, SqlitePast(self._log), duty)
        if self.eager and not self._ready:
            self.look()
        if not self._ready:
            self._at = (duty.id, duty.cursor)
            return None
        found = self._ready.pop(0)
        self._at = None if found.last else (duty.id, found.until)
        return found

    def end(self) -> None:
        """Forget what was found."""
        self._slices, self._ready, self._at = iter(()), [], None

    def close(self) -> None:
        """Close both files."""
        self._connection.close()
        self._log.close()
