"""What a mapped value becomes in a field of a type: the form in which profiles hold it, or nothing."""

from collections.abc import Callable
from functools import partial

from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.schema import Field, FieldType, MergeOperator
from gatepost.model.times import DAY

LARGEST_EXACT_INT = 2**63 - 1


def coerced(field: Field, value: JsonValue) -> JsonValue:
    """Return what a value brings to a field, as the field's type holds it, or None when it does not fit."""
    if field.merge is MergeOperator.COUNT:
        return 1
    return held_as(field, value)


def held_as(field: Field, value: JsonValue) -> JsonValue:
    """Return a value as the field's type holds it, a count too; None when it does not fit."""
    return _COERCE[field.type](value)


def coercion(field: Field, *, instants: bool) -> Callable[[JsonValue], JsonValue]:
    """Return how a field takes in the values of an expression.

    With `instants` whole numbers are instants already, not epoch numbers whose unit their size has to tell.
    """
    special = _OF_INSTANTS.get(field.type) if instants and field.merge is not MergeOperator.COUNT else None
    return special or partial(coerced, field)


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


def _instant(value: JsonValue) -> JsonValue:
    return value if value.__class__ is int else parse_time(value)


def _scalar(value: JsonValue) -> JsonValue:
    return value if value != "" and isinstance(value, str | int | float) else None


def _set_of(item: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    items = value if isinstance(value, list) else list(value) if isinstance(value, dict) else [value]
    return list(dict.fromkeys(one for one in map(item, items) if one is not None)) or None


def _map_of(item: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        return None
    held = {key: item(inner) for key, inner in value.items() if key}
    return {key: inner for key, inner in held.items() if inner is not None} or None


def _counters(value: JsonValue) -> JsonValue:
    return _map_of(_int, value) if isinstance(value, dict) else _counted(_text, value)


def _counted(item: Callable[[JsonValue], JsonValue], value: JsonValue) -> JsonValue:
    counted: dict[str, int] = {}
    for one in map(item, value if isinstance(value, list) else [value]):
        if isinstance(one, str):
            counted[one] = counted.get(one, 0) + 1
    return counted or None


def _day(value: JsonValue) -> JsonValue:
    return _day_of(parse_time(value))


def _instant_day(value: JsonValue) -> JsonValue:
    return _day_of(_instant(value))


def _day_of(instant: JsonValue) -> JsonValue:
    return str(instant // DAY) if isinstance(instant, int) else None


_COERCE: dict[FieldType, Callable[[JsonValue], JsonValue]] = {
    FieldType.STRING: _text,
    FieldType.INT: _int,
    FieldType.NUMBER: _number,
    FieldType.BOOL: _bool,
    FieldType.DATE: _date,
    FieldType.STRINGS: partial(_set_of, _text),
    FieldType.DATES: partial(_set_of, _date),
    FieldType.SEEN_STRINGS: partial(_set_of, _text),
    FieldType.STRING_MAP: partial(_map_of, _text),
    FieldType.INT_MAP: partial(_map_of, _int),
    FieldType.NUMBER_MAP: partial(_map_of, _number),
    FieldType.BOOL_MAP: partial(_map_of, _bool),
    FieldType.DATE_MAP: partial(_map_of, _date),
    FieldType.COUNTERS: _counters,
    FieldType.VALUE_MAP: partial(_map_of, _scalar),
    FieldType.BUCKETS: partial(_counted, _day),
}

_OF_INSTANTS: dict[FieldType, Callable[[JsonValue], JsonValue]] = {
    FieldType.DATE: _instant,
    FieldType.DATES: partial(_set_of, _instant),
    FieldType.DATE_MAP: partial(_map_of, _instant),
    FieldType.BUCKETS: partial(_counted, _instant_day),
}
