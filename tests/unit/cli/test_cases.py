"""`gatepost audience test`: a team keeps its rules honest without a server."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_command_line import gatepost

REGULARS = {
    "filter": 'AND (visits >= 3, seen > "now-7d")',
    "types": {"seen": "date"},
    "context": {"visits": 5, "seen": "2026-01-12T09:00:00Z"},
    "now": "2026-01-15T12:00:00Z",
    "expected": True,
    "next_change": "2026-01-19T09:00:00Z",
}
YAML = """\
context: {visits: 5}
matches:
  - visits > 3
fails:
  - visits > 9
"""


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_answers_that_hold_pass_with_exit_0(tmp_path: Path) -> None:
    file = written(tmp_path, "cases.json", json.dumps([REGULARS]))

    done = gatepost("audience", "test", "--cases", file)

    assert (done.returncode, done.stdout, done.stderr) == (0, "1 passed, 0 failed\n", "")


def test_a_file_of_yaml_shares_one_profile(tmp_path: Path) -> None:
    done = gatepost("audience", "test", "--cases", written(tmp_path, "cases.yaml", YAML))

    assert (done.returncode, done.stdout) == (0, "2 passed, 0 failed\n")


def test_failures_are_shown_in_a_table_and_exit_with_1(tmp_path: Path) -> None:
    cases = [REGULARS, {**REGULARS, "expected": False}, {"filter": "visits >", "expected": True}]

    done = gatepost("audience", "test", "--cases", written(tmp_path, "cases.json", json.dumps(cases)))

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert " ".join(lines[0].split()) == "case filter expected got next change expected next change message"
    assert 'AND (visits >= 3, seen > "now-7d")' in lines[1]
    assert "line 1, column 9: expected a field" in done.stdout
    assert lines[-1] == "1 passed, 2 failed"


def test_a_program_reads_the_same_as_one_line_of_json(tmp_path: Path) -> None:
    cases = [REGULARS, {**REGULARS, "expected": False}]

    done = gatepost("audience", "test", "--json", "--cases", written(tmp_path, "c.json", json.dumps(cases)))

    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "passed": 1,
        "failed": 1,
        "failures": [
            {
                "index": 1,
                "filter": REGULARS["filter"],
                "expected": False,
                "got": True,
                "next_change": "2026-01-19T09:00:00Z",
                "expected_next_change": "2026-01-19T09:00:00Z",
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("cases.json", "[{]", "cases.json:1:3: this is not JSON"),
        ("cases.json", "[" * 100_000, "cases.json nests too deeply"),
        ("cases.json", '[{"filter": "*"}]', 'cases.json: entry 0: expected must be true, false or "error"'),
        ("cases.yaml", "a: [", "cases.yaml:1:"),
        ("cases.yaml", "matches: visits > 3", "cases.yaml: the file: matches must be a list"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_2(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    done = gatepost("audience", "test", "--cases", written(tmp_path, name, text))

    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = gatepost("audience", "test", "--cases", str(tmp_path / "none.json"))

    assert (done.returncode, done.stderr) == (
        2,
        f"error: {tmp_path / 'none.json'} cannot be read: No such file or directory\n",
    )
