"""Case files: what they may hold, and how a case is judged."""

from typing import Any

import pytest

from gatepost.core.filterql.cases import Case, read_cases
from gatepost.core.filterql.trials import tried
from gatepost.model.errors import InvalidInput

SEEN = {"types": {"seen": "date"}, "context": {"seen": "2026-01-15T00:00:00Z"}}


def one(**entry: Any) -> Case:
    return read_cases([entry])[0]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("FILTER *", "must hold a list of cases"),
        ([5], 'entry 0: a case is an object such as {"filter": "visits > 3", "expected": true}'),
        ([{"expected": True}], "entry 0: filter must be the text of a filter"),
        ([{"filter": "*", "expected": 1}], 'entry 0: expected must be true, false or "error"'),
        ([{"filter": "*"}], "entry 0: expected must be"),
        (
            [{"filter": "*", "expected": True}, {"filter": "*", "expect": True}],
            "entry 1: there is no key expect; did you mean expected?",
        ),
        ([{"filter": "*", "expected": True, "context": [1]}], "entry 0: context must be an object"),
        (
            [{"filter": "*", "expected": True, "types": {"seen": "datetime"}}],
            "entry 0: types.seen must be one of [",
        ),
        (
            [{"filter": "*", "expected": True, "now": "noon"}],
            "entry 0: now must be a time such as 2026-01-15T12:00:00Z",
        ),
        ([{"filter": "*", "expected": True, "next_change": "soon"}], "null means never"),
        ([{"filter": "*", "expected": True, "includes": {"a": 5}}], "entry 0: includes.a must be the text"),
        ([{"filter": "*", "expected": True, "accept": True}], "entry 0: accept must be a list"),
        ([{"filter": "*", "expected": True, "phase": "sleep"}], "entry 0: phase must be one of parse"),
        ({"matches": "visits > 3"}, "the file: matches must be a list"),
        ({"match": []}, "the file: there is no key match; did you mean matches?"),
        ({"cases": [{"expected": True}]}, "cases, entry 0: filter must be"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_at_the_entry_and_key(
    document: Any, complaint: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_cases(document)

    assert complaint in refused.value.message


def test_remarks_under_keys_of_ones_own_are_left_alone() -> None:
    case = one(filter="*", expected=True, ticket="AB-12", owner="crm")

    assert tried(case).passed


def test_cases_may_share_a_profile() -> None:
    shared: dict[str, Any] = {"context": {"visits": 5}, "matches": ["visits > 3"], "fails": ["visits > 9"]}

    cases = read_cases({**shared, "cases": [{"filter": "visits > 3", "context": {}, "expected": False}]})

    assert [tried(case).passed for case in cases] == [True, True, True]


def test_a_wrong_answer_fails_with_what_was_answered() -> None:
    trial = tried(one(filter="visits > 9", context={"visits": 5}, expected=True))

    assert (trial.passed, trial.got) == (False, False)


def test_an_error_says_where() -> None:
    trial = tried(one(filter="AND (visits >\n)", expected=True))

    assert (trial.passed, trial.got) == (False, "error")
    assert trial.message.startswith("line 2, column 1: expected a field")


def test_a_value_that_is_no_time_fails_its_case_alone() -> None:
    trial = tried(one(filter="EXISTS seen", types={"seen": "date"}, context={"seen": "noon"}, expected=True))

    assert "seen is no time" in trial.message


@pytest.mark.parametrize(("text", "phase"), [("gt(toint(spent), 0)", "eval"), ("INCLUDE nobody", "include")])
def test_a_part_that_cannot_be_evaluated_is_no_match_and_passes_as_an_error_of_evaluation(
    text: str, phase: str
) -> None:
    assert tried(one(filter=text, expected="error", phase=phase)).passed


def test_a_filter_that_should_not_parse_must_not_parse() -> None:
    assert not tried(one(filter="NOT *", expected="error", phase="parse")).passed


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [
        ({"next_change": "2026-01-16T00:00:00Z"}, True),
        ({"next_change": "2026-01-16T00:00:01Z"}, False),
        ({"next_change": None}, False),
        ({}, True),
    ],
)
def test_the_next_change_counts_when_the_case_names_it(wanted: dict[str, Any], passed: bool) -> None:
    case = one(filter='seen > "now-1d"', expected=True, **SEEN, **wanted)

    assert tried(case).passed is passed


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [(None, True), ("2026-01-16T00:00:00Z", True), ("2026-01-17T00:00:00Z", False)],
)
def test_a_date_the_answer_does_not_lean_on_may_be_counted_or_not(wanted: str | None, passed: bool) -> None:
    case = one(
        filter='OR (EXISTS seen, INCLUDE recent, seen > "now-2d")',
        includes={"recent": 'seen > "now-1d"'},
        expected=True,
        next_change=wanted,
        **SEEN,
    )

    assert tried(case).passed is passed
