"""What the lint says of a template, and where it keeps silent."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.core.templates.linting import MOST_FINDINGS, Finding, library_names, lint
from gatepost.core.templates.presets import PRESETS, preset, starter
from gatepost.model.schema import Field, FieldType

ROWS = json.loads((Path(__file__).parents[3] / "cases" / "template_lint.json").read_text())
FIELDS = [
    Field(name="card", identifier=True),
    *(Field(name=name) for name in ("email", "town", "shop_id")),
    Field(name="stores", type=FieldType.COUNTERS),
]


def shown(finding: Finding) -> str:
    place = f"{finding.line}:{finding.column}"
    return f"{finding.level.value} {finding.code} {place}: {finding.message}; {finding.right}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["title"])
def test_a_finding_has_its_place_and_what_would_be_right(row: dict[str, Any]) -> None:
    found = lint("\n".join(row["source"]), FIELDS, row.get("events", ()))

    assert [shown(finding) for finding in found] == row["findings"]


def test_without_a_schema_nothing_is_said_of_fields() -> None:
    assert lint("(import 'lytemplates.libsonnet').get('emial')", []) == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_reads_nothing_but_fields_that_an_account_may_lack(name: str) -> None:
    found = lint(preset(name), FIELDS, ["exit" if "exit" in name else "enter"])

    assert {finding.code for finding in found} <= {"unknown-field"}


def test_a_new_template_is_without_findings() -> None:
    assert lint(starter("jsonnet"), [Field(name="email"), Field(name="first_name")]) == []


def test_the_functions_of_the_library_are_read_out_of_it() -> None:
    assert {"get", "has", "segEvents", "toPhoneE164", "sha256"} <= library_names()


def test_no_template_is_told_without_end() -> None:
    reads = ", ".join(["ly.get('emial')"] * 5_000)
    source = f"local ly = import 'lytemplates.libsonnet';\n[{reads}]"

    assert len(lint(source, FIELDS)) == MOST_FINDINGS


def test_the_excerpt_points_at_the_place() -> None:
    (finding,) = lint("{ id: 9007199254740993 }", FIELDS)

    assert finding.excerpt == "{ id: 9007199254740993 }\n      ^"
