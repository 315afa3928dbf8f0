"""The seam to profiles, memberships and timers."""

from collections.abc import Collection
from typing import Protocol

import msgspec

from gatepost.model.audience import AudienceSize, Member, SizeThen, Transition
from gatepost.model.profile import Identifier, Profile
from gatepost.model.times import Instant


class Crossed(msgspec.Struct, frozen=True, gc=False):
    """A transition of a profile, and its place among all transitions of the store."""

    profile: int
    transition: Transition
    order: int


class ProfileChanges(msgspec.Struct, kw_only=True):
    """Everything one batch did to profiles, written together."""

    saved: list[Profile] = []
    removed: list[int] = []
    """Profiles absorbed by a merge."""
    identified: dict[Identifier, int | None] = {}
    """Identifiers that lead to a (possibly other) profile from now on, or to none; `_id` among them."""
    crossed: list[Crossed] = []
    renumbered: dict[int, int] = {}
    """Absorbed profile -> survivor, for memberships and trails."""
    divided: dict[int, int] = {}
    """Profile -> the one that is parted from it, for memberships; the trail of the former is forgotten."""
    at: Instant = 0
    """Audience time; sizes over time go by it where no transition has an instant of its own."""
    timers: dict[int, tuple[Instant, Instant]] = {}
    """Profile -> (stored wake-up, new wake-up); 0 is none."""


class Due(msgspec.Struct, frozen=True, gc=False):
    """A profile's stored wake-up."""

    at: Instant
    account: int
    profile: int


class Profiles(Protocol):
    """Profiles by identifier. Every method runs inside the caller's transaction."""

    def find(self, account: int, identifiers: Collection[Identifier]) -> dict[Identifier, int]:
        """Return the profile numbers of the identifiers that are known; `("_id", ...)` is one too."""

    def load(self, account: int, numbers: Collection[int]) -> dict[int, Profile]:
        """Return the profiles by number."""

    def allocate(self) -> int:
        """Return a fresh profile number."""

    def save(self, account: int, changes: ProfileChanges) -> None:
        """Write a batch's changes."""

    def scan(self, account: int, after: int, limit: int) -> list[Profile]:
        """Return profiles with numbers above `after`, in order."""

    def trail(self, account: int, number: int) -> list[int]:
        """Return the ids of a profile's older events: those its own trail has no room for."""

    def count(self, account: int) -> int:
        """Count profiles."""

    def last(self, account: int) -> int:
        """Return the highest number of a profile, 0 when there is none."""

    def due(self, until: Instant, limit: int) -> list[Due]:
        """Return the wake-ups up to and including an instant, earliest first."""

    def next_due(self) -> Instant | None:
        """Return the earliest wake-up."""


class Memberships(Protocol):
    """Who is in which audience, as lists and counts."""

    def members(self, account: int, audience: int, after: int, limit: int) -> list[Member]:
        """Return members with profile numbers above `after`, in order."""

    def sizes(self, account: int) -> dict[int, AudienceSize]:
        """Return the counts by audience number."""

    def history(self, account: int, audience: int, since: Instant) -> list[SizeThen]:
        """Return an audience's counts at the end of each hour in which they changed, oldest first.

        The last hour that ended before `since` comes first: what it left behind was still so then.
        """

    def prune_history(self, before: Instant, limit: int) -> int:
        """Drop up to `limit` hours before an instant that tell nothing of later ones; return how many."""

    def last_order(self) -> int:
        """Return the number of transitions so far."""

    def reserve(self, count: int) -> int:
        """Reserve places for `count` transitions; return the first."""

    def forget(self, account: int, audience: int) -> None:
        """Drop an audience's lists and counts."""
