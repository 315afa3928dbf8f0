"""A profile folded again from its own events, step by step, as `apply` folded it."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from gatepost.core.applying import fold_reading, lapse, read_event, take_on
from gatepost.core.identity import attach
from gatepost.core.plans import AccountPlan
from gatepost.core.versions import Versions
from gatepost.model.event import Event
from gatepost.model.profile import EXPIRY, Profile
from gatepost.model.times import Instant


class Refolded(msgspec.Struct, frozen=True):
    """A profile right before and right after a change; the same object grows with every step."""

    profile: Profile
    event: Event | None
    """None when values went that nobody gave for as long as they are kept."""
    now: Instant
    changed: frozenset[str] | None = None
    """Fields and window sources that changed; None while that is still to come."""


def refolded(
    versions: Versions, held: Mapping[str, Iterable[str]], events: Iterable[Event], until: Instant = 0
) -> Iterator[Refolded]:
    """Fold events in the order in which they were applied, each under its version of the schema.

    Yields before and after each, and before and after values go by themselves. `held` are
    the identifiers the profile has: others that an event names belong to somebody else.
    """
    profile = Profile(0, "", created=1 << 62)
    own = {field: set(values) for field, values in held.items()}
    now, place = 0, None
    for event in events:
        now = max(now, event.received)
        begin, place = place, versions.place(event.id)
        yield from _turns(versions, profile, begin, place)
        plan = versions.plan(place)
        yield from _lapses(plan, profile, now)
        yield Refolded(profile, event, now)
        reading = read_event(plan, event)
        accepted = [(name, value) for name, value in reading.identifiers if value in own.get(name, ())]
        attach(profile, accepted, event.at)
        changed = take_on(profile, accepted, plan.fields)
        changed |= fold_reading(plan, profile, reading, now)
        yield Refolded(profile, event, now, frozenset(changed))
    yield from _turns(versions, profile, place, versions.last)
    yield from _lapses(versions.current, profile, until)


def _turns(versions: Versions, profile: Profile, begin: int | None, end: int) -> Iterator[Refolded]:
    """Let versions that keep values for another length of time follow on each other, from the first event's on."""
    for turn in versions.turns(end if begin is None else begin, end):
        yield from _lapses(turn.earlier, profile, turn.at)
        yield Refolded(profile, None, turn.at)
        yield Refolded(profile, None, turn.at, frozenset(turn.take(profile)))


def _lapses(plan: AccountPlan, profile: Profile, until: Instant) -> Iterator[Refolded]:
    """Let values go, each when its time has come."""
    while EXPIRY in profile.due and profile.due[EXPIRY] <= until:
        due = profile.due[EXPIRY]
        yield Refolded(profile, None, due)
        yield Refolded(profile, None, due, frozenset(lapse(plan, profile, due)))
