"""Date math such as `now-3d`, and when a comparison with it flips if nothing happens."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from gatepost.model.times import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    Instant,
    Milliseconds,
    from_datetime,
    to_datetime,
)

_FORM = re.compile(r"now(?:([+-])(\d{1,9})([yMwdhms]))?", re.ASCII)
_LENGTHS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_LATEST_MONTH = 9999 * 12 + 11

HOLDS = {
    "=": (False, True, False),
    "!=": (True, False, True),
    "<": (True, False, False),
    "<=": (True, True, False),
    ">": (False, False, True),
    ">=": (False, True, True),
}
"""Operator -> its answer when the left side is earlier, the same second, later."""


class DateMath(msgspec.Struct, frozen=True):
    """A point relative to now: a fixed length, or a number of calendar months."""

    length: Milliseconds = 0
    months: int = 0

    def at(self, now: Instant) -> Instant:
        """Say which instant this means at `now`."""
        return now + self.length + (self._month_shift(_month_of(now)) if self.months else 0)

    def next_flip(self, moment: Instant, op: str, now: Instant) -> Instant | None:
        """Say when `moment op this` may next change; None when it never does.

        Comparisons are at whole seconds. `<` and `>=` may be looked at one second before they really
        turn, because the documented boundary is the instant at which both sides meet.
        """
        if self.months:
            return self._calendar_flip(moment, op, now)
        meet = moment // SECOND * SECOND - self.length
        if meet > now:
            return meet
        # `>` and `<=` turn where the sides meet; the others turn (again) when the shared second is over.
        return meet + SECOND if meet + SECOND > now and op not in {">", "<="} else None

    def _calendar_flip(self, moment: Instant, op: str, now: Instant) -> Instant | None:
        answer = self.holds(moment, op, now)
        for instant in sorted(self._calendar_candidates(moment, now)):
            if instant > now and self.holds(moment, op, instant) != answer:
                return instant
        return None

    def _calendar_candidates(self, moment: Instant, now: Instant) -> set[Instant]:
        # Within one calendar month of `now` the shift is constant, so answers change only
        # where the sides meet inside a month, or where a month begins.
        first = _month_of(now)
        middle = _month_of(moment) - self.months
        found: set[Instant] = set()
        for month in range(max(first, middle - 2), min(middle + 4, _LATEST_MONTH)):
            begin, end = _start_of(month), _start_of(month + 1)
            meet = moment // SECOND * SECOND - self._month_shift(month)
            found.add(begin)
            found.update(instant for instant in (meet, meet + SECOND) if begin <= instant < end)
        return found

    def holds(self, moment: Instant, op: str, now: Instant) -> bool:
        """Say whether `moment op this` is true at `now`."""
        left, right = moment // SECOND, self.at(now) // SECOND
        return HOLDS[op][(left >= right) + (left > right)]

    def _month_shift(self, month: int) -> Milliseconds:
        return _start_of(month + self.months) - _start_of(month)


def parse_date_math(text: str) -> DateMath | None:
    """Read `now`, `now-3d`, `now+2M`; None when the text is anything else."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    sign, number, unit = found.groups()
    amount = int(number or 0) * (-1 if sign == "-" else 1)
    if unit in {"y", "M"}:
        return DateMath(months=amount * (12 if unit == "y" else 1))
    return DateMath(length=amount * _LENGTHS.get(unit, 0))


def _month_of(instant: Instant) -> int:
    moment = to_datetime(instant)
    return moment.year * 12 + moment.month - 1


def _start_of(month: int) -> Instant:
    """Say when a month counted from the year 0 begins; out of the calendar's range it is the nearest end."""
    year, index = divmod(month, 12)
    if year < 1:
        return from_datetime(datetime(1, 1, 1, tzinfo=UTC))
    if year > 9999:
        return (
            from_datetime(datetime(9999, 12, 31, tzinfo=UTC))
            + int(timedelta(days=1).total_seconds()) * SECOND
        )
    return from_datetime(datetime(year, index + 1, 1, tzinfo=UTC))
