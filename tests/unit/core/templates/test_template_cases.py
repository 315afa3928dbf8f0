"""What a case says of a template is held against what came, and a slip in a case is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.core.templates.cases import TemplateCase, outcome_of, read_case
from gatepost.model.errors import InvalidInput

ROWS = json.loads((Path(__file__).parents[3] / "cases" / "template_cases.json").read_text())


def events(case: TemplateCase) -> Any:
    """Return the triggers that a template of this case sees."""
    return case.entity["segment_events"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["title"])
def test_an_outcome_is_judged_as_a_person_would(row: dict[str, Any]) -> None:
    case = read_case("case", row["case"])

    outcome = outcome_of(case, row.get("printed"), row.get("failure", ""))

    assert row["message"] in outcome.message if "message" in row else outcome.message == ""
    assert row.get("diff", "") in outcome.diff


@pytest.mark.parametrize(
    ("document", "path", "said"),
    [
        ([], "", "a case is an object"),
        ({"profile": {}}, "", "expects one of body, text, omitted, error; this one expects nothing"),
        ({"body": {}, "text": ""}, "", "this one expects body and text"),
        ({"bodi": {}}, "bodi", "did you mean body?"),
        ({"body": {}, "zzz": 1}, "zzz", "there are profile, event"),
        ({"body": {}, "event": "leave"}, "event", "there are enter, exit, change"),
        ({"body": {}, "at": "soon"}, "at", "write one like 2026-01-02T03:04:05Z"),
        ({"body": {}, "profile": []}, "profile", "profile is an object"),
        ({"body": {}, "audience": 7}, "audience", "audience is a text"),
        ({"text": 7}, "text", "text is a text"),
        ({"omitted": False}, "omitted", "true, or part of the message"),
        ({"error": ""}, "error", "part of the engine's message"),
    ],
)
def test_a_slip_in_a_case_is_named(document: Any, path: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_case("case", document)

    assert refused.value.path == path
    assert said in refused.value.message


def test_a_case_has_the_trigger_it_names() -> None:
    case = read_case(
        "c", {"profile": {"a": 1}, "event": "exit", "audience": "vip", "at": "2026-05-01", "omitted": True}
    )

    (event,) = events(case)
    assert (event["slug"], event["event"], event["exit"]) == ("vip", "exit", "2026-05-01T00:00:00Z")


def test_a_change_has_no_time_and_a_profile_may_bring_its_own_trigger() -> None:
    changed = read_case("c", {"event": "change", "omitted": True})
    own = read_case("c", {"profile": {"segment_events": []}, "omitted": True})

    assert set(events(changed)[0]) == {"id", "slug", "event"}
    assert events(own) == []


def test_long_bodies_are_compared_without_comparing_every_line_with_every_other() -> None:
    wanted, got = list(range(50_000)), [*range(49_999), "last"]

    outcome = outcome_of(read_case("c", {"body": wanted}), json.dumps(got), "")

    assert outcome.diff == 'line 50001\n-  49999\n+  "last"'
