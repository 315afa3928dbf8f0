"""A beginner's slip is answered with what would be right, beside what the engine says."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.core.templates.slips import fault_in, hint_of
from gatepost.model.errors import TemplateError
from gatepost.ports.renderer import RenderContext, RenderFailure
from gatepost.rendering import HelperRenderer, RenderOptions

ROWS = json.loads((Path(__file__).parents[2] / "cases" / "template_slips.json").read_text())
ENTRANCE = (
    b'{"email": "ada@example.com", "segment_events": [{"slug": "new", "event": "enter", "enter": "2026"}]}'
)


class Desk:
    """Where templates are handed in: told is what their author reads."""

    def __init__(self, runner: asyncio.Runner, renderer: HelperRenderer) -> None:
        self._runner = runner
        self._renderer = renderer

    def told(self, type_: str, source: str) -> str:
        try:
            self._runner.run(self._renderer.check(type_, source))
        except TemplateError as error:
            return error.hint
        context = RenderContext(entity=ENTRANCE)
        (result,) = self._runner.run(self._renderer.render(type_, source, [context]))
        return hint_of(fault_in(type_, source, result.message)) if isinstance(result, RenderFailure) else ""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with asyncio.Runner() as runner:
        renderer = HelperRenderer(RenderOptions(workers=1))
        runner.run(renderer.start())
        yield Desk(runner, renderer)
        runner.run(renderer.close())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['type']}: {row['title']}")
def test_a_slip_is_answered_with_what_would_be_right(desk: Desk, row: dict[str, Any]) -> None:
    hint = desk.told(row["type"], "\n".join(row["source"]))

    assert row["hint"] in hint


def test_escapes_of_markdown_keep_the_advice_that_mends_them(desk: Desk) -> None:
    hint = desk.told("jsonnet", "{ a: \\[1\\] }")

    assert "left over from rendered Markdown" in hint
