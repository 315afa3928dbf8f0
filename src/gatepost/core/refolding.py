"""A profile folded again from its own events, step by step, as `apply` folded it."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from gatepost.core.applying import fold_reading, lapse, read_event, take_on
from gatepost.core.identity import attach
from gatepost.core.plans import AccountPlan
from gatepost.model.event import Event
from gatepost.model.profile import Profile
from gatepost.model.times import Instant


class Refolded(msgspec.Struct, frozen=True):
    """A profile right before and right after one of its events; the same object grows with every step."""

    profile: Profile
    event: Event
    now: Instant
    changed: frozenset[str] | None = None
    """Fields and window sources that the event changed; None while it is still to be folded."""


def refolded(
    plan: AccountPlan, held: Mapping[str, Iterable[str]], events: Iterable[Event]
) -> Iterator[Refolded]:
    """Fold events in the order in which they were applied; yield before and after each.

    `held` are the identifiers the profile has: others that an event names belong to somebody else.
    """
    profile = Profile(0, "", created=1 << 62)
    own = {field: set(values) for field, values in held.items()}
    now = 0
    for event in events:
        now = max(now, event.received)
        yield Refolded(profile, event, now)
        if plan.keeping:
            lapse(plan, profile, now)
        reading = read_event(plan, event)
        accepted = [(name, value) for name, value in reading.identifiers if value in own.get(name, ())]
        attach(profile, accepted, event.at)
        changed = take_on(profile, accepted, plan.fields)
        changed |= fold_reading(plan, profile, reading, now)
        yield Refolded(profile, event, now, frozenset(changed))
