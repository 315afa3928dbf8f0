"""The reference says what the program says: nothing missing, nothing stale."""

from pathlib import Path

import msgspec
import pytest

from gatepost.core.filterql.functions import FUNCTIONS
from gatepost.settings import Settings
from tools import reference


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


@pytest.mark.parametrize("name", ["settings.md", "cli.md", "routes.md", "functions.md"])
def test_a_page_is_what_the_program_would_write_today(
    repository: Path, pages: dict[str, str], name: str
) -> None:
    held = (repository / "docs" / "reference" / name).read_text()

    assert held == pages[name], "run `make docs`"


def test_every_setting_has_its_variable_and_its_reason(pages: dict[str, str]) -> None:
    rows = [
        line.split(" | ") for line in pages["settings.md"].splitlines() if line.startswith("| `GATEPOST_")
    ]

    assert [f"| `GATEPOST_{name.upper()}`" for name in Settings.__struct_fields__] == [row[0] for row in rows]
    assert all(row[-1].strip(" |") for row in rows)


def test_every_function_is_there_with_an_example(pages: dict[str, str]) -> None:
    page = pages["functions.md"]

    assert [function.name for function in FUNCTIONS if f"| `{function.name}(" not in page] == []
    assert [function.name for function in FUNCTIONS if not function.examples] == []


def test_every_function_belongs_to_a_family_with_a_title(pages: dict[str, str]) -> None:
    rows = [line for line in pages["functions.md"].splitlines() if line.startswith("| `")]

    assert len(FUNCTIONS) == len(rows)


def test_every_route_of_the_openapi_document_is_there(pages: dict[str, str]) -> None:
    routes = [
        (method.upper(), path.replace("_}", "}"))
        for path, methods in reference.openapi()["paths"].items()
        for method in methods
    ]

    assert [route for route in routes if f"| `{route[0]} {route[1]}` |" not in pages["routes.md"]] == []


def test_every_command_and_option_is_explained(pages: dict[str, str]) -> None:
    rows = [line for line in pages["cli.md"].splitlines() if line.startswith("| `")]

    assert [row for row in rows if not row.rstrip(" |").endswith((".", "?", ")"))] == []


def test_every_variable_that_a_page_names_is_read_by_something(repository: Path) -> None:
    source = "".join(path.read_text() for path in (repository / "src").rglob("*.py"))
    known = {f"GATEPOST_{name.upper()}" for name in Settings.__struct_fields__}

    named = {
        word.strip("`.,;:")
        for page in [repository / "README.md", *(repository / "docs").rglob("*.md")]
        for word in page.read_text().replace("=", " ").replace("(", " ").replace(")", " ").split()
        if word.strip("`").startswith("GATEPOST_")
    }

    assert {name for name in named if name not in known and f'"{name}"' not in source} == set()


def test_defaults_are_those_of_the_program(pages: dict[str, str]) -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}

    assert f"| `GATEPOST_PORT` | `{defaults['port']}` |" in pages["settings.md"]
    assert "| `GATEPOST_RETRY_WINDOW` | `8d` |" in pages["settings.md"]
