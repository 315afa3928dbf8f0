"""Order, and arrays as sets: sorted, no item twice."""

from typing import Any

from gatepost.core.jsonnet.library.arguments import items_of, keys_of
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.operators import compare, equals
from gatepost.core.jsonnet.values import Doubt, Value, as_double, as_list, charge, force


def _ranks(keys: list[Value]) -> list[Any]:
    """Return what Python orders the same way, of keys that are all alike."""
    kinds = set(map(type, keys))
    if kinds <= {str}:
        return keys
    if kinds <= {int, float}:
        return list(map(as_double, keys))
    if kinds == {list}:
        return _rows(keys)
    raise Doubt("not to be ordered")


def _rows(keys: list[Value]) -> list[Any]:
    charge(sum(map(len, keys)))
    rows = [[force(item) for item in row] for row in keys]
    kinds = {type(item) for row in rows for item in row}
    if kinds <= {str}:
        return rows
    if kinds <= {int, float}:
        return [list(map(as_double, row)) for row in rows]
    raise Doubt("not to be ordered")


@standard("arr keyF", optional=1)
def sort(arr: Value, key: Value) -> list[Value]:
    """An array in order, of its items or of what a function makes of them."""
    items = as_list(arr)
    keys = keys_of(key, items)
    if len(items) < 2:
        return items
    ranks = _ranks(keys)
    return [items[at] for at in sorted(range(len(items)), key=ranks.__getitem__)]


@standard("arr keyF", optional=1)
def uniq(arr: Value, key: Value) -> list[Value]:
    """An array without the items that equal the one before them."""
    items = items_of(arr)
    keys = keys_of(key, items)
    charge(len(items))
    kept: list[int] = []
    for at, own in enumerate(keys):
        if not kept or not equals(keys[kept[-1]], own):
            kept.append(at)
    return [items[at] for at in kept]


@standard("arr keyF", optional=1, name="set")
def set_(arr: Value, key: Value) -> list[Value]:
    """An array as a set."""
    return uniq(sort(arr, key), key)


@standard("x arr keyF", optional=1, gives="boolean", name="setMember")
def set_member(x: Value, arr: Value, key: Value) -> bool:
    """Whether a set holds a value."""
    (wanted,) = keys_of(key, [x])
    keys = keys_of(key, as_list(arr))
    if type(wanted) is str and set(map(type, keys)) <= {str}:
        return next((own == wanted for own in keys if own >= wanted), False)
    for own in keys:
        charge(1)
        if equals(wanted, own):
            return True
        if compare(wanted, own) < 0:
            return False
    return False


def _merged(a: Value, b: Value, key: Value) -> tuple[list[Value], list[Value], list[Value]]:
    """Return what only the first set has, what both have and what either has."""
    left, right = as_list(a), as_list(b)
    own, others = keys_of(key, left), keys_of(key, right)
    only, both, either = [], [], []
    at = other = 0
    while at < len(left) and other < len(right):
        charge(1)
        if equals(own[at], others[other]):
            both.append(left[at])
            either.append(left[at])
            at, other = at + 1, other + 1
        elif compare(own[at], others[other]) < 0:
            only.append(left[at])
            either.append(left[at])
            at += 1
        else:
            either.append(right[other])
            other += 1
    return only + left[at:], both, either + left[at:] + right[other:]


@standard("a b keyF", optional=1, name="setUnion")
def set_union(a: Value, b: Value, key: Value) -> list[Value]:
    """What either of two sets holds; of two equal items the first set's."""
    return _merged(a, b, key)[2]


@standard("a b keyF", optional=1, name="setInter")
def set_inter(a: Value, b: Value, key: Value) -> list[Value]:
    """What both of two sets hold."""
    return _merged(a, b, key)[1]


@standard("a b keyF", optional=1, name="setDiff")
def set_diff(a: Value, b: Value, key: Value) -> list[Value]:
    """What the first of two sets holds and the second does not."""
    return _merged(a, b, key)[0]
