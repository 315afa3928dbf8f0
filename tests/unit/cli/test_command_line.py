"""What every command has in common: help with examples, exit codes, one line for what went wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

PARTS = [
    "up",
    "sandbox",
    "demo",
    "status",
    "config",
    "token",
    "collect",
    "profile",
    "audience",
    "template",
    "job",
    "delivery",
]


def gatepost(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gatepost", *arguments],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_help_names_every_part_and_loads_none_of_them() -> None:
    listed = gatepost("--help")
    imported = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gatepost", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr

    assert listed.returncode == 0
    assert all(f"│ {part} " in listed.stdout for part in PARTS)
    assert not [
        name for name in ("fastapi", "aiohttp", "pandas", "httpx", "sqlite3") if f" {name}\n" in imported
    ]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_explains_itself(part: str) -> None:
    assert gatepost(part, "--help").returncode == 0


def test_a_placeholder_is_a_word_for_people() -> None:
    assert "{FILTER}" in gatepost("audience", "preview", "--help").stdout
    assert "[JOB]" in (usage := gatepost("job", "logs", "--help").stdout)
    assert "[[" not in usage


def test_a_wrong_call_exits_with_2_and_names_what_may_be_meant() -> None:
    wrong = gatepost("tokn", "create")

    assert wrong.returncode == 2
    assert "Did you mean 'token'?" in wrong.stderr


def test_a_failure_is_one_line_and_a_hint_on_standard_error() -> None:
    failed = gatepost("job", "list", "--json", GATEPOST_URL="http://127.0.0.1:1")

    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.splitlines() == [
        "error: no gatepost answers at http://127.0.0.1:1",
        "Start one with `gatepost up`, or say where it is with --url or GATEPOST_URL.",
    ]


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    failed = gatepost("up", "--data", str(tmp_path / "file"))

    assert failed.returncode == 1
    assert failed.stderr.startswith(f"error: the data folder {tmp_path / 'file'} cannot be used")


def test_a_reader_that_goes_away_is_no_error_to_talk_about() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gatepost", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaint = process.communicate()

    assert complaint == b""
