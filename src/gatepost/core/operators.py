"""The merge operators: how one value meets another, whole or key by key."""

import math
import sys
from collections.abc import Callable, Mapping

from gatepost.core.coercion import LARGEST_EXACT_INT
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile, Stamp
from gatepost.model.schema import MergeOperator

NOWHERE: Stamp = (0, 0)
"""Where a value came from that was stored before its field kept stamps; every event is newer."""


def fold_stamped(profile: Profile, name: str, value: JsonValue, stamp: Stamp, *, newer: bool) -> bool:
    """Put a whole value in place of the held one if its event is newer (or older); say whether that changed it."""
    held = profile.stamps.get(name)
    if held is not None and ((stamp < held) if newer else (stamp > held)):
        return False
    profile.stamps[name] = stamp
    if profile.fields.get(name) == value:
        return False
    profile.fields[name] = value
    return True


def fold_by_key(
    profile: Profile, name: str, value: JsonValue, stamps: Mapping[str, Stamp], *, newer: bool
) -> None:
    """Put the values of a map in place of the held ones whose events are older (or newer)."""
    held = profile.fields.get(name)
    if not isinstance(value, dict):
        # A merge brings what was stored before the field was a map; any map is worth more.
        profile.fields[name] = value if held is None else held
        return
    known = (profile.given if newer else profile.first).setdefault(name, {})
    merged = dict(held) if isinstance(held, dict) else {}
    for key, inner in value.items():
        stamp, own = stamps.get(key, NOWHERE), known.get(key)
        if own is None or ((stamp >= own) if newer else (stamp <= own)):
            known[key] = stamp
            merged[key] = inner
    profile.fields[name] = merged


def _sum(held: JsonValue, value: JsonValue) -> JsonValue:
    if isinstance(held, dict):
        return _per_key(_sum, held, value)
    assert isinstance(held, int | float)
    assert isinstance(value, int | float)
    total = held + value
    # Stored integers are 64 bits wide; beyond that a float keeps the magnitude.
    if isinstance(total, int) and abs(total) > LARGEST_EXACT_INT:
        return float(total)
    # JSON knows no infinity: a sum that overflows stays at the largest number there is.
    return total if math.isfinite(total) else math.copysign(sys.float_info.max, total)


def _smaller(held: JsonValue, value: JsonValue) -> JsonValue:
    return min(held, value)  # type: ignore[type-var]  # both are numbers, checked by coercion


def _larger(held: JsonValue, value: JsonValue) -> JsonValue:
    return max(held, value)  # type: ignore[type-var]  # both are numbers, checked by coercion


def _union(held: JsonValue, value: JsonValue) -> JsonValue:
    if isinstance(held, dict):
        return _per_key(_sum, held, value)
    assert isinstance(held, list)
    assert isinstance(value, list)
    known = set(held)
    return held + [item for item in value if item not in known]


def _per_key(
    combine: Callable[[JsonValue, JsonValue], JsonValue], held: JsonValue, value: JsonValue
) -> JsonValue:
    assert isinstance(held, dict)
    assert isinstance(value, dict)
    return {
        **held,
        **{key: combine(held[key], inner) if key in held else inner for key, inner in value.items()},
    }


def _smaller_per_key(held: JsonValue, value: JsonValue) -> JsonValue:
    return _per_key(_smaller, held, value)


def _larger_per_key(held: JsonValue, value: JsonValue) -> JsonValue:
    return _per_key(_larger, held, value)


_COMBINE: dict[MergeOperator, Callable[[JsonValue, JsonValue], JsonValue]] = {
    MergeOperator.MIN: _smaller,
    MergeOperator.MAX: _larger,
    MergeOperator.SUM: _sum,
    MergeOperator.COUNT: _sum,
    MergeOperator.MERGE: _union,
    MergeOperator.CAPPED: _union,
    MergeOperator.MAPMIN: _smaller_per_key,
    MergeOperator.MAPMAX: _larger_per_key,
}
"""The operators that need no stamps."""


def combined(operator: MergeOperator, held: JsonValue, value: JsonValue) -> JsonValue:
    """Return what two values make together under an operator that needs no stamps."""
    if held is None:
        return value
    try:
        return _COMBINE[operator](held, value)
    except (AssertionError, AttributeError, TypeError):
        # The field changed its type, and what is held still has the form of the earlier one.
        return value
