"""Folding has laws: neither the order of events nor where a batch ends may show in the profile."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.core.folding import coerced, fold_value, merge_values
from gatepost.core.windows import EXACT_BOUND, add_entry
from gatepost.model.profile import Profile, Stamp
from gatepost.model.schema import COLLECTIONS, MERGE_OPERATORS, Field, FieldType, MergeOperator
from gatepost.model.times import DAY
from tests.factories import make_profile

UNCAPPED = [
    Field(name=f"{kind.name}_{operator.name}".lower(), type=kind, merge=operator)
    for kind, operators in MERGE_OPERATORS.items()
    for operator in operators
]
FORGETFUL = {MergeOperator.SUM, MergeOperator.OLDESTMAP, MergeOperator.MAPMIN, MergeOperator.MAPMAX}
"""With a capacity these begin anew for a key that had left, so what a profile holds depends on when it left."""
CAPPED = [
    msgspec.structs.replace(field, name=f"{field.name}_capped", capacity=2)
    for field in UNCAPPED
    if field.type in COLLECTIONS - {FieldType.COUNTERS} and field.merge not in FORGETFUL
]
FIELDS = [*UNCAPPED, *CAPPED]

KEYS = st.sampled_from("abc")
RAW: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.STRING: st.text(min_size=1, max_size=5),
    FieldType.INT: st.integers(-1000, 1000),
    FieldType.NUMBER: st.integers(-1000, 1000).map(lambda n: n / 4),
    FieldType.BOOL: st.booleans(),
    FieldType.DATE: st.integers(10**12, 2 * 10**12),
    FieldType.STRINGS: st.lists(st.sampled_from("abc"), min_size=1),
    FieldType.DATES: st.lists(st.sampled_from([10**12, 11 * 10**11, 12 * 10**11]), min_size=1),
    FieldType.SEEN_STRINGS: st.lists(st.sampled_from("abc"), min_size=1),
    FieldType.STRING_MAP: st.dictionaries(KEYS, st.text(min_size=1, max_size=3), min_size=1),
    FieldType.INT_MAP: st.dictionaries(KEYS, st.integers(-5, 5), min_size=1),
    FieldType.NUMBER_MAP: st.dictionaries(KEYS, st.integers(-9, 9).map(lambda n: n / 4), min_size=1),
    FieldType.BOOL_MAP: st.dictionaries(KEYS, st.booleans(), min_size=1),
    FieldType.DATE_MAP: st.dictionaries(KEYS, st.integers(10**12, 2 * 10**12), min_size=1),
    FieldType.COUNTERS: st.dictionaries(KEYS, st.integers(-5, 5), min_size=1),
    FieldType.VALUE_MAP: st.dictionaries(
        KEYS, st.one_of(st.integers(2, 9), st.sampled_from("xy")), min_size=1
    ),
    FieldType.BUCKETS: st.integers(0, 80).map(lambda day: 10**12 + day * DAY),
}


@st.composite
def contributions(draw: st.DrawFn) -> list[tuple[Field, Any, Stamp]]:
    """What a history of events says, each with its own stamp; event times may be equal, event ids never are."""
    few = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3))
    fields = draw(st.lists(st.sampled_from(few), min_size=1, max_size=12))
    history: list[tuple[Field, Any, Stamp]] = []
    for event_id, field in enumerate(fields):
        at = draw(st.integers(0, 3))
        value = coerced(field, draw(RAW[field.type]))
        if value is not None:
            history.append((field, value, (at, event_id)))
    return history


def folded(history: list[tuple[Field, Any, Stamp]]) -> Profile:
    profile = make_profile()
    for field, value, stamp in history:
        fold_value(profile, field, copy.deepcopy(value), stamp)
    return profile


def known(profile: Profile) -> tuple[Any, ...]:
    """A profile's values, with sets as sets: the order of arrival is not part of the value."""
    fields = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in profile.fields.items()
    }
    return fields, profile.stamps, profile.given, profile.first


@given(history=contributions(), data=st.data())
def test_the_order_of_events_does_not_show(
    history: list[tuple[Field, Any, Stamp]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))

    assert known(folded(history)) == known(folded(shuffled))


@given(history=contributions(), cut=st.integers(0, 12))
def test_merging_two_halves_equals_folding_the_whole(
    history: list[tuple[Field, Any, Stamp]], cut: int
) -> None:
    left, right = folded(history[:cut]), folded(history[cut:])

    for field in FIELDS:
        merge_values(left, right, field)

    assert known(folded(history)) == known(left)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@settings(max_examples=25)
@given(data=st.data())
def test_of_every_type_and_operator_neither_order_nor_parts_show(field: Field, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.tuples(RAW[field.type], st.integers(0, 2)), min_size=1, max_size=7))
    history = [(field, coerced(field, raw), (at, event)) for event, (raw, at) in enumerate(values)]
    shuffled = data.draw(st.permutations(history))
    cut = data.draw(st.integers(0, len(history)))

    whole, left, right = folded(history), folded(shuffled[:cut]), folded(shuffled[cut:])
    merge_values(left, right, field)

    assert known(whole) == known(folded(shuffled)) == known(left)


@given(history=contributions())
def test_a_profile_survives_being_stored(history: list[tuple[Field, Any, Stamp]]) -> None:
    profile = folded(history)

    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(profile), type=Profile)

    assert known(profile) == known(stored)


@given(
    amounts=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 9).map(float)), max_size=3_000),
)
def test_a_window_never_grows_beyond_its_bound_and_keeps_its_sum(amounts: list[tuple[int, float]]) -> None:
    profile = make_profile(modified=0)

    for entry in amounts:
        add_entry(profile, "sum:spend", entry, keep=100_000)

    entries = profile.windows.get("sum:spend", [])
    assert len(entries) <= EXACT_BOUND
    assert sorted(entries) == entries
    assert sum(amount for _, amount in amounts) == sum(amount for _, amount in entries)
    assert (len(amounts) > EXACT_BOUND) == bool(profile.approximate)
