"""What operators answer: true, false, or None when a part cannot be evaluated."""

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias

from gatepost.core.filterql.datemath import HOLDS
from gatepost.core.filterql.values import NUMBERS, cleaned_number_of, is_list, number_of, text_of, truth_of
from gatepost.core.filterql.wildcards import matcher
from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import SECOND

Answer: TypeAlias = bool | None
Test: TypeAlias = Callable[[JsonValue], Answer]

MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(op: str, left: JsonValue, right: JsonValue) -> Answer:
    """Compare two values by their kinds at run time; see docs/explanation/filterql.md for the table."""
    if left is None or right is None:
        return op == "!=" and left is not right
    if is_list(left) or is_list(right):
        return _compare_lists(op, left, right)
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        return None
    return compare_scalars(op, left, right)


def comparison(op: str, right: JsonValue) -> Test:
    """Make a test of one value against a literal; NULL equals nothing."""
    if right is None:
        return lambda _: op == "!="
    return lambda left: compare(op, left, right)


def compare_scalars(op: str, left: JsonValue, right: JsonValue) -> Answer:
    """Compare two values that are neither missing nor lists nor maps."""
    if isinstance(left, bool) or isinstance(right, bool):
        return _compare_bools(op, left, right)
    if left.__class__ in NUMBERS:
        number = number_of(right)
        return None if number is None else ORDERS[op](left, number)  # type: ignore[arg-type]  # a number by class
    if right.__class__ in NUMBERS:
        number = cleaned_number_of(left)
        return op == "!=" if number is None else ORDERS[op](number, right)  # type: ignore[arg-type]  # same
    if op == "=":
        return left == right
    if op == "!=":
        return left != right
    return _compare_texts_as_times(op, left, right)


def _compare_lists(op: str, left: JsonValue, right: JsonValue) -> Answer:
    if op == "!=":
        return not _compare_lists("=", left, right)
    return any(compare_scalars(op, a, b) for a in _scalars(left) for b in _scalars(right))


def _compare_bools(op: str, left: JsonValue, right: JsonValue) -> Answer:
    a, b = truth_of(left), truth_of(right)
    if a is None or b is None or op not in {"=", "!="}:
        return None
    return (a == b) == (op == "=")


def _compare_texts_as_times(op: str, left: JsonValue, right: JsonValue) -> Answer:
    if number_of(left) is not None and number_of(right) is not None:
        # Both could be epochs, or sizes, or house numbers: texts have no order of their own.
        return None
    a = parse_time(left)
    b = None if a is None else parse_time(right)
    return None if a is None or b is None else compare_times(op, a, b)


def compare_times(op: str, left: int, right: int) -> bool:
    """Compare two instants at whole seconds."""
    a, b = left // SECOND, right // SECOND
    return HOLDS[op][(a >= b) + (a > b)]


def between(value: JsonValue, low: JsonValue, high: JsonValue) -> Answer:
    """Say whether a value, or any element of a list, lies strictly between two bounds."""
    if value is None or low is None or high is None:
        return None
    if is_list(value):
        return any(between(item, low, high) for item in _scalars(value))
    return all_of((compare(">", value, low), compare("<", value, high)))


def among(value: JsonValue, choices: Iterable[JsonValue]) -> bool:
    """Say whether a value, an element of a list or a key of a map equals one of the choices."""
    if value is None:
        return False
    wanted = [item for choice in choices for item in _scalars(choice)]
    return any(compare_scalars("=", item, other) for item in _scalars(value) for other in wanted)


def among_value(value: JsonValue, choices: JsonValue) -> bool:
    """Say whether a value equals an element of a list, a key of a map, or the one other value."""
    return among(value, (choices,))


def membership(choices: Iterable[JsonValue]) -> Test:
    """Make a test like `among` for choices that are all literals."""
    listed = tuple(choice for choice in choices if choice is not None)
    texts = frozenset(choice for choice in listed if isinstance(choice, str))
    others = tuple(choice for choice in listed if not isinstance(choice, str))

    def test(value: JsonValue) -> bool:
        if value.__class__ is str:
            return value in texts or (bool(others) and among(value, others))
        if others or not is_list(value):
            return among(value, listed)
        for item in value:
            if item.__class__ is not str:
                return among(value, listed)
            if item in texts:
                return True
        return False

    return test


def contains(value: JsonValue, needle: JsonValue) -> Answer:
    """Say whether a text, or an element of a list, contains the needle or one of several."""
    if value is None or needle is None:
        return False
    if isinstance(value, Mapping) or isinstance(needle, Mapping):
        return None
    needles = list(_scalars(needle))
    if "" in needles:
        return None
    if is_list(value):
        return any(_element_contains(item, wanted) for item in _scalars(value) for wanted in needles)
    return any((text_of(wanted) or "") in (text_of(value) or "") for wanted in needles)


def containment(needle: str) -> Test:
    """Make a test like `contains` for one literal text."""
    return lambda value: contains(value, needle)


def _element_contains(item: JsonValue, wanted: JsonValue) -> Answer:
    if isinstance(item, str):
        return (text_of(wanted) or "") in item
    return compare_scalars("=", item, wanted)


def like(value: JsonValue, pattern: JsonValue) -> Answer:
    """Say whether a text, or an element of a list, fits a pattern or one of several."""
    if value is None or pattern is None:
        return False
    if isinstance(value, Mapping) or isinstance(pattern, Mapping):
        return None
    tests = [matcher(text_of(one) or "") for one in _scalars(pattern)]
    return any(test(text_of(item) or "") for item in _scalars(value) for test in tests)


def likeness(pattern: str) -> Test:
    """Make a test like `like` for one literal pattern."""
    fits = matcher(pattern)

    def test(value: JsonValue) -> Answer:
        return fits(value) if isinstance(value, str) else like(value, pattern)

    return test


def truth(value: JsonValue) -> Answer:
    """Read a value that stands where a phrase should: missing is false, other than a bool is no answer."""
    return False if value is None else truth_of(value)


def all_of(answers: Iterable[Answer]) -> Answer:
    """Join with AND: one false decides, otherwise one without an answer does."""
    found = tuple(answers)
    return False if False in found else None if None in found else True


def any_of(answers: Iterable[Answer]) -> Answer:
    """Join with OR: one true decides, ones without an answer are skipped."""
    found = tuple(answers)
    return True if True in found else False if False in found or not found else None


def opposite(answer: Answer) -> Answer:
    """Negate; without an answer there is nothing to negate."""
    return None if answer is None else not answer


def arithmetic(op: str) -> Callable[[JsonValue, JsonValue], JsonValue]:
    """Make `+ - * / %` on numbers and number-texts; anything else, and division by zero, is no value."""
    return partial(_calculated, _ARITHMETIC[op])


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}
_EXACT = 2**63


def _calculated(
    operate: Callable[[float, float], float], left: JsonValue, right: JsonValue
) -> int | float | None:
    a, b = cleaned_number_of(left), cleaned_number_of(right)
    if a is None or b is None:
        return None
    try:
        result = operate(a, b)
        # Whole numbers stay in 64 bits, or a chain of products could grow without end.
        return result if -_EXACT <= result < _EXACT else float(result)
    except (ZeroDivisionError, OverflowError):
        return None


def negative(value: JsonValue) -> JsonValue:
    """Flip the sign of a number or number-text."""
    number = cleaned_number_of(value)
    return None if number is None else -number


def _scalars(value: JsonValue) -> Iterable[JsonValue]:
    """Give a list's scalars, a map's keys, or the value itself; nested and missing values are left out."""
    if isinstance(value, Mapping):
        return value.keys()
    if is_list(value):
        return [item for item in value if isinstance(item, str | int | float)]
    return () if value is None else (value,)
