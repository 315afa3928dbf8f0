"""Assertions: what a value must be to be taken into a field."""

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from gatepost.core.filterql import compile_guard
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.schema import Assertions, Field, Format
from gatepost.model.times import Instant

Assertion: TypeAlias = Callable[[JsonValue, Instant], tuple[JsonValue, int]]
"""Gives as much of a value as holds (None when nothing does) and how much was refused."""
_Test: TypeAlias = Callable[[JsonValue, Instant], bool]

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
_FORMATS = {
    Format.ALPHA: re.compile(r"[^\W\d_]+"),
    Format.ALPHANUMERIC: re.compile(r"[^\W_]+"),
    Format.UUID: re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    Format.BASE64: re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    Format.HEX: re.compile(r"[0-9a-fA-F]+"),
    Format.INT: re.compile(r"[+-]?[0-9]+"),
}


def assertions_of(fields: Iterable[Field]) -> dict[str, Assertion]:
    """Return the assertions of the fields that have any."""
    tests = {field.name: _tests(field.assertions) for field in fields if field.assertions is not None}
    return {name: _asserting(found) for name, found in tests.items() if found}


def _asserting(tests: list[_Test]) -> Assertion:
    def check(value: JsonValue, at: Instant) -> tuple[JsonValue, int]:
        if isinstance(value, dict):
            kept = {key: inner for key, inner in value.items() if all(test(inner, at) for test in tests)}
            return kept or None, len(value) - len(kept)
        if isinstance(value, list):
            left = [item for item in value if all(test(item, at) for test in tests)]
            return left or None, len(value) - len(left)
        return (value, 0) if all(test(value, at) for test in tests) else (None, 1)

    return check


def _tests(wanted: Assertions) -> list[_Test]:
    tests: list[_Test] = []
    if wanted.email:
        tests.append(_fitting(_EMAIL))
    if wanted.format is not Format.ANY:
        tests.append(_fitting(_FORMATS[wanted.format]))
    if wanted.length.min or wanted.length.max:
        tests.append(_as_long(wanted.length.min, wanted.length.max or None))
    if wanted.filter:
        guard = compile_guard(wanted.filter)
        tests.append(lambda value, at: guard({"value": value}, at))
    return tests


def _fitting(pattern: re.Pattern[str]) -> _Test:
    return lambda value, _: isinstance(value, str) and pattern.fullmatch(value) is not None


def _as_long(least: int, most: int | None) -> _Test:
    return lambda value, _: (
        isinstance(value, str) and len(value) >= least and (most is None or len(value) <= most)
    )
