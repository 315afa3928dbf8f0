"""The seam to what is remembered of merges, so that each can be undone."""

from typing import Protocol

from gatepost.model.merge import Merge
from gatepost.model.times import Instant


class Merges(Protocol):
    """Merges by the profile that survived. Every method runs inside the caller's transaction."""

    def keep(self, merge: Merge) -> None:
        """Remember a merge."""

    def get(self, account: int, id_: int) -> Merge | None:
        """Return one merge."""

    def of(self, account: int, survivor: int) -> list[Merge]:
        """Return the merges that a profile survived, newest first."""

    def newest(self, account: int, survivor: int) -> Merge | None:
        """Return the latest merge that a profile survived and that was not undone."""

    def undo(self, account: int, id_: int, at: Instant) -> None:
        """Note that a merge was undone."""

    def prune(self, before: Instant, limit: int) -> int:
        """Forget up to `limit` merges older than an instant of audience time; return how many."""
