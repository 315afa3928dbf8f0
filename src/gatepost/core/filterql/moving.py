"""Counts and sums over the last days: their value now, and the exact instant a comparison flips.

An entry at time t lies inside while t <= now < t + length. Entries dated in the future enter later.
Of a profile with very many entries the oldest are folded together: the amount of a count's entry is then
the number of events it stands for, else 1 (or anything up to 1).
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from gatepost.core.filterql.comparisons import ORDERS
from gatepost.core.filterql.dates import Due
from gatepost.core.filterql.windowcalls import WindowCall
from gatepost.model.profile import WindowEntry
from gatepost.model.times import Instant, Milliseconds

Entry: TypeAlias = WindowEntry
Windows: TypeAlias = Mapping[str, Sequence[Entry]]
Order: TypeAlias = Callable[[float, float], bool]
WindowTest: TypeAlias = Callable[[Sequence[Entry], Instant, Due], bool]

time_of = itemgetter(0)
_CLOSE = 1e-9
"""Share of all amounts within which a running sum may have lost its way by rounding."""


def value_of(window: WindowCall) -> Callable[[Sequence[Entry], Instant, Due], float]:
    """Make the value of a window, noting the next instant at which it changes at all."""
    length, counts = window.length, window.function == "count"

    def value(entries: Sequence[Entry], now: Instant, due: Due) -> float:
        low, high = bounds_of(entries, now, length)
        if low < high:
            due.append(entries[low][0] + length)
        if high < len(entries):
            due.append(entries[high][0])
        if counts and not _is_folded(entries, low):
            return high - low
        return _exact_sum(_amounts(entries, low, high))

    return value


def against_number(window: WindowCall, op: str, number: float) -> WindowTest:
    """Make the comparison of a window with a literal, noting exactly when its answer flips."""
    if window.function == "count" and op in {">=", ">", "<", "<="}:
        # `>= 3` and `< 3` turn at the same count; so do `> 2` and `<= 2`, one higher.
        least = math.ceil(number) if op in {">=", "<"} else math.floor(number) + 1
        return _count_reaches(window.length, least, wanted=op in {">=", ">"})
    if window.function == "sum":
        return _sum_holds(window.length, ORDERS[op], number)
    return _count_holds(window.length, ORDERS[op], number)


def _count_holds(length: Milliseconds, holds: Order, number: float) -> WindowTest:
    weighted = _sum_holds(length, holds, number)

    def test(entries: Sequence[Entry], now: Instant, due: Due) -> bool:
        low, high = bounds_of(entries, now, length)
        if _is_folded(entries, low):
            return weighted(entries, now, due)
        answer = holds(high - low, number)
        for instant, count in _changes(entries, now, length):
            if holds(count, number) != answer:
                due.append(instant)
                break
        return answer

    return test


def _count_reaches(length: Milliseconds, least: int, *, wanted: bool) -> WindowTest:
    weighted = _sum_holds(length, ORDERS[">=" if wanted else "<"], least)

    def test(entries: Sequence[Entry], now: Instant, due: Due) -> bool:
        low, high = bounds_of(entries, now, length)
        if _is_folded(entries, low):
            return weighted(entries, now, due)
        reached = high - low >= least
        if high == len(entries):
            # Nothing lies in the future: the count only falls, and turns when the n-th newest leaves.
            if reached and least > 0:
                due.append(entries[high - least][0] + length)
            return reached is wanted
        for instant, count in _changes(entries, now, length):
            if (count >= least) != reached:
                due.append(instant)
                break
        return reached is wanted

    return test


def _changes(entries: Sequence[Entry], now: Instant, length: Milliseconds) -> Iterator[tuple[Instant, int]]:
    for instant, low, high in spans_of(entries, now, length):
        yield instant, high - low


def _sum_holds(length: Milliseconds, holds: Order, number: float) -> WindowTest:
    def test(entries: Sequence[Entry], now: Instant, due: Due) -> bool:
        low, high = bounds_of(entries, now, length)
        amounts = _amounts(entries, low, high)
        total = _exact_sum(amounts)
        answer = holds(total, number)
        if high < len(entries):
            spans = spans_of(entries, now, length)
            flips = (
                at
                for at, first, end in spans
                if holds(_exact_sum(_amounts(entries, first, end)), number) != answer
            )
            due.extend(islice(flips, 1))
            return answer
        # Entries only leave: a running sum shows where to look, an exact one decides.
        slack = _CLOSE * sum(map(abs, amounts))
        running = total
        for place, amount in enumerate(amounts):
            running -= amount
            if holds(running, number) is answer and abs(running - number) > slack:
                continue
            leaves = entries[low + place][0]
            together = place + 1 < len(amounts) and entries[low + place + 1][0] == leaves
            if not together and holds(_exact_sum(amounts[place + 1 :]), number) is not answer:
                due.append(leaves + length)
                break
        return answer

    return test


def spans_of(
    entries: Sequence[Entry], now: Instant, length: Milliseconds
) -> Iterator[tuple[Instant, int, int]]:
    """Give every later instant at which entries leave or enter, with the bounds of those inside then."""
    low, high = bounds_of(entries, now, length)
    end = len(entries)
    while low < end:
        leaves = entries[low][0] + length
        instant = min(leaves, entries[high][0]) if high < end else leaves
        while high < end and entries[high][0] <= instant:
            high += 1
        while low < high and entries[low][0] + length <= instant:
            low += 1
        yield instant, low, high


def bounds_of(entries: Sequence[Entry], now: Instant, length: Milliseconds) -> tuple[int, int]:
    """Find the entries inside as a half-open range of positions."""
    high = len(entries)
    if high and entries[-1][0] > now:
        high = bisect_right(entries, now, key=time_of)
    if not high or entries[0][0] + length > now:
        return 0, high
    return bisect_right(entries, now - length, 0, high, key=time_of), high


def _is_folded(entries: Sequence[Entry], low: int) -> bool:
    # Folding starts at the oldest, so the oldest inside, or that comes inside next, tells for all.
    return low < len(entries) and entries[low][1] > 1


def _amounts(entries: Sequence[Entry], low: int, high: int) -> list[float]:
    return [amount for _, amount in entries[low:high]]


def _exact_sum(amounts: Sequence[float]) -> float:
    try:
        return math.fsum(amounts)
    except OverflowError:
        return sum(amounts)
