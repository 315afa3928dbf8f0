"""First and last times of an event, and events that follow each other or fail to.

Entries are (time, id of the event). An event comes after another when its time is later or, at equal times, its id
is larger; no event comes after itself. Entries dated in the future count from their time on.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

from gatepost.core.filterql.dates import Due
from gatepost.core.filterql.moving import Entry, time_of
from gatepost.core.filterql.windowcalls import WindowCall
from gatepost.model.times import Instant, Milliseconds

Moment: TypeAlias = Callable[[Sequence[Entry], Instant, Due], Instant | None]
OrderTest: TypeAlias = Callable[[Sequence[Entry], Sequence[Entry], Instant, Due], bool]


def first_moment(_window: WindowCall) -> Moment:
    """Make the time of the earliest event, None while there is none."""

    def value(entries: Sequence[Entry], now: Instant, due: Due) -> Instant | None:
        if not entries:
            return None
        earliest = entries[0][0]
        if earliest > now:
            due.append(earliest)
            return None
        return earliest

    return value


def last_moment(_window: WindowCall) -> Moment:
    """Make the time of the latest event that has happened, None while there is none."""

    def value(entries: Sequence[Entry], now: Instant, due: Due) -> Instant | None:
        high = _happened(entries, now)
        if high < len(entries):
            due.append(entries[high][0])
        return entries[high - 1][0] if high else None

    return value


def sequence_test(window: WindowCall) -> OrderTest:
    """Make the test whether an event was followed by another in time, the latter being inside the window."""
    within, length = window.within, window.length

    def test(first: Sequence[Entry], then: Sequence[Entry], now: Instant, due: Due) -> bool:
        high = _happened(then, now)
        low = bisect_right(then, now - length, 0, high, key=time_of)
        done = next((one[0] for one in reversed(then[low:high]) if _follows(one, first, within)), None)
        coming = (one[0] for one in then[high:] if _follows(one, first, within))
        if done is None:
            due.extend(at for at, _ in zip(coming, range(1), strict=False))
            return False
        end = done + length
        for at in coming:
            if at > end:
                break
            end = at + length
        due.append(end)
        return True

    return test


def abandoned_test(window: WindowCall) -> OrderTest:
    """Make the test whether the latest event has been waiting long enough for another, but not too long."""
    begin, end = window.within, window.within + window.length

    def holds(first: Sequence[Entry], then: Sequence[Entry], now: Instant) -> bool:
        started, answered = _happened(first, now), _happened(then, now)
        if not started or (answered and then[answered - 1] > first[started - 1]):
            return False
        return begin <= now - first[started - 1][0] < end

    def test(first: Sequence[Entry], then: Sequence[Entry], now: Instant, due: Due) -> bool:
        answer = holds(first, then, now)
        borders = {at + after for at, _ in first for after in (0, begin, end)} | {at for at, _ in then}
        flips = (at for at in sorted(borders) if at > now and holds(first, then, at) is not answer)
        due.extend(at for at, _ in zip(flips, range(1), strict=False))
        return answer

    return test


def _happened(entries: Sequence[Entry], now: Instant) -> int:
    """Count the entries that are not in the future."""
    if not entries or entries[-1][0] <= now:
        return len(entries)
    return bisect_right(entries, now, key=time_of)


def _follows(entry: Entry, first: Sequence[Entry], within: Milliseconds) -> bool:
    before = bisect_left(first, entry)
    return before > 0 and entry[0] - first[before - 1][0] <= within
