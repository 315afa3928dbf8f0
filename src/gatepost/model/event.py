"""What the event log holds."""

from enum import IntEnum

import msgspec

from gatepost.model.times import Instant


class RecordKind(IntEnum):
    """What a record of the log asks apply to do."""

    EVENT = 0
    CLOCK = 1
    """Audience time moves to `received`."""
    HISTORY = 2
    """An event that is folded like any other and triggers nothing: years of the past, loaded at once."""
    UNMERGE = 3
    """Undoes a merge; the body is a `model.merge.MergeCommand`."""
    EXCLUDE = 4
    """Keeps a profile out of an audience, or lets it in again; the body is a `model.audience.ExclusionCommand`."""
    ERASE = 5
    """Erases a person; the body is a `model.erasure.EraseCommand`."""
    ATTRIBUTES = 6
    """Writes fields of a profile by hand; the body is a `model.profile.AttributesCommand`."""


class Submission(msgspec.Struct, frozen=True, gc=False):
    """One checked event on its way into the log; `at` is 0 when the event names no time of its own."""

    stream: str
    at: Instant
    body: bytes
    """A JSON object, as sent."""
    key: str = ""
    """The event's own id, by which a repeat within 48 hours counts once; empty when it has none."""
    hops: int = 0
    """How many deliveries' answers lead to this event."""
    kind: RecordKind = RecordKind.EVENT


class Event(msgspec.Struct, frozen=True, gc=False):
    """One record of the log. `id` grows along the log, so it is the position and the tie-break too."""

    id: int
    kind: RecordKind
    account: int
    stream: str
    received: Instant
    """Audience time at the append."""
    at: Instant
    """When it happened, by the event itself or else the receive time."""
    body: bytes
    hops: int = 0


class Appended(msgspec.Struct, frozen=True):
    """What an append did."""

    accepted: int
    repeated: int = 0
    """Events left out because their own id was seen within 48 hours."""
