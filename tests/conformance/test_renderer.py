"""Every kind of template keeps the same promises: what one render does is that render's own affair."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from gatepost.core.templates.vetting import MAX_SOURCE_BYTES
from gatepost.model.errors import TemplateError
from gatepost.ports.renderer import RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering import HelperRenderer, RenderOptions

MIB = 1024 * 1024
TIGHT = RenderOptions(workers=1, memory=128 * MIB)


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What the suite has to know of a kind of template."""

    type: str
    good: str
    """Prints the entity's `n` as JSON."""
    guarded: str
    """Does `{}` when the entity's `bad` is true, else what `good` does."""
    broken: str
    """Cannot be read from its second line and fifth column on."""
    framed: int
    """How many bytes stand around the text when a text is printed."""
    padded: str
    """`good` with `{}` in a comment."""
    harmful: dict[str, str]
    """What to do when `bad`, by name; where a language cannot do it, it is left out."""


KINDS = [
    Kind(
        type="jsonnet",
        good="std.parseJson(std.extVar('ly_entity')).n",
        guarded="local e = std.parseJson(std.extVar('ly_entity')); if std.get(e, 'bad', false) then {} else e.n",
        broken="{ a:\n    ]",
        framed=3,
        padded="/*{}*/ std.parseJson(std.extVar('ly_entity')).n",
        harmful={
            "an endless loop": "std.length([1 for x in std.range(1, 1e5) for y in std.range(1, 1e5)])",
            "a gigabyte": "std.length(std.repeat('x', 1000000000))",
            "deep recursion": "local f(x) = f(x + 1) + 1; f(1)",
            "an error": "error 'no'",
        },
    ),
    Kind(
        type="js1",
        good="function template(data) { return data.n }",
        guarded="function template(data) {{ if (data.bad) {{ {} }} return data.n }}",
        broken="function template(data) {\n    ] }",
        framed=2,
        padded="/*{}*/ function template(data) {{ return data.n }}",
        harmful={
            "an endless loop": "while (true);",
            "a gigabyte": "return 'x'.repeat(1e9).length",
            "a list without end": "for (const all = []; ; ) all.push(new Uint8Array(1e7))",
            "deep recursion": "const f = (x) => f(x + 1) + 1; return f(1)",
            "a deep value": "let v = []; for (let i = 0; i < 1e5; i++) v = [v]; return v",
            "a regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b')",
            "a growing expression": "return /" + "(?:" * 47 + "a|)+" + "|)+" * 46 + "/.exec('a')",
            "a spin nobody can interrupt": "return (new Array(1e9) + '').length",
            "a spin in the error": "throw { toString() { while (true); } }",
            "an error": "throw new Error('no')",
            "half a pair in the error": "throw new Error('\\ud800\\0')",
            "something that is no JSON": "return 10n",
            "a promise": "return Promise.resolve(1)",
            "waiting": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
            "a file": "return require('fs').readFileSync('/etc/passwd')",
            "the network": "return fetch('http://127.0.0.1/')",
            "a timer": "return setTimeout(() => 0, 1)",
            "the host": "return host('more', '')",
        },
    ),
    Kind(
        type="handlebars",
        good="{{n}}",
        guarded="{{{{#if bad}}}}{}{{{{else}}}}{{{{n}}}}{{{{/if}}}}",
        broken="{{#if a}}\n  {{}}",
        framed=0,
        padded="{{{{!--{}--}}}}{{{{n}}}}",
        harmful={
            "an endless loop": "{{#each ten}}" + "{{#each @root.ten}}" * 10 + "{{/each}}" * 11,
            "a gigabyte": "{{#each ten}}" + "{{#each @root.ten}}" * 8 + "xxxxxxxxxx" + "{{/each}}" * 9,
            "deep recursion": '{{#*inline "again"}}{{> again}}{{/inline}}{{> again}}',
            "an error": "{{assert nothing 'no'}}",
            "a partial there is not": "{{> nothing}}",
        },
    ),
]


class Engine:
    """The renderer as a test speaks to it: call by call."""

    def __init__(self, runner: asyncio.Runner, renderer: HelperRenderer) -> None:
        self._runner = runner
        self._renderer = renderer

    def render(self, kind: Kind, source: str, *entities: object) -> list[RenderResult]:
        contexts = [RenderContext(entity=msgspec.json.encode(entity)) for entity in entities]
        return self._runner.run(self._renderer.render(kind.type, source, contexts))

    def complaint(self, kind: Kind, source: str) -> TemplateError | None:
        try:
            self._runner.run(self._renderer.check(kind.type, source))
        except TemplateError as error:
            return error
        return None


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with asyncio.Runner() as runner:
        renderer = HelperRenderer(TIGHT)
        yield Engine(runner, renderer)
        runner.run(renderer.close())


@pytest.fixture(params=KINDS, ids=lambda kind: kind.type)
def kind(request: pytest.FixtureRequest) -> Kind:
    assert isinstance(request.param, Kind)
    return request.param


def texts(results: Sequence[RenderResult]) -> list[str]:
    return [result.text.strip() if isinstance(result, Rendered) else f"({result.kind})" for result in results]


def test_a_template_renders_for_every_entity_in_order(engine: Engine, kind: Kind) -> None:
    results = engine.render(kind, kind.good, *({"n": number} for number in range(120)))

    assert texts(results) == [str(number) for number in range(120)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in KINDS for name in kind.harmful],
    ids=[f"{kind.type}-{name}" for kind in KINDS for name in kind.harmful],
)
def test_a_harmful_render_fails_alone(engine: Engine, kind: Kind, name: str) -> None:
    source = kind.guarded.format(kind.harmful[name])
    bad = {"bad": True, "ten": [*range(10)]}

    before, failed, after = engine.render(kind, source, {"n": 1}, bad, {"n": 2})

    assert isinstance(failed, RenderFailure)
    assert failed.kind in {"runtime", "limit"}
    assert failed.message
    assert len(failed.message) <= 8 * 1024
    assert texts([before, after]) == ["1", "2"]
    assert texts(engine.render(kind, kind.good, {"n": 3})) == ["3"]


@pytest.mark.parametrize("bracket", ["[", "(", "{", "[" * 49 + "]" * 49 + ",", "{{#if a}}", "{{(", "!", "/*"])
def test_fifty_thousand_brackets_harm_nobody(engine: Engine, kind: Kind, bracket: str) -> None:
    source = (bracket * 50_000)[:MAX_SOURCE_BYTES]

    engine.complaint(kind, source)
    engine.render(kind, source, {})

    assert texts(engine.render(kind, kind.good, {"n": 1})) == ["1"]


def test_a_source_that_cannot_be_read_is_refused_with_its_place(engine: Engine, kind: Kind) -> None:
    error = engine.complaint(kind, kind.broken)

    assert error is not None
    assert (error.line, error.column) == (2, 5)
    assert error.excerpt.splitlines()[-1].strip() == "^"


def test_a_good_source_is_taken(engine: Engine, kind: Kind) -> None:
    assert engine.complaint(kind, kind.good) is None


def test_checking_keeps_the_limits_too(engine: Engine) -> None:
    kind = KINDS[1]

    endless = engine.complaint(kind, f"{kind.good}; while (true);")
    hoarding = engine.complaint(kind, f"{kind.good}; for (const all = []; ; ) all.push(new Uint8Array(1e7));")

    assert str(endless) == "the template takes longer than the time limit of 1 s"
    assert str(hoarding) == "the template needs more than the memory limit of 128 MiB"


@pytest.mark.parametrize(
    "hoard",
    [
        "for (const all = []; ; ) all.push({ x: new Array(100).fill(1) })",
        "for (let chain = {}; ; ) chain = { chain }",
        "for (const all = new Map(), n = 0; ; ) all.set(all.size, { n })",
        "for (const all = []; ; ) all.push('x'.repeat(1e5) + all.length)",
        "for (const all = []; ; ) all.push(new Uint8Array(1e7))",
    ],
)
def test_a_script_that_hoards_is_told_of_the_memory_limit(hoard: str) -> None:
    patient = RenderOptions(workers=1, memory=64 * MIB, deadline=60_000)

    async def story() -> list[RenderResult]:
        async with HelperRenderer(patient) as renderer:
            source = f"function template(data) {{ if (data.bad) {hoard}; throw null }}"
            nothing = await renderer.render("js1", source, [RenderContext(entity=b"{}")])
            return nothing + await renderer.render("js1", source, [RenderContext(entity=b'{"bad":true}')])

    [nothing, hoarded] = asyncio.run(story())

    assert nothing == RenderFailure(message="null")
    assert hoarded == RenderFailure(
        message="the template needs more than the memory limit of 64 MiB", kind="limit"
    )


def test_a_source_has_at_most_256_kib(engine: Engine, kind: Kind) -> None:
    room = MAX_SOURCE_BYTES - len(kind.padded.format(""))
    fits, too_long = (kind.padded.format("x" * length) for length in (room, room + 1))

    assert engine.complaint(kind, fits) is None
    assert texts(engine.render(kind, fits, {"n": 1})) == ["1"]
    assert "the template has 262,145 bytes" in str(engine.complaint(kind, too_long))
    assert texts(engine.render(kind, too_long, {"n": 1})) == ["(runtime)"]


@pytest.mark.parametrize("odd", ["\0", "\ud800"], ids=["a NUL", "half of a pair"])
def test_a_source_is_text(engine: Engine, kind: Kind, odd: str) -> None:
    source = kind.padded.format(odd)

    error = engine.complaint(kind, source)

    assert "a template is plain UTF-8 text" in str(error)
    assert texts(engine.render(kind, source, {"n": 1})) == ["(runtime)"]


def test_a_render_prints_at_most_a_mebibyte(engine: Engine, kind: Kind) -> None:
    entities = [{"n": "x" * (size - kind.framed)} for size in (MIB, MIB + 1, 10)]

    full, over, small = engine.render(kind, kind.good, *entities)

    assert isinstance(full, Rendered)
    assert len(full.text) == MIB
    assert over == RenderFailure(
        message="the template prints more than the output limit of 1 MiB", kind="limit"
    )
    assert isinstance(small, Rendered)


@pytest.mark.parametrize(
    "entity", [b"{not json", b"", b'{"n":"\0"}', b'{"n":' + b"[" * 20_000, b"\xff", b"null"]
)
def test_an_entity_that_is_no_json_fails_only_its_own_render(kind: Kind, entity: bytes) -> None:
    contexts = [RenderContext(entity=entity), RenderContext(entity=b'{"n":7}')]

    async def story() -> list[RenderResult]:
        async with HelperRenderer(TIGHT) as renderer:
            return await renderer.render(kind.type, kind.good, contexts)

    _, good = asyncio.run(story())

    assert texts([good]) == ["7"]
