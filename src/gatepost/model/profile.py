"""What is known about one person, folded from events."""

import msgspec

from gatepost.model.audience import Membership
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant

Identifier = tuple[str, str]
"""An identifier field and its value."""

Stamp = tuple[Instant, int]
"""The time and id of the event a value came from."""

EXPIRY = 0
"""Stands among the audiences of `due` for the values that disappear by themselves; audiences count from 1."""
EVERYWHERE = 0
"""Stands among the audiences of `excluded` for all of them: the profile is hidden."""
WindowEntry = tuple[Instant, int | float]
"""A time and what happened then: an amount, the mark of a value, or the id of the event; see `core.windows`."""


class Profile(msgspec.Struct, array_like=True, omit_defaults=False):
    """A profile as the store holds it. New members go at the end: stored rows are arrays."""

    number: int
    """Row key, never reused."""
    id: str
    """`_id`: 32 hexadecimal digits."""
    fields: dict[str, JsonValue] = {}
    """Values by field; dates as instants, sets as lists in order of arrival."""
    stamps: dict[str, Stamp] = {}
    """Where the value of a `latest` or `oldest` field came from."""
    identifiers: dict[str, dict[str, Instant]] = {}
    """Identifier field -> value -> earliest time seen."""
    memberships: dict[int, Membership] = {}
    """By audience number."""
    windows: dict[str, list[WindowEntry]] = {}
    """Window source -> its entries, oldest first; see `core.windows`."""
    due: dict[int, Instant] = {}
    """Audience number -> the earliest instant at which its answer may change by itself; see `EXPIRY`."""
    timer: Instant = 0
    """The stored wake-up, never later than the earliest `due`; 0 when none."""
    created: Instant = 0
    """Earliest event time."""
    modified: Instant = 0
    """Audience time of the last change."""
    events: int = 0
    streams: dict[str, int] = {}
    """Events by stream."""
    aliases: list[str] = []
    """The `_id`s of profiles merged into this one."""
    conflicts: int = 0
    """Identifiers an event brought that another profile kept."""
    trail: list[int] = []
    """Ids of the latest events folded in; older ones are spilled by the store."""
    approximate: list[str] = []
    """Window sources that passed the exact bound."""
    apart: list[int] = []
    """Profiles that an unmerge keeps apart from this one."""
    given: dict[str, dict[str, Stamp]] = {}
    """Field -> element -> the last event that gave it; just for fields that need it, see `core.elements`."""
    first: dict[str, dict[str, Stamp]] = {}
    """Field -> key -> the event its value came from, for `oldestmap`."""
    released: int = 0
    """Identifiers that had to make room for others."""
    refused: int = 0
    """Events whose values were left out because the profile had reached its largest size."""
    weight: int = 0
    """Bytes it may have at most: as measured, and what was folded in since; see `core.sizes`."""
    excluded: dict[int, Instant] = {}
    """Audience number -> since when the profile is kept out of it by hand; see `EVERYWHERE`."""
    written: list[str] = []
    """Fields that were emptied or overwritten by hand: what they hold depends on the order of the past."""

    @property
    def hidden(self) -> bool:
        """Whether it is kept out of every audience, and shown to nobody who asks for it as an entity."""
        return EVERYWHERE in self.excluded

    def excluded_since(self, audience: int) -> Instant | None:
        """Return since when it is kept out of an audience by hand, None when it is not."""
        return self.excluded.get(audience, self.excluded.get(EVERYWHERE))


class AttributesCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a record that writes fields of a profile; an erasure may have taken parts of it away."""

    key: str = ""
    """The identifier field that leads to the profile."""
    value: str = ""
    clear: list[str] = []
    """Fields that are emptied first."""
    everything: bool = False
    """Every field is emptied but those that identify."""
    values: dict[str, JsonValue] = {}
    """What is folded in then, by field."""
