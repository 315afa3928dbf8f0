from zoneinfo import ZoneInfo

import pytest

from gatepost.core.timestamps import parse_time, parse_time_in
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import to_rfc3339


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:00.123456+02:00", "2026-01-31T08:00:00.123Z"),
        ("2026-01-31 10:00:00", "2026-01-31T10:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2017-01-01 01:59:60.250+02:00", "2016-12-31T23:59:59.250Z"),
        ("2026-01", "2026-01-01T00:00:00Z"),
        ("2026", "2026-01-01T00:00:00Z"),
        ("20260131", "2026-01-31T00:00:00Z"),
        ("20260131100203", "2026-01-31T10:02:03Z"),
        ("2026-1-5", "2026-01-05T00:00:00Z"),
        ("01/31/2026", "2026-01-31T00:00:00Z"),
        ("31.01.2026 18:30", "2026-01-31T18:30:00Z"),
        ("Apr 7, 2014 4:58:55 PM", "2014-04-07T16:58:55Z"),
        ("Tue, 10 Nov 2009 23:00:00 +0100", "2009-11-10T22:00:00Z"),
        ("Mon, 02 Jan 2006 15:04:05 EST", "2006-01-02T20:04:05Z"),
        ("2026-01-31 10:00:00 +0000 UTC", "2026-01-31T10:00:00Z"),
        ("  2026-01-31  ", "2026-01-31T00:00:00Z"),
        (1_778_310_000, "2026-05-09T07:00:00Z"),
        (1_778_310_000_000, "2026-05-09T07:00:00Z"),
        (1_778_310_000_000_000, "2026-05-09T07:00:00Z"),
        (1_778_310_000_000_000_000, "2026-05-09T07:00:00Z"),
        (1_778_310_000.5, "2026-05-09T07:00:00.500Z"),
        ("1778310000", "2026-05-09T07:00:00Z"),
        ("1778310000000", "2026-05-09T07:00:00Z"),
        (-86_400, "1969-12-31T00:00:00Z"),
    ],
)
def test_a_time_is_read_in_the_layouts_sources_use(value: JsonValue, expected: str) -> None:
    instant = parse_time(value)

    assert instant is not None
    assert expected == to_rfc3339(instant)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        " ",
        "soon",
        "march",
        "12:30",
        "2015-02-30",
        "2026-13-01",
        "10:00 XYZ",
        [],
        {},
        1e300,
        10**40,
        float("nan"),
        float("inf"),
        "1e400",
        "9" * 5_000,
        "1/2/3/4/5/6",
        "0001-01-01T00:00:00+10:00",
        "١٢٣٤",
        "\x00",
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_time_is_none(value: JsonValue) -> None:
    assert parse_time(value) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31 10:00", "2026-01-31T15:00:00Z"),
        ("07/31/2026 10:00", "2026-07-31T14:00:00Z"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:00+01:00", "2026-01-31T09:00:00Z"),
        ("1778310000", "2026-05-09T07:00:00Z"),
    ],
)
def test_a_zone_counts_only_for_texts_without_one(text: str, expected: str) -> None:
    instant = parse_time_in(text, ZoneInfo("America/New_York"))

    assert instant is not None
    assert expected == to_rfc3339(instant)
