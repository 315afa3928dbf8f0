"""Runs the restated public tests of the reference implementation, where they are at hand."""

import json
from pathlib import Path

import pytest

from gatepost.core.filterql.cases import read_cases
from gatepost.core.filterql.trials import tried


@pytest.mark.shared
def test_every_reference_example_has_its_documented_outcome(shared: Path) -> None:
    cases = read_cases(json.loads((shared / "reference" / "filterql_examples.json").read_text("utf-8")))

    trials = [tried(case) for case in cases]

    assert [trial for trial in trials if not trial.passed] == []
    assert len(trials) > 100
