"""Functions that answer yes or no, or choose between values."""

from collections.abc import Callable

from gatepost.core.filterql.comparisons import truth
from gatepost.core.filterql.functions.record import Function, is_present
from gatepost.core.filterql.values import is_list, text_of
from gatepost.model.jsonvalue import JsonValue


def _any(*values: JsonValue) -> bool:
    return any(map(is_present, values))


def _all(*values: JsonValue) -> bool:
    return all(map(is_present, values))


def _oneof(*values: JsonValue) -> JsonValue:
    return next((value for value in values if value is not None and value not in ("", [], {})), None)


def _if(condition: JsonValue, then: JsonValue, otherwise: JsonValue = None) -> JsonValue:
    return then if truth(condition) else otherwise


def _ifcase(*values: JsonValue) -> JsonValue:
    pairs = zip(values[::2], values[1::2], strict=False)
    otherwise = values[-1] if len(values) % 2 else None
    return next((then for condition, then in pairs if truth(condition)), otherwise)


def _hasprefix(value: JsonValue, prefix: JsonValue) -> bool | None:
    return _affix(value, prefix, str.startswith)


def _hassuffix(value: JsonValue, suffix: JsonValue) -> bool | None:
    return _affix(value, suffix, str.endswith)


def _affix(value: JsonValue, affix: JsonValue, fits: Callable[[str, str], bool]) -> bool | None:
    wanted = text_of(affix)
    if not wanted:
        return None
    items = value if is_list(value) else (value,)
    return any(fits(text_of(item) or "", wanted) for item in items)


FUNCTIONS = (
    Function(
        name="eq",
        params=("any", "any"),
        returns="bool",
        operator="=",
        summary="True when both sides are equal; a missing side equals nothing.",
        examples=(("eq(5, 5)", True), ("eq(missing, 5)", False)),
    ),
    Function(
        name="ne",
        params=("any", "any"),
        returns="bool",
        operator="!=",
        summary="True when the sides differ or exactly one of them is missing.",
        examples=(('ne("a", missing)', True), ("ne(5, 5)", False)),
    ),
    Function(
        name="lt",
        params=("any", "any"),
        returns="bool",
        operator="<",
        summary="True when the first is less than the second.",
        examples=(("lt(5, 6)", True),),
    ),
    Function(
        name="le",
        params=("any", "any"),
        returns="bool",
        operator="<=",
        summary="True when the first is at most the second.",
        examples=(("le(5, 5)", True),),
    ),
    Function(
        name="gt",
        params=("any", "any"),
        returns="bool",
        operator=">",
        summary="True when the first is greater than the second.",
        examples=(('gt(5, "3")', True),),
    ),
    Function(
        name="ge",
        params=("any", "any"),
        returns="bool",
        operator=">=",
        summary="True when the first is at least the second.",
        examples=(("ge(5.5, 3)", True),),
    ),
    Function(
        name="contains",
        params=("any", "any"),
        returns="bool",
        operator="contains",
        summary="True when the first, or an element of it, contains the second.",
        examples=(('contains("the-hello", "hello")', True), ('contains(missing, "a")', False)),
    ),
    Function(
        name="in",
        params=("any", "any"),
        returns="bool",
        operator="in",
        summary="True when the first equals an element of the second.",
        examples=(('in("a", ["a", "b"])', True),),
    ),
    Function(
        name="hasprefix",
        params=("any", "text"),
        returns="bool",
        call=_hasprefix,
        summary="True when the text, or an element of the list, starts with the second.",
        examples=(('hasprefix("hello", "he")', True), ('hasprefix(missing, "he")', False)),
    ),
    Function(
        name="hassuffix",
        params=("any", "text"),
        returns="bool",
        call=_hassuffix,
        summary="True when the text, or an element of the list, ends with the second.",
        examples=(('hassuffix("hello", "lo")', True),),
    ),
    Function(
        name="any",
        params=("any",),
        rest=True,
        returns="bool",
        call=_any,
        summary="True when some argument is there and not empty, zero or false.",
        examples=(('any(missing, "x")', True), ("any(missing)", False)),
    ),
    Function(
        name="all",
        params=("any",),
        rest=True,
        returns="bool",
        call=_all,
        summary="True when every argument is there and not empty, zero or false.",
        examples=(('all("x", 3)', True), ('all("x", "")', False)),
    ),
    Function(
        name="oneof",
        params=("any",),
        rest=True,
        call=_oneof,
        summary="The first argument that has a value which is not empty.",
        examples=(('oneof(missing, "", "b")', "b"),),
    ),
    Function(
        name="if",
        params=("any", "any", "any"),
        optional=1,
        call=_if,
        summary="The second argument when the first is true, otherwise the third.",
        examples=(('if(eq(1, 1), "yes", "no")', "yes"), ('if(eq(1, 2), "yes")', None)),
    ),
    Function(
        name="ifcase",
        params=("any", "any", "any"),
        optional=1,
        rest=True,
        call=_ifcase,
        summary="The value after the first condition that is true; a value without a condition comes last.",
        examples=(
            ('ifcase(eq(1, 2), "a", eq(1, 1), "b", "c")', "b"),
            ('ifcase(eq(1, 2), "a", "c")', "c"),
            ('ifcase(eq(1, 2), "a")', None),
        ),
    ),
)
