"""The seam to the event log."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from gatepost.model.event import Appended, Event, Submission
from gatepost.model.times import Instant
from gatepost.ports.contents import Contents
from gatepost.ports.remains import Remains


class EventLog(Protocol):
    """An ordered, durable log. Ids grow along it and stamps of audience time never fall."""

    def append(self, account: int, submissions: Sequence[Submission]) -> Future[Appended]:
        """Append; the future is done when the events are on disk. Appends share one sync where they can."""

    def append_clock(self, to: Instant) -> Future[Appended]:
        """Append a move of audience time."""

    def read(self, after: int, limit: int) -> list[Event]:
        """Read up to `limit` records with ids above `after`, in order."""

    def fetch(self, ids: Sequence[int]) -> list[Event]:
        """Read chosen records, those that are still kept."""

    def head(self) -> int:
        """Return the id of the last record on disk, 0 when there is none."""

    def collected(self, account: int) -> int:
        """Count the events an account has appended so far."""

    def rewrite(self, bodies: Mapping[int, bytes | None]) -> Future[int]:
        """Replace the bodies of records, or remove records whose body is None; tell how many there were."""

    def forget_keys(self, account: int, texts: Collection[str]) -> Future[int]:
        """Forget the events' own ids that hold a text; tell how many there were."""

    @property
    def contents(self) -> Contents:
        """Everything its file stores."""

    @property
    def remains(self) -> Remains:
        """The bytes of its file."""

    def prune(self, before: Instant, applied: int) -> Future[int]:
        """Drop whole days received before an instant and applied up to an id; tell how many days went."""

    def close(self) -> None:
        """Finish what was accepted and close."""
