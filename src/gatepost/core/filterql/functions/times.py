"""Functions on instants; a `date` parameter arrives as milliseconds since the epoch."""

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from gatepost.core.filterql.datemath import parse_date_math
from gatepost.core.filterql.functions.record import Function
from gatepost.core.filterql.values import number_of
from gatepost.core.timestamps import parse_time, parse_time_in, within_calendar
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import SECOND, Instant, to_datetime

_MINUTES = re.compile(r"[A-Za-z]?(\d{1,9}):(\d{1,2})", re.ASCII)
_GO_LAYOUT = re.compile(
    r"(2006|06|January|Jan|Monday|Mon|01|02|15|03|04|05|\.000000|\.000|PM|MST|Z07:00|-0700|-07:00)"
)
_GO_DIRECTIVES = {
    "2006": "%Y", "06": "%y", "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "01": "%m",
    "02": "%d", "15": "%H", "03": "%I", "04": "%M", "05": "%S", ".000000": ".%f", ".000": ".%f",
    "PM": "%p", "MST": "%Z", "Z07:00": "%z", "-0700": "%z", "-07:00": "%z",
}  # fmt: skip


def _todate(now: Instant, first: JsonValue, second: JsonValue = None) -> Instant | None:
    if second is not None:
        return _by_go_layout(first, second)
    point = parse_date_math(first) if isinstance(first, str) else None
    return within_calendar(point.at(now)) if point else parse_time(first)


def _by_go_layout(layout: JsonValue, value: JsonValue) -> Instant | None:
    if not isinstance(layout, str) or not isinstance(value, str):
        return None
    parts = _GO_LAYOUT.split(layout)
    directives = "".join(_GO_DIRECTIVES.get(part, part.replace("%", "%%")) for part in parts)
    try:
        moment = datetime.strptime(value, directives)  # noqa: DTZ007 - printed and read again with its zone or as UTC
    except (ValueError, re.error):
        return parse_time(value)
    return parse_time(moment.isoformat())


def _todatein(value: JsonValue, zone: JsonValue) -> Instant | None:
    found = _zone(zone)
    return None if found is None else parse_time_in(value, found)


def _zone(name: JsonValue) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (KeyError, ValueError, OSError):
        return None


def _zone_problem(position: int, literal: JsonValue) -> str:
    if position != 1 or _zone(literal) is not None:
        return ""
    return f"no time zone is called {literal}; write one such as Europe/Berlin"


def _part(read: Callable[[datetime], JsonValue]) -> Callable[..., JsonValue]:
    def call(now: Instant, *given: Instant | None) -> JsonValue:
        instant = given[0] if given else now
        return None if instant is None else read(to_datetime(instant))

    return call


def _dayofweek(moment: datetime) -> int:
    return moment.isoweekday() % 7


def _extract(instant: Instant | None, layout: JsonValue) -> str | None:
    if instant is None or not isinstance(layout, str):
        return None
    return to_datetime(instant).strftime(layout)


def _seconds(value: JsonValue) -> int | float | None:
    number = number_of(value)
    if number is not None or not isinstance(value, str):
        return number
    found = _MINUTES.fullmatch(value.strip())
    if found:
        return int(found[1]) * 60 + int(found[2])
    instant = parse_time(value)
    return None if instant is None else instant // SECOND


def _unixtrunc(instant: Instant | None, unit: JsonValue = None) -> str | None:
    if instant is None:
        return None
    if isinstance(unit, str) and unit in {"ms", "milliseconds"}:
        return str(instant)
    if unit == "seconds":
        return f"{instant / SECOND:.3f}".rstrip("0").rstrip(".")
    return str(instant // SECOND)


def _maptime(now: Instant, key: JsonValue, instant: Instant | None = None) -> dict[str, JsonValue] | None:
    return {key: now if instant is None else instant} if isinstance(key, str) and key else None


FUNCTIONS = (
    Function(
        name="todate",
        params=("any", "any"),
        optional=1,
        returns="date",
        takes="now",
        call=_todate,
        summary="The instant a value or date math means; of two arguments the first is a layout as in Go.",
        examples=(
            ('toint(todate("10/13/2014"))', 1413158400000),
            ('toint(todate("02/01/2006", "13/10/2014"))', 1413158400000),
            ('todate("soon")', None),
        ),
    ),
    Function(
        name="todatein",
        params=("any", "text"),
        returns="date",
        call=_todatein,
        check=_zone_problem,
        summary="The instant a text means in a time zone.",
        examples=(('toint(todatein("2014-10-13 00:00", "Europe/Berlin"))', 1413151200000),),
    ),
    Function(
        name="now",
        returns="date",
        takes="now",
        changes="always",
        call=lambda now: now,
        summary="The event's time, or the evaluation time in a filter.",
        examples=(("toint(now())", 1396889935000),),
    ),
    Function(
        name="epochms",
        returns="number",
        takes="now",
        changes="always",
        call=lambda now: now,
        summary="The same as now, as a number of milliseconds.",
        examples=(("epochms()", 1396889935000),),
    ),
    Function(
        name="yy",
        params=("date",),
        optional=1,
        returns="number",
        takes="now",
        changes="month",
        call=_part(lambda moment: moment.year % 100),
        summary="The year of a date without its century.",
        examples=(('yy("10/13/2014")', 14), ("yy()", 14)),
    ),
    Function(
        name="mm",
        aliases=("monthofyear",),
        params=("date",),
        optional=1,
        returns="number",
        takes="now",
        changes="month",
        call=_part(lambda moment: moment.month),
        summary="The month of a date, 1 to 12.",
        examples=(("mm()", 4),),
    ),
    Function(
        name="yymm",
        params=("date",),
        optional=1,
        returns="text",
        takes="now",
        changes="month",
        call=_part(lambda moment: f"{moment.year % 100:02d}{moment.month:02d}"),
        summary="Year and month of a date as four digits.",
        examples=(('yymm("10/13/2014")', "1410"),),
    ),
    Function(
        name="dayofweek",
        params=("date",),
        optional=1,
        returns="number",
        takes="now",
        changes="day",
        call=_part(_dayofweek),
        summary="The day of the week, 0 for Sunday to 6.",
        examples=(('dayofweek("2014-04-06")', 0), ("dayofweek()", 1)),
    ),
    Function(
        name="hourofday",
        params=("date",),
        optional=1,
        returns="number",
        takes="now",
        changes="hour",
        call=_part(lambda moment: moment.hour),
        summary="The hour of a date, 0 to 23, UTC.",
        examples=(('hourofday("Apr 7, 2014 4:58:55 PM")', 16),),
    ),
    Function(
        name="hourofweek",
        params=("date",),
        optional=1,
        returns="number",
        takes="now",
        changes="hour",
        call=_part(lambda moment: _dayofweek(moment) * 24 + moment.hour),
        summary="The hour of the week, 0 for Sunday midnight to 167, UTC.",
        examples=(("hourofweek()", 40),),
    ),
    Function(
        name="totimestamp",
        params=("date",),
        returns="number",
        call=lambda instant: None if instant is None else instant // SECOND,
        summary="A date as seconds since the epoch.",
        examples=(('totimestamp("Apr 7, 2014 4:58:55 PM")', 1396889935),),
    ),
    Function(
        name="seconds",
        params=("any",),
        returns="number",
        call=_seconds,
        summary="Minutes and seconds such as 10:30, or a date, as seconds; numbers stay.",
        examples=(('seconds("M10:30")', 630), ("seconds(42)", 42)),
    ),
    Function(
        name="extract",
        aliases=("strftime",),
        params=("date", "text"),
        returns="text",
        call=_extract,
        summary="A date printed by a strftime layout.",
        examples=(('extract("10/13/2014", "%d")', "13"),),
    ),
    Function(
        name="unixtrunc",
        params=("date", "text"),
        optional=1,
        returns="text",
        call=_unixtrunc,
        summary="A date as the text of epoch seconds; ms gives milliseconds, seconds keeps the fraction.",
        examples=(
            ('unixtrunc("2014-10-13")', "1413158400"),
            ('unixtrunc("2014-10-13T00:00:00.5Z", "seconds")', "1413158400.5"),
            ('unixtrunc("2014-10-13", "ms")', "1413158400000"),
        ),
    ),
    Function(
        name="maptime",
        params=("text", "date"),
        optional=1,
        returns="map",
        takes="now",
        changes="always",
        call=_maptime,
        summary="A map from the key to a date, the event's own when none is given.",
        examples=(('maptime("signup", "2014-10-13")', {"signup": 1413158400000}),),
    ),
    Function(
        name="timebucket",
        params=("date",),
        optional=1,
        returns="date",
        takes="now",
        changes="always",
        call=lambda now, *given: given[0] if given else now,
        summary="The instant to count in a field of the type []timebucket, the event's own when none is given.",
        examples=(('toint(timebucket("2014-10-13"))', 1413158400000),),
    ),
)
