"""Every folder of tests/cases/templates: a template, what it reads, and what comes of it to the byte."""

from pathlib import Path

import pytest

from gatepost.ports.renderer import RenderContext, Rendered, RenderFailure
from tests.unit.rendering.conftest import Engine

KINDS = {".jsonnet": "jsonnet", ".js": "js1", ".hbs": "handlebars"}
CASES = sorted((Path(__file__).parents[2] / "cases" / "templates").iterdir())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_template_gives_what_its_case_says(engine: Engine, case: Path) -> None:
    [template] = case.glob("template.*")
    context = RenderContext(
        entity=(case / "entity.json").read_bytes(), job_config=(case / "job_config.json").read_bytes()
    )

    [result] = engine.render_contexts(template.read_text(), [context], KINDS[template.suffix])

    if (case / "expected_error.txt").exists():
        assert isinstance(result, RenderFailure)
        assert result.kind == "runtime"
        assert result.message.split("\n")[0] == (case / "expected_error.txt").read_text().strip()
    else:
        [expected] = case.glob("expected.*")
        assert result == Rendered(text=expected.read_text())


def test_results_come_in_the_order_of_their_contexts(engine: Engine) -> None:
    entities = [{"n": number} for number in range(120)]

    results = engine.render("(import 'lytemplates.libsonnet').get('n')", *entities)

    assert results == [Rendered(text=f"{number}\n") for number in range(120)]


def test_no_contexts_give_no_results(engine: Engine) -> None:
    assert engine.render("{}") == []


@pytest.mark.parametrize("entity", [b"{not json", b"", b'{"a":"\0"}', b'{"a":' + b"[" * 20_000])
def test_an_entity_that_is_no_json_fails_only_its_own_render(engine: Engine, entity: bytes) -> None:
    contexts = [RenderContext(entity=entity), RenderContext(entity=b'{"a":"b"}')]

    odd, good = engine.render_contexts("(import 'lytemplates.libsonnet').get('a')", contexts)

    assert isinstance(odd, RenderFailure)
    assert "failed to parse JSON" in odd.message
    assert good == Rendered(text='"b"\n')


def test_a_long_handlebars_template_is_compiled_within_its_time(engine: Engine) -> None:
    source = "".join(
        f"{{{{#if a{number}}}}}{number}: {{{{json a{number}}}}}\n{{{{/if}}}}" for number in range(100)
    )

    [result] = engine.render_contexts(source, [RenderContext(entity=b'{"a7":"seven"}')], "handlebars")

    assert result == Rendered(text='7: "seven"\n')
