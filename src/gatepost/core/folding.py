"""Folding: an event's mapped values meet the values a profile holds.

Every merge operator is commutative and associative over (value, stamp), so the same events give the same profile in
any order, and folding two halves and merging them equals folding the whole.
"""

import math
import sys
from collections.abc import Callable

from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile, Stamp
from gatepost.model.schema import Field, FieldType, MergeOperator

LARGEST_EXACT_INT = 2**63 - 1


def coerced(field: Field, value: JsonValue) -> JsonValue:
    """Return what a value brings to a field, as the field's type holds it, or None when it does not fit."""
    if field.merge is MergeOperator.COUNT:
        return 1
    return _COERCE[field.type](value)


def fold_value(profile: Profile, field: Field, value: JsonValue, stamp: Stamp) -> bool:
    """Merge one coerced value into the profile; say whether the stored value changed."""
    held = profile.fields.get(field.name)
    match field.merge:
        case MergeOperator.LATEST:
            return _fold_stamped(profile, field.name, value, stamp, newer=True)
        case MergeOperator.OLDEST:
            return _fold_stamped(profile, field.name, value, stamp, newer=False)
        case _:
            pass
    merged = value if held is None else _MERGE[field.merge](held, value)
    if merged == held and held is not None:
        return False
    profile.fields[field.name] = merged
    return True


def merge_values(into: Profile, other: Profile, field: Field) -> bool:
    """Merge the value that another profile holds for a field; say whether `into` changed."""
    value = other.fields.get(field.name)
    if value is None:
        return False
    if field.merge in (MergeOperator.LATEST, MergeOperator.OLDEST):
        stamp = other.stamps.get(field.name, (0, 0))
        return fold_value(into, field, value, stamp)
    held = into.fields.get(field.name)
    merged = value if held is None else _MERGE[field.merge](held, value)
    into.fields[field.name] = merged
    return merged != held


def _fold_stamped(profile: Profile, name: str, value: JsonValue, stamp: Stamp, *, newer: bool) -> bool:
    held = profile.stamps.get(name)
    if held is not None:
        held = (held[0], held[1])
        if (stamp < held) if newer else (stamp > held):
            return False
    profile.stamps[name] = stamp
    if profile.fields.get(name) == value:
        return False
    profile.fields[name] = value
    return True


def _sum(held: JsonValue, value: JsonValue) -> JsonValue:
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
    if isinstance(held, dict) and isinstance(value, dict):
        return {**held, **{key: _sum(held.get(key, 0), amount) for key, amount in value.items()}}
    assert isinstance(held, list)
    assert isinstance(value, list)
    known = set(held)
    return held + [item for item in value if item not in known]


_MERGE: dict[MergeOperator, Callable[[JsonValue, JsonValue], JsonValue]] = {
    MergeOperator.MIN: _smaller,
    MergeOperator.MAX: _larger,
    MergeOperator.SUM: _sum,
    MergeOperator.COUNT: _sum,
    MergeOperator.MERGE: _union,
}


def _text(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and value:
        return _text(value[0])
    return None


def _number(value: JsonValue) -> JsonValue:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and value == value and abs(value) != float("inf"):  # noqa: PLR0124 - NaN differs from itself
        return value
    return None


def _int(value: JsonValue) -> JsonValue:
    number = _number(value)
    if not isinstance(number, int | float):
        return None
    whole = int(number)
    return whole if abs(whole) <= LARGEST_EXACT_INT else None


def _bool(value: JsonValue) -> JsonValue:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _BOOL_TEXTS.get(value.lower())
    if value in (0, 1):
        return value == 1
    return None


_BOOL_TEXTS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def _date(value: JsonValue) -> JsonValue:
    return parse_time(value)


def _strings(value: JsonValue) -> JsonValue:
    items = value if isinstance(value, list) else list(value) if isinstance(value, dict) else [value]
    texts = dict.fromkeys(text for text in map(_text, items) if text is not None)
    return list(texts) or None


def _counters(value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        items = value if isinstance(value, list) else [value]
        counted: dict[str, int] = {}
        for text in map(_text, items):
            if isinstance(text, str):
                counted[text] = counted.get(text, 0) + 1
        return counted or None
    amounts = {key: _int(amount) for key, amount in value.items() if key}
    return {key: amount for key, amount in amounts.items() if amount is not None} or None


_COERCE: dict[FieldType, Callable[[JsonValue], JsonValue]] = {
    FieldType.STRING: _text,
    FieldType.INT: _int,
    FieldType.NUMBER: _number,
    FieldType.BOOL: _bool,
    FieldType.DATE: _date,
    FieldType.STRINGS: _strings,
    FieldType.COUNTERS: _counters,
}
