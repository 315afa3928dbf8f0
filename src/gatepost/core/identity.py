"""Which profile an event belongs to, and what happens when it shows that two profiles are one.

The event goes to the profile of its highest-ranked known identifier. Other profiles its identifiers lead to are
merged into one with it, unless both hold different values of an identifier field that allows one: then the
lower-ranked identifier keeps its profile and the conflict is counted.
"""

from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest
from types import MappingProxyType

from gatepost.core.folding import merge_values
from gatepost.core.windows import unite
from gatepost.model.audience import Membership
from gatepost.model.profile import EXPIRY, Identifier, Profile
from gatepost.model.schema import Field, FieldType
from gatepost.model.times import Instant, Milliseconds

BLOCKED_VALUES = frozenset({"", "undefined", "null", "none", "nan", "0", "anonymous", "unknown"})
"""Values that broken clients send for everybody; they identify nobody."""

NOTHING_KEPT: Mapping[str, Milliseconds] = MappingProxyType({})

LONGEST_IDENTIFIER = 256
"""Bytes; as documented for Lytics."""


def usable(value: str, blocked: Collection[str] = BLOCKED_VALUES) -> bool:
    """Say whether a value may identify somebody; `blocked` values are in lower case."""
    return value.strip().lower() not in blocked and len(value.encode()) <= LONGEST_IDENTIFIER


def compatible(left: Profile, right: Profile, fields: Mapping[str, Field]) -> bool:
    """Say whether two profiles can be one: nobody parted them, and no field that allows one value holds two."""
    if right.number in left.apart or left.number in right.apart:
        return False
    for name, values in left.identifiers.items():
        others = right.identifiers.get(name)
        # A field that left the schema identifies nobody any more, so it keeps nobody apart.
        single = name in fields and fields[name].type is FieldType.STRING
        if others and single and values.keys() != others.keys():
            return False
    return True


def accepts(profile: Profile, identifier: Identifier, fields: Mapping[str, Field]) -> bool:
    """Say whether a profile can take on an identifier nobody holds."""
    name, value = identifier
    held = profile.identifiers.get(name)
    return not held or value in held or fields[name].type is not FieldType.STRING


def seniority(profile: Profile, ranks: Mapping[str, int]) -> tuple[int, Instant, str]:
    """Order profiles by who survives a merge: the highest-ranked, then the oldest identifier."""
    held = (
        (ranks.get(name, len(ranks)), min(values.values()))
        for name, values in profile.identifiers.items()
        if values
    )
    rank, since = min(held, default=(len(ranks), profile.created))
    return rank, since, profile.id


def superfluous(
    profile: Profile, fields: Mapping[str, Field], ranks: Mapping[str, int], limit: int
) -> list[Identifier]:
    """Return the identifiers for which a profile has no room, those of the weakest field seen first longest ago."""
    gone: list[Identifier] = []
    total = sum(map(len, profile.identifiers.values()))
    for name in sorted(profile.identifiers, key=lambda name: ranks.get(name, len(ranks)), reverse=True):
        field, values = fields.get(name), profile.identifiers[name]
        if field is not None and field.type is FieldType.STRING:
            continue
        over_capacity = len(values) - field.capacity if field is not None and field.capacity else 0
        excess = min(max(over_capacity, total - limit), len(values))
        if excess > 0:
            oldest = nsmallest(excess, values, key=lambda value: (values[value], value))
            gone += [(name, value) for value in oldest]
            total -= excess
    return gone


def attach(profile: Profile, identifiers: Sequence[Identifier], at: Instant) -> None:
    """Record identifiers on a profile, with the earliest time each was seen."""
    for name, value in identifiers:
        held = profile.identifiers.setdefault(name, {})
        held[value] = min(at, held.get(value, at))


def absorb(
    survivor: Profile,
    absorbed: Profile,
    fields: Mapping[str, Field],
    keep: Mapping[str, Milliseconds] = NOTHING_KEPT,
) -> None:
    """Merge everything one profile knows into another; folding all events into one gives the same.

    `keep` names the longest window over each source, so that what no window reaches is forgotten first.
    """
    for field in fields.values():
        merge_values(survivor, absorbed, field)
    for name, values in absorbed.identifiers.items():
        attach_all = survivor.identifiers.setdefault(name, {})
        for value, at in values.items():
            attach_all[value] = min(at, attach_all.get(value, at))
    survivor.memberships = united(survivor.memberships, absorbed.memberships)
    expiries = [one.due[EXPIRY] for one in (survivor, absorbed) if EXPIRY in one.due]
    survivor.due = {EXPIRY: min(expiries)} if expiries else {}
    survivor.created = min(survivor.created, absorbed.created)
    survivor.modified = max(survivor.modified, absorbed.modified)
    unite(survivor, absorbed, keep)
    survivor.events += absorbed.events
    survivor.released += absorbed.released
    survivor.refused += absorbed.refused
    survivor.weight += absorbed.weight
    survivor.conflicts += absorbed.conflicts
    survivor.aliases = [*survivor.aliases, absorbed.id, *absorbed.aliases]
    survivor.trail = sorted([*survivor.trail, *absorbed.trail])
    survivor.apart = sorted({*survivor.apart, *absorbed.apart})
    survivor.written = sorted({*survivor.written, *absorbed.written})
    survivor.excluded |= {
        audience: min(since, survivor.excluded.get(audience, since))
        for audience, since in absorbed.excluded.items()
    }
    for stream, amount in absorbed.streams.items():
        survivor.streams[stream] = survivor.streams.get(stream, 0) + amount


def united(left: dict[int, Membership], right: dict[int, Membership]) -> dict[int, Membership]:
    """Unite the standings of two profiles: in where either was in, numbered on from the larger."""
    result = dict(left)
    for audience, other in right.items():
        own = result.get(audience)
        if own is None:
            result[audience] = other
            continue
        inside = own.inside or other.inside
        since = min((m.since for m in (own, other) if m.inside), default=max(own.since, other.since))
        result[audience] = Membership(inside, since, max(own.transition, other.transition))
    return result
