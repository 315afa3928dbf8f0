"""Arrays: looking through them, making new ones."""

from gatepost.core.jsonnet.library.arguments import (
    as_function,
    as_integer,
    evaluated,
    fitting,
    items_of,
    read,
    room,
)
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.operators import equals, sliced
from gatepost.core.jsonnet.values import (
    LONGEST,
    Doubt,
    Thunk,
    Value,
    apply,
    as_list,
    as_text,
    charge,
    force,
    truth,
)

_NESTED_FRAMES = 5
"""Frames of the engine for each level of arrays within arrays."""


@standard("arr x", gives="boolean")
def member(arr: Value, x: Value) -> bool:
    """Whether an array holds a value, or a text another one."""
    if type(arr) is str:
        return as_text(x) in read(arr)
    return _place(as_list(arr), x) >= 0


@standard("arr elem", gives="boolean")
def contains(arr: Value, x: Value) -> bool:
    """Whether an array holds a value."""
    return _place(as_list(arr), x) >= 0


def _place(items: list[Value], x: Value) -> int:
    if type(x) is str and Thunk not in set(map(type, items)):
        charge(len(items))
        return items.index(x) if x in items else -1
    for at, item in enumerate(items):
        charge(1)
        if equals(force(item), x):
            return at
    return -1


def _places(items: list[Value], x: Value) -> list[Value]:
    return [at for at, item in enumerate(evaluated(items)) if equals(item, x)]


@standard("value arr", gives="numbers")
def find(x: Value, arr: Value) -> list[Value]:
    """Every place where an array holds a value."""
    return _places(as_list(arr), x)


@standard("arr x", gives="number")
def count(arr: Value, x: Value) -> int:
    """How many times an array holds a value."""
    return len(_places(as_list(arr), x))


@standard("arr elem")
def remove(arr: Value, x: Value) -> list[Value]:
    """An array without the first item that equals a value."""
    items = as_list(arr)
    at = _place(items, x)
    charge(len(items) >> 4)
    return items[:at] + items[at + 1 :] if at >= 0 else items


@standard("arr i", name="removeAt")
def remove_at(arr: Value, at: Value) -> list[Value]:
    """An array without the item at a place."""
    items, place = as_list(arr), as_integer(at)
    if not 0 <= place < len(items):
        raise Doubt("out of bounds")
    charge(len(items))
    return items[:place] + items[place + 1 :]


@standard("arr", gives="boolean", name="any")
def any_(arr: Value) -> bool:
    """Whether one of an array's truth values is true."""
    # Every item is looked at; the engine stops early and is never stricter.
    return True in list(map(truth, evaluated(as_list(arr))))


@standard("arr", gives="boolean", name="all")
def all_(arr: Value) -> bool:
    """Whether all of an array's truth values are true."""
    return False not in list(map(truth, evaluated(as_list(arr))))


@standard("func arr", name="map")
def map_(func: Value, arr: Value) -> list[Value]:
    """Each item put through a function; evaluated when it is looked at."""
    items = items_of(arr)
    as_function(func)
    charge(len(items))
    return [_applied(func, item) for item in items]


@standard("func arr", name="mapWithIndex")
def map_with_index(func: Value, arr: Value) -> list[Value]:
    """Each item and its place put through a function; evaluated when it is looked at."""
    items = items_of(arr)
    as_function(func)
    charge(len(items))
    return [_applied(func, at, item) for at, item in enumerate(items)]


def _applied(function: Value, *args: Value) -> Value:
    return Thunk(lambda: apply(function, args))


@standard("func arr", name="filter")
def filter_(func: Value, arr: Value) -> list[Value]:
    """The items for which a function says true."""
    items = as_list(arr)
    as_function(func)
    charge(len(items))
    return [item for item in items if truth(apply(func, (item,)))]


@standard("filter_func map_func arr", name="filterMap")
def filter_map(keep: Value, func: Value, arr: Value) -> list[Value]:
    """The items for which a function says true, put through another."""
    kept = filter_(keep, arr)
    as_function(func)
    return [_applied(func, item) for item in kept]


@standard("func arr", name="flatMap")
def flat_map(func: Value, arr: Value) -> Value:
    """What a function makes of each item, put together: arrays of an array, texts of a text."""
    items = items_of(arr)
    as_function(func)
    charge(len(items))
    parts = [apply(func, (item,)) for item in items]
    if type(arr) is str:
        fitting(sum(len(as_text(part)) for part in parts))
        return "".join(parts)
    return _together(parts)


@standard("func arr init")
def foldl(func: Value, arr: Value, init: Value) -> Value:
    """Items put together from the left."""
    as_function(func)
    result = init
    for item in items_of(arr):
        charge(1)
        result = apply(func, (result, item))
    return force(result)


@standard("func arr init")
def foldr(func: Value, arr: Value, init: Value) -> Value:
    """Items put together from the right."""
    as_function(func)
    result = init
    for item in reversed(items_of(arr)):
        charge(1)
        result = apply(func, (item, result))
    return force(result)


@standard("from to", gives="numbers", name="range")
def numbers(start: Value, stop: Value) -> list[Value]:
    """The whole numbers from one to another, both included."""
    first, last = as_integer(start), as_integer(stop)
    charge(max(0, last - first))
    return list(range(first, last + 1))


@standard("sz func", name="makeArray")
def make_array(size: Value, func: Value) -> list[Value]:
    """An array of a size, each item made of its place by a function when it is looked at."""
    count = max(0, as_integer(size))
    as_function(func)
    charge(count)
    return [_applied(func, at) for at in range(count)]


@standard("what count")
def repeat(what: Value, count: Value) -> Value:
    """A text, or an array, so many times."""
    times = max(0, as_integer(count))
    if type(what) is str:
        fitting(len(what) * times)
        return what * times
    charge(times + len(as_list(what)) * times)
    return what * times


@standard("indexable index end step", name="slice")
def slice_(target: Value, start: Value, stop: Value, step: Value) -> Value:
    """A part of a text or an array, as `[start:stop:step]`."""
    return sliced(target, start, stop, step)


@standard("arr")
def reverse(arr: Value) -> list[Value]:
    """An array from its last item to its first."""
    charge(len(as_list(arr)))
    return list(arr[::-1])


@standard("sep arr")
def join(sep: Value, arr: Value) -> Value:
    """Texts, or arrays, put together with a separator; null is left out."""
    parts = [item for item in evaluated(as_list(arr)) if item is not None]
    if type(sep) is str:
        return _joined(sep, parts)
    between = as_list(sep)
    return _together([piece for part in parts for piece in (between, part)][1:])


def _joined(sep: str, parts: list[Value]) -> str:
    size = sum([len(as_text(part)) for part in parts]) + len(sep) * len(parts)
    if size > LONGEST:
        raise Doubt("a long text")
    charge(size >> 8)
    return sep.join(parts)


def _together(parts: list[Value]) -> list[Value]:
    charge(sum([len(as_list(part)) for part in parts]))
    return [item for part in parts for item in part]


@standard("arr", gives="text")
def lines(arr: Value) -> str:
    """Texts, each with an end of line; null is left out."""
    parts = [item for item in evaluated(as_list(arr)) if item is not None]
    return _joined("\n", [*parts, ""])


@standard("arr", gives="text", name="deepJoin")
def deep_join(arr: Value) -> str:
    """The texts of an array, and of the arrays in it, put together."""
    return arr if type(arr) is str else _joined("", _leaves(as_list(arr), 1))


@standard("arrs", name="flattenArrays")
def flatten_arrays(arrs: Value) -> list[Value]:
    """Arrays put together."""
    return _together(evaluated(as_list(arrs)))


@standard("value", name="flattenDeepArray")
def flatten_deep_array(value: Value) -> list[Value]:
    """What an array holds, and the arrays in it."""
    return _leaves(value, 1) if type(value) is list else [value]


def _leaves(items: list[Value], level: int) -> list[Value]:
    room(_NESTED_FRAMES * level)
    found: list[Value] = []
    for item in evaluated(items):
        if type(item) is list:
            found += _leaves(item, level + 1)
        else:
            found.append(item)
    charge(len(found))
    return found
