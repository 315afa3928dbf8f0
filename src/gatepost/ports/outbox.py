"""The seam to deliveries waiting to leave."""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from gatepost.model.delivery import Attempt, Delivery, DeliveryState
from gatepost.model.times import Instant


class Enqueued(msgspec.Struct, frozen=True):
    """A snapshot and the deliveries that share it; their `snapshot` member is filled in by the store."""

    snapshot: bytes
    """The profile as of the step: JSON."""
    deliveries: tuple[Delivery, ...]


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery after an attempt, or without one."""

    delivery: Delivery
    """As claimed."""
    state: DeliveryState
    due: Instant = 0
    reason: str = ""
    attempt: Attempt | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker asks for at one destination."""

    destination: int
    limit: int


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries to list; empty members do not narrow."""

    account: int
    job: str = ""
    state: str = ""
    profile: int = 0
    before: int = 0
    """Only those with a smaller `seq`, for paging."""
    limit: int = 50


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as listed: finished ones carry why."""

    delivery: Delivery
    reason: str = ""
    finished: Instant = 0


class Replay(msgspec.Struct, frozen=True):
    """What a delivery says when it is sent again, and whose order it holds then."""

    profile: int
    snapshot: bytes
    others: frozenset[int] = frozenset()
    """Profiles it tells of too: what is theirs waits for it."""


class Outbox(Protocol):
    """Deliveries in order per profile and destination. Every method runs inside the caller's transaction."""

    def enqueue(self, batches: Sequence[Enqueued]) -> int:
        """Store new deliveries; one already known by its id is skipped. Return how many were new."""

    def claim(
        self, worker: str, claims: Sequence[Claim], now: Instant, lease_until: Instant
    ) -> list[Delivery]:
        """Lease due deliveries: at most one per profile and destination, none before an earlier one."""

    def store_bodies(self, bodies: dict[tuple[int, int], bytes]) -> None:
        """Keep rendered requests by `seq` and snapshot, so that retries send the same bytes."""

    def settle(self, worker: str, settlements: Sequence[Settlement], now: Instant) -> list[int]:
        """Record attempts and next states; return the `seq`s whose lease was lost, which stay untouched."""

    def rekey(self, account: int, absorbed: int, survivor: int) -> None:
        """Hand a merged profile's unfinished deliveries to its survivor; a lease on either side holds the key."""

    def share(self, account: int, survivor: int, revived: int) -> None:
        """Let all unfinished deliveries of a profile that is parted hold the order of both sides."""

    def shared(self, account: int, profiles: Collection[int]) -> list[Delivery]:
        """Return unfinished deliveries of others that hold the order of these profiles too: they may tell of them."""

    def retell(self, deliveries: Collection[Delivery], snapshot: bytes) -> None:
        """Give unfinished deliveries another snapshot, to be rendered anew; who holds one may settle it as before."""

    def redirect(self, account: int, job: str, destination: int) -> int:
        """Send a job's unfinished deliveries elsewhere, to be composed anew; return how many. Leased ones stay."""

    def rescue(self, now: Instant) -> int:
        """Free deliveries whose lease has ended; return how many."""

    def snapshots(self, ids: Collection[int]) -> dict[int, bytes]:
        """Return snapshots by id."""

    def destinations(self) -> list[int]:
        """Return the destinations with something unfinished."""

    def wakeups(self, destinations: Collection[int], now: Instant) -> dict[int, Instant | None]:
        """Return when each destination next has something due, None when nothing waits there."""

    def hold(self, account: int, *, job: str = "", destination: int = 0, held: bool) -> int:
        """Park or free the waiting deliveries of a job or destination; return how many."""

    def cancel(self, account: int, *, job: str, reason: str, now: Instant) -> int:
        """Cancel the unfinished deliveries of a job; return how many."""


class Deliveries(Protocol):
    """Deliveries to look at, unfinished and finished."""

    def listed(self, wanted: DeliveryFilter) -> list[Listed]:
        """Return deliveries, newest first."""

    def get(self, account: int, delivery: str) -> Listed | None:
        """Return one delivery by id."""

    def beginning_with(self, account: int, prefix: str, limit: int) -> list[Listed]:
        """Return deliveries whose ids begin with a prefix, `limit` of them at most."""

    def attempts(self, account: int, delivery: str) -> list[Attempt]:
        """Return a delivery's attempts in order."""

    def counts(self, account: int, job: str = "") -> dict[str, int]:
        """Count deliveries by state."""

    def prune(self, before: Instant) -> int:
        """Drop whole days of finished deliveries and attempts that ended before an instant; return how many."""

    def snapshot(self, account: int, delivery: str) -> bytes | None:
        """Return the snapshot of a finished delivery, None when it is not kept."""

    def replay(self, account: int, delivery: str, again: Replay) -> None:
        """Put a finished delivery back in the queue under the same id, its snapshot to be rendered anew.

        It keeps its time of creation and its attempts.
        """
