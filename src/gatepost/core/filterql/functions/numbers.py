"""Functions on numbers."""

import math
from collections.abc import Callable, Iterable

from gatepost.core.filterql.functions.record import Function
from gatepost.core.filterql.values import cleaned_number_of, is_list, number_of, text_of, truth_of
from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue


def _numbers(values: Iterable[JsonValue]) -> list[int | float] | None:
    """Spread lists and read numbers; None when one is not a number or there is none."""
    items = [item for value in values for item in (value if is_list(value) else (value,))]
    found = [number for item in items if (number := number_of(item)) is not None]
    return found if found and len(found) == len(items) else None


def _over(combine: Callable[[list[int | float]], float]) -> Callable[..., float | None]:
    def call(*values: JsonValue) -> float | None:
        numbers = _numbers(value for value in values if value is not None)
        try:
            return None if numbers is None else combine(numbers)
        except OverflowError:
            return None

    return call


def _total(numbers: list[int | float]) -> int | float:
    # Whole numbers stay whole; others are added without rounding on the way.
    return sum(numbers) if all(isinstance(number, int) for number in numbers) else math.fsum(numbers)


def _toint(value: JsonValue) -> int | None:
    number = cleaned_number_of(value)
    if isinstance(number, float) and not math.isfinite(number):
        return None
    return None if number is None else int(number)


def _tobool(value: JsonValue) -> bool | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if value not in {0, 1} else value == 1
    return truth_of(value)


def _sqrt(value: JsonValue) -> float | None:
    number = number_of(value)
    try:
        return None if number is None or number < 0 else math.sqrt(number)
    except OverflowError:
        return None


def _pow(base: JsonValue, exponent: JsonValue) -> float | None:
    x, y = number_of(base), number_of(exponent)
    if x is None or y is None:
        return None
    try:
        return math.pow(x, y)
    except (OverflowError, ValueError):
        return None


def _unsign(value: JsonValue) -> str | None:
    number = number_of(value)
    return None if not isinstance(number, int) else str(number % 2**64)


_CASTS: dict[str, Callable[[JsonValue], JsonValue]] = {
    "string": text_of,
    "int": _toint,
    "number": cleaned_number_of,
    "bool": _tobool,
    "date": parse_time,
}


def _cast(value: JsonValue, type_: JsonValue) -> JsonValue:
    cast = _CASTS.get(type_) if isinstance(type_, str) else None
    return cast(value) if cast else None


def _cast_problem(position: int, literal: JsonValue) -> str:
    if position != 1 or literal in _CASTS:
        return ""
    return f"nothing is cast to {literal}; write one of {', '.join(_CASTS)}"


FUNCTIONS = (
    Function(
        name="toint",
        params=("any",),
        returns="number",
        call=_toint,
        summary="A whole number, cut at the point, without currency and commas; of a date milliseconds.",
        examples=(('toint("$ 5.22")', 5), ('toint("1,234")', 1234), ('toint("x")', None)),
    ),
    Function(
        name="tonumber",
        params=("any",),
        returns="number",
        call=cleaned_number_of,
        summary="A number, read like toint but with its fraction.",
        examples=(('tonumber("5,555.50")', 5555.5),),
    ),
    Function(
        name="tobool",
        params=("any",),
        returns="bool",
        call=_tobool,
        summary="True or false from true, t, 1, false, f or 0 in any case.",
        examples=(('tobool("f")', False), ('tobool("maybe")', None)),
    ),
    Function(
        name="count",
        params=("any",),
        returns="number",
        call=lambda value: None if value is None else 1,
        summary="1 when there is a value; with a length it counts events, see below.",
        examples=(("count(4)", 1), ("count(missing)", None)),
    ),
    Function(
        name="sum",
        params=("any",),
        rest=True,
        returns="number",
        call=_over(_total),
        summary="The total of numbers and lists; with a length it adds up what events brought, see below.",
        examples=(('sum(1, "2", 3)', 6), ('sum(1, "x")', None)),
    ),
    Function(
        name="avg",
        params=("any",),
        rest=True,
        returns="number",
        call=_over(lambda numbers: math.fsum(numbers) / len(numbers)),
        summary="The mean of numbers and lists of numbers.",
        examples=(("avg(1, 2, 6)", 3.0),),
    ),
    Function(
        name="min",
        params=("any",),
        rest=True,
        returns="number",
        call=_over(min),
        summary="The smallest of numbers and lists of numbers.",
        examples=(("min(3, 2)", 2),),
    ),
    Function(
        name="max",
        params=("any",),
        rest=True,
        returns="number",
        call=_over(max),
        summary="The largest of numbers and lists of numbers.",
        examples=(("max(3, 2)", 3),),
    ),
    Function(
        name="sqrt",
        params=("any",),
        returns="number",
        call=_sqrt,
        summary="The square root; no value below zero.",
        examples=(("sqrt(9)", 3.0), ("sqrt(-1)", None)),
    ),
    Function(
        name="pow",
        params=("any", "any"),
        returns="number",
        call=_pow,
        summary="The first to the power of the second.",
        examples=(("pow(2, 10)", 1024.0), ("pow(10, 1000)", None)),
    ),
    Function(
        name="unsign",
        params=("any",),
        returns="text",
        call=_unsign,
        summary="A signed 64-bit number as the text of an unsigned one.",
        examples=(("unsign(-1)", "18446744073709551615"),),
    ),
    Function(
        name="cast",
        params=("any", "text"),
        call=_cast,
        check=_cast_problem,
        summary=f"The value as another type: {', '.join(_CASTS)}.",
        examples=(('cast("5.7", "int")', 5), ('cast(5, "string")', "5"), ('cast("x", "number")', None)),
    ),
)
