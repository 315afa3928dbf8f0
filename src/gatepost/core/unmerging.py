"""Undoing a merge: the two profiles as they were, and what has happened since folded onto the one it belongs to.

An event goes to the side that holds its strongest identifier; what it says of the other side's identifiers is left
out. Both sides begin with the memberships of the one they were, for that is what the destinations were told.
"""

from collections.abc import Iterable, Sequence

import msgspec

from gatepost.core.applying import Reading, fold_reading, give_up, lapse, read_event, take_on
from gatepost.core.identity import accepts, attach
from gatepost.core.plans import AccountPlan
from gatepost.core.versions import Versions
from gatepost.model.audience import Membership
from gatepost.model.event import Event
from gatepost.model.merge import Merge
from gatepost.model.profile import Identifier, Profile
from gatepost.model.times import Instant

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Profile).decode


class Parted(msgspec.Struct, frozen=True):
    """The two profiles that one becomes."""

    survivor: Profile
    revived: Profile


def parted(
    versions: Versions, united: Profile, merge: Merge, trail: Iterable[int], events: Iterable[Event]
) -> Parted:
    """Return the two sides of a merged profile as of the last event, each folded under its version of the schema.

    `trail` holds the ids of all its events, `events` those since the merge in order, its own event first.
    """
    left, right = _copy(merge.survivor), _copy(merge.absorbed)
    left.trail = sorted({id_ for id_ in trail if id_ < merge.event} - {*merge.trail})
    right.trail = list(merge.trail)
    now, place = merge.at, versions.place(merge.event)
    for event in events:
        now = max(now, event.received)
        begin, place = place, versions.place(event.id)
        _turn(versions, (left, right), begin, place)
        plan = versions.plan(place)
        reading = read_event(plan, event)
        side = _side(reading.identifiers, left, right)
        other = right if side is left else left
        _fold(plan, side, _unclaimed(reading, united, other), reading, now)
    _turn(versions, (left, right), place, versions.last)
    _share(versions.current, united, left, right)
    left.excluded, right.excluded = _excluded(left, right, united), _excluded(right, left, united)
    for side in (left, right):
        side.memberships = {number: _copied(held) for number, held in united.memberships.items()}
        side.due, side.timer = {}, 0
    left.apart, right.apart = _apart(left, right, united), _apart(right, left, united)
    return Parted(left, right)


def _excluded(side: Profile, other: Profile, united: Profile) -> dict[int, Instant]:
    """Return what a side is kept out of: its own exclusions that still stand, and those made of both together."""
    return {
        audience: max(since, side.excluded.get(audience, since))
        for audience, since in united.excluded.items()
        if audience in side.excluded or other.excluded.get(audience) != since
    }


def _apart(side: Profile, other: Profile, united: Profile) -> list[int]:
    """Return whom a side is kept apart from: as before the merge, where it still stands, and as both together were."""
    own = {one for one in united.apart if one in side.apart or one not in other.apart}
    return sorted({*own, other.number})


def _side(identifiers: Sequence[Identifier], left: Profile, right: Profile) -> Profile:
    for identifier in identifiers:
        if _holds(left, identifier):
            return left
        if _holds(right, identifier):
            return right
    return left


def _unclaimed(reading: Reading, united: Profile, other: Profile) -> list[Identifier]:
    """Return what an event may give to one side: not the other's, nor what somebody else holds by now."""
    return [one for one in reading.identifiers if _holds(united, one) and not _holds(other, one)]


def _fold(
    plan: AccountPlan, side: Profile, identifiers: Iterable[Identifier], reading: Reading, now: Instant
) -> None:
    if plan.keeping:
        lapse(plan, side, now)
    accepted = []
    for identifier in identifiers:
        if accepts(side, identifier, plan.fields):
            attach(side, [identifier], reading.event.at)
            accepted.append(identifier)
    take_on(side, accepted, plan.fields)
    fold_reading(plan, side, reading, now)


def _turn(versions: Versions, sides: tuple[Profile, Profile], begin: int, end: int) -> None:
    """Let versions that keep values for another length of time follow on each other, for both sides."""
    for turn in versions.turns(begin, end):
        for side in sides:
            lapse(turn.earlier, side, turn.at)
            turn.take(side)


def _share(plan: AccountPlan, united: Profile, left: Profile, right: Profile) -> None:
    """Let the sides have just what the one they were holds by now: what no event tells of is the survivor's."""
    for side in (left, right):
        give_up(side, [one for one in _identifiers(side) if not _holds(united, one)])
    for name, value in _identifiers(united):
        if not _holds(left, (name, value)) and not _holds(right, (name, value)):
            attach(left, [(name, value)], united.identifiers[name][value])
            if name in plan.fields:
                take_on(left, [(name, value)], plan.fields)


def _identifiers(profile: Profile) -> list[Identifier]:
    return [(name, value) for name, values in profile.identifiers.items() for value in values]


def _holds(profile: Profile, identifier: Identifier) -> bool:
    name, value = identifier
    return value in profile.identifiers.get(name, ())


def _copy(profile: Profile) -> Profile:
    return _DECODE(_ENCODE(profile))


def _copied(held: Membership) -> Membership:
    return Membership(held.inside, held.since, held.transition)
