import pytest

from gatepost.core.filterql import compile_filter, parse_filter
from gatepost.core.filterql.nodes import Node
from gatepost.model.errors import FilterError
from tests.unit.core.filterql._compiled import NOW, compiled

QUESTIONS = """
a = 1
a != "x"
a < "now-3d"
a > "now-1M"
a = true
a LIKE "x*"
a CONTAINS "x"
a IN (1, true)
a IN ("now")
a INTERSECTS b
a BETWEEN 1 AND 5
a BETWEEN "now-3d" AND "now"
a = b
a.b = 1
a + 1 > 2
-a < 1
a > created
NOT a
len(a) = 0
created BETWEEN a AND b
created != "2026-01-01"
dates = "2026-01-01"
dates BETWEEN "now-1M" AND "now"
""".strip().splitlines()


def test_a_filter_tells_which_fields_it_reads_includes_and_map_keys_among_them() -> None:
    types = {"hits": "map[string]intsum", "city": "string"}

    filter_ = compiled("AND (INCLUDE lisbon, hits.home > 1, a.b = 2)", types, {"lisbon": 'FILTER city = "x"'})

    assert filter_.reads == {"hits", "city", "a.b", "a"}


def test_a_field_with_a_dot_in_its_name_wins_over_the_key_of_a_map() -> None:
    filter_ = compiled('a.b = "whole"', {})

    assert filter_.evaluate({"a.b": "whole", "a": {"b": "key"}}, {}, NOW).matches
    assert not filter_.evaluate({"a": {"b": "key"}}, {}, NOW).matches
    assert compiled('a.b = "key"', {}).evaluate({"a": {"b": "key"}}, {}, NOW).matches


def test_audiences_that_share_an_include_many_times_over_stay_quick() -> None:
    audiences = {f"level{n}": f"FILTER AND (INCLUDE level{n + 1}, INCLUDE level{n + 1})" for n in range(60)}
    audiences["level60"] = "FILTER visits > 5"

    assert compiled("INCLUDE level0", {}, audiences).evaluate({"visits": 6}, {}, NOW).matches


def test_a_chain_of_includes_has_an_end() -> None:
    def endless(slug: str) -> Node:
        return parse_filter(f"FILTER INCLUDE {slug}x").filter

    with pytest.raises(FilterError, match="in a chain"):
        compile_filter(parse_filter("FILTER INCLUDE x").filter, {}, endless)


def test_the_same_filter_gives_the_same_answer_to_untyped_and_typed_dates() -> None:
    text = 'FILTER seen > "now-7d"'

    typed = compiled(text, {"seen": "date"}).evaluate({"seen": NOW - 5_000}, {}, NOW)
    untyped = compiled(text, {}).evaluate({"seen": "2026-01-15T11:59:55Z"}, {}, NOW)

    assert typed == untyped
    assert typed.matches


def test_a_text_field_that_just_says_now_equals_itself() -> None:
    assert compiled('answer = "now"', {}).evaluate({"answer": "now"}, {}, NOW).matches


def test_a_field_called_like_a_python_expression_is_only_a_name() -> None:
    text = 'FILTER `__import__("os")` = "x"'

    assert compiled(text, {}).evaluate({'__import__("os")': "x"}, {}, NOW).matches


@pytest.mark.parametrize("odd", [None, "", "x", True, 0, -1.5, [], [1, "a", None, {"b": 1}], {}, {"b": []}])
@pytest.mark.parametrize("text", QUESTIONS)
def test_no_value_makes_a_filter_fail(text: str, odd: object) -> None:
    types = {"created": "date", "dates": "[]time"}

    verdict = compiled(text, types).evaluate({"a": odd, "b": odd, "created": odd, "dates": odd}, {}, NOW)  # type: ignore[dict-item]  # odd on purpose

    assert verdict.matches in {True, False}
