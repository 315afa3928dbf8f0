"""What the functions of the standard library ask of their arguments."""

from typing import Final

from gatepost.core.jsonnet.values import (
    BUDGET,
    DEEPEST,
    LONGEST,
    MISSING,
    Doubt,
    Function,
    Thunk,
    Value,
    apply,
    as_list,
    as_text,
    as_whole,
    charge,
    force,
)

_LARGEST: Final = 2**31
"""Where the engine's integers end: those that count and point."""
_LONG: Final = 256


def as_function(value: Value) -> Function:
    """Return a value that must be a function."""
    if type(value) is Function:
        return value
    raise Doubt("not a function")


def as_integer(value: Value) -> int:
    """Return a whole number of 32 bits."""
    number = as_whole(value)
    if not -_LARGEST <= number < _LARGEST:
        raise Doubt("a large integer")
    return number


def read(value: Value) -> str:
    """Return a value that must be a text, to be gone through; a long one takes steps."""
    if type(value) is not str:
        raise Doubt("not a text")
    if len(value) > _LONG:
        charge(len(value) >> 5)
    return value


def short(value: Value) -> str:
    """Return a text that is to be written again and again; a long one is the engine's."""
    if len(as_text(value)) > _LONG:
        raise Doubt("a long separator")
    return str(value)


def evaluated(items: list[Value]) -> list[Value]:
    """Return the items of an array, each evaluated."""
    charge(len(items))
    return [force(item) if type(item) is Thunk else item for item in items]


def items_of(value: Value) -> list[Value]:
    """Return the items of an array, or the characters of a text."""
    return list(value) if type(value) is str else as_list(value)


def keys_of(function: Value, items: list[Value]) -> list[Value]:
    """Return what items are ordered and compared by: themselves, without a function."""
    if function is MISSING:
        return evaluated(items)
    as_function(function)
    charge(len(items))
    return [force(apply(function, (item,))) for item in items]


def fitting(size: int) -> None:
    """Make sure that a result of this many characters or items is worth making."""
    charge(size >> 6)
    if size > LONGEST:
        raise Doubt("a long result")


def room(frames: int) -> None:
    """Make sure that the engine had these frames left."""
    if BUDGET[0] + frames > DEEPEST:
        raise Doubt("depth")
