"""What compiled templates compute with: values of Jsonnet as Python values, evaluated when they are asked for.

null, true, false, texts and numbers are Python's own (an int stands for the double it is nearest to); an array is a
list, an object whose fields know nothing of `self` a dict, and both may hold a Thunk where nobody has looked yet.
Whatever is wrong, or might be, raises: the reference engine then renders and says so in its own words.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

Value = Any
"""Any value of Jsonnet, perhaps a Thunk."""


class Doubt(Exception):
    """The compiled template does not answer; the reference engine does."""


BUDGET: Final = [0, 0]
"""How deep the render is nested, and how many steps it has left."""

DEEPEST: Final = 440
"""Below the reference engine's limit of 500, whose frames are counted from above."""

STEPS: Final = 50_000
"""Calls and turns of loops that one render may take; what takes more is no case for the fast path."""

LONGEST: Final = 1024 * 1024
"""Characters of a text and items of an array, above which the render is left to the reference engine."""

MAX_INT: Final = 2**53
_FORCE: Final = 8
"""Frames of the reference engine that forcing a thunk may stand for, at most."""


class Missing:
    """The argument that was not given."""


MISSING: Final = Missing()


def doubt(reason: str = "") -> NoReturn:
    """Leave this render to the reference engine."""
    raise Doubt(reason)


def charge(steps: int) -> None:
    """Take steps from what the render has left."""
    BUDGET[1] -= steps
    if BUDGET[1] < 0:
        raise Doubt("steps")


class Thunk:
    """A value not asked for yet."""

    __slots__ = ("make", "value")

    def __init__(self, make: Callable[[], Value]) -> None:
        self.make: Callable[[], Value] | None = make
        self.value: Value = None


def _busy() -> Value:
    raise Doubt("a value that needs itself")


def force(value: Value) -> Value:
    """Return what a value is, evaluated as far as its kind shows."""
    if type(value) is not Thunk:
        return value
    make = value.make
    if make is None:
        return value.value
    value.make = _busy
    BUDGET[0] += _FORCE
    if BUDGET[0] > DEEPEST:
        raise Doubt("depth")
    result = value.value = make()
    BUDGET[0] -= _FORCE
    value.make = None
    return result


class Function:
    """A function as a value: `call` takes every parameter in order, MISSING for what was left out."""

    __slots__ = ("call", "names", "optional")

    def __init__(
        self, call: Callable[..., Value], names: tuple[str, ...], optional: tuple[bool, ...]
    ) -> None:
        self.call = call
        self.names = names
        self.optional = optional


def apply(function: Value, args: tuple[Value, ...], named: dict[str, Value] | None = None) -> Value:
    """Call a function that is known only now."""
    if type(function) is not Function:
        raise Doubt("not a function")
    names = function.names
    if len(args) == len(names) and not named:
        return function.call(*args)
    if len(args) > len(names):
        raise Doubt("too many arguments")
    given = [*args, *[MISSING] * (len(names) - len(args))]
    for name, value in (named or {}).items():
        at = names.index(name)
        if given[at] is not MISSING:
            raise Doubt("an argument given twice")
        given[at] = value
    if any(value is MISSING and not may for value, may in zip(given, function.optional, strict=True)):
        raise Doubt("a missing argument")
    return function.call(*given)


def truth(value: Value) -> bool:
    """Return a value that must be true or false."""
    if value is True:
        return True
    if value is False:
        return False
    raise Doubt("not a boolean")


def is_number(value: Value) -> bool:
    """Say whether this is a number; true and false are not."""
    kind = type(value)
    return kind is int or kind is float


def as_double(value: Value) -> int | float:
    """Return a number as the double it stands for; a whole one that is exact stays an int."""
    kind = type(value)
    if kind is int:
        return value if -MAX_INT <= value <= MAX_INT else float(value)
    if kind is float:
        return value  # type: ignore[no-any-return] # a float it is
    raise Doubt("not a number")


def as_whole(value: Value) -> int:
    """Return a whole number as an int."""
    number = as_double(value)
    whole = int(number)
    if whole != number or not -MAX_INT < whole < MAX_INT:
        raise Doubt("not a whole number")
    return whole


def as_text(value: Value) -> str:
    """Return a value that must be a text."""
    if type(value) is str:
        return value
    raise Doubt("not a text")


def as_list(value: Value) -> list[Value]:
    """Return a value that must be an array."""
    if type(value) is list:
        return value
    raise Doubt("not an array")


def checked(number: float) -> float:
    """Return the result of a computation, unless it left the numbers."""
    if number - number != 0.0:
        raise Doubt("overflow")
    return number


def exact(number: int) -> int | float:
    """Return a whole result as the double would have it."""
    if -MAX_INT <= number <= MAX_INT:
        return number
    return float(number)
