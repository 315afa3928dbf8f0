"""The seam to erasures: their books, what they doom, and the hashes that keep old events out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from gatepost.model.erasure import Erasure
from gatepost.model.profile import Identifier
from gatepost.model.times import Instant


class Slice(msgspec.Struct, frozen=True):
    """What one look at stored rows did."""

    removed: int
    table: str = ""
    cursor: int | None = None
    """Where the next look begins; None when there is nothing more."""


class Erasures(Protocol):
    """Every method runs inside the caller's transaction."""

    def put(self, erasure: Erasure, work: bytes | None = None) -> None:
        """Store an erasure; `work` replaces what it has to look for, which is sealed, and empty at the end."""

    def get(self, account: int, id_: str) -> Erasure | None:
        """Return one erasure."""

    def work(self, account: int, id_: str) -> bytes:
        """Return, sealed, what an erasure still has to look for."""

    def newest(self, account: int, limit: int) -> list[Erasure]:
        """Return erasures, newest first."""

    def exclude(self, account: int, hashes: Collection[str], until: Instant) -> None:
        """Keep events before an instant out that hold one of these identifiers."""

    def latest_exclusion(self) -> Instant:
        """Return the instant up to which anybody's events are kept out, 0 when nobody was erased."""

    def excluded(self, account: int, hashes: Sequence[str], at: Instant) -> bool:
        """Say whether an event of an instant with these identifiers stays out."""

    def doom(self, request: str, kind: str, keys: Collection[str]) -> None:
        """Remember what a request wants gone: `event` ids of the log, or `delivery` ids."""

    def doomed(self, request: str, kind: str, limit: int) -> list[str]:
        """Return some of what a request wants gone."""

    def spare(self, request: str, kind: str, keys: Collection[str]) -> None:
        """Forget what has gone."""

    def remove_profile(
        self, account: int, number: int, identifiers: Collection[Identifier]
    ) -> Mapping[str, int]:
        """Remove a profile, what leads to it, its memberships, timers and trail, silently; count what went."""

    def remove_unfinished(self, erasure: Erasure) -> Mapping[str, int]:
        """Remove outbox rows, leased ones too, with snapshots and attempts; doom their ids."""

    def remove_finished(self, erasure: Erasure) -> Slice:
        """Remove finished deliveries with their attempts from a piece of a day, from its cursor; doom their ids."""

    def remove_merges(self, erasure: Erasure, identifiers: Collection[Identifier]) -> Slice:
        """Remove merges that any of its profiles took part in, and copies of her in others, from a piece of them.

        Notes who was one with her once.
        """

    def silence(self, table: str, rows: Collection[int]) -> None:
        """Blank what finished deliveries or attempts in a day's table said, by row key."""

    def remove_lines(self, erasure: Erasure, texts: Collection[str]) -> Slice:
        """Remove the job log lines of doomed deliveries, and those that hold a text, from a piece of them."""

    def remove_poisons(self, account: int, texts: Collection[str]) -> int:
        """Blank what is said of events set aside where it holds a text."""

    def owner(self, delivery: str) -> tuple[int, int] | None:
        """Return the account and the profile of a delivery, None when there is no such delivery any more."""

    def trace(self, erasure: Erasure) -> Mapping[str, int]:
        """Count snapshots that no delivery shares, and what only an erasure under way keeps; all zero when it holds."""
