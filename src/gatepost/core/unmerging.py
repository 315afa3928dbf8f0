"""Undoing a merge: the two profiles as they were, and what has happened since folded onto the one it belongs to.

An event goes to the side that holds its strongest identifier; what it says of the other side's identifiers is left
out. Both sides begin with the memberships of the one they were, for that is what the destinations were told.
"""

from collections.abc import Iterable, Sequence

import msgspec

from gatepost.core.applying import Reading, fold_reading, read_event, take_on
from gatepost.core.identity import accepts, attach
from gatepost.core.plans import AccountPlan
from gatepost.model.audience import Membership
from gatepost.model.event import Event
from gatepost.model.merge import Merge
from gatepost.model.profile import Identifier, Profile

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Profile).decode


class Parted(msgspec.Struct, frozen=True):
    """The two profiles that one becomes."""

    survivor: Profile
    revived: Profile


def parted(
    plan: AccountPlan, united: Profile, merge: Merge, trail: Iterable[int], events: Iterable[Event]
) -> Parted:
    """Return the two sides of a merged profile.

    `trail` holds the ids of all its events, `events` those since the merge in order, its own event first.
    """
    left, right = _copy(merge.survivor), _copy(merge.absorbed)
    left.trail = sorted({id_ for id_ in trail if id_ < merge.event} - {*merge.trail})
    right.trail = list(merge.trail)
    now = merge.at
    for event in events:
        now = max(now, event.received)
        reading = read_event(plan, event)
        side = _side(reading.identifiers, left, right)
        other = right if side is left else left
        _fold(plan, side, other, reading, now)
    for side in (left, right):
        side.memberships = {number: _copied(held) for number, held in united.memberships.items()}
        side.due, side.timer = {}, 0
    left.apart = sorted({*united.apart, *left.apart, right.number})
    right.apart = sorted({*right.apart, left.number})
    return Parted(left, right)


def _side(identifiers: Sequence[Identifier], left: Profile, right: Profile) -> Profile:
    for identifier in identifiers:
        if _holds(left, identifier):
            return left
        if _holds(right, identifier):
            return right
    return left


def _fold(plan: AccountPlan, side: Profile, other: Profile, reading: Reading, now: int) -> None:
    accepted = []
    for identifier in reading.identifiers:
        if not _holds(other, identifier) and accepts(side, identifier, plan.fields):
            attach(side, [identifier], reading.event.at)
            accepted.append(identifier)
    take_on(side, accepted, plan.fields)
    fold_reading(plan, side, reading, now)


def _holds(profile: Profile, identifier: Identifier) -> bool:
    name, value = identifier
    return value in profile.identifiers.get(name, ())


def _copy(profile: Profile) -> Profile:
    return _DECODE(_ENCODE(profile))


def _copied(held: Membership) -> Membership:
    return Membership(held.inside, held.since, held.transition)
