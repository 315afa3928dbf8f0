"""Numbers of distinct values over the last days: their value now, and the exact instant a comparison flips.

A value lies inside as long as any of its entries does. When a profile has too many values its entries are a
sample, and every mark stands for 2 to its level values.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from gatepost.core.filterql.comparisons import ORDERS
from gatepost.core.filterql.dates import Due
from gatepost.core.filterql.moving import Entry, Order, WindowTest, bounds_of, spans_of
from gatepost.core.filterql.windowcalls import WindowCall
from gatepost.core.marks import level_of
from gatepost.model.times import Instant, Milliseconds


def distinct_value(window: WindowCall) -> Callable[[Sequence[Entry], Instant, Due], float]:
    """Make the number of distinct values, noting the next instant at which it changes."""
    length = window.length

    def value(entries: Sequence[Entry], now: Instant, due: Due) -> float:
        number = _number(entries, now, length)
        due.extend(_first_flip(entries, now, length, number.__ne__))
        return number

    return value


def distinct_against(window: WindowCall, op: str, number: float) -> WindowTest:
    """Make the comparison with a literal, noting exactly when its answer flips."""
    length, holds = window.length, ORDERS[op]

    def test(entries: Sequence[Entry], now: Instant, due: Due) -> bool:
        answer = holds(_number(entries, now, length), number)
        if entries:
            due.extend(_first_flip(entries, now, length, _turned(holds, number, answer)))
        return answer

    return test


def _turned(holds: Order, number: float, answer: bool) -> Callable[[int], bool]:
    return lambda other: holds(other, number) is not answer


def _number(entries: Sequence[Entry], now: Instant, length: Milliseconds) -> int:
    low, high = bounds_of(entries, now, length)
    return len({mark for _, mark in entries[low:high]}) * _weight(entries)


def _first_flip(
    entries: Sequence[Entry], now: Instant, length: Milliseconds, turned: Callable[[int], bool]
) -> list[Instant]:
    settled = bool(entries) and entries[-1][0] <= now
    changes = (_departures if settled else _changes)(entries, now, length)
    return next(([at] for at, number in changes if turned(number)), [])


def _departures(
    entries: Sequence[Entry], now: Instant, length: Milliseconds
) -> Iterator[tuple[Instant, int]]:
    """Give the changes when nothing lies in the future: each value leaves with its latest entry."""
    weight = _weight(entries)
    low, _ = bounds_of(entries, now, length)
    leaves = sorted({mark: at for at, mark in entries[low:]}.values())
    left = len(leaves)
    for at, after in zip_longest(leaves, leaves[1:]):
        left -= 1
        if at != after:
            yield at + length, left * weight


def _changes(entries: Sequence[Entry], now: Instant, length: Milliseconds) -> Iterator[tuple[Instant, int]]:
    """Give every later instant at which entries leave or enter, with the number of values inside then."""
    weight = _weight(entries)
    low, high = bounds_of(entries, now, length)
    inside = Counter(mark for _, mark in entries[low:high])
    for instant, first, end in spans_of(entries, now, length):
        inside.update(mark for _, mark in entries[high:end])
        for _, mark in entries[low:first]:
            inside[mark] -= 1
            if not inside[mark]:
                del inside[mark]
        low, high = first, end
        yield instant, len(inside) * weight


def _weight(entries: Sequence[Entry]) -> int:
    return 1 << level_of(int(entries[0][1])) if entries else 1
