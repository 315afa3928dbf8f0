"""Runs the case files of tests/cases/filterql."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatepost.core.filterql import parse_filter, print_filter
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import FilterError
from gatepost.model.times import DAY, from_datetime, parse_duration
from tests.unit.core.filterql._compiled import NOW, compiled

CASES = Path(__file__).resolve().parents[3] / "cases" / "filterql"


def load(name: str) -> Any:
    return yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))


def instant(value: object) -> Any:
    """Turn what YAML calls a time, alone or in a list or map, into an instant."""
    if isinstance(value, datetime):
        return from_datetime(value)
    if isinstance(value, list):
        return [instant(item) for item in value]
    if isinstance(value, dict):
        return {key: instant(item) for key, item in value.items()}
    return parse_time(str(value))


def profile_questions() -> Iterator[Any]:
    for file in ("operators", "missing_and_unevaluable", "coercion", "includes"):
        case = load(file)
        for expected in ("matches", "fails"):
            for text in case[expected]:
                yield pytest.param(case, text, expected == "matches", id=f"{file}: {text} {expected}")


@pytest.mark.parametrize(("case", "text", "expected"), list(profile_questions()))
def test_a_filter_answers_on_a_profile(case: dict[str, Any], text: str, expected: bool) -> None:
    filter_ = compiled(text, case.get("types", {}), case.get("audiences"))

    verdict = filter_.evaluate(case["profile"], {}, NOW)

    assert expected == verdict.matches


@pytest.mark.parametrize("case", load("dates")["cases"], ids=lambda case: case["name"])
def test_a_date_rule_says_when_it_may_change(case: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        name: instant(case[name]) for name in ("seen", "seen_all", "last") if name in case
    }
    filter_ = compiled(case["filter"], load("dates")["types"])

    verdict = filter_.evaluate(fields, {}, instant(case["now"]))

    assert case["matches"] == verdict.matches
    assert (None if case["next"] == "never" else instant(case["next"])) == verdict.next_change


@pytest.mark.parametrize("case", load("windows")["cases"], ids=lambda case: case["name"])
def test_a_window_rule_says_exactly_when_it_flips(case: dict[str, Any]) -> None:
    pairs = [entry if isinstance(entry, list) else [entry, 1] for entry in case["entries"]]
    entries = [(NOW - int(days * DAY), amount) for days, amount in pairs]
    filter_ = compiled(case["filter"], {})

    verdict = filter_.evaluate({}, {"count:baskets": entries, "sum:spend": entries}, NOW)

    assert case["matches"] == verdict.matches
    assert (None if case["next"] == "never" else NOW + int(case["next"] * DAY)) == verdict.next_change


@pytest.mark.parametrize("case", load("errors"), ids=lambda case: case["filter"])
def test_an_error_says_what_is_wrong_and_where(case: dict[str, Any]) -> None:
    audiences = {
        "circle_a": "FILTER INCLUDE circle_b",
        "circle_b": "FILTER INCLUDE circle_a",
        "leads_nowhere": "FILTER INCLUDE gone",
    }

    with pytest.raises(FilterError) as caught:
        compiled(case["filter"], {"seen": "date"}, audiences)

    assert case["says"] in caught.value.message
    assert case.get("hint", "") in caught.value.hint
    assert case["place"] == f"{caught.value.line}:{caught.value.column}"


@pytest.mark.parametrize(("written", "printed"), load("printing"))
def test_a_filter_prints_in_its_canonical_form(written: str, printed: str) -> None:
    statement = parse_filter(written)

    assert printed == print_filter(statement)
    assert printed == print_filter(parse_filter(printed))


def test_windows_tell_what_they_read() -> None:
    filter_ = compiled('AND (count("baskets", "7d") > 1, sum("spend", "36h") > 5, city = "x")', {})

    reads = {(window.kind, window.source, window.length, window.key) for window in filter_.windows}

    assert reads == {
        ("count", "baskets", parse_duration("7d"), "count:baskets"),
        ("sum", "spend", parse_duration("36h"), "sum:spend"),
    }
    assert filter_.reads == {"city"}
