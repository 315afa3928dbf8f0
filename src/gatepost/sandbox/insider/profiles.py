"""The profiles of the sandbox in memory: found by identifier, changed in place, noted for the store."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant
from gatepost.sandbox.insider.events import StoredEvent
from gatepost.sandbox.insider.vocabulary import AUDIENCE_ATTRIBUTE

Address = tuple[str, str]
"""The name and value of an identifier."""


@dataclass(slots=True, eq=False)
class Profile:
    """One person of one account."""

    number: int
    """Insider's profile id; never given out twice."""
    partner: str
    created: Instant
    updated: Instant
    identifiers: dict[str, list[str]] = field(default_factory=dict)
    default: JsonObject = field(default_factory=dict)
    custom: JsonObject = field(default_factory=dict)
    events: dict[StoredEvent, None] = field(default_factory=dict)

    @property
    def audiences(self) -> list[str]:
        """The audiences the profile is in, oldest first."""
        value = self.custom.get(AUDIENCE_ATTRIBUTE)
        return [str(name) for name in value] if isinstance(value, list) else []

    def addresses(self) -> Iterator[Address]:
        """Yield every identifier the profile holds."""
        for name, values in self.identifiers.items():
            for value in values:
                yield name, value


@dataclass(slots=True)
class Changes:
    """What the store has not seen yet."""

    cleared: bool = False
    erased: set[int] = field(default_factory=set)
    changed: dict[int, Profile] = field(default_factory=dict)
    events: list[tuple[int, StoredEvent]] = field(default_factory=list)
    last_number: int = 0

    def __bool__(self) -> bool:
        return bool(self.cleared or self.erased or self.changed or self.events)


class Profiles:
    """All profiles, with the indexes that keep every look-up and count independent of their number."""

    def __init__(self, last_number: int = 0) -> None:
        self._last_number = last_number
        self._by_number: dict[int, Profile] = {}
        self._order: list[int] = []
        self._by_address: dict[tuple[str, str, str], Profile] = {}
        self._changes = Changes()
        self.identifier_names: set[str] = set()
        self.audience_sizes: Counter[str] = Counter()
        self.event_count = 0

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_number.values())

    def load(self, profile: Profile) -> None:
        """Take over a profile from the store; numbers must come in rising order."""
        self._by_number[profile.number] = profile
        self._order.append(profile.number)
        for name, value in profile.addresses():
            self._by_address[profile.partner, name, value] = profile
            self.identifier_names.add(name)
        self.audience_sizes.update(profile.audiences)
        self.event_count += len(profile.events)
        self._last_number = max(self._last_number, profile.number)

    def create(self, partner: str, now: Instant) -> Profile:
        """Return a new, empty profile."""
        profile = Profile(self._last_number + 1, partner, created=now, updated=now)
        self.load(profile)
        self._changes.changed[profile.number] = profile
        return profile

    def by_number(self, partner: str, insider_id: str) -> Profile | None:
        """Find a profile by the id that Insider would have given it."""
        if not (insider_id.isascii() and insider_id.isdigit() and len(insider_id) < 19):
            return None
        profile = self._by_number.get(int(insider_id))
        return profile if profile and profile.partner == partner else None

    def by_address(self, partner: str, name: str, value: str) -> Profile | None:
        """Find a profile by one identifier."""
        return self._by_address.get((partner, name, value))

    def page(self, after: int, limit: int) -> list[Profile]:
        """Return the profiles that follow a number, in the order they were created."""
        start = bisect_right(self._order, after)
        return [self._by_number[number] for number in islice(self._order, start, start + limit)]

    def newest(self, before: int, limit: int) -> list[Profile]:
        """Return the profiles created before a number, the newest first."""
        end = bisect_right(self._order, before - 1)
        return [self._by_number[number] for number in reversed(self._order[max(0, end - limit) : end])]

    def hold(self, profile: Profile, name: str, value: str) -> None:
        """Give an identifier to a profile, taking it from whoever holds it."""
        key = (profile.partner, name, value)
        holder = self._by_address.get(key)
        if holder is not None:
            self._release(holder, name, value)
        profile.identifiers.setdefault(name, []).append(value)
        self._by_address[key] = profile
        self.identifier_names.add(name)
        self._changes.changed[profile.number] = profile

    def _release(self, holder: Profile, name: str, value: str) -> None:
        holder.identifiers[name].remove(value)
        if not holder.identifiers[name]:
            del holder.identifiers[name]
        self._changes.changed[holder.number] = holder

    def write(self, profile: Profile, default: JsonObject, custom: JsonObject, now: Instant) -> None:
        """Replace the attributes of a profile."""
        if custom.get(AUDIENCE_ATTRIBUTE) != profile.custom.get(AUDIENCE_ATTRIBUTE):
            self._count_audiences(profile, -1)
            profile.custom = custom
            self._count_audiences(profile, 1)
        profile.default, profile.custom, profile.updated = default, custom, now
        self._changes.changed[profile.number] = profile

    def add_event(self, profile: Profile, event: StoredEvent) -> None:
        """Add an event to a profile; an equal one is already there and stays the only one."""
        if event in profile.events:
            return
        profile.events[event] = None
        self.event_count += 1
        self._changes.events.append((profile.number, event))

    def erase(self, profile: Profile) -> None:
        """Remove a person with everything known about them."""
        for name, value in profile.addresses():
            del self._by_address[profile.partner, name, value]
        del self._by_number[profile.number]
        del self._order[bisect_right(self._order, profile.number) - 1]
        self._count_audiences(profile, -1)
        self.event_count -= len(profile.events)
        self._changes.changed.pop(profile.number, None)
        self._changes.erased.add(profile.number)

    def clear(self) -> None:
        """Forget everybody; numbers are not given out again."""
        self._by_number.clear()
        self._order.clear()
        self._by_address.clear()
        self.identifier_names.clear()
        self.audience_sizes.clear()
        self.event_count = 0
        self._changes = Changes(cleared=True)

    def take_changes(self) -> Changes:
        """Hand over what changed since the last call."""
        taken, self._changes = self._changes, Changes()
        taken.last_number = self._last_number
        return taken

    def _count_audiences(self, profile: Profile, step: int) -> None:
        for name in profile.audiences:
            self.audience_sizes[name] += step
            if self.audience_sizes[name] <= 0:
                del self.audience_sizes[name]
