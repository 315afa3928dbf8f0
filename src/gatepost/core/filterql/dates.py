"""Tests on dates; those that lean on now also note when their answer may change."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

from gatepost.core.filterql.comparisons import Answer, all_of, compare_times
from gatepost.core.filterql.datemath import DateMath
from gatepost.core.filterql.values import is_list
from gatepost.core.timestamps import LATEST, parse_time
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import SECOND, Instant, from_datetime, to_datetime

Due: TypeAlias = list[Instant]
"""Instants at which an answer may change, noted while evaluating."""
DateTest: TypeAlias = Callable[[JsonValue, Instant, Due], Answer]
Read: TypeAlias = Callable[[JsonValue], Instant | None]


def as_instant(value: JsonValue) -> Instant | None:
    """Read a value of a date field: milliseconds as stored, or a text."""
    return value if value.__class__ is int else parse_time(value)


def against_date_math(op: str, point: DateMath, read: Read) -> DateTest:
    """Make a test of a date against a point relative to now."""
    if not point.months:
        return _against_fixed_length(op, point, read)

    def test(value: JsonValue, now: Instant, due: Due) -> Answer:
        moment = read(value)
        if moment is None:
            return _without_moment(op, value)
        flip = point.next_flip(moment, op, now)
        if flip is not None:
            due.append(flip)
        return point.holds(moment, op, now)

    return test


def _against_fixed_length(op: str, point: DateMath, read: Read) -> DateTest:
    """Make the common case: the same answers as the general one, without its calls."""
    length = point.length
    before, same, after = (compare_times(op, left, SECOND) for left in (0, SECOND, 2 * SECOND))
    turns_late = op not in {">", "<="}

    def test(value: JsonValue, now: Instant, due: Due) -> Answer:
        moment = value if value.__class__ is int and read is as_instant else read(value)
        if moment is None:
            return _without_moment(op, value)
        meet = moment // SECOND * SECOND - length
        if now < meet:
            if meet <= LATEST:
                due.append(meet)
            return after
        if now >= meet + SECOND:
            return before
        if turns_late:
            due.append(meet + SECOND)
        return same

    return test


def against_instant(op: str, fixed: Instant | None, read: Read) -> DateTest:
    """Make a test of a date against a fixed instant; None stands for a literal that is no date."""

    def test(value: JsonValue, _now: Instant, _due: Due) -> Answer:
        moment = read(value)
        if moment is None:
            return _without_moment(op, value)
        return None if fixed is None else compare_times(op, moment, fixed)

    return test


def against_date(op: str, read: tuple[Read, Read], left: JsonValue, right: JsonValue) -> Answer:
    """Compare two values as dates; lists answer for any element."""
    if left is None or right is None:
        return op == "!=" and left is not right
    if op == "!=" and (is_list(left) or is_list(right)):
        same = against_date("=", read, left, right)
        return None if same is None else not same
    pairs = [(read[0](a), read[1](b)) for a in _elements(left) for b in _elements(right)]
    answers = [compare_times(op, a, b) for a, b in pairs if a is not None and b is not None]
    return any(answers) if answers or not pairs else None


def among_dates(read: tuple[Read, Read], value: JsonValue, choices: JsonValue) -> bool:
    """Say whether a date, or any of a list, is one of several."""
    return value is not None and choices is not None and against_date("=", read, value, choices) is True


def any_element(op: str, test: DateTest) -> DateTest:
    """Widen a test to lists: any element satisfies; `!=` asks that none is equal, so it gets the `=` test."""

    def widened(value: JsonValue, now: Instant, due: Due) -> Answer:
        return _any_of(test, value, now, due) if is_list(value) else test(value, now, due)

    if op != "!=":
        return widened

    def unequal(value: JsonValue, now: Instant, due: Due) -> Answer:
        if value is None:
            return True
        answer = widened(value, now, due)
        return None if answer is None else not answer

    return unequal


def _any_of(test: DateTest, values: Sequence[JsonValue], now: Instant, due: Due) -> bool:
    flips: dict[bool, list[Due]] = {True: [], False: []}
    for item in values:
        own: Due = []
        flips[test(item, now, own) is True].append(own)
    if not flips[True]:
        due += [min(own) for own in flips[False] if own]
        return False
    if all(flips[True]):
        # The list answers true for as long as its most lasting element does.
        due.append(max(min(own) for own in flips[True]))
    return True


def between_dates(low: DateTest, high: DateTest) -> DateTest:
    """Make a test of a date, or any of a list, against two exclusive bounds."""

    def test(value: JsonValue, now: Instant, due: Due) -> Answer:
        if value is None:
            return None
        if is_list(value):
            # Every element is looked at, for each may have a flip to note.
            answers = [all_of((low(item, now, due), high(item, now, due))) for item in _elements(value)]
            return any(answers)
        return all_of((low(value, now, due), high(value, now, due)))

    return test


def between_read(reads: tuple[Read, ...]) -> Callable[[JsonValue, JsonValue, JsonValue], Answer]:
    """Make a test of a date against two exclusive bounds that are read from the profile too."""

    def test(value: JsonValue, low: JsonValue, high: JsonValue) -> Answer:
        bounds = reads[1](low), reads[2](high)
        moments = [reads[0](item) for item in _elements(value)]
        if value is None or bounds[0] is None or bounds[1] is None or None in moments:
            return None
        return any(bounds[0] // SECOND < moment // SECOND < bounds[1] // SECOND for moment in moments)  # type: ignore[operator]  # None was ruled out

    return test


def or_same_text(test: DateTest, literal: str) -> DateTest:
    """Widen an `=` test: a text that is no date but spells the literal is equal to it."""

    def widened(value: JsonValue, now: Instant, due: Due) -> Answer:
        if isinstance(value, str) and parse_time(value) is None:
            return value == literal
        return test(value, now, due)

    return widened


def clock_tick(unit: str) -> Callable[[Instant, Due], None]:
    """Make a note-taker for functions of the present: they change when the next hour, day or month begins."""

    def note(now: Instant, due: Due) -> None:
        moment = to_datetime(now)
        if unit == "month":
            start = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
            due.append(from_datetime(start.replace(day=1)))
        else:
            length = 3_600_000 if unit == "hour" else 86_400_000
            due.append(now // length * length + length)

    return note


def _without_moment(op: str, value: JsonValue) -> Answer:
    return op == "!=" if value is None else None


def _elements(value: JsonValue) -> Sequence[JsonValue]:
    return value if is_list(value) else (value,)
