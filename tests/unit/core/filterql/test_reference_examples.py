"""Runs the restated public tests of the reference implementation, where they are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.core.filterql import Node, compile_filter, parse_filter
from gatepost.core.timestamps import parse_time
from gatepost.model.errors import FilterError
from gatepost.model.jsonvalue import JsonValue

DEFAULT_NOW = "2026-01-15T12:00:00Z"


def as_stored(type_: str | None, value: Any) -> JsonValue:
    """Convert a value of the file to what a profile holds for the type."""
    if type_ == "date":
        return parse_time(value)
    if type_ == "[]time":
        return [parse_time(item) for item in value]
    if type_ == "map[string]time":
        return {key: parse_time(item) for key, item in value.items()}
    return value  # type: ignore[no-any-return]  # JSON as read


def outcome(case: dict[str, Any]) -> tuple[object, object]:
    """Run a case; give what it answered and when it may change."""

    def include(slug: str) -> Node | None:
        found = case.get("includes", {}).get(slug)
        return parse_filter(found).filter if found else None

    types = case.get("types", {})
    fields = {name: as_stored(types.get(name), value) for name, value in case["context"].items()}
    try:
        filter_ = compile_filter(parse_filter(case["filter"]).filter, types, include)
        verdict = filter_.evaluate(fields, {}, parse_time(case.get("now", DEFAULT_NOW)) or 0)
    except FilterError:
        return "error", None
    return verdict.matches, verdict.next_change


@pytest.mark.shared
def test_every_reference_example_has_its_documented_outcome(shared: Path) -> None:
    cases = json.loads((shared / "reference" / "filterql_examples.json").read_text("utf-8"))

    wrong = [
        case["filter"] for case in cases if outcome(case)[0] not in case.get("accept", [case["expected"]])
    ]
    late = [
        case["filter"]
        for case in cases
        if "next_change" in case and parse_time(case["next_change"]) != outcome(case)[1]
    ]

    assert (wrong, late) == ([], [])
    assert len(cases) > 100
