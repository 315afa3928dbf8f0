"""Values whose parts carry a stamp of their own: maps that keep a value per key, capacities, `keep_days`.

An element is a member of a set, a key of a map, or, where the operator takes the value as a whole, that whole.
`given` holds the last event that gave each element: by it the element given longest ago makes room when a capacity
is full, and an element that nobody gave for `keep_days` days disappears. Giving an element again renews it, which
is what makes the outcome the same in any order of events. A sum, a minimum or an oldest value that left begins anew
when it is given again.
"""

from collections.abc import Collection, Iterable, Mapping
from heapq import nsmallest

from gatepost.core.operators import NOWHERE, combined, fold_by_key, fold_stamped
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.profile import EXPIRY, Profile, Stamp
from gatepost.model.schema import Field, FieldType, MergeOperator
from gatepost.model.times import DAY, Instant, Milliseconds

_WHOLE = ""
"""The element of a value that is taken as a whole; no member and no key is empty."""
_LONGEST_BUCKETS = 62
"""Days a `[]timebucket` goes back: twice the longest window that can ask for it."""
_PER_KEY = frozenset(
    {
        FieldType.STRING_MAP,
        FieldType.INT_MAP,
        FieldType.NUMBER_MAP,
        FieldType.BOOL_MAP,
        FieldType.DATE_MAP,
        FieldType.VALUE_MAP,
    }
)
STAMPED = _PER_KEY | {FieldType.SEEN_STRINGS, FieldType.BUCKETS}
"""Types that have elements in any case."""
_WHOLES = frozenset({MergeOperator.LATEST, MergeOperator.OLDEST})


def has_elements(field: Field) -> bool:
    """Say whether the parts of a field's values carry stamps."""
    return field.capacity > 0 or field.keep_days > 0 or field.type in STAMPED


def fold_elements(profile: Profile, field: Field, value: JsonValue, stamp: Stamp) -> bool:
    """Merge one coerced value into a field with elements; say whether the stored value changed."""
    stamps = dict.fromkeys(_elements(field, value), stamp)
    return _meet(profile, field, value, (stamp, stamps, stamps))


def merge_elements(into: Profile, other: Profile, field: Field) -> bool:
    """Merge the value another profile holds for a field with elements; say whether `into` changed."""
    name = field.name
    stamps = (other.stamps.get(name, NOWHERE), other.given.get(name, {}), other.first.get(name, {}))
    return _meet(into, field, other.fields[name], stamps)


def expect(profile: Profile, gone: Instant, now: Instant) -> bool:
    """Note when a value given now would disappear; say whether it is of any use until then.

    A value that is renewed leaves a wake-up that comes early, which is cheaper than to look at all others each time.
    """
    if gone <= now:
        return False
    profile.due[EXPIRY] = min(gone, profile.due.get(EXPIRY, gone))
    return True


def expire(profile: Profile, keeping: Mapping[str, Milliseconds], now: Instant) -> set[str]:
    """Drop what nobody gave for as long as its field keeps it, note when the next goes, return what changed."""
    changed: set[str] = set()
    following: list[Instant] = []
    for name, keep in keeping.items():
        given = profile.given.get(name)
        if not given:
            continue
        gone = [element for element, (at, _) in given.items() if at + keep <= now]
        if gone:
            _forget(profile, name, gone)
            changed.add(name)
        following += [at + keep for at, _ in given.values()]
    if following:
        profile.due[EXPIRY] = min(following)
    else:
        profile.due.pop(EXPIRY, None)
    return changed


def date_back(profile: Profile, field: Field) -> None:
    """Stamp what a profile held before its field kept stamps, as given when the profile last changed."""
    held = profile.fields.get(field.name)
    if held is None:
        return
    known = profile.given.setdefault(field.name, {})
    latest = profile.stamps.get(field.name, (profile.modified, 0))
    for element in _elements(field, held):
        known.setdefault(element, latest)


def keeping_of(fields: Iterable[Field]) -> dict[str, Milliseconds]:
    """Return how long fields keep their values, those that keep them for a while."""
    return {field.name: field.keep_days * DAY for field in fields if field.keep_days}


_Stamps = tuple[Stamp, Mapping[str, Stamp], Mapping[str, Stamp]]
"""Of the value as a whole; of each element when it was last given; of each key where its oldest value came from."""


def _meet(profile: Profile, field: Field, value: JsonValue, stamps: _Stamps) -> bool:
    name, (whole, given, first) = field.name, stamps
    before = profile.fields.get(name)
    match field.merge:
        case MergeOperator.LATEST | MergeOperator.OLDEST:
            newer = field.merge is MergeOperator.LATEST
            fold_stamped(profile, name, _cut(field, value), whole, newer=newer)
        case MergeOperator.OLDESTMAP:
            fold_by_key(profile, name, value, first, newer=False)
        case MergeOperator.LATESTMAP:
            fold_by_key(profile, name, value, given, newer=True)
        case MergeOperator.MERGE if field.type in _PER_KEY:
            fold_by_key(profile, name, value, given, newer=True)
        case operator:
            profile.fields[name] = combined(operator, before, value)
    if field.capacity or field.keep_days or field.type is FieldType.SEEN_STRINGS:
        _renew(profile.given.setdefault(name, {}), given)
    _make_room(profile, field)
    return profile.fields.get(name) != before


def _elements(field: Field, value: JsonValue) -> Iterable[str]:
    if field.merge in _WHOLES or not isinstance(value, dict | list):
        return (_WHOLE,)
    return map(str, value)


def _renew(known: dict[str, Stamp], given: Mapping[str, Stamp]) -> None:
    for element, stamp in given.items():
        if stamp > known.get(element, NOWHERE):
            known[element] = stamp


def _cut(field: Field, value: JsonValue) -> JsonValue:
    """Return as much of a value that is taken as a whole as the field has room for."""
    if not field.capacity:
        return value
    if isinstance(value, dict):
        return dict(list(value.items())[-field.capacity :])
    return value[-field.capacity :] if isinstance(value, list) else value


def _make_room(profile: Profile, field: Field) -> None:
    held = profile.fields[field.name]
    if field.type is FieldType.BUCKETS and isinstance(held, dict):
        excess = nsmallest(len(held) - _LONGEST_BUCKETS, held, key=int)
    elif field.capacity and field.merge not in _WHOLES and isinstance(held, dict | list):
        given = profile.given[field.name]
        elements = map(str, held)
        # Elements of one event share its stamp; their own text decides, so that any order gives the same.
        excess = nsmallest(
            len(held) - field.capacity, elements, key=lambda element: (given.get(element, NOWHERE), element)
        )
    else:
        return
    if excess:
        _forget(profile, field.name, excess)


def _forget(profile: Profile, name: str, elements: Collection[str]) -> None:
    """Take elements out of a value; one that is left without any is no value."""
    gone = set(elements)
    held = profile.fields.get(name)
    left: JsonValue = None
    if _WHOLE not in gone and isinstance(held, dict):
        left = {key: inner for key, inner in held.items() if key not in gone}
    elif _WHOLE not in gone and isinstance(held, list):
        left = [item for item in held if str(item) not in gone]
    for stamps in (profile.given, profile.first):
        known = stamps.get(name)
        for element in gone if known else ():
            known.pop(element, None)  # type: ignore[union-attr]  # only when there is one
    if left:
        profile.fields[name] = left
    else:
        for everything in (profile.fields, profile.stamps, profile.given, profile.first):
            everything.pop(name, None)
