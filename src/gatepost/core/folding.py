"""Folding: an event's mapped values meet the values a profile holds.

Every merge operator is commutative and associative over (value, stamp), so the same events give the same profile in
any order, and folding two halves and merging them equals folding the whole.
"""

from gatepost.core.coercion import coerced
from gatepost.core.elements import STAMPED, fold_elements, has_elements, merge_elements
from gatepost.core.operators import combined, fold_stamped
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import Profile, Stamp
from gatepost.model.schema import Field, MergeOperator

__all__ = ["coerced", "fold_value", "merge_values"]


def fold_value(profile: Profile, field: Field, value: JsonValue, stamp: Stamp) -> bool:
    """Merge one coerced value into the profile; say whether the stored value changed."""
    # `has_elements` spelled out: every value of every event comes by here.
    if field.capacity or field.keep_days or field.type in STAMPED:
        return fold_elements(profile, field, value, stamp)
    match field.merge:
        case MergeOperator.LATEST:
            return fold_stamped(profile, field.name, value, stamp, newer=True)
        case MergeOperator.OLDEST:
            return fold_stamped(profile, field.name, value, stamp, newer=False)
        case _:
            return _combine(profile, field, value)


def merge_values(into: Profile, other: Profile, field: Field) -> bool:
    """Merge the value that another profile holds for a field; say whether `into` changed."""
    value = other.fields.get(field.name)
    if value is None:
        return False
    if has_elements(field) and not field.identifier:
        return merge_elements(into, other, field)
    if field.merge in (MergeOperator.LATEST, MergeOperator.OLDEST):
        stamp = other.stamps.get(field.name, (0, 0))
        newer = field.merge is MergeOperator.LATEST
        return fold_stamped(into, field.name, value, stamp, newer=newer)
    return _combine(into, field, value)


def _combine(profile: Profile, field: Field, value: JsonValue) -> bool:
    held = profile.fields.get(field.name)
    merged = combined(field.merge, held, value)
    if merged == held and held is not None:
        return False
    profile.fields[field.name] = merged
    return True
