import asyncio
import re
from pathlib import Path

import msgspec
import pytest

from gatepost.core.templates.presets import PRESETS, library, preset
from gatepost.model.errors import InvalidInput
from gatepost.ports.renderer import Rendered
from gatepost.rendering import HelperRenderer
from tests.unit.rendering.conftest import Engine

COPIED_FROM_A_WIKI = r"""local ly = import 'lytemplates.libsonnet';
{
  "people": \[
    {
      "key": ly.get("\_id"),
      "tags": ["new"]
    ]
    }
  \]
}
"""


def test_a_sound_template_passes_without_being_run(engine: Engine) -> None:
    assert engine.complaint("error 'this would fail, were it run'") is None
    assert engine.complaint("local spin(n) = spin(n + 1) tailstrict; spin(0)") is None


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_pass(engine: Engine, name: str) -> None:
    assert engine.complaint(preset(name)) is None


def test_the_library_hands_out_all_of_its_rarer_part(engine: Engine) -> None:
    rarer = library()["lytemplates.more.libsonnet"]
    source = f"""
        local types(object) = {{ [name]: std.type(object[name]) for name in std.objectFieldsAll(object) }};
        [types(import 'lytemplates.libsonnet'), types(({rarer}))]"""

    [types] = engine.render(source, {})

    assert isinstance(types, Rendered), types
    offered, rare = msgspec.json.decode(types.text)
    assert set(offered.values()) == {"function"}
    assert offered.keys() >= rare.keys()


@pytest.mark.parametrize(
    ("source", "line", "column", "text"),
    [
        ("{\n  a: 1\n  b: 2\n}", 3, 3, "Expected a comma before next field"),
        ("{ a: unheard_of }", 1, 6, "Unknown variable: unheard_of"),
        ("{ a: 1, a: 2 }", 1, 9, "Duplicate field: a"),
        ("local a = 1;\n", 2, 1, "Unexpected end of file"),
        ("", 1, 1, "Unexpected end of file"),
        ("// nothing but a remark", 1, 24, "Unexpected end of file"),
        ("'🍵' + oolong", 1, 7, "Unknown variable: oolong"),
        # What closes the checker's own brackets, or fits between them, must not slip through.
        ("1); local y = (2", 1, 2, 'Did not expect: ")"'),
        ("1, 2", 1, 2, 'Did not expect: ","'),
        ("1][0] + [2", 1, 2, 'Did not expect: "]"'),
        ("1 else 2", 1, 3, 'Did not expect: "else"'),
        ("1 for x in [1]", 1, 3, 'Did not expect: "for"'),
    ],
)
def test_a_fault_is_reported_where_the_author_sees_it(
    engine: Engine, source: str, line: int, column: int, text: str
) -> None:
    error = engine.complaint(source)

    assert error is not None
    assert (error.line, error.column) == (line, column)
    assert text in error.message
    assert error.excerpt.split("\n")[0] == source.split("\n")[line - 1]
    assert error.excerpt.split("\n")[1] == " " * (column - 1) + "^"


def test_markdown_damage_is_named_and_its_repair_renders(engine: Engine) -> None:
    error = engine.complaint(COPIED_FROM_A_WIKI)

    assert error is not None
    assert (error.line, error.column) == (3, 13)
    assert r"\[ \_ \] are escapes left over from rendered Markdown; write [ _ ]" in error.hint
    assert "there is one ] too many; delete the one on line 6 or 7" in error.hint
    assert error.repaired is not None
    assert engine.complaint(error.repaired) is None
    [result] = engine.render(error.repaired, {"_id": "p-7"})
    assert isinstance(result, Rendered)
    assert msgspec.json.decode(result.text) == {"people": [{"key": "p-7", "tags": ["new"]}]}


def test_escapes_alone_are_undone_and_nothing_else_is_touched(engine: Engine) -> None:
    error = engine.complaint('{ "a\\_b": \\[1\\], c: 1 }  // keep \\_ this\n')

    assert error is not None
    assert error.repaired == '{ "a_b": [1], c: 1 }  // keep \\_ this\n'
    assert "too many" not in error.hint


def test_where_the_surplus_bracket_might_be_in_several_places_nothing_is_guessed(engine: Engine) -> None:
    error = engine.complaint("{ a: [[1], [2]]] }")

    assert error is not None
    assert error.repaired is None


def test_a_fault_of_another_kind_is_not_repaired(engine: Engine) -> None:
    error = engine.complaint("{ a: nowhere_defined, b: '\\_' }")

    assert error is not None
    assert "Markdown" in error.hint
    assert error.repaired is None


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="'cobol' is not a template type"):
        asyncio.run(HelperRenderer().check("cobol", "1"))


@pytest.mark.shared
def test_the_guides_entrance_template_passes_and_renders(engine: Engine, shared: Path) -> None:
    source = _template_of(shared / "reference" / "guide_enter.txt")
    crossing = {"id": "a1", "slug": "vip", "event": "enter", "enter": "2026-03-01T08:30:00Z"}

    [result] = engine.render(source, {"email": "m@example.com", "segment_events": [crossing]})

    assert engine.complaint(source) is None
    assert isinstance(result, Rendered)
    user = msgspec.json.decode(result.text)["users"][0]
    assert user["identifiers"]["email"] == "m@example.com"
    assert user["events"][0]["timestamp"] == "2026-03-01T08:30:00Z"


@pytest.mark.shared
def test_the_guides_exit_template_is_refused_with_a_repair_that_renders(engine: Engine, shared: Path) -> None:
    crossing = {"id": "a1", "slug": "vip", "event": "exit", "exit": "2026-03-01T08:30:00Z"}

    error = engine.complaint(_template_of(shared / "reference" / "guide_exit.txt"))

    assert error is not None
    assert (error.line, error.column) == (4, 12)
    assert r"\[ \_" in error.hint
    assert "delete the one on line 32 or 33" in error.hint
    assert error.repaired is not None
    [result] = engine.render(error.repaired, {"_uid": "u1", "_segments": ["x"], "segment_events": [crossing]})
    assert isinstance(result, Rendered)
    user = msgspec.json.decode(result.text)["users"][0]
    assert user["identifiers"]["custom"] == {"lytics_id": "u1"}
    assert user["events"][0]["event_params"]["custom"]["trigger"] == "exit"


def _template_of(command: Path) -> str:
    found = re.match(r"echo '(.*?)' \| http ", command.read_text(), re.DOTALL)
    assert found
    return found[1]
