"""The fast path in front of the reference engine: who renders what, and what happens when the two disagree."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from gatepost.ports.renderer import Engine, RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering import CompiledRenderer, HelperRenderer, RenderOptions

HELLO = "local ly = import 'lytemplates.libsonnet'; { hello: ly.get('name', 'you') }"
HELLO_ADA = '{\n   "hello": "Ada"\n}\n'
ADA = RenderContext(entity={"name": "Ada"})


class Watched(HelperRenderer):
    """The reference engine, counting what it is asked; on request it says something else."""

    def __init__(self) -> None:
        super().__init__(RenderOptions(workers=1))
        self.asked = 0
        self.twist = ""

    async def render(self, type_: str, source: str, contexts: Sequence[RenderContext]) -> list[RenderResult]:
        self.asked += len(contexts)
        results = await super().render(type_, source, contexts)
        return [Rendered(text=r.text + self.twist) if isinstance(r, Rendered) else r for r in results]


def _rendered(source: str, *counts: int, twist: str = "") -> tuple[list[list[RenderResult]], int, str]:
    """Render a template for Ada so many times at a time; return results, how often the engine was asked, the reason."""

    async def run() -> tuple[list[list[RenderResult]], int, str]:
        async with Watched() as reference:
            reference.twist = twist
            renderer = CompiledRenderer(reference, every=100)
            results = []
            for count in counts:
                results.append(await renderer.render("jsonnet", source, [ADA] * count))
                await asyncio.gather(*renderer._checks)
            return results, reference.asked, (await renderer.engine("jsonnet", source)).reason

    return asyncio.run(run())


def test_an_engine_that_is_lost_while_it_compares_takes_nothing_from_what_was_printed() -> None:
    class Lost(HelperRenderer):
        async def render(
            self, _type: str, _source: str, contexts: Sequence[RenderContext]
        ) -> list[RenderResult]:
            return [RenderFailure(message="the helper is gone", kind="engine")] * len(contexts)

    async def run() -> tuple[list[RenderResult], Engine]:
        renderer = CompiledRenderer(Lost())
        results = await renderer.render("jsonnet", HELLO, [ADA] * 4)
        return results, await renderer.engine("jsonnet", HELLO)

    results, engine = asyncio.run(run())

    assert results == [Rendered(text=HELLO_ADA)] * 4
    assert engine.name == "compiled"


def test_the_engine_sees_the_first_renders_and_then_one_in_a_hundred() -> None:
    results, asked, reason = _rendered(HELLO, 1, 50, 96, 1, 1, 100)

    assert [result for batch in results for result in batch] == [Rendered(text=HELLO_ADA)] * 249
    assert asked == 3 + 2
    assert not reason


def test_a_later_disagreement_leaves_what_comes_after_it_to_the_engine() -> None:
    async def run() -> tuple[list[RenderResult], list[RenderResult]]:
        async with Watched() as reference:
            renderer = CompiledRenderer(reference, every=10)
            await renderer.render("jsonnet", HELLO, [ADA] * 3)
            reference.twist = " "
            before = await renderer.render("jsonnet", HELLO, [ADA] * 10)
            await asyncio.gather(*renderer._checks)
            return before, await renderer.render("jsonnet", HELLO, [ADA] * 2)

    before, after = asyncio.run(run())

    assert before == [Rendered(text=HELLO_ADA)] * 10
    assert after == [Rendered(text=HELLO_ADA + " ")] * 2


def test_a_template_whose_engines_disagree_is_left_to_the_reference_engine_from_then_on() -> None:
    with capture_logs() as logs:
        (first, then), asked, reason = _rendered(HELLO, 2, 5, twist=" ")

    assert [*first, *then] == [Rendered(text=HELLO_ADA + " ")] * 7
    assert asked == 7
    assert "another result" in reason
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["render.engines_disagree"] * 2
    assert "Ada" not in str(logs)


def test_nothing_of_a_batch_is_sent_as_compiled_once_the_engines_disagree() -> None:
    with capture_logs():
        (results,), _, _ = _rendered(HELLO, 20, twist=" ")

    assert results == [Rendered(text=HELLO_ADA + " ")] * 20


def test_a_disagreement_is_remembered_when_the_template_is_no_longer_kept() -> None:
    others = [f"{{ a: '{'x' * 60_000}', b: {number} }}" for number in range(150)]

    async def run() -> tuple[Engine, RenderResult]:
        async with Watched() as reference:
            reference.twist = " "
            renderer = CompiledRenderer(reference)
            await renderer.render("jsonnet", HELLO, [ADA])
            for other in others:
                await renderer.engine("jsonnet", other)
            engine = await renderer.engine("jsonnet", HELLO)
            return engine, (await renderer.render("jsonnet", HELLO, [ADA] * 9))[8]

    with capture_logs():
        engine, result = asyncio.run(run())

    assert "another result" in engine.reason
    assert result == Rendered(text=HELLO_ADA + " ")


def test_a_disagreement_counts_for_all_who_came_for_the_template_at_once() -> None:
    async def run() -> Engine:
        async with Watched() as reference:
            reference.twist = " "
            renderer = CompiledRenderer(reference)
            await asyncio.gather(*(renderer.render("jsonnet", HELLO, [ADA]) for _ in range(20)))
            return await renderer.engine("jsonnet", HELLO)

    with capture_logs():
        engine = asyncio.run(run())

    assert "another result" in engine.reason


def test_an_output_is_measured_in_bytes_by_both_engines() -> None:
    source = "local ly = import 'lytemplates.libsonnet'; ly.get('name')"
    long = RenderContext(entity={"name": "é" * 600_000})

    async def run() -> list[RenderResult]:
        async with CompiledRenderer(HelperRenderer(RenderOptions(workers=1))) as renderer:
            return await renderer.render("jsonnet", source, [long] * 5)

    kinds = [result.kind for result in asyncio.run(run()) if isinstance(result, RenderFailure)]

    assert kinds == ["limit"] * 5


def test_what_fails_has_the_words_of_the_engine() -> None:
    ((result,),), asked, reason = _rendered("error 'no ' + 'such thing'", 1)

    assert isinstance(result, RenderFailure)
    assert result.message.startswith("RUNTIME ERROR: no such thing")
    assert asked == 1
    assert not reason


def test_a_template_that_mostly_needs_the_engine_is_left_to_it() -> None:
    _, _, reason = _rendered("local f(n) = if n == 0 then 0 else 1 + f(n - 1); f(300)", 60)

    assert "most of its renders need the reference engine" in reason


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("std.parseYaml('a: 1')", "std.parseYaml is not covered"),
        ("std.extVar('ly_entity')", "an external variable as text is not covered"),
        ("{ a: 1 " + " " * 70_000 + "}", "the template is too large"),
        ("[" * 300 + "]" * 300, "nests too deeply"),
        ("{ a: }", "expected an expression"),
    ],
)
def test_the_reason_says_what_is_not_covered(source: str, why: str) -> None:
    _, _, reason = _rendered(source, 1)

    assert why in reason


def test_templates_of_other_kinds_have_their_own_engine() -> None:
    engine = asyncio.run(CompiledRenderer(HelperRenderer()).engine("js1", "function template(data) {}"))

    assert engine.name == "reference"
    assert "js1" in engine.reason


def test_a_long_output_is_the_engines_to_refuse() -> None:
    source = "local ly = import 'lytemplates.libsonnet'; [ly.get('name') for i in std.range(1, 2000)]"
    long = RenderContext(entity={"name": "a" * 1000})

    async def run() -> list[RenderResult]:
        async with CompiledRenderer(HelperRenderer(RenderOptions(workers=1))) as renderer:
            return await renderer.render("jsonnet", source, [long])

    (result,) = asyncio.run(run())

    assert isinstance(result, RenderFailure)
    assert result.kind == "limit"
