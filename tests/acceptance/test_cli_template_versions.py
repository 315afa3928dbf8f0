"""A template gets worse, and somebody takes it back: the earlier texts are there."""

from pathlib import Path

import pytest

from tests.acceptance.test_cli import Gatepost, gatepost, read

__all__ = ["gatepost"]

CONFIG = """\
audiences:
  buyers: {filter: "*"}
templates:
  hook: {path: hook.jsonnet}
jobs:
  hook: {audiences: [buyers], template: hook, url: 'http://127.0.0.1:9/hook'}
"""
GOOD, BAD = "{\n  email: 'a',\n}\n", "{\n  e_mail: 'a',\n}\n"


@pytest.fixture
def shop(gatepost: Gatepost, tmp_path: Path) -> Gatepost:
    """A shop whose template was right and was made wrong."""
    (tmp_path / "gatepost.yaml").write_text(CONFIG)
    for source in (GOOD, BAD):
        (tmp_path / "hook.jsonnet").write_text(source)
        read(gatepost("config", "apply", "-f", ".", "--json"))
    return gatepost


def test_what_changed_is_listed_shown_and_compared(shop: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "next.jsonnet").write_text("{\n  email: 'b',\n}\n")

    listed = read(shop("template", "versions", "hook", "--json"))
    first = shop("template", "show", "hook", "--version", "1", "--source")
    last = shop("template", "diff", "hook")
    planned = shop("template", "diff", "hook", "--from", "1", "--file", "next.jsonnet")

    assert [(one["version"], one["added"], one["removed"]) for one in listed] == [(2, 1, 1), (1, 3, 0)]
    assert first.stdout == GOOD
    assert "-  email: 'a',\n+  e_mail: 'a',\n" in last.stdout
    assert last.stdout.startswith("--- hook version 1\n+++ hook version 2\n")
    assert "-  email: 'a',\n+  email: 'b',\n" in planned.stdout


def test_a_text_is_taken_back_for_every_job(shop: Gatepost) -> None:
    shown = shop("template", "rollback", "hook", "--to", "1", "--dry-run")
    unasked = shop("template", "rollback", "hook", "--to", "1")
    before = read(shop("template", "versions", "hook", "--json"))
    done = read(shop("template", "rollback", "hook", "--to", "1", "--yes", "--json"))
    again = shop("template", "rollback", "hook", "--to", "1", "--yes")

    assert "-  e_mail: 'a',\n+  email: 'a',\n" in shown.stdout
    assert unasked.returncode == 1
    assert "Nobody is there to say yes" in unasked.stderr
    assert len(before) == 2
    assert done["version"] == 3
    assert shop("template", "show", "hook", "--source").stdout == GOOD
    assert "nothing to do" in again.stdout


def test_one_job_stays_at_an_earlier_version_until_it_is_let_go(shop: Gatepost) -> None:
    shown = shop("job", "rollback", "hook", "--template-version", "1", "--dry-run")
    read(shop("job", "rollback", "hook", "--template-version", "1", "--yes", "--json"))
    verified = read(shop("job", "verify", "hook", "--record", "--json"))
    applied = shop("config", "apply", "-f", ".")
    told = shop("job", "show", "hook")
    listed = shop("template", "versions", "hook")
    read(shop("job", "rollback", "hook", "--newest", "--yes", "--json"))
    followed = read(shop("job", "verify", "hook", "--record", "--json"))

    assert "-  e_mail: 'a',\n+  email: 'a',\n" in shown.stdout
    assert '"email": "a"' in str(verified["steps"])
    assert "nothing to do" in applied.stdout
    assert "the job hook stays at version 1 of the template hook" in applied.stderr
    assert "stays at version" in told.stdout
    assert [line.split()[-1] for line in listed.stdout.splitlines()] == ["it", "-1", "hook"]
    assert '"e_mail": "a"' in str(followed["steps"])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("template", "show", "hook", "--version", "9"), "the template hook has no version 9"),
        (("template", "rollback", "hook", "--to", "9", "--yes"), "the template hook has no version 9"),
        (
            ("job", "rollback", "hook", "--template-version", "9", "--yes"),
            "the template hook has no version 9",
        ),
        (("job", "rollback", "hook", "--yes"), "either --template-version or --newest"),
        (("template", "diff", "hook", "--to", "1", "--file", "x"), "either --to or --file"),
    ],
)
def test_a_version_that_is_not_there_is_named(shop: Gatepost, command: tuple[str, ...], said: str) -> None:
    done = shop(*command)

    assert done.returncode == 1
    assert said in done.stderr


def test_a_text_that_is_quite_another_is_shown_as_far_as_a_screen_goes(
    shop: Gatepost, tmp_path: Path
) -> None:
    (tmp_path / "hook.jsonnet").write_text("{\n" + "".join(f"  a{n}: {n},\n" for n in range(100)) + "}\n")
    read(shop("config", "apply", "-f", ".", "--json"))

    shown = shop("template", "rollback", "hook", "--to", "1", "--dry-run")
    whole = read(shop("template", "rollback", "hook", "--to", "1", "--dry-run", "--json"))

    assert shown.stdout.splitlines()[40].startswith("... and 6")
    assert len(whole["diff"].splitlines()) > 100
