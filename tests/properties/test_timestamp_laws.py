"""Laws of reading times: any value is a time or none, and what is printed reads back."""

from hypothesis import given
from hypothesis import strategies as st

from gatepost.core.timestamps import parse_time
from gatepost.model.jsonvalue import JsonValue
from gatepost.model.times import to_rfc3339

EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999

date_like = st.lists(
    st.sampled_from([*"0123456789-/:., TZ+", "Jan", "Monday", "PM", "UTC", "2026", "12", "31"]), max_size=12
).map("".join)
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), date_like)


@given(values)
def test_any_value_is_a_time_or_none(value: JsonValue) -> None:
    instant = parse_time(value)

    assert instant is None or EARLIEST <= instant <= LATEST


@given(st.integers(EARLIEST, LATEST))
def test_what_is_printed_reads_back(instant: int) -> None:
    assert instant == parse_time(to_rfc3339(instant))
