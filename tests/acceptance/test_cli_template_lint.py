"""The lint knows the account: its schema, and which triggers the jobs of a template wait for."""

import json
from pathlib import Path

import pytest

from tests.acceptance.test_cli import Gatepost, gatepost, read

__all__ = ["gatepost"]

CONFIG = """\
streams: {orders: }
schema:
  ranks: [email]
  fields:
    email: {identifier: true}
    first_name: {}
  mappings:
    - {stream: orders, field: email, expression: email}
    - {stream: orders, field: first_name, expression: name}
audiences:
  buyers: {filter: "*"}
templates:
  hook: {path: hook.jsonnet}
jobs:
  hook: {audiences: [buyers], template: hook, events: exit, url: 'http://127.0.0.1:9/hook'}
"""
CLEAN = "local p = import 'lytemplates.libsonnet';\n{ email: p.get('email') }\n"
TYPO = CLEAN.replace("'email'", "'emial'")
ENTER = "local p = import 'lytemplates.libsonnet';\np.segEvents()[0].enter\n"


@pytest.fixture
def shop(gatepost: Gatepost, tmp_path: Path) -> Gatepost:
    """A shop whose template tells of exits."""
    (tmp_path / "gatepost.yaml").write_text(CONFIG)
    (tmp_path / "hook.jsonnet").write_text(CLEAN)
    read(gatepost("config", "apply", "-f", ".", "--json"))
    return gatepost


def test_a_slip_is_told_with_its_place_and_the_nearest_field(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "new.jsonnet").write_text(TYPO)

    clean = shop("template", "lint", "hook")
    told = shop("template", "lint", "new.jsonnet")
    document = shop("template", "lint", "new.jsonnet", "--json")

    assert (clean.returncode, clean.stdout) == (0, "0 errors, 0 warnings\n")
    assert told.returncode == 1
    assert told.stdout.startswith("new.jsonnet:2:16: error unknown-field: no profile has a field emial\n")
    assert "did you mean email?" in told.stdout
    assert document.returncode == 1
    assert json.loads(document.stdout)["findings"][0]["line"] == 2


def test_the_triggers_of_its_jobs_are_known(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "hook.jsonnet").write_text(ENTER)
    (tmp_path / "other.jsonnet").write_text(ENTER)

    used = shop("template", "lint", "hook.jsonnet")
    unused = shop("template", "lint", "other.jsonnet")
    told = shop("template", "lint", "other.jsonnet", "--event", "exit")

    assert [done.returncode for done in (used, unused, told)] == [1, 0, 1]
    assert "enter-time-on-exit" in used.stdout


def test_warnings_fail_only_the_strict(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "new.jsonnet").write_text("local unused = 1;\n{}\n")

    lenient = shop("template", "lint", "new.jsonnet")
    strict = shop("template", "lint", "new.jsonnet", "--strict")

    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert lenient.stdout.endswith("0 errors, 1 warning\n")


def test_what_does_not_parse_is_an_error_with_its_place(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "new.jsonnet").write_text("{\n  a: ]\n}\n")

    done = shop("template", "lint", "new.jsonnet")

    assert done.returncode == 1
    assert "line 2, column 6" in done.stderr


def test_saving_and_applying_warn_and_go_on(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "hook.jsonnet").write_text(TYPO)

    created = shop("template", "create", "second", "hook.jsonnet")
    applied = shop("config", "apply", "-f", ".")
    again = shop("config", "apply", "-f", ".")

    assert (created.returncode, applied.returncode) == (0, 0)
    assert "line 2, column 16: no profile has a field emial; did you mean email?" in created.stderr
    assert (
        "! the template hook, line 2, column 16: no profile has a field emial; did you mean" in applied.stderr
    )
    assert again.stderr == ""


def test_a_trial_tells_slips_that_print_something(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "new.jsonnet").write_text(TYPO)
    (tmp_path / "new.hbs").write_text('{ "email": "{{json email}}" }')
    (tmp_path / "new.js").write_text("function template(data) { return { hi: `Hi ${data.nick}` } }")

    slip, broken, missing = (shop("template", "test", f"new.{ending}") for ending in ("jsonnet", "hbs", "js"))

    assert (slip.returncode, broken.returncode, missing.returncode) == (0, 0, 0)
    assert "no profile has a field emial; did you mean email?" in slip.stderr
    assert "this begins like JSON and is none: line 1, column 14" in broken.stderr
    assert "a text says undefined" in missing.stderr


def test_a_trial_that_fails_names_the_place_and_what_would_be_right(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "new.jsonnet").write_text("{\n  a: 1\n  b: 2\n}\n")
    (tmp_path / "dot.jsonnet").write_text("local p = import 'lytemplates.libsonnet';\n{ email: p.email }\n")

    comma, dot = shop("template", "test", "new.jsonnet"), shop("template", "test", "dot.jsonnet")

    assert (comma.returncode, dot.returncode) == (1, 1)
    assert "line 3, column 3: Expected a comma" in comma.stderr
    assert "a comma is missing at the end of the line before" in comma.stderr
    assert "a field of the profile is read with get: p.get('email')" in dot.stderr
