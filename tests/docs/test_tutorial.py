"""Tutorials and how-tos do what they say, command by command."""

from pathlib import Path

import pytest

from tests.docs.walkthrough import walk_through

PAGES = [
    "tutorial/first-delivery.md",
    "howto/insider-in-ten-steps.md",
    "howto/follow-a-delivery.md",
    "howto/javascript-and-handlebars.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_following_a_page_to_its_end_works(repository: Path, tmp_path: Path, page: str) -> None:
    printed = walk_through(repository / "docs" / page, tmp_path)

    assert printed
