"""A merge, remembered so that it can be undone."""

import msgspec

from gatepost.model.profile import Profile
from gatepost.model.times import Instant


class Merge(msgspec.Struct, kw_only=True):
    """Two profiles that became one, as they were right before."""

    id: int = 0
    account: int
    at: Instant
    """Audience time."""
    event: int
    """The event that showed that they are one."""
    survivor: Profile
    absorbed: Profile
    trail: list[int] = []
    """Ids of all events of the absorbed profile, also of those its own trail had no room for."""
    undone: Instant = 0


class MergeCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record that undoes a merge, or lets two that were parted become one again."""

    merge: int
    rejoin: bool = False
