"""Templates written to do harm: each fails as one render, and the next one is clean."""

import asyncio

import pytest

from gatepost.model.errors import TemplateError
from gatepost.ports.renderer import RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering import HelperRenderer, RenderOptions

PROFILE = RenderContext(entity=b'{"email":"mirela@example.com"}')
GOOD = "(import 'lytemplates.libsonnet').get('email')"
CLEAN = Rendered(text='"mirela@example.com"\n')

SPIN = "std.length([1 for x in std.range(1, 1e5) for y in std.range(1, 1e5)])"
HOARD = "std.length(std.makeArray(1e9, function(i) i))"
TIGHT = RenderOptions(workers=1, memory=128 * 1024 * 1024)
PATIENT = RenderOptions(workers=1, memory=128 * 1024 * 1024, deadline=30_000)
"""For what has nothing to do with time: a second is soon over on a machine that runs every other test meanwhile."""
ROOMY = RenderOptions(workers=1, deadline=30_000)
"""For what has nothing to do with memory either: the engine takes addresses by the thread, and may start more."""


async def after(source: str, options: RenderOptions = TIGHT) -> tuple[RenderResult, RenderResult]:
    async with HelperRenderer(options) as renderer:
        [bad] = await renderer.render("jsonnet", source, [PROFILE])
        [good] = await renderer.render("jsonnet", GOOD, [PROFILE])
    return bad, good


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        (SPIN, "time limit of 1 s"),
        (HOARD, "memory limit of 128 MiB"),
        ("std.range(1, 1e9)", "memory limit of 128 MiB"),
        (
            "'" + "x" * 1000 + "' + std.join('', std.repeat(['" + "y" * 1000 + "'], 1050))",
            "output limit of 1 MiB",
        ),
    ],
    ids=["endless", "hoarding", "a list too long", "talkative"],
)
def test_a_limit_is_named_and_the_next_render_is_clean(source: str, limit: str) -> None:
    # The endless one hoards a little too; with room to spare it is time that ends it.
    options = RenderOptions(workers=1) if limit.startswith("time") else PATIENT

    bad, good = asyncio.run(after(source, options))

    assert isinstance(bad, RenderFailure)
    assert bad.kind == "limit"
    assert limit in bad.message
    assert good == CLEAN


@pytest.mark.parametrize(
    "source",
    [
        "local f(x) = f(x + 1) tailstrict; f(1)",
        "std.length(std.repeat('x', 1000000000))",
        "!" * 200_000 + "true",
        "+".join(["1"] * 120_000),
        "std.foldl(function(a, b) std.trace(std.repeat('x', 10000), a + a), std.range(1, 60), 'xy')",
    ],
    ids=["tail calls", "a gigabyte", "not not not", "a long sum", "doubling and tracing"],
)
def test_whichever_limit_is_met_first_the_next_render_is_clean(source: str) -> None:
    bad, good = asyncio.run(after(source))

    assert isinstance(bad, RenderFailure)
    assert bad.kind == "limit"
    assert good == CLEAN


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[" * 50_000, "nested more than 500 deep"),
        ("importstr '/etc/passwd'", "may only import"),
        ("local f(x) = f(x) + 1; f(1)", "max stack frames exceeded"),
        ("std.native('open')('/etc/passwd')", "expected function"),
        ("error std.repeat('loud ', 10000)", "RUNTIME ERROR: loud loud"),
        ("1 +", "Unexpected end of file"),
    ],
)
def test_what_the_engine_or_we_refuse_harms_nobody(source: str, message: str) -> None:
    bad, good = asyncio.run(after(source, ROOMY))

    assert isinstance(bad, RenderFailure)
    assert bad.kind == "runtime"
    assert message in bad.message
    assert len(bad.message) <= 8 * 1024
    assert good == CLEAN


def test_batch_mates_of_culprits_are_rendered_in_their_places() -> None:
    source = f"""
        local n = (import 'lytemplates.libsonnet').get('n');
        if n == 3 then {SPIN} else if n == 5 then {HOARD} else n"""
    contexts = [RenderContext(entity=b'{"n":%d}' % number) for number in range(8)]

    async def story() -> list[RenderResult]:
        async with HelperRenderer(TIGHT) as renderer:
            return await renderer.render("jsonnet", source, contexts)

    results = asyncio.run(story())

    failed = {index: result.kind for index, result in enumerate(results) if isinstance(result, RenderFailure)}
    assert failed == {3: "limit", 5: "limit"}
    assert [r.text for r in results if isinstance(r, Rendered)] == [f"{n}\n" for n in (0, 1, 2, 4, 6, 7)]


def test_twenty_deaths_in_a_row_are_followed_by_a_good_render() -> None:
    async def story() -> tuple[list[RenderResult], list[RenderResult]]:
        async with HelperRenderer(TIGHT) as renderer:
            bad = await renderer.render("jsonnet", "std.range(1, 1e9)", [PROFILE] * 20)
            return bad, await renderer.render("jsonnet", GOOD, [PROFILE])

    bad, good = asyncio.run(story())

    assert [result.kind for result in bad if isinstance(result, RenderFailure)] == ["limit"] * 20
    assert good == [CLEAN]


def test_a_source_that_cannot_be_parsed_within_the_limits_is_refused() -> None:
    async def story() -> None:
        async with HelperRenderer(TIGHT) as renderer:
            with pytest.raises(TemplateError, match="limit of"):
                await renderer.check("jsonnet", "+".join(["1"] * 120_000))
            await renderer.check("jsonnet", GOOD)

    asyncio.run(story())


def test_a_good_template_passes_by_a_queue_of_bad_ones() -> None:
    async def story() -> list[str]:
        finished: list[str] = []

        async def ask(name: str, source: str, count: int) -> None:
            await renderer.render("jsonnet", source, [PROFILE] * count)
            finished.append(name)

        async with HelperRenderer(TIGHT) as renderer:
            await asyncio.gather(ask("bad", HOARD, 8), ask("bad too", HOARD, 2), ask("good", GOOD, 200))
        return finished

    finished = asyncio.run(story())

    assert finished[0] == "good"
