"""Nothing of one profile's render can be seen in the next, whatever the template does to its surroundings."""

import asyncio
from collections.abc import Sequence

import pytest

from gatepost.ports.renderer import RenderContext, Rendered, RenderFailure, RenderResult
from gatepost.rendering import HelperRenderer, RenderOptions

PROFILES = [RenderContext(entity=b'{"name":"%s"}' % name) for name in (b"ada", b"ben", b"cleo")]


def rendered(*asked: tuple[str, str], profiles: Sequence[RenderContext] = PROFILES) -> list[RenderResult]:
    """Render one template after another in the same helper."""

    async def story() -> list[RenderResult]:
        async with HelperRenderer(RenderOptions(workers=1)) as renderer:
            return [result for each in asked for result in await renderer.render(*each, profiles)]

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("leave", "look"),
    [
        ("globalThis.left = data.name", "globalThis.left"),
        ("left = data.name", "typeof left === 'undefined' ? undefined : left"),
        ("Object.prototype.left = data.name", "({}).left"),
        ("({}).__proto__.left = data.name", "[].left"),
        ("Array.prototype.map = () => [data.name]", "[0].map((x) => x)[0]"),
        ("String.prototype.trim = () => data.name", "' '.trim()"),
        ("Promise.prototype.constructor = data.name", "typeof Promise.prototype.constructor"),
        ("get = () => data.name", "get('other', 'none', data)"),
        ("sha1 = () => data.name", "sha1('x')"),
        ("lytics.left = data.name", "lytics.left"),
        ("Date.now = () => data.name", "typeof Date.now()"),
        ("Symbol.for('left').description; Symbol.left = data.name", "Symbol.left"),
        ("ly_job_config = data.name", "typeof ly_job_config"),
        ("RegExp.prototype.test = () => data.name; JSON.parse = () => data.name", "typeof JSON.parse('1')"),
        ("counter += 1", "counter"),
        ("memory.push(data.name)", "memory.length"),
    ],
)
def test_what_a_script_leaves_behind_is_gone_in_the_next_render(leave: str, look: str) -> None:
    body = f"const seen = {look}; {leave}; return [seen]"
    source = f"var counter = 0; const memory = []; function template(data) {{ {body} }}"

    first, *later = rendered(("js1", source), ("js1", source))

    assert isinstance(first, Rendered)
    assert later == [first] * 5


def test_a_script_that_spoils_json_spoils_its_own_render_only() -> None:
    spoiler = "function template(data) { Object.prototype.toJSON = () => 'spoiled'; return { a: 1 } }"
    plain = "function template(data) { return { a: data.name } }"

    results = rendered(("js1", spoiler), ("js1", plain), ("handlebars", "{{json this}}"))

    assert [r.text for r in results[3:6] if isinstance(r, Rendered)] == [
        '{"a":"ada"}',
        '{"a":"ben"}',
        '{"a":"cleo"}',
    ]
    assert all(isinstance(r, Rendered) and "spoiled" not in r.text for r in results[6:])


@pytest.mark.parametrize(
    "source",
    [
        "{{lookup this '__proto__'}}{{__proto__}}{{constructor}}{{lookup this 'constructor'}}",
        "{{constructor.constructor 'return 1'}}",
        "{{#with (lookup this 'constructor') as |c|}}{{c}}{{/with}}",
        "{{toString}}{{name.constructor}}{{lookup name 'sub'}}{{valueOf}}",
        "{{__defineGetter__}}{{__lookupGetter__}}{{@root.__proto__}}",
    ],
)
def test_handlebars_reaches_no_prototype(source: str) -> None:
    results = rendered(("handlebars", source), profiles=PROFILES[:1])

    assert results == [Rendered(text="")] or isinstance(results[0], RenderFailure)


def test_a_profile_with_keys_of_prototypes_is_a_profile_like_any_other() -> None:
    odd = RenderContext(
        entity=b'{"__proto__":{"name":"eve"},"constructor":1,"hasOwnProperty":2,"job_config":3}'
    )
    source = "{{name}}|{{#each this}}{{@key}} {{/each}}"

    [strange, plain] = rendered(("handlebars", source), profiles=[odd, PROFILES[0]])

    assert strange == Rendered(text="|__proto__ constructor hasOwnProperty job_config ")
    assert plain == Rendered(text="ada|name job_config ")


def test_an_inline_partial_lives_as_long_as_its_render() -> None:
    source = "{{#if vip}}{{#*inline 'greeting'}}dear {{name}}{{/inline}}{{assert calm 'not calm'}}{{/if}}{{> greeting}}"
    vip = RenderContext(entity=b'{"name":"ada","vip":true}')

    results = rendered(("handlebars", source), profiles=[vip, PROFILES[1]])

    assert [r.message for r in results if isinstance(r, RenderFailure)][1:] == [
        "Error: The partial greeting could not be found"
    ]
