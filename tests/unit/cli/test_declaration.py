"""Each folder of `tests/cases/config` is a configuration: with the document it makes, or with what is wrong in it."""

import json
from pathlib import Path

import pytest

from gatepost.cli.declaration import DeclarationError, Declared, load_declaration
from gatepost.cli.failure import CommandError

CASES = Path(__file__).parents[2] / "cases" / "config"
DOCUMENTS = sorted(path.parent.name for path in CASES.glob("*/expected.json"))
MISTAKES = sorted(path.parent.name for path in CASES.glob("*/expected_problems.txt"))


def declared(case: str) -> Declared:
    environment = CASES / case / "environment.json"
    return load_declaration(Path(), json.loads(environment.read_text()) if environment.exists() else {})


def test_every_case_says_what_is_expected() -> None:
    cases = {path.name for path in CASES.iterdir()}

    assert cases == {*DOCUMENTS, *MISTAKES}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_files_become_one_document(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / case)

    document = declared(case).document

    assert document == json.loads((CASES / case / "expected.json").read_text())


@pytest.mark.parametrize("case", MISTAKES)
def test_every_mistake_is_named_with_its_place(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / case)

    with pytest.raises(DeclarationError) as caught:
        declared(case)

    lines = [str(problem) for problem in caught.value.problems]
    assert lines == (CASES / case / "expected_problems.txt").read_text().splitlines()


def test_a_problem_of_the_server_is_placed_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "everything_at_once")
    config = declared("everything_at_once")

    placed = [
        str(config.problem("audiences.regulars.filter", "no field orders", line=1, column=7)),
        str(config.problem("templates.hook.source", "unexpected end", line=1, column=33)),
        str(config.problem("jobs.tell.url", "not reachable", line=1, column=2)),
        str(config.problem("jobs.tell.nothing_like_it", "odd")),
    ]

    assert placed == [
        "gatepost.yaml:12:29: audiences.regulars.filter: no field orders",
        "hook.jsonnet:1:33: templates.hook.source: unexpected end",
        "gatepost.yaml:25:11: jobs.tell.url: not reachable (line 1, column 2 of this text)",
        "gatepost.yaml:23:5: jobs.tell.nothing_like_it: odd",
    ]


def test_secrets_never_come_back_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "everything_at_once")
    config = declared("everything_at_once")

    problem = config.problem("authorizations.shop", "the header a-secret-of-the-shop is refused")

    assert problem.message == "the header *** is refused"


def test_a_folder_without_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"holds no \*\.yaml file"):
        load_declaration(tmp_path, {})
