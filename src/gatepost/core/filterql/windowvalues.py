"""What each function over windows gives, and how its value is made."""

from collections.abc import Callable
from typing import Any

from gatepost.core.filterql import moments
from gatepost.core.filterql.distincts import distinct_value
from gatepost.core.filterql.functions import Kind
from gatepost.core.filterql.moving import Windows, value_of
from gatepost.core.filterql.windowcalls import WindowCall
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant, to_rfc3339

MADE: dict[str, tuple[Kind, Callable[[WindowCall], Callable[..., Any]]]] = {
    "count": ("number", value_of),
    "sum": ("number", value_of),
    "distinct": ("number", distinct_value),
    "first": ("date", moments.first_moment),
    "last": ("date", moments.last_moment),
    "sequence": ("bool", moments.sequence_test),
    "abandoned": ("bool", moments.abandoned_test),
}
"""Function -> the kind of its value, and what makes the value from the entries it reads."""


def shown_window(window: WindowCall, windows: Windows, now: Instant) -> JsonValue:
    """Return the value of a call over a profile's windows as people read it: whole numbers, dates as text."""
    kind, made = MADE[window.function]
    value: Any = made(window)(*(windows.get(read.key, ()) for read in window.reads), now, [])
    if kind == "date":
        return None if value is None else to_rfc3339(value)
    shown: JsonValue = int(value) if kind == "number" and value == int(value) else value
    return shown
