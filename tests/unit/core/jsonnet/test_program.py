"""Compiled templates print what the reference engine prints, or leave it to the engine."""

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.core.jsonnet.program import Uncovered, compile_template
from gatepost.core.templates.presets import PRESETS, library, preset
from gatepost.model.jsonvalue import JsonObject, JsonValue
from tests.jsonnet import PROFILES, Writer, compiled, reference

CASES = yaml.safe_load((Path(__file__).parents[3] / "cases/jsonnet/language.yaml").read_text())
IMPORT = "local ly = import 'lytemplates.libsonnet';\n"
OUR_MISTAKES = (NameError, AttributeError, SyntaxError)


@pytest.mark.parametrize("name", CASES["compiled"])
def test_what_is_compiled_prints_what_the_engine_prints(name: str) -> None:
    source = IMPORT + CASES["compiled"][name]

    outcome = compiled(source, PROFILES[0])

    assert outcome.text == reference(source, PROFILES[0]), outcome.cause
    assert outcome.text is not None


@pytest.mark.parametrize("name", CASES["engine"])
def test_what_fails_or_takes_long_is_left_to_the_engine(name: str) -> None:
    outcome = compiled(IMPORT + CASES["engine"][name], PROFILES[0])

    assert outcome.text is None
    assert not isinstance(outcome.cause, OUR_MISTAKES)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_presets_are_compiled(name: str, profile: JsonObject) -> None:
    outcome = compiled(preset(name), profile)

    assert outcome.covered
    assert outcome.text == reference(preset(name), profile)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**62), st.sampled_from(PROFILES))
def test_any_template_prints_the_same_on_both_or_is_left_to_the_engine(
    seed: int, profile: JsonObject
) -> None:
    source = Writer(random.Random(seed)).template()  # noqa: S311 - repeatable on purpose

    outcome = compiled(source, profile)

    assert not isinstance(outcome.cause, OUR_MISTAKES), source
    assert outcome.text is None or outcome.text == reference(source, profile), source


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.just(-0.0)
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
READS_ALL = (
    IMPORT
    + """
    local all = ly.get('all', {});
    {
      whole: all,
      text: '' + all,
      fields: if std.isObject(all) then [[k, all[k]] for k in std.objectFields(all)],
      same: all == all,
      known: { a: all, b: [all] } { c: ly.getFirstField('all') },
    }
    """
)


@given(JSON)
def test_any_profile_prints_the_same(value: JsonValue) -> None:
    entity: JsonObject = {"all": value}

    outcome = compiled(READS_ALL, entity)

    assert outcome.text is not None, outcome.cause
    assert outcome.text == reference(READS_ALL, entity)


@pytest.mark.parametrize("depth", [*range(1, 40, 3), 45, 60, 100, 200, 400, 470, 490, 495, 500])
def test_no_recursion_succeeds_that_is_too_deep_for_the_engine(depth: int) -> None:
    sources = (
        f"local f(n) = if n == 0 then 0 else 1 + f(n - 1); f({depth})",
        f"local f(n, a) = if n == 0 then a else f(n - 1, [a]); std.length(f({depth}, []))",
        f"local a = [if i == 0 then 0 else a[i - 1] + 1 for i in std.range(0, {depth})]; a[{depth}]",
        f"local o = {{ f(n): if n == 0 then 0 else 1 + self.f(n - 1) }}; o.f({depth})",
        f"local f(n) = if n == 0 then {{}} else {{ x: f(n - 1).x }}; f({depth})" + ".x" * 0,
        f"local f(n, g) = if n == 0 then g() else f(n - 1, function() g() + 1); f({depth}, function() 0)",
        f"std.foldl(function(a, x) [a], std.range(1, {depth}), 0)",
        "; ".join(f"local v{i} = v{i - 1} + 1" if i else "local v0 = 1" for i in range(depth))
        + f"; v{depth - 1}",
    )
    for source in sources:
        outcome = compiled(source, {})

        assert outcome.text is None or outcome.text == reference(source, {}), source


BOMBS = {
    "calls that double": "; ".join(
        f"local f{i}(x) = f{i - 1}(x) + f{i - 1}(x)" if i else "local f0(x) = x" for i in range(60)
    )
    + "; f59(1)",
    "names that double": "; ".join(
        f"local v{i} = [v{i - 1}, v{i - 1}]" if i else "local v0 = 1" for i in range(200)
    )
    + "; std.length(v199)",
    "arguments within arguments": "local f(x, y) = if x then y else y; " + "f(true, " * 200 + "1" + ")" * 200,
    "conditions within conditions": "if true then " * 240 + "1" + " else 2" * 240,
    "many names": "; ".join(f"local v{i} = {{ a: {i} }}" for i in range(2_000)) + "; v7",
    "signs and signs": "!" * 60_000 + "true",
    "signs that stand for themselves": "$" * 60_000,
    "comments that never end": "/* " * 20_000,
    "loops within loops": "[1 " + "".join(f"for x{i} in [1] " for i in range(3_000)) + "]",
    "objects that double": "; ".join(
        f"local v{i} = {{ x: v{i - 1}, y: v{i - 1} }}" if i else "local v0 = { x: 1, y: 2 }"
        for i in range(60)
    )
    + "; v59",
    "a long text, often": "local long = '" + "x" * 30_000 + "'; [" + "long, " * 5_000 + "]",
    "a long field, often": "local o = { a: '" + "x" * 30_000 + "' }; [" + "o, " * 10_000 + "]",
    "one field, often": IMPORT + "[" + ", ".join("ly.get('odd')" for _ in range(3_000)) + "]",
}


BOUNDS = {
    "calls that double": "too involved",
    "names that double": "nests too deeply",
    "arguments within arguments": "nests too deeply",
    "conditions within conditions": "nests too deeply",
    "many names": "nests too deeply",
    "signs and signs": "nests too deeply",
    "signs that stand for themselves": "expected 'end', found '\\$'",
    "comments that never end": "not a word of Jsonnet",
    "loops within loops": "loops nested too deeply",
    "objects that double": "too large",
    "a long text, often": "prints too much",
    "a long field, often": "prints too much",
}
"""The bound that each of them meets long before it costs anything."""


@pytest.mark.parametrize("name", BOUNDS)
def test_no_source_gets_past_the_compilers_bounds(name: str) -> None:
    with pytest.raises(Uncovered, match=BOUNDS[name]):
        compile_template(BOMBS[name], library())


@pytest.mark.parametrize("name", sorted(BOMBS.keys() - BOUNDS.keys()))
def test_what_repeats_itself_makes_code_in_proportion(name: str) -> None:
    code = compile_template(BOMBS[name], library()).code

    assert len(code) < 10 * len(BOMBS[name])


def test_the_code_holds_nothing_of_the_source() -> None:
    source = "{ ['__import__(\"os\")']: \"'''; raise SystemExit\", secret_name: 7654321 }"

    code = compile_template(source, library()).code

    assert not any(word in code for word in ("import", "SystemExit", "secret_name", "7654321"))
