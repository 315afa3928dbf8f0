"""How values of one kind are read as another when a filter compares them."""

import math
import re
from collections.abc import Sequence
from typing import TypeGuard

from gatepost.model.jsonvalue import JsonValue

NUMBERS = frozenset({int, float})
"""The exact classes of numbers; `bool` is not one."""

_TRUE = frozenset({"true", "t", "1"})
_FALSE = frozenset({"false", "f", "0"})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NOISE = re.compile(r"[\s,$\u00a3\u00a5\u20ac\u00a2]")
_LONGEST_NUMBER = 300
"""Characters; keeps a text of digits from becoming an int beyond the range of a float."""


def number_of(value: JsonValue) -> int | float | None:
    """Read a number, or a text that is one; anything else is None."""
    if value.__class__ in NUMBERS:
        return value  # type: ignore[return-value]  # the class was checked
    return _number_text(value.strip()) if isinstance(value, str) else None


def cleaned_number_of(value: JsonValue) -> int | float | None:
    """Read a number like `number_of`, ignoring currency signs, blanks and thousands commas."""
    if isinstance(value, str):
        return _number_text(_NOISE.sub("", value))
    return number_of(value)


def _number_text(text: str) -> int | float | None:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return number if math.isfinite(number) else None


def truth_of(value: JsonValue) -> bool | None:
    """Read a bool, or a text that spells one; numbers are not bools."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def text_of(value: JsonValue) -> str | None:
    """Print a scalar as text; lists, maps and missing values have none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else None


def is_list(value: object) -> TypeGuard[Sequence[JsonValue]]:
    """Say whether a value is a list of values; a text is not."""
    # The class of nearly all lists; asking for it spares them the slow question.
    return value.__class__ is list or (isinstance(value, Sequence) and not isinstance(value, str))
