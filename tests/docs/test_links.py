"""Pages lead to each other, and keep to the words of the glossary."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_SYNONYMS = re.compile(
    r"\b(?:segments?|webhook jobs?|works|entity|entities|retry queue|dead letters?)\b", re.IGNORECASE
)
_NAMED_AS_LYTICS = re.compile(r"Lytics|glossary")
"""A sentence about Lytics may use its words."""


def pages(repository: Path) -> list[Path]:
    return [
        *sorted(repository.glob("*.md")),
        *sorted((repository / "docs").rglob("*.md")),
        *sorted((repository / "examples").rglob("*.md")),
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for target in _LINK.findall(_CODE.sub("", page.read_text())):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield target


def test_every_link_and_anchor_leads_somewhere(repository: Path) -> None:
    broken = {str(page.relative_to(repository)): list(broken_links(page)) for page in pages(repository)}

    assert {page: links for page, links in broken.items() if links} == {}


def test_every_page_of_the_docs_is_listed_in_their_index(repository: Path) -> None:
    docs = repository / "docs"
    index = (docs / "README.md").read_text()

    assert [
        str(page.relative_to(docs))
        for page in docs.rglob("*.md")
        if page.name != "README.md" and f"({page.relative_to(docs)})" not in index
    ] == []


def test_a_thing_has_one_name(repository: Path) -> None:
    written = {
        f"{page.relative_to(repository)}: {line}"
        for page in pages(repository)
        if page.name not in {"glossary.md", "CONTRIBUTING.md"} and page.parent.name != "reference"
        for line in _CODE.sub("", page.read_text()).splitlines()
        if _SYNONYMS.search(line) and not _NAMED_AS_LYTICS.search(line)
    }

    assert written == set()


@pytest.mark.parametrize("picture", ["flow.svg", "states.svg"])
def test_a_picture_says_in_words_what_it_shows_and_has_a_dark_side(repository: Path, picture: str) -> None:
    drawn = (repository / "docs" / picture).read_text()

    assert 'aria-label="' in drawn
    assert "prefers-color-scheme: dark" in drawn
