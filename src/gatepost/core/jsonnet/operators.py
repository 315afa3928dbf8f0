"""Jsonnet's operators on values that are already evaluated."""

import math
from collections.abc import Callable

from gatepost.core.jsonnet.manifest import in_line
from gatepost.core.jsonnet.objects import Obj, field_of, is_object, joined, names_of
from gatepost.core.jsonnet.values import (
    LONGEST,
    MAX_INT,
    Doubt,
    Function,
    Thunk,
    Value,
    as_double,
    as_list,
    as_whole,
    charge,
    checked,
    exact,
    force,
)


def add(left: Value, right: Value) -> Value:
    """Return `left + right`: numbers, texts with anything, arrays, objects."""
    a, b = type(left), type(right)
    if (a is float or a is int) and (b is float or b is int):
        return _sum(left, right)
    if a is str or b is str:
        return text_sum(left if a is str else in_line(left), right if b is str else in_line(right))
    if a is list and b is list:
        charge(len(left) + len(right))
        return left + right
    return joined(left, right)


def text_sum(left: str, right: str) -> str:
    """Return two texts as one, if it is of a size to go on with."""
    size = len(left) + len(right)
    if size > 256:
        charge(size >> 8)
        if size > LONGEST:
            raise Doubt("a long text")
    return left + right


def _sum(left: Value, right: Value) -> int | float:
    a, b = as_double(left), as_double(right)
    if type(a) is int and type(b) is int:
        return exact(a + b)
    return checked(float(a) + float(b))


def subtract(left: Value, right: Value) -> int | float:
    """Return `left - right`."""
    a, b = as_double(left), as_double(right)
    if type(a) is int and type(b) is int:
        return exact(a - b)
    return checked(float(a) - float(b))


def multiply(left: Value, right: Value) -> int | float:
    """Return `left * right`; zero has a sign."""
    a, b = as_double(left), as_double(right)
    if type(a) is int and type(b) is int:
        product = a * b
        if product and -MAX_INT <= product <= MAX_INT:
            return product
    return checked(float(a) * float(b))


def divide(left: Value, right: Value) -> float:
    """Return `left / right`."""
    return checked(float(as_double(left)) / float(as_double(right)))


def remainder(left: Value, right: Value) -> float:
    """Return `left % right` of numbers; the sign is the left one's."""
    return checked(math.fmod(as_double(left), as_double(right)))


def negative(value: Value) -> int | float:
    """Return `-value`; zero has a sign."""
    number = as_double(value)
    return -number if number else -float(number)


def positive(value: Value) -> int | float:
    """Return `+value`."""
    return as_double(value)


def complement(value: Value) -> int:
    """Return `~value`."""
    return ~as_whole(value)


def bits(operation: Callable[[int, int], int]) -> Callable[[Value, Value], int]:
    """Return an operator on the bits of whole numbers."""

    def operate(left: Value, right: Value) -> int:
        return int(exact(operation(as_whole(left), as_whole(right))))

    return operate


def shift_left(left: Value, right: Value) -> int:
    """Return `left << right` where no bit is lost."""
    number, places = as_whole(left), as_whole(right)
    if not 0 <= places <= 52 or not 0 <= number << places <= MAX_INT:
        raise Doubt("a shift beyond what is exact")
    return number << places


def shift_right(left: Value, right: Value) -> int:
    """Return `left >> right`."""
    number, places = as_whole(left), as_whole(right)
    if not 0 <= places <= 52 or number < 0:
        raise Doubt("a shift beyond what is exact")
    return number >> places


def equals(left: Value, right: Value) -> bool:
    """Return `left == right`: the same kind and the same content, whatever the order of fields."""
    a, b = type(left), type(right)
    if a is str or b is str or left is None or right is None or a is bool or b is bool:
        return a is b and (a is not str or _paid(left)) and bool(left == right)
    if (a is int or a is float) and (b is int or b is float):
        return as_double(left) == as_double(right)
    if a is list and b is list:
        return len(left) == len(right) and all(map(_equal_items, left, right))
    if is_object(left) and is_object(right):
        return _equal_objects(left, right)
    if a is Function and b is Function:
        raise Doubt("functions cannot be compared")
    return False


def _paid(text: str) -> bool:
    """Take the steps of comparing a long text."""
    if len(text) > 1024:
        charge(len(text) >> 10)
    return True


def _equal_items(left: Value, right: Value) -> bool:
    charge(1)
    return equals(force(left), force(right))


def _equal_objects(left: Value, right: Value) -> bool:
    for side in (left, right):
        if type(side) is Obj:
            side.hold()
    names = names_of(left)
    if names != names_of(right):
        return False
    charge(len(names))
    return all(equals(field_of(left, name), field_of(right, name)) for name in names)


def compare(left: Value, right: Value) -> int:
    """Return -1, 0 or 1: how two numbers, two texts or two arrays are ordered."""
    a, b = type(left), type(right)
    if a is str and b is str and _paid(left):
        return int(left > right) - int(left < right)
    if a is list and b is list:
        return _compare_lists(left, right)
    x, y = as_double(left), as_double(right)
    return (x > y) - (x < y)


def _compare_lists(left: list[Value], right: list[Value]) -> int:
    for one, other in zip(left, right, strict=False):
        charge(1)
        if order := compare(force(one), force(other)):
            return order
    return (len(left) > len(right)) - (len(left) < len(right))


def at(target: Value, key: Value) -> Value:
    """Return `target[key]`: a field, an item, a character."""
    kind = type(target)
    if kind is dict:
        found = target[key]
    elif kind is list:
        found = target[_position(key, len(target))]
    elif kind is str:
        return target[_position(key, len(target))]
    elif kind is Obj and type(key) is str:
        return target.field(key)
    else:
        raise Doubt("not to be indexed")
    return force(found) if type(found) is Thunk else found


def _position(key: Value, length: int) -> int:
    index = as_whole(key)
    if not 0 <= index < length:
        raise Doubt("out of bounds")
    return index


def sliced(target: Value, start: Value, stop: Value, step: Value) -> Value:
    """Return `target[start:stop:step]`, for a text or an array."""
    size = len(target) if type(target) is str else len(as_list(target))
    first = 0 if start is None else as_whole(start)
    last = size if stop is None else as_whole(stop)
    pace = 1 if step is None else as_whole(step)
    if pace < 1:
        raise Doubt("a step below one")
    charge(size >> 4)
    return target[
        max(0, first + size) if first < 0 else first : max(0, last + size) if last < 0 else last : pace
    ]
