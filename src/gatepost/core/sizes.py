"""How large a profile may become: at 1 MiB it takes in no more values of sets and maps."""

import msgspec

from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile
from gatepost.model.schema import COLLECTIONS, Field, FieldType

LARGEST_PROFILE = 1024 * 1024
"""Bytes of the stored form; as documented for Lytics."""

_GROWING = COLLECTIONS | {FieldType.BUCKETS}
_PATIENCE = 64
"""Events a full profile turns away before it is measured again: something may have left it."""
_MEASURE = msgspec.msgpack.Encoder().encode


def weigh(profile: Profile, body: int, values: int) -> bool:
    """Add to what a profile may weigh an event's bytes for each value it brings; say whether that is too much."""
    profile.weight += body * values
    if profile.weight < LARGEST_PROFILE:
        return False
    if profile.refused % _PATIENCE == 0:
        profile.weight = len(_MEASURE(profile))
    return profile.weight >= LARGEST_PROFILE


def fitting(profile: Profile, values: list[tuple[Field, JsonValue]]) -> list[tuple[Field, JsonValue]]:
    """Return the values that a full profile still takes in; an event that loses some is noted on the profile."""
    kept = [(field, value) for field, value in values if field.type not in _GROWING]
    if len(kept) < len(values):
        profile.refused += 1
    return kept
