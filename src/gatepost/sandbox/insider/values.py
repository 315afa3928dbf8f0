"""Whether a JSON value fits a type that Insider documents."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant, from_datetime
from gatepost.sandbox.insider.vocabulary import is_email, is_phone

LONGEST_STRING: Final = 4_096
LONGEST_ARRAY: Final = 1_000

_is_rfc3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII).fullmatch


def rfc3339(value: JsonValue) -> Instant | None:
    """Read an RFC 3339 text as an instant; None when it is anything else."""
    if not isinstance(value, str) or not _is_rfc3339(value):
        return None
    try:
        return from_datetime(datetime.fromisoformat(value.upper()))
    except (ValueError, OverflowError):
        # The shape is right, the day or hour does not exist.
        return None


def is_string(value: JsonValue) -> bool:
    """Tell whether the value is a text."""
    return isinstance(value, str)


def is_number(value: JsonValue) -> bool:
    """Tell whether the value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_custom_value(value: JsonValue) -> bool:
    """Tell whether a custom attribute or parameter can hold the value."""
    if isinstance(value, str | int | float):
        return True
    return isinstance(value, list) and (all(map(is_string, value)) or all(map(is_number, value)))


def _is_integer(value: JsonValue) -> bool:
    return is_number(value) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _is_birthday(value: JsonValue) -> bool:
    return isinstance(value, str) and value.endswith("Z") and rfc3339(value) is not None


_FITS: Final[dict[str, Callable[[JsonValue], bool]]] = {
    "string": is_string,
    "boolean": lambda value: isinstance(value, bool),
    "number": is_number,
    "integer": _is_integer,
    "date": lambda value: rfc3339(value) is not None,
    "array of strings": lambda value: isinstance(value, list) and all(map(is_string, value)),
    "array of numbers": lambda value: isinstance(value, list) and all(map(is_number, value)),
    "email": lambda value: isinstance(value, str) and bool(is_email(value)),
    "phone": lambda value: isinstance(value, str) and bool(is_phone(value)),
    "birthday": _is_birthday,
    "any": is_custom_value,
}

TYPES: Final = tuple(_FITS)


def fits(value: JsonValue, kind: str) -> bool:
    """Tell whether a value is of the named type; an empty text is only a string."""
    return _FITS[kind](value)


def oversize(value: JsonValue) -> str | None:
    """Say what is unusually long about a value, if anything."""
    if isinstance(value, str) and len(value) > LONGEST_STRING:
        return f"{len(value)} characters, more than {LONGEST_STRING}"
    if isinstance(value, list) and len(value) > LONGEST_ARRAY:
        return f"{len(value)} items, more than {LONGEST_ARRAY}"
    return None
