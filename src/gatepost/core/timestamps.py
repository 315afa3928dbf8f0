"""Reads whatever a source calls a time; a text without a zone is taken as UTC."""

import re
from datetime import datetime, timedelta, timezone, tzinfo

from dateutil import parser as layouts

from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import Instant, from_datetime

_LONGEST = 64
"""Characters; no layout is longer, and the lenient reader is slow on long texts."""
LATEST = 253_402_300_799_999
"""The end of the year 9999."""
_EARLIEST = -62_135_596_800_000

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_YEAR_MONTH = re.compile(r"\d{4}[-/](0[1-9]|1[0-2])", re.ASCII)
_REPEATED_ZONE = re.compile(r"([+-]\d\d:?\d\d) [A-Z]{2,5}$", re.ASCII)
"""Go prints `+0000 UTC`: the offset says it all."""
_LEAP_SECOND = re.compile(r"(:59):60(?!\d)", re.ASCII)
"""Instants know none, so it is read as the second before it, as clocks that step back show it."""
_DIGITS_LAYOUTS = {4: "%Y", 8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
_ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "BST": 1,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""Hours east of Greenwich; other abbreviations are ambiguous, so a text with one is no time."""
_ONE_DAY, _OTHER_DAY = datetime(2000, 1, 1), datetime(2001, 2, 2)  # noqa: DTZ001 - defaults that only fill gaps


def parse_time(value: JsonValue) -> Instant | None:
    """Read a time from RFC 3339, epoch numbers or one of the usual layouts; anything else is None.

    Epoch numbers are seconds, milliseconds, microseconds or nanoseconds by their size.
    A text must name year, month and day (or year and month); nothing is filled in from today.
    """
    if isinstance(value, str):
        moment = _moment(value)
        return within_calendar(from_datetime(moment)) if isinstance(moment, datetime) else moment
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value)
    return None


def parse_time_in(value: JsonValue, zone: tzinfo) -> Instant | None:
    """Read a time like `parse_time`, but take a text without a zone as a time of that zone."""
    moment = _moment(value) if isinstance(value, str) else None
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return within_calendar(from_datetime(moment.replace(tzinfo=zone)))
    return parse_time(value)


def _moment(text: str) -> datetime | Instant | None:
    """Read a text into a datetime, without a zone if the text names none, or into an epoch instant."""
    if len(text) > 9 and text[4] == "-":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # Another layout may fit.
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        return _lenient(text)
    except (ValueError, OverflowError, TypeError):
        return None


def _lenient(text: str) -> datetime | Instant | None:
    if text.isascii() and text.isdigit() and len(text) in _DIGITS_LAYOUTS:
        return datetime.strptime(text, _DIGITS_LAYOUTS[len(text)])  # noqa: DTZ007 - the caller decides on the zone
    if _NUMBER.fullmatch(text):
        return _epoch(float(text) if "." in text else int(text))
    if _YEAR_MONTH.fullmatch(text):
        return datetime(int(text[:4]), int(text[5:]), 1)  # noqa: DTZ001 - the caller decides on the zone
    text = _LEAP_SECOND.sub(r"\1:59", _REPEATED_ZONE.sub(r"\1", text))
    moment = layouts.parse(text, default=_ONE_DAY, tzinfos=_zone)
    # Read twice with different defaults: where they show, the text did not name a whole date.
    return moment if moment == layouts.parse(text, default=_OTHER_DAY, tzinfos=_zone) else None


def _epoch(value: float) -> Instant | None:
    size = abs(value)
    # Also false for not-a-number; an int beyond a float's range must not reach a division.
    if not size < 1e20:
        return None
    if size < 1e11:
        value *= 1_000
    elif size >= 1e17:
        value /= 1_000_000
    elif size >= 1e14:
        value /= 1_000
    return within_calendar(int(value))


def within_calendar(instant: Instant) -> Instant | None:
    """Give an instant back, or None when it lies outside the years 1 to 9999, which nothing could print."""
    return instant if _EARLIEST <= instant <= LATEST else None


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name.upper() not in _ZONES:
        msg = f"unknown time zone {name}"
        raise ValueError(msg)
    return timezone(timedelta(hours=_ZONES[name.upper()]))
