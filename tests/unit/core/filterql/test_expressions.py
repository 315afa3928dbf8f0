import pytest

from gatepost.core.filterql import compile_expression, compile_guard
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import FilterError

AT = 1_768_478_400_000


def test_a_bare_name_takes_the_value_as_it_is() -> None:
    expression = compile_expression("address.city")

    assert expression.name == "address.city"
    assert expression.reads == {"address.city"}
    assert expression.evaluate({"address.city": "Lisbon"}, AT) == "Lisbon"
    assert expression.evaluate({}, AT) is None


def test_a_function_of_two_fields_reads_both() -> None:
    expression = compile_expression('join(first, last, " ")')

    assert expression.name is None
    assert expression.reads == {"first", "last"}
    assert expression.evaluate({"first": "Ada", "last": "Byron"}, AT) == "Ada Byron"


def test_dates_come_out_as_instants() -> None:
    expression = compile_expression("todate(signed_up)")

    assert expression.evaluate({"signed_up": "2026-01-15"}, AT) == parse_time("2026-01-15")
    assert expression.evaluate({"signed_up": "soon"}, AT) is None


def test_without_a_date_of_its_own_a_function_uses_the_time_of_the_event() -> None:
    assert compile_expression("now()").evaluate({}, AT) == AT
    assert compile_expression("maptime(page)").evaluate({"page": "home"}, AT) == {"home": AT}
    assert compile_expression("dayofweek()").evaluate({}, AT) == 4


def test_a_nested_call_prints_a_date_as_text() -> None:
    assert (
        compile_expression("tostring(todate(day))").evaluate({"day": "01/15/2026"}, AT)
        == "2026-01-15T00:00:00Z"
    )


def test_a_guard_lets_events_through_or_not() -> None:
    guard = compile_guard('event = "purchase" AND total > 5')

    assert guard({"event": "purchase", "total": "7.50"}, AT)
    assert not guard({"event": "purchase"}, AT)
    assert not guard({"event": "visit", "total": 10}, AT)


def test_a_guard_may_be_written_as_functions() -> None:
    guard = compile_guard('eq(event, "purchase")')

    assert guard({"event": "purchase"}, AT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('count("baskets", "7d")', "belong in filters"),
        ("emial(mail)", "did you mean email?"),
        ("email(mail", "never closed"),
        ("", "found the end"),
        ("INCLUDE vip", "belongs in filters"),
    ],
)
def test_an_expression_that_cannot_work_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_expression(text)

    assert says in caught.value.message
    assert caught.value.excerpt
