"""One batch of the log folded in memory, written in one transaction.

A profile is loaded once, changed in memory by every event that touches it and saved once. Its wake-ups due before an
event fire before it, at their own instants, so the outcome does not depend on where a batch ends.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import orjson

from gatepost.core.applying import (
    Reading,
    affected_audiences,
    evaluate,
    exclude,
    fold_reading,
    lapse,
    may_differ,
    read_event,
)
from gatepost.core.entities import entity_of
from gatepost.core.identity import accepts, compatible
from gatepost.core.plans import EMPTY_PLAN, AccountPlan
from gatepost.core.rewriting import rewrite
from gatepost.core.triggers import ORDINARY, Cause, cause_of, triggered
from gatepost.model.audience import ExclusionCommand, Transition
from gatepost.model.delivery import Delivery
from gatepost.model.erasure import Withdrawn
from gatepost.model.event import Event, RecordKind
from gatepost.model.profile import EVERYWHERE, EXPIRY, Profile
from gatepost.model.times import Instant
from gatepost.ports.catalog import Duty
from gatepost.ports.outbox import Enqueued
from gatepost.ports.secrets import Secrets
from gatepost.ports.store import Transaction
from gatepost.ports.survey import AsOf, Filled
from gatepost.stages.backfills import first_enter, job_of, owed_after_merge, owed_after_unmerge
from gatepost.stages.excluding import Exclusions
from gatepost.stages.filling import Filling, fill, take
from gatepost.stages.held import Held
from gatepost.stages.identities import begin, identify, release
from gatepost.stages.merging import by_seniority, merge
from gatepost.stages.plans import VersionBook
from gatepost.stages.removing import erase_profile
from gatepost.stages.unmerging import Fetch, command_of, part, parted_now, rejoin, undoable
from gatepost.stages.wakeups import Wakeups

_SAYING = frozenset({RecordKind.EVENT, RecordKind.HISTORY, RecordKind.ATTRIBUTES})
"""Kinds of records that say something of somebody."""


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
        self._held = Held(tx)
        self._enqueued: list[Enqueued] = []
        self._wakeups = Wakeups()
        self._versions = VersionBook(tx, plans)
        self._filling = Filling(tx.ledger.duties(), plans)
        self._secrets = secrets
        self._exclusions = Exclusions(tx, secrets)
        self.erased: Withdrawn | None = None
        self.counts: dict[int, dict[str, int]] = {}
        self.destinations: set[int] = set()

    def fold(self, events: Sequence[Event], until: Instant) -> None:
        """Fold records, each after the wake-ups of its own profile, and wake who is due up to an instant."""
        self._wakeups.take(self._tx, until)
        readings = [self._read(event) for event in events]
        self._held.look_up(readings, self._wakeups.queue)
        for event, reading in zip(events, readings, strict=True):
            self.fire(event.received)
            self._apply(event, reading)
        self.fire(self.horizon)

    def _read(self, event: Event) -> Reading | None:
        """Read what an event says; None for a record that is none."""
        return read_event(self._plan(event.account), event) if event.kind in _SAYING else None

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
        while (wakeup := self._wakeups.next(until)) is not None:
            at, account, number = wakeup
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
        self._held.touch(profile)
        self._wake(account, profile)
        self._cross(account, plan, profile, transitions, Cause(beginning=first))

    def may_differ(self, account: int, profile: Profile, audience: int) -> bool:
        """Say whether evaluating an audience now would change anything of a profile."""
        return may_differ(self._plan(account), profile, audience, self.now)

    def fill(self, profile: Profile, duty: Duty, filled: Filled | None = None) -> frozenset[int]:
        """Fill a duty's windows, with what a survey found or anew; return the audiences that can be decided now."""
        account = duty.account
        if filled is not None:
            take(self._plan(account), profile, filled, duty.sources)
        else:
            past = self._fetch(self._held.trail(account, profile))
            fill(self._versions.of(account), profile, past, duty.sources)
        return self._filling.done(duty, profile.number)

    def profile(self, account: int, number: int) -> Profile | None:
        """Return a profile, loaded once a batch."""
        return self._held.profile(account, number)

    def adopt(self, account: int, profile: Profile) -> Profile:
        """Take in a profile that was read by other means; the batch's own copy wins."""
        return self._held.adopt(account, profile)

    def enqueue(self, plan: AccountPlan, profile: Profile, deliveries: tuple[Delivery, ...]) -> None:
        """Put deliveries into the outbox with a snapshot of the profile as it is now."""
        if deliveries:
            self._enqueued.append(Enqueued(orjson.dumps(entity_of(profile, plan)), deliveries))
            self.destinations.update(delivery.destination for delivery in deliveries)

    @property
    def horizon(self) -> Instant:
        """How far the wake-ups went; more of them wait for the next batch, and hold up no event of others."""
        return self._wakeups.horizon

    @property
    def changed(self) -> dict[int, AsOf]:
        """Who was changed, and what had been committed then; known once all is saved."""
        return dict.fromkeys(self._held.written, AsOf(self.position, self.now))

    @property
    def owing(self) -> bool:
        """Whether something is left to be erased after this batch."""
        return self.erased is not None or self._exclusions.owing

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
        self._count(account, "values_refused", reading.refused)
        self._count(account, "identifiers_blocked", reading.blocked)
        if not reading.identifiers:
            self._count(account, "events_without_identifier")
            return
        if self._exclusions.until and self._exclusions.leave_out(event, reading.identifiers):
            self._count(account, "events_excluded")
            return
        if reading.writing is not None:
            if self._held.number_of(account, reading.identifiers[0]) is None:
                self._count(account, "attributes_of_nobody")
                return
            self._count(account, "attributes_written")
        profile, whole = self._profile_for(account, plan, reading)
        changed = identify(self._held, plan, profile, reading)
        if whole or changed:
            given_up, released = release(self._held, account, plan, profile)
            changed |= given_up
            self._count(account, "identifiers_released", released)
        refused = profile.refused
        changed |= fold_reading(plan, profile, reading, now)
        if profile.refused > refused:
            self._count(account, "events_too_large")
        audiences = set(plan.audiences) if whole else affected_audiences(plan, changed)
        transitions = self._evaluate(account, plan, profile, audiences, now)
        self._held.touch(profile)
        self._wake(account, profile)
        self._cross(account, plan, profile, transitions, cause_of(event))

    def _evaluate(
        self, account: int, plan: AccountPlan, profile: Profile, audiences: Iterable[int], now: Instant
    ) -> list[Transition]:
        """Evaluate audiences, but for those whose windows still lack this profile's past."""
        if self._filling and (undecided := self._filling.undecided(account, profile.number)):
            for number in undecided:
                profile.due.pop(number, None)
            audiences = [number for number in audiences if number not in undecided]
        return evaluate(plan, profile, audiences, now)

    def _profile_for(self, account: int, plan: AccountPlan, reading: Reading) -> tuple[Profile, bool]:
        """Find, create or merge; say too whether every audience must be looked at."""
        willing, conflicts = self._willing(account, plan, reading)
        profile = willing[0] if willing else begin(self._tx, self._held, reading.event)
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
            number = self._held.number_of(account, identifier)
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

    def _merge(self, event: Event, plan: AccountPlan, left: Profile, right: Profile) -> Profile:
        """Make two profiles one, and give the one what walks under way owe to either."""
        self._flush()
        account = event.account
        survivor, absorbed = sides = by_seniority(plan, left, right)
        owed = owed_after_merge(self._tx, account, survivor.number, absorbed.number)
        lacking = self._filling.owed_after_merge(account, survivor.number, absorbed.number)
        written = survivor.written or absorbed.written
        trail = self._held.trail(account, *sides) if lacking or written else []
        past = self._fetch(trail) if trail else []
        merge(self._tx, self._held, plan, event, sides, self.now)
        # Without the whole past its order is not known: the two values meet as those of any field.
        if written and len(past) == len(trail):
            rewrite(self._versions.of(account), survivor, past, self.now)
        if lacking:
            fill(self._versions.of(account), survivor, past, lacking)
        self._count(account, "merges")
        self._tell_first(plan, survivor, owed)
        return survivor

    def _tell_first(self, plan: AccountPlan, profile: Profile, owed: Iterable[Duty]) -> None:
        """Send the enter that walks owe a member whom they will not meet any more."""
        for duty in owed:
            job, held = job_of(duty, plan), profile.memberships.get(duty.audience)
            if job is not None and held is not None and held.inside:
                self.enqueue(plan, profile, (first_enter(duty, job, profile, self._wall),))

    def _unmerge(self, event: Event, now: Instant) -> None:
        """Make one profile two again, and tell of what differs for either."""
        account, plan, command = event.account, self._plan(event.account), command_of(event)
        self._count(account, "events_applied")
        self._flush()
        if command.rejoin:
            rejoin(self._tx, self._held, account, command.merge)
            return
        undone = undoable(self._tx, account, command.merge)
        united = self.profile(account, undone.survivor.number) if undone is not None else None
        if undone is None or united is None:
            self._count(account, "unmerges_refused")
            return
        self.catch_up(account, united, now)
        sides = parted_now(self._tx, self._fetch, self._versions.of(account), united, undone, now)
        sides.survivor.timer = united.timer
        owed = owed_after_unmerge(self._tx, account, sides.survivor.number, sides.revived.number)
        part(self._tx, self._held, account, sides, now)
        for side in (sides.survivor, sides.revived):
            self.reevaluate(account, side, set(plan.audiences), now)
        self._tell_first(plan, sides.revived, owed)
        self._tx.merges.undo(account, undone.id, now)
        self._count(account, "unmerges")

    def _exclude(self, event: Event, now: Instant) -> None:
        """Keep a profile out of an audience by hand, or let the rule decide again; jobs are told as always."""
        account, command = event.account, msgspec.json.decode(event.body, type=ExclusionCommand)
        self._count(account, "events_applied")
        profile = self._held.profile(account, self._held.number_of(account, ("_id", command.profile)))
        if profile is not None and exclude(profile, command, now):
            every = command.audience == EVERYWHERE
            self.reevaluate(
                account, profile, self._plan(account).audiences if every else [command.audience], now
            )

    def _erase(self, event: Event) -> None:
        """Take a person away; what is left of her goes in steps afterwards."""
        self._count(event.account, "events_applied")
        self._flush()
        if self._secrets is None:
            return
        plan = self._plan(event.account)
        withdrawn = erase_profile(self._tx, self._secrets, plan, event)
        self._held.forget(withdrawn.profiles)
        self._exclusions.save(self.counts)
        self._exclusions = Exclusions(self._tx, self._secrets)
        self.erased = withdrawn | (self.erased or Withdrawn())

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
        self._held.cross(account, profile, transitions)
        found = triggered(plan, account, profile, transitions, self._wall, cause)
        self._count(account, "triggers_over_hops", found.over_hops)
        self.enqueue(plan, profile, found.deliveries)

    def _wake(self, account: int, profile: Profile) -> None:
        """Keep the stored wake-up no later than the earliest due instant; an early one costs only a look."""
        earliest = min(profile.due.values(), default=0)
        if earliest and (profile.timer == 0 or earliest < profile.timer):
            profile.timer = earliest
            self._wakeups.add((earliest, account, profile.number))

    def _count(self, account: int, name: str, amount: int = 1) -> None:
        if amount:
            counts = self.counts.setdefault(account, {})
            counts[name] = counts.get(name, 0) + amount

    def _plan(self, account: int) -> AccountPlan:
        return self._plans.get(account, EMPTY_PLAN)

    def _flush(self) -> None:
        self._held.flush()
        self._tx.outbox.enqueue(self._enqueued)
        self._enqueued = []
