"""The profiles a batch holds in memory: each loaded once, changed by every event that touches it, saved once."""

from collections.abc import Collection, Iterable
from itertools import chain

from gatepost.core.applying import Reading
from gatepost.model.audience import Transition
from gatepost.model.profile import Identifier, Profile
from gatepost.model.times import Instant
from gatepost.ports.profiles import Crossed, ProfileChanges
from gatepost.ports.store import Transaction


class Held:
    """Profiles by number and by identifier, as the batch has left them so far."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._profiles: dict[int, Profile] = {}
        self._accounts: dict[int, int] = {}
        self._stored_timers: dict[int, Instant] = {}
        self._known: dict[tuple[int, Identifier], int | None] = {}
        self._dirty: dict[int, None] = {}
        self.written: set[int] = set()
        """Whose profiles were written so far."""
        self._identified: dict[int, dict[Identifier, int | None]] = {}
        self._crossed: dict[int, list[tuple[int, Transition]]] = {}

    def look_up(
        self, readings: Iterable[Reading | None], wakeups: Iterable[tuple[Instant, int, int]]
    ) -> None:
        """Find and load together the profiles that a batch will want; one by one takes more than twice the time."""
        identifiers: dict[int, dict[Identifier, None]] = {}
        numbers: dict[int, set[int]] = {}
        for reading in readings:
            if reading is not None:
                identifiers.setdefault(reading.event.account, {}).update(dict.fromkeys(reading.identifiers))
        for _, account, number in wakeups:
            numbers.setdefault(account, set()).add(number)
        for account, wanted in identifiers.items():
            found = self._tx.profiles.find(account, wanted)
            self._known.update({(account, one): found.get(one) for one in wanted})
            numbers.setdefault(account, set()).update(found.values())
        for account, known in numbers.items():
            for profile in self._tx.profiles.load(account, known - self._profiles.keys()).values():
                self.adopt(account, profile)

    def profile(self, account: int, number: int | None) -> Profile | None:
        """Return a profile by its number, None when there is none."""
        if number is None:
            return None
        profile = self._profiles.get(number)
        if profile is None:
            profile = self._tx.profiles.load(account, [number]).get(number)
            if profile is not None:
                self.adopt(account, profile)
        return profile

    def adopt(self, account: int, profile: Profile) -> Profile:
        """Take in a profile that was read by other means; what is held already wins."""
        held = self._profiles.setdefault(profile.number, profile)
        if held is profile:
            self._accounts[profile.number] = account
            self._stored_timers[profile.number] = profile.timer
        return held

    def replace(self, profile: Profile) -> None:
        """Hold another state of a profile that is held; its stored wake-up stays known."""
        self._profiles[profile.number] = profile

    def number_of(self, account: int, identifier: Identifier) -> int | None:
        """Return the profile that an identifier leads to."""
        key = (account, identifier)
        if key not in self._known:
            self._known[key] = self._tx.profiles.find(account, [identifier]).get(identifier)
        return self._known[key]

    def lead(self, account: int, identifier: Identifier, number: int | None) -> None:
        """Let an identifier lead to a profile, or to nobody any more."""
        self._known[account, identifier] = number
        self._identified.setdefault(account, {})[identifier] = number

    def touch(self, profile: Profile) -> None:
        """Note that a profile was changed."""
        self._dirty[profile.number] = None

    def cross(self, account: int, profile: Profile, transitions: Iterable[Transition]) -> None:
        """Note transitions of a profile."""
        self._crossed.setdefault(account, []).extend((profile.number, t) for t in transitions)

    def remove(self, account: int, absorbed: Profile, survivor: Profile, now: Instant) -> None:
        """Let a profile become part of another; what was folded so far must be written."""
        changes = ProfileChanges(
            at=now,
            removed=[absorbed.number],
            renumbered={absorbed.number: survivor.number},
            timers={absorbed.number: (self._stored_timers[absorbed.number], 0)},
        )
        self._tx.profiles.save(account, changes)
        self._tx.outbox.rekey(account, absorbed.number, survivor.number)
        del self._profiles[absorbed.number]

    def forget(self, gone: Collection[int]) -> None:
        """Know nothing of profiles that are stored no more."""
        for number in gone:
            self._profiles.pop(number, None)
        self._known = {key: None if number in gone else number for key, number in self._known.items()}

    def trail(self, account: int, *profiles: Profile) -> list[int]:
        """Return the ids of all events of some profiles, in the order in which they were applied."""
        older = (self._tx.profiles.trail(account, profile.number) for profile in profiles)
        return sorted(chain(*older, *(profile.trail for profile in profiles)))

    def flush(self) -> None:
        """Write everything that changed so far."""
        for account in {*self._identified, *self._crossed, *(self._accounts[n] for n in self._dirty)}:
            self._tx.profiles.save(account, self._changes(account))
        self.written.update(self._dirty)
        self._dirty, self._identified, self._crossed = {}, {}, {}

    def _changes(self, account: int) -> ProfileChanges:
        saved = [
            self._profiles[n] for n in self._dirty if self._accounts[n] == account and n in self._profiles
        ]
        timers = {}
        for profile in saved:
            stored = self._stored_timers[profile.number]
            if stored != profile.timer:
                timers[profile.number] = (stored, profile.timer)
                self._stored_timers[profile.number] = profile.timer
        crossed = self._crossed.get(account, [])
        first = self._tx.memberships.reserve(len(crossed)) if crossed else 0
        return ProfileChanges(
            saved=saved,
            identified=self._identified.get(account, {}),
            crossed=[Crossed(number, t, first + i) for i, (number, t) in enumerate(crossed)],
            timers=timers,
        )
