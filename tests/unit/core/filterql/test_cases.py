"""Runs the case files of tests/cases/filterql."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gatepost.cli.cases import cases_in
from gatepost.core.filterql import parse_filter, print_filter
from gatepost.core.filterql.cases import Case
from gatepost.core.filterql.trials import tried
from gatepost.model.errors import FilterError
from gatepost.model.times import DAY, parse_duration
from tests.unit.core.filterql._compiled import NOW, compiled

CASES = Path(__file__).resolve().parents[3] / "cases" / "filterql"


def load(name: str) -> Any:
    return yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))


QUESTIONS = [
    pytest.param(case, id=f"{file}: {case.filter} {place}")
    for file in ("operators", "missing_and_unevaluable", "coercion", "includes", "dates", "names_and_dates")
    for place, case in enumerate(cases_in(CASES / f"{file}.yaml"))
]


@pytest.mark.parametrize("case", QUESTIONS)
def test_a_filter_answers_on_a_profile_and_says_when_it_may_change(case: Case) -> None:
    trial = tried(case)

    assert case.expected == trial.got, trial.message
    assert case.next_change in (msgspec.UNSET, trial.next_change)


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
