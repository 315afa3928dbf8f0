"""Audiences built on audiences: written out as one filter, and kept from growing without bound."""

import pytest

from gatepost.core.filterql import Node, inlined, parse_filter, print_filter
from gatepost.model.errors import FilterError
from tests.unit.core.filterql._compiled import NOW, compiled


def written_out(text: str, audiences: dict[str, str]) -> str:
    def include(slug: str) -> Node | None:
        return parse_filter(audiences[slug]).filter if slug in audiences else None

    return print_filter(inlined(parse_filter(text).filter, include))


def test_a_filter_is_written_out_with_everything_it_includes() -> None:
    audiences = {"frequent": "AND (visits > 10, INCLUDE known)", "known": "EXISTS email"}

    whole = written_out("FILTER AND (NOT INCLUDE frequent, len(tags) > 1, INCLUDE known)", audiences)

    assert whole == "AND (NOT AND (visits > 10, EXISTS email), len(tags) > 1, EXISTS email)"


def test_what_would_double_with_every_level_is_refused_at_once() -> None:
    audiences = {"a0": 'city = "Lisbon"'} | {
        f"a{level}": f"OR (INCLUDE a{level - 1}, NOT INCLUDE a{level - 1})" for level in range(1, 90)
    }

    with pytest.raises(FilterError, match="is longer than 1,048,576 characters"):
        written_out("INCLUDE a89", audiences)

    assert compiled("INCLUDE a89", {}, audiences).evaluate({}, {}, NOW).matches


def test_a_filter_that_nests_too_deeply_when_written_out_is_refused() -> None:
    audiences = {"a0": "EXISTS email"} | {
        f"a{level}": f"AND (x = 1, OR (y = 2, AND (z = 3, OR (w = 4, INCLUDE a{level - 1}))))"
        for level in range(1, 90)
    }

    with pytest.raises(FilterError, match="nests deeper than 200 levels"):
        written_out("INCLUDE a89", audiences)


def test_five_hundred_audiences_in_a_circle_are_refused_naming_it() -> None:
    audiences = {f"a{place}": f"INCLUDE a{(place + 1) % 50}" for place in range(500)}

    with pytest.raises(FilterError, match="include each other in a circle: a0 > a1 > "):
        compiled("INCLUDE a0", {}, audiences)


def test_five_hundred_audiences_in_a_chain_are_refused() -> None:
    audiences = {f"a{place}": f"INCLUDE a{place + 1}" for place in range(500)} | {"a500": "*"}

    with pytest.raises(FilterError, match="more than 100 audiences include each other in a chain"):
        compiled("INCLUDE a0", {}, audiences)


def test_a_thousand_conditions_are_the_most_and_those_of_an_include_are_its_own() -> None:
    many = ", ".join(["visits > 1"] * 1_000)
    audience = {"many": f"AND ({many})"}

    verdict = compiled(f"AND (INCLUDE many, {', '.join(['visits > 2'] * 999)})", {}, audience)

    assert verdict.evaluate({"visits": 3}, {}, NOW).matches
    with pytest.raises(FilterError, match="has 1,001 conditions, and 1,000 are the most") as refused:
        parse_filter(f"AND ({many},\n  visits > 3)")
    assert (refused.value.line, refused.value.excerpt) == (2, "  visits > 3)\n         ^")
