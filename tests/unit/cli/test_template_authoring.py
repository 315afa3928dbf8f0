"""A template is begun, tried and held to its cases without a server."""

import json
from pathlib import Path

import pytest

from gatepost.cli.templatecases import ending_of
from gatepost.core.templates.presets import PRESETS
from gatepost.model.catalog import TemplateType
from tests.unit.cli.test_command_line import gatepost

SOURCE = "local p = import 'lytemplates.libsonnet';\nassert p.has('email') : 'no email';\n{ email: p.get('email') }\n"
ADA = {"profile": {"email": "ada@example.com"}, "body": {"email": "ada@example.com"}}


def carried(folder: Path, **cases: object) -> Path:
    """Write a template with its cases, and return the folder of these."""
    (folder / "hook.jsonnet").write_text(SOURCE)
    (folder / "hook.cases").mkdir()
    for name, case in cases.items():
        (folder / "hook.cases" / f"{name}.json").write_text(json.dumps(case))
    return folder / "hook.cases"


@pytest.mark.parametrize("preset", ["", *PRESETS])
def test_a_new_template_comes_with_cases_that_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    monkeypatch.chdir(tmp_path)

    made = gatepost("template", "new", "hook", *(("--preset", preset) if preset else ()))
    tried = gatepost("template", "test", "--cases", "hook.cases")

    assert made.returncode == 0
    assert "gatepost template test hook.jsonnet --watch" in made.stdout
    assert (tmp_path / "hook.jsonnet").read_text().startswith("// ")
    assert (tried.returncode, tried.stdout) == (0, "2 passed, 0 failed\n")


@pytest.mark.parametrize("type_", TemplateType)
def test_a_template_begins_in_any_language(tmp_path: Path, type_: TemplateType) -> None:
    file = tmp_path / f"hook{ending_of(type_.value)}"

    gatepost("template", "new", "hook", "--type", type_.value, "--in", str(tmp_path))
    tried = gatepost("template", "test", str(file), "--cases", str(tmp_path / "hook.cases"))

    assert "the profile has no email" in file.read_text()
    assert (tried.returncode, tried.stdout) == (0, "2 passed, 0 failed\n")


def test_a_new_template_overwrites_nothing(tmp_path: Path) -> None:
    carried(tmp_path)

    refused = gatepost("template", "new", "hook", "--in", str(tmp_path))

    assert refused.returncode == 1
    assert "hook.jsonnet is there already" in refused.stderr
    assert (tmp_path / "hook.jsonnet").read_text() == SOURCE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preset", "insider"), "There are: insider_enter, insider_exit, insider_exit_event"),
        (("--type", "cobol"), "the types are: "),
    ],
)
def test_a_beginning_that_is_not_there_is_named(
    tmp_path: Path, arguments: tuple[str, str], said: str
) -> None:
    refused = gatepost("template", "new", "hook", "--in", str(tmp_path), *arguments)

    assert refused.returncode == 1
    assert said in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_case_that_fails_shows_the_difference_and_exits_with_1(tmp_path: Path) -> None:
    folder = carried(tmp_path, ada=ADA, bob={**ADA, "profile": {"email": "bob@example.com"}})

    done = gatepost("template", "test", "--cases", str(folder))

    assert done.returncode == 1
    assert "✗ bob: the body is not the expected one\n" in done.stdout
    assert '-  "email": "ada@example.com"\n+  "email": "bob@example.com"\n' in done.stdout
    assert done.stdout.endswith("1 passed, 1 failed\n")


def test_a_program_reads_one_line(tmp_path: Path) -> None:
    folder = carried(tmp_path, ada=ADA, nobody={"omitted": "no phone"})

    done = gatepost("template", "test", str(tmp_path / "hook.jsonnet"), "--cases", str(folder), "--json")

    told = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert (told["passed"], told["failed"]) == (1, 1)
    assert told["failures"] == [
        {
            "case": "nobody",
            "message": "expected nothing to be sent because of 'no phone', but the engine said: no email",
            "diff": "",
        }
    ]


def test_a_file_may_hold_many_cases_and_be_yaml(tmp_path: Path) -> None:
    folder = carried(tmp_path)
    (folder / "all.yaml").write_text(
        "- {profile: {email: a@b.co}, body: {email: a@b.co}}\n- omitted: no email\n- error: no email\n- body: {}\n"
    )

    done = gatepost("template", "test", "--cases", str(folder))

    assert "✗ all[3]: the template failed: no email" in done.stdout
    assert "3 passed, 1 failed" in done.stdout


def test_a_body_that_the_provider_would_refuse_fails_its_case(tmp_path: Path) -> None:
    folder = carried(tmp_path, ada=ADA)

    done = gatepost("template", "test", "--cases", str(folder), "--provider", "insider")

    assert done.returncode == 1
    assert "ada: insider would not take the body: users: users is " in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "a.json:1:2: this is not JSON"),
        ("a.yaml", "a: [", "a.yaml:1:"),
        ("a.json", '{"bodi": {}}', "the case a: there is no 'bodi' in a case; did you mean body?"),
    ],
)
def test_what_is_no_case_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    folder = carried(tmp_path)
    (folder / name).write_text(text)

    done = gatepost("template", "test", "--cases", str(folder))

    assert done.returncode == 1
    assert said in done.stderr


def test_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    missing = gatepost("template", "test", "--cases", str(tmp_path / "hook.cases"))
    nothing = gatepost("template", "test")

    assert "there is no template beside" in missing.stderr
    assert "say which template" in nothing.stderr
