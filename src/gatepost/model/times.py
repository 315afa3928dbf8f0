"""Instants and durations: whole milliseconds, always UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

Milliseconds = int

SECOND: Milliseconds = 1_000
MINUTE: Milliseconds = 60 * SECOND
HOUR: Milliseconds = 60 * MINUTE
DAY: Milliseconds = 24 * HOUR
WEEK: Milliseconds = 7 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - it prints without an offset, and the Z is ours
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


def to_rfc3339(instant: Instant) -> str:
    """Print an instant as RFC 3339 in UTC, with milliseconds only where there are any."""
    minute, rest = divmod(instant, MINUTE)
    second, part = divmod(rest, SECOND)
    return f"{_minute(minute)}{second:02d}.{part:03d}Z" if part else f"{_minute(minute)}{second:02d}Z"


@lru_cache(maxsize=10_000)
def _minute(number: int) -> str:
    # Most of what is printed happened lately, so that the minutes repeat.
    return (_NAIVE_EPOCH + timedelta(minutes=number)).isoformat()[: len("0000-00-00T00:00:")]


def from_datetime(moment: datetime) -> Instant:
    """Turn a datetime into an instant; one without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def to_datetime(instant: Instant) -> datetime:
    """Turn an instant into an aware datetime."""
    return _EPOCH + timedelta(milliseconds=instant)


def parse_duration(text: str) -> Milliseconds:
    """Read a duration such as `7d`, `36h` or `1h30m`; raise ValueError saying what would be right."""
    parts = _DURATION.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        msg = f"{text!r} is not a duration; write whole numbers with ms, s, m, h, d or w, such as 7d or 1h30m"
        raise ValueError(msg)
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def format_duration(duration: Milliseconds) -> str:
    """Print a duration in the largest unit that divides it: 604800000 is `7d`."""
    for unit in ("d", "h", "m", "s"):
        if duration and duration % _UNITS[unit] == 0:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration}ms"
