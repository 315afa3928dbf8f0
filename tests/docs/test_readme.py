"""The README keeps its word."""

import re
from pathlib import Path

from tests.docs.walkthrough import walk_through


def test_a_new_user_gets_her_own_template_delivered_with_the_readme_alone(
    repository: Path, tmp_path: Path
) -> None:
    printed = walk_through(repository / "README.md", tmp_path)

    assert '"regulars"' in printed, "the template was rendered"
    assert "X-REQUEST-TOKEN: ***" in printed, "the request is shown without its credentials"


def test_it_opens_with_what_it_is_a_picture_and_the_two_commands(repository: Path) -> None:
    opening = (repository / "README.md").read_text().split("## Your own template")[0]

    first, *_ = opening.removeprefix("# gatepost\n\n").split("\n\n")
    assert len(first.splitlines()) == 5
    assert "](docs/flow.svg)" in opening
    assert {"demo", "test"} <= set(re.findall(r"^make (\w+)", opening, re.MULTILINE))


def test_every_make_target_it_names_exists(repository: Path) -> None:
    pages = [repository / "README.md", repository / "CONTRIBUTING.md", *(repository / "docs").rglob("*.md")]
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))

    named = {
        name for page in pages for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)
    }

    assert named - targets == set()


def test_it_is_short(repository: Path) -> None:
    assert len((repository / "README.md").read_text().splitlines()) <= 155
