"""One batch of the log folded in memory, written in one transaction.

A profile is loaded once, changed in memory by every event that touches it and saved once. Its wake-ups due before an
event fire before it, at their own instants, so the outcome does not depend on where a batch ends.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

import msgspec
import orjson

from gatepost.core.applying import (
    Reading,
    affected_audiences,
    evaluate,
    exclude,
    fold_reading,
    give_up,
    lapse,
    may_differ,
    read_event,
    take_on,
)
from gatepost.core.entities import entity_of
from gatepost.core.erasing import leading_to
from gatepost.core.identity import absorb, accepts, attach, compatible, seniority, superfluous
from gatepost.core.plans import EMPTY_PLAN, AccountPlan
from gatepost.core.triggers import ORDINARY, Cause, triggered
from gatepost.model.audience import ExclusionCommand, Transition
from gatepost.model.delivery import Delivery
from gatepost.model.event import Event, RecordKind
from gatepost.model.merge import Merge
from gatepost.model.profile import EXPIRY, Identifier, Profile
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.outbox import Enqueued
from gatepost.ports.profiles import Crossed, ProfileChanges
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction
from gatepost.stages.backfills import first_enter, job_of, owed_after_merge
from gatepost.stages.erasing import Exclusions, erase_profile
from gatepost.stages.filling import Filling, fill, readers_of
from gatepost.stages.unmerging import Fetch, command_of, parted_now, undoable

Key = tuple[int, Identifier]

_LOADING = Cause(silent=True)

_SAYING = frozenset({RecordKind.EVENT, RecordKind.HISTORY})
"""Kinds of records that say something of somebody."""

WAKEUPS_AT_ONCE = 2_000
"""Wake-ups taken into one batch; more wait for the next, so that live events share the turn."""


class Batch:
    """Folds records one after the other; `save` writes everything they changed."""

    def __init__(
        self,
        tx: Transaction,
        plans: Mapping[int, AccountPlan],
        wall: Instant,
        fetch: Fetch = lambda _: [],
        secrets: Secrets | None = None,
    ) -> None:
        """Begin at the stored position; `fetch` reads the past that an unmerge folds again.

        Without `secrets` nobody can be erased, and nobody's past stays out.
        """
        self._tx = tx
        self._fetch = fetch
        self._plans = plans
        self._wall = wall
        self.position, self.now = self._began = tx.ledger.position()
        self._profiles: dict[int, Profile] = {}
        self._accounts: dict[int, int] = {}
        self._stored_timers: dict[int, Instant] = {}
        self._known: dict[Key, int | None] = {}
        self._dirty: dict[int, None] = {}
        self._identified: dict[int, dict[Identifier, int | None]] = {}
        self._crossed: dict[int, list[tuple[int, Transition]]] = {}
        self._enqueued: list[Enqueued] = []
        self._wakeups: list[tuple[Instant, int, int]] = []
        self._fired = 0
        self._reached: Instant = 0
        self._filling = Filling(tx.ledger.duties(), plans)
        self._secrets = secrets
        self._exclusions = Exclusions(tx, secrets)
        self.erased: set[int] = set()
        self.horizon: Instant = 0
        self.counts: dict[int, dict[str, int]] = {}
        self.destinations: set[int] = set()

    def fold(self, events: Sequence[Event], until: Instant) -> None:
        """Fold records, each after the wake-ups of its own profile, and wake who is due up to an instant.

        `horizon` is how far the wake-ups went; more of them wait for the next batch, and hold up no event of others.
        """
        self._take_wakeups(until)
        readings = [self._read(event) for event in events]
        self._look_up(readings)
        for event, reading in zip(events, readings, strict=True):
            self.fire(event.received)
            self._apply(event, reading)
        self.fire(self.horizon)

    def _read(self, event: Event) -> Reading | None:
        """Read what an event says; None for a record that is none."""
        return read_event(self._plan(event.account), event) if event.kind in _SAYING else None

    def _look_up(self, readings: Iterable[Reading | None]) -> None:
        """Find and load together the profiles that a batch will want; one by one takes more than twice the time."""
        identifiers: dict[int, dict[Identifier, None]] = {}
        numbers: dict[int, set[int]] = {}
        for reading in readings:
            if reading is not None:
                identifiers.setdefault(reading.event.account, {}).update(dict.fromkeys(reading.identifiers))
        for _, account, number in self._wakeups:
            numbers.setdefault(account, set()).add(number)
        for account, wanted in identifiers.items():
            found = self._tx.profiles.find(account, wanted)
            self._known.update({(account, one): found.get(one) for one in wanted})
            numbers.setdefault(account, set()).update(found.values())
        for account, known in numbers.items():
            for profile in self._tx.profiles.load(account, known - self._profiles.keys()).values():
                self.adopt(account, profile)

    def _take_wakeups(self, until: Instant) -> None:
        due = self._tx.profiles.due(until, WAKEUPS_AT_ONCE)
        self.horizon = due[-1].at if len(due) == WAKEUPS_AT_ONCE else until
        self._wakeups = [(wakeup.at, wakeup.account, wakeup.profile) for wakeup in due]
        heapify(self._wakeups)

    def _apply(self, event: Event, reading: Reading | None) -> None:
        now = self.now = max(self.now, event.received)
        if reading is not None:
            self._apply_event(reading, now)
        elif event.kind == RecordKind.UNMERGE:
            self._unmerge(event, now)
        elif event.kind == RecordKind.EXCLUDE:
            self._exclude(event, now)
        elif event.kind == RecordKind.ERASE:
            self._erase(event)
        self.position = event.id

    def fire(self, until: Instant) -> None:
        """Wake the profiles due up to an instant, each at its own."""
        while self._wakeups and self._wakeups[0][0] <= until:
            at, account, number = heappop(self._wakeups)
            if self._fired >= WAKEUPS_AT_ONCE and at > self._reached:
                # One profile may wake again and again in a long jump; the rest waits for the next turn.
                self.horizon = min(self.horizon, self._reached)
                self._wakeups = []
                return
            self._fired += 1
            self._reached = at
            profile = self.profile(account, number)
            if profile is not None and profile.timer == at:
                self._wake_up(account, profile, at)

    def catch_up(self, account: int, profile: Profile, now: Instant) -> None:
        """Wake a profile for all that is due of it, each at its own instant, before anything else happens to it."""
        while profile.timer and profile.timer <= now:
            earliest = min(profile.due.values(), default=now + 1)
            if earliest > now:
                return
            self._wake_up(account, profile, earliest)

    def _wake_up(self, account: int, profile: Profile, at: Instant) -> None:
        self.now = max(self.now, at)
        due = {audience for audience, instant in profile.due.items() if instant <= at}
        profile.timer = 0
        if EXPIRY in due:
            due = self.lapse(account, profile, at) | due - {EXPIRY}
        self.reevaluate(account, profile, due, at)

    def lapse(self, account: int, profile: Profile, now: Instant) -> set[int]:
        """Let the values go that a profile keeps no longer; return the audiences to evaluate then."""
        plan = self._plan(account)
        return affected_audiences(plan, lapse(plan, profile, now))

    def reevaluate(
        self, account: int, profile: Profile, audiences: Iterable[int], now: Instant, *, first: bool = False
    ) -> None:
        """Evaluate audiences for a profile outside an event; `first` for those an audience begins with."""
        self.catch_up(account, profile, now)
        plan = self._plan(account)
        transitions = self._evaluate(account, plan, profile, audiences, now)
        self._touch(profile)
        self._wake(account, profile)
        self._cross(account, plan, profile, transitions, Cause(beginning=first))

    def may_differ(self, account: int, profile: Profile, audience: int) -> bool:
        """Say whether evaluating an audience now would change anything of a profile."""
        return may_differ(self._plan(account), profile, audience, self.now)

    def fill(self, profile: Profile, duty: Duty) -> frozenset[int]:
        """Fill what a duty's windows lack of a profile's past; return the audiences that can be decided now."""
        plan = self._plan(duty.account)
        fill(plan, profile, self._past(duty.account, profile), duty.sources)
        self._filling.done(duty, profile.number)
        return readers_of(plan, duty.sources)

    def profile(self, account: int, number: int) -> Profile | None:
        """Return a profile, loaded once a batch."""
        profile = self._profiles.get(number)
        if profile is None:
            profile = self._tx.profiles.load(account, [number]).get(number)
            if profile is not None:
                self.adopt(account, profile)
        return profile

    def adopt(self, account: int, profile: Profile) -> Profile:
        """Take in a profile that was read by other means; the batch's own copy wins."""
        held = self._profiles.setdefault(profile.number, profile)
        if held is profile:
            self._accounts[profile.number] = account
            self._stored_timers[profile.number] = profile.timer
        return held

    def enqueue(self, plan: AccountPlan, profile: Profile, deliveries: tuple[Delivery, ...]) -> None:
        """Put deliveries into the outbox with a snapshot of the profile as it is now."""
        if deliveries:
            self._enqueued.append(Enqueued(orjson.dumps(entity_of(profile, plan)), deliveries))
            self.destinations.update(delivery.destination for delivery in deliveries)

    @property
    def owing(self) -> bool:
        """Whether something is left to be erased after this batch."""
        return bool(self.erased) or self._exclusions.owing

    def save(self) -> None:
        """Write profiles, memberships, timers, outbox rows and the position."""
        self._flush()
        self._exclusions.save(self.counts)
        for account, amounts in self.counts.items():
            self._tx.ledger.count(account, amounts)
        if (self.position, self.now) != self._began:
            self._tx.ledger.advance(self.position, self.now)

    def _apply_event(self, reading: Reading, now: Instant) -> None:
        event = reading.event
        account = event.account
        plan = self._plan(account)
        self._count(account, "events_applied")
        if reading.refused:
            self._count(account, "values_refused", reading.refused)
        if reading.blocked:
            self._count(account, "identifiers_blocked", reading.blocked)
        if not reading.identifiers:
            self._count(account, "events_without_identifier")
            return
        if event.at < self._exclusions.until and self._exclusions.leave_out(event, reading.identifiers):
            self._count(account, "events_excluded")
            return
        profile, whole = self._profile_for(account, plan, reading)
        changed = self._identify(account, plan, profile, reading)
        if whole or changed:
            changed |= self._release(account, plan, profile)
        refused = profile.refused
        changed |= fold_reading(plan, profile, reading, now)
        if profile.refused > refused:
            self._count(account, "events_too_large")
        audiences = set(plan.audiences) if whole else affected_audiences(plan, changed)
        transitions = self._evaluate(account, plan, profile, audiences, now)
        self._touch(profile)
        self._wake(account, profile)
        self._cross(account, plan, profile, transitions, _cause_of(event))

    def _evaluate(
        self, account: int, plan: AccountPlan, profile: Profile, audiences: Iterable[int], now: Instant
    ) -> list[Transition]:
        """Evaluate audiences, but for those whose windows still lack this profile's past."""
        if self._filling and (undecided := self._filling.undecided(account, profile.number)):
            for number in undecided:
                profile.due.pop(number, None)
            audiences = [number for number in audiences if number not in undecided]
        return evaluate(plan, profile, audiences, now)

    def _past(self, account: int, profile: Profile) -> list[Event]:
        """Return a profile's kept events, in the order in which they were applied."""
        return self._fetch(sorted(self._trail(account, profile)))

    def _trail(self, account: int, profile: Profile) -> list[int]:
        return [*self._tx.profiles.trail(account, profile.number), *profile.trail]

    def _profile_for(self, account: int, plan: AccountPlan, reading: Reading) -> tuple[Profile, bool]:
        """Find, create or merge; say too whether every audience must be looked at."""
        willing, conflicts = self._willing(account, plan, reading)
        profile = willing[0] if willing else self._create(account, reading.event)
        whole = not willing
        for other in willing[1:]:
            if compatible(profile, other, plan.fields):
                profile, whole = self._merge(reading.event, plan, profile, other), True
            else:
                conflicts += 1
        profile.conflicts += conflicts
        return profile, whole

    def _willing(self, account: int, plan: AccountPlan, reading: Reading) -> tuple[list[Profile], int]:
        """Return the profiles the identifiers lead to, strongest first, and how many refuse a stronger one."""
        willing: dict[int, Profile] = {}
        refusing: set[int] = set()
        for index, identifier in enumerate(reading.identifiers):
            number = self._lookup(account, identifier)
            if number is None or number in willing or number in refusing:
                continue
            profile = self.profile(account, number)
            if profile is None:
                continue
            self.catch_up(account, profile, self.now)
            if all(accepts(profile, stronger, plan.fields) for stronger in reading.identifiers[:index]):
                willing[number] = profile
            else:
                refusing.add(number)
        return list(willing.values()), len(refusing)

    def _identify(self, account: int, plan: AccountPlan, profile: Profile, reading: Reading) -> set[str]:
        accepted = []
        for identifier in reading.identifiers:
            holder = self._lookup(account, identifier)
            if holder is None and not accepts(profile, identifier, plan.fields):
                profile.conflicts += 1
            elif holder in (None, profile.number):
                accepted.append(identifier)
                attach(profile, [identifier], reading.event.at)
                if holder is None:
                    self._lead(account, identifier, profile.number)
        return take_on(profile, accepted, plan.fields)

    def _release(self, account: int, plan: AccountPlan, profile: Profile) -> set[str]:
        """Let the identifiers go for which a profile that gained some has no room."""
        gone = superfluous(profile, plan.fields, plan.ranks, plan.schema.identifiers_limit)
        for identifier in gone:
            self._lead(account, identifier, None)
        if gone:
            self._count(account, "identifiers_released", len(gone))
        return give_up(profile, gone)

    def _create(self, account: int, event: Event) -> Profile:
        number = self._tx.profiles.allocate()
        # Derived from the event, so that folding the log again gives the same `_id`.
        id_ = hashlib.blake2b(f"{account}:{event.id}".encode(), digest_size=16).hexdigest()
        profile = self.adopt(account, Profile(number, id_, created=event.at))
        self._lead(account, ("_id", id_), number)
        return profile

    def _merge(self, event: Event, plan: AccountPlan, left: Profile, right: Profile) -> Profile:
        """Make two profiles one; what was folded so far is written first, so that rows can simply be re-keyed."""
        self._flush()
        account = event.account
        survivor, absorbed = sorted((left, right), key=lambda p: seniority(p, plan.ranks))
        owed = owed_after_merge(self._tx, account, survivor.number, absorbed.number)
        trail = self._trail(account, absorbed)
        self._tx.merges.keep(
            Merge(
                account=account,
                at=max(self.now, event.received),
                event=event.id,
                survivor=survivor,
                absorbed=absorbed,
                trail=trail,
            )
        )
        absorb(survivor, absorbed, plan.fields, plan.sources.keep)
        if lacking := self._filling.owed_after_merge(account, survivor.number, absorbed.number):
            fill(plan, survivor, self._fetch(sorted({*trail, *self._trail(account, survivor)})), lacking)
        for identifier in leading_to(absorbed):
            self._lead(account, identifier, survivor.number)
        self._keep_apart(account, survivor, absorbed)
        changes = ProfileChanges(
            at=max(self.now, event.received),
            removed=[absorbed.number],
            renumbered={absorbed.number: survivor.number},
            timers={absorbed.number: (self._stored_timers[absorbed.number], 0)},
        )
        self._tx.profiles.save(account, changes)
        self._tx.outbox.rekey(account, absorbed.number, survivor.number)
        del self._profiles[absorbed.number]
        self._count(account, "merges")
        for duty in owed:
            if job := job_of(duty, plan):
                self.enqueue(plan, survivor, (first_enter(duty, job, survivor, self._wall),))
        return survivor

    def _keep_apart(self, account: int, survivor: Profile, absorbed: Profile) -> None:
        """Tell those who were parted from an absorbed profile whom she is part of now."""
        for number in absorbed.apart:
            other = self.profile(account, number)
            if other is not None:
                other.apart = sorted({*other.apart, survivor.number})
                self._touch(other)

    def _unmerge(self, event: Event, now: Instant) -> None:
        """Make one profile two again, and tell of what differs for either."""
        account, plan, command = event.account, self._plan(event.account), command_of(event)
        self._count(account, "events_applied")
        self._flush()
        if command.rejoin:
            self._rejoin(account, command.merge)
            return
        merge = undoable(self._tx, account, command.merge)
        united = self.profile(account, merge.survivor.number) if merge is not None else None
        if merge is None or united is None:
            self._count(account, "unmerges_refused")
            return
        self.catch_up(account, united, now)
        sides = parted_now(self._tx, self._fetch, plan, united, merge, now)
        sides.survivor.timer = united.timer
        divided = {sides.survivor.number: sides.revived.number}
        self._tx.profiles.save(account, ProfileChanges(at=now, divided=divided))
        self._profiles[united.number] = sides.survivor
        self.adopt(account, sides.revived)
        for identifier in leading_to(sides.revived):
            self._lead(account, identifier, sides.revived.number)
        for side in (sides.survivor, sides.revived):
            self.reevaluate(account, side, set(plan.audiences), now)
        self._tx.merges.undo(account, merge.id, now)
        self._count(account, "unmerges")

    def _exclude(self, event: Event, now: Instant) -> None:
        """Keep a profile out of an audience by hand, or let the rule decide again; jobs are told as always."""
        account, command = event.account, msgspec.json.decode(event.body, type=ExclusionCommand)
        self._count(account, "events_applied")
        number = self._lookup(account, ("_id", command.profile))
        profile = self.profile(account, number) if number is not None else None
        if profile is not None and exclude(profile, command, now):
            self.reevaluate(account, profile, [command.audience], now)

    def _rejoin(self, account: int, merge_id: int) -> None:
        """Let two that an unmerge keeps apart become one again, should an event show that they are."""
        merge = self._tx.merges.get(account, merge_id)
        if merge is None:
            return
        found = [self._lookup(account, ("_id", side.id)) for side in (merge.survivor, merge.absorbed)]
        numbers = {merge.survivor.number, merge.absorbed.number, *found}
        for number in found:
            profile = self.profile(account, number) if number is not None else None
            if profile is not None:
                profile.apart = [other for other in profile.apart if other not in numbers]
                self._touch(profile)

    def _erase(self, event: Event) -> None:
        """Take a person away; what is left of her goes in steps afterwards."""
        account = event.account
        self._count(account, "events_applied")
        self._flush()
        if self._secrets is None:
            return
        gone = erase_profile(self._tx, self._secrets, event)
        for number in gone:
            self._profiles.pop(number, None)
        self._known = {key: None if held in gone else held for key, held in self._known.items()}
        self._exclusions.save(self.counts)
        self._exclusions = Exclusions(self._tx, self._secrets)
        self.erased |= gone

    def _cross(
        self,
        account: int,
        plan: AccountPlan,
        profile: Profile,
        transitions: list[Transition],
        cause: Cause = ORDINARY,
    ) -> None:
        """Note transitions and put what comes of them into the outbox, with the profile as it is now."""
        if not transitions:
            return
        self._crossed.setdefault(account, []).extend((profile.number, t) for t in transitions)
        found = triggered(plan, account, profile, transitions, self._wall, cause)
        if found.over_hops:
            self._count(account, "triggers_over_hops", found.over_hops)
        self.enqueue(plan, profile, found.deliveries)

    def _wake(self, account: int, profile: Profile) -> None:
        """Keep the stored wake-up no later than the earliest due instant; an early one costs only a look."""
        earliest = min(profile.due.values(), default=0)
        if earliest and (profile.timer == 0 or earliest < profile.timer):
            profile.timer = earliest
            if earliest <= self.horizon:
                heappush(self._wakeups, (earliest, account, profile.number))

    def _lookup(self, account: int, identifier: Identifier) -> int | None:
        key = (account, identifier)
        if key not in self._known:
            self._known[key] = self._tx.profiles.find(account, [identifier]).get(identifier)
        return self._known[key]

    def _lead(self, account: int, identifier: Identifier, number: int | None) -> None:
        self._known[account, identifier] = number
        self._identified.setdefault(account, {})[identifier] = number

    def _count(self, account: int, name: str, amount: int = 1) -> None:
        counts = self.counts.setdefault(account, {})
        counts[name] = counts.get(name, 0) + amount

    def _touch(self, profile: Profile) -> None:
        self._dirty[profile.number] = None

    def _plan(self, account: int) -> AccountPlan:
        return self._plans.get(account, EMPTY_PLAN)

    def _flush(self) -> None:
        for account in {*self._identified, *self._crossed, *(self._accounts[n] for n in self._dirty)}:
            self._tx.profiles.save(account, self._changes(account))
        self._tx.outbox.enqueue(self._enqueued)
        self._dirty, self._identified, self._crossed, self._enqueued = {}, {}, {}, []

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


def _cause_of(event: Event) -> Cause:
    if event.kind == RecordKind.HISTORY:
        return _LOADING
    return Cause(hops=event.hops) if event.hops else ORDINARY
